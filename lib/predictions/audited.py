"""From files to tables: methods compared with the baseline on the same images, and everything worth telling."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from lib.names import BASELINE_POSTPROCESSING, Attribute
from lib.predictions.engine import answered
from lib.predictions.errors import PredictionError
from lib.predictions.match import Codes
from lib.predictions.prepared import Request, prepared
from lib.tabular import AttributeSpec


@dataclass(frozen=True, eq=False)
class Audited:
    """`tables` of the audit, in which the baseline is called `uniform`; `methods` by that name, with their own; `rows`,
    the images audited, with their people; `attributes` compared; `networks` by method, and all `files`; `deployed`, the
    rules that post-processing would use; `notices`, sentences on what was done, `warnings`, on what may mislead;
    `held_out`, and the `settings`; `key`, equal for equal images, truths, scores and decisions."""

    tables: dict[str, pl.DataFrame]
    methods: dict[str, str]
    networks: dict[str, int]
    files: tuple[str, ...]
    rows: pl.DataFrame
    attributes: dict[str, Attribute]
    deployed: list[dict[str, Any]]
    notices: tuple[str, ...]
    warnings: tuple[str, ...]
    held_out: bool
    settings: dict[str, Any]
    key: str


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
    margin: float = 0.05,
    smallest_cell: int = 20,
) -> Audited:
    """Audit existing predictions; nothing is trained and no image is read.

    `files`: paths of tables or folders, or `NAME=a.csv,b.csv` for several networks of one method; `metadata` defaults to the
    first file, for the course's script repeats its columns; `baseline` is the method to compare with (default: the first);
    `valid`, a table of names or a cohort folder. Columns in other words: `score` (one, or several as methods), `image`,
    `patient` (`none`: each image has its own), `label`, `decision`, `split`; `like`, a published file (`nih`, `chexpert`,
    `mimic`); `codes`, see `match.parse_codes`; `attributes`, see `lib.tabular.parse_attribute` (default: sex, age group and
    view, where they are known). `threshold` decides in place of .5 and of the file's decisions. `postprocess` names
    post-processings, fitted on other patients than they are judged on, by the attributes in `target` (default: all). Differences of
    rates under the `margin` count as none; groups with fewer than `smallest_cell` patients of a label are not estimable.

    >>> from lib.predictions import audit_predictions, summary
    >>> audit = audit_predictions("preds.csv", "metadata.csv", attributes=["sex", "race:Race"])  # doctest: +SKIP
    >>> print(summary(audit))  # doctest: +SKIP

    Raises `PredictionError`, one sentence.
    """
    columns = {"image": image, "patient": patient, "label": label, "decision": decision, "split": split}
    inputs = prepared(
        Request(
            [files] if isinstance(files, str | Path) else files,
            metadata,
            baseline,
            valid,
            codes,
            (score,) if isinstance(score, str) else tuple(score),
            {role: name for role, name in columns.items() if name},
            attributes,
            like,
            threshold,
            postprocess,
            target,
            folds,
            margin,
            smallest_cell,
        )
    )
    question = inputs.question
    try:
        tables, deployed = answered(question)
    except ValueError as error:
        raise PredictionError(str(error)) from None
    settings = {
        "threshold": threshold,
        "margin": margin,
        "smallest_cell": smallest_cell,
        "folds": folds if postprocess else 0,
        "target": list(question.target),
        "preferences": dict(question.preferences),
        "postprocessings": list(dict.fromkeys([BASELINE_POSTPROCESSING, *postprocess])),
    }
    return Audited(
        tables,
        inputs.methods,
        {name: len(own) for name, own in question.scores.items()},
        inputs.files,
        question.rows,
        dict(question.attributes),
        deployed,
        inputs.notices,
        inputs.warnings,
        inputs.held_out,
        settings,
        question.key,
    )
