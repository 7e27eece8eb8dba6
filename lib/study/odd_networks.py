"""Networks that failed or are odd beside the others of their study, and what is told without those that failed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from lib.audit.columns import B, F, I, S
from lib.audit.inference import Population
from lib.audit.judged import outcomes
from lib.names import IMAGE, PATIENT

LEAST = 3
"""Networks without which nothing is the usual."""
SCALED = 1.4826
"""Times the median absolute deviation: the standard deviation of normal values (Leys et al. 2013, doi
10.1016/j.jesp.2013.03.013)."""
FAR, FAR_AUC = 3.5, 0.03
"""Scaled median absolute deviations, and AUC, that a network must lie under the others to be called failed."""
FEW = 0.1
"""Share of the networks that may be kept at their first epoch for that to be odd."""
TIMES_AS_LONG = 3.0

TUNE_AUC, FIRST_EPOCH, PRECISION, DEVICE, SECONDS = "tune_auc", "first_epoch", "precision", "device", "seconds"
FAILED = frozenset({TUNE_AUC, FIRST_EPOCH})
"""Reasons for which figures are told without the network, too."""

SCHEMA: dict[str, Any] = {"weighting": S, "seed": I, "reason": S, "found": S, "usual": S, "failed": B}
_FACTS: dict[str, Any] = {"weighting": S, "seed": I, "epochs": I, "kept_epoch": I, SECONDS: F, TUNE_AUC: F}
_FACTS |= {PRECISION: S, DEVICE: S}
_TOLD: dict[str, Any] = {"value": F, "seed_sd": F, "networks": I}
WITHOUT: dict[str, Any] = dict.fromkeys(("weighting", "by", "attribute", "metric", "contrast"), S) | _TOLD
WITHOUT |= {f"{name}_without": kind for name, kind in _TOLD.items()}


def odd_networks(facts: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """The networks that are odd, a row for each reason; columns as `SCHEMA`, no row when all is as usual.

    `facts` of each network: `weighting`, `seed`, `epochs`, `kept_epoch` (from 1), `seconds`, `tune_auc`,
    `precision`, `device`. Reasons:

    - `tune_auc`: its AUC on tuning patients lies more than `FAR` scaled median absolute deviations of all networks of
      the study, and more than `FAR_AUC`, under what is usual for its weighting and its seed (`_polished`).
    - `first_epoch`: it was kept at the first of several epochs, as at most one in ten networks was (or one alone).
    - `precision`, `device`: not those of most networks of the study.
    - `seconds`: under a third or over three times the median of the networks of its device and precision.

    With fewer than three networks nothing is usual, and nothing is odd but a mixture of precisions or devices.
    """
    runs = pl.DataFrame([{name: own[name] for name in _FACTS} for own in facts], schema=_FACTS)
    enough = runs.height >= LEAST
    first = (pl.col("kept_epoch") == 1) & (pl.col("epochs") > 1)
    rest = _polished(runs)
    limit = max(FAR_AUC, FAR * SCALED * float(rest.abs().median() or 0))
    common = {name: runs[name].mode().sort().first() for name in (PRECISION, DEVICE)}
    alike = pl.len().over(PRECISION, DEVICE) >= LEAST
    times = pl.col(SECONDS) / pl.col(SECONDS).median().over(PRECISION, DEVICE)
    usual_auc = runs[TUNE_AUC] - rest
    parts = [
        (TUNE_AUC, pl.lit(enough) & pl.lit(rest < -limit), _digits(pl.col(TUNE_AUC), 3), _digits(pl.lit(usual_auc), 3)),
        (
            FIRST_EPOCH,
            pl.lit(enough) & first & (first.sum() <= pl.max_horizontal(pl.lit(1), FEW * pl.len())),
            pl.format("{} of {}", "kept_epoch", "epochs"),
            _digits(pl.col("kept_epoch").median(), 0),
        ),
        *((n, pl.col(n) != pl.lit(value), pl.col(n), pl.lit(value)) for n, value in common.items()),
        (
            SECONDS,
            alike & ~times.is_between(1 / TIMES_AS_LONG, TIMES_AS_LONG),
            _digits(pl.col(SECONDS), 0),
            _digits(pl.col(SECONDS).median().over(PRECISION, DEVICE), 0),
        ),
    ]
    found = [
        runs.with_columns(reason=pl.lit(reason), found=found, usual=usual, failed=pl.lit(reason in FAILED), odd=odd)
        .filter("odd")
        .select(*SCHEMA)
        for reason, odd, found, usual in parts
    ]
    order = {name: place for place, name in enumerate(runs["weighting"].unique(maintain_order=True))}
    place = pl.col("weighting").replace_strict(order, default=None, return_dtype=pl.Int64)
    return pl.concat(found).cast(SCHEMA).sort(place, "seed", maintain_order=True)


def without_failed(
    people: Population, scores: Mapping[str, np.ndarray], failed: Mapping[str, Sequence[int]]
) -> pl.DataFrame:
    """Headline figures of each weighting that has failed networks, with and without them; columns as `WITHOUT`.

    `scores[weighting]` (S, n) of the images of `people`, `failed[weighting]` the positions, from 0, of its failed networks.
    Balanced accuracy of everyone, and gaps in TPR and FPR, decisions at 0.5, means over networks and their standard
    deviation between networks; `by` patient (each counts once within group and label) and by image. Null where a group has
    none of a label, or no network is left.
    """
    parts = [pl.DataFrame(schema=WITHOUT)]
    for weighting, which in failed.items():
        called = (scores[weighting] >= 0.5).astype(float)
        for unit in (PATIENT, IMAGE):
            figures = outcomes(people, called, unit=unit, smallest_cell=1)
            told = _told(figures.by_network) | {
                f"{name}_without": column
                for name, column in _told(np.delete(figures.by_network, list(which), axis=0)).items()
            }
            part = figures.index.with_columns(weighting=pl.lit(weighting), by=pl.lit(unit), **told)
            parts.append(part.select(*WITHOUT))
    return pl.concat(parts)


def _told(by_network: np.ndarray) -> dict[str, pl.Series | pl.Expr]:
    """Mean and standard deviation of figures (S, K) over S networks, null where there are too few, and S."""
    many, none = len(by_network), np.full(by_network.shape[1], np.nan)
    return {
        "value": pl.Series(by_network.mean(axis=0) if many else none, nan_to_null=True),
        "seed_sd": pl.Series(by_network.std(axis=0, ddof=1) if many > 1 else none, nan_to_null=True),
        "networks": pl.lit(many, pl.Int64),
    }


def _polished(runs: pl.DataFrame) -> pl.Series:
    """AUC on tuning patients less what is usual for the weighting and for the seed (which draws the tuning patients).

    Tukey's median polish (1977, Exploratory Data Analysis, ch. 11): medians are taken off by seed and by weighting in
    turn, of those that have at least `LEAST` networks.
    """
    rest = runs.select("weighting", "seed", rest=pl.col(TUNE_AUC) - pl.col(TUNE_AUC).median())
    for column in ("seed", "weighting") * 5:
        usual = pl.when(pl.len().over(column) >= LEAST).then(pl.col("rest").median().over(column)).otherwise(0.0)
        rest = rest.with_columns(pl.col("rest") - usual)
    return rest["rest"]


def _digits(value: pl.Expr, digits: int) -> pl.Expr:
    rounded = value.round(digits)
    return (rounded if digits else rounded.cast(pl.Int64)).cast(pl.String)
