"""Names in `metadata.csv` and names of files, matched also where they are written differently."""

import re
import unicodedata

import polars as pl


def match_names(rows: pl.DataFrame, files: pl.Series) -> tuple[pl.DataFrame, int]:
    """`rows` with `image` rewritten to the file's name where only folder, case or accents' form differ, and how many.

    A row that names a file exactly is left alone, and so is one whose plain form fits several files or several rows:
    nothing is guessed. Names are compared, never opened, so `../` or an absolute path in the table leads nowhere.
    """
    exact = set(files)
    taken = exact & set(rows["image"])
    by_plain: dict[str, list[str]] = {}
    for name in exact - taken:
        by_plain.setdefault(plain(name), []).append(name)
    wanted: dict[str, list[str]] = {}
    for name in set(rows["image"]) - exact:
        wanted.setdefault(plain(name), []).append(name)
    renamed = {
        names[0]: by_plain[key][0]
        for key, names in wanted.items()
        if len(names) == 1 and len(by_plain.get(key, ())) == 1
    }
    return rows.with_columns(pl.col("image").replace(renamed)), len(renamed)


def plain(name: str) -> str:
    """The last part of a path, accents composed, case folded, spaces around it gone."""
    return unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1]).casefold().strip()
