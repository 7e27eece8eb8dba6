"""Attributes of a frame: those of the course as `lib.names` knows them, any other column by what is found in it."""

from collections.abc import Sequence

import polars as pl

from lib.names import DEFAULTS, Attribute

MOST = 12
"""Groups that an attribute may have: more cannot be told apart, neither by eye nor by statistics."""


def attributes_of(frame: pl.DataFrame, names: Sequence[str]) -> dict[str, Attribute]:
    """The attributes of these columns, in order. Raises ValueError, in one sentence, for a column that cannot be one.

    Sex, age group and view have the groups and references of `lib.names.DEFAULTS` unless the frame has others. Of other columns the groups are
    the values, sorted, the reference is the group of most patients, and whether it is of patients or of images is found from the data.
    """
    return {name: attribute_of(frame, name) for name in names}


def attribute_of(frame: pl.DataFrame, name: str) -> Attribute:
    """The attribute of one column of a frame with a row per image and a column `patient`."""
    if name not in frame.columns:
        raise ValueError(f"{name!r} is not a column here; there are {', '.join(frame.columns)}.")
    known = frame.select("patient", group=pl.col(name).cast(pl.String)).drop_nulls()
    values = known["group"].unique().sort().to_list()
    if name in DEFAULTS and set(values) <= set(DEFAULTS[name].groups):
        return DEFAULTS[name]
    if not 2 <= len(values) <= MOST:
        raise ValueError(f"column {name!r} has {len(values)} groups; from 2 to {MOST} can be compared.")
    sizes = (
        known.group_by("group")
        .agg(patients=pl.col("patient").n_unique())
        .sort("patients", "group", descending=[True, False])
    )
    per_patient = known.group_by("patient").agg(pl.col("group").n_unique())["group"].max()
    return Attribute(name, name.replace("_", " "), tuple(values), sizes["group"][0], per_patient == 1)
