"""How bright and how contrasted the images are, by view and label: what a network could use instead of disease."""

import numpy as np
import polars as pl

from lib.audit.frames import frame, optional
from lib.audit.population import Population
from lib.audit.resampling import patient_counts, percentile_interval, resampled_sums
from lib.names import ATTRIBUTES

_FLOATS = {name: pl.Float64 for name in ("value", "low", "high")}
SCHEMA = {"measure": pl.String, "view": pl.String, "label": pl.Int64} | _FLOATS | {"images": pl.Int64}


def grey_levels(pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Mean grey level and its standard deviation (`contrast`) of each image, (n,), 0 to 1, of pixels (n, h, w) uint8."""
    moments = np.array([(image.mean(), image.std()) for image in pixels]) / 255
    return {"mean": moments[:, 0], "contrast": moments[:, 1]}


def exposure(
    population: Population, measures: dict[str, np.ndarray], *, replicates: int = 2000, seed: int = 0
) -> pl.DataFrame:
    """Mean of each measure (n,) in each view and label, with 95 % intervals by patient; null where no image is."""
    counts = patient_counts(population.n_patients, replicates, seed, "exposure")
    rows = []
    for measure, values in measures.items():
        for code, view in enumerate(ATTRIBUTES["view"].groups):
            for label in (0, 1):
                cell = (population.groups["view"] == code) & (population.labels == label)
                sums = resampled_sums(counts, population.sums_by_patient(np.stack([values * cell, cell], axis=1)))
                with np.errstate(invalid="ignore"):
                    value = values[cell].sum() / np.float64(cell.sum())
                    bounds = percentile_interval(sums[:, 0] / sums[:, 1])
                rows.append((measure, view, label, *optional([value, *bounds]), int(cell.sum())))
    return frame(rows, SCHEMA)
