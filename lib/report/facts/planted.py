"""Does the audit find what was planted? The committed table of phantom cohorts, `data/trust/planted.csv` (`python -m benchmarks.planted`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from scipy.stats import binomtest

from lib.report.registry import sentences
from lib.results import Results
from lib.settings import ROOT

PLANTED = Path("data") / "trust" / "planted.csv"
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
FIELDS = {"dial": pl.String, "value": pl.Float64, "seed": pl.Int64, "question": pl.String, "sign": pl.Int64} | {
    "auc": pl.Float64
}


@dataclass(frozen=True)
class Rate:
    """Of `cohorts` in which a bias is planted to a `value` (0: nothing is) the share in which it is claimed, with a 95 % interval.

    `wrong` is the share in which the claim has the wrong sign.
    """

    bias: str
    value: float
    cohorts: int
    share: float
    low: float
    high: float
    wrong: float

    @property
    def found(self) -> bool:
        """In most cohorts, as far as can be told from so many."""
        return self.low > 0.5

    @property
    def missed(self) -> bool:
        return self.high < 0.5


def claims(root: Path = ROOT) -> pl.DataFrame:
    """Rows `dial, value, seed, question, sign, auc`: what the audit claims of each question in each cohort; none without the table."""
    path = root / PLANTED
    return pl.read_csv(path, schema_overrides=FIELDS) if path.is_file() else pl.DataFrame(schema=FIELDS)


def rates(frame: pl.DataFrame) -> list[Rate]:
    """How often each bias is claimed, planted or not; a cohort with a bias is asked for that one only."""
    claimed = frame.filter((pl.col("dial") == pl.col("question")) | (pl.col("dial") == NONE))
    told = []
    for (question, dial, value), part in claimed.group_by("question", "dial", "value", maintain_order=True):
        if question not in QUESTIONS:
            continue
        right, n = QUESTIONS[question], part.height
        hits = (part["sign"] != 0).sum() if dial == NONE else (part["sign"] == right).sum()
        wrong = 0 if dial == NONE else (part["sign"] == -right).sum()
        planted = 0.0 if dial == NONE else float(value)
        told.append(Rate(question, planted, n, *_share(hits, n), wrong / n))
    return sorted(told, key=lambda rate: (list(QUESTIONS).index(rate.bias), rate.value))


def _share(hits: int, n: int) -> tuple[float, float, float]:
    """A share with its 95 % interval (Wilson 1927, doi 10.1080/01621459.1927.10502953)."""
    return hits / n, *binomtest(hits, n).proportion_ci(method="wilson")


@sentences("planted")
def told(results: Results, frame: pl.DataFrame | None = None) -> dict[str, Any]:
    """The facts of the sentences: `full` are rates of biases planted in full, `alarms` the rate of false claims."""
    frame = claims() if frame is None else frame
    claimed = rates(frame)
    null = [rate for rate in claimed if rate.value == 0]
    n = sum(rate.cohorts for rate in null)
    hits = round(sum(rate.share * rate.cohorts for rate in null))
    auc = frame.filter(dial=NONE)["auc"].drop_nulls()
    return {
        "rates": claimed,
        "full": [rate for rate in claimed if rate.value == 1],
        "alarms": Rate(NONE, 0.0, n, *_share(hits, n), 0.0) if n else None,
        "auc": auc.mean() if len(auc) else None,
        "cohorts": frame.select("dial", "value", "seed").n_unique(),
    }


def gather(results: Results, frame: pl.DataFrame | None = None) -> dict[str, Any] | None:
    """The facts of the figure `planted`."""
    facts = told(results, frame)
    return facts if facts["rates"] else None
