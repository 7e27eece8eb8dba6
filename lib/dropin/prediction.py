"""Predictions of a trained network as columns added to a CSV, matched by image name; and how good they are."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from lib.cohort import list_images, load_pixels, with_digest
from lib.cohort.metadata import separator_of
from lib.dropin import training
from lib.dropin.checkpoint import load_checkpoint
from lib.dropin.weights import KEY, read_table
from lib.training.inference import predict_logits


@dataclass(frozen=True)
class Prediction:
    """What was predicted: `table` as written, `scores` (part, images, accuracy, balanced_accuracy), valid first.

    `without_image` rows of the table have no readable image, so their predictions are empty.
    """

    table: pl.DataFrame
    scores: pl.DataFrame
    without_image: int


def predict(
    datadir: str | Path,
    ckpt_path: str | Path,
    csv_in: str | Path,
    csv_out: str | Path,
    preds_col: str = "preds",
    *,
    mirror: bool = False,
    pixels: Path | None = None,
) -> Prediction:
    """Write `csv_in` to `csv_out`, its rows in their order, with the predictions for its images found in `datadir`.

    Added, or replaced where `csv_in` has them: `preds_col` (malade or sain, as predicted), `labels` (as the folder
    says), `<preds_col>_logit0` (malade) and `<preds_col>_logit1` (sain). The network has one logit z of sick; z/2 and
    -z/2 are the two whose softmax gives the same probability, sigmoid(z). With `mirror` z is the mean of the image's and
    its mirror image's. Raises `CohortError` or `CheckpointError`.
    """
    checkpoint = load_checkpoint(Path(ckpt_path))
    csv_in, csv_out = Path(csv_in), Path(csv_out)
    rows = read_table(csv_in)
    if preds_col in ("labels", "Image Index"):
        raise ValueError(
            f"The column of predictions cannot be called {preds_col!r}: {csv_out} has another of that name."
        )
    images = list_images(datadir).filter(pl.col("image").is_in(rows[KEY].implode()))
    size, cache = checkpoint.settings.image_size, pixels or training.PIXELS
    scored = with_logits(with_digest(images), checkpoint.network, size, cache, mirror=mirror)
    added = scored.select(
        pl.col("image").alias(KEY),
        class_name(pl.col("logit") >= 0).alias(preds_col),
        class_name(pl.col("label") == 1).alias("labels"),
        (pl.col("logit") / 2).alias(f"{preds_col}_logit0"),
        (-pl.col("logit") / 2).alias(f"{preds_col}_logit1"),
    )
    table = rows.drop(added.columns[1:], strict=False).join(added, on=KEY, how="left", maintain_order="left").drop(KEY)
    part = csv_out.with_name(f"{csv_out.name}.part")
    table.write_csv(part, separator=separator_of(csv_in))
    part.replace(csv_out)
    return Prediction(table, _scores(scored), table["labels"].null_count())


def class_name(sick: pl.Expr) -> pl.Expr:
    return pl.when(sick).then(pl.lit("malade")).otherwise(pl.lit("sain"))


def with_logits(
    images: pl.DataFrame, network: torch.nn.Module, size: int, cache: Path, *, mirror: bool
) -> pl.DataFrame:
    """The readable of the `images` (columns `path`, `digest`) with the column `logit`, positive for sick."""
    mapped = load_pixels(images, size, cache)
    readable = np.flatnonzero(~mapped.unreadable)
    logits = predict_logits(network, mapped.values, readable, mirror=mirror)
    return images[readable].with_columns(logit=pl.Series(logits, dtype=pl.Float64))


def _scores(scored: pl.DataFrame) -> pl.DataFrame:
    schema = {"part": pl.String, "images": pl.Int64, "accuracy": pl.Float64, "balanced_accuracy": pl.Float64}
    rows = []
    for part, images in (("valid", scored.filter(split="valid")), ("train + valid", scored)):
        labels, called = images["label"].to_numpy(), (images["logit"] >= 0).cast(pl.Int8).to_numpy()
        if images.height:
            rows.append((part, images.height, accuracy_score(labels, called), balanced_accuracy_score(labels, called)))
    return pl.DataFrame(rows, schema=schema, orient="row")
