"""How far the audit can be trusted: the committed tables of cohorts of known truth in `data/trust`.

They depend on the audit's code, not on a cohort. `coverage.csv` (`make trust`): every row of it is told, those that miss the
aim too. `planted.csv` (`python -m benchmarks.planted`): does the audit find what was planted in phantom cohorts?
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import polars as pl
from scipy.stats import binomtest

from lib.names import IMAGE, PATIENT
from lib.report.facts.values import parts
from lib.report.registry import sentences
from lib.results import Results
from lib.settings import ROOT

CORE = ("level", "gap", "left", "weighting", "post-processing", "alone")
"""Sorts of intervals that the main chapters rest on; the others are those of further questions."""
AIM = (0.93, 0.97)
FAMILY_AIM = 0.06
"""What at most may be shown falsely, of 5 % promised, since cohorts are counted."""
UNPLANTED = ("none", "gaps")
"""Worlds in which families are counted: without any gap, and with those of the scores."""
FEW = 100
"""Cohorts of a setting under which its own share of intervals is rough: two points either way, at best."""
FAMILY, NARROWED, RECOMMENDED = "family", "narrowed", "recommended"
WRONG = {"loss": "loss", "gap": "gap", "margin": "gap + margin"}
"""Ways in which a recommendation can be wrong, and the metric of their rows."""
SCHEMA = (
    dict.fromkeys(("source", "world", "unit", "kind", "attribute", "metric", "contrast"), pl.String)
    | dict.fromkeys(("patients", "networks", "cohorts"), pl.Int64)
    | dict.fromkeys(("truth", "covered", "width", "p_below_5", "shown", "wrong", "agree"), pl.Float64)
)
"""The columns that are read here; there are more."""
SETTING = ("sort", "source", "unit", "patients", "networks")


def table(name: str, schema: Mapping[str, Any]) -> pl.DataFrame:
    """A committed table of `data/trust`; no row where it is missing."""
    path = ROOT / "data" / "trust" / name
    if not path.is_file():
        return pl.DataFrame(schema=schema)
    return pl.read_csv(path, schema_overrides=schema, infer_schema_length=None)


@cache
def coverage() -> pl.DataFrame:
    """The table, with the `sort` of figure that an interval is about."""
    return sorted_by_kind(table("coverage.csv", SCHEMA))


def sorted_by_kind(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows with their `sort`: a kind is `sort: method (level or gap)`; and `weight`, the intervals that a row counts."""
    sort = pl.col("kind").str.replace(r" \(.*", "").str.split(": ").list.first()
    counted = pl.col("figures" if "figures" in frame.columns else "cohorts")
    return frame.with_columns(sort=sort, weight=counted.cast(pl.Float64))


