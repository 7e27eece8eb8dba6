"""How far the audit can be trusted: the committed table of simulated cohorts as a figure, a table and sentences.

`data/trust/coverage.csv` is made by `python -m benchmarks.coverage`; it depends on the audit's code, not on a cohort.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
from great_tables import GT

from lib.names import METRICS
from lib.report import words
from lib.report.figures.marks import Chart, dot, dot_panel, framed, in_lines, key, label_width, over, under_headings
from lib.report.tables.cells import table
from lib.report.theme import LABELS, MEASURES, PALE, Look, Size
from lib.report.words import Words
from lib.settings import ROOT

COVERAGE = Path("data") / "trust" / "coverage.csv"
METRICS_SHOWN = ("balanced_accuracy", "auc", "tpr", "fpr")
KINDS = {"gap": "differences between groups", "change": "changes by a method"}
BAND = (0.93, 0.97)
NULL = 1e-3
"""A true difference below this counts as none: simulated worlds have none where groups or methods are alike."""
ANY = "any"
PATIENT, IMAGE = Look(LABELS[1][1].colour, "circle"), Look(PALE, "square", hollow=True)


def coverage(root: Path = ROOT) -> pl.DataFrame:
    """The table, with `change, placebo` and `change, by_view` told as changes (`what` keeps which)."""
    frame = pl.read_csv(root / COVERAGE)
    return frame.with_columns(what="kind", kind=pl.col("kind").str.split(", ").list.first())


def figure(frame: pl.DataFrame | None = None, *, size: Size = "page") -> Chart:
    """How often 95 % intervals cover the truth, by metric and number of networks: by patient, and by image beside it."""
    frame = _figures(coverage() if frame is None else frame)
    measure = MEASURES[size]
    seen = frame.filter(pl.col("kind").is_in(list(KINDS)))
    rows = under_headings(
        f"{_networks(n)}|{METRICS[metric].label}" for n in sorted(set(seen["networks"])) for metric in METRICS_SHOWN
    )
    width = (measure.width - label_width(rows, measure) - 24) / len(KINDS)
    panels = [
        dot_panel(
            [
                *_dots(seen.filter(kind=kind, level="image"), IMAGE),
                *_dots(seen.filter(kind=kind, level="patient"), PATIENT),
            ],
            rows,
            measure=measure,
            width=width,
            domain=(0.4, 1.0),
            heading=words.sentence(name),
            axis={"labelExpr": "format(100 * datum.value, 'd') + '\u00a0%'"},
            labelled=kind == "gap",
            at=0.95,
        )
        for kind, name in KINDS.items()
    ]
    entries = [("by patient and network", PATIENT), ("by image: too narrow", IMAGE)]
    finding = _finding(frame)
    return framed(
        over(in_lines(panels, len(panels), 24), key(entries, measure)),
        title=finding,
        subtitle=[
            f"How often 95 % intervals cover the truth · {_simulated(frame)}",
            "Dots: mean over groups; bars: from the worst to the best of them. Dashed: 95 %.",
        ],
        description=f"Dots with ranges: coverage of intervals by metric and number of networks. {finding}. {answer(frame)}",
        size=size,
    )


def summary(frame: pl.DataFrame | None = None) -> GT:
    """Coverage and false alarms, a row for each kind of figure and number of networks."""
    frame = _figures(coverage() if frame is None else frame)
    rows = []
    for (level, kind, n), own in frame.group_by("level", "kind", "networks", maintain_order=True):
        null = own.filter(pl.col("truth").abs() < NULL).drop_nulls("p_below_5")
        tested = level == "patient" and kind != "level"
        rows.append(
            {
                "heading": {"level": "rates of groups", **KINDS}[kind] + (" (by image)" if level == "image" else ""),
                "networks": _networks(n),
                "cohorts": words.count(int(own["cohorts"].max())),
                "covered": _range(own["covered"], lambda share: words.number(100 * share, 1)),
                "alarms": _range(null["p_below_5"], lambda share: words.number(100 * share, 1)) if tested else "none",
            }
        )
    labels = {"cohorts": "cohorts", "covered": "covered, % (range)", "alarms": "false alarms at 5 %, % (range)"}
    return table(rows, labels, stub="networks", heading="heading", right=list(labels))


def answer(frame: pl.DataFrame | None = None) -> Words:
    """How often intervals cover and tests alarm falsely, against what they promise."""
    frame = _figures(coverage() if frame is None else frame)
    own = frame.filter(level="patient")
    covered = {kind: own.filter(kind=kind)["covered"] for kind in ("level", "gap", "change")}
    means = {kind: column.mean() for kind, column in covered.items()}
    off = [kind for kind, mean in means.items() if not BAND[0] <= mean <= BAND[1]]
    told = (
        f"95 % intervals cover the truth in {words.percent(means['level'])} of cases for rates, {words.percent(means['gap'])} "
        f"for differences between groups and {words.percent(means['change'])} for changes"
    )
    names = {"level": "rates", "gap": "differences", "change": "changes"}
    end = f"; those of {words.listed([names[kind] for kind in off])} miss the aim of 93 to 97 %" if off else ""
    return Words(f"On simulated cohorts of known truth, {told}{end}.")


def by_image(frame: pl.DataFrame | None = None) -> Words:
    """How often the intervals by image cover."""
    frame = _figures(coverage() if frame is None else frame)
    share = frame.filter(level="image", kind="gap")["covered"].mean()
    return Words(
        f"Intervals that take the images of a patient for strangers cover differences in {words.percent(share)}."
    )


def alarms(frame: pl.DataFrame | None = None) -> Words:
    """False alarms before and after Holm's correction."""
    whole = coverage() if frame is None else frame
    own = _figures(whole).filter(pl.col("truth").abs() < NULL, level="patient").drop_nulls("p_below_5")
    parts = []
    for kind, name in KINDS.items():
        column = own.filter(kind=kind)["p_below_5"]
        if not column.is_empty():
            parts.append(f"{words.percent(column.mean())} of {name}")
    family = whole.filter(level="patient", attribute=ANY, world="null").drop_nulls("decided")["decided"]
    after = (
        ""
        if family.is_empty()
        else f" After Holm's correction, {words.percent(family.mean())} of such cohorts show any gap."
    )
    return Words(f"Where nothing differs, tests at the 5 % level alarm in {words.listed(parts)}.{after}")


