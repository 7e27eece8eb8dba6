"""What is said of files and methods that were read: what was done with them, each in one sentence."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from lib.names import Attribute
from lib.predictions.methods import MethodFiles
from lib.predictions.reader import Predictions
from lib.predictions.scores import Network
from lib.predictions.warn import cut_of
from lib.tabular import People, plain_name
from lib.tabular.values import counted

OPTIMISM = (
    "Nothing says which images are for validation: all are audited, training images may be among them, and rates on "
    "images seen in training flatter (use --valid or --split)."
)
HARD = "is audited by its decisions: AUC and calibration are not estimable."


def file_names(paths: Sequence[Path]) -> tuple[str, ...]:
    """The files' names, with their folders where two have the same."""
    names = [path.name for path in paths]
    shown = [
        name if names.count(name) == 1 else f"{path.resolve().parent.name}/{name}"
        for path, name in zip(paths, names, strict=True)
    ]
    return tuple(map(plain_name, shown))


def told_once(notes: list[tuple[str, str]]) -> list[str]:
    """Notes on files, where several have the same one told once, with their number."""
    files: dict[str, list[str]] = {}
    for file, note in notes:
        same = files.setdefault(note.removeprefix(file), [])
        same.extend([file] * (file not in same))
    more = {note: f" (and {len(same) - 1} more)" * (len(same) > 1) for note, same in files.items()}
    return [f"{same[0]}{more[note]}{note}" for note, same in files.items()]


def harmless(sentence: str) -> str:
    """A sentence that quotes a file, as text and nothing else: it is shown in a terminal and in a report's table."""
    shown = " ".join(plain_name(word) if word.strip() else word for word in sentence.split(" "))
    return shown.replace("\N{RIGHT DOUBLE QUOTATION MARK}", '"')  # in running text it opens nothing


def read_as(people: People, read: list[tuple[MethodFiles, list[Predictions]]]) -> list[str]:
    """One sentence on encodings, compression and separators, where they are not the usual ones."""
    tables = {people.table.path.name: people.table.how}
    tables |= {file.path.name: file.table.how for _, files in read for file in files}
    said = [f"{name} ({', '.join(how)})" for name, how in tables.items() if how]
    return [f"Read as written: {'; '.join(said)}."] if said else []


def decided_by(methods: Mapping[str, list[Network]], threshold: float | None) -> list[str]:
    """Where decisions come from, where it is not from scores at .5."""
    if threshold is not None:
        return [f"Decisions are those of the scores at a threshold of {threshold:g}, as asked for."]
    sentences = []
    for name, networks in methods.items():
        deciding = [network for network in networks if network.ranked and network.decision is not None]
        differ = sum(int((n.called() != (n.score >= 0.5)).sum()) for n in deciding)
        if differ:
            cuts = [cut for network in deciding if (cut := cut_of(network))]
            at = f", cut between {min(c[0] for c in cuts):.3g} and {max(c[1] for c in cuts):.3g}," if cuts else ""
            sentences.append(
                f"{name}: the file's decisions{at} are audited ({differ:,} differ from its scores at .5); scores serve for AUC and "
                "calibration."
            )
    return sentences


def compared(attribute: Attribute) -> str:
    """The groups in their order, and what they are compared with."""
    level = "patients" if attribute.of_patient else "images"
    return (
        f"{attribute.label}: {', '.join(attribute.groups)}, of {level}; differences are against {attribute.reference}."
    )


def in_no_group(rows: pl.DataFrame, attributes: Mapping[str, Attribute]) -> list[str]:
    """Who is in no group."""
    known = {attribute.label: rows[name].null_count() for name, attribute in attributes.items()}
    groups = ", ".join(f"{label} of {counted(count, 'image')}" for label, count in known.items() if count)
    return [f"Unknown, and in no group: {groups}."] if groups else []
