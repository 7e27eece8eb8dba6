"""How far can the audit be trusted? Its intervals, p-values and words on cohorts whose truth is known.

Cohorts are drawn from a simulated population and, where a file is given, from real scores. Intervals are those of
`lib.audit.inference`; many cohorts are worked out side by side, as columns of the same figures, which changes none of them.
`benchmarks.trust` runs it.
"""

from dataclasses import replace
from functools import cache
from unittest.mock import patch

import numpy as np
import polars as pl

from benchmarks.methods import Setting, jitter, true_levels, world_of
from benchmarks.simulation import Batch, draw
from benchmarks.tally import Tally, Told
from lib.audit.inference import Figures, Population, pool, ratio, simultaneous, summary
from lib.audit.metrics import Unit

BATCH = {375: 10, 1500: 5}
"""Cohorts that are worked out side by side; of the larger ones there are a quarter as many."""
NETWORKS = (2, 3, 5)
"""Networks of each procedure; and a single one."""
AGREE, FULL = 20, 2
"""Seeds that are compared, on so many batches of each setting."""
DRAWS = 2**15
"""Most draws of a family's largest error in the other batches; the audit adds up to 2^20 while a p is near .05. Single intervals draw
nothing. Of 990 families of 60 cohorts, three then had another word: something was shown in 292, and in 291 with all draws."""


def settings(sources: tuple[str, ...]) -> list[Setting]:
    """Every combination; gaps that are set are for power."""
    found = []
    for source in sources:
        for patients in (375, 1500):
            for unit in Unit:
                found += [Setting(source, world, unit, patients) for world in ("gaps", "none")]
        found += [Setting(source, f"gap {gap}", Unit.PATIENT, 375) for gap in (5, 10, 20, 30)]
    return found


@cache
def asked_of(setting: Setting, cohorts: int) -> tuple[tuple, pl.DataFrame, pl.DataFrame, np.ndarray, np.ndarray]:
    """What is asked of a cohort; index of the cells and of the figures of all cohorts, and the matrix and offset in between.

    Asked of each cohort: TPR and FPR of every cell, balanced accuracy of everyone, and the gaps in TPR and FPR.
    """
    people = world_of(setting, "baseline").population
    cells = [(c.attribute, c.group, m) for m in ("tpr", "fpr") for c in people.cells]
    at = {key: k for k, key in enumerate(cells)}
    asked = [("level", *key) for key in cells] + [("level", "overall", "all", "balanced_accuracy")]
    for name, attribute in people.attributes.items():
        for metric in ("tpr", "fpr"):
            for group in attribute.groups:
                if group != attribute.reference:
                    asked.append(("gap", name, f"{group} - {attribute.reference}", metric))
    matrix, offset = np.zeros((len(cells), len(asked))), np.zeros(len(asked))
    for k, (kind, attribute, what, metric) in enumerate(asked):
        if kind == "gap":
            one, two = what.split(" - ")
            matrix[at[attribute, one, metric], k], matrix[at[attribute, two, metric], k] = 1, -1
        elif metric == "balanced_accuracy":
            matrix[at[attribute, what, "tpr"], k], matrix[at[attribute, what, "fpr"], k], offset[k] = 0.5, -0.5, 0.5
        else:
            matrix[at[attribute, what, metric], k] = 1
    schema = {name: pl.String for name in ("kind", "attribute", "contrast", "metric")}
    index = pl.DataFrame(asked * cohorts, schema=schema, orient="row")
    plain = pl.DataFrame({"cell": [str(k) for k in range(len(cells) * cohorts)]})
    return tuple(asked), plain, index, np.kron(np.eye(cohorts), matrix), np.tile(offset, cohorts)


def figures_of(setting: Setting, batch: Batch, decisions: np.ndarray, weighting: str) -> Figures:
    """What is asked of each cohort of a batch, cohort by cohort, for decisions (S, n)."""
    people = batch.population
    sick = people.labels[:, None] == 1
    members = np.stack([cell.images for cell in people.cells], axis=1)
    images = np.concatenate([members & sick, members & ~sick], axis=1)
    numerators, denominators = mean_by_patient(people, decisions, images, setting.unit)

    def side_by_side(table: np.ndarray) -> np.ndarray:  # (.., M P, C) -> (.., P, M C)
        own = table.reshape(*table.shape[:-2], batch.cohorts, setting.patients, -1)
        return np.moveaxis(own, -3, -2).reshape(*table.shape[:-2], setting.patients, -1)

    _, plain, index, matrix, offset = asked_of(setting, batch.cohorts)
    many = np.stack([np.bincount(batch.of_image, own, batch.cohorts) for own in images.T], axis=1).ravel()
    base = ratio(
        plain, weighting, side_by_side(numerators), side_by_side(denominators), images=many, proportion=True, least=20
    )
    found = base.contrast(index, matrix)
    return Figures(index, found.arms, found.cells, found.matrix, offset)


