"""Which methods can be ruled out? Balanced accuracy and disparity of every method that acts on the attribute or on none, by patient.

`disparity` = the largest |gap| in TPR or FPR between groups, `largest` says which, with the interval of that gap without its
sign. A method is off the front when another is better at both beyond noise: higher balanced accuracy, and every gap of it
smaller than the method's largest (`lib.audit.decisions._disparity`). Two ways lead there, and both are told by the same verdicts as everywhere:
the untouched baseline is better, where `effects` shows that the method loses balanced accuracy and widens or opens a gap
and none is shown to narrow; or a rival is, at the larger of the p-values of all statements, times the number of
rivals (Bonferroni). A point that merely looks worse stays: the front holds what cannot be ruled out.
"""

import numpy as np
import polars as pl

from lib.audit.columns import INTERVAL, METHOD, B, F, S
from lib.audit.context import Context
from lib.audit.decisions._disparity import Disparity, one_sided
from lib.audit.inference import Figures, summary
from lib.audit.judged import judged
from lib.names import (
    BASELINE,
    ERRORS,
    NARROWED,
    NO_TARGET,
    ODDS,
    OPENED,
    OVERALL,
    PATIENT,
    SHOWN,
    WIDENED,
    WORSENED,
    Method,
)

name = "pareto"
schema = (
    METHOD
    | {"attribute": S, "metric": S, "balanced_accuracy": F, "balanced_low": F, "balanced_high": F}
    | {"disparity": F}
    | INTERVAL
    | {"largest": S, "on_front": B, "p": F}
    | {f"by_{key}": S for key in METHOD}
)
reads = ("metrics", "gaps", "effects")
RIVALS = 4
"""Most threatening other methods that each is tested against; the adjustment counts all."""
ALPHA = 0.05
SURE = 2.0
"""Standard errors that every statement must be above 0 before its p is worked out: less can never be beyond noise here."""


def compute(context: Context) -> pl.DataFrame:
    compared = judged(context).compared
    rows = []
    for attribute in context.population.attributes:
        known = Disparity.known({m: own for m, own in compared.items() if m[2] in (NO_TARGET, attribute)}, attribute)
        if known:
            rows += _of(context, attribute, known)
    told = pl.DataFrame(rows, schema=schema, orient="row")
    return told.with_columns(pl.selectors.float().fill_nan(None))


def _of(context: Context, attribute: str, known: list[Disparity]) -> list[tuple]:
    worse = _worse_than_baseline(context.table("effects"), attribute)
    rivals = _rivals(context, known)
    accuracy = _told(context.table("metrics"), "balanced_accuracy", attribute=OVERALL, group="all")
    gaps = {m: _told(context.table("gaps"), m, "contrast", attribute=attribute) for m in ERRORS}
    rows = []
    for own in known:
        metric, contrast = own.which
        _, low, high = gaps[metric][*own.method, contrast]
        bounds = 0.0 if low <= 0 <= high else min(abs(low), abs(high)), max(abs(low), abs(high))
        p, rival = rivals[own.method]
        beaten = own.method in worse
        by = BASELINE if beaten else rival if p < ALPHA else (None, None, None)
        numbers = (*accuracy[own.method], own.value, *bounds)
        key = (*own.method, attribute, ODDS)
        rows.append((*key, *map(float, numbers), f"{metric}: {contrast}", by[0] is None, p, *by))
    return rows


def _told(table: pl.DataFrame, metric: str, *keys: str, **where: str) -> dict[tuple, tuple[float, float, float]]:
    """Estimate and interval by patient, by method and other keys."""
    own = table.filter(metric=metric, unit=PATIENT, **where)
    keys = (*METHOD, *keys)
    return {row[: len(keys)]: row[len(keys) :] for row in own.select(*keys, "estimate", "low", "high").iter_rows()}


def _worse_than_baseline(effects: pl.DataFrame, attribute: str) -> set[Method]:
    """Methods shown to lose balanced accuracy and to widen or open a gap of the attribute, and to narrow none."""
    own = effects.filter(pl.col("outcome_verdict") == SHOWN, unit=PATIENT)
    lost = own.filter(attribute=OVERALL, metric="balanced_accuracy", outcome=WORSENED)
    gaps = own.filter(attribute=attribute)
    wider = gaps.filter(pl.col("outcome").is_in([WIDENED, OPENED]))
    narrower = gaps.filter(outcome=NARROWED)
    found = lost.join(wider, on=list(METHOD), how="semi").join(narrower, on=list(METHOD), how="anti")
    return set(found.select(*METHOD).rows())


def _rivals(context: Context, known: list[Disparity]) -> dict[Method, tuple[float, Method | None]]:
    """For each method its surest rival and the adjusted p of that being better at both; 1 without one."""
    accuracy = np.array([own.accuracy.estimate[0] for own in known])
    disparity = np.array([own.value for own in known])
    found: dict[Method, tuple[float, Method | None]] = {own.method: (1.0, None) for own in known}
    for i, own in enumerate(known):
        ahead = np.minimum(accuracy - accuracy[i], disparity[i] - disparity)
        for j in np.argsort(-ahead, kind="stable")[:RIVALS]:
            if ahead[j] <= 0 or not _beyond([known[j].accuracy - own.accuracy], SURE):
                continue
            parts = [known[j].accuracy - own.accuracy, *known[j].beats(own)]
            if not _beyond(parts, SURE):
                continue
            told = [context.describe(part) for part in parts]
            p = max(float(one_sided(each.p, each.estimate).max()) for each in told)
            adjusted = min(1.0, p * (len(known) - 1))
            if adjusted < found[own.method][0]:
                found[own.method] = adjusted, known[j].method
    return found


def _beyond(parts: list[Figures], distance: float) -> bool:
    """Whether every statement is so many standard errors above 0."""
    for own in map(summary, parts):
        with np.errstate(divide="ignore", invalid="ignore"):
            away = own.estimate / np.sqrt(own.patients + own.networks + own.floor)
        if not np.nan_to_num(away, nan=0.0).min() >= distance:
            return False
    return True
