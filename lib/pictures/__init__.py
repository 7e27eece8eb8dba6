"""Aggregates that are looked at: mean radiographs, mean saliency, histograms of scores, misses by finding.

No row here is about one patient: pictures are means over at least `LEAST` distinct patients, bars of a histogram hold at
least `LEAST_IN_BIN`. `lib.pictures.grad_cam` needs torch and is imported by its name; the rest does not.
"""

from lib.pictures.cells import LEAST
from lib.pictures.histograms import LEAST_IN_BIN, score_histograms
from lib.pictures.misses import OTHER, misses
from lib.pictures.radiographs import mean_radiographs
from lib.pictures.saliency import BOX, OUTSIDE_IF_EVEN, mean_saliency

__all__ = [
    "BOX",
    "LEAST",
    "LEAST_IN_BIN",
    "OTHER",
    "OUTSIDE_IF_EVEN",
    "mean_radiographs",
    "mean_saliency",
    "misses",
    "score_histograms",
]
