"""From files to a question: every file read, matched with its people, and cut to the images that all methods have."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from lib.names import BASELINE_WEIGHTING, Attribute
from lib.postprocessing import REGISTRY
from lib.predictions.errors import PredictionError
from lib.predictions.match import Matched, common, matched
from lib.predictions.methods import MethodFiles, methods_of
from lib.predictions.notices import (
    HARD,
    OPTIMISM,
    compared,
    decided_by,
    file_names,
    harmless,
    in_no_group,
    read_as,
    told_once,
)
from lib.predictions.question import Question, Request
from lib.predictions.reader import Predictions, read_predictions
from lib.predictions.scores import Network
from lib.predictions.selection import names_in, restricted
from lib.predictions.stacked import divided
from lib.predictions.warn import about_images, about_metadata, warnings_of
from lib.tabular import (
    AttributeSpec,
    Columns,
    People,
    Table,
    TableError,
    parse_attribute,
    plain_name,
    read_people,
    read_table,
)
from lib.tabular.columns import IMAGE, named


def prepared(request: Request) -> Question:
    """Read everything. Raises `PredictionError`, one sentence."""
    if request.threshold is not None and not 0 <= request.threshold <= 1:
        raise PredictionError(f"--threshold is {request.threshold:g}; allowed is 0 to 1.")
    if not 0 < request.margin < 0.5:
        raise PredictionError(f"--margin is {request.margin:g}; allowed is above 0 to below 0.5.")
    if unknown := [name for name in request.postprocess if name not in REGISTRY]:
        raise PredictionError(
            f"--postprocess {unknown[0]!r} is not known; allowed are {', '.join(list(REGISTRY)[1:])}."
        )
    files_of_methods, columns = methods_of(request.files), Columns(request.columns, request.like)
    table = None if request.metadata is None else read_table(request.metadata)
    read = [
        (method, [one for path in method.files for one in _read(path, columns, request.scores, table)])
        for method in files_of_methods
    ]
    people = _people(request, table, read, columns)
    names = None if request.valid is None else names_in(Path(request.valid))
    notices, warnings = [*read_as(people, read), *people.notes], [*people.warnings]
    warnings += about_metadata(people.checks, plain_name(people.table.path.name))
    matches: list[tuple[MethodFiles, Matched]] = []
    of_files: list[tuple[str, str]] = []
    for method, own in read:
        for file in own:
            one = restricted(matched(file, people), names)
            matches.append((method, one))
            of_files += [(file.path.name, note) for note in (*file.notes, *one.notes)]
            warnings += one.warnings
    notices += told_once(of_files)
    kept, told = common([one for _, one in matches])
    notices += told
    if request.attributes is not None:
        notices += [compared(own) for own in people.attributes.values()]
    held_out = all(one.held_out for one in kept)
    if not held_out:
        warnings.append(OPTIMISM)
    rows = kept[0].rows
    _check_classes(rows)
    methods = _methods([(method, one) for (method, _), one in zip(matches, kept, strict=True)], len(files_of_methods))
    chosen = _baseline(request.baseline, methods)
    methods = {chosen: methods[chosen]} | methods
    labels = rows["label"].to_numpy()
    for one in kept:
        notices += [f"{plain_name(one.path.name)} {HARD}" for n in one.networks[:1] if not n.ranked]
        warnings += warnings_of(one, labels)
    notices += decided_by(methods, request.threshold)
    warnings += about_images(rows)
    notices += in_no_group(rows, people.attributes)
    inner = {_inner(method, chosen): networks for method, networks in methods.items()}
    question = Question(
        request,
        rows,
        dict(people.attributes),
        {name: np.stack([one.score for one in networks]) for name, networks in inner.items()},
        {name: np.stack([one.called(request.threshold) for one in networks]) for name, networks in inner.items()},
        frozenset(name for name, networks in inner.items() if not all(one.ranked for one in networks)),
        {_inner(method, chosen): method for method in methods},
        file_names([path for method in files_of_methods for path in method.files]),
        tuple(dict.fromkeys(map(harmless, notices))),
        tuple(dict.fromkeys(map(harmless, warnings))),
        held_out,
        _targets(request.target, people.attributes),
        {},
    )
    return replace(question, preferences=_preferences(question))


def _read(path: Path, columns: Columns, scores: Sequence[str], metadata: Table | None) -> list[Predictions]:
    """What a file says: once, or once for each method and network that it has rows of."""
    table = read_table(path)
    parts, notes = divided(table, columns.within(table, metadata))
    files = []
    for method, part in parts:
        predictions = read_predictions(part, columns, scores, metadata)
        networks = [replace(n, method=" ".join(filter(None, (method, n.method)))) for n in predictions.networks]
        files.append(replace(predictions, networks=tuple(networks), notes=(*notes, *predictions.notes)))
    return files


def _people(
    request: Request, table: Table | None, read: list[tuple[MethodFiles, list[Predictions]]], columns: Columns
) -> People:
    """The metadata: the table that is named, else the first file itself."""
    first = read[0][1][0]
    of_itself = table is None or table.path.resolve() == first.path.resolve()
    given = {role: name for role, name in columns.given.items() if role in ("image", "patient", "split", "label")}
    if of_itself and "image" not in first.frame.columns:
        given[IMAGE] = "none"
    if not of_itself:  # an option may name a column of the predictions alone
        given = {role: name for role, name in given.items() if role == "patient" or named(table, name)}
    table = first.table if of_itself else table
    specs = request.attributes
    if specs is not None:
        specs = [spec if isinstance(spec, AttributeSpec) else parse_attribute(spec) for spec in specs]
    try:
        return read_people(table, Columns(given, request.like), specs, request.codes)
    except TableError as error:
        if request.metadata is not None:
            raise
        raise PredictionError(
            f"{str(error).removesuffix('.')}; or give the table that has it, by --metadata."
        ) from None


def _methods(pairs: list[tuple[MethodFiles, Matched]], inputs: int) -> dict[str, list[Network]]:
    """Networks by method. A file that tells methods apart names them; beside other files, after its own name."""
    methods: dict[str, list[Network]] = {}
    for method, one in pairs:
        for network in one.networks:
            written = plain_name(network.method)
            name = method.name if not written else written if inputs == 1 else f"{method.name} {written}"
            methods.setdefault(name, []).append(network)
    return methods


def _baseline(name: str | None, methods: Mapping[str, list[Network]]) -> str:
    chosen = next(iter(methods)) if name is None else plain_name(name)
    if chosen not in methods:
        raise PredictionError(f"--baseline {name!r} is not among the methods; they are {', '.join(methods)}.")
    return chosen


def _targets(names: Sequence[str], attributes: Mapping[str, Attribute]) -> tuple[str, ...]:
    alias = {"age": "age_group"} if "age_group" in attributes else {}
    names = tuple(alias.get(name, name) for name in names)
    if unknown := [name for name in names if name not in attributes]:
        raise PredictionError(f"--target {unknown[0]!r} is not compared; allowed are {', '.join(attributes)}.")
    return names or tuple(attributes)


def _preferences(question: Question) -> dict[str, object]:
    """What a recommendation is computed from: the gap of the first attribute that is corrected, else of that by which the
    baseline's rates lie furthest apart; two points of accuracy."""
    target = question.target if question.request.target else ()
    first = target[0] if target else max(question.attributes, key=lambda name: _apart(question, name))
    return {
        "attribute": first,
        "largest_loss": 0.02,
        "may_use_demographics": question.attributes[first].of_patient,
    }


def _apart(question: Question, attribute: str) -> float:
    """The largest difference of the baseline's TPR or FPR between groups with enough patients, by image; 0 with one group."""
    called = pl.Series("called", question.decisions[BASELINE_WEIGHTING].mean(axis=0))
    rates = (
        question.rows.select("label", "patient", group=attribute)
        .with_columns(called)
        .drop_nulls()
        .group_by("label", "group")
        .agg(pl.col("called").mean(), pl.col("patient").n_unique())
        .filter(pl.col("patient") >= question.request.smallest_cell)
    )
    widths = rates.group_by("label").agg(pl.col("called").max() - pl.col("called").min())["called"]
    return float(widths.max() or 0.0)


def _inner(method: str, baseline: str) -> str:
    """The name of a method in the tables, where that of the baseline is fixed."""
    if method == baseline:
        return BASELINE_WEIGHTING
    return f"{method} (not the baseline)" if method == BASELINE_WEIGHTING else method


def _check_classes(rows: pl.DataFrame) -> None:
    for label, words in ((1, "sick"), (0, "healthy")):
        if rows.filter(pl.col("label") == label).is_empty():
            raise PredictionError(f"none of the {rows.height:,} images is {words}; both classes are needed.")
