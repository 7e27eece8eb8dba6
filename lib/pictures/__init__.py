"""Aggregates that are looked at: mean radiographs, mean saliency, histograms of scores.

No row here is about one patient: pictures are means over at least `LEAST` distinct patients, bars of a histogram hold at
least `LEAST_IN_BIN`. `lib.pictures.grad_cam` and `lib.pictures.tables` need torch and are imported by their names; the rest does not.
"""

from typing import Any

from lib.pictures import histograms as _histograms
from lib.pictures import radiographs as _radiographs
from lib.pictures import saliency as _saliency
from lib.pictures.cells import LEAST
from lib.pictures.histograms import LEAST_IN_BIN, score_histograms
from lib.pictures.radiographs import mean_radiographs
from lib.pictures.saliency import BOX, OUTSIDE_IF_EVEN, mean_saliency

SCHEMAS: dict[str, dict[str, Any]] = {
    "radiographs": _radiographs.SCHEMA,
    "saliency": _saliency.SCHEMA,
    "histograms": _histograms.SCHEMA,
}
"""Tables of the results bundle, by name; the modules say what is in them."""

__all__ = [
    "BOX",
    "LEAST",
    "LEAST_IN_BIN",
    "OUTSIDE_IF_EVEN",
    "SCHEMAS",
    "mean_radiographs",
    "mean_saliency",
    "score_histograms",
]
