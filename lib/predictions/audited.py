"""From files to tables: every file read and matched, methods compared with the baseline on the same images."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from lib.names import BASELINE_POSTPROCESSING, BASELINE_WEIGHTING, Attribute
from lib.postprocessing import REGISTRY
from lib.predictions.engine import Question, answered
from lib.predictions.match import Codes, Matched, common, matched, names_in, restricted
from lib.predictions.methods import Given, methods_of
from lib.predictions.reader import Network, PredictionError, Predictions, of_predictions, read_predictions
from lib.predictions.warn import about_images, about_metadata, cut_of, warnings_of
from lib.tabular import AttributeSpec, Columns, People, TableError, parse_attribute, plain_name, read_people
from lib.tabular.columns import IMAGE

OPTIMISM = (
    "Nothing says which images are for validation: all are audited, training images may be among them, and rates on "
    "images seen in training flatter (use --valid or --split)."
)
HARD = "has decisions only, no scores: AUC and calibration are not estimable."
ROLES = ("image", "patient", "label", "decision", "split")


@dataclass(frozen=True, eq=False)
class Audited:
    """`tables` of the audit, in which the baseline is called `uniform`; `methods` by that name, with their own; `rows`,
    the images audited, with their people; `attributes` compared; `networks` by method, and all `files`; `deployed`, the
    rules that post-processing would use; `notices`, sentences on what was done, `warnings`, on what may mislead;
    `held_out`; `threshold` and `replicates`."""

    tables: dict[str, pl.DataFrame]
    methods: dict[str, str]
    networks: dict[str, int]
    files: tuple[str, ...]
    rows: pl.DataFrame
    attributes: dict[str, Attribute]
    deployed: list[dict]
    notices: tuple[str, ...]
    warnings: tuple[str, ...]
    held_out: bool
    threshold: float
    replicates: int
    smallest_cell: int = 20
    folds: int = 5
    postprocessings: tuple[str, ...] = (BASELINE_POSTPROCESSING,)
    scores_digest: str = ""


def audit_predictions(
    files: Sequence[str | Path] | str | Path,
    metadata: str | Path | None = None,
    *,
    baseline: str | None = None,
    valid: str | Path | None = None,
    codes: Codes | None = None,
    score: str | Sequence[str] = (),
    image: str | None = None,
    patient: str | None = None,
    label: str | None = None,
    decision: str | None = None,
    split: str | None = None,
    attributes: Sequence[str | AttributeSpec] | None = None,
    like: str | None = None,
    threshold: float | None = None,
    postprocess: Sequence[str] = (),
    target: Sequence[str] = (),
    folds: int = 5,
    replicates: int = 2000,
    smallest_cell: int = 20,
) -> Audited:
    """Audit existing predictions; nothing is trained and no image is read.

    `files`: paths of tables or folders, or `NAME=a.csv,b.csv` for several networks of one method; `metadata` defaults to the
    first file, for the course's script repeats its columns; `baseline` is the method to compare with (default: the first);
    `valid`, a table of names or a cohort folder. Columns in other words: `score` (one, or several as methods), `image`,
    `patient` (`none`: each image has its own), `label`, `decision`, `split`; `like`, a published file (`nih`, `chexpert`,
    `mimic`); `codes`, see `match.parse_codes`; `attributes`, see `lib.tabular.parse_attribute` (default: sex, age group and
    view, where they are known). `threshold` decides in place of .5 and of the file's decisions. `postprocess` names
    post-processings, fitted on other patients than they are judged on, by the attributes in `target` (default: all).

    >>> from lib.predictions import audit_predictions, summary
    >>> found = audit_predictions("preds.csv", "metadata.csv", attributes=["sex", "race:Race"])  # doctest: +SKIP
    >>> print(summary(found))  # doctest: +SKIP

    Raises `PredictionError`, one sentence.
    """
    if threshold is not None and not 0 <= threshold <= 1:
        raise PredictionError(f"--threshold is {threshold:g}; allowed is 0 to 1.")
    if unknown := [name for name in postprocess if name not in REGISTRY]:
        raise PredictionError(
            f"--postprocess {unknown[0]!r} is not known; allowed are {', '.join(list(REGISTRY)[1:])}."
        )
    with of_predictions():
        given = methods_of([files] if isinstance(files, str | Path) else files)
        words = dict(zip(ROLES, (image, patient, label, decision, split), strict=True))
        columns = Columns({role: name for role, name in words.items() if name}, like)
        scores = (score,) if isinstance(score, str) else tuple(score)
        specs = (
            None
            if attributes is None
            else [a if isinstance(a, AttributeSpec) else parse_attribute(a) for a in attributes]
        )
        read = [
            (method, [read_predictions(path, _present(columns), scores) for path in method.files]) for method in given
        ]
        people = _people(metadata, read, columns, specs, codes)
        named = None if valid is None else names_in(Path(valid))
    notices, warnings = [*_read_as(people, read), *people.notes], [*people.warnings]
    warnings += about_metadata(people.checks, plain_name(people.table.path.name))
    found: list[tuple[Given, Matched]] = []
    for method, own in read:
        for file in own:
            one = restricted(matched(file, people), named)
            found.append((method, one))
            notices += [*file.notes, *one.notes]
            warnings += one.warnings
    kept, told = common([one for _, one in found])
    notices += told
    if attributes is not None:
        notices += [_compared(own) for own in people.attributes.values()]
    held_out = all(one.held_out for one in kept)
    if not held_out:
        warnings.append(OPTIMISM)
    rows = kept[0].rows
    _check_classes(rows)
    methods = _methods([(method, one) for (method, _), one in zip(found, kept, strict=True)], len(given))
    chosen = _baseline(baseline, methods)
    methods = {chosen: methods[chosen]} | methods
    labels = rows["label"].to_numpy()
    for one in kept:
        notices += [f"{plain_name(one.path.name)} {HARD}" for n in one.networks[:1] if not n.ranked]
        warnings += warnings_of(one, labels, 0.5)
    notices += _decided(methods, threshold)
    warnings += about_images(rows)
    inner = {_inner(method, chosen): networks for method, networks in methods.items()}
    question = Question(
        rows,
        people.attributes,
        {name: np.stack([network.score for network in own]) for name, own in inner.items()},
        {name: np.stack([_decisions(network, threshold) for network in own]) for name, own in inner.items()},
        frozenset(name for name, own in inner.items() if not all(network.ranked for network in own)),
        tuple(postprocess),
        _targets(target, people.attributes),
        folds,
        replicates,
        smallest_cell,
    )
    try:
        tables, deployed = answered(question)
    except ValueError as error:
        raise PredictionError(str(error)) from None
    return Audited(
        tables,
        {_inner(method, chosen): method for method in methods},
        {name: len(own) for name, own in inner.items()},
        tuple(path.name for method in given for path in method.files),
        rows,
        people.attributes,
        deployed,
        tuple(dict.fromkeys(map(_harmless, notices))),
        tuple(dict.fromkeys(map(_harmless, warnings))),
        held_out,
        0.5 if threshold is None else threshold,
        replicates,
        smallest_cell,
        folds,
        tuple(dict.fromkeys([BASELINE_POSTPROCESSING, *postprocess])),
        _digest(question),
    )


def _digest(question: Question) -> str:
    """Of every score and decision, by method."""
    digest = hashlib.blake2b(digest_size=16)
    for name in question.scores:
        digest.update(name.encode() + question.scores[name].tobytes() + question.decisions[name].tobytes())
    return digest.hexdigest()


def _harmless(sentence: str) -> str:
    """A sentence that quotes a file, as text and nothing else: it is shown in a terminal and in a report's table."""
    return "".join(plain_name(part) if part.strip() else part for part in _pieces(sentence))


