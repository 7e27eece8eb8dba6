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

from lib.audit.columns import STANDARD, B, I, S, with_figures
from lib.audit.context import Context
from lib.audit.inference import ratio
from lib.audit.questions._curves import Array, Shares, levels_and_gaps
from lib.names import BASELINE, BASELINE_WEIGHTING

name = "seed_decisions"
KEYS = dict.fromkeys(("attribute", "group", "contrast", "among", "metric"), S)
KEYS |= {"networks": I, "images": I, "patients": I, "estimable": B}
schema = with_figures(KEYS, STANDARD)
needs = ("networks",)
AMONG = ("sick", "healthy", "all")


def compute(context: Context) -> list[pl.DataFrame]:
    population, decisions = context.population, context.decisions[BASELINE]
    kept = [population.labels == 1, population.labels == 0, np.ones(population.n_images, dtype=bool)]
    images = np.stack([cell.images & among for cell in population.cells for among in kept], axis=1)
    split = 1 - decisions.prod(axis=0) - (1 - decisions).prod(axis=0)
    parts = [
        [Shares.of(population, np.broadcast_to(row[:, None], images.shape), images) for row in (own, split)]
        for own in disagreement(decisions)
    ]
    numerators = np.stack([np.concatenate([own.totals for own in both], axis=1) for both in parts])
    denominators = np.concatenate([parts[0][0].there] * 2, axis=1)
    patients = parts[0][0].there.sum(axis=0).astype(int)
    rows = []
    for metric in ("disagreement", "split"):
        for k, (cell, among) in enumerate((cell, among) for cell in population.cells for among in AMONG):
            enough = bool(patients[k] >= max(1, context.smallest_cell))
            counts = len(decisions), int(images[:, k].sum()), int(patients[k]), enough
            rows.append((cell.attribute, cell.group, None, among, metric, *counts))
    levels = ratio(
        pl.DataFrame(rows, schema=KEYS, orient="row"), BASELINE_WEIGHTING, numerators, denominators, bounds=(0, 1)
    )
    return levels_and_gaps(context, levels, KEYS)


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
