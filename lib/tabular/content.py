"""From a file, however it is packed and encoded, to its text: gzip, bzip2, xz and zip; UTF-8, UTF-16, UTF-32, Windows-1252."""

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from lib.messages import UserError, message

LARGEST = 1 << 30
"""Bytes of a table, unpacked."""
PACKED: dict[bytes, tuple[str, Callable[[IO[bytes]], IO[bytes]]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ\0": ("xz", lzma.open),
}
"""Leading bytes of what is unpacked, its name and how: a file's own bytes count, whatever its name ends in."""
REFUSED = {
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save it as CSV",
    b"%PDF": "a PDF: a table saved as CSV is needed",
    b"\x89PNG": "an image: the table with a row per image is needed",
    b"\xff\xd8\xff": "an image: the table with a row per image is needed",
    b"\x28\xb5\x2f\xfd": "compressed by zstd: unpack it, or compress it by gzip, bzip2, xz or zip",
    b"{": "JSON: save it as CSV or parquet, a row per image",
    b"[{": "JSON: save it as CSV or parquet, a row per image",
    b"\x93NUMPY": "a NumPy array: save it as CSV or parquet, with the images' names",
    b"\x80\x04\x95": "a Python pickle, which could run code: save it as CSV or parquet",
}
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError)


class TableError(UserError):
    """A table cannot be used."""


def read_content(path: Path) -> tuple[bytes, list[str]]:
    """The bytes of a table, unpacked, and what they were packed by. Raises `TableError` for what is no such file."""
    if not path.is_file():
        raise TableError("{path} is missing: it is the table with one row per image.", path)
    with path.open("rb") as file:
        content = _limited(path, file)
    packed: list[str] = []
    while len(packed) < 3:
        head = content[:8]
        if why := next((why for mark, why in REFUSED.items() if head.startswith(mark)), None):
            raise TableError("{path} is {why}.", path, message(why))
        kind = next((kind for mark, kind in PACKED.items() if head.startswith(mark)), None)
        if kind is None and not head.startswith(b"PK\3\4"):
            break
        name, unpack = kind or ("zip", None)
        try:
            content = _from_zip(path, content) if unpack is None else _limited(path, unpack(io.BytesIO(content)))
        except DAMAGED as error:
            raise TableError(
                "{path} is not a whole {name} file ({error}).", path, name, str(error) or type(error).__name__
            ) from None
        packed.append(name)
    if content[257:262] == b"ustar":
        raise TableError("{path} is a tar archive: give the table that it holds.", path)
    return content, packed


def _limited(path: Path, file: IO[bytes]) -> bytes:
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise TableError("{path} is too large; at most {most:,} bytes are read as a table.", path, LARGEST)
    return content


def _from_zip(path: Path, content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith(("__MACOSX/", "."))]
        if any(m.filename == "[Content_Types].xml" for m in files):
            raise TableError("{path} is an Excel workbook: save the sheet as CSV.", path)
        tables = [m for m in files if m.filename.lower().endswith((".csv", ".tsv", ".txt", ".parquet", ".gz"))]
        chosen = tables if len(files) > 1 else files
        if len(chosen) != 1:
            names = ", ".join(m.filename for m in chosen[:5])
            held = f" ({names})" * bool(chosen)
            raise TableError("{path} holds {count} tables{held}; one is needed.", path, len(chosen), held)
        if chosen[0].flag_bits & 1:
            raise TableError("{path} is encrypted; allowed is a zip without a password.", path)
        with archive.open(chosen[0]) as file:
            return _limited(path, file)


def decoded(content: bytes) -> tuple[str, str]:
    """The text and its encoding: that of its first bytes, else UTF-16 by its zeros, else UTF-8, else Windows-1252.

    All line ends become new ones (an old Mac's too).
    """
    marked = next((name for mark, name in MARKS if content.startswith(mark)), None)
    encoding = marked or _unmarked_utf_16(content) or "utf-8"
    try:
        text = content.decode(encoding, "strict" if encoding == "utf-8" else "replace")
    except UnicodeDecodeError:
        encoding = "windows-1252"
        text = content.decode(encoding, "replace")
    text = text.lstrip("\ufeff").replace("\r\n", "\n")
    if "\n" not in text:
        text = text.replace("\r", "\n")
    return text.replace("\0", "\ufffd"), encoding


def _unmarked_utf_16(content: bytes) -> str | None:
    """UTF-16 without its mark: of text that is mostly Latin, every other byte is zero."""
    head = content[:2000]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if half < 8 or max(even, odd) < 0.6 * half or min(even, odd) > 0.05 * half:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"
