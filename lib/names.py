"""Names, orders and references used everywhere: attributes and their groups, metrics, methods.

Standard library only, so that every layer, down to the pre-render script, may import it.
"""

from dataclasses import dataclass
from itertools import combinations


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
DRAWN = "drawn radiographs (a phantom)"
"""The source of cohorts that `lib.cohort.phantom` drew: no patient, and the truth is known."""
OVERALL = "overall"
"""Value of the column `attribute` for rows about everyone; their `group` is `all`."""
NO_TARGET = "none"
"""Value of the column `target` for post-processings that use no group."""
MAX_MIN = "max - min"
"""Value of the column `contrast` for the spread over all groups of an attribute."""

CROSSED = " x "
"""Between the names of two attributes whose groups are crossed, such as `sex x age_group`."""


def attribute_named(name: str) -> Attribute:
    """The attribute of a name, also of a crossing: `sex x age_group` has the groups `F, <40`, `F, 40-60` and so on.

    Raises KeyError for a name that is neither.
    """
    if CROSSED not in name:
        return ATTRIBUTES[name]
    one, two = (ATTRIBUTES[part] for part in name.split(CROSSED))
    groups = tuple(f"{a}, {b}" for a in one.groups for b in two.groups)
    reference = f"{one.reference}, {two.reference}"
    return Attribute(name, f"{one.label} and {two.label}", groups, reference, one.of_patient and two.of_patient)


METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        Metric("balanced_accuracy", "balanced accuracy", "mean of TPR and 1 - FPR", 1),
        Metric("auc", "AUC", "chance that a sick image scores above a healthy one", 1),
        Metric("tpr", "TPR", "share of the sick who are called sick", 1),
        Metric("fpr", "FPR", "share of the healthy who are called sick", -1),
        Metric("selection_rate", "selection rate", "share of all who are called sick", 0),
        Metric("accuracy", "accuracy", "share of all whose label is found", 1),
        Metric("fnr", "FNR", "share of the sick who are called healthy", -1),
        Metric("ppv", "PPV", "share of those called sick who are sick", 1),
        Metric("missed", "missed", "patients who are sick and called healthy, of all patients", -1),
    )
}

ERRORS = ("tpr", "fpr")
"""The metrics whose gaps the report follows through every correction."""

DEMANDS: dict[str, str] = {
    "demographic_parity_difference": "demographic parity: difference in selection rate",
    "demographic_parity_ratio": "demographic parity: ratio of selection rates",
    "equal_opportunity_difference": "equal opportunity: difference in TPR",
    "equalized_odds_difference": "equalized odds: the larger difference, of TPR or FPR",
}
"""Measures of the table `parity` that compare all groups of an attribute; the others are `worst_<metric>`."""
CALIBRATION: dict[str, str] = {
    "brier": "Brier score",
    "mean_error": "mean score \N{MINUS SIGN} share of sick",
    "ece": "ECE (debiased)",
    "slope": "slope",
    "intercept": "intercept",
}

GROUPINGS: dict[str, str] = {
    "+".join(chosen): " × ".join("age" if a == "age_group" else ATTRIBUTES[a].label for a in chosen)
    for size in range(1, len(ATTRIBUTES) + 1)
    for chosen in combinations(ATTRIBUTES, size)
}
"""Attributes alone and crossed, as weightings name them: `sex`, `sex+view`; with their words."""
_FAMILIES = {
    "kamiran_calders": "Kamiran-Calders",
    "group_balanced": "balanced groups",
    "group_label_balanced": "balanced groups and classes",
    "group_label_balanced_sqrt": "half-balanced groups and classes",
    "effective_number": "effective number",
    "median_frequency": "median frequency",
}
WEIGHTINGS: dict[str, str] = (
    {
        "uniform": "uniform (baseline)",
        "patient_balanced": "balanced patients",
        "inverse_class_frequency": "inverse class frequency",
    }
    | {name: f"{_FAMILIES[name]} of classes" for name in ("effective_number", "median_frequency")}
    | {f"{f}_{g}": f"{words} by {by}" for f, words in _FAMILIES.items() for g, by in GROUPINGS.items()}
    | {"csv": "WEIGHTS of the CSV"}
)
BY_PATIENT = "patient_balanced_x_"
"""Leads the name of a weighting whose weights are multiplied by those of `patient_balanced`."""
PLACEBO = "placebo_"
"""Leads the name of a weighting whose weights are given to the wrong examples."""
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
    "calibrated_odds_fnr": "calibrated odds (FNR)",
    "calibrated_odds_fpr": "calibrated odds (FPR)",
    "calibrated_odds_weighted": "calibrated odds (both)",
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
AMPLIFICATION = "all groups"
"""Value of the column `contrast` for the bias amplification over all groups of an attribute."""
AGGREGATE, STANDARDISED = "aggregate", "standardised"
"""Values of the column `stratum` for everyone together, and for the difference with common strata."""
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
    if name.startswith(PLACEBO):
        return f"placebo of {weighting_label(name.removeprefix(PLACEBO))}"
    if name.startswith(BY_PATIENT):
        return f"{WEIGHTINGS['patient_balanced']} × {weighting_label(name.removeprefix(BY_PATIENT))}"
    return WEIGHTINGS.get(name, name.replace("_", " "))


def must_know(postprocessing: str, target: str) -> str | None:
    """The attribute that must be known of each image when deciding, or None."""
    return None if target == NO_TARGET or postprocessing in DECIDE_WITHOUT_GROUP else target


def postprocessing_label(name: str, target: str = NO_TARGET) -> str:
    """The words for a post-processing and the attribute it acts on, such as `equal TPR thresholds by view`."""
    words = POSTPROCESSINGS.get(name, name.replace("_", " "))
    return words if target == NO_TARGET else f"{words} by {ATTRIBUTES[target].label}"
