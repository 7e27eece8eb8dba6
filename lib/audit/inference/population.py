"""Who is audited: the patient, label and groups of each image, checked once and held as integer codes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array

from lib.names import DEFAULTS, OVERALL, Attribute, crossing

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Cell:
    """A set of images whose rates are reported together: `images` (n,) says which of them belong."""

    attribute: str
    group: str
    images: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Population:
    """n images of P patients.

    `patients` (n,) codes 0..P-1; `labels` (n,) 1 = sick, 0 = healthy; `groups[attribute]` (n,) positions in
    `attributes[attribute].groups`, -1 where the group is unknown. Images of unknown group count in `overall` only.
    `attributes`: what each name in `groups` stands for; those of `lib.names` where nothing else is given.
    """

    patients: Codes
    labels: Codes
    groups: dict[str, Codes]
    attributes: dict[str, Attribute] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own = {name: self.attributes.get(name) or DEFAULTS[name] for name in self.groups}
        object.__setattr__(self, "attributes", own)

    @classmethod
    def from_frame(cls, frame: pl.DataFrame, *, attributes: Sequence[str | Attribute] | None = None) -> "Population":
        """Population of a frame with one row per image, in the order of its rows.

        Columns: `patient` (any type, no null), `label` (integer 1 = sick, 0 = healthy, no null) and a String column per
        attribute (null = unknown). `attributes`, by name or as they are, default to the columns named in `lib.names.DEFAULTS`.
        Raises ValueError, in one sentence, for anything else.
        """
        if attributes is None:
            attributes = [name for name in DEFAULTS if name in frame.columns]
        known = {own.name: own for own in (_attribute(given) for given in attributes)}
        missing = [name for name in ("patient", "label", *known) if name not in frame.columns]
        if missing:
            raise ValueError(f"the population lacks the column {missing[0]!r}; it has {', '.join(frame.columns)}.")
        if frame.is_empty():
            raise ValueError("the population has no image; at least one is needed.")
        for name in ("patient", "label"):
            if nulls := frame[name].null_count():
                raise ValueError(f"column {name!r} is null in {nulls} of {frame.height} rows; nulls are not allowed.")
        patients = np.unique(frame["patient"].to_numpy(), return_inverse=True)[1].astype(np.int64)
        groups = {name: _codes(frame[name], own) for name, own in known.items()}
        return cls(patients, _labels(frame["label"]), groups, known)

    @property
    def n_images(self) -> int:
        """Number of images, n."""
        return len(self.labels)

    @cached_property
    def n_patients(self) -> int:
        """Number of patients, P."""
        return int(self.patients.max()) + 1

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Everyone first, then each group of each attribute in display order; empty groups are kept."""
        everyone = Cell(OVERALL, "all", np.ones(self.n_images, dtype=bool))
        return everyone, *(
            Cell(attribute, group, codes == position)
            for attribute, codes in self.groups.items()
            for position, group in enumerate(self.attributes[attribute].groups)
        )

    @cached_property
    def pairs(self) -> tuple[tuple[str, str, tuple[int, int]], ...]:
        """(attribute, `group - reference`, places of both among the cells), for each group but the reference."""
        place = {(cell.attribute, cell.group): k for k, cell in enumerate(self.cells)}
        return tuple(
            (own.name, contrast, (place[own.name, group], place[own.name, own.reference]))
            for own in self.attributes.values()
            for contrast, group in own.contrasts.items()
        )

    @cached_property
    def sizes(self) -> tuple[Codes, Codes]:
        """Images and patients of the G cells, each (G, 3): the healthy, the sick, and all."""
        sides = np.concatenate([self.counts_by_cell, self.counts_by_cell.sum(axis=2, keepdims=True)], axis=2)
        return sides.sum(axis=0).astype(np.int64), (sides > 0).sum(axis=0)

    def count_patients(self, images: NDArray[np.bool_]) -> int:
        """Number of distinct patients among the chosen images (n,)."""
        return len(np.unique(self.patients[images]))

    def sums_by_patient(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums over the images of each patient, (P, K), of a table with a row per image, (n, K)."""
        return self._by_patient @ np.asarray(table, dtype=np.float64)

    @cached_property
    def counts_by_cell(self) -> NDArray[np.float64]:
        """Healthy and sick images of each patient in each cell, (P, G, 2)."""
        return self.sums_by_cell(np.ones((1, self.n_images)))[0]

    def sums_by_cell(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums of values (S, n) over each patient's healthy and sick images in each cell, (S, P, G, 2)."""
        sums = self._by_cell @ np.asarray(values, dtype=np.float64).T
        return np.moveaxis(sums.reshape(self.n_patients, len(self.cells), 2, -1), -1, 0)

    @cached_property
    def _by_cell(self) -> csr_array:
        """1 where an image (column) is of a patient, cell and label (row), (P G 2, n)."""
        count = len(self.cells)
        places = [(np.flatnonzero(cell.images), g) for g, cell in enumerate(self.cells)]
        images = np.concatenate([own for own, _ in places])
        cells = np.concatenate([np.full(len(own), g) for own, g in places])
        rows = (self.patients[images] * count + cells) * 2 + self.labels[images]
        shape = (self.n_patients * count * 2, self.n_images)
        return csr_array((np.ones(len(images)), (rows, images)), shape=shape)

    @cached_property
    def _by_patient(self) -> csr_array:
        """1 where an image (column) is of a patient (row), (P, n)."""
        order = np.argsort(self.patients, kind="stable")
        starts = np.searchsorted(self.patients[order], np.arange(self.n_patients + 1))
        return csr_array((np.ones(self.n_images), order, starts), shape=(self.n_patients, self.n_images))

    def crossed(self) -> "Population":
        """The same images with every two attributes crossed: `sex x view` has the groups `F, AP`, `F, PA` and so on."""
        groups, attributes = {}, {}
        for (one, a), (two, b) in combinations(self.groups.items(), 2):
            both = crossing(self.attributes[one], self.attributes[two])
            codes = a * len(self.attributes[two].groups) + b
            groups[both.name], attributes[both.name] = np.where((a >= 0) & (b >= 0), codes, -1), both
        return replace(self, groups=groups, attributes=attributes)

    def by_image(self) -> "Population":
        """The same images, each taken for a patient of its own: the (wrong) unit of image-level intervals."""
        return replace(self, patients=np.arange(self.n_images))


def _labels(column: pl.Series) -> Codes:
    if not column.dtype.is_integer():
        raise ValueError(f"column 'label' has type {column.dtype}; allowed are the integers 0 and 1.")
    wrong = column.filter(~column.is_in([0, 1]))
    if len(wrong):
        raise ValueError(f"column 'label' holds {wrong[0]}; allowed are 0 (healthy) and 1 (sick).")
    return column.to_numpy().astype(np.int64)


def _attribute(given: str | Attribute) -> Attribute:
    if isinstance(given, Attribute):
        return given
    if given not in DEFAULTS:
        raise ValueError(f"{given!r} is not an attribute; allowed are {', '.join(DEFAULTS)}.")
    return DEFAULTS[given]


def _codes(column: pl.Series, attribute: Attribute) -> Codes:
    allowed = attribute.groups
    column = column.cast(pl.String)
    unknown = column.filter(column.is_not_null() & ~column.is_in(allowed)).unique().sort()
    if len(unknown):
        raise ValueError(
            f"column {attribute.name!r} has the group {unknown[0]!r}; allowed are {', '.join(allowed)} or null."
        )
    return column.replace_strict({group: code for code, group in enumerate(allowed)}, default=-1).to_numpy().astype(int)
