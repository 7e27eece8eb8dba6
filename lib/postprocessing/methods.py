"""Every post-processing by name: fitted on scores, labels and groups, it gives a rule that sees scores and groups only."""

from collections.abc import Callable
from dataclasses import dataclass

from lib.names import BASELINE_POSTPROCESSING, DECIDE_WITHOUT_GROUP
from lib.postprocessing import calibrated_odds, group_thresholds, parity, recalibration
from lib.postprocessing.reject_option import reject_option
from lib.postprocessing.rules import Mixture, Rule, Thresholds
from lib.postprocessing.sample import Codes, Sample

__all__ = ["REGISTRY", "Codes", "Mixture", "PostProcessing", "Rule", "Sample", "Thresholds"]


@dataclass(frozen=True)
class PostProcessing:
    """A way to turn scores into decisions: `fit(sample, smallest_cell)` gives its rule.

    `fits_group`: fitting looks at a group, so there is one rule for each target attribute.
    """

    name: str
    fits_group: bool
    fit: Callable[[Sample, int], Rule]

    @property
    def needs_group(self) -> bool:
        """Whether the rule asks for the group of each image when predicting, too."""
        return self.name not in DECIDE_WITHOUT_GROUP


REGISTRY: dict[str, PostProcessing] = {
    method.name: method
    for method in (
        PostProcessing(BASELINE_POSTPROCESSING, False, group_thresholds.fixed),
        PostProcessing("best_threshold", False, group_thresholds.pooled_best),
        PostProcessing("minimax_threshold", True, group_thresholds.minimax),
        PostProcessing("group_best_threshold", True, group_thresholds.group_best),
        PostProcessing("equal_tpr", True, group_thresholds.equal_tpr),
        PostProcessing("equal_fpr", True, group_thresholds.equal_fpr),
        PostProcessing("equal_selection", True, group_thresholds.equal_selection),
        PostProcessing("equal_opportunity", True, parity.equal_opportunity),
        PostProcessing("equalized_odds", True, parity.equalized_odds),
        PostProcessing("reject_option", True, reject_option),
        PostProcessing("calibrated_odds_fnr", True, calibrated_odds.fnr),
        PostProcessing("calibrated_odds_fpr", True, calibrated_odds.fpr),
        PostProcessing("calibrated_odds_weighted", True, calibrated_odds.weighted),
        PostProcessing("platt", True, recalibration.platt),
        PostProcessing("temperature", True, recalibration.temperature),
        PostProcessing("isotonic", True, recalibration.isotonic),
        PostProcessing("level_up_tpr", True, group_thresholds.level_up_tpr),
        PostProcessing("level_up_accuracy", True, group_thresholds.level_up_accuracy),
    )
}
"""Every post-processing, by the name that `study.toml` uses."""
