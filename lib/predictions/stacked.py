"""A file with a row for each image and method (or network): divided into what each of them says."""

from dataclasses import replace

from lib.predictions.reader import image_column
from lib.tabular import Columns, Table, plain_name
from lib.tabular.columns import is_numeric, named
from lib.tabular.values import text

METHODS = ("model", "method", "model name", "modele", "methode", "classifier", "architecture", "arch", "algorithm")
NETWORKS = ("seed", "run", "network", "graine", "replicate", "repetition")
"""Names of columns that tell methods apart, and the networks of one."""


def divided(table: Table, columns: Columns, notes: list[str]) -> list[tuple[str, Table]]:
    """The table of each method (its name) and network; the table itself, of the method "", where each image has one row as a
    rule, or nothing tells its rows apart."""
    whole = [("", table)]
    image = image_column(table, columns, [])
    if image is None or text(table.frame[image]).is_unique().all():
        return whole
    methods, networks = (_first(table, names) for names in (METHODS, NETWORKS))
    if networks and not methods and not is_numeric(table.frame[networks]):
        methods, networks = networks, None  # `network`: resnet, densenet
    telling = [column for column in (methods, networks) if column]
    frame = table.frame.unique(maintain_order=True)
    if not telling or frame.select(image, *telling).is_duplicated().any():
        return whole
    parts = frame.partition_by(telling, as_dict=True, maintain_order=True)
    told = f"{len(parts)} {'networks' if networks else 'methods'}"
    notes.append(f"{table.path.name}: column {' and '.join(map(repr, telling))} tells {told} apart.")
    return [
        (plain_name(str(key[0])) if methods else "", replace(table, frame=part.drop(telling)))
        for key, part in parts.items()
    ]


def _first(table: Table, names: tuple[str, ...]) -> str | None:
    columns = (column for name in names if (column := named(table, name)))
    return next((column for column in columns if table.frame[column].n_unique() > 1), None)
