"""Whom a rate counts: patients or images."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lib.audit.inference.cells import Array
from lib.audit.inference.population import Population


class Unit(StrEnum):
    """PATIENT: within a cell every patient counts once, the mean over that patient's images there, since errors fall on people.
    IMAGE: every image counts once, so that a patient with fifty counts fifty times.

    Source: Williamson, Datta & Satten 2003, doi 10.1111/1541-0420.00005 (informative cluster size).
    """

    PATIENT = "patient"
    IMAGE = "image"


def mean_by_patient(
    population: Population, values: Array, images: NDArray[np.bool_], unit: Unit
) -> tuple[Array, Array]:
    """Numerators (S, P, C) and denominators (P, C) of the means of values (S, n) over cells, `images` (n, C).

    By image: sums and numbers of images. By patient: means over a patient's images of the cell, and 1 where there is one.
    """
    values = np.atleast_2d(values)
    cells = images.shape[1]
    table = np.concatenate([images, *(images * row[:, None] for row in values)], axis=1)
    counts, *sums = np.split(population.sums_by_patient(table), len(values) + 1, axis=1)
    numerators = np.stack(sums) if sums else np.zeros((0, population.n_patients, cells))
    if unit == Unit.PATIENT:
        numerators = np.divide(numerators, counts, out=np.zeros_like(numerators), where=counts > 0)
        counts = (counts > 0).astype(float)
    return numerators, counts


def image_weights(population: Population, images: NDArray[np.bool_], unit: Unit) -> Array:
    """Weight (n, C) of each image in each cell, (n, C): 1 by image, 1 / the patient's images in the cell by patient."""
    if unit == Unit.IMAGE:
        return images.astype(float)
    counts = population.sums_by_patient(images)[population.patients]
    return np.divide(images, counts, out=np.zeros(images.shape), where=images)
