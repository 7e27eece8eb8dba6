"""Sentences on files and methods that were read: what was done with them, and what may mislead although they can be audited."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import roc_auc_score, roc_curve

from lib.names import Attribute
from lib.predictions.reader import Predictions
from lib.tabular import People, plain_name
from lib.tabular.columns import SCORE, option_for
from lib.tabular.values import counted

OPTIMISM = (
    "Nothing says which images are for validation: all are audited, training images may be among them, and rates on "
    "images seen in training flatter (use --valid or --split)."
)
HARD = "is audited by its decisions: AUC and calibration are not estimable."
FEW = 5
"""Patients who together have most of the images: then the audit is about them."""
DEVIATIONS = 2
"""Standard errors under .5 from which on an AUC is no accident (Hanley and McNeil 1982, doi 10.1148/radiology.143.1.7063747)."""


def file_names(paths: Sequence[Path]) -> tuple[str, ...]:
    """The files' names, with their folders where two have the same."""
    names = [path.name for path in paths]
    return tuple(
        plain_name(path.name if names.count(path.name) == 1 else f"{path.resolve().parent.name}/{path.name}")
        for path in paths
    )


def merged(notes: Sequence[str], names: Sequence[str]) -> list[str]:
    """Notes that begin with the name of a file; one that several files have stands once, with their number."""
    files: dict[str, dict[str, None]] = {}
    for note in notes:
        name = max((name for name in names if note.startswith(name)), key=len, default="")
        files.setdefault(note.removeprefix(name), {})[name] = None
    more = {note: f" (and {len(same) - 1} more)" * (len(same) > 1) for note, same in files.items()}
    return [f"{next(iter(same))}{more[note]}{note}" for note, same in files.items()]


def harmless(sentence: str) -> str:
    """A sentence that quotes a file, as text and nothing else: it is shown in a terminal and in a report's table."""
    shown = " ".join(plain_name(word) if word.strip() else word for word in sentence.split(" "))
    return shown.replace("\N{RIGHT DOUBLE QUOTATION MARK}", '"')  # in running text it opens nothing


def read_as(people: People, files: Sequence[Predictions]) -> Iterator[str]:
    """One sentence on encodings, compression and separators, where they are not the usual ones."""
    tables = {table.path.name: table.how for table in (people.table, *(file.table for file in files))}
    if said := [f"{name} ({', '.join(how)})" for name, how in tables.items() if how]:
        yield f"Read as written: {'; '.join(said)}."


def decided_by(methods: Mapping[str, list[tuple[Predictions, int]]], threshold: float | None) -> Iterator[str]:
    """Where the decisions of the networks of each method come from, where it is not from scores at .5."""
    if threshold is not None:
        yield f"Decisions are those of the scores at a threshold of {threshold:g}, as asked for."
        return
    for name, networks in methods.items():
        ranked = [(file, k) for file, k in networks if file.networks[k].ranked]
        if differ := sum(int((file.called(k) != (file.score(k) >= 0.5)).sum()) for file, k in ranked):
            cuts = [cut for file, k in ranked if (cut := _cut(file, k))]
            at = f", cut between {min(c[0] for c in cuts):.3g} and {max(c[1] for c in cuts):.3g}," if cuts else ""
            yield (
                f"{name}: the file's decisions{at} are audited ({differ:,} differ from its scores at .5); scores serve for AUC and "
                "calibration."
            )


def compared(attribute: Attribute) -> str:
    """The groups in their order, and what they are compared with."""
    level = "patients" if attribute.of_patient else "images"
    return (
        f"{attribute.label}: {', '.join(attribute.groups)}, of {level}; differences are against {attribute.reference}."
    )


def in_no_group(rows: pl.DataFrame, attributes: Mapping[str, Attribute]) -> Iterator[str]:
    """Who is in no group."""
    known = {attribute.label: rows[name].null_count() for name, attribute in attributes.items()}
    if groups := ", ".join(f"{label} of {counted(count, 'image')}" for label, count in known.items() if count):
        yield f"Unknown, and in no group: {groups}."


