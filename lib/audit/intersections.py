"""Groups of two attributes at once: their rates, their sizes, and how far each is from everyone."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from lib.audit.estimates import Estimates
from lib.audit.frames import METHOD, Method, frame, optional
from lib.audit.multiplicity import holm_by_family, verdict
from lib.audit.population import Population
from lib.audit.rates import estimable, metric_base
from lib.audit.resampling import never_certain, percentile_interval, two_sided_p
from lib.names import OVERALL

SHOWN = ("balanced_accuracy", "tpr", "fpr", "missed")
COMPARED = ("tpr", "fpr")
"""Metrics in which a group is compared with everyone, and tested."""
SCHEMA = METHOD | {
    **{name: pl.String for name in ("attribute", "group", "metric")},
    **{
        name: pl.Float64
        for name in ("value", "low", "high", "difference", "difference_low", "difference_high", "p", "p_holm")
    },
    "verdict": pl.String,
    "images": pl.Int64,
    "patients": pl.Int64,
    "estimable": pl.Boolean,
}


def intersection_rows(method: Method, crossed: Population, found: Estimates, smallest_cell: int) -> Iterator[tuple]:
    """Rows of one method, before Holm: each crossing's metrics with intervals, and its difference from everyone.

    `crossed` is `Population.crossed()`, whose first cell is everyone. difference = the group's rate - everyone's, the
    group among them, on the same resamples; two-sided bootstrap p. `images` and `patients` count those a metric is about.
    """
    columns = [found.metrics.index(metric) for metric in SHOWN]
    about = [base[0] if len(base := metric_base(metric)) == 1 else 2 for metric in SHOWN]
    images, patients = (sizes[:, about] for sizes in crossed.sizes)
    enough = estimable(crossed, SHOWN, smallest_cell)
    values, replicates = found.values[:, columns], found.replicates[..., columns]
    low, high = never_certain(values, *percentile_interval(replicates), patients)
    compared = np.flatnonzero(np.isin(SHOWN, COMPARED))
    apart = (replicates - replicates[:, :1])[..., compared]
    differences = np.full((4, *values.shape), np.nan)
    differences[..., compared] = (values - values[0])[:, compared], *percentile_interval(apart), two_sided_p(apart)
    figures = np.where(enough, [values, low, high, *differences], np.nan)
    for g, cell in enumerate(crossed.cells):
        if cell.attribute != OVERALL:
            for m, metric in enumerate(SHOWN):
                sizes = int(images[g, m]), int(patients[g, m])
                yield (
                    *method,
                    cell.attribute,
                    cell.group,
                    metric,
                    *optional(figures[:, g, m]),
                    *sizes,
                    bool(enough[g, m]),
                )


def intersections(rows: list[tuple]) -> pl.DataFrame:
    """The table of all methods, with Holm over the crossings and the two error rates of a method, and verdicts.

    `verdict`: higher or lower than everyone, cannot be told from noise, not estimable; null for metrics not compared.
    """
    p_holm = holm_by_family([row[:3] for row in rows], [row[12] for row in rows])
    done = []
    for row, adjusted in zip(rows, p_holm, strict=True):
        word = verdict(row[10], row[11], adjusted, up="higher", down="lower") if row[5] in COMPARED else None
        done.append((*row[:13], adjusted, word, *row[13:]))
    return frame(done, SCHEMA)
