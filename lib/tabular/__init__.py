"""The one reader of tables, for cohorts, predictions and weights: whatever people have, read alike everywhere."""

from lib.tabular.attributes import AttributeSpec, parse_attribute
from lib.tabular.columns import Columns
from lib.tabular.content import TableError
from lib.tabular.escape import for_csv, for_terminal, plain_name
from lib.tabular.naming import file_name, match
from lib.tabular.people import People, read_people
from lib.tabular.table import Table, read_table

__all__ = [
    "AttributeSpec",
    "Columns",
    "People",
    "Table",
    "TableError",
    "file_name",
    "for_csv",
    "for_terminal",
    "match",
    "parse_attribute",
    "plain_name",
    "read_people",
    "read_table",
]
