"""The table of the recommendation with its rivals, and what a method must know."""

import polars as pl
from great_tables import GT

from lib.names import ALTERNATIVE, DEFAULTS, RECOMMENDED, SET_ASIDE, TOO_DEAR, must_know
from lib.report import words
from lib.report.tables.cells import bounded, share, table
from lib.report.words import attribute_words, method_words
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


def known_words(method: dict[str, str]) -> str:
    """What must be known when deciding: `the image only`, `view, of the image`, `sex, of the patient`."""
    known = must_know(method["postprocessing"], method["target"])
    if known is None:
        return "the image only"
    if known not in DEFAULTS:
        return known
    return f"{attribute_words(known)}, {'of the patient' if DEFAULTS[known].of_patient else 'of the image'}"
