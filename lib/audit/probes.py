"""What can be read from the network's last features: linear probes for the attributes, and for the disease beside them.

A probe finds what is encoded, not what is used (compare Glocker et al. 2023, doi 10.1016/j.ebiom.2023.104467).
"""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lib.audit.frames import frame, optional
from lib.audit.networks import deviations, network_draws, two_level
from lib.audit.population import Population
from lib.audit.ranking import resampled_auc
from lib.audit.resampling import Array, Counts, patient_counts, percentile_interval
from lib.names import attribute_named

SCHEMA = (
    {name: pl.String for name in ("weighting", "attribute", "group")}
    | {name: pl.Float64 for name in ("value", "low", "high", "seed_sd")}
    | {"images": pl.Int64, "patients": pl.Int64, "estimable": pl.Boolean}
)
PENALTY = 0.01
"""C of the logistic regression on standardised features, fixed beforehand: strong, for there are as many features as patients."""
LABEL = "label"
EVERYONE = "all"


def probes(
    population: Population,
    embeddings: Mapping[str, Array],
    *,
    folds: int = 5,
    replicates: int = 2000,
    smallest_cell: int = 20,
    seed: int = 0,
) -> pl.DataFrame:
    """The table `probes`: AUC of linear probes of embeddings (S, n, d) by weighting, one network a row.

    For each attribute, and for the label for comparison, a logistic regression on standardised features is fitted on four
    fifths of the patients and scores the rest, five times; AUC of the scores of all folds together, images of known
    group only. `group` names the group told from the others; `all` is the mean over the groups (two groups have one
    AUC). .5: nothing can be read linearly; 1: all of it. 95 % intervals by patient and network; the probes are
    held as fitted, so the noise of fitting them is in them only as far as networks show it. Not estimable with fewer than
    `smallest_cell` patients in or outside a group, or too few to fill the folds. Raises ValueError for wrong shapes.
    """
    stacked = {name: _checked(population, rows, name) for name, rows in embeddings.items()}
    counts = patient_counts(population.n_patients, replicates, seed)
    draws = network_draws({name: len(rows) for name, rows in stacked.items()}, replicates, seed)
    rows = []
    for attribute, names, codes in _targets(population):
        known = codes >= 0
        targets = {name: codes == k for k, name in enumerate(names)}
        patients = {name: _patients(population, own, known) for name, own in targets.items()}
        enough = {name: min(sizes) >= max(1, smallest_cell, folds) for name, sizes in patients.items()}
        told = list(names) if len(names) > 2 else [names[0]]
        kept = [name for name in told if enough[name]]
        found = {
            weighting: _aucs(population, networks, codes, [targets[name] for name in kept], counts, folds, seed)
            for weighting, networks in stacked.items()
        }
        spread = deviations([sample for sample, _ in found.values()])
        for weighting, (sample, resampled) in found.items():
            drawn = two_level(resampled, spread, draws[weighting])
            for name in (EVERYONE, *(told if len(names) > 2 else ())):
                chosen = [kept.index(name)] if name in kept else list(range(len(kept))) if name == EVERYONE else []
                complete = bool(chosen) and (name != EVERYONE or len(kept) == len(told))
                numbers = _numbers(sample[:, chosen], drawn[:, chosen]) if complete else [None] * 4
                images = int((targets[name] if name != EVERYONE else known).sum())
                size = patients[name][0] if name != EVERYONE else population.count_patients(known)
                rows.append((weighting, attribute, name, *numbers, images, size, complete))
    order = {name: k for k, name in enumerate(stacked)}
    return frame(sorted(rows, key=lambda row: order[row[0]]), SCHEMA)


def probe_scores(
    features: Array, target: NDArray[np.int64], patients: NDArray[np.int64], *, folds: int = 5, seed: int = 0
) -> Array:
    """How likely each of K classes is, (n, K), as rank within the fold, 0 to 1, by a probe that has not seen the patient.

    `target` (n,) codes 0..K-1, `patients` (n,) codes. Folds hold whole patients. Ranks, for probabilities of different folds do not compare: a fold with more of a class is
    judged by a probe that saw fewer, which pushes the AUC of nothing at all under .5. A class that the other folds lack,
    or a fold whose probe had one class only, ranks everyone alike.
    """
    classes = int(target.max()) + 1
    scores = np.full((len(target), classes), 0.5)
    splits = GroupKFold(folds, shuffle=True, random_state=seed).split(features, groups=patients)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for fit, judge in splits:
            model = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=200))
            if len(np.unique(target[fit])) < 2:
                continue
            model.fit(features[fit], target[fit])
            chances = model.predict_proba(features[judge])
            scores[np.ix_(judge, model.classes_)] = (rankdata(chances, axis=0) - 0.5) / len(judge)
    return scores


def _targets(population: Population) -> Iterator[tuple[str, tuple[str, ...], NDArray[np.int64]]]:
    yield LABEL, ("sick", "healthy"), 1 - population.labels
    for attribute, codes in population.groups.items():
        yield attribute, attribute_named(attribute).groups, codes


def _aucs(
    population: Population,
    networks: Array,
    codes: NDArray[np.int64],
    targets: list[NDArray[np.bool_]],
    counts: Counts,
    folds: int,
    seed: int,
) -> tuple[Array, Array]:
    """AUC of each network and target, (S, K) in the sample and (B, S, K) in the resamples."""
    sample = np.empty((len(networks), len(targets)))
    resampled = np.empty((len(counts), *sample.shape))
    if not targets:
        return sample, resampled
    known = np.flatnonzero(codes >= 0)
    once = np.ones((1, population.n_patients), dtype=counts.dtype)
    people = replace(population, patients=population.patients[known], groups={})
    people.__dict__["n_patients"] = (
        population.n_patients
    )  # patients without a known group keep their place in the counts
    for s, features in enumerate(networks):
        scores = probe_scores(features[known], codes[known], people.patients, folds=folds, seed=seed)
        for k, target in enumerate(targets):
            own = replace(people, labels=target[known].astype(np.int64))
            code = int(codes[known][target[known]][0])
            for out, drawn in ((sample[None, s, k], once), (resampled[:, s, k], counts)):
                out[...] = resampled_auc(own, scores[None, :, code], drawn)[:, 0, 0]
    return sample, resampled


def _numbers(sample: Array, drawn: Array) -> list[float | None]:
    """Mean over targets: AUC, its bounds within 0 to 1, and the standard deviation between networks."""
    by_seed = sample.mean(axis=1)
    low, high = percentile_interval(drawn.mean(axis=1))
    sd = by_seed.std(ddof=1) if len(by_seed) > 1 else np.nan
    return optional([by_seed.mean(), max(0.0, low), min(1.0, high), sd])


def _patients(population: Population, own: NDArray[np.bool_], known: NDArray[np.bool_]) -> tuple[int, int]:
    return population.count_patients(own), population.count_patients(known & ~own)


def _checked(population: Population, rows: Array, weighting: str) -> Array:
    rows = np.asarray(rows)
    if rows.ndim != 3 or rows.shape[1] != population.n_images or not len(rows):
        raise ValueError(
            f"embeddings of {weighting!r} have shape {rows.shape}; (seeds, {population.n_images} images, features) is needed."
        )
    if not np.isfinite(rows).all():
        raise ValueError(
            f"embeddings of {weighting!r} hold {int((~np.isfinite(rows)).sum())} values that are not finite."
        )
    return rows
