"""Counts that the phantom imitates: aggregates of the public metadata of NIH ChestX-ray14 (112,120 images).

Source: Data_Entry_2017_v2020.csv; X. Wang et al., ChestX-ray8, CVPR 2017, doi 10.1109/CVPR.2017.369.
"""

from typing import NamedTuple


class Stratum(NamedTuple):
    """Images of a sex, a view and an age range: how many there are, and the share with a finding."""

    sex: str
    view: str
    ages: tuple[int, int]
    images: int
    sick: float


STRATA = (
    Stratum("F", "AP", (3, 17), 1_097, 0.523),
    Stratum("F", "AP", (18, 39), 5_204, 0.508),
    Stratum("F", "AP", (40, 59), 8_131, 0.527),
    Stratum("F", "AP", (60, 79), 3_995, 0.564),
    Stratum("F", "AP", (80, 92), 186, 0.661),
    Stratum("F", "PA", (3, 17), 1_222, 0.282),
    Stratum("F", "PA", (18, 39), 8_477, 0.344),
    Stratum("F", "PA", (40, 59), 14_099, 0.424),
    Stratum("F", "PA", (60, 79), 6_112, 0.506),
    Stratum("F", "PA", (80, 92), 257, 0.510),
    Stratum("M", "AP", (3, 17), 1_577, 0.535),
    Stratum("M", "AP", (18, 39), 7_546, 0.515),
    Stratum("M", "AP", (40, 59), 11_029, 0.532),
    Stratum("M", "AP", (60, 79), 5_839, 0.542),
    Stratum("M", "AP", (80, 92), 206, 0.544),
    Stratum("M", "PA", (3, 17), 1_506, 0.329),
    Stratum("M", "PA", (18, 39), 9_810, 0.365),
    Stratum("M", "PA", (40, 59), 15_984, 0.419),
    Stratum("M", "PA", (60, 79), 9_473, 0.482),
    Stratum("M", "PA", (80, 92), 370, 0.581),
)

FINDINGS: dict[str, tuple[int, float]] = {
    "Atelectasis": (11_559, 0.504),
    "Cardiomegaly": (2_776, 0.437),
    "Consolidation": (4_667, 0.674),
    "Edema": (2_303, 0.880),
    "Effusion": (13_317, 0.505),
    "Emphysema": (2_516, 0.404),
    "Fibrosis": (1_686, 0.165),
    "Hernia": (227, 0.154),
    "Infiltration": (19_894, 0.530),
    "Mass": (5_782, 0.383),
    "Nodule": (6_331, 0.340),
    "Pleural_Thickening": (3_385, 0.286),
    "Pneumonia": (1_431, 0.560),
    "Pneumothorax": (5_302, 0.357),
}
"""Images with a finding, and the share of them taken in AP."""

IMAGES_PER_PATIENT = ((0.0, 1), (0.5, 1), (0.75, 3), (0.9, 8), (0.95, 14), (0.99, 35))
"""Quantiles of the number of images per patient; the phantom stops at `MOST_IMAGES`."""
MOST_IMAGES = 12
SAME_VIEW_AGAIN = 0.755
"""Chance that a patient's next image has the same view; `SAME_STATE_AGAIN`: that it is again sick, or again healthy."""
SAME_STATE_AGAIN = 0.659
