"""Predictions of a trained network as columns added to a CSV, matched by image name; and how good they are."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from lib import tabular
from lib.cohort import list_images, load_pixels, with_digest
from lib.dropin import training
from lib.dropin.checkpoint import Checkpoint, load_checkpoint
from lib.dropin.rates import rates_by_group
from lib.dropin.weights import KEY, image_column, read_table
from lib.files import require_writable, write_whole
from lib.messages import UserError
from lib.training.classifier import outputs

CLASSES = {"malade", "sain", ""}
"""What earlier predictions, which are replaced, hold."""


@dataclass(frozen=True)
class Prediction:
    """What was predicted: `table` as written, `scores` (part, images, accuracy, balanced_accuracy), valid first.

    `rates` are those of the valid images of each group (`rates_by_group`). `without_image` rows of the table have no
    readable image, so their predictions are empty.
    """

    table: pl.DataFrame
    scores: pl.DataFrame
    rates: pl.DataFrame
    without_image: int


def predict(
    datadir: str | Path,
    ckpt_path: str | Path,
    csv_in: str | Path,
    csv_out: str | Path,
    preds_col: str = "preds",
    *,
    mirror: bool = False,
) -> Prediction:
    """Write `csv_in` to `csv_out`, its rows in their order, with the predictions for its images found in `datadir`.

    Added, or replaced where `csv_in` has them: `preds_col` (malade or sain, as predicted), `labels` (as the folder
    says), `<preds_col>_logit0` (malade) and `<preds_col>_logit1` (sain). Our networks have one logit z of sick; z/2 and
    -z/2 are the two whose softmax gives the same probability, sigmoid(z). With `mirror` each is the mean of the image's
    and its mirror image's. Raises `CohortError` or `CheckpointError`, or ValueError for a place or a column that cannot
    be written.
    """
    csv_in, csv_out = Path(csv_in), Path(csv_out)
    images = list_images(datadir)
    rows = check_prediction(images, csv_in, csv_out, preds_col)
    checkpoint = load_checkpoint(Path(ckpt_path))
    images = images.filter(pl.col("image").is_in(rows[KEY].implode()))
    scored = with_logits(with_digest(images), checkpoint, training.PIXELS, mirror=mirror)
    added = scored.select(
        pl.col("image").alias(KEY),
        class_name(pl.col("logit") >= 0).alias(preds_col),
        class_name(pl.col("label") == 1).alias("labels"),
        pl.col("logit0").alias(f"{preds_col}_logit0"),
        pl.col("logit1").alias(f"{preds_col}_logit1"),
    )
    table = rows.drop(added.columns[1:], strict=False).join(added, on=KEY, how="left", maintain_order="left").drop(KEY)
    write_whole(csv_out, table.write_csv(separator=tabular.read_table(csv_in).separator or ","))
    return Prediction(table, _scores(scored), rates_by_group(rows, scored), table["labels"].null_count())


def check_prediction(images: pl.DataFrame, csv_in: Path, csv_out: Path, preds_col: str) -> pl.DataFrame:
    """The rows of `csv_in`, when predictions of them can be written to `csv_out`; its folder is made.

    Raises `CohortError` for a table that cannot be used, else ValueError.
    """
    rows = read_table(csv_in, images["image"].to_list())
    earlier = not set(rows[preds_col].drop_nulls()) - CLASSES if preds_col in rows.columns else bool(preds_col.strip())
    if not earlier or preds_col in ("labels", image_column(rows, csv_in)):
        raise UserError(
            "The predictions cannot be called {preds_col!r}: {csv_out} has other things under that name.",
            preds_col,
            csv_out,
        )
    require_writable(csv_out.parent)
    if csv_out.is_dir():
        raise UserError("{csv_out} is a folder: name the file in it that the predictions go to.", csv_out)
    return rows


def class_name(sick: pl.Expr) -> pl.Expr:
    return pl.when(sick).then(pl.lit("malade")).otherwise(pl.lit("sain"))


def with_logits(images: pl.DataFrame, checkpoint: Checkpoint, cache: Path, *, mirror: bool) -> pl.DataFrame:
    """The readable of the `images` (columns `path`, `digest`) with `logit0`, `logit1` and `logit`, positive for sick."""
    mapped = load_pixels(images, checkpoint.image_size, cache)
    readable = np.flatnonzero(~mapped.unreadable)
    y = outputs(checkpoint.network, mapped.values, readable, mirror=mirror).astype(np.float64)
    if y.shape[1] == 1:
        y = np.concatenate([y / 2, -y / 2], axis=1)
    return images[readable].with_columns(logit0=y[:, 0], logit1=y[:, 1], logit=y[:, 0] - y[:, 1])


def _scores(scored: pl.DataFrame) -> pl.DataFrame:
    schema = {"part": pl.String, "images": pl.Int64, "accuracy": pl.Float64, "balanced_accuracy": pl.Float64}
    rows = []
    for part, images in (("valid", scored.filter(split="valid")), ("train + valid", scored)):
        labels, called = images["label"].to_numpy(), (images["logit"] >= 0).cast(pl.Int8).to_numpy()
        if images.height:
            rows.append((part, images.height, accuracy_score(labels, called), balanced_accuracy_score(labels, called)))
    return pl.DataFrame(rows, schema=schema, orient="row")
