"""ROC curves by group with the point where the cut-off 0.5 puts each: untouched, and under the board's weighting."""

from dataclasses import dataclass
from typing import Any

from lib.names import BASELINE_WEIGHTING
from lib.report.facts.decision import Decision, decide
from lib.report.facts.pictures import scores
from lib.report.facts.weightings import gap_parts
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
    told = []
    for option in (option for option in d.options if option.kind in ("nothing", "weighting")):
        weighting = option.weighting or BASELINE_WEIGHTING
        drawn = {group.group: group.curve() for group in scores(results, d.attribute, weighting)}
        known = [share for share in option.shares if share.group in drawn and None not in (share.missed, share.alarmed)]
        points = {share.group: (share.alarmed, 1 - share.missed) for share in known}
        told += [Curves(weighting, drawn, points)] if drawn else []
    return tuple(told)


def gather(results: Results) -> dict[str, Any] | None:
    """The facts of the figure `roc`: `d`, `shown`, and whether what is `cut` differently is told to be what parts the groups."""
    d = decide(results)
    shown = curves(results, d)
    if not shown or not shown[0].untouched:
        return None
    ours = [
        gap
        for gap in gap_parts(results)
        if d.main and (gap["attribute"], gap["contrast"]) == (d.attribute, d.main.contrast)
    ]
    return {"d": d, "shown": shown, "cut": any(gap["cut"] is not None and gap["cut"].seen for gap in ours)}
