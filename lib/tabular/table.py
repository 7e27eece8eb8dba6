"""The one reader of tables: a file as people have it becomes a frame, and says in a few words how it was read."""

import io
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lib.tabular.content import TableError, decoded, read_content
from lib.tabular.values import text

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
QUOTED = re.compile(r'"([^"]*)"')
SAYS_SEPARATOR = re.compile(r'\s*"?sep=(.)"?[,;\t]*[ \r]*\n', re.IGNORECASE)
"""The first line that names the separator, for Excel."""
DATA_NAME = re.compile(r"\.(png|jpe?g|dcm)$", re.IGNORECASE)
COMMENTS = re.compile(r"\A(?:\s*#[ #!][^\n]*\n)+")
"""Lines of remarks before the header."""
NUMBER = re.compile(r"-?[0-9]*[.,]?[0-9]+(e-?[0-9]+)?$", re.IGNORECASE)
BINARY = {b"PAR1": pl.read_parquet, b"ARROW1": pl.read_ipc}


@dataclass(frozen=True, eq=False)
class Table:
    """`frame`: columns as they are called, of text, or of numbers where the file has types; `separator` of a text file;
    `how`: what was not as usual about it, in a few words."""

    path: Path
    frame: pl.DataFrame
    separator: str
    how: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        return self.frame.columns

    def require_read(self, column: str, values: pl.Series, wrong: str) -> None:
        """Raises `TableError`, which names the first row in which `column` holds something that `values` (of it) have no value
        for, and what is `wrong` there and allowed instead."""
        written = self.frame[column]
        for row in (values.is_null() & text(written).is_not_null()).arg_true().head(1):
            cell = column, row + 2, written[row]
            raise TableError("{path}, column {column!r}, row {row}: {value!r} {wrong}.", self.path, *cell, wrong)


def read_table(path: str | Path) -> Table:
    """Read a table with a header: text with separators, or parquet, or Arrow. Raises `TableError`, one sentence."""
    path = Path(path)
    content, packed = read_content(path)
    if reader := next((reader for mark, reader in BINARY.items() if content.startswith(mark)), None):
        return Table(path, _typed(path, content, reader), "", tuple(packed))
    whole, encoding = decoded(content)
    whole = COMMENTS.sub("", whole)
    how = [*packed, *([encoding.upper()] if encoding not in ("utf-8", "utf-8-sig") else [])]
    if said := SAYS_SEPARATOR.match(whole):
        separator, whole, by = said[1], whole[said.end() :], SEPARATORS.get(said[1], repr(said[1]))
    elif spaced := _with_tabs(whole):
        separator, whole, by = "\t", spaced, "spaces"
    else:
        header = QUOTED.sub("", whole.lstrip("\n").partition("\n")[0])
        separator = max(SEPARATORS, key=header.count)
        by = SEPARATORS[separator]
    if separator != ",":
        how.append(f"separated by {by}")
    frame = _parsed(path, whole.lstrip("\n"), separator, how)
    return Table(path, frame, separator, tuple(how))


def _typed(path: Path, content: bytes, reader) -> pl.DataFrame:
    try:
        frame = reader(io.BytesIO(content))
        plain = [c for c in frame.columns if not frame.schema[c].is_nested() and frame.schema[c] != pl.Binary]
        return frame.select(pl.col(c) if frame.schema[c].is_numeric() else pl.col(c).cast(pl.String) for c in plain)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        why = " ".join(str(error).split())[:120]
        raise TableError("{path} is not a whole parquet or Arrow file ({error}).", path, why) from None


