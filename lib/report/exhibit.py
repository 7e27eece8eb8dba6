"""Figures and tables as the report shows them: a captioned, numbered block of Markdown, nothing on disk.

The block holds the exhibit once for each output, so that one cell serves the page, the PDF and the slides.
"""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import altair as alt
import mistune
import vl_convert
from great_tables import GT

from lib.report import theme
from lib.report.words.language import Words
from lib.report.words.templates import one_line

LABEL = re.compile(r"(fig|tbl)-[a-z0-9-]+")
SMALLEST = 0.72
"""How far a figure shrinks on a narrow screen before it scrolls instead: below, its text could not be read."""

TALLEST = 1.3
"""How high a figure may be on paper, in widths of the text: with its caption it must fit on a page."""

TABLE_CSS = Path(__file__).with_name("table.css")
"""The look of every table, instead of great-tables' own, which is white whatever the page; ID stands for the id."""

SVG = "{http://www.w3.org/2000/svg}"
ElementTree.register_namespace("", SVG.strip("{}"))
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")


_numbers: dict[str, str] | None = None


def in_notebook(numbers: dict[str, str]) -> None:
    """From now on exhibits display themselves as HTML, which notebooks show, under these numbers (`{"fig-people": "Figure 1"}`)."""
    global _numbers
    _numbers = numbers


