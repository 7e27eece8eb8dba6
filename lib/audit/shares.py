"""Data analysis, continued: how large each group is, alone and within others, and how many images a patient has."""

import numpy as np
import polars as pl

from lib.audit.frames import frame, optional
from lib.audit.population import Population
from lib.audit.resampling import Array, Counts, never_certain, percentile_interval, resampled_sums

S, I, F = pl.String, pl.Int64, pl.Float64
SHARES = {name: S for name in ("split", "attribute", "group", "other", "other_group")} | {
    **{name: F for name in ("share", "low", "high")},
    "images": I,
}
VISITS = {"split": S, "least": I, "most": I, "patients": I, "images": I}
STEPS = (1, 2, 3, 4, 5, 6, 11, 21)
"""First number of images of each row of `visits`; the last one is open."""


def shares(split: str, people: Population, counts: Counts) -> pl.DataFrame:
    """Share of the images of each group: of everyone's, of each group of every other attribute's, of the sick and healthy.

    `other` is `overall` (group `all`), an attribute or `label` (`sick`, `healthy`): share = images in both / images of
    the other group with a known attribute. 95 % interval by patient; null where there is no such image.
    """
    labels = [("label", name, people.labels == value) for value, name in ((1, "sick"), (0, "healthy"))]
    cells = [(cell.attribute, cell.group, cell.images) for cell in people.cells]
    keys, parts = [], []
    for attribute, codes in people.groups.items():
        for own, group, images in cells:
            if own == attribute:
                for other, other_group, within in cells + labels:
                    if other != attribute:
                        keys.append((attribute, group, other, other_group))
                        parts.append((images & within, within & (codes >= 0)))
    rows = []
    for key, (both, within) in zip(keys, parts, strict=True):
        sums = resampled_sums(counts, people.sums_by_patient(np.stack([both, within], axis=1)))
        share, low, high = _share(both, within, sums, people.count_patients(within))
        rows.append((split, *key, *optional([share, low, high]), int(both.sum())))
    return frame(rows, SHARES)


def visits(split: str, people: Population) -> pl.DataFrame:
    """Patients and images by how many images a patient has, from `least` to `most`; the last row has no `most`."""
    sizes = np.bincount(people.patients)
    place = np.searchsorted(STEPS, sizes, side="right") - 1
    most = [*(step - 1 for step in STEPS[1:]), None]
    rows = [
        (split, STEPS[k], most[k], int((place == k).sum()), int(sizes[place == k].sum())) for k in range(len(STEPS))
    ]
    return frame(rows, VISITS)


def _share(both: Array, within: Array, sums: Array, patients: int) -> tuple[float, float, float]:
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.float64(both.sum()) / within.sum()
        bounds = percentile_interval(sums[:, 0] / sums[:, 1])
    low, high = never_certain(share, *bounds, patients)
    return float(share), float(low), float(high)
