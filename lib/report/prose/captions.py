"""Captions: what is drawn, on what, and what the bars mean. What is seen stands in the title and the text."""

from lib.report.words import Words, count, counted, spelled
from lib.results import Results


def caption(study: Results, exhibit: str) -> Words:
    """The caption of a figure or table, by the name of the function that makes it. Raises KeyError for another name."""
    cohort = study.manifest["cohort"]
    valid = f"{count(cohort['valid_images'])} validation images of {counted(cohort['valid_patients'], 'patient')}"
    networks = f"{spelled(study.n_seeds, 'network')} for each weighting"
    bars = f"bars are 95 % intervals by patient{' and network' if study.n_seeds > 1 else ''}"
    text = {
        "optimism": f"From the value on the patients that chose the thresholds to the cross-fitted one; {valid}; uniform weights.",
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
    }[exhibit]
    return Words(text)
