"""What would the one rule that is deployed do to new patients? Gaps and balanced accuracy, fitted once on everyone. By patient.

A rule r, fitted on this cohort for the first network, has on new patients the gap G(r; population). `in_place` is G(r; cohort),
which flatters. In each of B resamples of patients the rule is fitted anew, r*, and judged on its resample and on the cohort:
  estimate = in_place + mean of G(r*; cohort) - G(r*; resample)
  low, high: from the spread of G(r*; cohort) - G(r*; resample), the error of `in_place`; sd: the standard deviation of it
The bootstrap of the error of a fitted rule: Efron 1983, doi 10.1080/01621459.1983.10477973. It is wider than the interval of the
mean over folds and networks, whose errors cancel: `sd_of_rule`, the standard deviation of G(r*; cohort), is how far rules
fitted on cohorts of this size lie from each other on the same people. `metric`: tpr and fpr, differences group - reference of the target
attribute (of every attribute for a rule without one); balanced_accuracy of everyone. Says nothing of retraining: it is about one network.
"""

import warnings

import numpy as np
import polars as pl

from lib.audit.columns import DESCRIBED, METHOD, B, F, I, S, method_columns
from lib.audit.context import Context
from lib.audit.inference import from_replicates
from lib.audit.judged import combinations
from lib.audit.questions._curves import Array, Called
from lib.names import BASELINE_WEIGHTING, NO_TARGET, OUTCOMES, OVERALL

name = "deployed"
schema = (
    METHOD
    | {"attribute": S, "metric": S, "contrast": S, "in_place": F}
    | DESCRIBED
    | {"sd": F, "sd_of_rule": F, "patients": I, "estimable": B}
)
needs = ("deployed",)


def compute(context: Context) -> list[pl.DataFrame]:
    levels = context.levels().where(pl.col("metric").is_in(OUTCOMES)).index
    index, matrix = combinations(levels, context.population)
    rates, cells = Called(context.population), len(context.population.cells)
    # the same of TPR and FPR: balanced accuracy is 1/2 and half their difference
    of_rates = (
        np.kron(np.eye(cells), [[0.5, 1, 0], [-0.5, 0, 1]]).reshape(cells, 2, -1).swapaxes(0, 1).reshape(2 * cells, -1)
    )

    def told(method: tuple[str, str, str], own) -> pl.DataFrame:
        about = pl.col("attribute").is_in([OVERALL, method[2]]) | (method[2] == NO_TARGET)
        chosen = index.select(about).to_series().to_numpy()
        asked, combined = index.filter(chosen), of_rates @ matrix[:, chosen]

        def read(decisions: Array, parts: Array) -> Array:
            found = decisions @ parts
            figures = np.nan_to_num(found) @ combined + 0.5 * (asked["attribute"] == OVERALL).to_numpy()
            return np.where(np.isnan(found) @ (combined != 0), np.nan, figures)

        once = rates.parts(np.ones(context.population.n_patients))
        in_place = read(own.decisions(), once)
        again = list(zip(own.redecided(), own.times, strict=True))
        kept = np.stack([read(row, once) for row, _ in again])
        off = kept - np.stack([read(row, rates.parts(times)) for row, times in again])  # (B, K)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of no known resample, the mean is not known
            bias, spread, of_rule = (
                np.nanmean(off, axis=0),
                np.nanstd(off, axis=0, ddof=1),
                np.nanstd(kept, axis=0, ddof=1),
            )
        named = asked.with_columns(in_place=in_place, sd=spread, sd_of_rule=of_rule, **method_columns(method))
        figures = from_replicates(named, BASELINE_WEIGHTING, (in_place + bias)[None], off[:, None])
        return context.describe(figures).table()

    return [told(method, own) for method, own in context.deployed.items()]