def for_notebook(markdown: str, numbers: dict[str, str]) -> str:
    """An exhibit's Markdown as HTML: its drawing or table, and its caption after its number."""
    label = LABEL.search(markdown)
    drawn = re.findall(r"^(`{3,})\{=html\}\n(.*?)\n\1$", markdown, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^(`{3,})\{=\w+\}\n.*?\n\1$", "", markdown, flags=re.MULTILINE | re.DOTALL)
    caption = re.sub(r"^:::.*$", "", rest, flags=re.MULTILINE).strip()
    caption = re.sub(r"\[@[^\]]+\]", lambda citation: numbers.get(citation[0], ""), caption)
    caption = re.sub(r"@((?:fig|tbl|sec)-[\w-]*\w)", lambda reference: numbers.get(reference[1], reference[1]), caption)
    name = label[0] if label else ""
    told = f"<strong>{numbers[name]}.</strong> " if name in numbers else ""
    told += re.sub(r"^<p>|</p>\s*$", "", mistune.html(caption)) if caption else ""
    body = "\n".join(code for _, code in drawn)
    return f'<figure id="{name}">\n{body}\n<figcaption>{told}</figcaption>\n</figure>' if told else body


class Exhibit(Words):
    """A block of Markdown that displays itself in a notebook cell."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        told = str(self)
        return {"text/markdown": told} if _numbers is None else {"text/html": for_notebook(told, _numbers)}


def figure(label: str, chart: alt.TopLevelMixin, caption: str) -> Exhibit:
    """A chart under `label` (`fig-...`, for references) with a caption in Markdown.

    Its description becomes the alternative text.
    """
    alternative, svg = one_line(chart.description), to_svg(chart)
    page = f'<div class="exhibit" style="overflow-x:auto">{for_page(svg, label, alternative)}</div>'
    return _block(f"#{label}", raw("html", page), raw("typst", for_print(svg, alternative)), one_line(caption))


def slide(label: str, chart: alt.TopLevelMixin) -> Exhibit:
    """A chart on a slide whose heading tells what it finds: the drawing, and in small print what it is made of.

    The small print is the chart's subtitle, as running text. `label` leads the ids within the drawing.
    """
    small_print = ""
    if chart.title is not alt.Undefined:
        small_print = ". ".join(line.rstrip(". ") for line in chart.title.subtitle) + "."
        chart = chart.copy(deep=False)
        chart.title = alt.Undefined
    page = for_page(to_svg(chart), label, one_line(chart.description))
    return _block(".drawn", raw("html", f'<div class="exhibit">{page}</div>'), small_print)


def table(label: str, gt: GT, caption: str | None = None) -> Exhibit:
    """A great-tables table under `label` (`tbl-...`, for references) with a caption in Markdown; on slides it has none.

    Quarto makes its Typst table from the HTML, so there is one form only.
    """
    body = raw("html", to_html(gt, label))
    return Exhibit(f"{body}\n") if caption is None else _block(f"#{label}", body, one_line(caption))


def widget(name: str, content: dict[str, Any]) -> Exhibit:
    """What `chapters/widgets.html` draws on a page, and nothing elsewhere: `content` is JSON, its words among it."""
    code = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    page = f'<div class="{name}" hidden><script type="application/json">{code}</script></div>'
    return Exhibit(raw("html", page) + "\n")


def to_html(gt: GT, label: str) -> str:
    """The table as HTML, in the look of the report instead of great-tables' own, which is white whatever the page."""
    name = f"{label}-body"
    code = gt.with_id(name).as_raw_html()
    css = TABLE_CSS.read_text("utf-8").replace("ID", name).strip()
    code = re.sub(r"<style>.*?</style>", lambda _: f"<style>\n{css}\n</style>", code, count=1, flags=re.DOTALL)
    code = re.sub(r'^(<div id="[^"]+") style="[^"]*"', r"\1", code.strip())
    code = re.sub(r"\n\s*\n", "\n", code)
    # Quarto escapes once more what it turns into a Typst table: `<` may stand bare before a digit or a space (it opens
    # no tag there), `&` before a space, `>` in any text
    code = re.sub(r"&lt;(?=[\d\s])", "<", code)
    return re.sub(r"&amp;(?=\s)", "&", code).replace("&gt;", ">").replace("&quot;", '"').replace("&#x27;", "'")


def to_svg(chart: alt.TopLevelMixin) -> str:
    """The chart as SVG, drawn without network."""
    # parts are checked as they are made; checking the whole again takes as long as drawing it
    spec, version = chart.to_dict(validate=False), alt.SCHEMA_VERSION.removeprefix("v").split(".")
    svg = vl_convert.vegalite_to_svg(spec, vl_version=".".join(version[:2]), allowed_base_urls=[])
    return svg.replace(f'font-family="{theme.MEASURED}"', f'font-family="{theme.FONTS}"')


def width(chart: alt.TopLevelMixin) -> float:
    """Pixels that a chart takes with all its labels."""
    return _size(ElementTree.fromstring(to_svg(chart)))[0]


def for_page(svg: str, label: str, alternative: str) -> str:
    """SVG for a web page: as wide as its place up to its own width, its ids its own, told by `alternative`.

    Ids are numbered anew and led by `label`: those of two figures on a page never meet, and bytes never change.
    """
    root = unspoken(svg, tips=True)
    width, _ = _size(root)
    del root.attrib["width"], root.attrib["height"]
    style = f"display:block;width:100%;height:auto;min-width:{SMALLEST * width:.0f}px;max-width:{width:.0f}px"
    root.attrib = {"role": "img", "aria-label": alternative, "style": style, **root.attrib}
    names = dict.fromkeys(element.get("id") for element in root.iter() if element.get("id"))
    ids = {name: f"{label}-{k}" for k, name in enumerate(names)}
    for element in root.iter():
        for name, value in element.attrib.items():
            if name == "id":
                element.set(name, ids[value])
            elif "#" in value:
                element.set(name, re.sub(r"#([\w-]+)", lambda use: "#" + ids.get(use[1], use[1]), value))
    return ElementTree.tostring(root, encoding="unicode")


def for_print(svg: str, alternative: str) -> str:
    """Typst code of the same SVG; there the ink is black, and never wider than drawn at 4/3 of a point per pixel."""
    root = unspoken(svg, tips=False)
    width, height = _size(root)
    printed = ElementTree.tostring(root, encoding="unicode").replace(theme.INK, "#222222")
    share = min(1.0, TALLEST * width / height)
    return f'#image(bytes({_typst(printed)}), format: "svg", width: {share:.0%}, alt: {_typst(alternative)})'


def unspoken(svg: str, *, tips: bool) -> ElementTree.Element:
    """SVG whose marks do not speak for themselves: one text tells the figure. With `tips`, what a mark would say is shown
    where a pointer rests on it."""
    root = ElementTree.fromstring(svg)
    for element in list(root.iter()):
        said = element.get("aria-label")
        for name in [name for name in element.attrib if name == "role" or name.startswith("aria-")]:
            del element.attrib[name]
        if tips and said and element.tag in (f"{SVG}path", f"{SVG}rect"):
            ElementTree.SubElement(element, f"{SVG}title").text = said
    return root


def _size(root: ElementTree.Element) -> tuple[float, float]:
    return float(root.get("width")), float(root.get("height"))


def _block(name: str, *parts: str) -> Exhibit:
    return Exhibit("\n\n".join([f"::: {{{name}}}", *filter(None, parts)]) + "\n\n:::\n")


def raw(kind: str, code: str) -> str:
    """Markdown that is `code` in one output (`html`, `typst`) and nothing in the others."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", code)), default=0))
    return f"{fence}{{={kind}}}\n{code}\n{fence}"


def _typst(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