def _figures(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("attribute") != ANY, pl.col("contrast") != "max - min").drop_nulls("covered")


def _dots(frame: pl.DataFrame, look: Look) -> Sequence[dict]:
    found = frame.group_by("networks", "metric", maintain_order=True).agg(
        pl.col("covered").mean(), low=pl.col("covered").min(), high=pl.col("covered").max()
    )
    return [
        dot(
            f"{_networks(r['networks'])}|{METRICS[r['metric']].label}",
            r["covered"],
            max(r["low"], 0.4),
            r["high"],
            look,
        )
        for r in found.to_dicts()
        if r["covered"] >= 0.4
    ]


def _finding(frame: pl.DataFrame) -> str:
    shares = [frame.filter(level=level, kind="gap")["covered"].mean() for level in ("patient", "image")]
    return (
        f"95 % intervals by patient and network cover differences between groups in {words.percent(shares[0], 0)} of cases, "
        f"intervals by image in {words.percent(shares[1], 0)}"
    )


def _simulated(frame: pl.DataFrame) -> str:
    sizes = frame.filter(level="patient").group_by("world", "networks").agg(pl.col("cohorts").max())["cohorts"]
    return f"{words.count(int(sizes.sum()))} simulated cohorts of 375 patients"


def _networks(n: int) -> str:
    return f"{words.few(n)} networks"


def _range(column: pl.Series, form: Callable[[float], str]) -> str:
    if column.is_empty():
        return "none"
    return f"{form(column.mean())} ({form(column.min())} to {form(column.max())})"
