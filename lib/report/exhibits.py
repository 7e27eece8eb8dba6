"""What a chapter shows and says: `show(study, "front")`, `read(study, "front")`, `say(study, "decision", "answer")`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import altair as alt
from great_tables import GT

from lib import results
from lib.report import exhibit, facts, figures, tables, widgets
from lib.report.exhibit import Exhibit
from lib.report.figures.layout import framed, nothing
from lib.report.registry import KINDS, SENTENCES, Facts, Kind, Material
from lib.report.tables.cells import table_of
from lib.report.theme import Size
from lib.report.words.language import Words, language
from lib.report.words.templates import tell
from lib.results import Results

REGISTERED = (facts, figures, tables, widgets)
"""The packages whose functions register themselves when they are imported."""
NOTHING = "<!-- -->"
"""What stands for a sentence that there is no need to say: Quarto shows the code of an empty one."""


def load(code: str = "en", cohort: str | Path | None = None) -> Results:
    """The results of the chosen cohort, to be told in a language. Raises `BundleError` and `TemplateFault`, one sentence each."""
    language(code)
    return replace(results.load(cohort), language=code)


def show(study: Results, name: str, *, size: Size = "page", **options: Any) -> Exhibit:
    """A figure or table by name, with its caption, under its label; a widget bare. `options` go to its `gather`.

    Raises KeyError, which names those there are.
    """
    kind, material = _material(study, name, size, options)
    if kind.of == "widget":
        return exhibit.widget(name, kind.draw(material)) if material else Exhibit(f"{_absent(study, kind, options)}\n")
    caption = material("caption") if material else _absent(study, kind, options)
    captioned = exhibit.table if kind.of == "table" else exhibit.figure
    return captioned(kind.label(options), _drawn(study, kind, material, size, options), caption)


def chart(study: Results, name: str, *, size: Size = "page", **options: Any) -> alt.TopLevelMixin:
    """A figure by name as an Altair chart, with its title, subtitle and alternative text."""
    return _drawn(study, *_material(study, name, size, options), size, options)


def heading(study: Results, name: str, **options: Any) -> Words:
    """What a figure or table finds, its title: the heading of a slide."""
    kind, material = _material(study, name, "slide", options)
    return material("title") if material else _absent(study, kind, options)


def slide(study: Results, name: str, **options: Any) -> Exhibit:
    """A figure or table for a slide whose heading tells what it finds: larger type, fewer marks, no title, no caption."""
    kind, material = _material(study, name, "slide", options)
    bare = exhibit.table if kind.of == "table" else exhibit.slide
    label = kind.label(options).replace("-", "-slide-", 1)
    return bare(label, _drawn(study, kind, material, "slide", options))


def read(study: Results, name: str, **options: Any) -> Words:
    """What happened, in a sentence or two that read the exhibit for the reader."""
    kind, material = _material(study, name, "page", options)
    return material("read") if material else _absent(study, kind, options)


def say(study: Results, template: str, *blocks: str, **options: Any) -> Words:
    """Blocks of a template of sentences, in a line; without blocks all of it, in paragraphs.

    Raises KeyError, which names the templates there are.
    """
    if template not in SENTENCES:
        raise KeyError(f"there are no sentences {template!r}; there are {', '.join(sorted(SENTENCES))}")
    facts = {"study": study, **(SENTENCES[template](study, **options) or {})}
    spoken = language(study.language)
    if not blocks:
        return tell(spoken, template, **facts)
    text = " ".join(text for block in blocks if (text := tell(spoken, template, block, **facts)))
    return Words(text or NOTHING)


def _material(study: Results, name: str, size: Size, options: Facts) -> tuple[Kind, Material | None]:
    if name not in KINDS:
        raise KeyError(f"there is no exhibit {name!r}; there are {', '.join(sorted(KINDS))}")
    kind = KINDS[name]
    facts = kind.gather(study, **options)
    return kind, None if facts is None else Material(study, kind.template, facts, size)


def _absent(study: Results, kind: Kind, options: Facts) -> Words:
    """Why there is nothing to show."""
    spoken = language(study.language)
    why = tell(spoken, kind.template, "absent", study=study, **options)
    told = spoken.sentence(f"{why}.") if kind.of == "widget" else spoken.phrase(f"no_{kind.of}", why=why)
    return Words(spoken.finished(told))


def _drawn(study: Results, kind: Kind, material: Material | None, size: Size, options: Facts) -> alt.TopLevelMixin | GT:
    """The exhibit; where there is nothing to show, a figure that says why, or a table of one cell: none cannot be set on paper."""
    if material is None and kind.of == "table":
        spoken = language(study.language)
        return table_of([{"nothing": spoken.phrase("nothing_to_list")}], {"nothing": ""}, spoken)
    if material is None:
        return nothing(_absent(study, kind, options), size=size)
    drawn = kind.draw(material)
    if kind.of == "table":
        return drawn
    subtitle = material("subtitle") if material.has("subtitle") else ""
    words = {"title": material("title"), "subtitle": subtitle, "description": material("alt")}
    return framed(drawn, **words, size=size, language=material.language)
