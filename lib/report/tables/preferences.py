"""Tables for a choice: the recommendation with its rivals, how gaps closed, and what each group gains or loses."""

from collections.abc import Sequence
from typing import Any

import polars as pl
from great_tables import GT

from lib.names import ALTERNATIVE, METRICS, NOT_NARROWED, RECOMMENDED, SET_ASIDE, TOO_DEAR
from lib.report import evidence, words
from lib.report.evidence import WIDEST
from lib.report.figures.marks import BASELINE, METHOD, in_order
from lib.report.focus import focus
from lib.report.tables.cells import bounded, share, table
from lib.report.tables.decision import known_words
from lib.report.words import method_words
from lib.results import Results

SHOWN = 8
"""Methods of a kind that are listed at most."""
ROLES = {
    RECOMMENDED: "recommended",
    ALTERNATIVE: "cannot be told from it",
    TOO_DEAR: "narrows, but its price may be too high",
    SET_ASIDE: "not shown to narrow",
}


def recommendation(results: Results) -> GT:
    """The recommended method, those that cannot be told from it, and those whose price may be too high."""
    frame = results.recommendation
    kept = [frame.filter(role=role).head(SHOWN) for role in (RECOMMENDED, ALTERNATIVE, TOO_DEAR)]
    rows = [
        {
            "heading": ROLES[row["role"]],
            "method": words.sentence(method_words(row)),
            "known": known_words(row),
            "loss": bounded(row["loss"], row["loss_low_simultaneous"], row["loss_high_simultaneous"], words.points),
            "gap": share(row["disparity"]),
            "change": bounded(
                row["change"], row["change_low_simultaneous"], row["change_high_simultaneous"], words.points
            ),
        }
        for row in pl.concat(kept).to_dicts()
    ]
    labels = {
        "known": "must know when deciding",
        "loss": "loss of balanced accuracy, points",
        "gap": "odds gap, points",
        "change": "its change, points",
    }
    return table(rows, labels, stub="method", heading="heading", right=["loss", "gap", "change"])


def _recommended(results: Results) -> Sequence[str]:
    frame = results.recommendation.filter(role=RECOMMENDED).select(METHOD)
    return frame.row(0) if frame.height else tuple(BASELINE.values())


def closures(results: Results, attribute: str | None = None) -> GT:
    """Every gap by the attribute that narrows beyond noise, the largest first, and whether groups gained or lost."""
    attribute = attribute or focus(results)
    rows = [
        {
            "heading": f"{METRICS[row['metric']].label}, {row['contrast']}",
            "method": words.sentence(method_words(row)),
            "change": words.points(row["estimate"]),
            "gained": words.few(row["gained"]),
            "lost": words.few(row["lost"]),
            "how": row["how"],
        }
        for metric in ("tpr", "fpr")
        for row in results.levelling.filter(pl.col("how") != NOT_NARROWED, attribute=attribute, metric=metric)
        .sort(pl.col("estimate").abs(), descending=True)
        .head(SHOWN)
        .to_dicts()
    ]
    labels = {
        "change": "change, points",
        "gained": "groups that gain",
        "lost": "groups that lose",
        "how": "so the gap narrowed by",
    }
    return table(rows, labels, stub="method", heading="heading", right=["change"])


def gains(results: Results, method: Sequence[str] | None = None) -> GT:
    """What a method changes for each group: of 1,000 sick, how many more are found; of 1,000 healthy, false alarms.

    `method` is (weighting, post-processing, target), by default the recommended one.
    """
    method = dict(zip(METHOD, method or _recommended(results), strict=True))
    frame = evidence.changes(results).filter(pl.col("contrast") != WIDEST, **method)
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for row in in_order(frame.filter(pl.col("metric").is_in(["tpr", "fpr"])).rename({"contrast": "group"})):
        own = rows.setdefault(
            (row["attribute"], row["group"]),
            {
                "heading": words.attribute_words(row["attribute"]),
                "group": "everyone" if row["group"] == "all" else row["group"],
            },
        )
        own[row["metric"]] = bounded(row["change"], row["low"], row["high"], words.per_thousand)
        own[f"{row['metric']}_verdict"] = row["verdict"]
    labels = {
        "tpr": "more sick found, of 1,000 sick",
        "tpr_verdict": "verdict",
        "fpr": "more false alarms, of 1,000 healthy",
        "fpr_verdict": "verdict",
    }
    return table(list(rows.values()), labels, stub="group", heading="heading", right=["tpr", "fpr"])
