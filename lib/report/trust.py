"""How far the audit can be trusted: the committed table of cohorts of known truth as a figure, tables and sentences.

`data/trust/coverage.csv` is made by `python -m benchmarks.trust`; it depends on the audit's code, not on a cohort. Every row of it
is told, those that miss the aim too.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
from great_tables import GT

from lib.report import words
from lib.report.figures.marks import Chart, dot, dot_panel, framed, in_lines, key, label_width, over, under_headings
from lib.report.tables.cells import table
from lib.report.theme import LABELS, MEASURES, PALE, Look, Size
from lib.report.words import Words
from lib.settings import ROOT

COVERAGE = Path("data") / "trust" / "coverage.csv"
KINDS = {
    "level": "rates of groups",
    "gap": "differences between groups",
    "left": "what a method leaves of a difference",
    "weighting": "effects of a weighting",
    "post-processing": "effects of a post-processing",
}
SHOWN = ("gap", "post-processing")
"""Kinds that the figure shows; the table has all."""
AIM, ONE_SIDED, FAMILY_AIM = (0.93, 0.97), (0.01, 0.04), (0.03, 0.06)
NULL = 1e-3
"""A true difference below this counts as none."""
FAMILY = "family"
PATIENT, IMAGE = Look(LABELS[1][1].colour, "circle"), Look(PALE, "square", hollow=True)
SETTING = ["source", "unit", "patients", "networks"]


def coverage(root: Path = ROOT) -> pl.DataFrame:
    """The table, with the `sort` of figure that an interval is about (one of `KINDS`), the method in its `kind`."""
    frame = pl.read_csv(root / COVERAGE, infer_schema_length=None)
    sort = pl.col("kind").str.replace(r" \(.*", "").str.split(": ").list.first()
    return frame.with_columns(sort=sort)


def figure(frame: pl.DataFrame | None = None, *, size: Size = "page") -> Chart:
    """How often 95 % intervals cover the truth, by number of patients and of networks: by patient, and by image beside it."""
    frame = intervals(coverage() if frame is None else frame)
    measure = MEASURES[size]
    seen = frame.filter(pl.col("sort").is_in(SHOWN))
    places = seen.select("patients", "networks").unique().sort("patients", "networks").rows()
    rows = under_headings(f"{_patients(p)}|{_networks(n)}" for p, n in places)
    width = (measure.width - label_width(rows, measure) - 24) / len(SHOWN)
    panels = [
        dot_panel(
            [
                *_dots(seen.filter(sort=sort, unit="image"), IMAGE),
                *_dots(seen.filter(sort=sort, unit="patient"), PATIENT),
            ],
            rows,
            measure=measure,
            width=width,
            domain=(0.8, 1.0),
            heading=words.sentence(KINDS[sort]),
            axis={"labelExpr": "format(100 * datum.value, 'd') + '\u00a0%'"},
            labelled=sort == SHOWN[0],
            at=0.95,
        )
        for sort in SHOWN
    ]
    entries = [("rates by patient", PATIENT), ("rates by image", IMAGE)]
    finding = _finding(frame)
    return framed(
        over(in_lines(panels, len(panels), 24), key(entries, measure)),
        title=finding,
        subtitle=[
            f"How often 95 % intervals cover the truth · {_simulated(frame)}",
            "Dots: mean over figures; bars: from the worst to the best of them. Dashed: 95 %.",
        ],
        description=f"Dots with ranges: coverage of intervals by patients and networks. {finding}. {answer(frame)}",
        size=size,
    )


def summary(frame: pl.DataFrame | None = None) -> GT:
    """Coverage, one-sided errors and false alarms: a row for each kind of figure and setting, none left out."""
    frame = intervals(coverage() if frame is None else frame)
    rows = []
    for sort, name in KINDS.items():
        for (source, unit, patients, networks), own in frame.filter(sort=sort).group_by(SETTING, maintain_order=True):
            null = own.filter(pl.col("truth").abs() < NULL).drop_nulls("p_below_5")
            rows.append(
                {
                    "heading": f"{name}, by {unit}",
                    "setting": f"{source}, {_patients(patients)}, {_networks(networks)}",
                    "cohorts": words.count(int(own["cohorts"].max())),
                    "covered": _range(own["covered"], _share),
                    "below": _range(own["below"], _share),
                    "above": _range(own["above"], _share),
                    "alarms": _range(null["p_below_5"], _share),
                }
            )
    labels = {
        "cohorts": "cohorts",
        "covered": "covered, % (range)",
        "below": "truth below, % (range)",
        "above": "truth above, % (range)",
        "alarms": "false alarms at 5 %, % (range)",
    }
    return table(rows, labels, stub="setting", heading="heading", right=list(labels))


def families(frame: pl.DataFrame | None = None) -> GT:
    """How often a family says anything false, covers everything, and says the same under twenty seeds."""
    frame = _families(coverage() if frame is None else frame)
    rows = [
        {
            "heading": words.sentence(row["kind"]),
            "setting": f"{row['source']}, {_world(row['world'])}, by {row['unit']}, {_patients(row['patients'])}, {_networks(row['networks'])}",
            "cohorts": words.count(row["cohorts"]),
            **{name: _one(row[name]) for name in ("wrong", "simultaneous", "agree")},
        }
        for row in frame.sort("kind", "source", "world", "unit", "patients", "networks").to_dicts()
    ]
    labels = {
        "cohorts": "cohorts",
        "wrong": "anything false shown, %",
        "simultaneous": "all covered at once, %",
        "agree": "twenty seeds agree, %",
    }
    return table(rows, labels, stub="setting", heading="heading", right=list(labels))


def power(frame: pl.DataFrame | None = None) -> GT:
    """How often a gap by view of a given size is seen, beside other tests, and how often it is said to be at most the margin."""
    frame = coverage() if frame is None else frame
    own = frame.filter(pl.col("world").str.starts_with("gap "), sort="gap", attribute="view")
    rows = [
        {
            "heading": f"{row['source']}, {_patients(row['patients'])}, {_networks(row['networks'])}",
            "gap": f"{words.number(100 * row['truth'], 0)} points, {row['metric'].upper()}",
            "cohorts": words.count(row["cohorts"]),
            **{n: _one(row[n]) for n in ("p_below_5", "shown", "wald", "wald_holm", "permutation", "at_most")},
        }
        for row in own.sort("source", "truth", "metric").to_dicts()
    ]
    labels = {
        "cohorts": "cohorts",
        "p_below_5": "single, %",
        "shown": "in its family, %",
        "wald": "Wald, %",
        "wald_holm": "Wald, Holm, %",
        "permutation": "permutation, %",
        "at_most": "said to be at most 5 points, %",
    }
    return table(rows, labels, stub="gap", heading="heading", right=list(labels))


def claims(frame: pl.DataFrame | None = None) -> GT:
    """How often an established gap is said to be narrowed, by what the method truly does to it."""
    frame = coverage() if frame is None else frame
    own = frame.filter(pl.col("kind").str.starts_with("narrowed: "))
    truly = {"closed": "brought to 0", "half": "brought to half", "mirrored": "as large on the other side"}
    rows = [
        {
            "heading": f"Truly {truly[row['kind'].removeprefix('narrowed: ')]}",
            "setting": f"{row['source']}, {_patients(row['patients'])}, {_networks(row['networks'])}, {row['metric'].upper()}",
            "cohorts": words.count(row["cohorts"]),
            "narrowed": _one(row["shown"]),
        }
        for row in own.sort("kind", "source", "patients", "networks", "metric").to_dicts()
    ]
    labels = {"cohorts": "cohorts", "narrowed": "said to be narrowed, %"}
    return table(rows, labels, stub="setting", heading="heading", right=list(labels))


def answer(frame: pl.DataFrame | None = None) -> Words:
    """How often intervals cover, against what they promise."""
    frame = intervals(coverage() if frame is None else frame).filter(unit="patient")
    means = {sort: own["covered"].mean() for sort in KINDS if not (own := frame.filter(sort=sort)).is_empty()}
    told = words.listed([f"{words.percent(mean)} for {KINDS[sort]}" for sort, mean in means.items()])
    off = [KINDS[sort] for sort, mean in means.items() if not AIM[0] <= mean <= AIM[1]]
    end = f"; those of {words.listed(off)} miss the aim of 93 to 97 %" if off else ""
    return Words(f"On cohorts of known truth, 95 % intervals cover it in {told}{end}.")


def alarms(frame: pl.DataFrame | None = None) -> Words:
    """False alarms of single tests, and of whole families."""
    whole = coverage() if frame is None else frame
    null = intervals(whole).filter(pl.col("truth").abs() < NULL, unit="patient").drop_nulls("p_below_5")
    single = [
        f"{words.percent(own['p_below_5'].mean())} of {KINDS[sort]}"
        for sort in KINDS
        if not (own := null.filter(sort=sort)).is_empty()
    ]
    family = [
        f"{words.percent(own['wrong'].mean())} for {kind}"
        for (kind,), own in _families(whole).filter(world="none", unit="patient").group_by("kind", maintain_order=True)
    ]
    first = f"Where nothing differs, tests at the 5 % level alarm in {words.listed(single)}." if single else ""
    second = f" A family shows anything false in {words.listed(family)} of such cohorts." if family else ""
    return Words(f"{first}{second}".strip())


def by_image(frame: pl.DataFrame | None = None) -> Words:
    """How wide intervals of differences are by patient and by image."""
    frame = intervals(coverage() if frame is None else frame).filter(sort="gap")
    wide = {unit: frame.filter(unit=unit)["width"].mean() for unit in ("patient", "image")}
    if None in wide.values():
        return Words("Rates by image were not tried.")
    ratio = wide["image"] / wide["patient"]
    return Words(
        f"Intervals of differences by image are {words.number(ratio, 1)} times as wide as by patient, for a few patients bring most images."
    )


def intervals(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that are about intervals of single figures."""
    return frame.filter(pl.col("attribute") != FAMILY, pl.col("sort").is_in(list(KINDS))).drop_nulls("covered")


