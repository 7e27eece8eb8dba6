"""The rule that would be deployed: fitted once, on everyone, for one network, and refitted in resamples of patients.

Means over folds and networks, by which methods are judged, are means of rules whose errors cancel; a hospital gets one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lib.audit.inference import Population, patient_weights
from lib.names import NO_TARGET
from lib.postprocessing.methods import REGISTRY, Rule
from lib.postprocessing.sample import Codes, Sample, Weights
from lib.postprocessing.thresholds import Array

REFITS = 200


@dataclass(frozen=True, eq=False)
class Deployed:
    """A rule fitted on all patients, and the rules that B resamples of them would have given; `times` (B, P), how often
    each patient is in each. `scores` (n,) of the network, `groups` (n,) that the rule asks for.
    """

    scores: Array
    groups: Codes
    rule: Rule
    refitted: Sequence[Rule]
    times: Array

    def decisions(self) -> Array:
        """Of the rule in hand on these patients, (n,)."""
        return self.rule.decide(self.scores, self.groups)

    def redecided(self) -> Iterable[Array]:
        """Of each refitted rule on the patients of the cohort, (n,), whether or not they were in its resample."""
        return (rule.decide(self.scores, self.groups) for rule in self.refitted)


def deploy(
    population: Population,
    scores: Array,
    names: Sequence[str],
    attributes: Sequence[str],
    *,
    weights: Weights = "patient",
    smallest_cell: int = 20,
    refits: int = REFITS,
    seed: int = 0,
) -> dict[tuple[str, str], Deployed]:
    """Rules by (post-processing, target attribute or `none`), fitted on all images of one network's scores (n,).

    Each is refitted in `refits` resamples of patients, drawn with replacement, the same for all rules; a patient drawn twice counts
    as two. About a millisecond a refit for 1,300 images.
    """
    times = patient_weights(population.n_patients, refits, seed)
    found = {}
    for target in (NO_TARGET, *attributes):
        methods = [own for own in map(REGISTRY.get, names) if own.fits_group == (target != NO_TARGET)]
        groups = population.groups.get(target, np.full(population.n_images, -1))
        everyone = Sample(scores, population.labels, population.patients, groups, weights)
        rules = {m.name: m.fit(everyone, smallest_cell) for m in methods}
        again: dict[str, list[Rule]] = {m.name: [] for m in methods}
        for row in times:
            sample = everyone.resampled(row)
            # a resample without one of the labels fits nothing: the rule in hand stands in for it
            both = len(np.unique(sample.labels)) == 2
            for m in methods:
                again[m.name].append(m.fit(sample, smallest_cell) if both else rules[m.name])
        found |= {(m.name, target): Deployed(scores, groups, rules[m.name], again[m.name], times) for m in methods}
    return found
