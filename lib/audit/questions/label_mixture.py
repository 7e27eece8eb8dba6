"""Do the healthy of a group look as if some were sick? The share of them, fitted to their scores. By patient, on the baseline.

The scores of those labelled healthy in `group` are taken for a mixture of those of the healthy and of the sick in
`against`, H = (1 - x) H_a + x S_a, and x minimises the squared distance of the distribution functions over the scores of
`against`: x = sum (H_a - H)(H_a - S_a) / sum (H_a - S_a)^2, unbiased where the mixture holds, below 0 by noise alone.
`reading`:
  "as they are"           scores compared as they are: a group whose scores are all higher has x above 0 too
  "aligned on the sick"   logits of the group first moved and scaled so that its sick have the mean and the spread of the
                          sick in `against`: a shift of all the group's scores, which moves the operating point, is taken out
Sick images labelled healthy make both rise; so does, in the second, a group whose healthy are hard to tell from the sick for
another reason: scores alone cannot decide, relabelled images can. Assumes that those labelled sick are. Mixture with known components: Titterington,
Smith & Makov 1985, Statistical Analysis of Finite Mixture Distributions, ch. 4. Shares; means over networks; intervals over patients.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from lib.audit.columns import STANDARD, B, I, S
from lib.audit.context import Context
from lib.audit.inference import jackknife
from lib.audit.questions._curves import Array, Curve, compared, patients_of, told
from lib.names import BASELINE_WEIGHTING

name = "label_mixture"
KEYS = {"attribute": S, "group": S, "against": S, "reading": S, "patients": I, "estimable": B}
schema = (
    {column: S for column in ("attribute", "group", "against", "reading")} | STANDARD | {"patients": I, "estimable": B}
)
needs = ("scores",)
READINGS = ("as they are", "aligned on the sick")


def compute(context: Context) -> pl.DataFrame:
    population = context.population
    rows, pairs = [], []
    for attribute, group, reference, own, other in compared(population):
        fewest = patients_of(population, *(side & (population.labels == y) for side in (own, other) for y in (0, 1)))
        for names, masks in (((group, reference), (own, other)), ((reference, group), (other, own))):
            rows += [
                (attribute, *names, reading, fewest, fewest >= max(1, context.smallest_cell)) for reading in READINGS
            ]
            pairs.append(masks if fewest > 1 else None)
    if not rows:
        return pl.DataFrame(schema=schema)
    networks = [[_pair(context, row, masks) for masks in pairs] for row in context.scores[BASELINE_WEIGHTING]]

    def values(weights: Array) -> Array:
        lost = np.full(len(READINGS), np.nan)
        return np.stack(
            [np.concatenate([lost if own is None else own.shares(weights) for own in every]) for every in networks]
        )

    index = pl.DataFrame(rows, schema=KEYS, orient="row")
    return told(context, jackknife(index, BASELINE_WEIGHTING, values, patients=population.n_patients), schema)


def _pair(context: Context, scores: Array, masks) -> "Pair | None":
    return None if masks is None else Pair(*(Curve.of(context.population, scores, mask) for mask in masks))


@dataclass(frozen=True, eq=False)
class Pair:
    """One network's scores of a group and of the one that it is held against."""

    group: Curve
    against: Curve

    @cached_property
    def _grid(self) -> Array:
        """Logits at which distribution functions are compared: those of the group held against."""
        ones = np.ones(int(self.against.patients.max()) + 1)
        return np.sort(np.concatenate([self.against.logits(label, ones)[0] for label in (0, 1)]))

    def shares(self, weights: Array) -> Array:
        """x under both readings, (2,); NaN where nothing tells the sick from the healthy."""
        healthy, mass = self.group.logits(0, weights)
        ends = [_moments(*side.logits(1, weights)) for side in (self.group, self.against)]
        (mean, spread), (to_mean, to_spread) = ends
        aligned = (healthy - mean) / spread * to_spread + to_mean if spread > 0 else np.full(len(healthy), np.nan)
        well, ill = (_below(*self.against.logits(label, weights), self._grid) for label in (0, 1))
        apart = well - ill
        total = (apart**2).sum()
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.array(
                [((well - _below(own, mass, self._grid)) * apart).sum() / total for own in (healthy, aligned)]
            )


def _moments(values: Array, weights: Array) -> tuple[float, float]:
    mean = np.average(values, weights=weights)
    return mean, np.sqrt(np.average((values - mean) ** 2, weights=weights))


def _below(values: Array, weights: Array, at: Array) -> Array:
    """Share of the weight at or below each point."""
    if np.isnan(values).any():
        return np.full(len(at), np.nan)
    order = np.argsort(values)
    mass = np.concatenate([[0.0], np.cumsum(weights[order])])
    return mass[np.searchsorted(values[order], at, side="right")] / mass[-1]
