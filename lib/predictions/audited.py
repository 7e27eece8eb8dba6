"""From files to tables: every file read and matched, methods compared with the baseline on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from lib.attributes import attributes_of
from lib.audit import Context, Population, answer
from lib.names import BASELINE, BASELINE_WEIGHTING, Attribute
from lib.predictions.match import Codes, common, matched, names_in, read_people, restricted
from lib.predictions.reader import PredictionError, read_predictions

OPTIMISM = (
    "Nothing says which images are for validation: all are audited, training images may be among them, and rates on "
    "images seen in training flatter (use --valid)."
)
HARD = "has decisions only, no scores: AUC and calibration are not estimable."


@dataclass(frozen=True)
class Audited:
    """`tables` of the audit, in which the baseline is called `uniform`; `methods` by that name, with their own; `rows`,
    the images audited, with their people; `networks`, files by method, and all `files`; `notices`, sentences worth
    telling; `held_out`."""

    tables: dict[str, pl.DataFrame]
    attributes: dict[str, Attribute]
    methods: dict[str, str]
    networks: dict[str, int]
    files: tuple[str, ...]
    rows: pl.DataFrame
    notices: tuple[str, ...]
    held_out: bool


def audit_predictions(
    files: Sequence[str | Path],
    metadata: str | Path | None = None,
    *,
    baseline: str | None = None,
    valid: str | Path | None = None,
    codes: Codes | None = None,
    margin: float = 0.05,
    smallest_cell: int = 20,
) -> Audited:
    """Audit existing predictions.

    `files`: paths, or `NAME=a.csv,b.csv` for several networks of one method; `metadata` defaults to the first file, for
    the course's script repeats its columns; `baseline` is the name of the method to compare with (default: the first);
    `valid`, a CSV of names or a cohort folder; `codes`, see `match.parse_codes`. Raises `PredictionError`, one sentence.
    """
    groups = _grouped(files)
    chosen = baseline or next(iter(groups))
    if chosen not in groups:
        raise PredictionError(f"--baseline {chosen!r} is not among the methods; they are {', '.join(groups)}.")
    groups = {chosen: groups[chosen]} | groups
    path = Path(metadata) if metadata else next(iter(groups.values()))[0]
    people, notices = read_people(path, codes or {})
    names = None if valid is None else names_in(Path(valid))
    tables, hard, held_out = [], [], []
    for method, paths in groups.items():
        for file in paths:
            read = read_predictions(file)
            rows, told = matched(read, people, path)
            rows, known = restricted(rows, names, file)
            tables.append((file, rows))
            held_out.append(known)
            notices += told
            if not read.ranked:
                hard.append(method)
                notices.append(f"{file.name} {HARD}")
    kept, told = common(tables)
    notices += told
    if not all(held_out):
        notices.append(OPTIMISM)
    rows, scores, start = kept[0], {}, 0
    _check_classes(rows)
    for method, paths in groups.items():
        own = kept[start : start + len(paths)]
        scores[_inner(method, chosen)] = np.stack([frame["score"].to_numpy() for frame in own])
        start += len(paths)
    decisions = {(name, *BASELINE[1:]): (own >= 0.5).astype(float) for name, own in scores.items()}
    known = attributes_of(rows, [name for name in ("sex", "age_group", "view") if rows[name].n_unique() > 1])
    ranks = frozenset(scores) - {_inner(method, chosen) for method in hard}
    context = Context(
        Population.from_frame(rows, attributes=list(known.values())),
        rows,
        scores,
        decisions,
        margin=margin,
        smallest_cell=smallest_cell,
        ranks=ranks,
    )
    found = answer(context)
    methods = {_inner(method, chosen): method for method in groups}
    networks = {_inner(method, chosen): len(paths) for method, paths in groups.items()}
    names = tuple(path.name for paths in groups.values() for path in paths)
    return Audited(found, known, methods, networks, names, rows, tuple(dict.fromkeys(notices)), all(held_out))


def _grouped(files: Sequence[str | Path]) -> dict[str, list[Path]]:
    """Files by the name of their method: `NAME=a.csv,b.csv`, or a path, whose method is called as the file is."""
    groups: dict[str, list[Path]] = {}
    for given in map(str, files):
        name, separator, paths = given.partition("=")
        alone = not separator or Path(given).exists()
        name = Path(given).stem if alone else name.strip()
        own = [Path(given)] if alone else [Path(path.strip()) for path in paths.split(",") if path.strip()]
        if not name or not own:
            raise PredictionError(f"{given!r} names no file; allowed are a path and NAME=a.csv,b.csv.")
        if name in groups:
            raise PredictionError(f"two methods are called {name!r}: name them, as in NAME={own[0]}.")
        groups[name] = own
    if not groups:
        raise PredictionError("No predictions are given; at least one CSV file is needed.")
    every = [path.resolve() for own in groups.values() for path in own]
    if twice := [path for path in every if every.count(path) > 1]:
        raise PredictionError(f"{twice[0]} is given twice; each file is one network.")
    return groups


def _inner(method: str, baseline: str) -> str:
    """The name of a method in the tables, where that of the baseline is fixed."""
    if method == baseline:
        return BASELINE_WEIGHTING
    return f"{method} (not the baseline)" if method == BASELINE_WEIGHTING else method


def _check_classes(rows: pl.DataFrame) -> None:
    for label, words in ((1, "sick"), (0, "healthy")):
        if rows.filter(pl.col("label") == label).is_empty():
            raise PredictionError(f"none of the {rows.height:,} images is {words}; both classes are needed.")
