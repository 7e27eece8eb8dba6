"""How a language writes numbers, units, plurals, lists and what stands between words (Babel)."""

import datetime
import re
from collections.abc import Iterable, Sequence
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal

MINUS, NO_BREAK, NARROW = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"


class Writing:
    """Numbers, plurals and lists of a locale, with the phrases of `names.toml`. Differences are in shares of 1 unless a name says otherwise."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._apostrophe = names["language"].get("apostrophe", "'")
        self._names = _apostrophes(names, self._apostrophe)
        self._locale = Locale.parse(names["language"]["locale"])

    def phrase(self, key: str, **parts: str) -> str:
        """A short phrase of `[phrases]`, with its parts filled in."""
        return self._names["phrases"][key].format(**parts)

    # numbers

    @property
    def number_format(self) -> dict[str, Any]:
        """How axes write numbers (the `number` of a Vega locale)."""
        symbols = self._locale.number_symbols["latn"]
        marks = {"decimal": symbols["decimal"], "thousands": symbols["group"], "minus": MINUS}
        return marks | {"grouping": [3], "currency": ["", ""]}

    def number(self, value: float | None, digits: int = 0, signed: bool = False) -> str:
        """`1,234`, `0.71`; with `signed` a plus before what is above 0. None is `not estimable`."""
        if value is None:
            return self.phrase("not_estimable")
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        text = format_decimal(abs(round(value, digits)), pattern, locale=self._locale)
        if round(value, digits) == 0:
            return text
        return (MINUS if value < 0 else "+" if signed else "") + text

    def percent(self, share: float | None, digits: int = 1) -> str:
        """`66.8 %`."""
        return self.number(share) if share is None else f"{self.number(100 * share, digits)}{NO_BREAK}%"

    def hundred(self, share: float, digits: int = 0) -> str:
        """A share as a number of 100."""
        return self.number(100 * share, digits)

    def thousand(self, share: float, signed: bool = False) -> str:
        """A share as people of 1,000."""
        return self.number(1000 * share, 0, signed)

    def points(self, difference: float | None, digits: int = 1, signed: bool = True) -> str:
        """A difference of shares in percentage points, without the word."""
        return self.number(None if difference is None else 100 * difference, digits, signed)

    def level(self, value: float | None, metric: str, digits: int = 1) -> str:
        """A metric's value: rates in percent, the AUC with three decimals."""
        return self.number(value, 3) if metric == "auc" else self.percent(value, digits)

    def difference(self, value: float | None, metric: str) -> str:
        """A difference of a metric: rates in points (with the word), the AUC with three decimals."""
        if value is None:
            return self.number(None)
        return self.number(value, 3, signed=True) if metric == "auc" else self.with_unit(value)

    def with_unit(self, difference: float, digits: int = 1, signed: bool = True) -> str:
        """`+12.3 points`; French: `+0,1 point`."""
        as_written = round(abs(100 * difference), digits)
        unit = self.form(as_written, self.phrase("point"), self.phrase("points"))
        return f"{self.points(difference, digits, signed)}{NO_BREAK}{unit}"

    def interval(self, low: str, high: str) -> str:
        """`95 % interval −3.1 to +2.0`."""
        return self.phrase("interval", low=low, high=high)

    def bounds(self, low: str, high: str) -> str:
        """`−3.1 to +2.0`."""
        return self.phrase("bounds", low=low, high=high)

    def bracket(self, estimate: Any, how: str = "number", *more: Any, phrase: str = "bounds") -> str:
        """` (−3.1 to +2.0)`, to stand after an estimate (with `low`, `high`, `joint`); nothing where it has no interval.

        A dagger follows where it holds for all comparisons of its family together. `how` is the name of a method, `more` what it is told.
        """
        if estimate is None or estimate.low is None or estimate.high is None:
            return ""
        low, high = (getattr(self, how)(end, *more) for end in (estimate.low, estimate.high))
        return f" ({self.phrase(phrase, low=low, high=high)}){self.dagger(estimate)}"

    def dagger(self, estimate: Any) -> str:
        """The mark of an interval that holds for all comparisons of its family together."""
        return self.phrase("dagger") if estimate.joint else ""

    def estimated(self, estimate: Any, how: str = "number", *more: Any, phrase: str = "bounds") -> str:
        """An estimate with what `bracket` says of it: `−3.5 (−44.9 to +4.2)`; None is `not estimable`."""
        if estimate is None:
            return self.number(None)
        return getattr(self, how)(estimate.value, *more) + self.bracket(estimate, how, *more, phrase=phrase)

    def with_interval(self, estimate: Any, how: str, *more: Any) -> str:
        """The same, in words: `73.7 % (95 % interval 66.0 % to 80.9 %)`."""
        return self.estimated(estimate, how, *more, phrase="interval")

    def held(self, text: str) -> str:
        """The text with spaces at which no line breaks, for narrow cells."""
        return text.replace(" ", NO_BREAK)

    def plain(self, value: float) -> str:
        """A number with as many digits as it has: `0.0003`."""
        return format_decimal(value, "#,##0.########", locale=self._locale)

    def range(self, extent: tuple[float, float] | None, how: str = "number", *digits: int) -> str:
        """`0.678–0.756`, from the least to the most, once where they are alike, a unit once; `how` is the name of a method."""
        if extent is None:
            return self.phrase("unknown")
        least, most = (getattr(self, how)(value, *digits) for value in extent)
        (start, _, unit), (_, _, other) = least.rpartition(NO_BREAK), most.rpartition(NO_BREAK)
        return most if least == most else f"{start if start and unit == other else least}\N{EN DASH}{most}"

    def duration(self, seconds: float) -> str:
        """`45 s`, `12 min`, `3.4 h`."""
        if seconds < 90:
            return f"{self.number(seconds)}{NO_BREAK}s"
        minutes = seconds / 60
        return f"{self.number(minutes)}{NO_BREAK}min" if minutes < 90 else f"{self.number(minutes / 60, 1)}{NO_BREAK}h"

    def day(self, date: str) -> str:
        """`26 November 2026`, of an ISO date."""
        return format_date(datetime.date.fromisoformat(date), "d MMMM yyyy", locale=self._locale)

    # plurals and lists

    def plural(self, count: int | float, one: str, other: str, digits: int = 0) -> str:
        """`1 image`, `4,956 images`."""
        return f"{self.number(count, digits)} {self.form(round(count, digits), one, other)}"  # as it is written

    def form(self, count: int | float, one: str, other: str) -> str:
        """The form of a word for so many, without the number: `{{ n | form("lies", "lie") }}`."""
        return one if self._locale.plural_form(count) == "one" else other

    def spelled(self, count: int, one: str, other: str, none: str | None = None) -> str:
        """`one weighting`, `four weightings`, `12 weightings`: `one` and `none` are whole, the number is put before `other`."""
        if count == 1:
            return one
        if count == 0 and none is not None:
            return none
        return f"{self.few(count)} {other}"

    def few(self, count: int) -> str:
        """`four`, `12`: a number as one writes it within a sentence."""
        small: list[str] = self._names["language"]["numbers"]
        return small[count] if count < len(small) else self.number(count)

    def all(self, items: Iterable[Any]) -> str:
        """`a, b and c`."""
        return format_list([str(item) for item in items], style="standard", locale=self._locale)

    def any(self, items: Iterable[Any]) -> str:
        """`a, b or c`."""
        return format_list([str(item) for item in items], style="or", locale=self._locale)

    def some(self, items: Sequence[Any], most: int = 4) -> str:
        """The same as `all`, but of a long list the first few and the number of the others."""
        rest = len(items) - most
        return self.all(items) if rest < 2 else self.all([*items[:most], self.phrase("others", n=self.few(rest))])

    def sentence(self, text: str) -> str:
        """The text with a capital first letter."""
        return text[:1].upper() + text[1:]

    def de(self, text: str) -> str:
        """French: the text after `de`, contracted or elided: `du sexe`, `des pondérations`, `d'AP`, `d'hommes`, `de l'incidence`."""
        if contracted := _contracted(text, le="du", les="des"):
            return contracted
        silent = r"[aeiouyàâéèêëîïôöùûœæAEIOUÀÂÉÈÊÎÔÛŒÆ]|h(?=omme|ôpit|eure|ospi|uma)"  # an h that is not breathed
        return f"d'{text}" if re.match(silent, text) else f"de {text}"

    def to(self, text: str) -> str:
        """French: the text after `à`, contracted: `au sexe`, `aux femmes`, `à l'incidence`."""
        return _contracted(text, le="au", les="aux") or f"à {text}"

    # the text as a whole

    def finished(self, text: str) -> str:
        """The text as the language's typography has it: its apostrophe, and spaces (French: before ; : ! ? %, within guillemets)."""
        text = text.replace("'", self._apostrophe)
        if self._names["language"].get("spaced_punctuation"):
            text = re.sub(r"(?<=\d) (?=\d{3}\b)", NARROW, text)
            text = re.sub(rf"(?<=\d)[ {NO_BREAK}]%", f"{NARROW}%", text)
            text = re.sub(r" ([;!?»])", NARROW + r"\1", text).replace(" :", f"{NO_BREAK}:").replace("« ", f"«{NARROW}")
        return text


def _contracted(text: str, **words: str) -> str | None:
    """The text with its article, where it has one of these, contracted."""
    article, _, rest = text.partition(" ")
    return f"{words[article]} {rest}" if rest and article in words else None


def _apostrophes(names: Any, mark: str) -> Any:
    """Names with the apostrophe of the language; tables and lists of them, too."""
    if isinstance(names, dict):
        return {key: _apostrophes(value, mark) for key, value in names.items()}
    if isinstance(names, list):
        return [_apostrophes(value, mark) for value in names]
    return names.replace("'", mark) if isinstance(names, str) else names
