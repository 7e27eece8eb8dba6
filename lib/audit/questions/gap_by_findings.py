"""Is the TPR gap a matter of which findings each group has? Its part by composition, and what stays at equal findings.

A sick image with k findings counts 1/k under each. With m_gf the share of finding f among the sick of group g, and T_gf
its TPR there, against reference r, by patient:
  composition   = sum over f of (m_gf - m_rf) (T_gf + T_rf) / 2
  same findings = sum over f of (T_gf - T_rf) (m_gf + m_rf) / 2
which add up to the `whole` gap: Kitagawa 1955, doi 10.1080/01621459.1955.10501299. Findings with fewer than ten
patients in either group are taken together; one that still lacks in a group has the other's TPR there. A gap that stays at
equal findings is not due to what is in the lungs, as far as the reports name it. Needs the findings. Differences of rates;
means over networks; intervals over patients.
"""

import numpy as np
import polars as pl

from lib.audit.columns import STANDARD, B, I, S
from lib.audit.context import Context
from lib.audit.inference import jackknife
from lib.audit.questions._curves import Array, Mask, counted, once_each
from lib.audit.questions._findings import findings
from lib.names import BASELINE, BASELINE_WEIGHTING

name = "gap_by_findings"
KEYS = ("attribute", "contrast", "metric", "part")
schema = dict.fromkeys(KEYS, S) | STANDARD | {"patients": I, "estimable": B}
needs = ("findings", "pairs")
PARTS = ("whole", "composition", "same findings")
FEWEST = 10
"""Patients of a finding in each group, under which it is taken together with others."""


def compute(context: Context) -> pl.DataFrame:
    population, sick = context.population, context.population.labels == 1
    _, has = findings(context.people, sick)
    fewest = [int(population.sizes[1][[*pair], 1].min()) for *_, pair in population.pairs]
    tables = [
        _tables(context, has, [population.cells[k].images & sick for k in pair]) if patients else None
        for (*_, pair), patients in zip(population.pairs, fewest, strict=True)
    ]
    networks = len(context.decisions[BASELINE])

    def values(weights: Array) -> Array:
        lost = np.full((networks, len(PARTS)), np.nan)
        return np.concatenate([lost if own is None else _parts(own, weights) for own in tables], axis=1)

    keys = [(attribute, contrast, "tpr", part) for attribute, contrast, *_ in population.pairs for part in PARTS]
    index = counted(context, keys, KEYS, np.repeat(fewest, len(PARTS)))
    return context.describe(jackknife(index, BASELINE_WEIGHTING, values, patients=population.n_patients)).table()


def _tables(context: Context, has: Mask, sides: list[Mask]) -> list[tuple[Array, Array]]:
    """Sums by patient, for the group and the reference: shares of findings (P, F), and calls under them (S, P, F)."""
    population = context.population
    common = (
        np.min([(population.sums_by_patient(has & side[:, None]) > 0).sum(axis=0) for side in sides], axis=0) >= FEWEST
    )
    part = np.concatenate([has[:, common], has[:, ~common].any(axis=1, keepdims=True)], axis=1).astype(float)
    part /= np.maximum(part.sum(axis=1, keepdims=True), 1)
    found = []
    for side in sides:
        own = part * once_each(population.patients, side)[:, None]
        called = [population.sums_by_patient(own * row[:, None]) for row in context.decisions[BASELINE]]
        found.append((population.sums_by_patient(own), np.stack(called)))
    return found


def _parts(tables: list[tuple[Array, Array]], weights: Array) -> Array:
    """Whole, composition, same findings, (S, 3), under weights of patients (P,)."""
    mixes, rates = [], []
    for mass, called in tables:
        there = weights @ mass
        mixes.append(there / there.sum())
        with np.errstate(invalid="ignore", divide="ignore"):
            rates.append(np.einsum("p,spf->sf", weights, called) / there)
    rates = [np.where(np.isnan(own), other, own) for own, other in (rates, rates[::-1])]
    rates = np.nan_to_num(rates)  # a finding that lacks in both has no share
    composition = ((mixes[0] - mixes[1]) * (rates[0] + rates[1]) / 2).sum(axis=1)
    same = ((rates[0] - rates[1]) * (mixes[0] + mixes[1]) / 2).sum(axis=1)
    return np.stack([composition + same, composition, same], axis=1)
