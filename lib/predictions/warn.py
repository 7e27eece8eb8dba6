"""What saves people: what looks wrong about predictions that can be audited all the same, each in one sentence."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from sklearn.metrics import roc_auc_score, roc_curve

from lib.predictions.match import Matched
from lib.predictions.scores import Network
from lib.tabular.columns import SCORE, option_for
from lib.tabular.values import counted

FEW = 5
"""Patients who together have most of the images: then the audit is about them."""
DEVIATIONS = 4
"""Standard errors under .5 from which on an AUC is no accident (Hanley and McNeil 1982, doi 10.1148/radiology.143.1.7063747)."""


def warnings_of(file: Matched, labels: np.ndarray) -> Iterator[str]:
    """About one file's networks, on the images audited."""
    for network in file.networks:
        name = file.path.name if len(file.networks) == 1 else f"{file.path.name}, column {network.column!r}"
        yield from _scores(name, network, labels)
        if network.ranked and network.decision is not None:
            yield from _decisions(name, network)


def _scores(name: str, network: Network, labels: np.ndarray) -> Iterator[str]:
    score = network.score
    if np.ptp(score) == 0:
        what = f"score is {score[0]:g}" if network.ranked else f"decision is {'sick' if score[0] else 'healthy'}"
        yield f"{name}: every {what}: nothing is told apart."
        return
    auc = roc_auc_score(labels, score)
    sick, healthy = int(labels.sum()), int((labels == 0).sum())
    error = np.sqrt((1 / sick + 1 / healthy) / 12)
    if auc < 0.5 - DEVIATIONS / 2 * error and auc < 0.45:
        if network.ranked:
            turned = f"then say {option_for(SCORE, f'1-{network.column}')}"
            yield f"{name}: AUC is {auc:.2f}, well under .5: the score may be that of healthy ({turned})."
        else:
            yield f"{name}: sick and healthy may be the wrong way round: with these decisions, AUC is {auc:.2f}."


def _decisions(name: str, network: Network) -> Iterator[str]:
    """Decisions that are the cut of no threshold at all."""
    decided = network.decision >= 0
    decision = network.decision[decided]
    if not decided.any() or np.ptp(decision) == 0 or cut_of(network):
        return
    fpr, tpr, _ = roc_curve(decision, network.score[decided], drop_intermediate=False)
    contradict = round(min(fpr * (decision == 0).sum() + (1 - tpr) * (decision == 1).sum()))
    yield f"{name}: {contradict:,} of {len(decision):,} decisions contradict the scores, whatever the threshold; the decisions are kept."


def cut_of(network: Network) -> tuple[float, float] | None:
    """The largest score called healthy and the smallest called sick, where decisions are those of one threshold."""
    healthy, sick = (network.score[network.decision == called] for called in (0, 1))
    if not len(healthy) or not len(sick) or sick.min() <= healthy.max():
        return None
    return float(healthy.max()), float(sick.min())


def about_images(rows: pl.DataFrame) -> Iterator[str]:
    """About the images audited, whatever was predicted."""
    counts = rows["patient"].value_counts(sort=True)["count"].to_list()
    total, of_first = sum(counts), 0
    for few, count in enumerate(counts[:FEW], start=1):
        of_first += count
        if of_first > total / 2 and len(counts) > 2 * few:
            who = "one patient has" if few == 1 else f"{few} patients have"
            yield f"{who} {100 * of_first / total:.0f} % of the images audited: what is found is mostly about {'that one' if few == 1 else 'them'}."
            break
    if "age" in rows.columns and (ages := rows["age"].drop_nulls()).len() and ages.max() < 12 and ages.n_unique() < 12:
        yield f"ages run from {ages.min()} to {ages.max()} only: they may be codes, not years."


def about_metadata(checks: Sequence[tuple[str, int, str]], name: str) -> Iterator[str]:
    """About values of the metadata that cannot be believed."""
    counts = {check: rows for check, rows, _ in checks}
    for check, rows in counts.items():
        if rows and check.startswith("ages outside"):
            yield f"{name}: {counted(rows, 'age')} {check.removeprefix('ages ')} set to unknown, in no age group."
    if differ := counts.get("repeated rows that differ", 0):
        yield f"{name}: of rows that contradict each other about an image, the first is kept ({counted(differ, 'row')} left out)."
