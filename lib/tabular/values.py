"""What is written in a column, read as numbers, ages, classes, splits, sexes and views. Unknown values are null."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence

import polars as pl

from lib.messages import message
from lib.names import DEFAULTS

AGE_CUTS = (40.0, 60.0)
OLDEST = 120
"""Years; the oldest age that is believed."""
YEARS_PER_UNIT = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
MISSING = ("", "na", "n/a", "nan", "null", "none", "nat", "missing", "inconnu", "unknown", "<na>", "-", "?")
MISSING += ("unable to obtain", "patient declined to answer", "not specified", "non renseigné")
"""What people write where nothing is known, in lower case."""
_SICK = ("malade", "malades", "sick", "ill", "diseased", "disease", "abnormal", "anormal", "positive", "pos")
_HEALTHY = ("sain", "sains", "saine", "healthy", "normal", "negative", "neg", "no finding", "no_finding")
CLASS_WORDS = dict.fromkeys((*_SICK, "pathologique"), 1) | dict.fromkeys(_HEALTHY, 0)
"""What sick (1) and healthy (0) are called, simplified."""
TRUTH = dict.fromkeys(("true", "yes", "oui", "vrai", "t", "y", "o", "1"), True)
TRUTH |= dict.fromkeys(("false", "no", "non", "faux", "f", "n", "0"), False)
_TRAIN = ("train", "training", "trainset", "entrainement", "apprentissage", "learn", "tr")
_HELD_OUT = ("valid", "val", "validation", "validate", "validset", "va", "test", "testing", "te", "dev")
_HELD_OUT += ("eval", "holdout")
SPLITS = dict.fromkeys(_TRAIN, "train") | dict.fromkeys(_HELD_OUT, "valid")
"""Images for validation and for testing are both held out."""
SEXES = dict.fromkeys(("f", "female", "woman", "w", "femme", "feminin", "fem", "fille"), "F")
SEXES |= dict.fromkeys(("m", "male", "man", "homme", "h", "masculin", "masc", "garcon"), "M")
VIEWS = dict.fromkeys(("ap", "anteroposterior", "apportable", "apsupine", "aperect"), "AP")
VIEWS |= dict.fromkeys(("pa", "posteroanterior", "paerect"), "PA")
"""What groups are called, bare."""


def counted(number: int, what: str) -> str:
    """`1 row`, `2,000 rows`."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def listed(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (message(" and {more} more", more) if more > 0 else "")


def text(column: pl.Series) -> pl.Series:
    """The column as stripped text, 1.0 as `1`; what says that nothing is known is null."""
    if column.dtype.is_float():
        column = column.fill_nan(None)
        whole = (column.is_finite() & (column == column.round())).fill_null(False)
        column = column.cast(pl.Int64, strict=False).cast(pl.String).zip_with(whole, column.cast(pl.String))
    stripped = column.cast(pl.String).str.strip_chars()
    return stripped.set(stripped.str.to_lowercase().is_in(MISSING).fill_null(False), None)


def coded(column: pl.Series) -> pl.Series:
    """Text in which whole numbers are alike however written: `1`, `1.0` and `01` are `1`."""
    written = text(column)
    return written.str.replace(r"^([+-]?\d+)[.,]0+$", "${1}").str.replace(r"^0+(\d)$", "${1}")


def numbers(column: pl.Series) -> pl.Series:
    """Numbers, also with decimal commas or a percent sign (divided by 100); null where nothing, or no number, is written."""
    if column.dtype.is_numeric():
        return column.cast(pl.Float64).fill_nan(None)
    written = text(column).str.replace_all("[\u00a0\u202f ]", "")
    if written.str.contains(r"^(\[|tensor\()").any():  # as NumPy and PyTorch print a single number
        written = written.str.replace(r"^(?:tensor\()?\[*([^\[\](),]*)\]*(?:,[a-z_]+=[^()]*)?\)?$", "${1}")
    percent = written.str.ends_with("%").fill_null(False)
    plain = written.str.strip_suffix("%")
    point = plain.str.contains(".", literal=True).fill_null(False)
    plain = plain.zip_with(point, plain.str.replace(",", ".", literal=True))
    value = plain.cast(pl.Float64, strict=False).fill_nan(None)
    return value.zip_with(~percent, value / 100).alias(column.name)


def years(column: pl.Series) -> pl.Series:
    """Ages in years: `58`, `58,5`, `058Y`, `6M`, `3W`, `90D`; null where no age is written. Unlikely ones are kept."""
    written = coded(column)
    number = written.str.extract(r"^(-?[0-9]+(?:[.,][0-9]+)?)\s*(?:[YMWDymwd]|years?|yrs?|ans)?$")
    unit = written.str.extract(r"[0-9]\s*([YMWDymwd])$").str.to_uppercase()
    value = number.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    return value * unit.replace_strict(YEARS_PER_UNIT, default=1.0, return_dtype=pl.Float64)


def simplified(word: str) -> str:
    """A word in lower case without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c)).strip()


def bare(word: str) -> str:
    """Letters and digits of a word alone, in lower case and without accents: `Patient Sex`, `patient_sex` -> `patientsex`."""
    return re.sub(r"[^a-z0-9]", "", simplified(word)) or simplified(word)


def translated(column: pl.Series, words: Mapping[str, str]) -> pl.Series:
    """The column with each distinct value, bare, looked up in `words`; null for those that are not there."""
    written = coded(column)
    known = {value: words.get(bare(value)) for value in written.drop_nulls().unique()}
    return written.replace_strict(known, default=None, return_dtype=pl.String).alias(column.name)


def age_groups(age: pl.Series) -> pl.Series:
    """`<40`, `40-60` (both included) and `>60`."""
    return cut_at(age, AGE_CUTS, DEFAULTS["age_group"].groups).alias("age_group")


def cut_at(values: pl.Series, cuts: Sequence[float], labels: Sequence[str]) -> pl.Series:
    """The label of each number, one more than there are `cuts`: a cut belongs to the label above it, but the last of several
    to the one below."""
    breaks = list(map(float, cuts))
    if len(breaks) > 1:
        breaks[-1] = math.nextafter(breaks[-1], math.inf)
    known = values.cast(pl.Float64)
    places = pl.Series(breaks).search_sorted(known.fill_null(0), side="right")
    return pl.Series(list(labels), dtype=pl.String).gather(places).set(known.is_null(), None).alias(values.name)