def warnings_of(file: Predictions) -> Iterator[str]:
    """About one file's networks, on the images audited."""
    for k, network in enumerate(file.networks):
        name = file.path.name if len(file.networks) == 1 else f"{file.path.name}, column {network.column!r}"
        yield from _about_scores(name, file, k)
        if network.ranked:
            yield from _about_decisions(name, file, k)


def _about_scores(name: str, file: Predictions, k: int) -> Iterator[str]:
    score, labels, network = file.score(k), file.frame["label"].to_numpy(), file.networks[k]
    if np.ptp(score) == 0:
        what = f"score is {score[0]:g}" if network.ranked else f"decision is {'sick' if score[0] else 'healthy'}"
        yield f"{name}: every {what}: nothing is told apart."
        return
    auc = roc_auc_score(labels, score)
    error = np.sqrt((1 / (labels == 1).sum() + 1 / (labels == 0).sum()) / 12)
    if auc >= min(0.5 - DEVIATIONS * error, 0.45):
        return
    if network.ranked:
        turned = f"then say {option_for(SCORE, f'1-{network.column}')}"
        yield f"{name}: AUC is {auc:.2f}, well under .5: the score may be that of healthy ({turned})."
    else:
        yield f"{name}: sick and healthy may be the wrong way round: with these decisions, AUC is {auc:.2f}."


def _about_decisions(name: str, file: Predictions, k: int) -> Iterator[str]:
    """Decisions that are the cut of no threshold at all."""
    known = ~np.isnan(file.decision(k))
    score, decision = file.score(k)[known], file.decision(k)[known]
    if len(set(decision)) < 2 or _cut(file, k):
        return
    fpr, tpr, _ = roc_curve(decision, score, drop_intermediate=False)
    contradict = round(min(fpr * (decision == 0).sum() + (1 - tpr) * (decision == 1).sum()))
    yield f"{name}: {contradict:,} of {len(decision):,} decisions contradict the scores, whatever the threshold; the decisions are kept."


def _cut(file: Predictions, k: int) -> tuple[float, float] | None:
    """The largest score called healthy and the smallest called sick, where decisions are those of one threshold."""
    healthy, sick = (file.score(k)[file.decision(k) == called] for called in (0, 1))
    if not len(healthy) or not len(sick) or sick.min() <= healthy.max():
        return None
    return float(healthy.max()), float(sick.min())


def about_images(rows: pl.DataFrame) -> Iterator[str]:
    """About the images audited, whatever was predicted."""
    counts = rows["patient"].value_counts(sort=True)["count"]
    shares = (counts.cum_sum() / rows.height).head(FEW).to_list()
    few = next((few for few, share in enumerate(shares, start=1) if share > 0.5 and len(counts) > 2 * few), None)
    if few:
        who, whom = ("one patient has", "that one") if few == 1 else (f"{few} patients have", "them")
        yield f"{who} {100 * shares[few - 1]:.0f} % of the images audited: what is found is mostly about {whom}."
    if "age" in rows.columns and (ages := rows["age"].drop_nulls()).len() and ages.max() < 12 and ages.n_unique() < 12:
        yield f"ages run from {ages.min()} to {ages.max()} only: they may be codes, not years."


def about_metadata(people: People) -> Iterator[str]:
    """About values of the metadata that cannot be believed."""
    name = plain_name(people.table.path.name)
    for check, rows, _ in people.checks:
        if rows and check.startswith("ages outside"):
            yield f"{name}: {counted(rows, 'age')} {check.removeprefix('ages ')} set to unknown, in no age group."
        if rows and check == "repeated rows that differ":
            yield (
                f"{name}: of rows that contradict each other about an image, the first is kept ({counted(rows, 'row')} left out)."
            )
