"""What each weighting does to what the network sees, and what the network takes from the group."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.names import BASELINE_WEIGHTING, BY_PATIENT, ERRORS, Attribute, by_groups
from lib.report.facts.decision import decide
from lib.report.facts.effects import FIGURES, LAST_LAYER, WEIGHTING, Effect, Effects, effects
from lib.report.facts.pictures import HEALTHY, SICK
from lib.report.facts.values import figures, parts, rows, turned
from lib.report.registry import sentences
from lib.results import Results

FEW = 0.5
"""Kish effective share under which a weighting rests on few images."""
BROKEN, KEPT = 0.3, 0.7
"""A tie is broken where less than this share of the unweighted one is left, and kept from the other share on."""
LOOSE = 0.02
"""Shares of sick that lie less apart than this are no tie."""


@dataclass(frozen=True)
class Seen:
    """What the network sees under a weighting: of two groups, their share of what is drawn and, of each, the share that is sick.

    `effective` is Kish's effective share of the images; `same_as` an earlier weighting that weighs every group and label alike.
    """

    weighting: str
    effective: float | None
    often: dict[str, float]
    sick: dict[str, float]
    same_as: str | None
    effect: Effect | None

    @property
    def tie(self) -> float:
        """How much more often the first group is sick than the second, in what is seen."""
        one, two = self.sick.values()
        return one - two

    @property
    def narrows(self) -> bool:
        return self.effect is not None and self.effect.support is not None

    @property
    def few(self) -> bool:
        return self.effective is not None and self.effective < FEW


@dataclass(frozen=True)
class Weights:
    """All weightings beside `start`, the unweighted training. `groups` are the two sides of the page's gaps."""

    attribute: Attribute
    groups: tuple[str, str]
    start: Seen
    others: tuple[Seen, ...]
    networks: int
    act_by: str | None
    single: bool

    @property
    def tied(self) -> bool:
        """Whether the label goes with the group in the training images at all."""
        return abs(self.start.tie) >= LOOSE

    @property
    def breaking(self) -> tuple[Seen, ...]:
        return tuple(seen for seen in self.others if abs(seen.tie) <= BROKEN * abs(self.start.tie))

    @property
    def keeping(self) -> tuple[Seen, ...]:
        return tuple(seen for seen in self.others if abs(seen.tie) >= KEPT * abs(self.start.tie))

    @property
    def counting(self) -> tuple[Seen, ...]:
        """Those that keep the tie though they change how often each group is seen."""
        first = self.groups[0]
        return tuple(seen for seen in self.keeping if abs(seen.often[first] - self.start.often[first]) > 0.05)


def weights(results: Results) -> Weights | None:
    """From the mean weight and the number of training images of every group and label."""
    d, full = decide(results), effects(results, WEIGHTING)
    contrasts = d.attribute.contrasts
    groups = (contrasts[full.contrast if full else next(iter(contrasts))], d.attribute.reference)
    effect = {one.method[0]: one for one in full.methods} if full else {}
    shares = {
        name: [run["effective_share"] for run in runs if run["effective_share"] is not None]
        for name, runs in parts(rows(results, "runs"), "weighting").items()
    }
    cells = {
        name: {
            (c["attribute"], c["group"], c["label"]): (c["images"], c["weight"])
            for c in lines
            if c["weight"] is not None
        }
        for name, lines in sorted(parts(rows(results, "weights"), "weighting").items())
    }
    told: dict[str, Seen] = {}
    for name, weights_of in cells.items():
        if seen := _seen(weights_of, d.attribute.name, groups):
            same = next((other for other in told if _alike(cells[other], weights_of)), None)
            share = sum(shares[name]) / len(shares[name]) if shares.get(name) else None
            told[name] = Seen(name, share, *seen, same, effect.get(name))
    if BASELINE_WEIGHTING not in told:
        return None
    return Weights(
        attribute=d.attribute,
        groups=groups,
        start=told.pop(BASELINE_WEIGHTING),
        others=tuple(told.values()),
        networks=d.networks,
        act_by=results.manifest["settings"]["training"].get("weights_act_by"),
        single=bool(full and full.single),
    )


Cell = tuple[str, str, int]
"""Attribute, group and label."""


def _alike(one: Mapping[Cell, tuple[int, float]], two: Mapping[Cell, tuple[int, float]]) -> bool:
    return one.keys() == two.keys() and all(abs(one[key][1] - two[key][1]) < 0.005 for key in one)


def _seen(
    cells: Mapping[Cell, tuple[int, float]], attribute: str, groups: tuple[str, str]
) -> tuple[dict[str, float], dict[str, float]] | None:
    """Of each group its share of what is seen, and the share of it that is sick."""
    total = {key[1:]: images * weight for key, (images, weight) in cells.items() if key[0] == attribute}
    sick = {group: total.get((group, SICK), 0.0) for group in groups}
    both = {group: sick[group] + total.get((group, HEALTHY), 0.0) for group in groups}
    if not all(both.values()):
        return None
    return {g: both[g] / sum(total.values()) for g in groups}, {g: sick[g] / both[g] for g in groups}


