"""From files to a question: every file read, matched with its people, and cut to the images that all methods have."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from lib.names import BASELINE_WEIGHTING, Attribute
from lib.postprocessing import REGISTRY
from lib.predictions import remarks
from lib.predictions.match import common, matched, names_in, restricted
from lib.predictions.methods import methods_of, parse_codes
from lib.predictions.question import Question, Request
from lib.predictions.reader import Predictions, divided, read_predictions
from lib.tabular import AttributeSpec, Columns, People, Table, parse_attribute, plain_name, read_people, read_table
from lib.tabular import TableError as PredictionError
from lib.tabular.columns import IMAGE, named

Networks = dict[str, list[tuple[Predictions, int]]]
"""The networks of each method: a file, and which of its networks."""


def prepared(request: Request) -> Question:
    """Read everything. Raises `PredictionError`, one sentence."""
    _check(request)
    files = [request.files] if isinstance(request.files, str | Path) else request.files
    files_of, columns = methods_of(files), request.columns
    metadata = None if request.metadata is None else read_table(request.metadata)
    of_files: list[str] = []
    read = [
        (method, file)
        for method, paths in files_of.items()
        for path in paths
        for file in _read(path, columns, request, metadata, of_files)
    ]
    people = _people(request, metadata, read[0][1], columns)
    names = None if request.valid is None else names_in(Path(request.valid))
    warnings = [*people.warnings, *remarks.about_metadata(people)]
    chosen = [restricted(matched(file, people, of_files, warnings), names, of_files, warnings) for _, file in read]
    notices = [*remarks.read_as(people, chosen), *people.notes]
    notices += remarks.merged(of_files, [file.path.name for file in chosen])
    kept = common(chosen, notices)
    if request.attributes is not None:
        notices += map(remarks.compared, people.attributes.values())
    held_out = all(file.held_out for file in kept)
    if not held_out:
        warnings.append(remarks.OPTIMISM)
    rows = kept[0].frame.select(pl.exclude(r"^(score|decision) \d+$"))
    for label, words in ((1, "sick"), (0, "healthy")):
        if rows.filter(label=label).is_empty():
            raise PredictionError(f"none of the {rows.height:,} images is {words}; both classes are needed.")
    for file in kept:
        if not file.networks[0].ranked:
            notices.append(f"{plain_name(file.path.name)} {remarks.HARD}")
        warnings += remarks.warnings_of(file)
    methods = _methods([name for name, _ in read], kept, alone=len(files_of) == 1)
    baseline = next(iter(methods)) if request.baseline is None else plain_name(request.baseline)
    if baseline not in methods:
        raise PredictionError(
            f"--baseline {request.baseline!r} is not among the methods; they are {', '.join(methods)}."
        )
    methods = {baseline: methods[baseline]} | methods
    notices += [*remarks.decided_by(methods, request.threshold), *remarks.in_no_group(rows, people.attributes)]
    warnings += remarks.about_images(rows)
    by_key = {_key(method, baseline): networks for method, networks in methods.items()}
    decisions = {key: [file.called(k, request.threshold) for file, k in networks] for key, networks in by_key.items()}
    target = _targets(request.target, people.attributes)
    first = target[0] if request.target else _widest(rows, decisions[BASELINE_WEIGHTING], people.attributes, request)
    return Question(
        request,
        rows,
        people.attributes,
        scores={key: np.stack([file.score(k) for file, k in networks]) for key, networks in by_key.items()},
        decisions={name: np.stack(called) for name, called in decisions.items()},
        hard=frozenset(key for key, networks in by_key.items() if not all(f.networks[k].ranked for f, k in networks)),
        methods=dict(zip(by_key, methods, strict=True)),
        files=remarks.file_names([path for paths in files_of.values() for path in paths]),
        notices=tuple(dict.fromkeys(map(remarks.harmless, notices))),
        warnings=tuple(dict.fromkeys(map(remarks.harmless, warnings))),
        held_out=held_out,
        target=target,
        preferences={  # what a recommendation is computed from
            "attribute": first,
            "largest_loss": 0.02,
            "may_use_demographics": people.attributes[first].of_patient,
        },
    )


def _check(request: Request) -> None:
    for name, allowed, right in (
        ("threshold", "0 to 1", lambda value: value is None or 0 <= value <= 1),
        ("margin", "above 0 to below 0.5", lambda value: 0 < value < 0.5),
        ("folds", "2 or more", lambda value: value >= 2),
        ("smallest_cell", "1 or more", lambda value: value >= 1),
    ):
        value = getattr(request, name)
        if not right(value):
            raise PredictionError(f"--{name.replace('_', '-')} is {value:g}; allowed is {allowed}.")
    if unknown := [name for name in request.postprocess if name not in REGISTRY]:
        raise PredictionError(
            f"--postprocess {unknown[0]!r} is not known; allowed are {', '.join(list(REGISTRY)[1:])}."
        )


def _read(
    path: Path, columns: Columns, request: Request, metadata: Table | None, notes: list[str]
) -> list[Predictions]:
    """What a file says: once, or once for each method and network that it has rows of."""
    table, files = read_table(path), []
    scores = [request.score] if isinstance(request.score, str) else request.score
    for method, part in divided(table, columns.within(table, metadata), notes):
        file = read_predictions(part, columns, scores, metadata, notes)
        networks = [replace(n, method=" ".join(filter(None, (method, n.method)))) for n in file.networks]
        files.append(replace(file, networks=tuple(networks)))
    return files


def _people(request: Request, table: Table | None, first: Predictions, columns: Columns) -> People:
    """The metadata: the table that is named, else the first file itself."""
    of_itself = table is None or table.path.resolve() == first.path.resolve()
    names = {role: name for role, name in columns.names.items() if role in ("image", "patient", "split", "label")}
    if of_itself:
        table = first.table
        if "image" not in first.frame.columns:
            names[IMAGE] = "none"
    else:  # an option may name a column of the predictions alone
        names = {role: name for role, name in names.items() if role == "patient" or named(table, name)}
    specs = request.attributes
    if specs is not None:
        specs = [spec if isinstance(spec, AttributeSpec) else parse_attribute(spec) for spec in specs]
    codes = parse_codes(request.codes) if isinstance(request.codes, str) else request.codes
    try:
        return read_people(table, Columns(names, request.like), specs, codes)
    except PredictionError as error:
        if request.metadata is not None:
            raise
        raise PredictionError(
            f"{str(error).removesuffix('.')}; or give the table that has it, by --metadata."
        ) from None


def _methods(names: Sequence[str], files: Sequence[Predictions], *, alone: bool) -> Networks:
    """Networks by method. A file of several methods names them; beside other files, after its own name."""
    methods: Networks = {}
    for name, file in zip(names, files, strict=True):
        for k, network in enumerate(file.networks):
            written = plain_name(network.method)
            method = written if alone and written else f"{name} {written}".strip()
            methods.setdefault(method, []).append((file, k))
    return methods


def _key(method: str, baseline: str) -> str:
    """The name of a method in the tables, where that of the baseline is fixed."""
    if method == baseline:
        return BASELINE_WEIGHTING
    return f"{method} (not the baseline)" if method == BASELINE_WEIGHTING else method


def _targets(names: Sequence[str], attributes: Mapping[str, Attribute]) -> tuple[str, ...]:
    names = ["age_group" if name == "age" and "age_group" in attributes else name for name in names]
    if unknown := [name for name in names if name not in attributes]:
        raise PredictionError(f"--target {unknown[0]!r} is not compared; allowed are {', '.join(attributes)}.")
    return tuple(names or attributes)


def _widest(
    rows: pl.DataFrame, called: Sequence[np.ndarray], attributes: Mapping[str, Attribute], request: Request
) -> str:
    """The attribute by which TPR or FPR lie furthest apart between groups with enough patients, by image."""

    def apart(attribute: str) -> float:
        rates = (
            rows.select("label", "patient", group=attribute, called=pl.Series(np.mean(called, axis=0)))
            .drop_nulls()
            .group_by("label", "group")
            .agg(pl.col("called").mean(), pl.col("patient").n_unique())
            .filter(pl.col("patient") >= request.smallest_cell)
        )
        widths = rates.group_by("label").agg(pl.col("called").max() - pl.col("called").min())["called"]
        return float(widths.max() or 0.0)

    return max(attributes, key=apart)
