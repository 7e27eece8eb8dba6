"""What does choosing leave of the gap on patients without part in the choice? The whole choice made again, and judged on others.

By patient. Patients are divided at random into five parts, ten times. For each part the method is chosen on the other four: of the
permitted ones that toss no coin and lose at most `largest_loss` the simplest within the margin of the smallest disparity, then the one
of the highest balanced accuracy (as in `recommendation`), the untouched baseline where that is as good; its gaps are then read on the part itself. Figures of a part of the patients are first order, by what each
patient adds to them; verdicts are not judged anew. `estimate`: the mean over all parts of the gap that is left, group - reference
(of balanced_accuracy: of its change); it is larger than what the choice leaves on the patients that made it, for which luck was chosen, too.
`low`, `high`: from resamples of patients in which everything is chosen anew (Efron & Tibshirani 1993, doi 10.1201/9780429246593), and from
how far the networks of the chosen methods differ. `again`: the share of the parts for which the recommended method was chosen,
`kind_again`: a method of its kind (a weighting, a rule, or both).
"""

import numpy as np
import polars as pl
from scipy.stats import t as student

from lib.audit.columns import DESCRIBED, METHOD, F, I, S
from lib.audit.context import Context
from lib.audit.decisions._candidates import candidates
from lib.audit.inference import Figures, patient_weights, summary
from lib.audit.inference.variance import together
from lib.audit.inference.verdicts import ALPHA
from lib.names import KINDS, RANDOMISED, RECOMMENDED, kind_of

name = "chosen_anew"
schema = (
    {"attribute": S, "metric": S, "contrast": S}
    | DESCRIBED
    | {"again": F, "kind_again": F, "methods": I, "patients": I}
)
needs = ("preferences",)
reads = ("recommendation",)
PARTS, DIVISIONS, RESAMPLES = 5, 10, 200
Array = np.ndarray


def compute(context: Context) -> list[pl.DataFrame]:
    methods = [candidate for candidate in candidates(context) if candidate.method[1] not in RANDOMISED]
    if len(candidates(context)) < 2:
        return []
    base = methods[0]
    # of each method the change of balanced accuracy, then the gaps
    sides = [(candidate.accuracy - base.accuracy, candidate.gaps) for candidate in methods]
    values = np.stack([np.concatenate([figures.estimate for figures in pair]) for pair in sides])
    added = np.stack([np.concatenate([_added(figures) for figures in pair], axis=1) for pair in sides], axis=1)
    patients = len(added)
    draw = context.stream(name)
    parts = np.concatenate([parts_of(draw.permutation(patients) % PARTS) for _ in range(DIVISIONS)])
    # no accuracy exceeds 1: whatever is simpler stands before whatever is not
    order = np.array([2.0 * KINDS.index(kind_of(candidate.method)) for candidate in methods])
    limits = {"most": context.preferences["largest_loss"], "margin": context.margin, "order": order}
    left, best = left_by_choices(values, added, parts, np.ones(patients), **limits)
    drawn = [
        left_by_choices(values, added, parts, w, **limits)[0]
        for w in patient_weights(patients, RESAMPLES, context.seed)
    ]
    chosen, times = np.unique(best, return_counts=True)
    summaries = [[summary(figures) for figures in sides[k]] for k in chosen]
    networks = [np.concatenate([part.networks + part.floor for part in pair]) for pair in summaries]
    networks = np.average(networks, axis=0, weights=times)
    fewest = min(
        (arm.degrees for k in chosen for figures in sides[k] for arm in figures.arms if arm.degrees), default=1
    )
    sampling = np.nanvar(drawn, axis=0, ddof=1)
    degrees = together((sampling, RESAMPLES - 1), (networks, fewest))
    off = student.isf(ALPHA / 2, degrees) * np.sqrt(sampling + networks)
    advised = context.table("recommendation").filter(role=RECOMMENDED).select(*METHOD).rows()
    kinds = [kind_of(method) for method in advised]
    index = pl.concat([side.index.select("attribute", "metric", "contrast") for side in (base.accuracy, base.gaps)])
    return [
        index.with_columns(
            estimate=left,
            low=left - off,
            high=left + off,
            again=pl.lit(float(np.mean([methods[k].method in advised for k in best]))),
            kind_again=pl.lit(
                float(np.mean([k > 0 and kind_of(methods[k].method) in kinds for k in best]))
            ),  # 0: the baseline
            methods=pl.lit(len(chosen)),
            patients=pl.lit(patients),
        )
    ]


def _added(figures: Figures) -> Array:
    """What each patient adds to figures, means over networks, both arms together, (P, K)."""
    return np.sum([arm.influence.mean(axis=0, dtype=np.float64) @ figures.matrix for arm in figures.arms], axis=0)


def parts_of(fold: Array) -> Array:
    """Who is in which part, (PARTS, P)."""
    return (fold == np.arange(PARTS)[:, None]) * 1.0


def left_by_choices(
    values: Array, added: Array, parts: Array, weights: Array, *, most: float, margin: float, order: Array
) -> tuple[Array, Array]:
    """What the choices leave, a mean over all parts, (1 + K,), and the method chosen for each part.

    `values` (M, 1 + K), `added` (P, M, 1 + K); figures of some patients are those of all and what these patients add on average.
    """
    patients = len(weights)
    masses = parts * weights
    inside = (masses @ added.reshape(patients, -1)).reshape(len(parts), *values.shape)
    whole, size = np.einsum("p,pmk->mk", weights, added), masses.sum(axis=1)[:, None, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        within = values + patients * inside / size
        outside = values + patients * (whole - inside) / (weights.sum() - size)
    largest = np.abs(outside[:, :, 1:]).max(axis=2)
    largest = np.where(outside[:, :, 0] >= -most, largest, np.inf)
    near = largest <= largest.min(axis=1, keepdims=True) + margin
    best = np.where(near, order - outside[:, :, 0], np.inf).argmin(axis=1)
    return np.nanmean(within[np.arange(len(parts)), best], axis=0), best
