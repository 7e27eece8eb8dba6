"""How much better a rule looks on the patients that chose it, with an interval."""

from collections.abc import Mapping

import polars as pl

from lib.audit.frames import METHOD, Method, frame, optional
from lib.audit.resampler import Resampler, holding
from lib.audit.resampling import Array, percentile_interval
from lib.names import BASELINE_POSTPROCESSING, BASELINE_WEIGHTING, NO_TARGET, OVERALL

SCHEMA = (
    METHOD
    | {"attribute": pl.String, "metric": pl.String, "contrast": pl.String}
    | {name: pl.Float64 for name in ("naive", "cross_fitted", "optimism", "low", "high")}
)


def flattery(resampler: Resampler, cross_fitted: Mapping[Method, Array], naive: Mapping[Method, Array]) -> pl.DataFrame:
    """The optimism of every fitted rule on the baseline's weighting: how much the naive figure promises too much.

    naive - cross-fitted for balanced accuracy, cross-fitted - naive for gaps (of the target attribute; for rules without
    one, balanced accuracy alone): above 0, the naive figure looks better. Paired 95 % intervals over patients and networks,
    each network with folds of its own.
    """
    rows = []
    for method in (m for m in naive if m[0] == BASELINE_WEIGHTING and m[1] != BASELINE_POSTPROCESSING):
        attribute = next(iter(resampler.population.groups)) if method[2] == NO_TARGET else method[2]
        sides = []
        for decisions in (naive, cross_fitted):
            by_seed = [resampler.rates(attribute, decisions[w, *method[1:]]) for w in resampler.networks]
            resampled = resampler.resampled(attribute, decisions[method])
            drawn = resampler.with_networks(BASELINE_WEIGHTING, resampled, by_seed)
            value = resampler.rates(attribute, decisions[method]).mean(axis=0)
            sides.append((resampler.figures(attribute, value), resampler.figures(attribute, drawn)))
        (promised, promised_drawn), (kept, kept_drawn) = sides
        sign = [1 if c.attribute == OVERALL else -1 for c in resampler.asked(attribute)]
        optimism = (promised - kept) * sign
        bounds = holding(optimism, *percentile_interval((promised_drawn - kept_drawn) * sign))
        columns = (promised, kept, optimism, *bounds)
        for c, *numbers in zip(resampler.asked(attribute), *map(optional, columns), strict=True):
            if c.attribute == OVERALL or method[2] != NO_TARGET:
                rows.append((*method, c.attribute, c.metric, c.name, *numbers))
    return frame(rows, SCHEMA)