def intervals(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that are about intervals of single figures."""
    return frame.filter(pl.col("attribute") != FAMILY, pl.col("sort") != NARROWED).drop_nulls("covered")


def _mean(column: str) -> pl.Expr:
    return (pl.col(column) * pl.col("weight")).sum() / pl.col("weight").filter(pl.col(column).is_not_null()).sum()


def _weighted(frame: pl.DataFrame, column: str) -> float | None:
    known = frame.drop_nulls(column)
    return float(known.select(_mean(column)).item()) if known.height else None


def settings(frame: pl.DataFrame) -> pl.DataFrame:
    """Every setting of every sort: `cohorts`; `covered`, the mean over figures, and `worst`, that of the worst figure."""
    by = intervals(frame).group_by(SETTING, maintain_order=True)
    return by.agg(pl.col("cohorts").max(), covered=_mean("covered"), worst=pl.col("covered").min())


def _off(settings: pl.DataFrame) -> list[dict[str, Any]]:
    """Those whose intervals cover too seldom or too often, the worst first."""
    return settings.filter(~pl.col("covered").is_between(*AIM)).sort("covered", maintain_order=True).to_dicts()


def covered(frame: pl.DataFrame, unit: str) -> list[dict[str, Any]]:
    """How often 95 % intervals of every sort hold the truth, by a unit: the `mean`, and the `worst` and `best` of its settings.

    Those of the main chapters (`core`) come first; `met`: the mean is within the aim.
    """
    means = intervals(frame).filter(unit=unit).group_by("sort").agg(mean=_mean("covered"))
    of_settings = settings(frame).filter(unit=unit).group_by("sort")
    ends = of_settings.agg(worst=pl.col("covered").min(), best=pl.col("covered").max())
    sorts = means.join(ends, on="sort").with_columns(
        core=pl.col("sort").is_in(CORE), met=pl.col("mean").is_between(*AIM)
    )
    place = {sort: k for k, sort in enumerate(CORE)}
    return sorted(sorts.to_dicts(), key=lambda own: (place.get(own["sort"], len(CORE)), own["sort"]))


def power(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """How often a difference by view of a true `gap` (`size`: in whole points) is `shown` in its family, and found by a test of it `alone`.

    By patient, of the smallest number of patients, and with the most networks.
    """
    planted = frame.filter(pl.col("world").str.starts_with("gap "), sort="gap", attribute="view", unit=PATIENT)
    planted = planted.filter(pl.col("patients") == pl.col("patients").min()).drop_nulls(["shown", "p_below_5"])
    planted = planted.filter(pl.col("networks") == pl.col("networks").max())
    gap, columns = pl.col("truth").abs(), ("metric", "patients", "networks", "shown")
    size = (100 * gap).round().cast(pl.Int64)
    return planted.sort(gap, "metric").select(*columns, gap=gap, size=size, alone="p_below_5").to_dicts()


def advice(frame: pl.DataFrame) -> dict[str, float] | None:
    """In how many `cohorts` a change was recommended (share `shown`), and though it truly costs too much (`loss`), or leaves a gap that is
    wider, by whatever (`gap`) or by more than the margin (`margin`); None where that was not tried.
    """
    own = frame.filter(kind=RECOMMENDED)
    wrong = {name: _weighted(own.filter(metric=metric), "wrong") for name, metric in WRONG.items()}
    if None in wrong.values():
        return None
    cohorts = own.filter(metric=WRONG["loss"])["cohorts"].sum()
    return wrong | {"shown": _weighted(own, "shown"), "cohorts": int(cohorts)}


def false_claims(families: pl.DataFrame) -> dict[str, dict[int, float]]:
    """Share of cohorts in which a family says anything false, by kind of family and networks: of too few networks it says more."""
    known = families.drop_nulls("wrong").sort("networks")
    by = known.group_by("kind", "networks", maintain_order=True).agg(wrong=_mean("wrong"))
    return {kind: {line["networks"]: line["wrong"] for line in lines} for kind, lines in parts(by, "kind").items()}


def gather(results: Results, frame: pl.DataFrame | None = None) -> dict[str, Any] | None:
    """The facts of the figure `coverage`: sorts by patient, and by image for those that have it."""
    frame = coverage() if frame is None else frame
    sorts = covered(frame, PATIENT)
    if not sorts:
        return None
    sizes = frame.group_by("source", "world", "unit", "patients", "networks").agg(pl.col("cohorts").max())
    return {
        "found": sorts,
        "images": {sort["sort"]: sort for sort in covered(frame, IMAGE)},
        "cohorts": int(sizes["cohorts"].sum()),
        "simulated": (frame["source"] == "simulated").all(),
    }


def missed(results: Results, frame: pl.DataFrame | None = None) -> dict[str, Any] | None:
    """The facts of the table `missed_aims`: settings whose intervals cover too seldom or too often, the worst first."""
    off = _off(settings(coverage() if frame is None else frame))
    return {"found": off} if off else None


@sentences("trust")
def told(results: Results, frame: pl.DataFrame | None = None) -> dict[str, Any]:
    """The facts of the sentences; shares are None where nothing of the kind was tried."""
    frame = coverage() if frame is None else frame
    sorts = covered(frame, PATIENT)
    families = frame.filter(attribute=FAMILY, unit=PATIENT)
    wide = {unit: _weighted(intervals(frame).filter(sort="gap", unit=unit), "width") for unit in (PATIENT, IMAGE)}
    narrowed = {name: frame.filter(kind=f"{NARROWED}: {name}", unit=PATIENT) for name in ("closed", "half", "mirrored")}
    tried = settings(frame).filter(unit=PATIENT)
    least = tried["cohorts"].min()
    return {
        "core": [sort for sort in sorts if sort["core"]],
        "further": [sort for sort in sorts if not sort["core"]],
        "families": false_claims(families.filter(pl.col("world").is_in(UNPLANTED))),
        "aim": FAMILY_AIM,
        "agree": _weighted(families, "agree"),
        "wider": None if None in wide.values() else wide[IMAGE] / wide[PATIENT],
        "power": power(frame),
        "claims": {name: _weighted(own, "shown") for name, own in narrowed.items()},
        "advice": advice(frame),
        "missed": _off(tried),
        "worst": next(iter(tried.sort("covered", maintain_order=True).head(1).to_dicts()), None),
        "few": least if least is not None and least < FEW else None,
    }


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
def told_of_planted(results: Results, frame: pl.DataFrame | None = None) -> dict[str, Any]:
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


def planted(results: Results, frame: pl.DataFrame | None = None) -> dict[str, Any] | None:
    """The facts of the figure `planted`."""
    facts = told_of_planted(results, frame)
    return facts if facts["rates"] else None