def mean_by_patient(
    population: Population, values: np.ndarray, images: np.ndarray, unit: Unit
) -> tuple[np.ndarray, np.ndarray]:
    """Numerators (S, P, C) and denominators (P, C) of the means of values (S, n) over cells, `images` (n, C).

    By image: sums and numbers of images. By patient: means over a patient's images of the cell, and 1 where there is one.
    """
    values = np.atleast_2d(values)
    cells = images.shape[1]
    table = np.concatenate([images, *(images * row[:, None] for row in values)], axis=1)
    counts, *sums = np.split(population.sums_by_patient(table), len(values) + 1, axis=1)
    numerators = np.stack(sums) if sums else np.zeros((0, population.n_patients, cells))
    if unit == Unit.PATIENT:
        numerators = np.divide(numerators, counts, out=np.zeros_like(numerators), where=counts > 0)
        counts = (counts > 0).astype(float)
    return numerators, counts


def one_batch(setting: Setting, seed: int) -> dict[tuple, np.ndarray]:
    """Everything that the report asserts of some cohorts: sums by key."""
    with patch.object(simultaneous, "MOST", simultaneous.MOST if seed < FULL else DRAWS):
        return _counted(setting, seed)


def _counted(setting: Setting, seed: int) -> dict[tuple, np.ndarray]:
    tally, cohorts = Tally(), BATCH[setting.patients]
    generator = np.random.default_rng([seed, setting.patients, *setting.world.encode()])
    people = world_of(setting, "baseline")
    batch = draw(people, setting.patients, cohorts, generator)
    asked = asked_of(setting, cohorts)[0]
    true = {m: true_levels(setting, m, asked) for m in ("baseline", "closed", "half", "mirrored")}
    closing = ("closed", "half", "mirrored") if setting.world == "gaps" else ()

    def called(method: str, noise: np.ndarray, weighting: str = "uniform") -> Figures:
        logit = world_of(setting, method).logit[batch.rows]
        return figures_of(setting, batch, (logit + noise >= 0).astype(float), weighting)

    def posts(noise: np.ndarray, weighting: str = "uniform") -> dict[str, tuple[str, Figures]]:
        extra = jitter(people, batch.rows, generator, noise.shape)
        found = {"jitter": ("baseline", called("baseline", noise + extra, weighting))}
        return found | {name: (name, called(name, noise, weighting)) for name in closing}

    alone = batch.single(people.noise)
    own = called("baseline", alone)
    after = {} if setting.world.startswith("gap ") else posts(alone)
    _told(tally, setting, own, {}, after, {}, closing, asked, true, AGREE if seed < FULL else 1)
    if not after:
        tally.rivals(
            setting.key, batch, (people.logit[batch.rows] + alone[0] >= 0).astype(float), own, asked, true["baseline"]
        )
        return dict(tally.sums)
    most = max(NETWORKS)
    noise = {name: batch.noise(most) for name in ("uniform", "placebo", "closing")}
    whole = called("baseline", noise["uniform"])
    weightings = {
        "placebo": ("baseline", called("baseline", noise["placebo"], "placebo")),
        "closing": ("closed", called("closed", noise["closing"], "closing")),
    }
    after, others = posts(noise["uniform"]), posts(noise["placebo"], "placebo")
    for networks in NETWORKS:
        few = [
            {n: (m, _first(figures, networks)) for n, (m, figures) in given.items()}
            for given in (weightings, after, others)
        ]
        first = _first(whole, networks)
        tally.intervals((*setting.key, networks), "alone", Told(summary(first), asked, true["baseline"]))
        _told(tally, setting, first, *few, closing, asked, true, 1)
    return dict(tally.sums)


def _told(
    tally: Tally,
    setting: Setting,
    own: Figures,
    weightings: dict[str, tuple[str, Figures]],
    posts: dict[str, tuple[str, Figures]],
    others: dict[str, tuple[str, Figures]],
    closing: tuple[str, ...],
    asked: tuple,
    true: dict[str, np.ndarray],
    seeds: int,
) -> None:
    """Counts what is told of one baseline and of what methods do to it; `others`: the same post-processings of the placebo's networks."""
    key, cohorts = (*setting.key, len(own.arms[0].values)), len(own) // len(asked)
    pooled = pool({"uniform": own} | {name: figures for name, (_, figures) in weightings.items()})
    established = tally.baseline(key, pooled["uniform"], asked, true["baseline"], cohorts, seeds)
    if weightings:
        effects = {n: (true[m] - true["baseline"], pooled[n] - pooled["uniform"]) for n, (m, _) in weightings.items()}
        tally.effects(key, "weighting", effects, asked, established)
    before = pool({"uniform": own} | ({"placebo": weightings["placebo"][1]} if others else {}))["uniform"]
    after = {
        name: (method, pool({"uniform": figures} | ({"placebo": others[name][1]} if others else {}))["uniform"])
        for name, (method, figures) in posts.items()
    }
    if after:
        effects = {n: (true[m] - true["baseline"], figures - before) for n, (m, figures) in after.items()}
        tally.effects(key, "post-processing", effects, asked, established)
    for name in closing:
        tally.narrowed(key, name, before, after[name][1], asked, true[name], established)


def _first(own: Figures, networks: int) -> Figures:
    """The same of the first networks alone."""
    (arm,) = own.arms
    values = arm.values[:networks]
    arm = replace(
        arm,
        values=values,
        influence=arm.influence[:networks],
        deviations=values - values.mean(axis=0),
        degrees=networks - 1,
    )
    return replace(own, arms=(arm,))
