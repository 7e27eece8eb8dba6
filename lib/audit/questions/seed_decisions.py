"""For whom does the decision hinge on the seed? Networks of one procedure compared on the same images. By patient.

  disagreement   chance that two networks, trained alike but for the seed, decide differently on an image: the mean over all
                 pairs of networks, which does not depend on how many there are
  split          share of those on whom the networks at hand are not of one mind; it grows with their number, `networks`
Among those labelled sick, those labelled healthy, and all of a group: 0 means that the seed decides nothing, .5 that
decisions are tosses of a coin. A group with more of it is treated more arbitrarily, whatever its error rates. Sources: Cooper et al. 2024, arXiv 2301.11562
(self-consistency = 1 - disagreement); arXiv 2507.19408. Intervals over patients and, from three networks on, over networks (disagreement is a
mean over pairs: each network's part by the jackknife; levels in logarithms, for few networks that happen to agree also seem to vary little: of five
that differ by a shift, intervals then miss in 5 %, not 8); split is of these very networks.
"""

import numpy as np
import polars as pl

from lib.audit.columns import COUNTED, STANDARD, I, S
from lib.audit.context import Context
from lib.audit.questions._curves import Array, Shares, levels_and_gaps, means
from lib.names import BASELINE

name = "seed_decisions"
KEYS = ("attribute", "group", "among", "metric", "networks")
schema = dict.fromkeys(("attribute", "group", "contrast", "among", "metric"), S) | STANDARD | {"networks": I} | COUNTED
needs = ("networks",)


def compute(context: Context) -> list[pl.DataFrame]:
    population, decisions = context.population, context.decisions[BASELINE]
    among = {"sick": population.labels == 1, "healthy": population.labels == 0, "all": population.labels >= 0}
    parts = [(cell, word, cell.images & side) for cell in population.cells for word, side in among.items()]
    images = np.stack([members for *_, members in parts], axis=1)
    split = Shares.of(population, 1 - decisions.prod(axis=0) - (1 - decisions).prod(axis=0), images)
    shares = [Shares.beside([Shares.of(population, row, images), split]) for row in disagreement(decisions)]
    keys = [
        (cell.attribute, cell.group, word, metric, len(decisions))
        for metric in ("disagreement", "split")
        for cell, word, _ in parts
    ]
    figures = means(context, keys, KEYS, shares, np.tile(images.sum(axis=0), 2), bounds=(0, 1))
    levels, *differences = levels_and_gaps(context, figures)
    return [_in_logarithms(levels), *differences]


def _in_logarithms(levels: pl.DataFrame) -> pl.DataFrame:
    """The levels with intervals of disagreement that are even in logarithms, where networks are drawn."""
    chosen = (pl.col("metric") == "disagreement") & (pl.col("networks") > 2) & (pl.col("estimate") > 0)
    factor = (pl.col("high") / pl.col("estimate") - 1).exp()
    ends = {"low": pl.col("estimate") / factor, "high": pl.min_horizontal(pl.col("estimate") * factor, 1.0)}
    return levels.with_columns(pl.when(chosen).then(end).otherwise(name).alias(name) for name, end in ends.items())


def disagreement(decisions: Array) -> Array:
    """Each network's part in the chance that two of S decide differently, (S, n), of expected decisions (S, n).

    Their mean over networks is the mean over pairs; from three networks on they are jackknife pseudo-values, whose spread is that of
    a mean over pairs (Efron & Stein 1981, doi 10.1214/aos/1176345462).
    """
    count = len(decisions)
    with_each = decisions.sum(axis=0) * (1 - decisions) + (count - decisions.sum(axis=0)) * decisions
    with_each -= 2 * decisions * (1 - decisions)  # a network is no pair with itself
    total = with_each.sum(axis=0) / 2
    every = 2 * total / (count * (count - 1))
    if count < 3:
        return np.broadcast_to(every, decisions.shape)
    without = 2 * (total - with_each) / ((count - 1) * (count - 2))
    return count * every - (count - 1) * without
