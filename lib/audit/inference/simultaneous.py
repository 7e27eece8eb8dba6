"""Many figures at once: how large the largest of a family's errors is, and step-down p-values from it.

The errors of a family share patients and networks. Their joint distribution is that of the multiplier bootstrap: every
patient's influence, and every network's deviation, times a standard normal of its own (Chernozhukov, Chetverikov & Kato 2013,
doi 10.1214/13-AOS1161), each figure over its standard error. Step-down (Westfall & Young 1993; Romano & Wolf 2005, doi
10.1198/016214504000000539): the largest figure is compared with the largest error of all, the next with that of the others, and so on.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import binom, qmc

from lib.audit.inference.cells import Array
from lib.audit.inference.variance import Summary, all_network_rows
from lib.audit.inference.verdicts import ALPHA

FIRST, MOST, NUMBERS = 2**13, 2**20, 2**25
"""Draws to begin with, the most that are made, and the most numbers that those of a small family take."""
WORK = 2**34
"""Products of numbers, seconds of work, after which no draws are added to a large family."""
SMALL = 128
"""Figures up to which draws are those of a scrambled Sobol sequence, whose error is far below that of chance."""
SURE = 1e-4
"""A p is clear of 5 % when chance would put it on the other side less often than this."""


def stepped(family: Sequence[Summary], size: Array, *, seed: int = 0) -> tuple[Array, float]:
    """Adjusted p (K,), and the critical value that the largest error stays under in 95 %.

    `size` (K,): two-sided single p as absolute normal deviates. Draws are added until every p is clear of 5 %.
    """
    root, alone = _root(family)
    order = np.argsort(size, kind="stable")  # the largest last: each is compared with the largest error up to itself
    count, sizes = len(size), size[order].astype(np.float32)
    reached = np.zeros(count, dtype=np.int64)
    largest: list[Array] = []
    draws = 0
    for block in _blocks(root[:, order], alone[order], seed):
        np.maximum.accumulate(np.abs(block, out=block), axis=1, out=block)
        reached += (block >= sizes).sum(axis=0)
        largest.append(block[:, -1].copy())
        draws += len(block)
        if draws >= FIRST and _clear(reached, draws):
            break
    # beyond the draws, each step's sum of single p-values bounds it (Holm)
    at_most = np.arange(1, count + 1) * 2 * ndtr(-size[order])
    p = np.minimum((reached + 1) / (draws + 1), np.where(reached == 0, at_most, 1))
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[::-1])[::-1], 1)
    rank = int(np.floor(ALPHA * (draws + 1))) - 1
    critical = np.sort(np.concatenate(largest))[-1 - rank]
    return adjusted, float(critical)


def _clear(reached: Array, draws: int) -> bool:
    """Whether no p can be on the other side of 5 % by chance."""
    low, high = binom.ppf([SURE / 2, 1 - SURE / 2], draws, ALPHA)
    return not ((reached >= low) & (reached <= high)).any()


def _root(family: Sequence[Summary]) -> tuple[Array, Array]:
    """Rows (R, K) of influences over their norm, whose products are the correlations; and whether a figure has none, (K,)."""
    rows = np.concatenate([own.rows for own in family], axis=1)
    root = np.concatenate([rows, *all_network_rows(family).values()])
    norm = np.sqrt((root.astype(np.float64) ** 2).sum(axis=0))
    alone = (norm == 0).astype(np.float32)  # a figure in which nobody differs: on its own
    return root / np.where(norm > 0, norm, 1).astype(np.float32), alone


def _blocks(root: Array, alone: Array, seed: int) -> Iterator[Array]:
    """Errors of a family over their standard errors, (block, K), again and again."""
    rows, count = root.shape
    if count <= rows:
        joint = root.T.astype(np.float64) @ root + np.diag(alone.astype(np.float64) ** 2)
        values, vectors = np.linalg.eigh(joint)
        root, alone = ((vectors * np.sqrt(np.maximum(values, 0))).T).astype(np.float32), np.zeros(count, np.float32)
    width = len(root)
    if count <= SMALL:
        sobol = qmc.Sobol(width, scramble=True, rng=np.random.default_rng([seed, width]))
        size = FIRST
        for _ in range(min(MOST, NUMBERS // count) // FIRST):
            uniform = np.clip(sobol.random(size), 1e-12, 1 - 1e-12)
            yield ndtri(uniform).astype(np.float32) @ root
        return
    generator = np.random.default_rng([seed, width])
    size = 1024
    for _ in range(max(FIRST // size, min(MOST, max(FIRST, WORK // (width * count))) // size)):
        block = generator.standard_normal((size, width), dtype=np.float32) @ root
        if alone.any():
            block += alone * generator.standard_normal((size, count), dtype=np.float32)
        yield block
