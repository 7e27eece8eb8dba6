"""From files to tables: methods compared with the baseline on the same images, and everything worth telling."""

from collections.abc import Sequence
from pathlib import Path

from lib.predictions.engine import answered
from lib.predictions.prepared import prepared
from lib.predictions.question import Audited, Request
from lib.tabular import AttributeSpec
from lib.tabular.usual import Codes


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
    request = Request(
        [files] if isinstance(files, str | Path) else files,
        metadata,
        baseline,
        valid,
        codes,
        [score] if isinstance(score, str) else score,
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
    question = prepared(request)
    tables, deployed = answered(question)
    return Audited(**vars(question), tables=tables, deployed=deployed)
