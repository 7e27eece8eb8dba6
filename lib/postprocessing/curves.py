"""Relaxation curves: decisions under thresholds by group as the constraint is loosened, cross-fitted."""

from collections.abc import Sequence

from lib.names import ERRORS, ODDS
from lib.postprocessing.parity import relaxed
from lib.postprocessing.rules import decided
from lib.postprocessing.sample import Codes, Sample
from lib.postprocessing.thresholds import Array

SLACKS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 1.0)
"""Largest differences of a rate between groups that are allowed; 1 allows any."""
CONSTRAINTS = (*ERRORS, ODDS)
"""Which rates are constrained: one of them, or both."""
Relaxed = tuple[str, str, str, float]
"""Weighting, attribute, constraint and slack."""


def relaxed_decisions(
    samples: Sequence[Sample], scores: Array, groups: Codes, part: Codes, smallest_cell: int
) -> dict[tuple[str, float], Array]:
    """Held-out decisions (n,) of one network, by constraint and slack, of rules fitted on the sample of each fold.

    `scores`, `groups`, `part` (n,): of everyone, and the fold of each. The rules need the group when predicting. Cruz & Hardt 2023, arXiv
    2306.07261.
    """
    found = {}
    for constraint in CONSTRAINTS:
        rates = dict.fromkeys(ERRORS if constraint == ODDS else (constraint,), SLACKS)
        rules = zip(*(relaxed(sample, smallest_cell, **rates) for sample in samples), strict=True)
        for slack, of_slack in zip(SLACKS, rules, strict=True):
            found[constraint, slack] = decided(list(of_slack), scores, groups, part)
    return found