def _with_tabs(text: str) -> str | None:
    """The text with tabs where it is separated by spaces, as R writes it: every row then has as many fields as the header,
    or one more, and ends with a number; else None."""
    head = QUOTED.sub("x", text.lstrip("\n").partition("\n")[0]).split()
    if len(head) < 2 or any(separator in " ".join(head) for separator in SEPARATORS):
        return None
    rows = [QUOTED.sub("x", line).split() for line in text.strip().split("\n")[1:]]
    if not rows or {len(row) for row in rows} not in ({len(head)}, {len(head) + 1}) or not NUMBER.match(rows[0][-1]):
        return None
    spaces = re.compile(r'("[^"]*")|[ \t]+')
    return "\n".join(spaces.sub(lambda m: m[1] or "\t", line.strip()) for line in text.strip().split("\n"))


def _parsed(path: Path, text: str, separator: str, how: list[str]) -> pl.DataFrame:
    quote: str | None = '"'
    if text.count('"') % 2:
        quote = None  # a lone mark would swallow every line after it
        how.append("quotation marks taken as text")
    text = _with_row_names(path, text, separator, how)
    options = {"infer_schema": False, "truncate_ragged_lines": True, "quote_char": quote}
    try:
        frame = pl.read_csv(text.encode("utf-8", "replace"), separator=separator, **options)
    except (pl.exceptions.PolarsError, ValueError):
        raise TableError("{path} is not a table separated by commas, semicolons, tabs, bars or spaces.", path) from None
    if quote is None:
        frame = frame.select(pl.all().str.strip_chars('"'))
    written = frame.select(pl.any_horizontal(pl.all().str.strip_chars() != "").fill_null(False)).to_series()
    rows = written.arg_true()  # a spreadsheet leaves empty ones at the end
    return _named(path, frame.head(rows[-1] + 1 if len(rows) else 0))


def _with_row_names(path: Path, text: str, separator: str, how: list[str]) -> str:
    """The text with a name for the first column, where every row has one field more than the header and begins with a name
    of its own, as R writes it. Raises `TableError` where every row has more fields for another reason: decimal commas."""
    lines = text.lstrip("\n").split("\n", 2)
    fields = QUOTED.sub("", lines[0]).count(separator)
    if len(lines) < 2 or QUOTED.sub("", lines[1]).count(separator) <= fields or text.count('"') % 2:
        return text
    inside = re.compile(rf"[\n{re.escape(separator)}]")
    masked = QUOTED.sub(lambda quoted: '"' + inside.sub(" ", quoted[1]) + '"', text)
    rows = [line for line in masked.split("\n")[1:] if line.strip()]
    counts = {row.count(separator) for row in rows}
    if not counts or min(counts) <= fields or all(row.rstrip().endswith(separator) for row in rows):
        return text
    first = [row.partition(separator)[0].strip() for row in rows]
    bare = [name.strip('"') for name in first]
    counting = bare in ([str(k) for k in range(len(rows))], [str(k + 1) for k in range(len(rows))])
    quoted = all(name[:1] == '"' for name in first) and all(map(str.isdecimal, bare))
    if counts == {fields + 1} and len(set(bare)) == len(bare) and (counting or quoted or separator != ","):
        how.append("with row names" if not counting else "with row numbers")
        return separator + text.lstrip("\n")
    raise TableError(
        "{path} has more fields in every row than names in its header (row 2: {start!r}); numbers with decimal commas "
        "need quotation marks, or another separator than commas.",
        path,
        rows[0][:80],
    )


def _named(path: Path, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its names stripped. A name that stands twice is allowed where both columns say the same."""
    names: dict[str, str] = {}
    for column in frame.columns:
        name = re.sub(r"_duplicated_\d+$", "", column).strip().lstrip("\ufeff")
        if name in names and not frame[column].equals(frame[names[name]]) and name:
            raise TableError(
                "{path} has two columns called {name!r} that differ; each needs a name of its own.", path, name
            )
        names.setdefault(name, column)
    frame = frame.select(pl.col(column).alias(name) for name, column in names.items())
    data = [name for name in frame.columns if DATA_NAME.search(name)]
    if data:
        raise TableError(
            "{path} has no header: its first line, where names of columns should be, holds {value!r}.", path, data[0]
        )
    return frame
