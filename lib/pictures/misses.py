"""Which findings are missed: the sick by finding and group, at the fixed threshold."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy.special import ndtri

from lib.names import OVERALL
from lib.pictures.cells import Array, patient_weights

OTHER = "other findings"
"""Findings of too few patients, together; also sick images whose finding is not named."""
ANY = "any finding"

SCHEMA: dict[str, Any] = {"finding": pl.String, "attribute": pl.String, "group": pl.String}
SCHEMA |= {"missed": pl.Float64, "low": pl.Float64, "high": pl.Float64, "missed_images": pl.Float64}
SCHEMA |= {"patients": pl.Int64, "images": pl.Int64, "merged": pl.Int64}


def misses_by_finding(
    frame: pl.DataFrame, scores: Array, attributes: Sequence[str], *, smallest_cell: int = 20
) -> pl.DataFrame:
    """Share of the sick called healthy at 0.5, by finding and group of each attribute (and everyone); as `SCHEMA`.

    `frame` has a row per image: `patient`, `label`, `findings` (names between |, as the NIH writes them) and a String
    column per attribute; `scores` (S, n) are those of the baseline's networks. `missed` is judged by patient: the mean
    over patients of the mean over each one's images and networks, with a 95 % Wilson interval of the effective number
    of patients (Brown, Cai & DasGupta 2001, doi 10.1214/ss/1009213286; retraining is not in it); `missed_images` counts
    every image alike. An image with several findings counts under each. Findings of fewer than `smallest_cell` patients
    are merged into `OTHER`, `merged` of them; a group with fewer patients of a finding has its numbers, no shares.
    """
    sick = (frame["label"] == 1).to_numpy()
    missed = (scores[:, sick] < 0.5).mean(axis=0)
    own = frame.filter(pl.Series(sick)).with_columns(pl.lit("all").alias(OVERALL), pl.Series("missed", missed))
    named, merged = _findings(own, smallest_cell)
    rows = []
    for finding, images in named.items():
        part = own[images]
        for attribute in (OVERALL, *attributes):
            for group in part[attribute].drop_nulls().unique().sort():
                cell = part.filter(pl.col(attribute) == group)
                patients = cell["patient"].n_unique()
                share = _share(cell) if patients >= smallest_cell else [None] * 4
                count = len(merged) if finding == OTHER else 0
                rows.append((finding, attribute, group, *share, patients, cell.height, count))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _findings(sick: pl.DataFrame, smallest_cell: int) -> tuple[dict[str, list[int]], list[str]]:
    """Rows of the sick by finding: any first, then by number of patients, what is merged last; and what was merged."""
    numbered = sick.with_row_index("row").with_columns(pl.col("findings").fill_null("").str.split("|"))
    each = numbered.explode("findings").with_columns(pl.col("findings").str.strip_chars())
    counts = each.group_by("findings").agg(patients=pl.col("patient").n_unique())
    unnamed = pl.col("findings").is_in(["", "No Finding"])
    counts = counts.sort("patients", "findings", descending=[True, False])
    large = counts.filter(~unnamed, pl.col("patients") >= smallest_cell)["findings"].to_list()
    small = counts.filter(~unnamed, pl.col("patients") < smallest_cell)["findings"].sort().to_list()
    named = {ANY: list(range(sick.height))}
    named |= {finding: each.filter(findings=finding)["row"].to_list() for finding in large}
    rest = each.filter(~pl.col("findings").is_in(large))["row"].unique().sort().to_list()
    return named | ({OTHER: rest} if rest else {}), small


def _share(cell: pl.DataFrame) -> list[float]:
    """Share missed by patient, its interval, and the share by image."""
    patients = cell["patient"].to_numpy()
    values = cell["missed"].to_numpy()
    share = float(patient_weights(patients, np.ones(len(patients), bool)) @ values)
    means = cell.group_by("patient").agg(pl.col("missed").mean())["missed"].to_numpy()
    error = means.var(ddof=1) / len(means)
    effective = share * (1 - share) / error if error > 0 else len(means)
    return [share, *_wilson(share, effective), float(values.mean())]


def _wilson(share: float, number: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share of `number`, which need not be whole."""
    z = ndtri(0.975)
    middle = (share + z**2 / (2 * number)) / (1 + z**2 / number)
    half = z / (1 + z**2 / number) * np.sqrt(share * (1 - share) / number + z**2 / (4 * number**2))
    return float(middle - half), float(middle + half)
