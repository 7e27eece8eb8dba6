"""One file of predictions as a checked frame. Files of the course's script and plain `image, score[, label]` are read.

The course's script writes classes: 0 = malade (sick), 1 = sain (healthy), in `labels` (truth) and `preds`, and the network's
outputs in `preds_logit0` and `preds_logit1`. A column `label` in a plain file is 1 = sick, 0 = healthy.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

IMAGE = ("image", "image index", "image_index", "filename", "file", "path", "img", "name")
SCORE = ("score", "probability", "proba", "p_sick")
LOGITS = ("preds_logit0", "preds_logit1")
SPLIT = ("split", "fold")
SPLITS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "test": "valid",
}
WORDS = {"malade": 1, "sick": 1, "sain": 0, "healthy": 0}
ATTRIBUTES = {"sex": ("patient gender", "sex"), "view": ("view position", "view"), "age": ("patient age", "age")}


class PredictionError(ValueError):
    """Predictions cannot be audited; the message is one sentence: what, where, what is allowed."""

    exit_status = 2


@dataclass(frozen=True)
class Predictions:
    """`frame` has `score` of sick (0 to 1) and, where the file has them, `image`, `label` (1 = sick), `split`, and the
    attributes as written; `ranked` says whether scores are more than the decisions 0 and 1."""

    path: Path
    frame: pl.DataFrame
    ranked: bool


def read_predictions(path: Path) -> Predictions:
    """Read a file. Raises `PredictionError` when it is no table, lacks a prediction, or holds a value that is none."""
    raw = read_text(path)
    by_name = {column.lower(): column for column in raw.columns}
    columns = {}
    score, ranked = _scores(path, raw, by_name)
    if name := _first(by_name, IMAGE):
        full = raw[name].str.strip_chars().str.replace_all("\\\\", "/", literal=True)
        columns["image"] = full.str.split("/").list.last()
        if (empty := (columns["image"].fill_null("") == "").sum()) > 0:
            raise PredictionError(f"{path}, column {name!r}: {empty} rows name no image.")
        columns["folder"] = full.str.extract(r"(?:^|/)(train|valid)/")
    if "labels" in by_name:
        columns["label"] = 1 - _classes(path, raw[by_name["labels"]])
    elif "label" in by_name:
        columns["label"] = _classes(path, raw[by_name["label"]])
    if name := _first(by_name, SPLIT):
        columns["split"] = _splits(path, raw[name])
    elif "folder" in columns and columns["folder"].null_count() < raw.height:
        columns["split"] = columns["folder"]
    columns.pop("folder", None)
    for attribute, names in ATTRIBUTES.items():
        if name := _first(by_name, names):
            columns[f"file_{attribute}"] = raw[name].str.strip_chars()
    frame = pl.DataFrame({"score": score} | {name: column.alias(name) for name, column in columns.items()})
    return Predictions(path, _one_row_each(path, frame), ranked)


def read_text(path: Path) -> pl.DataFrame:
    """A table of text, columns stripped. Raises `PredictionError` when the file is missing, empty or no table."""
    if not path.is_file():
        raise PredictionError(f"{path} is missing: a CSV file is needed.")
    try:
        text = path.read_text("utf-8-sig", errors="replace")
        header = text.split("\n", 1)[0]
        separator = max(",;\t", key=header.count)
        frame = pl.read_csv(text.encode(), separator=separator, infer_schema=False, truncate_ragged_lines=True)
        frame = frame.rename({column: column.strip() for column in frame.columns})
    except (pl.exceptions.PolarsError, OSError) as error:
        raise PredictionError(f"{path} is not a table with a header ({str(error).splitlines()[0]}).") from None
    if frame.is_empty():
        raise PredictionError(f"{path} has no rows; one for each image is needed.")
    return frame


def _scores(path: Path, raw: pl.DataFrame, by_name: dict[str, str]) -> tuple[pl.Series, bool]:
    if all(name in by_name for name in LOGITS):
        sick, healthy = (_numbers(path, raw[by_name[name]]) for name in LOGITS)
        return pl.Series("score", 1 / (1 + np.exp(np.clip(healthy - sick, -700, 700)))), True
    if name := _first(by_name, SCORE):
        values = _numbers(path, raw[name])
        if values.min() < 0 or values.max() > 1:
            raise PredictionError(
                f"{path}, column {name!r}: values from {values.min():g} to {values.max():g}; allowed is 0 to 1, the "
                "chance of sick."
            )
        return pl.Series("score", values), bool(((values != 0) & (values != 1)).any())
    if "preds" in by_name:
        return (1 - _classes(path, raw[by_name["preds"]])).cast(pl.Float64).alias("score"), False
    raise PredictionError(
        f"{path} has no prediction: a column score, the columns {' and '.join(LOGITS)}, or a column preds is needed; it has "
        f"{', '.join(raw.columns[:12])}."
    )


def _numbers(path: Path, column: pl.Series) -> np.ndarray:
    values = column.str.strip_chars().cast(pl.Float64, strict=False).to_numpy().astype(float)
    if (wrong := np.flatnonzero(~np.isfinite(values))).size:
        raise PredictionError(
            f"{path}, column {column.name!r}, row {wrong[0] + 2}: {column[int(wrong[0])]!r} is not a finite number "
            f"({wrong.size} such rows)."
        )
    return values


def _classes(path: Path, column: pl.Series) -> pl.Series:
    """Classes 0 and 1 as integers; the words malade, sain, sick and healthy as written by the course: malade = 0."""
    text = column.str.strip_chars().str.to_lowercase()
    as_words = text.replace_strict(WORDS, default=None, return_dtype=pl.Int64)
    if as_words.null_count() == 0:
        return as_words if column.name.lower() == "label" else 1 - as_words
    values = text.cast(pl.Float64, strict=False)
    wrong = (~values.is_in([0.0, 1.0])).fill_null(True)
    if wrong.any():
        row = int(wrong.arg_true()[0])
        raise PredictionError(
            f"{path}, column {column.name!r}, row {row + 2}: {column[row]!r} is not a class; allowed are 0 and 1."
        )
    return values.cast(pl.Int64)


def _splits(path: Path, column: pl.Series) -> pl.Series:
    text = column.str.strip_chars().str.to_lowercase()
    found = text.replace_strict(SPLITS, default=None, return_dtype=pl.String)
    if found.null_count():
        row = int(found.is_null().arg_true()[0])
        raise PredictionError(
            f"{path}, column {column.name!r}, row {row + 2}: {column[row]!r} is not a split; allowed are {', '.join(SPLITS)}."
        )
    return found


def _one_row_each(path: Path, frame: pl.DataFrame) -> pl.DataFrame:
    if "image" not in frame.columns:
        return frame
    distinct = frame.unique(maintain_order=True)
    if (twice := distinct.filter(distinct["image"].is_duplicated())).height:
        raise PredictionError(
            f"{path} has rows that differ for the same image ({twice['image'][0]!r}); one for each image is allowed."
        )
    return distinct


def _first(by_name: dict[str, str], names: tuple[str, ...]) -> str | None:
    return next((by_name[name] for name in names if name in by_name), None)
