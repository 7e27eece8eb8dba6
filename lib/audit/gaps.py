"""Do groups differ? Differences `group - reference` and the spread over groups, for one method."""

from collections.abc import Mapping

import polars as pl

from lib.audit.components import replicates
from lib.audit.contrasts import Contrast, read
from lib.audit.estimates import Estimates
from lib.audit.frames import METHOD, Method, frame, optional
from lib.audit.multiplicity import holm_by_family, verdict
from lib.audit.permutation import Question
from lib.audit.resampling import interval_within, two_sided_p
from lib.names import NOT_ESTIMABLE

SCHEMA = METHOD | {
    **{name: pl.String for name in ("attribute", "metric", "contrast")},
    **{name: pl.Float64 for name in ("value", "low", "high", "p", "p_holm")},
    "verdict": pl.String,
    "estimable": pl.Boolean,
}


def gaps(
    method: Method, estimates: Estimates, chosen: list[Contrast], permuted: Mapping[Question, float]
) -> pl.DataFrame:
    """The gaps of one method, a row for each difference and spread of `chosen` (levels are passed over).

    value = rate of the group - rate of the reference, rates averaged over networks first: 0 means that both groups fare
    alike, above 0 that the group has more. Two-sided p from `permuted` (`lib.audit.permutation`) or, for the AUC, which is
    not permuted, from the bootstrap; Holm over all differences of the method (attributes x metrics). `verdict`: higher,
    lower, cannot be told from noise, or not estimable.

    `max - min` has no p, no p_holm and a null verdict: it cannot be below 0, so its interval cannot show that it is 0.
    """
    chosen = [contrast for contrast in chosen if contrast.kind != "level"]
    values = read(chosen, estimates.values)
    drawn = replicates(chosen, estimates)
    low, high = (optional(bound) for bound in interval_within(drawn))
    p = [permuted.get((c.attribute, c.metric, c.name)) for c in chosen]
    for k, c in enumerate(chosen):
        if c.kind != "difference" or not c.estimable:
            p[k] = None
        elif p[k] is None:
            p[k] = optional([two_sided_p(drawn[:, k])])[0]
    p_holm = holm_by_family([method] * len(p), p)
    rows = [
        (*method, c.attribute, c.metric, c.name, value, low[k], high[k], p[k], p_holm[k])
        + (_word(c, low[k], high[k], p_holm[k]), c.estimable)
        for k, (c, value) in enumerate(zip(chosen, optional(values), strict=True))
    ]
    return frame(rows, SCHEMA)


def _word(contrast: Contrast, low: float | None, high: float | None, p_holm: float | None) -> str | None:
    if contrast.kind == "spread":
        return None if contrast.estimable else NOT_ESTIMABLE
    return verdict(low, high, p_holm, up="higher", down="lower")
