"""A file with a row for each image and method (or network): divided into what each of them says."""

from dataclasses import replace

import polars as pl

from lib.predictions.reader import image_column
from lib.tabular import Columns, Table, plain_name
from lib.tabular.columns import is_numeric, named
from lib.tabular.values import text

METHODS = ("model", "method", "model name", "modele", "methode", "classifier", "architecture", "arch", "algorithm")
NETWORKS = ("seed", "run", "network", "graine", "replicate", "repetition")
"""Names of columns that tell methods apart, and the networks of one."""


def divided(table: Table, columns: Columns) -> tuple[list[tuple[str, Table]], list[str]]:
    """The table of each method (its name) and network, and a note; the table itself, of the method "", where each image
    has one row as a rule, or nothing tells its rows apart."""
    whole = [("", table)]
    image = image_column(table, columns, [])
    if image is None or text(table.frame[image]).is_unique().all():
        return whole, []
    methods, networks = (_first(table, names) for names in (METHODS, NETWORKS))
    if networks and not methods and not is_numeric(table.frame[networks]):
        methods, networks = networks, None  # `network`: resnet, densenet
    telling = [column for column in (methods, networks) if column]
    frame = table.frame.unique(maintain_order=True) if telling else table.frame
    if not telling or frame.select(image, *telling).is_duplicated().any():
        return whole, []
    parts = frame.partition_by(telling, as_dict=True, maintain_order=True)
    named_ = [
        (plain_name(str(key[0])) if methods else "", replace(table, frame=part.drop(telling)))
        for key, part in parts.items()
    ]
    if len(named_) < 2:
        return whole, []
    said = " and ".join(map(repr, telling))
    return named_, [
        f"{table.path.name}: column {said} tells {len(named_)} {'networks' if networks else 'methods'} apart."
    ]


def _first(table: Table, names: tuple[str, ...]) -> str | None:
    columns = (column for name in names if (column := named(table, name)))
    return next((column for column in columns if pl.Series(table.frame[column]).n_unique() > 1), None)
