"""What can be read from the network's last features? Linear probes for the attributes, and for the disease beside them.

For each attribute, and for the label for comparison, a logistic regression on standardised features is fitted on four
fifths of the patients and scores the rest, five times; the mean over the five of the AUC, by patient, of the rest, images of
known group only, with the influence of each patient in its fold (LeDell, Petersen & van der Laan 2015, doi 10.1214/15-EJS1035). Scores of
different folds are not put together: a fold that by chance holds more of a group would push the AUC towards .5. `group` names the group told from the others; `all` is the mean over the groups (two groups have one
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
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from lib.audit import metrics
from lib.audit.columns import COUNTED, DESCRIBED, S
from lib.audit.context import Context
from lib.audit.inference import Figures, Population
from lib.names import Attribute

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
            yield _rows(context, weighting, networks, attribute, names, codes)


def fitted_probes(
    features: np.ndarray, target: np.ndarray, patients: np.ndarray, *, seed: int = 0
) -> Iterator[tuple[np.ndarray, Pipeline]]:
    """Images that each fold's probe judges, and the probe, where the others have two classes."""
    splits = GroupKFold(FOLDS, shuffle=True, random_state=seed).split(features, groups=patients)
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


def _rows(
    context: Context, weighting: str, networks: np.ndarray, attribute: str, names: tuple[str, ...], codes: np.ndarray
) -> pl.DataFrame:
    """Rows of one attribute: everyone, and each group where there are more than two."""
    people, known = context.population, np.flatnonzero(codes >= 0)
    many = len(names) > 2
    sizes = [people.count_patients(codes == k) for k in range(len(names))]
    least = max(1, context.smallest_cell, FOLDS)
    groups = range(len(names) if many else 1)
    kept = [k for k in groups if min(sizes[k], people.count_patients((codes >= 0) & (codes != k))) >= least]
    areas: dict[str, Figures] = {}
    if kept:
        patients = np.unique(people.patients[known], return_inverse=True)[1]
        chances, folds = probed(networks[:, known], codes[known], patients, seed=context.seed)
        for k in kept:
            by_fold = _areas(chances[..., k], codes[known] == k, patients, folds, weighting)
            if len(by_fold):
                areas[names[k]] = by_fold.contrast(
                    pl.DataFrame({"metric": ["auc"]}), np.full((len(by_fold), 1), 1 / len(by_fold))
                )
        if len(areas) == len(groups):
            areas[EVERYONE] = reduce(add, areas.values()) * (1 / len(groups))
    rows = [(EVERYONE, len(known), people.count_patients(codes >= 0))]
    rows += [(names[k], int((codes == k).sum()), sizes[k]) for k in groups if many]
    parts = []
    for group, images, patients in rows:
        key = {"weighting": weighting, "attribute": attribute, "group": group, "images": images, "patients": patients}
        row = pl.DataFrame([key | {"estimable": group in areas}])
        parts.append(row if group not in areas else row.hstack(context.describe(areas[group]).table()))
    return pl.concat(parts, how="diagonal_relaxed")


def probed(
    features: np.ndarray, target: np.ndarray, patients: np.ndarray, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """How likely each of K classes is, (S, n, K), by probes of each network that have not seen the patient; and the fold of each image, (n,).

    `features` (S, n, d), `target` (n,) codes 0..K-1, `patients` (n,) codes. Folds hold whole patients; -1: no probe, for the other folds have
    one class. A class that the other folds lack is equally likely, 0, everywhere.
    """
    chances, folds = np.zeros((*features.shape[:2], int(target.max()) + 1)), np.full(len(target), -1)
    for network, chance in zip(features, chances, strict=True):
        for fold, (judge, model) in enumerate(fitted_probes(network, target, patients, seed=seed)):
            chance[np.ix_(judge, model.classes_)], folds[judge] = model.predict_proba(network[judge]), fold
    return chances, folds


def _areas(chances: np.ndarray, group: np.ndarray, patients: np.ndarray, folds: np.ndarray, weighting: str) -> Figures:
    """AUC by which chances (S, n) tell a group (n,) from the others in each fold that has both."""
    fold = Attribute("fold", "fold", tuple(map(str, range(FOLDS))), "0", of_patient=True)
    people = Population(patients, group.astype(np.int64), {fold.name: folds}, {fold.name: fold})
    areas = metrics.auc(people, chances, weighting=weighting, smallest_cell=1).where(pl.col("attribute") == fold.name)
    return areas.take(areas.known)
