"""Post-processing: decisions from scores, with the group or without, never judged on the patients that chose them.

processed = post_process(population, scores, names, attributes)     # decisions to audit, naive ones, thresholds
optimism(population, processed, lib.audit.point_values)             # what judging them in place would have promised
"""

from lib.postprocessing.crossfit import PostProcessed, post_process
from lib.postprocessing.curves import relaxation
from lib.postprocessing.methods import REGISTRY, Mixture, PostProcessing, Rule, Sample, Thresholds
from lib.postprocessing.optimism import optimism

__all__ = [
    "REGISTRY",
    "Mixture",
    "PostProcessed",
    "PostProcessing",
    "Rule",
    "Sample",
    "Thresholds",
    "optimism",
    "post_process",
    "relaxation",
]
