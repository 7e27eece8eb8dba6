"""Sentences as templates: facts in, Markdown out; a student edits the templates in `lib/report/words/<language>/`.

A template is a Jinja2 file of blocks (`{% block title %}`), each told alone or all in their order. Numbers, plurals and
lists are written by filters, in the locale of the language. A template that is missing or broken is one sentence, `TemplateFault`,
that names file and line.
"""

import tomllib
import traceback
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from babel import Locale
from babel.lists import format_list
from babel.numbers import format_decimal

from lib.names import postprocessing_label, weighting_label
from lib.report.words import Words

HERE = Path(__file__).resolve().parent
LOCALES = {"en": "en_GB"}
"""The languages that there are templates for, and how each writes numbers, lists and plurals."""
ALONE = ("short",)
"""Blocks that are told alone and never with the others: headings."""
MINUS = "\N{MINUS SIGN}"


class TemplateFault(ValueError):
    """A template is missing or broken; the message is one sentence: file, line, what is wrong."""


def tell(template: str, block: str | None = None, *, language: str = "en", folder: Path = HERE, **facts: Any) -> Words:
    """A block of a template, or all of them, as Markdown. Raises `TemplateFault`.

    Without `block` paragraphs are kept; a block is one paragraph, in a line, as inline cells need it.
    """
    where = f"{language}/{template}.md.j2"
    environment = _environment(language, folder)
    try:
        found = environment.get_template(f"{template}.md.j2")
        if block is None:
            told = [name for name in found.blocks if name not in ALONE]
            parts = ["".join(found.blocks[name](found.new_context(facts))) for name in told]
            return Words(_paragraphs("\n\n".join(parts)))
        if block not in found.blocks:
            raise TemplateFault(f"{folder / where} has no block {block!r}; it has {', '.join(sorted(found.blocks))}.")
        return Words(" ".join("".join(found.blocks[block](found.new_context(facts))).split()))
    except jinja2.TemplateNotFound as fault:
        raise TemplateFault(f"{folder / language / str(fault)} is missing: it holds the words of the report.") from None
    except jinja2.TemplateSyntaxError as fault:
        raise TemplateFault(f"{fault.filename}, line {fault.lineno}: {fault.message}.") from None
    except (jinja2.TemplateError, TypeError, KeyError, AttributeError) as fault:
        raise TemplateFault(f"{_place(environment, fault, folder / where)}: {fault}.") from None


def has(template: str, block: str, *, language: str = "en", folder: Path = HERE) -> bool:
    """Whether a template tells such a block."""
    return block in _environment(language, folder).get_template(f"{template}.md.j2").blocks


def _place(environment: jinja2.Environment, fault: Exception, path: Path) -> str:
    """File and line of a template in which an error arose."""
    try:
        environment.handle_exception()
    except Exception as told:  # the same error, with the lines of the template
        fault = told
    lines = [frame for frame in traceback.extract_tb(fault.__traceback__) if frame.filename.endswith(".j2")]
    return f"{lines[-1].filename}, line {lines[-1].lineno}" if lines else str(path)


@cache
def _environment(language: str, folder: Path) -> jinja2.Environment:
    if language not in LOCALES:
        raise TemplateFault(f"{folder}: there are no words in {language!r}; there are {', '.join(LOCALES)}.")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder / language),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # Markdown, not HTML
    )
    environment.filters |= filters(language, folder)
    return environment


def _paragraphs(text: str) -> str:
    parts = [
        " ".join(part.split()) if not part.lstrip().startswith(("- ", "|")) else _lines(part) for part in _cut(text)
    ]
    return "\n\n".join(part for part in parts if part)


def _cut(text: str) -> list[str]:
    kept, own = [], []
    for line in text.splitlines():
        if line.strip():
            own.append(line)
        elif own:
            kept.append("\n".join(own))
            own = []
    return [*kept, "\n".join(own)]


def _lines(part: str) -> str:
    """The items of a list, each in a line."""
    lines: list[str] = []
    for line in part.splitlines():
        if line.lstrip().startswith(("- ", "|")) or not lines:
            lines.append(" ".join(line.split()))
        else:
            lines[-1] += " " + " ".join(line.split())
    return "\n".join(lines)


def filters(language: str, folder: Path = HERE) -> dict[str, Any]:
    """The filters that templates know: numbers, plurals, lists, and who a group is."""
    locale = Locale.parse(LOCALES[language])
    names = _names(language, folder)

    def number(value: float, digits: int = 0, signed: bool = False) -> str:
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        text = format_decimal(abs(round(value, digits)), pattern, locale=locale)
        below, nothing = value < 0, round(value, digits) == 0
        return ("" if nothing else MINUS if below else "+" if signed else "") + text

    def plural(count: int, one: str, other: str, digits: int = 0) -> str:
        return f"{number(count, digits)} {one if locale.plural_form(count) == 'one' else other}"

    def who(group: str, attribute: Any) -> str:
        key = f"{attribute.name}/{group}"
        return names["people"].get(key) or names["people"]["other"].format(group=group, label=by(attribute))

    def by(attribute: Any) -> str:
        return names["attributes"].get(attribute.name, attribute.label)

    def method(option: Any) -> str:
        parts = []
        if option.weighting:
            parts.append(names["methods"]["weighting"].format(name=weighting_label(option.weighting)))
        if option.rule:
            rule = postprocessing_label(option.rule)
            of = by(option.target) if option.target else None
            parts.append(names["methods"]["rule_by" if of else "rule"].format(name=rule, by=of))
        return listed(parts) if parts else names["methods"]["nothing"]

    def listed(items: Any, style: str = "standard") -> str:
        return format_list([str(item) for item in items], style=style, locale=locale)

    return {
        "number": number,
        "thousand": lambda share, signed=False: number(1000 * share, 0, signed),
        "hundred": lambda share, digits=0: number(100 * share, digits),
        "points": lambda share, digits=0: number(100 * abs(share), digits),
        "plural": plural,
        "all": listed,
        "any": lambda items: listed(items, "or"),
        "who": who,
        "by": by,
        "method": method,
        "sentence": lambda text: text[:1].upper() + text[1:],
    }


@cache
def _names(language: str, folder: Path) -> dict[str, dict[str, str]]:
    path = folder / language / "names.toml"
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise TemplateFault(f"{path} is missing: it holds the names of groups and methods.") from None
    except tomllib.TOMLDecodeError as fault:
        raise TemplateFault(f"{path} is not TOML: {fault}.") from None
