"""Captions: what is drawn, on what, and what the bars mean. What is seen stands in the title and the text."""

from lib.names import NOT_TOLD
from lib.report.words import Words, count, counted, spelled
from lib.results import Results


def caption(study: Results, exhibit: str) -> Words:
    """The caption of a figure or table, by the name of the function that makes it. Raises KeyError for another name."""
    cohort = study.manifest["cohort"]
    valid = f"{count(cohort['valid_images'])} validation images of {counted(cohort['valid_patients'], 'patient')}"
    train = f"{count(cohort['train_images'])} training images of {counted(cohort['train_patients'], 'patient')}"
    networks = f"{spelled(study.n_seeds, 'network')} for each weighting"
    bars = f"bars are 95 % intervals by patient{' and network' if study.n_seeds > 1 else ''}"
    text = {
        "weightings": f"The weightings of the {train}: range of the weights and effective share of the images.",
        "catalogue_changes": f"Change against the uniform head, at threshold 0.5; {valid}; last layers re-trained on the "
        f"features of {spelled(study.n_seeds, 'network')}; {bars}.",
        "weights": "Mean weight of the training images of each group and label; 1 is the baseline.",
        "baseline_groups": f"Rates of the untouched baseline by group, the rule is everyone; {valid}; {networks}; {bars}.",
        "baseline_gaps": f"Difference of each group from its reference, untouched baseline; {valid}; {networks}; {bars}.",
        "seed_spread": f"Each dot is one network at threshold 0.5; {valid}.",
        "weighting_changes": f"Change against the uniform baseline, at threshold 0.5; {valid}; {networks}; {bars}.",
        "performance": f"Balanced accuracy and AUC of each weighting at threshold 0.5; {valid}; {networks}; 95 % intervals.",
        "optimism": f"From the value on the patients that chose the thresholds to the cross-fitted one; {valid}; uniform weights.",
        "postprocessing_changes": f"Change against threshold 0.5, networks with uniform weights, cross-fitted; {valid}; {bars}.",
        "thresholds": "Thresholds by group, uniform weights: mean, smallest and largest over folds and networks.",
        "grid": f"Every weighting with every post-processing, cross-fitted; the baseline is outlined; {valid}; {networks}.",
        "grid_accuracy": f"Balanced accuracy of every combination, cross-fitted; the baseline is outlined; {valid}; {networks}.",
        "who_gains": f"From the untouched baseline to the named method, by group; {valid}; {networks}.",
        "decision": f"Methods, their price and their effect against the baseline, and what they must know; {valid}; {networks}.",
        "front": f"Balanced accuracy and odds gap (the larger of the TPR gap and the FPR gap) of every method, cross-fitted; off the "
        f"front only where another is better at both beyond noise; {valid}; {networks}; {bars}.",
        "relaxation": f"Balanced accuracy and gap of randomised thresholds by group as the allowed difference is loosened from 0 to "
        f"1, cross-fitted, at equal slack for every weighting; {valid}; {networks}.",
        "wrong_groups": f"Rules that ask for the group, uniform weights, cross-fitted, when a share of the patients is taken for "
        f"another group; {valid}; {bars}.",
        "closures": "Gaps that narrow beyond noise and the groups whose own rate improves or worsens beyond noise; the eight largest "
        f"of each kind; {valid}.",
        "gains": f"Change against the untouched baseline in patients of 1,000, with 95 % intervals; {valid}; {networks}.",
        "recommendation": "What the preferences of study.toml lead to: loss of balanced accuracy, odds gap and its change against "
        f"the untouched baseline, with intervals that hold for all candidates together (95 %); {valid}; {networks}.",
        "interval_levels": f"Intervals of the untouched baseline, resampling patients and resampling images; {valid}.",
        "calibration": f"Share of sick at each mean score, ten bins of as many images each, by group; uniform weights; {valid}; "
        f"{bars}.",
        "calibration_table": "Calibration by group: mean score minus share of sick, slope of the logistic recalibration (1 is right), "
        f"debiased calibration error and Brier score; {valid}; 95 % intervals.",
        "amplification": "Differences between groups in the labels and in the decisions of the same images, and the directional bias "
        f"amplification; {valid}; {networks}; {bars}.",
        "amplification_table": "The differences and the bias amplification in numbers, in points; verdicts corrected over attributes "
        f"(max-T); {valid}.",
        "intersections": f"Error rates where two attributes cross, against everyone's; {valid}; {networks}; 95 % intervals, verdicts "
        f"corrected over all crossings (max-T); undecided: {NOT_TOLD}.",
        "parity": f"Each demand of fairness in one figure, and the group that fares worst; untouched baseline; {valid}; {networks}.",
        "probes": "AUC of linear probes of the last features, fitted and judged on different patients; 0.5 is nothing, 1 is everything; "
        f"{valid}.",
    }[exhibit]
    return Words(text)
