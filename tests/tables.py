"""Tables of invented people and of predictions about them, to be written as others write them."""

from pathlib import Path

import numpy as np
import polars as pl

from lib.predictions.prepared import prepared
from lib.predictions.question import Question, Request
from lib.tabular import read_people

PUBLIC = ("Image Index", "Finding Labels", "Patient ID", "Patient Age", "Patient Gender", "View Position")


def people(patients: int = 60, images: int = 2, seed: int = 0) -> pl.DataFrame:
    """Metadata in the columns of the public file: `images` of each of the `patients`."""
    draw = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), images)
    n = len(patient)
    columns = (
        [f"{p:05}_{k % images:03}.png" for k, p in enumerate(patient)],
        np.where(draw.random(n) < 0.5, "Effusion", "No Finding"),
        patient,
        draw.integers(20, 80, patients)[patient],
        draw.choice(["F", "M"], patients)[patient],
        draw.choice(["AP", "PA"], n),
    )
    return pl.DataFrame(dict(zip(PUBLIC, columns, strict=True)))


def read_metadata(path: Path) -> tuple[pl.DataFrame, list[tuple[str, int, str]]]:
    """The people of a cohort's table, one row per image, and what was counted on the way."""
    cohort = read_people(path, strict=True)
    return cohort.frame, cohort.checks


def scored(metadata: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
    """`image, score`: higher for the sick, with noise."""
    sick = (metadata["Finding Labels"] != "No Finding").to_numpy()
    logit = 1.5 * (sick - 0.5) + np.random.default_rng(seed).normal(size=len(sick))
    return pl.DataFrame({"image": metadata["Image Index"], "score": (1 / (1 + np.exp(-logit))).round(6)})


def write(path: Path, frame: pl.DataFrame, **how) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_csv(path, **how)
    return path


def given(folder: Path, predictions: pl.DataFrame, metadata: pl.DataFrame | None = None, **asked) -> Question:
    """What the audit makes of these two tables, written as plain CSV."""
    files = [write(folder / "preds.csv", predictions)]
    meta = None if metadata is None else write(folder / "metadata.csv", metadata)
    return prepared(Request(files, meta, **asked))


def same(one: Question, other: Question) -> bool:
    """Whether two audits would be of the same images, people, scores and decisions."""
    columns = ["image", "label", "patient", *one.attributes]
    rows = one.rows.select(columns).sort("image").equals(other.rows.select(columns).sort("image"))
    pairs = [
        (a[name][:, order_a], b[name][:, order_b])
        for a, b in ((one.scores, other.scores), (one.decisions, other.decisions))
        for name in a
        for order_a, order_b in [(one.rows["image"].arg_sort().to_numpy(), other.rows["image"].arg_sort().to_numpy())]
    ]
    return rows and all(np.allclose(x, y, atol=1e-6) for x, y in pairs)
