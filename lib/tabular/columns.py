"""Which column says what: the names of public files and of people's own, options that name others, and near misses."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from lib.messages import message
from lib.tabular.content import TableError
from lib.tabular.naming import SUFFIX
from lib.tabular.table import Table
from lib.tabular.values import SPLITS, TRUTH, bare, coded, listed, numbers, simplified, text, translated

IMAGE, PATIENT, FINDINGS, AGE, SEX, VIEW = "image", "patient", "findings", "age", "sex", "view"
LABEL, SCORE, DECISION, SPLIT, WEIGHT, NO_FINDING = "label", "score", "decision", "split", "weight", "no finding"
NAMES: dict[str, tuple[str, ...]] = {
    IMAGE: ("Image Index", "image", "image id", "image name", "image file", "image path", "img", "img name", "img id")
    + ("img path", "filename", "file", "file path", "fname", "path", "dicom id", "path to image", "name", "fichier")
    + ("nom image", "sop instance uid"),
    PATIENT: ("Patient ID", "patient", "subject id", "subject", "patient number", "deid patient id", "pid")
    + ("id patient",),
    FINDINGS: ("Finding Labels", "findings", "finding", "diagnosis", "pathologies"),
    AGE: ("Patient Age", "age", "anchor age", "age at study", "age years", "age at exam"),
    SEX: ("Patient Gender", "Patient Sex", "sex", "gender", "sexe", "genre", "patient sex dicom"),
    VIEW: ("View Position", "view", "AP/PA", "projection", "incidence", "view position dicom", "view pos"),
    LABEL: ("labels", "label", "target", "truth", "true label", "y true", "y", "ground truth", "gt", "class", "classe"),
    SCORE: ("score", "scores", "probability", "probabilities", "proba", "prob", "p_sick", "y score", "y prob")
    + ("y pred proba", "y proba", "pred proba", "pred prob", "logit", "logits"),
    DECISION: ("preds", "pred", "prediction", "predictions", "predicted", "decision", "decisions", "y pred", "y hat"),
    SPLIT: ("split", "train_valid", "fold", "set", "subset", "partition", "data split", "phase"),
    WEIGHT: ("WEIGHTS", "weight"),
    NO_FINDING: ("No Finding",),
}
"""Columns by what they say, first choice first; compared without case, spaces and signs."""
WORDS = {IMAGE: "the name of each image", PATIENT: "whose image each row is"}
FLAG = re.compile(r"(?:is|in)?(?:(?P<train>train|trainset|training)|valid|val|validation|test|heldout)$")
"""Names, without case, spaces and signs, of columns that say by true and false which images are of training, or are not."""
PRESETS: dict[str, dict[str, str]] = {
    "nih": {IMAGE: "Image Index", PATIENT: "Patient ID", FINDINGS: "Finding Labels", AGE: "Patient Age"}
    | {VIEW: "View Position"},
    "chexpert": {IMAGE: "Path", SEX: "Sex", AGE: "Age", VIEW: "AP/PA", NO_FINDING: "No Finding"},
    "mimic": {IMAGE: "dicom_id", PATIENT: "subject_id", VIEW: "ViewPosition", NO_FINDING: "No Finding"},
}
"""What `--like` says of the columns of published files; of what it does not name, names in use are tried."""
SHOWN = 12
"""Columns named in a sentence; the others are counted."""
PATHOLOGIES = ("Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema", "Consolidation")
PATHOLOGIES += ("Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture")
PATHOLOGIES += ("Support Devices",)
"""Columns of CheXpert and MIMIC-CXR, 1 where the finding is present (arXiv 1901.07031)."""


@dataclass(frozen=True)
class Columns:
    """What options say of the columns: `names` by role, and `like`, the published file that they are like."""

    names: Mapping[str, str] = field(default_factory=dict)
    like: str | None = None

    def __post_init__(self) -> None:
        if self.like is not None and self.like not in PRESETS:
            raise TableError("--like {name!r} is not known; allowed are {names}.", self.like, list(PRESETS))

    def find(self, table: Table, role: str) -> str | None:
        """The column of this role, or None. Raises `TableError` where an option names one that the table has not."""
        if name := self.names.get(role):
            if (column := named(table, name)) is None and not (name == "none" and role in (IMAGE, PATIENT)):
                raise no_column(table, name, f"--{role}")
            return column
        if self.like and (name := PRESETS[self.like].get(role)) and (column := named(table, name)):
            return column
        return next((column for name in NAMES[role] if (column := named(table, name))), None)

    def within(self, table: Table, other: Table | None) -> "Columns":
        """The options as they concern `table`: a column that only the `other` table has is looked for there."""
        if other is None or other is table:
            return self
        here = {role: name for role, name in self.names.items() if named(table, name) or not named(other, name)}
        return Columns({role: name for role, name in here.items() if role != PATIENT}, self.like)


def named(table: Table, name: str) -> str | None:
    """The column called so, exactly or but for case, spaces and signs."""
    if name in table.columns:
        return name
    same = [column for column in table.columns if bare(column) == bare(name)]
    return same[0] if same else None


def no_column(table: Table, name: str, option: str) -> TableError:
    """The error of an option (or a place in a file) that names a column which the table has not."""
    columns = [column for column in table.columns if column]
    near = listed(difflib.get_close_matches(name, columns, 3, 0.6) or columns, SHOWN)
    return TableError("{path} has no column {asked!r} ({option}); it has {columns}.", table.path, name, option, near)


def missing(table: Table, role: str) -> str:
    """One sentence: no column says this, which might, and the option that tells."""
    likely, columns = candidates(table, role), [column for column in table.columns if column]
    option = option_for(role, likely[0] if likely else "COLUMN")
    said = f"it might be {listed(likely, SHOWN)}" if likely else f"it has {listed(columns, SHOWN)}"
    return f"{table.path} has no column for {WORDS[role]} ({NAMES[role][0]!r}, ...); {said}: name it, as in {option}."


def option_for(role: str, column: str) -> str:
    """The option that names a column, as it is typed."""
    return f"--{role} {column}" if re.fullmatch(r"[\w.+-]+", column) else f'--{role} "{column}"'


def called(column: str) -> str:
    """A column as sentences call it."""
    return f"column {column!r}" if column else "the column without a name"


def candidates(table: Table, role: str) -> list[str]:
    """Columns that may have this role, by what they hold, among those that have no other."""
    taken = {column for other in NAMES if other != role and (column := Columns().find(table, other))}
    free = [column for column in table.columns if column not in taken and (column or role == IMAGE)]
    holds = {IMAGE: holds_images, SCORE: holds_measurements, SPLIT: holds_split}.get(role, lambda column: True)
    return [column for column in free if holds(table.frame[column])]


def image_column(table: Table, columns: Columns, notes: list[str]) -> str | None:
    """The column that names the images: by its name, else the only one that holds names of image files."""
    column = columns.find(table, IMAGE)
    if column is None or (IMAGE not in columns.names and not holds_images(table.frame[column])):
        likely = candidates(table, IMAGE)
        if len(likely) == 1:
            column = likely[0]
            notes.append(f"{table.path.name}: {called(column)} names the images.")
    return column


def holds_images(column: pl.Series) -> bool:
    """Whether nine in ten values end as image files do."""
    values = text(column).drop_nulls()
    return len(values) > 0 and values.head(1000).map_elements(lambda v: bool(SUFFIX.search(v)), pl.Boolean).mean() > 0.9


def holds_measurements(column: pl.Series) -> bool:
    """Whether it holds numbers, and they do not count the rows."""
    steps = numbers(column).diff().drop_nulls()
    return is_numeric(column) and not (len(steps) > 0 and (steps == 1).all())


def holds_split(column: pl.Series) -> bool:
    """Whether every value is a word for training, validation or testing, and not all are the same."""
    words = text(column).drop_nulls().unique()
    return len(words) > 1 and all(bare(word) in SPLITS for word in words)


def is_numeric(column: pl.Series) -> bool:
    """Whether what is written is numbers throughout."""
    values = numbers(column)
    return len(values) > values.null_count() and values.null_count() == text(column).null_count()


def find_split(table: Table, columns: Columns) -> tuple[str, pl.Series] | None:
    """The column that tells training images from others, and it as `train` and `valid`; None where there is none.

    By its name, by a name such as `train` with true and false, or because its values are such words. Raises `TableError`
    for a column of that name with another word in it.
    """
    column = columns.find(table, SPLIT)
    is_stated = SPLIT in columns.names or (column is not None and bare(column) == "split")
    if column and not is_stated and translated(table.frame[column], SPLITS).drop_nulls().is_empty():
        column = None  # folds of a cross-validation, or names of data sets
    for name in table.columns if column is None else [column]:
        if (flag := FLAG.match(bare(name))) and (split := _flag(table.frame[name], bool(flag["train"]))) is not None:
            return name, split
    if column is None:
        if len(likely := candidates(table, SPLIT)) != 1:
            return None
        column = likely[0]
    split = translated(table.frame[column], SPLITS)
    wrong = message("is not a split; allowed are train, valid, validation, test and the like")
    table.require_read(column, split, wrong)
    return column, split


def _flag(column: pl.Series, of_train: bool) -> pl.Series | None:
    """`train` and `valid` from true and false, or None where other words stand."""
    words = {simplified(value) for value in coded(column).drop_nulls().unique()}
    if not words or not words <= TRUTH.keys():
        return None
    return translated(column, {word: "train" if true == of_train else "valid" for word, true in TRUTH.items()})
