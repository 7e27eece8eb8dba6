"""A language of the report: how it writes numbers, lists and plurals (Babel), and what it calls groups, metrics and methods.

Names stand in `lib/report/words/<language>/names.toml`. A project may override single names, and blocks of templates, in
`words/<language>/` at its top. Every public method of `Language` is a filter of the templates.
"""

import datetime
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal

from lib.names import (
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    BY_PATIENT,
    CROSSED,
    NO_TARGET,
    OVERALL,
    PLACEBO,
    Attribute,
)
from lib.settings import ROOT

HERE = Path(__file__).resolve().parent
OVERRIDES = ROOT / "words"
"""Where a project keeps words of its own: `words/<language>/`."""
MINUS, NO_BREAK, NARROW = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"


class Words(str):
    """Text that Jupyter and Quarto take for Markdown when it stands alone or inline."""

    def _repr_markdown_(self) -> str:
        return str(self)


class TemplateFault(ValueError):
    """Words are missing or broken; the message is one sentence: file, line, what is wrong."""


def languages() -> tuple[str, ...]:
    """The languages that there are words for."""
    return tuple(sorted(path.parent.name for path in HERE.glob("*/names.toml")))


@cache
def language(code: str) -> "Language":
    """The language of a code such as `en` or `fr`. Raises `TemplateFault` where there are no words."""
    return Language(code)


