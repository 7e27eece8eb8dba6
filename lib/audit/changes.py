"""Did a method change anything? Rates and gaps against the untouched baseline, on the same resamples of patients."""

import logging
from collections.abc import Mapping

import polars as pl

from lib.audit.components import replicates
from lib.audit.contrasts import Contrast, read
from lib.audit.estimates import Estimates
from lib.audit.frames import METHOD, Method, frame, optional
from lib.audit.multiplicity import ALPHA, holm_by_family, verdict
from lib.audit.resampling import interval_within
from lib.audit.tails import LEAST, tail_p
from lib.names import BASELINE_POSTPROCESSING, BASELINE_WEIGHTING, METRICS, NO_TARGET, OVERALL

SCHEMA = METHOD | {
    **{name: pl.String for name in ("attribute", "metric", "contrast")},
    **{name: pl.Float64 for name in ("change", "low", "high", "p", "p_holm")},
    "verdict": pl.String,
    "estimable": pl.Boolean,
}


def change_rows(method: Method, estimates: Estimates, baseline: Estimates, chosen: list[Contrast]) -> list[tuple]:
    """Rows of the table of changes for one method, before the adjustment for having many methods.

    change = figure under the method - figure under the baseline, for each level and each spread of `chosen` (pairwise
    differences are passed over). Both come from the same resamples of patients and, where they share a weighting,
    from the same networks: a post-processing that decides as the baseline does changes exactly 0.
    """
    chosen = [contrast for contrast in chosen if contrast.kind != "difference"]
    change = read(chosen, estimates.values) - read(chosen, baseline.values)
    drawn = replicates(chosen, estimates, baseline)
    figures = (change, *interval_within(drawn), tail_p(drawn))
    columns = zip(chosen, *(optional(figure) for figure in figures), strict=True)
    return [(*method, c.attribute, c.metric, c.name, *numbers, c.kind, c.estimable) for c, *numbers in columns]


def changes(rows: list[tuple]) -> pl.DataFrame:
    """The table of changes from the rows of every method: Holm over methods, and a verdict for each.

    Families follow the questions, for each (attribute, metric, contrast): the weightings at the baseline's decisions, the
    post-processings at the baseline's weighting, and, for combinations of the two, the whole grid; post-processings that
    act on another attribute than the one asked about are families of their own. `verdict`: improves or worsens by the metric's better
    side, and by a smaller spread; rises or falls where neither side is better; cannot be told from noise; not estimable.
    With fewer than 1,000 replicates p is never below 2 / (B + 1), so families beyond about B / 40 methods need more to
    decide; from there on, `tail_p` reads how far out a change lies.
    """
    p = [row[9] for row in rows]
    over_grid = holm_by_family([(aimed(row[2], row[3]), *row[3:6]) for row in rows], p)
    over_kind = holm_by_family([(kind(row[:3]), aimed(row[2], row[3]), *row[3:6]) for row in rows], p)
    adjusted = [
        grid if kind(row[:3]) == "combination" else own
        for row, grid, own in zip(rows, over_grid, over_kind, strict=True)
    ]
    done = [
        (*row[:10], p_holm, verdict(row[7], row[8], p_holm, **_words(row[4], row[10])), row[11])
        for row, p_holm in zip(rows, adjusted, strict=True)
    ]
    return frame(done, SCHEMA)


def kind(method: Method) -> str:
    """What a method alters: "weighting" (or nothing), "post-processing", or both, a "combination"."""
    weighting, *decision = method
    if decision == [BASELINE_POSTPROCESSING, NO_TARGET]:
        return "weighting"
    return "post-processing" if weighting == BASELINE_WEIGHTING else "combination"


def aimed(target: str, attribute: str) -> bool:
    """Whether a post-processing acts on the attribute asked about, or on none in particular."""
    return target in (NO_TARGET, attribute) or attribute == OVERALL


def warn_if_undecidable(methods: int, drawn: int) -> None:
    """Log that no change can ever be told from noise: the smallest p, times the number of methods, is not below .05."""
    if drawn < LEAST and 2 / (drawn + 1) * methods >= ALPHA:
        logging.getLogger(__name__).warning(
            "%d replicates are too few to decide among %d methods; at least %d are needed.",
            drawn,
            methods,
            min(LEAST, int(2 * methods / ALPHA)),
        )


def _words(metric: str, kind: str) -> Mapping[str, str]:
    better = -1 if kind == "spread" else METRICS[metric].better
    return {
        1: {"up": "improves", "down": "worsens"},
        -1: {"up": "worsens", "down": "improves"},
        0: {"up": "rises", "down": "falls"},
    }[better]
