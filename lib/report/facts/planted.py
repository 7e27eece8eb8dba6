"""Does the audit find what was planted? The committed table of phantom cohorts, `data/trust/planted.csv` (`python -m benchmarks.planted`)."""

from typing import Any

import polars as pl
from scipy.stats import binomtest

from lib.report.facts.trust import table
from lib.report.registry import sentences
from lib.results import Results

QUESTIONS: dict[str, int] = {
    "prevalence": 1,
    "representation": -1,
    "simpson": -1,
    "exposure": -1,
    "visibility": -1,
    "shortcut": 1,
    "label_noise": 1,
}
"""What is planted, and the sign of the difference that tells it."""
NONE = "none"
FIELDS = dict.fromkeys(("dial", "question"), pl.String) | dict.fromkeys(("seed", "sign"), pl.Int64)
FIELDS |= dict.fromkeys(("value", "auc"), pl.Float64)
"""Columns of the table: the `sign` of what the audit claims of each question in each cohort."""


def rates(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """How often each bias is claimed, planted or not; a cohort with a bias is asked for that one only, and a claim of the wrong sign is none."""
    own = (pl.col("dial") == pl.col("question")) | (pl.col("dial") == NONE)
    claimed = frame.filter(own, pl.col("question").is_in(list(QUESTIONS)))
    told = []
    for (question, dial, value), part in claimed.group_by("question", "dial", "value", maintain_order=True):
        claims = part["sign"] != 0 if dial == NONE else part["sign"] == QUESTIONS[question]
        told.append(_rate(question, 0.0 if dial == NONE else float(value), claims.sum(), part.height))
    return sorted(told, key=lambda rate: (list(QUESTIONS).index(rate["bias"]), rate["value"]))


def _rate(bias: str, value: float, claims: int, cohorts: int) -> dict[str, Any]:
    """Of `cohorts` in which a bias is planted to a `value` (0: nothing is) the `share` in which it is claimed, with a 95 % interval.

    `found` in most, or `missed` in most, as far as can be told from so many (Wilson 1927, doi 10.1080/01621459.1927.10502953).
    """
    low, high = binomtest(claims, cohorts).proportion_ci(method="wilson")
    share = {"share": claims / cohorts, "low": low, "high": high, "found": low > 0.5, "missed": high < 0.5}
    return {"bias": bias, "value": value, "cohorts": cohorts} | share


@sentences("planted")
def told(results: Results, frame: pl.DataFrame | None = None) -> dict[str, Any]:
    """The facts of the sentences: `full` are rates of biases planted in full, `alarms` the rate of false claims."""
    frame = table("planted.csv", FIELDS) if frame is None else frame
    claimed = rates(frame)
    null = [rate for rate in claimed if rate["value"] == 0]
    cohorts = sum(rate["cohorts"] for rate in null)
    hits = round(sum(rate["share"] * rate["cohorts"] for rate in null))
    auc = frame.filter(dial=NONE)["auc"].drop_nulls()
    return {
        "rates": claimed,
        "full": [rate for rate in claimed if rate["value"] == 1],
        "alarms": _rate(NONE, 0.0, hits, cohorts) if cohorts else None,
        "auc": auc.mean() if len(auc) else None,
        "cohorts": frame.select("dial", "value", "seed").n_unique(),
    }


def gather(results: Results, frame: pl.DataFrame | None = None) -> dict[str, Any] | None:
    """The facts of the figure `planted`."""
    facts = told(results, frame)
    return facts if facts["rates"] else None