class Language:
    """Numbers, lists, plurals and names, as a language writes them. Differences are in shares of 1 unless a name says otherwise."""

    def __init__(self, code: str, folder: Path = HERE, overrides: Path = OVERRIDES) -> None:
        if not (folder / code / "names.toml").is_file():
            raise TemplateFault(f"{folder}: there are no words in {code!r}; there are {', '.join(languages())}.")
        self.code = code
        self.folders = [place for place in (folder / code, overrides / code) if place.is_dir()]
        self._names: dict[str, Any] = {}
        for place in self.folders:
            for table, names in _read(place / "names.toml").items():
                self._names[table] = self._names.get(table, {}) | names
        self._locale = Locale.parse(self._names["language"]["locale"])

    # numbers

    @property
    def number_format(self) -> dict[str, Any]:
        """How axes write numbers (the `number` of a Vega locale)."""
        symbols = self._locale.number_symbols["latn"]
        return {
            "decimal": symbols["decimal"],
            "thousands": symbols["group"],
            "grouping": [3],
            "currency": ["", ""],
            "minus": MINUS,
        }

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
        return f"{self.points(difference, digits, signed)}{NO_BREAK}{self._points(difference)}"

    def _points(self, difference: float) -> str:
        return self.form(abs(100 * difference), self.phrase("point"), self.phrase("points"))

    def interval(self, low: str, high: str) -> str:
        """`95 % interval −3.1 to +2.0`."""
        return self.phrase("interval", low=low, high=high)

    def bounds(self, low: str, high: str) -> str:
        """`−3.1 to +2.0`."""
        return self.phrase("bounds", low=low, high=high)

    def held(self, text: str) -> str:
        """The text with spaces at which no line breaks, for narrow cells."""
        return text.replace(" ", NO_BREAK)

    def plain(self, value: float) -> str:
        """A number with as many digits as it has: `0.0003`."""
        return format_decimal(value, "#,##0.########", locale=self._locale)

    def range(self, own: Any, how: str = "number", *digits: int) -> str:
        """`0.678–0.756`, from `least` to `most`, once where they are alike, a unit once; `how` is the name of a method."""
        if own is None:
            return self.phrase("unknown")
        least, most = (getattr(self, how)(value, *digits) for value in (own.least, own.most))
        (start, _, unit), (_, _, other) = least.rpartition(NO_BREAK), most.rpartition(NO_BREAK)
        return most if least == most else f"{start if start and unit == other else least}\N{EN DASH}{most}"

    def with_interval(self, estimate: Any, how: str = "points", metric: str = "") -> str:
        """An estimate (with `value`, `low`, `high`) and its interval; `how` is the name of a method: points, percent, level, thousand."""
        if estimate is None or estimate.value is None:
            return self.number(None)
        told = getattr(self, how)
        say = (lambda value: told(value, metric)) if metric else told
        if estimate.low is None or estimate.high is None:
            return say(estimate.value)
        unit = f"{NO_BREAK}{self._points(estimate.value)}" if how == "points" else ""
        return f"{say(estimate.value)}{unit} ({self.interval(say(estimate.low), say(estimate.high))})"

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
        """French: the text after `de`, contracted or elided: `du sexe`, `des pondérations`, `d'AP`, `de l'incidence`."""
        for article, contracted in (("le ", "du "), ("les ", "des ")):
            if text.startswith(article):
                return contracted + text.removeprefix(article)
        return f"d'{text}" if re.match(r"[aeiouyàâéèêëîïôöùûœæAEIOUÀÂÉÈÊÎÔÛŒÆ]", text) else f"de {text}"

    def to(self, text: str) -> str:
        """French: the text after `à`, contracted: `au sexe`, `aux femmes`, `à l'incidence`."""
        for article, contracted in (("le ", "au "), ("les ", "aux ")):
            if text.startswith(article):
                return contracted + text.removeprefix(article)
        return f"à {text}"

    # names

    def phrase(self, key: str, **parts: str) -> str:
        """A short phrase of `[phrases]`, with its parts filled in."""
        return self._names["phrases"][key].format(**parts)

    def named(self, key: str, table: str) -> str:
        """The name of a thing in a table of `names.toml`; what is not there is told as it is, a word without underscores."""
        return self._names.get(table, {}).get(key, key if " " in key else key.replace("_", " "))

    def attribute(self, attribute: Attribute | str) -> str:
        """`age group`, as a heading has it; of a crossing both, of `overall` everyone."""
        return self._attribute(attribute, "attributes")

    def by(self, attribute: Attribute | str) -> str:
        """What stands after "by" (French: after "selon", with its article)."""
        return self._attribute(attribute, "by")

    def _attribute(self, attribute: Attribute | str, table: str) -> str:
        name = attribute if isinstance(attribute, str) else attribute.name
        if name == OVERALL:
            return self.phrase("everyone")
        if CROSSED in name:
            return self.all(self._attribute(part, table) for part in name.split(CROSSED))
        names = self._names[table]
        label = attribute.label if isinstance(attribute, Attribute) else name.replace("_", " ")
        return names.get(name) or names["other"].format(label=label)

    def group(self, group: str, attribute: Attribute | str) -> str:
        """A group as a figure labels it; everyone where the attribute is `overall`."""
        name = attribute if isinstance(attribute, str) else attribute.name
        if name == OVERALL:
            return self.phrase("everyone")
        return self._names["groups"].get(f"{name}/{group}", group)

    def contrast(self, contrast: str, attribute: Attribute | str) -> str:
        """`AP - PA` as `AP − PA`, groups named."""
        return f" {MINUS} ".join(self.group(part, attribute) for part in contrast.split(" - "))

    def who(self, group: str, attribute: Attribute | str) -> str:
        """The people of a group: `women`, `people imaged in AP`."""
        name = attribute if isinstance(attribute, str) else attribute.name
        people = self._names["people"]
        return people.get(f"{name}/{group}") or people["other"].format(
            group=self.group(group, attribute), label=self.attribute(attribute)
        )

    def metric(self, metric: str) -> str:
        """`TPR`, `balanced accuracy`."""
        return self.named(metric, "metrics")

    def gap(self, metric: str, attribute: Attribute | str) -> str:
        """`TPR gap by view`; the metric alone where the attribute is `overall`."""
        name = attribute if isinstance(attribute, str) else attribute.name
        if name == OVERALL:
            return self.metric(metric)
        return self.phrase("gap", metric=self.metric(metric), by=self.by(attribute))

    def verdict(self, verdict: str) -> str:
        """One of the five words; also what a method did to a gap (`narrowed`)."""
        return self.named(verdict, "verdicts")

    def finding(self, finding: str) -> str:
        """A finding of ChestX-ray14; another is told as it is."""
        return self.named(finding, "findings")

    def label(self, label: int) -> str:
        """`sick` (1) or `healthy` (0)."""
        return self._names["labels"]["sick" if label else "healthy"]

    def split(self, split: str) -> str:
        """`training` or `validation`."""
        return self.named(split, "splits")

    def weighting(self, name: str) -> str:
        """The name of a weighting of the registry, put together of its family and what it goes by."""
        names = self._names["weightings"]
        if name.startswith(PLACEBO):
            return names["placebo"].format(name=self.weighting(name.removeprefix(PLACEBO)))
        if name.startswith(BY_PATIENT):
            rest = self.weighting(name.removeprefix(BY_PATIENT))
            return names["by_patient"].format(patient=names["patient_balanced"], name=rest)
        if name in names:
            return names[name]
        families: Mapping[str, str] = self._names["weighting_families"]
        if name in families:
            return names["of_classes"].format(family=families[name])
        for family in sorted(families, key=len, reverse=True):
            if name.startswith(f"{family}_"):
                by = " × ".join(self.by(part) for part in name.removeprefix(f"{family}_").split("+"))
                return names["by"].format(family=families[family], by=by)
        return name.replace("_", " ")

    def rule(self, name: str, target: Attribute | str | None = None) -> str:
        """The name of a post-processing, with what it goes by."""
        rule = self.named(name, "postprocessings")
        if target is None or target == NO_TARGET:
            return rule
        return self.phrase("rule_by", rule=rule, by=self.by(target))

    def method(self, row: Mapping[str, Any] | Sequence[str]) -> str:
        """A method (weighting, post-processing, target) without the parts that are the baseline's; the baseline by its own name."""
        keys = ("weighting", "postprocessing", "target")
        weighting, rule, target = [row[key] for key in keys] if isinstance(row, Mapping) else row
        parts = [] if weighting == BASELINE_WEIGHTING else [self.weighting(weighting)]
        if rule != BASELINE_POSTPROCESSING:
            parts.append(self.rule(rule, target))
        return self.phrase("with").join(parts) or self.phrase("baseline")

    def option(self, option: Any) -> str:
        """An option of the decision page, as it is spoken of: `training with other weights (...)`."""
        names = self._names["options"]
        other = names["method" if option.given else "weighting"]
        parts = [other.format(name=self.weighting(option.weighting))] if option.weighting else []
        if option.rule:
            by = self.by(option.target) if option.target else None
            parts.append(names["rule_by" if by else "rule"].format(name=self.rule(option.rule), by=by))
        return self.all(parts) if parts else names["nothing"]

    # the text as a whole

    def finished(self, text: str) -> str:
        """The text with the spaces that the language's typography asks for (French: before ; : ! ? %, within guillemets)."""
        if self._names["language"].get("spaced_punctuation"):
            text = re.sub(r"(?<=\d) (?=\d{3}\b)", NARROW, text)
            text = re.sub(r" ([;!?»])", NARROW + r"\1", text).replace(" :", f"{NO_BREAK}:").replace("« ", f"«{NARROW}")
        return text


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as fault:
        raise TemplateFault(f"{path} is not TOML: {fault}.") from None
