"""Sentences as templates: facts in, Markdown out; a student edits the templates in `lib/report/words/<language>/`.

A template is a Jinja2 file of blocks (`{% block title %}`), each told alone or all in their order. The methods of
`Language` are its filters. A file of the same name in `words/<language>/` at the top of the project holds blocks that
take the place of those here. A template that is missing or broken is one sentence, `TemplateFault`, that names file and line.
"""

import re
import traceback
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from lib.report.words.language import Language, TemplateFault, Words


def tell(language: Language, template: str, block: str | None = None, **facts: Any) -> Words:
    """A block of a template, or all of them, as Markdown. Raises `TemplateFault`.

    Without `block` paragraphs are kept; a block is one paragraph, in a line, as inline cells need it.
    """
    blocks = _blocks(language, template)
    if block is None:
        parts = [_rendered(language, blocks[name], name, facts) for name in blocks]
        return Words(language.finished(_paragraphs("\n\n".join(parts))))
    if block not in blocks:
        path = language.folders[0] / f"{template}.md.j2"
        raise TemplateFault(f"{path} has no block {block!r}; it has {', '.join(sorted(blocks))}.")
    return Words(language.finished(one_line(_rendered(language, blocks[block], block, facts))))


def has(language: Language, template: str, block: str) -> bool:
    """Whether a template tells such a block."""
    return block in _blocks(language, template)


def _blocks(language: Language, template: str) -> dict[str, jinja2.Template]:
    """Blocks by name, each with the template that holds it: those of the project take the place of the report's own."""
    blocks: dict[str, jinja2.Template] = {}
    for folder in language.folders:
        path = folder / f"{template}.md.j2"
        if not path.is_file():
            continue
        try:
            told = _environment(language, folder).get_template(f"{template}.md.j2")
        except jinja2.TemplateSyntaxError as fault:
            raise TemplateFault(f"{fault.filename}, line {fault.lineno}: {fault.message}.") from None
        blocks |= dict.fromkeys(told.blocks, told)
    if not blocks:
        path = language.folders[0] / f"{template}.md.j2"
        raise TemplateFault(f"{path} is missing: it holds words of the report.")
    return blocks


def _rendered(language: Language, template: jinja2.Template, block: str, facts: dict[str, Any]) -> str:
    try:
        return "".join(template.blocks[block](template.new_context(facts)))
    except jinja2.TemplateSyntaxError as fault:  # of a template that this one includes
        raise TemplateFault(f"{fault.filename}, line {fault.lineno}: {fault.message}.") from None
    except (jinja2.TemplateError, TypeError, KeyError, AttributeError, ValueError) as fault:
        raise TemplateFault(f"{_place(template, fault)}: {fault}.") from None


def _place(template: jinja2.Template, fault: Exception) -> str:
    """File and line of a template in which an error arose."""
    try:
        template.environment.handle_exception()
    except Exception as same:  # with the lines of the template
        fault = same
    lines = [frame for frame in traceback.extract_tb(fault.__traceback__) if frame.filename.endswith(".j2")]
    return f"{lines[-1].filename}, line {lines[-1].lineno}" if lines else str(template.filename)


@cache
def _environment(language: Language, folder: Path) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, *reversed(language.folders)]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # Markdown, not HTML
    )
    names = [name for name in dir(language) if not name.startswith("_") and callable(getattr(language, name))]
    environment.filters |= {name: getattr(language, name) for name in names}
    return environment


def one_line(text: str) -> str:
    """The text in one line; spaces that must not break (`str.split` would lose them) are kept."""
    return re.sub(r"[ \t\r\n]+", " ", text).strip(" ")


def _paragraphs(text: str) -> str:
    """Paragraphs and lists, each paragraph and each item of a list in a line."""
    parts = []
    for part in re.split(r"\n\s*\n", text):
        listed = part.lstrip().startswith(("- ", "|"))
        lines = re.split(r"\n(?=[ \t]*(?:- |\|))", part) if listed else [part]
        parts.append("\n".join(one_line(line) for line in lines))
    return "\n\n".join(part for part in parts if part)
