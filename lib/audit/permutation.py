"""Is the gap real? Groups are permuted among patients, and the difference over its standard error is compared.

DiCiccio, Vasudevan, Basu, Kenthapadi & Agarwal 2020, Evaluating fairness using permutation tests, arXiv 2007.05124: the
plain difference tests whether the groups are alike in everything, the studentised one whether their rates are.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from lib.audit.frames import Method
from lib.audit.halves import Halves, halves
from lib.audit.population import Population
from lib.audit.rates import RATES
from lib.audit.resampling import Array, chunks, stream
from lib.cores import in_threads
from lib.names import attribute_named

STRATIFIED = ("balanced_accuracy", "tpr", "fpr")
"""Permuted within patients who have sick images only, healthy only, or both: groups that are sick more often stay so."""
TIE = 1e-5
"""Relative difference under which two statistics are taken for equal: sums in another order are."""
Question = tuple[str, str, str]
"""Attribute, metric and contrast, such as `view`, `tpr`, `AP - PA`."""


def permutation_p(
    population: Population,
    decisions: Mapping[Method, Array],
    spreads: Mapping[tuple[str, str], Array],
    draws: Mapping[str, Array],
    networks: Mapping[str, int],
    *,
    seed: int = 0,
) -> dict[Method, dict[Question, float]]:
    """Two-sided p of every difference `group - reference` of TPR, FPR, balanced accuracy and selection rate, by method.

    T = d / sqrt(V + v), with d the difference, V its variance by patient (linearised, all images of a patient together)
    and v that of retraining (pooled over weightings, over the number of networks). Under the null, the patients' groups
    are drawn anew without replacement, and retraining as in the bootstrap: T* = (d* + draw) / sqrt(V* + v);
    p = (1 + #{|T*| >= |T|}) / (B + 1). Two groups are compared at a time, within strata by label (see `STRATIFIED`);
    selection rates without strata, for there the prevalence is part of the question. Of a patient with images in both
    views, the share of each view is permuted, and counts for all of the patient's images of that label alike; for
    attributes of patients, who are in one group only, this is the plain permutation of patients.

    Parameters: `decisions[method]` (S, n); `spreads[postprocessing, target]` (R, G, M) deviations of networks from the
    mean of their weighting, metrics in the order of `RATES`; `draws[weighting]` (B, R) and `networks[weighting]` S, as
    in `lib.audit.networks`. Nothing is said of pairs in which a group lacks a label.
    """
    methods = list(decisions)
    called = np.stack([decisions[method].mean(axis=0) for method in methods], axis=1)  # (n, M)
    place = {(cell.attribute, cell.group): g for g, cell in enumerate(population.cells)}
    degrees = max(1, sum(count - 1 for count in networks.values()))
    replicates = len(next(iter(draws.values())))

    def compared(asked: tuple[tuple[str, str, str], tuple[str, ...]]) -> list[tuple[Method, Question, float]]:
        (attribute, group, reference), metrics = asked
        ends = [place[attribute, name] for name in (group, reference)]
        pair = halves(population, attribute, (group, reference), called, apart=metrics is STRATIFIED)
        if pair is None:
            return []
        null_d, null_v = _null(pair, replicates, seed, ("permutation", attribute, group, metrics[0]))
        d, v = pair.observed()
        shared = _shared(population, decisions, (attribute, group, reference), metrics, degrees)
        answers = []
        for k, metric in enumerate(metrics):
            for m, method in enumerate(methods):
                column = RATES.index(metric)
                spread = spreads[method[1:]]
                deviation = spread[:, ends[0], column] - spread[:, ends[1], column]
                total = np.nan_to_num((deviation**2).sum() / degrees)
                own = max(0.0, total - shared[method[1:]][k])
                noise = own / networks[method[0]]
                retrained = np.sqrt(own / total) * (draws[method[0]] @ deviation) if own > 0 else 0.0
                t = _studentised(d[k, m], v[k, m] + noise)
                null = _studentised(null_d[:, k, m] + retrained, null_v[:, k, m] + noise)
                p = (1 + (np.abs(null) >= np.abs(t) * (1 - TIE)).sum()) / (replicates + 1)
                answers.append((method, (attribute, metric, f"{group} - {reference}"), float(p)))
        return answers

    found: dict[Method, dict[Question, float]] = {method: {} for method in methods}
    questions = [(pair, metrics) for pair in _pairs(population) for metrics in (STRATIFIED, ("selection_rate",))]
    for answers in in_threads(compared, questions):
        for method, question, p in answers:
            found[method][question] = p
    return found


def _shared(
    population: Population,
    decisions: Mapping[Method, Array],
    pair: tuple[str, str, str],
    metrics: tuple[str, ...],
    degrees: int,
) -> dict[tuple[str, str], Array]:
    """By post-processing, how much of the variance between networks the patients explain, (K,).

    Networks differ in general, and on single patients. The latter is in the variance by patient of their mean already,
    and is taken off what retraining adds, lest it counts twice.
    """
    attribute, *groups = pair
    alike: dict[tuple[str, str], list[Array]] = {}
    for method, rows in decisions.items():
        alike.setdefault(method[1:], []).append(rows)
    found = {}
    for name, weightings in alike.items():
        two = halves(population, attribute, tuple(groups), np.concatenate(weightings).T, apart=metrics is STRATIFIED)
        starts = np.cumsum([len(rows) for rows in weightings])[:-1]
        own = np.split(two.influence()[1], starts, axis=2)
        apart = [((part - part.mean(axis=2, keepdims=True)) ** 2).sum(axis=(0, 2)) for part in own]
        found[name] = np.sum(apart, axis=0) / degrees
    return found


def _pairs(population: Population) -> Iterator[tuple[str, str, str]]:
    for attribute in population.groups:
        own = attribute_named(attribute)
        yield from ((attribute, group, own.reference) for group in own.groups if group != own.reference)


def _null(pair: Halves, replicates: int, seed: int, names: tuple[str, ...]) -> tuple[Array, Array]:
    """Differences and their variances, each (B, K, M), with the groups permuted within the strata of `pair`."""
    generator = stream(seed, *names)
    d = np.empty((replicates, len(pair.contrasts), pair.methods))
    v = np.empty_like(d)
    for rows in chunks(replicates, 2 * len(pair.strata)):
        d[rows], v[rows] = pair.permuted(_orders(generator, pair.strata, rows.stop - rows.start))
    return d, v


def _orders(generator: np.random.Generator, strata: NDArray[np.int64], rows: int) -> NDArray[np.int32]:
    """Permutations of patients within their strata, (rows, P); position j takes the groups of patient order[j]."""
    order = np.empty((rows, len(strata)), dtype=np.int32)
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum).astype(np.int32)
        order[:, members] = generator.permuted(np.broadcast_to(members, (rows, len(members))), axis=1)
    return order


def _studentised(difference: Array, variance: Array) -> Array:
    """difference / sqrt(variance): 0 where there is no difference, infinite where there is one and no variance."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.abs(difference) < 1e-12, 0.0, difference / np.sqrt(np.maximum(variance, 0)))