def _families(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(attribute=FAMILY)


def _dots(frame: pl.DataFrame, look: Look) -> Sequence[dict]:
    found = frame.group_by("patients", "networks", maintain_order=True).agg(
        pl.col("covered").mean(), low=pl.col("covered").min(), high=pl.col("covered").max()
    )
    return [
        dot(f"{_patients(r['patients'])}|{_networks(r['networks'])}", r["covered"], max(r["low"], 0.8), r["high"], look)
        for r in found.to_dicts()
        if r["covered"] >= 0.8
    ]


def _finding(frame: pl.DataFrame) -> str:
    share = frame.filter(unit="patient", sort="gap")["covered"].mean()
    return f"95 % intervals by patient cover differences between groups in {words.percent(share, 0)} of cases"


def _simulated(frame: pl.DataFrame) -> str:
    sizes = frame.group_by("source", "world", "unit", "patients").agg(pl.col("cohorts").max())["cohorts"]
    return f"{words.count(int(sizes.sum()))} cohorts, simulated or drawn from real scores"


def _networks(n: int) -> str:
    return "one network" if n == 1 else f"{words.few(n)} networks"


def _patients(n: int) -> str:
    return f"{words.count(n)} patients"


def _world(world: str) -> str:
    return {"gaps": "gaps as they are", "none": "no gap"}.get(world, f"{world} points")


def _share(share: float) -> str:
    return words.number(100 * share, 1)


def _one(share: float | None) -> str:
    return "" if share is None else _share(share)


def _range(column: pl.Series, form: Callable[[float], str]) -> str:
    column = column.drop_nulls()
    if column.is_empty():
        return "none"
    return f"{form(column.mean())} ({form(column.min())} to {form(column.max())})"
