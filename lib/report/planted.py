"""Does the audit find what was planted? The committed table of phantom cohorts as a figure, a table and sentences.

`data/trust/planted.csv` is made by `python -m benchmarks.planted`; it depends on the audit's code, not on a cohort.
"""

from math import sqrt
from pathlib import Path

import polars as pl
from great_tables import GT

from lib.report import words
from lib.report.figures.marks import Chart, dot, dot_panel, framed, key, label_width, over
from lib.report.tables.cells import bounded, share, table
from lib.report.theme import LABELS, MEASURES, PALE, Look, Size
from lib.report.words import Words
from lib.settings import ROOT

PLANTED = Path("data") / "trust" / "planted.csv"
QUESTIONS: dict[str, tuple[str, int]] = {
    "prevalence": ("women are sick more often", 1),
    "representation": ("women are rarer in training", -1),
    "simpson": ("the sign by sex turns within each view", -1),
    "exposure": ("AP films are less contrasted", -1),
    "visibility": ("findings show less in women", -1),
    "shortcut": ("a marker tells the label in AP", 1),
    "label_noise": ("sick AP images are labelled healthy", 1),
}
"""What is planted, and the sign of the difference that tells it."""
NONE = "none"
FULL, HALF, NULL = (
    Look(LABELS[1][1].colour, "circle"),
    Look(LABELS[1][1].colour, "circle", hollow=True),
    Look(PALE, "square"),
)


def planted(root: Path = ROOT) -> pl.DataFrame:
    """Rows `question, dial, value, cohorts, found, low, high, wrong, auc`: the share of cohorts in which each question
    was answered rightly (`found`, 95 % Wilson interval) and with the wrong sign; where `dial` is none, any claim is false.
    """
    return rates(pl.read_csv(root / PLANTED))


def rates(claims: pl.DataFrame) -> pl.DataFrame:
    """The same, of claims `dial, value, seed, question, sign, auc`; a dial is asked for its own question only."""
    own = claims.filter((pl.col("dial") == pl.col("question")) | (pl.col("dial") == NONE))
    rows = []
    for (question, dial, value), part in own.group_by("question", "dial", "value", maintain_order=True):
        right = QUESTIONS[question][1]
        hits = (part["sign"] != 0).sum() if dial == NONE else (part["sign"] == right).sum()
        wrong = 0 if dial == NONE else (part["sign"] == -right).sum()
        n = part.height
        rows.append((question, dial, value, n, hits / n, *wilson(hits, n), wrong / n, part["auc"].mean()))
    columns = ["question", "dial", "value", "cohorts", "found", "low", "high", "wrong", "auc"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927, doi 10.1080/01621459.1927.10502953)."""
    z, p = 1.96, hits / n
    middle, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))


def figure(frame: pl.DataFrame | None = None, *, size: Size = "page") -> Chart:
    """How often each bias is found, planted in full, by half and not at all."""
    frame = planted() if frame is None else frame
    measure = MEASURES[size]
    rows = [text for text, _ in QUESTIONS.values()]
    dots = [
        dot(QUESTIONS[r["question"]][0], r["found"], r["low"], r["high"], _look(r), shift=_shift(r))
        for r in frame.sort("value").to_dicts()
    ]
    axis = {"labelExpr": "format(100 * datum.value, 'd') + '\u00a0%'"}
    width = measure.width - label_width(rows, measure)
    panel = dot_panel(dots, rows, measure=measure, width=width, domain=(0, 1), axis=axis)
    entries = [("planted in full", FULL), ("planted by half", HALF), ("not planted: false alarms", NULL)]
    finding = _finding(frame)
    return framed(
        over(panel, key(entries, measure)),
        title=finding,
        subtitle=[f"Share of phantom cohorts in which the audit claims it · {_sizes(frame)}", "Bars: 95 % intervals."],
        description=f"Dots with intervals: how often each planted bias is found. {finding}. {answer(frame)}",
        size=size,
    )


def _look(row: dict) -> Look:
    return NULL if row["dial"] == NONE else FULL if row["value"] == 1 else HALF


def _shift(row: dict) -> float:
    return 5.0 if row["dial"] == NONE else -5.0 if row["value"] == 1 else 0.0


def summary(frame: pl.DataFrame | None = None) -> GT:
    """Detection and false-alarm rates of every bias."""
    frame = planted() if frame is None else frame
    rows = []
    for question, (text, _) in QUESTIONS.items():
        own = {(r["dial"] == NONE, r["value"]): r for r in frame.filter(question=question).to_dicts()}
        rows.append({"bias": words.sentence(text)} | {name: _rate(own.get(at)) for name, at in COLUMNS.items()})
    labels = {"full": "found, in full, %", "half": "found, by half, %", "none": "false alarms, %"}
    return table(rows, labels, stub="bias", right=list(labels))


COLUMNS = {"full": (False, 1.0), "half": (False, 0.5), "none": (True, 0.0)}


def _rate(row: dict | None) -> str:
    return "not tried" if row is None else bounded(row["found"], row["low"], row["high"], share)


def answer(frame: pl.DataFrame | None = None) -> Words:
    """What is found when planted in full, what is not, and how often something is found that is not there."""
    frame = planted() if frame is None else frame
    full = frame.filter(pl.col("dial") != NONE, value=1.0)
    found = [QUESTIONS[q][0] for q in full.filter(pl.col("low") > 0.5)["question"]]
    missed = [QUESTIONS[q][0] for q in full.filter(pl.col("high") < 0.5)["question"]]
    open_ = full.height - len(found) - len(missed)
    parts = [
        f"Of {words.spelled(full.height, 'bias', 'biases')} planted in full, the audit finds {words.few(len(found)) if found else 'none'} in most cohorts"
    ]
    if missed:
        parts.append(f"it misses in most: {words.listed(missed)}")
    if open_:
        parts.append(f"for {words.few(open_)} the cohorts are too few to say")
    return Words(f"{'; '.join(parts)}. {alarms(frame)}")


def alarms(frame: pl.DataFrame | None = None) -> Words:
    """How often a question is answered with a difference where none was planted."""
    null = (planted() if frame is None else frame).filter(dial=NONE)
    if null.is_empty():
        return Words("No cohort without a bias was tried.")
    n = int(null["cohorts"].sum())
    hits = round(float((null["found"] * null["cohorts"]).sum()))
    low, high = wilson(hits, n)
    rate = words.interval(words.percent(low), words.percent(high))
    return Words(f"Where nothing is planted, {words.percent(hits / n)} of its answers claim a difference ({rate}).")


def classifier(frame: pl.DataFrame | None = None) -> Words:
    """How well the stand-in classifier tells the sick."""
    null = (planted() if frame is None else frame).filter(dial=NONE)["auc"].drop_nulls()
    level = words.number(null.mean(), 2) if len(null) else "unknown"
    return Words(f"Its AUC where nothing is planted is {level}.")


def _finding(frame: pl.DataFrame) -> str:
    full = frame.filter(pl.col("dial") != NONE, value=1.0)
    found = full.filter(pl.col("low") > 0.5).height
    return f"The audit finds {words.few(found) if found else 'none'} of {words.spelled(full.height, 'bias', 'biases')} in most of the cohorts where they are planted in full"


def _sizes(frame: pl.DataFrame) -> str:
    settings = frame.select("dial", "value", "cohorts").unique()
    return words.counted(int(settings["cohorts"].sum()), "cohort")
