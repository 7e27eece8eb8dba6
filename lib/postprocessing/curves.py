"""Relaxation curves: decisions under thresholds by group as the constraint is loosened, cross-fitted."""

from collections.abc import Mapping, Sequence

from lib.audit.inference import Population
from lib.names import ERRORS, ODDS
from lib.postprocessing.parity import relaxed
from lib.postprocessing.rules import decided
from lib.postprocessing.sample import Codes, Sample, Weights
from lib.postprocessing.thresholds import Array

SLACKS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 1.0)
"""Largest differences of a rate between groups that are allowed; 1 allows any."""
CONSTRAINTS = (*ERRORS, ODDS)
"""Which rates are constrained: one of them, or both."""
Relaxed = tuple[str, str, str, float]
"""Weighting, attribute, constraint and slack."""


def relaxed_decisions(
    population: Population,
    scores: Mapping[str, Sequence[Array]],
    folds: Sequence[Codes],
    attributes: Sequence[str],
    *,
    weights: Weights = "patient",
    smallest_cell: int = 20,
) -> dict[Relaxed, list[Array]]:
    """Held-out decisions (n,) of each network, by weighting, attribute, constraint and slack.

    `scores[weighting]` and `folds` hold an array (n,) for each network. The rules need the group when predicting.
    Cruz & Hardt 2023, arXiv 2306.07261.
    """
    found: dict[Relaxed, list[Array]] = {}
    for weighting, networks in scores.items():
        for attribute in attributes:
            groups = population.groups[attribute]
            for own, part in zip(networks, folds, strict=False):
                columns = (own, population.labels, population.patients, groups)
                samples = [Sample(*(c[part != k] for c in columns), weights) for k in range(part.max() + 1)]
                for constraint in CONSTRAINTS:
                    rates = dict.fromkeys(ERRORS if constraint == ODDS else (constraint,), SLACKS)
                    rules = zip(*(relaxed(sample, smallest_cell, **rates) for sample in samples), strict=True)
                    for slack, of_slack in zip(SLACKS, rules, strict=True):
                        key = weighting, attribute, constraint, slack
                        found.setdefault(key, []).append(decided(list(of_slack), own, groups, part))
    return found