def _pieces(sentence: str) -> list[str]:
    return [word for pair in ((w, " ") for w in sentence.split(" ")) for word in pair][:-1]


def _present(columns: Columns) -> Columns:
    """The options as they concern a file of predictions: whose image a row is stands in the metadata."""
    given = {role: name for role, name in columns.given.items() if role not in ("patient",)}
    return Columns(given, columns.like)


def _people(
    metadata: str | Path | None,
    read: list[tuple[Given, list[Predictions]]],
    columns: Columns,
    specs: Sequence[AttributeSpec] | None,
    codes: Codes | None,
) -> People:
    first = read[0][1][0]
    own = metadata is None or Path(metadata).resolve() == first.path.resolve()
    given = {role: name for role, name in columns.given.items() if role in ("image", "patient")}
    if own and "image" not in first.frame.columns:
        given[IMAGE] = "none"
    source = first.table if own else Path(metadata)
    if not own:
        given = {role: name for role, name in given.items() if role == "patient"} | (
            {IMAGE: columns.given[IMAGE]} if IMAGE in columns.given and _has(metadata, columns.given[IMAGE]) else {}
        )
    try:
        return read_people(source, Columns(given, columns.like), specs, codes)
    except TableError as error:
        if not own or metadata is not None:
            raise
        raise PredictionError(
            f"{str(error).removesuffix('.')}; or give the table that has it, by --metadata."
        ) from None