def gap_parts(results: Results) -> list[dict[str, Any]]:
    """Every gap that is estimable, turned so that the `whole` is not below 0, and what of it lies in where the `cut` falls and in the
    `ranking`, how well groups are ranked."""
    by = figures(rows(results, "gap_parts"), "attribute", "contrast", "metric", "part")
    told = []
    for attribute in results.attributes.values():
        for contrast in attribute.contrasts:
            for metric in ERRORS:
                place = (attribute.name, contrast, metric)
                whole = by.get((*place, "whole"))
                names = {"whole": "whole", "cut": "operating point", "ranking": "discrimination"}
                if whole is not None:
                    three = {name: turned(by.get((*place, part)), whole.value) for name, part in names.items()}
                    told.append({"attribute": attribute, "contrast": contrast, "metric": metric} | three)
    return told


def _last(results: Results, full: Effects | None) -> dict[str, float | None] | None:
    """The largest change of a gap in the weightings trained both ways: of the last layer `alone`, and of the `whole` network."""
    head = effects(results, LAST_LAYER)
    if head is None or full is None:
        return None
    both = {effect.method for effect in head.methods} & {effect.method for effect in full.methods}
    largest = []
    for kind in (head, full):
        outcomes = [effect.outcomes.get(m) for effect in kind.methods if effect.method in both for m in ERRORS]
        changes = [abs(outcome.change.value) for outcome in outcomes if outcome and outcome.change]
        largest.append(max(changes, default=None))
    if None in largest:
        return None
    floors = [head.floor[metric] for metric in ERRORS if head.floor[metric] is not None]
    return {"alone": largest[0], "whole": largest[1], "floor": max(floors, default=None)}


def mean_scores(results: Results, weighting: str, attribute: str, groups: tuple[str, str]) -> dict[int, float] | None:
    """By label, how much higher the first group's scores lie than the second's, on average (from the histograms)."""
    means = {}
    histograms = rows(results, "histograms", weighting=weighting, attribute=attribute, seed=None)
    for place, bars in parts(histograms, "group", "label").items():
        middle = sum((bar["start"] + bar["end"]) / 2 * bar["share"] for bar in bars)
        means[place] = middle / sum(bar["share"] for bar in bars)
    if not all((group, label) in means for group in groups for label in (SICK, HEALTHY)):
        return None
    return {label: means[groups[0], label] - means[groups[1], label] for label in (SICK, HEALTHY)}


def gather(results: Results) -> dict[str, Any] | None:
    """The facts of the table `weightings`."""
    w = weights(results)
    return None if w is None or not w.others else {"w": w}


def why(results: Results) -> dict[str, Any] | None:
    """The facts of the table `why_gaps`."""
    told = gap_parts(results)
    return {"parts": told} if told else None


@sentences("families")
def families(results: Results) -> dict[str, Any]:
    """The families of weightings that were tried, beside none."""
    names = [name for name in parts(rows(results, "weights"), "weighting") if name != BASELINE_WEIGHTING]
    split = {name: by_groups(name.removeprefix(BY_PATIENT)) for name in names}
    tried = {of[0] if of else name for name, of in split.items()}
    return {
        "tried": tried | ({"patient_balanced"} if any(name.startswith("patient_balanced") for name in names) else set())
    }


@sentences("weightings")
def told(results: Results) -> dict[str, Any]:
    """The facts of the sentences on weightings."""
    d, w, full = decide(results), weights(results), effects(results, WEIGHTING)
    best = full.best if full else None
    compared = dict.fromkeys((BASELINE_WEIGHTING, best.method[0])) if w and best else ()
    apart = [mean_scores(results, name, d.attribute.name, w.groups) for name in compared]
    # how well a straight rule on what the network computes tells an attribute, or the label
    aucs = figures(rows(results, "probes", weighting=BASELINE_WEIGHTING, group="all"), "attribute")
    probes = {
        name: {
            "attribute": results.attributes.get(name, name),
            "auc": auc,
            "reads": auc.low is not None and auc.low > 0.5,
        }
        for name, auc in aucs.items()
    }
    place = (d.attribute, full.contrast if full else None)
    return {
        "d": d,
        "w": w,
        "best": best,
        "apart": apart if apart and all(apart) else None,
        "parts": [part for part in gap_parts(results) if (part["attribute"], part["contrast"]) == place],
        "label": probes.pop("label", None),
        "probes": list(probes.values()),
        "last": _last(results, full),
        "floor": {metric: full.floor[metric] for metric in FIGURES} if full else {},
    }
