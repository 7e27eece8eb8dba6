"""ROC curves by group with the point where the cut-off 0.5 puts each: untouched, and under the board's weighting."""

from dataclasses import dataclass
from typing import Any

from lib.names import BASELINE_WEIGHTING
from lib.report.facts.decision import Decision, decide
from lib.report.facts.options import Option
from lib.report.facts.pictures import Scores, scores
from lib.report.facts.weightings import parts
from lib.results import Results


@dataclass(frozen=True)
class Curves:
    """Under a weighting: of each group the curve, (FPR, TPR) from the lowest cut-off on, and its point at 0.5, None where it is unknown."""

    weighting: str
    curves: dict[str, list[tuple[float, float]]]
    points: dict[str, tuple[float, float]]

    @property
    def untouched(self) -> bool:
        return self.weighting == BASELINE_WEIGHTING

    @property
    def spread(self) -> float | None:
        """How far the points of the groups lie apart, at most, in either rate."""
        told = [max(rate) - min(rate) for rate in zip(*self.points.values(), strict=True)]
        return max(told) if len(self.points) > 1 else None


def curves(results: Results, d: Decision) -> tuple[Curves, ...]:
    """Untouched, then under the best weighting where its scores are published."""
    by = {own.kind: own for own in d.options}
    found = []
    for kind in ("nothing", "weighting"):
        if kind in by:
            told = scores(results, d.attribute, by[kind].weighting or BASELINE_WEIGHTING)
            found += [_curves(by[kind], told)] if told else []
    return tuple(found)


def _curves(option: Option, told: tuple[Scores, ...]) -> Curves:
    groups = [own.group for own in told]
    points = {
        own.group: (own.alarmed, 1 - own.missed)
        for own in option.shares
        if own.group in groups and None not in (own.missed, own.alarmed)
    }
    return Curves(
        option.weighting or BASELINE_WEIGHTING,
        {own.group: [(fpr, tpr) for _, fpr, tpr in own.curve()] for own in told},
        points,
    )


def gather(results: Results) -> dict[str, Any] | None:
    """The facts of the figure `roc`: `d`, `shown`, and whether what is `cut` differently is told to be what parts the groups."""
    d = decide(results)
    shown = curves(results, d)
    if not shown or not shown[0].untouched:
        return None
    ours = [own for own in parts(results) if d.main and (own.attribute, own.contrast) == (d.attribute, d.main.contrast)]
    return {"d": d, "shown": shown, "cut": any(own.cut is not None and own.cut.seen for own in ours)}
