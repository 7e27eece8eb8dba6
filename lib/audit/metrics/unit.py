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


def image_weights(population: Population, images: NDArray[np.bool_], unit: Unit) -> Array:
    """Weight (n, C) of each image in each cell, (n, C): 1 by image, 1 / the patient's images in the cell by patient."""
    if unit == Unit.IMAGE:
        return images.astype(float)
    counts = population.sums_by_patient(images)[population.patients]
    return np.divide(images, counts, out=np.zeros(images.shape), where=images)
