"""What a rule that asks for the group does when the group it is told is wrong for some of the patients."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from lib.audit.frames import METHOD, Method, frame, optional
from lib.audit.resampler import Resampler, holding
from lib.audit.resampling import Array, percentile_interval
from lib.names import BASELINE_WEIGHTING

WRONG = (0.0, 0.05, 0.1, 0.2)
"""Shares of the patients whose group is wrong."""
SCHEMA = (
    METHOD
    | {"wrong": pl.Float64, "attribute": pl.String, "metric": pl.String, "contrast": pl.String}
    | {name: pl.Float64 for name in ("value", "low", "high", "change", "change_low", "change_high")}
)


def mistaken(decisions: Array, as_group: Array, groups: Array) -> Array:
    """Expected decisions (S, n) of images of which all are said to be of another group, each other one alike.

    `decisions` (S, n) with the right groups; `as_group` (G, S, n) were every image said to be of each group; `groups`
    (n,), -1 = unknown: these stay unknown.
    """
    count = len(as_group)
    known = groups >= 0
    own = np.take_along_axis(as_group, np.maximum(groups, 0)[None, None, :], axis=0)[0]
    others = (as_group.sum(axis=0) - own) / max(1, count - 1)
    return np.where(known, others, decisions)


def wrong_groups(
    resampler: Resampler, decisions: Mapping[Method, Array], as_group: Mapping[Method, Array]
) -> pl.DataFrame:
    """Balanced accuracy and gaps of each rule in `as_group` when 0, 5, 10 and 20 % of patients are of a wrong group.

    A share q of the patients, drawn by lot, is said to be of another group with all their images; a patient is as likely
    to be taken for any of the other groups. Rates are linear in decisions, so the expectation over all such draws is
    (1 - q) x the rate with right groups + q x the rate with wrong ones: exact, without drawing. Groups are counted as
    they truly are. `change` is against right groups, paired; retraining noise is taken from the decisions with right
    groups. Intervals cover patients and networks.
    """
    rows = []
    for method, said in as_group.items():
        target = method[2]
        wrong = mistaken(decisions[method], said, resampler.population.groups[target])
        by_seed = [resampler.rates(target, decisions[w, *method[1:]]) for w in resampler.networks]
        values = [resampler.rates(target, d).mean(axis=0) for d in (decisions[method], wrong)]
        patients = [resampler.resampled(target, d) for d in (decisions[method], wrong)]
        right = None
        for share in WRONG:
            mixed = resampler.with_networks(
                BASELINE_WEIGHTING, (1 - share) * patients[0] + share * patients[1], by_seed
            )
            value = resampler.figures(target, (1 - share) * values[0] + share * values[1])
            drawn = resampler.figures(target, mixed)
            right = right or (value, drawn)
            change = value - right[0]
            bounds = holding(value, *percentile_interval(drawn))
            change_bounds = holding(change, *percentile_interval(drawn - right[1]))
            columns = (value, *bounds, change, *change_bounds)
            for c, *numbers in zip(resampler.asked(target), *map(optional, columns), strict=True):
                rows.append((*method, share, c.attribute, c.metric, c.name, *numbers))
    return frame(rows, SCHEMA)