def _has(metadata: str | Path, column: str) -> bool:
    from lib.tabular import read_table
    from lib.tabular.columns import named

    return named(read_table(metadata), column) is not None


def _read_as(people: People, read: list[tuple[Given, list[Predictions]]]) -> list[str]:
    """One sentence on encodings, compression and separators, where they are not the usual ones."""
    tables = {people.table.path.name: people.table.how}
    tables |= {file.path.name: file.table.how for _, own in read for file in own}
    said = [f"{name} ({', '.join(how)})" for name, how in tables.items() if how]
    return [f"Read as written: {'; '.join(said)}."] if said else []


def _methods(found: list[tuple[Given, Matched]], given: int) -> dict[str, list[Network]]:
    """Networks by method. A file that tells methods apart names them; beside other files, after its own name."""
    methods: dict[str, list[Network]] = {}
    for method, one in found:
        for network in one.networks:
            own = plain_name(network.method)
            name = method.name if not own else own if given == 1 else f"{method.name} {own}"
            methods.setdefault(name, []).append(network)
    return methods


def _baseline(asked: str | None, methods: Mapping[str, list[Network]]) -> str:
    chosen = next(iter(methods)) if asked is None else plain_name(asked)
    if chosen not in methods:
        raise PredictionError(f"--baseline {asked!r} is not among the methods; they are {', '.join(methods)}.")
    return chosen


def _decisions(network: Network, threshold: float | None) -> np.ndarray:
    """1 = called sick, (n,): by the threshold that is asked for, else as the file says, else at .5."""
    if threshold is not None and network.ranked:
        return (network.score >= threshold).astype(float)
    at_half = (network.score >= 0.5).astype(float)
    if network.decision is None:
        return at_half
    return np.where(network.decision < 0, at_half, network.decision).astype(float)


def _decided(methods: Mapping[str, list[Network]], threshold: float | None) -> list[str]:
    """Where decisions come from, where it is not from scores at .5."""
    if threshold is not None:
        return [f"Decisions are those of the scores at a threshold of {threshold:g}, as asked for."]
    told = []
    for name, networks in methods.items():
        given = [network for network in networks if network.ranked and network.decision is not None]
        differ = sum(int((_decisions(n, None) != (n.score >= 0.5)).sum()) for n in given)
        if differ:
            cuts = [cut for network in given if (cut := cut_of(network))]
            at = f", cut between {min(c[0] for c in cuts):.3g} and {max(c[1] for c in cuts):.3g}," if cuts else ""
            told.append(
                f"{name}: the file's decisions{at} are audited ({differ:,} differ from its scores at .5); scores serve for AUC and "
                "calibration."
            )
    return told


def _compared(own: Attribute) -> str:
    """The groups in their order, and what they are compared with."""
    level = "patients" if own.of_patient else "images"
    return f"{own.label}: {', '.join(own.groups)}, of {level}; differences are against {own.reference}."


def _targets(asked: Sequence[str], attributes: Mapping[str, Attribute]) -> tuple[str, ...]:
    alias = {"age": "age_group"} if "age_group" in attributes else {}
    names = tuple(alias.get(name, name) for name in asked)
    if unknown := [name for name in names if name not in attributes]:
        raise PredictionError(f"--target {unknown[0]!r} is not compared; allowed are {', '.join(attributes)}.")
    return names or tuple(attributes)


def _inner(method: str, baseline: str) -> str:
    """The name of a method in the tables, where that of the baseline is fixed."""
    if method == baseline:
        return BASELINE_WEIGHTING
    return f"{method} (not the baseline)" if method == BASELINE_WEIGHTING else method


def _check_classes(rows: pl.DataFrame) -> None:
    for label, words in ((1, "sick"), (0, "healthy")):
        if rows.filter(pl.col("label") == label).is_empty():
            raise PredictionError(f"none of the {rows.height:,} images is {words}; both classes are needed.")
