"""Names, orders and references used everywhere: attributes and their groups, metrics, methods.

Standard library only, so that every layer, down to the pre-render script, may import it.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Attribute:
    """A grouping of patients or images: `groups` in display order, differences are `group - reference`."""

    name: str
    label: str
    groups: tuple[str, ...]
    reference: str
    of_patient: bool
    """True for demographics, False for acquisition metadata (the view can differ between images of a patient)."""

    @property
    def contrasts(self) -> dict[str, str]:
        """The groups compared with the reference, by the name of the difference: `AP - PA`."""
        return {f"{group} - {self.reference}": group for group in self.groups if group != self.reference}


DEFAULTS: dict[str, Attribute] = {
    a.name: a
    for a in (
        Attribute("sex", "sex", ("F", "M"), "M", True),
        Attribute("age_group", "age group", ("<40", "40-60", ">60"), "<40", True),
        Attribute("view", "view", ("AP", "PA"), "PA", False),
    )
}
"""What is known of the attributes that every cohort of the course has; any other column may be one, too."""
MOST_ATTRIBUTES = 8
"""Attributes that one audit compares."""
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


def crossing(one: Attribute, two: Attribute) -> Attribute:
    """The attribute whose groups are those of both at once."""
    groups = tuple(f"{a}, {b}" for a in one.groups for b in two.groups)
    reference = f"{one.reference}, {two.reference}"
    label = f"{one.label} and {two.label}"
    return Attribute(f"{one.name}{CROSSED}{two.name}", label, groups, reference, one.of_patient and two.of_patient)


def attributes_as_json(attributes: Iterable[Attribute]) -> list[dict[str, Any]]:
    """Attributes as a manifest holds them; `attributes_from_json` reads them back."""
    return [asdict(attribute) | {"groups": list(attribute.groups)} for attribute in attributes]


def attributes_from_json(attributes: Iterable[Mapping[str, Any]]) -> dict[str, Attribute]:
    """Attributes of a manifest by name."""
    return {own["name"]: Attribute(**own | {"groups": tuple(own["groups"])}) for own in attributes}


METRICS = {
    **{"balanced_accuracy": 1, "auc": 1, "tpr": 1, "fpr": -1, "selection_rate": 0},
    **{"accuracy": 1, "fnr": -1, "ppv": 1, "missed": -1},
}
"""Metrics by name, and which side is better: 1 high, -1 low, 0 neither. What each is, `lib.audit.questions.metrics` says."""
ERRORS = ("tpr", "fpr")
"""The metrics whose gaps the report follows through every correction."""
OUTCOMES = ("balanced_accuracy", *ERRORS)
"""Those, and the price: all that methods are compared on."""
DEMANDS = (
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equal_opportunity_difference",
    "equalized_odds_difference",
)
"""Measures of the table `parity` that compare all groups of an attribute; the others are `worst_<metric>`."""
GROUPINGS = tuple("+".join(chosen) for size in range(1, len(DEFAULTS) + 1) for chosen in combinations(DEFAULTS, size))
"""Attributes alone and crossed, as weightings name them: `sex`, `sex+view`."""
_FAMILIES = (
    "kamiran_calders",
    "group_balanced",
    "group_label_balanced",
    "group_label_balanced_sqrt",
    "effective_number",
    "median_frequency",
)
WEIGHTINGS = (
    "uniform",
    "patient_balanced",
    "inverse_class_frequency",
    "effective_number",
    "median_frequency",
    *(f"{family}_{grouping}" for family in _FAMILIES for grouping in GROUPINGS),
    "csv",
)
"""Weightings by name; what a language calls them stands in its `names.toml`."""
BY_PATIENT = "patient_balanced_x_"
"""Leads the name of a weighting whose weights are multiplied by those of `patient_balanced`."""
PLACEBO = "placebo_"
"""Leads the name of a weighting whose weights are given to the wrong examples."""
POSTPROCESSINGS = (
    *("fixed_0.5", "best_threshold", "minimax_threshold", "group_best_threshold"),
    *("equal_tpr", "equal_fpr", "equal_selection", "equal_opportunity", "equalized_odds", "reject_option"),
    *("calibrated_odds_fnr", "calibrated_odds_fpr", "calibrated_odds_weighted"),
    *("platt", "temperature", "isotonic", "level_up_tpr", "level_up_accuracy"),
)
"""Post-processings by name; what a language calls them stands in its `names.toml`."""
DECIDE_WITHOUT_GROUP = frozenset({"fixed_0.5", "best_threshold", "minimax_threshold"})
"""Post-processings that need no group when deciding, though one of them looks at groups when it is fitted."""
RANDOMISED = frozenset(
    ("equal_opportunity", "equalized_odds", "calibrated_odds_fnr", "calibrated_odds_fpr", "calibrated_odds_weighted")
)
"""Post-processings that toss a coin: two images with the same score and group may be decided differently."""
BASELINE_WEIGHTING = "uniform"
BASELINE_POSTPROCESSING = "fixed_0.5"
Method = tuple[str, str, str]
"""Weighting, post-processing, and the attribute that the post-processing acts on (`none` when it needs no group)."""
BASELINE: Method = (BASELINE_WEIGHTING, BASELINE_POSTPROCESSING, NO_TARGET)
KINDS = ("weighting", "post-processing", "combination")
PATIENT, IMAGE = "patient", "image"
"""Values of the column `unit`: what counts once within a group and label."""
AMPLIFICATION = "all groups"
"""Value of the column `contrast` for the bias amplification over all groups of an attribute."""
AGGREGATE, STANDARDISED = "aggregate", "standardised"
"""Values of the column `stratum` for everyone together, and for the difference with common strata."""

SHOWN = "shown"
"""The simultaneous interval leaves 0 out."""
SUGGESTED = "suggested"
"""Only the single interval leaves 0 out."""
AT_MOST = "at most"
"""Shown to be smaller than the margin of `study.toml`, by two one-sided tests."""
NOT_TOLD = "not told"
"""Neither: the table tells the gap that could have been seen."""
NOT_ESTIMABLE = "not estimable"
PROCEDURE, NETWORKS = "procedure", "networks"
"""Values of the column `estimand`: the mean over the networks that the training procedure would give; or these very
networks, for nothing is known about retraining, so that nothing may be said of a method."""
VERDICTS = (SHOWN, SUGGESTED, AT_MOST, NOT_TOLD, NOT_ESTIMABLE)

BASELINE_GAPS = "baseline gaps"
OF_KIND = {"weighting": "weightings", "post-processing": "post-processings", "combination": "combinations"}
PRIMARY = (BASELINE_GAPS, *OF_KIND.values())
"""The four families of hypotheses that the report's claims rest on; others have names of their own."""

