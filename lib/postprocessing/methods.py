"""Every post-processing by name: fitted on scores, labels and groups, it gives a rule that sees scores and groups only."""

from collections.abc import Callable
from dataclasses import dataclass

from lib.names import BASELINE_POSTPROCESSING
from lib.postprocessing import calibrated_odds, group_thresholds, parity, recalibration
from lib.postprocessing.reject_option import reject_option
from lib.postprocessing.rules import Mixture, Rule, Thresholds
from lib.postprocessing.sample import Codes, Sample

__all__ = ["REGISTRY", "Codes", "Mixture", "PostProcessing", "Rule", "Sample", "Thresholds"]


@dataclass(frozen=True)
class PostProcessing:
    """A way to turn scores into decisions: `fit(sample, smallest_cell)` gives its rule.

    `fits_group`: fitting looks at a group, so there is one rule for each target attribute. `needs_group`: the rule asks
    for the group of each image when predicting, too. `randomised`: its decisions are chances.
    """

    name: str
    fits_group: bool
    needs_group: bool
    fit: Callable[[Sample, int], Rule]
    randomised: bool = False


def _by_group(name: str, fit: Callable[[Sample, int], Rule], randomised: bool = False) -> PostProcessing:
    return PostProcessing(name, True, True, fit, randomised)


REGISTRY: dict[str, PostProcessing] = {
    method.name: method
    for method in (
        PostProcessing(BASELINE_POSTPROCESSING, False, False, group_thresholds.fixed),
        PostProcessing("best_threshold", False, False, group_thresholds.pooled_best),
        PostProcessing("minimax_threshold", True, False, group_thresholds.minimax),
        _by_group("group_best_threshold", group_thresholds.group_best),
        _by_group("equal_tpr", group_thresholds.equal_tpr),
        _by_group("equal_fpr", group_thresholds.equal_fpr),
        _by_group("equal_selection", group_thresholds.equal_selection),
        _by_group("equal_opportunity", parity.equal_opportunity, randomised=True),
        _by_group("equalized_odds", parity.equalized_odds, randomised=True),
        _by_group("reject_option", reject_option),
        _by_group("calibrated_odds_fnr", calibrated_odds.fnr, randomised=True),
        _by_group("calibrated_odds_fpr", calibrated_odds.fpr, randomised=True),
        _by_group("calibrated_odds_weighted", calibrated_odds.weighted, randomised=True),
        _by_group("platt", recalibration.platt),
        _by_group("temperature", recalibration.temperature),
        _by_group("isotonic", recalibration.isotonic),
        _by_group("level_up_tpr", group_thresholds.level_up_tpr),
        _by_group("level_up_accuracy", group_thresholds.level_up_accuracy),
    )
}
"""Every post-processing, by the name that `study.toml` uses."""
