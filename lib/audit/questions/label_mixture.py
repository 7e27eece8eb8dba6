"""Do the healthy of a group look as if some were sick? The share of them, fitted to their scores. By patient, on the baseline.

The scores of those labelled healthy in `group` are taken for a mixture of those of the healthy and of the sick in
`against`, H = (1 - x) H_a + x S_a, and x minimises the squared distance of the distribution functions over the scores of
`against`: x = sum (H_a - H)(H_a - S_a) / sum (H_a - S_a)^2, unbiased where the mixture holds, below 0 by noise alone.
`reading`:
  "as they are"           scores compared as they are: a group whose scores are all higher has x above 0 too
  "aligned"               logits of the group first moved, by what leaves the least distance, weighed by patients, of its healthy from
                          the mixture and of its sick from S_a: a shift of all its scores, which moves the operating point, is taken out
Sick images labelled healthy make both rise; so does, in the second, a group whose healthy are hard to tell from the sick for
another reason: scores alone cannot decide, relabelled images can. Assumes that those labelled sick are. Mixture with known components: Titterington,
Smith & Makov 1985, Statistical Analysis of Finite Mixture Distributions, ch. 4. The scores are the mean logits of all networks, better
informed than those of each: the question is about labels, and networks only read them. Shares; intervals over patients, these networks held.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import logit

from lib.audit.columns import STANDARD, B, I, S
from lib.audit.context import Context
from lib.audit.inference import Population, jackknife
from lib.audit.questions._curves import Array, Mask, counted, once_each
from lib.names import BASELINE_WEIGHTING

name = "label_mixture"
KEYS = ("attribute", "group", "against", "reading")
schema = dict.fromkeys(KEYS, S) | STANDARD | {"patients": I, "estimable": B}
needs = ("scores", "pairs")
READINGS = ("as they are", "aligned")


def compute(context: Context) -> pl.DataFrame:
    population, cells = context.population, context.population.cells
    logits = logit(np.clip(context.scores[BASELINE_WEIGHTING], EDGE, 1 - EDGE)).mean(axis=0)
    sides = [
        [Rising.of(population, logits, cell.images & (population.labels == label)) for label in (0, 1)]
        for cell in cells
    ]
    both = [pair for *_, (g, r) in population.pairs for pair in ((g, r), (r, g))]
    fewest = [int(population.sizes[1][[*pair], :2].min()) for pair in both]
    every = [Pair(sides[g], sides[r]) if patients > 1 else None for (g, r), patients in zip(both, fewest, strict=True)]

    def values(weights: Array) -> Array:
        lost = np.full(len(READINGS), np.nan)
        return np.concatenate([lost if own is None else own.shares(weights) for own in every])

    keys = [(cells[g].attribute, cells[g].group, cells[r].group, reading) for g, r in both for reading in READINGS]
    index = counted(context, keys, KEYS, np.repeat(fewest, len(READINGS)))
    return context.describe(jackknife(index, BASELINE_WEIGHTING, values, patients=population.n_patients)).table()


EDGE = 1e-4
"""Scores are kept this far from 0 and 1, where they have no logit."""
POINTS = 200
"""At how many of the scores of the group held against distributions are compared, at most."""
SHIFTS = np.linspace(-1.6, 1.6, 41)
"""By how many standard deviations of those scores the group is moved in turn; in between, by the parabola through the best three."""


@dataclass(frozen=True, eq=False)
class Rising:
    """Logits of one side's scores, rising, with each one's part of its patient, and the patient, all (m,)."""

    values: Array
    part: Array
    patients: Array

    @classmethod
    def of(cls, population: Population, logits: Array, images: Mask) -> "Rising":
        """Of logits (n,) on the chosen images (n,)."""
        own = np.flatnonzero(images)
        own = own[np.argsort(logits[own])]
        return cls(logits[own], once_each(population.patients, images)[own], population.patients[own])

    def below(self, weights: Array, reached: Array) -> Array:
        """Share of the weight among the first `reached` of the scores."""
        mass = np.concatenate([[0.0], np.cumsum(self.part * weights[self.patients])])
        return mass[reached] / mass[-1]


class Pair:
    """Scores of a group and of the one that it is held against, the healthy and the sick."""

    def __init__(self, group: Sequence[Rising], against: Sequence[Rising]):
        self._own, self._sides = group, against
        every = np.concatenate([side.values for side in self._sides])
        self._grid = np.quantile(every, np.linspace(0, 1, min(POINTS, len(every))), method="inverted_cdf")
        self._reached = [np.searchsorted(side.values, self._grid, side="right") for side in self._sides]
        moved = self._grid + np.append(SHIFTS * self._grid.std(), 0)[:, None]  # the last: as they are
        self._moved = [np.searchsorted(side.values, moved, side="right") for side in group]
        self._people = [np.unique(side.patients) for side in group]

    def shares(self, weights: Array) -> Array:
        """x under both readings, (2,); NaN where nothing tells the sick from the healthy."""
        with np.errstate(invalid="ignore", divide="ignore"):
            well, ill = (side.below(weights, at) for side, at in zip(self._sides, self._reached, strict=True))
            healthy, sick = (side.below(weights, at) for side, at in zip(self._own, self._moved, strict=True))
            apart = well - ill
            every = (well - healthy) @ apart / (apart @ apart)
            x = every[:-1]
            off = ((healthy[:-1] - well + x[:, None] * apart) ** 2).sum(axis=1), ((sick[:-1] - ill) ** 2).sum(axis=1)
            cost = sum(weights[people].sum() * own for people, own in zip(self._people, off, strict=True))
            if not np.isfinite(cost).all():
                return np.array([every[-1], np.nan])
            k = int(np.clip(cost.argmin(), 1, len(x) - 2))
            before, least, after = cost[k - 1 : k + 2]
            bend = before - 2 * least + after
            step = np.clip((before - after) / (2 * bend), -1, 1) if bend > 0 else 0.0
        return np.array([every[-1], np.interp(k + step, np.arange(len(x)), x)])
