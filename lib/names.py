"""Names, orders and references used everywhere: attributes and their groups, metrics, methods.

Standard library only, so that every layer, down to the pre-render script, may import it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Attribute:
    """A grouping of patients or images: `groups` in display order, differences are `group - reference`."""

    name: str
    label: str
    groups: tuple[str, ...]
    reference: str
    of_patient: bool
    """True for demographics, False for acquisition metadata (the view can differ between images of a patient)."""


@dataclass(frozen=True)
class Metric:
    """A performance figure: `label` in tables, `meaning` in one clause, `better` is +1 (high), -1 (low) or 0."""

    name: str
    label: str
    meaning: str
    better: int


ATTRIBUTES: dict[str, Attribute] = {
    a.name: a
    for a in (
        Attribute("sex", "sex", ("F", "M"), "M", True),
        Attribute("age_group", "age group", ("<40", "40-60", ">60"), "<40", True),
        Attribute("view", "view", ("AP", "PA"), "PA", False),
    )
}
OVERALL = "overall"
"""Value of the column `attribute` for rows about everyone; their `group` is `all`."""
NO_TARGET = "none"
"""Value of the column `target` for post-processings that use no group."""
MAX_MIN = "max - min"
"""Value of the column `contrast` for the spread over all groups of an attribute."""

METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        Metric("balanced_accuracy", "balanced accuracy", "mean of TPR and 1 - FPR", 1),
        Metric("auc", "AUC", "chance that a sick image scores above a healthy one", 1),
        Metric("tpr", "TPR", "share of the sick who are called sick", 1),
        Metric("fpr", "FPR", "share of the healthy who are called sick", -1),
        Metric("selection_rate", "selection rate", "share of all who are called sick", 0),
    )
}

WEIGHTINGS: dict[str, str] = {
    "uniform": "uniform (baseline)",
    "inverse_class_frequency": "inverse class frequency",
    "kamiran_calders_sex": "Kamiran-Calders by sex",
    "kamiran_calders_age_group": "Kamiran-Calders by age",
    "kamiran_calders_view": "Kamiran-Calders by view",
}
POSTPROCESSINGS: dict[str, str] = {
    "fixed_0.5": "fixed 0.5 (baseline)",
    "best_threshold": "one best threshold",
    "minimax_threshold": "one minimax threshold",
    "group_best_threshold": "best thresholds",
    "equal_tpr": "equal TPR thresholds",
    "equal_fpr": "equal FPR thresholds",
    "equal_selection": "equal selection thresholds",
    "equal_opportunity": "equal opportunity",
    "equalized_odds": "equalised odds",
    "reject_option": "reject option",
    "calibrated_odds_fnr": "calibrated odds, FNR",
    "calibrated_odds_fpr": "calibrated odds, FPR",
    "calibrated_odds_weighted": "calibrated odds, both",
    "platt": "Platt scaling",
    "temperature": "temperature scaling",
    "isotonic": "isotonic recalibration",
    "level_up_tpr": "levelling up TPR",
    "level_up_accuracy": "levelling up accuracy",
}
DECIDE_WITHOUT_GROUP = frozenset({"fixed_0.5", "best_threshold", "minimax_threshold"})
"""Post-processings that need no group when deciding, though one of them looks at groups when it is fitted."""
RANDOMISED = frozenset(
    {
        "equal_opportunity",
        "equalized_odds",
        "calibrated_odds_fnr",
        "calibrated_odds_fpr",
        "calibrated_odds_weighted",
    }
)
"""Post-processings that toss a coin: two images with the same score and group may be decided differently."""
BASELINE_WEIGHTING = "uniform"
BASELINE_POSTPROCESSING = "fixed_0.5"
UNDECIDED = "cannot be told from noise"
NOT_ESTIMABLE = "not estimable"
LEVELLED_UP = "levelling up"
LEVELLED_DOWN = "levelling down"
TRADED = "a trade"
NOT_SHOWN = "no group's change shown"
NOT_NARROWED = "not narrowed"
RECOMMENDED = "recommended"
ALTERNATIVE = "alternative"
TOO_DEAR = "too dear"
SET_ASIDE = "set aside"


def weighting_label(name: str) -> str:
    """The words for a weighting; an unknown name is shown as it is."""
    return WEIGHTINGS.get(name, name.replace("_", " "))


def must_know(postprocessing: str, target: str) -> str | None:
    """The attribute that must be known of each image when deciding, or None."""
    return None if target == NO_TARGET or postprocessing in DECIDE_WITHOUT_GROUP else target


def postprocessing_label(name: str, target: str = NO_TARGET) -> str:
    """The words for a post-processing and the attribute it acts on, such as `equal TPR thresholds by view`."""
    words = POSTPROCESSINGS.get(name, name.replace("_", " "))
    return words if target == NO_TARGET else f"{words} by {ATTRIBUTES[target].label}"
