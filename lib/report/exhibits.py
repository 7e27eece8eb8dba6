"""What a chapter shows and says: `show(study, "front")`, `read(study, "front")`, `say(study, "decision", "answer")`."""

from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path
from typing import Any

import altair as alt
from great_tables import GT

from lib import results
from lib.report import exhibit, facts, figures, tables, widgets
from lib.report.exhibit import Exhibit
from lib.report.figures.layout import framed, nothing
from lib.report.registry import KINDS, SENTENCES, Facts, Gather, Material
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
    return results.load(cohort).told_in(code)


def show(study: Results, name: str, *, size: Size = "page", **options: Any) -> Exhibit:
    """A figure or table by name, with its caption, under its label; a widget bare. `options` go to its `gather`.

    Raises KeyError, which names those there are.
    """
    material = material_of(study, name, size, **options)
    if material.kind.of == "widget":
        return exhibit.widget(name, material.kind.draw(material)) if material else Exhibit(f"{material.absent}\n")
    captioned = exhibit.table if material.kind.of == "table" else exhibit.figure
    return captioned(material.kind.label(material.options), _drawn(material), material.told("caption"))


def chart(study: Results, name: str, *, size: Size = "page", **options: Any) -> alt.TopLevelMixin:
    """A figure by name as an Altair chart, with its title, subtitle and alternative text."""
    return _drawn(material_of(study, name, size, **options))


def heading(study: Results, name: str, **options: Any) -> Words:
    """What a figure or table finds, its title: the heading of a slide."""
    return material_of(study, name, "slide", **options).told("title")


def slide(study: Results, name: str, **options: Any) -> Exhibit:
    """A figure or table for a slide whose heading tells what it finds: larger type, fewer marks, no title, no caption."""
    material = material_of(study, name, "slide", **options)
    bare = exhibit.table if material.kind.of == "table" else exhibit.slide
    return bare(material.kind.label(material.options).replace("-", "-slide-", 1), _drawn(material))


def read(study: Results, name: str, **options: Any) -> Words:
    """What happened, in a sentence or two that read the exhibit for the reader."""
    return material_of(study, name, **options).told("read")


def say(study: Results, template: str, *blocks: str, **options: Any) -> Words:
    """Blocks of a template of sentences, in a line; without blocks all of it, in paragraphs.

    Raises KeyError, which names the templates there are.
    """
    if template not in SENTENCES:
        raise KeyError(f"there are no sentences {template!r}; there are {', '.join(sorted(SENTENCES))}")
    facts = {"study": study, **(_gathered(study, SENTENCES[template], options) or {})}
    spoken = language(study.language)
    if not blocks:
        return tell(spoken, template, **facts)
    text = " ".join(text for block in blocks if (text := tell(spoken, template, block, **facts)))
    return Words(text or NOTHING)


def material_of(study: Results, name: str, size: Size = "page", **options: Any) -> Material:
    """What an exhibit is made of, by name. Raises KeyError, which names those there are."""
    if name not in KINDS:
        raise KeyError(f"there is no exhibit {name!r}; there are {', '.join(sorted(KINDS))}")
    return Material(study, KINDS[name], options, _gathered(study, KINDS[name].gather, options), size)


def _gathered(study: Results, gather: Gather, options: Facts) -> Facts | None:
    """The facts of an exhibit that is shown and read, or of sentences that are told one by one, gathered once.

    Options that are tables (`frame`) are not kept.
    """
    if not all(isinstance(value, Hashable) for value in options.values()):
        return gather(study, **options)
    return study.once((gather, *sorted(options.items())), lambda: gather(study, **options))


MARGIN = 12
"""Pixels that a figure may be wider than its measure before it is drawn anew: scaled down, its type would be too small."""


def _drawn(material: Material) -> alt.TopLevelMixin | GT:
    """The exhibit; where there is nothing to show, a figure that says why, or a table of one cell: none cannot be set on paper."""
    of_table, spoken = material.kind.of == "table", material.language
    if not material and of_table:
        return table_of([{"nothing": spoken.phrase("nothing_to_list")}], {"nothing": ""}, spoken, right=())
    if not material:
        return nothing(material.absent, size=material.size)
    drawn = material.kind.draw(material)
    if of_table:
        return drawn
    figure = framed(drawn, material)
    if material.size == "slide" or material.narrower:
        return figure
    beyond = exhibit.width(figure) - material.measure.width - MARGIN
    return _drawn(replace(material, narrower=beyond)) if beyond > 0 else figure
