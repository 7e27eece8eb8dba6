"""The one reader of tables: a file as people have it becomes a frame, and says in a few words how it was read."""

import io
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lib.tabular.content import TableError, decoded, read_content

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SAYS_SEPARATOR = re.compile(r'\s*"?sep=(.)"?[,;\t]*[ \r]*\n', re.IGNORECASE)
"""The first line by which Excel is told the separator."""
DATA_NAME = re.compile(r"\.(png|jpe?g|dcm)$", re.IGNORECASE)
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


def read_table(path: str | Path) -> Table:
    """Read a table with a header: text with separators, or parquet, or Arrow. Raises `TableError`, one sentence."""
    path = Path(path)
    content, packed = read_content(path)
    if reader := next((reader for mark, reader in BINARY.items() if content.startswith(mark)), None):
        return Table(path, _typed(path, content, reader), "", tuple(packed))
    text, encoding = decoded(content)
    how = [*packed, *([encoding.upper()] if encoding not in ("utf-8", "utf-8-sig") else [])]
    if said := SAYS_SEPARATOR.match(text):
        separator, text = said[1], text[said.end() :]
    else:
        separator = _separator(text)
    if separator != ",":
        how.append(f"separated by {SEPARATORS.get(separator, repr(separator))}")
    frame = _parsed(path, text.lstrip("\n"), separator, how)
    return Table(path, frame, separator, tuple(how))


def _typed(path: Path, content: bytes, reader) -> pl.DataFrame:
    try:
        frame = reader(io.BytesIO(content))
        plain = [c for c in frame.columns if not frame.schema[c].is_nested() and frame.schema[c] != pl.Binary]
        return frame.select(pl.col(c) if frame.schema[c].is_numeric() else pl.col(c).cast(pl.String) for c in plain)
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise TableError(f"{path} is not a whole parquet or Arrow file ({_short(error)}).") from None
    except BaseException as error:  # a damaged file may end in a panic of the reader, which is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise TableError(f"{path} is not a whole parquet or Arrow file.") from None


def _separator(text: str) -> str:
    """The character that the header has most of, outside quotation marks."""
    header = re.sub(r'"[^"]*"', "", text.lstrip("\n").partition("\n")[0])
    return max(SEPARATORS, key=header.count)


def _parsed(path: Path, text: str, separator: str, how: list[str]) -> pl.DataFrame:
    quote: str | None = '"'
    if text.count('"') % 2:
        quote = None  # a lone mark would swallow every line after it
        how.append("quotation marks taken as text")
    text = _with_row_names(path, text, separator, how)
    options = {"infer_schema": False, "truncate_ragged_lines": True, "quote_char": quote}
    try:
        frame = pl.read_csv(text.encode("utf-8", "replace"), separator=separator, **options)
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise TableError(
            f"{path} is not a table separated by commas, semicolons, tabs or bars ({_short(error)})."
        ) from None
    if quote is None:
        frame = frame.select(pl.all().str.strip_chars('"'))
    return _named(path, frame)


def _with_row_names(path: Path, text: str, separator: str, how: list[str]) -> str:
    """The text with a name for the first column, where every row has one field more than the header and begins with its
    number, as R writes it. Raises `TableError` where every row has more fields for another reason: decimal commas."""
    if '"' in text:
        return text
    header, *rows = [line for line in text.split("\n") if line.strip()] or [""]
    fields = header.count(separator)
    if not rows or min(row.count(separator) for row in rows) <= fields:
        return text
    first = [row.partition(separator)[0].strip() for row in rows]
    if all(row.count(separator) == fields + 1 for row in rows) and first in (
        [str(k) for k in range(len(rows))],
        [str(k + 1) for k in range(len(rows))],
    ):
        how.append("with row numbers")
        return separator + text
    raise TableError(
        f"{path} has more fields in every row than names in its header (row 2: {rows[0][:80]!r}); numbers with decimal commas "
        "need quotation marks, or another separator than commas."
    )


def _named(path: Path, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its names stripped. A name that stands twice is allowed where both columns say the same."""
    names: dict[str, str] = {}
    for column in frame.columns:
        name = re.sub(r"_duplicated_\d+$", "", column).strip().lstrip("\ufeff")
        if name in names and not frame[column].equals(frame[names[name]]) and name:
            raise TableError(f"{path} has two columns called {name!r} that differ; each needs a name of its own.")
        names.setdefault(name, column)
    frame = frame.select(pl.col(column).alias(name) for name, column in names.items())
    data = [name for name in frame.columns if DATA_NAME.search(name)]
    if data:
        raise TableError(f"{path} has no header: its first line, where names of columns should be, holds {data[0]!r}.")
    return frame


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
