"""Post-processing: decisions from scores, with the group or without, never judged on the patients that chose them.

processed = post_process(population, scores, names, attributes)     # decisions to audit, naive ones, thresholds
"""

from lib.postprocessing.crossfit import PostProcessed, post_process
from lib.postprocessing.deployed import Deployed, deploy
from lib.postprocessing.methods import REGISTRY, Mixture, PostProcessing, Rule, Sample, Thresholds

__all__ = [
    "REGISTRY",
    "Deployed",
    "Mixture",
    "PostProcessed",
    "PostProcessing",
    "Rule",
    "Sample",
    "Thresholds",
    "deploy",
    "post_process",
]
