"""`metadata.csv`, as handed out or as published by the NIH, read into checked columns."""

import gzip
import zlib
from pathlib import Path

import polars as pl

COLUMNS = {
    "Image Index": "image",
    "Finding Labels": "findings",
    "Patient ID": "patient",
    "Patient Age": "age",
    "Patient Gender": "sex",
    "View Position": "view",
}
LARGEST = 1 << 30
"""Bytes of a metadata.csv."""
OLDEST = 120
"""Years; the oldest age that is believed."""
YEARS_PER_UNIT = {"Y": 1.0, "M": 1 / 12, "D": 1 / 365.25}


class CohortError(ValueError):
    """A cohort cannot be used; the message is one sentence: what, where, what is allowed.

    It stays on one line, even if what it quotes from a file (a column's name) does not.
    """

    def __init__(self, message: str):
        super().__init__(" ".join(message.splitlines()))


def read_metadata(path: Path) -> tuple[pl.DataFrame, list[tuple[str, int, str]]]:
    """The rows of `metadata.csv` as `image, findings, patient, age, sex, age_group, view, weight`, one per image.

    An image may be named with folders before its name (`train/malade/a.png`): they are dropped, its name is its key.
    Ages may be written `58` or `058Y` (also months `M` and days `D`); ages outside 0 to 120 years, sexes other than
    F and M and views other than AP and PA become null. Returns the frame and its list of (check, rows, action).
    Raises `CohortError` when the file is absent, is no table or lacks a column.
    """
    raw = read_text_columns(path)
    missing = [c for c in COLUMNS if c not in raw.columns]
    if missing:
        raise CohortError(f"{path} lacks the column(s) {', '.join(missing)}; it has {', '.join(raw.columns)}.")
    text = pl.col(*COLUMNS).str.strip_chars()
    number = pl.col("WEIGHTS").str.strip_chars().str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    weight = number if "WEIGHTS" in raw.columns else pl.lit(None, pl.Float64)
    rows = raw.with_columns(text).select(*[pl.col(c).alias(n) for c, n in COLUMNS.items()], weight.alias("weight"))

    checks = [("rows in metadata.csv", rows.height, "read")]
    complete = rows.filter(pl.col("image").fill_null("") != "", pl.col("patient").fill_null("") != "")
    checks.append(("rows without an image name or a patient", rows.height - complete.height, "left out"))
    distinct = complete.unique(maintain_order=True)
    first = distinct.unique("image", keep="first", maintain_order=True)
    checks += [
        ("repeated rows that agree", complete.height - distinct.height, "one kept"),
        ("repeated rows that differ", distinct.height - first.height, "the first kept"),
    ]
    parsed = first.with_columns(age=_years(pl.col("age")))
    clean = parsed.with_columns(
        age=pl.when(pl.col("age").is_between(0, OLDEST)).then(pl.col("age").floor()).cast(pl.Int64),
        sex=_one_of(pl.col("sex").str.to_uppercase(), "F", "M"),
        view=_one_of(pl.col("view").str.to_uppercase(), "AP", "PA"),
    )
    outside = parsed["age"].is_not_null().sum() - clean["age"].is_not_null().sum()
    checks += [
        (f"ages outside 0 to {OLDEST} years", outside, "set to unknown, image kept"),
        ("ages that are not a number", parsed["age"].null_count(), "set to unknown, image kept"),
        ("sexes other than F and M", clean["sex"].null_count(), "set to unknown, image kept"),
        ("views other than AP and PA", clean["view"].null_count(), "set to unknown, image kept"),
    ]
    return clean.with_columns(age_group=_age_group(pl.col("age"))), checks


def file_name(path: pl.Expr) -> pl.Expr:
    """The last part of a path written with / or with \\."""
    return path.str.strip_chars().str.extract(r"([^/\\]*)$")


def read_text_columns(path: Path) -> pl.DataFrame:
    """A CSV file, or one compressed as .gz, as it is written: every column text, its separator found in the header.

    Raises `CohortError` when it is no table.
    """
    text = _text(path)
    separator = _separator(text)
    try:
        frame = pl.read_csv(text.encode(), separator=separator, infer_schema=False, truncate_ragged_lines=True)
        return frame.rename({c: c.strip().lstrip("\ufeff") for c in frame.columns})
    except pl.exceptions.PolarsError as error:
        reason = " ".join(str(error).split())[:120]
        raise CohortError(f"{path} is not a table separated by commas, semicolons or tabs ({reason}).") from None


def separator_of(path: Path) -> str:
    """The character among `,;` and the tab that the header has most of."""
    return _separator(_text(path))


def _separator(text: str) -> str:
    header = text.lstrip("\n").partition("\n")[0]
    return max(",;\t", key=header.count)


def _text(path: Path) -> str:
    """What is written in the file; raises `CohortError` when it is missing, too large or no whole .gz file."""
    if not path.is_file():
        raise CohortError(f"{path} is missing: it is the table with one row per image.")
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CohortError(f"{path} is not a whole .gz file ({error}).") from None
    if len(content) > LARGEST:
        raise CohortError(f"{path} is too large; at most {LARGEST:,} bytes are read as metadata.")
    return _decoded(content)


def _decoded(content: bytes) -> str:
    """UTF-8, or UTF-16 when it says so by its first bytes, else Windows-1252; old Mac line ends become new ones."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", errors="replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
    if "\n" not in text:
        text = text.replace("\r", "\n")
    return text.replace("\0", "\ufffd")


def _years(age: pl.Expr) -> pl.Expr:
    number = (
        age.str.extract(r"^(-?[0-9]+(?:[.,][0-9]+)?)\s*[YMDymd]?$").str.replace(",", ".").cast(pl.Float64, strict=False)
    )
    unit = age.str.extract(r"([YMDymd])$").str.to_uppercase()
    return number * unit.replace_strict(YEARS_PER_UNIT, default=1.0, return_dtype=pl.Float64)


def _one_of(value: pl.Expr, *allowed: str) -> pl.Expr:
    return pl.when(value.is_in(allowed)).then(value)


def _age_group(age: pl.Expr) -> pl.Expr:
    return (
        pl.when(age < 40).then(pl.lit("<40")).when(age <= 60).then(pl.lit("40-60")).when(age > 60).then(pl.lit(">60"))
    )
