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
    "equal_tpr": "equal TPR thresholds",
    "group_best_threshold": "best thresholds",
}
BASELINE_WEIGHTING = "uniform"
BASELINE_POSTPROCESSING = "fixed_0.5"
AMPLIFICATION = "all groups"
"""Value of the column `contrast` for the bias amplification over all groups of an attribute."""
AGGREGATE, STANDARDISED = "aggregate", "standardised"
"""Values of the column `stratum` for everyone together, and for the difference with common strata."""
UNDECIDED = "cannot be told from noise"
NOT_ESTIMABLE = "not estimable"


def weighting_label(name: str) -> str:
    """The words for a weighting; an unknown name is shown as it is."""
    return WEIGHTINGS.get(name, name.replace("_", " "))


def postprocessing_label(name: str, target: str = NO_TARGET) -> str:
    """The words for a post-processing and the attribute it acts on, such as `equal TPR thresholds by view`."""
    words = POSTPROCESSINGS.get(name, name.replace("_", " "))
    return words if target == NO_TARGET else f"{words} by {ATTRIBUTES[target].label}"
