"""What a chapter shows and says: `show(study, "front")`, `read(study, "front")`, `say(study, "decision", "answer")`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import altair as alt
from great_tables import GT

from lib import results
from lib.report import exhibit, facts, figures, tables, widgets
from lib.report.exhibit import Exhibit
from lib.report.figures.marks import framed, nothing
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
        return (
            exhibit.widget(name, kind.draw(material))
            if material
            else exhibit.Exhibit(f"{_absent(study, kind, options)}\n")
        )
    caption = material("caption") if material else _absent(study, kind, options)
    if kind.of == "table":
        gt = kind.draw(material) if material else _no_table(study)
        return exhibit.table(kind.label(options), gt, caption)
    return exhibit.figure(kind.label(options), _drawn(study, kind, material, size, options), caption)


def chart(study: Results, name: str, *, size: Size = "page", **options: Any) -> alt.TopLevelMixin:
    """A figure by name as an Altair chart, with its title, subtitle and alternative text."""
    kind, material = _material(study, name, size, options)
    return _drawn(study, kind, material, size, options)


def heading(study: Results, name: str, **options: Any) -> Words:
    """What a figure or table finds, its title: the heading of a slide."""
    kind, material = _material(study, name, "slide", options)
    return material("title") if material else _absent(study, kind, options)


def slide(study: Results, name: str, **options: Any) -> Exhibit:
    """A figure or table for a slide whose heading tells what it finds: larger type, fewer marks, no title, no caption."""
    kind, material = _material(study, name, "slide", options)
    label = kind.label(options).replace("-", "-slide-", 1)
    if kind.of == "table":
        gt = kind.draw(material) if material else _no_table(study)
        return exhibit.bare_table(label, gt)
    return exhibit.slide(label, _drawn(study, kind, material, "slide", options))


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
    facts = SENTENCES[template](study, **options) or {}
    told = language(study.language)
    if not blocks:
        return tell(told, template, study=study, **facts)
    text = " ".join(text for block in blocks if (text := tell(told, template, block, study=study, **facts)))
    return Words(text or NOTHING)


def _material(study: Results, name: str, size: Size, options: Facts) -> tuple[Kind, Material | None]:
    if name not in KINDS:
        raise KeyError(f"there is no exhibit {name!r}; there are {', '.join(sorted(KINDS))}")
    kind = KINDS[name]
    facts = kind.gather(study, **options)
    return kind, None if facts is None else Material(study, kind.template, facts, size)


def _no_table(study: Results) -> GT:
    """A table of one cell: one without any cannot be set on paper."""
    told = language(study.language)
    return table_of([{"nothing": told.phrase("nothing_to_list")}], {"nothing": ""}, told)


def _absent(study: Results, kind: Kind, options: Facts) -> Words:
    told = language(study.language)
    why = tell(told, kind.template, "absent", study=study, **options)
    if kind.of == "widget":
        return Words(told.finished(told.sentence(f"{why}.")))
    return Words(told.finished(told.phrase(f"no_{kind.of}", why=why)))


def _drawn(study: Results, kind: Kind, material: Material | None, size: Size, options: Facts) -> alt.TopLevelMixin:
    if material is None:
        return nothing(_absent(study, kind, options), size=size)
    return framed(
        kind.draw(material),
        title=material("title"),
        subtitle=[material("subtitle")] if material.has("subtitle") else [],
        description=material("alt"),
        size=size,
        own=material.language,
    )