NARROWED, WIDENED, TURNED, OPENED = "narrowed", "widened", "turned", "opened"
"""What a method did to a gap (column `outcome` of the table `effects`), as far as the verdict beside it reaches."""
IMPROVED, WORSENED, RISEN, FALLEN = "improved", "worsened", "risen", "fallen"
"""The same for a rate: the first two where one side is better."""
HARMFUL = (WIDENED, OPENED, TURNED, WORSENED)
"""What no method should do."""
RECOMMENDED = "recommended"
ALTERNATIVE = "alternative"
TOO_DEAR = "too dear"
SET_ASIDE = "set aside"


@cache
def english(table: str) -> dict[str, str]:
    """What the report in English calls the things of a table of its `names.toml`, such as `metrics`."""
    words = Path(__file__).with_name("report") / "words" / "en" / "names.toml"
    return tomllib.loads(words.read_text("utf-8"))[table]


def kind_of(method: Method) -> str:
    """What a method alters: "weighting" (or nothing), "post-processing", or both, a "combination"."""
    if method[1:] == BASELINE[1:]:
        return KINDS[0]
    return KINDS[1] if method[0] == BASELINE_WEIGHTING else KINDS[2]


def by_groups(name: str) -> tuple[str, tuple[str, ...]] | None:
    """Family and attributes of a weighting by groups, such as `kamiran_calders_race+view`; None for any other."""
    family = max((own for own in _FAMILIES if name.startswith(f"{own}_")), key=len, default="")
    attributes = tuple(name[len(family) + 1 :].split("+"))
    known = family and all(own.isidentifier() for own in attributes) and len(set(attributes)) == len(attributes)
    return (family, attributes) if known else None


def is_weighting(name: str) -> bool:
    """Whether `study.toml` may name this weighting: one of `WEIGHTINGS`, another attribute's, or `placebo_` and `patient_balanced_x_` before one.

    There is no placebo of `uniform`; `patient_balanced` is not multiplied by itself or by `uniform`.
    """
    rest = name.removeprefix(PLACEBO)
    plain = rest.removeprefix(BY_PATIENT)
    if plain != rest and plain in (BASELINE_WEIGHTING, "patient_balanced"):
        return False
    return (plain in WEIGHTINGS or by_groups(plain) is not None) and name != f"{PLACEBO}{BASELINE_WEIGHTING}"


def must_know(postprocessing: str, target: str) -> str | None:
    """The attribute that must be known of each image when deciding, or None."""
    return None if target == NO_TARGET or postprocessing in DECIDE_WITHOUT_GROUP else target
