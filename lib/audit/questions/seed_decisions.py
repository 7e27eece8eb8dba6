"""For whom does the decision hinge on the seed? Networks of one procedure compared on the same images. By patient.

  disagreement   chance that two networks, trained alike but for the seed, decide differently on an image: the mean over all
                 pairs of networks, which does not depend on how many there are
  split          share of those on whom the networks at hand are not of one mind; it grows with their number, `networks`
Among those labelled sick, those labelled healthy, and all of a group: 0 means that the seed decides nothing, .5 that
decisions are tosses of a coin. A group with more of it is treated more arbitrarily, whatever its error rates. Sources: Cooper et al. 2024, arXiv 2301.11562
(self-consistency = 1 - disagreement); arXiv 2507.19408. Intervals over patients and, from three networks on, over networks (disagreement is a
mean over pairs: each network's part by the jackknife); split is of these very networks.
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
    asked = [(cell, word, cell.images & images) for cell in population.cells for word, images in among.items()]
    images = np.stack([own for *_, own in asked], axis=1)
    split = Shares.of(population, 1 - decisions.prod(axis=0) - (1 - decisions).prod(axis=0), images)
    shares = [Shares.beside([Shares.of(population, own, images), split]) for own in disagreement(decisions)]
    keys = [
        (cell.attribute, cell.group, word, metric, len(decisions))
        for metric in ("disagreement", "split")
        for cell, word, _ in asked
    ]
    return levels_and_gaps(context, means(context, keys, KEYS, shares, np.tile(images.sum(axis=0), 2), bounds=(0, 1)))


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
