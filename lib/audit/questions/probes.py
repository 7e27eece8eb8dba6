"""What can be read from the network's last features? Linear probes for the attributes, and for the disease beside them.

For each attribute, and for the label for comparison, a logistic regression on standardised features is fitted on four
fifths of the patients and scores the rest, five times; AUC, by patient, of the scores of all folds together, images of
known group only. `group` names the group told from the others; `all` is the mean over the groups (two groups have one
AUC). .5: nothing can be read linearly; 1: all of it. The probes are held as fitted, so the noise of fitting them is in
the intervals only as far as networks show it. A probe finds what is encoded, not what is used (compare Glocker et al.
2023, doi 10.1016/j.ebiom.2023.104467).
"""

import warnings
from collections.abc import Iterator
from functools import reduce
from operator import add

import numpy as np
import polars as pl
from scipy.stats import rankdata
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from lib.audit import metrics
from lib.audit.columns import COUNTED, DESCRIBED, S
from lib.audit.context import Context
from lib.audit.inference import Figures, Population
from lib.names import OVERALL

name = "probes"
schema = {"weighting": S, "attribute": S, "group": S} | DESCRIBED | COUNTED
needs = ("embeddings",)
PENALTY = 0.01
"""C of the logistic regression on standardised features, fixed beforehand: strong, for there are as many features as patients."""
FOLDS = 5
EVERYONE = "all"


def compute(context: Context) -> Iterator[pl.DataFrame]:
    for weighting, networks in context.embeddings.items():
        for attribute, names, codes in _targets(context.population):
            yield _told(context, weighting, networks, attribute, names, codes)


def probe_scores(
    features: np.ndarray, target: np.ndarray, patients: np.ndarray, *, folds: int = FOLDS, seed: int = 0
) -> np.ndarray:
    """How likely each of K classes is, (n, K), as rank within the fold, 0 to 1, by a probe that has not seen the patient.

    `target` (n,) codes 0..K-1, `patients` (n,) codes. Folds hold whole patients. Ranks, for probabilities of different folds do not
    compare: a fold with more of a class is judged by a probe that saw fewer, which pushes the AUC of nothing at all under .5. A class
    that the other folds lack, or a fold whose probe had one class only, ranks everyone alike.
    """
    scores = np.full((len(target), int(target.max()) + 1), 0.5)
    for judge, model in fitted_probes(features, target, patients, folds=folds, seed=seed):
        chances = model.predict_proba(features[judge])
        scores[np.ix_(judge, model.classes_)] = (rankdata(chances, axis=0) - 0.5) / len(judge)
    return scores


def fitted_probes(
    features: np.ndarray, target: np.ndarray, patients: np.ndarray, *, folds: int = FOLDS, seed: int = 0
) -> Iterator[tuple[np.ndarray, Pipeline]]:
    """Images that each fold's probe judges, and the probe, where the others have two classes."""
    splits = GroupKFold(folds, shuffle=True, random_state=seed).split(features, groups=patients)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for fit, judge in splits:
            if len(np.unique(target[fit])) > 1:
                model = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=200))
                yield judge, model.fit(features[fit], target[fit])


def _targets(population: Population) -> Iterator[tuple[str, tuple[str, ...], np.ndarray]]:
    yield "label", ("sick", "healthy"), 1 - population.labels
    for name, codes in population.groups.items():
        yield name, population.attributes[name].groups, codes


def _told(
    context: Context, weighting: str, networks: np.ndarray, attribute: str, names: tuple[str, ...], codes: np.ndarray
) -> pl.DataFrame:
    """Rows of one attribute: everyone, and each group where there are more than two."""
    people, known = context.population, codes >= 0
    many = len(names) > 2
    sizes = [people.count_patients(codes == k) for k in range(len(names))]
    least = max(1, context.smallest_cell, FOLDS)
    asked = range(len(names) if many else 1)
    kept = [k for k in asked if min(sizes[k], people.count_patients(known & (codes != k))) >= least]
    found: dict[str, Figures] = {}
    if kept:
        at = np.flatnonzero(known)
        patients = np.unique(people.patients[at], return_inverse=True)[1]
        scores = np.stack([probe_scores(features[at], codes[at], patients, seed=context.seed) for features in networks])
        for k in kept:
            sided = Population(patients, (codes[at] == k).astype(np.int64), groups={}, attributes={})
            found[names[k]] = metrics.auc(sided, scores[..., k], weighting=weighting, smallest_cell=1)
        if len(kept) == len(asked):
            found[EVERYONE] = reduce(add, found.values()) * (1 / len(kept))
    rows = [(EVERYONE, int(known.sum()), people.count_patients(known))]
    rows += [(names[k], int((codes == k).sum()), sizes[k]) for k in asked if many]
    parts = []
    for group, images, patients in rows:
        key = {"weighting": weighting, "attribute": attribute, "group": group, "images": images, "patients": patients}
        if group not in found:
            parts.append(pl.DataFrame([key | {"estimable": False}]))
            continue
        table = context.describe(found[group].where(pl.col("attribute") == OVERALL)).table()
        more = key | {"estimable": True}
        parts.append(table.with_columns(**{name: pl.lit(value) for name, value in more.items()}))
    return pl.concat(parts, how="diagonal_relaxed")
