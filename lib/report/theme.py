"""One look for every figure: sizes, type, and the colour and shape that a group or a verdict keeps everywhere.

Text and axes are drawn in `currentColor`, so that a figure follows the page from light to dark. Importing this module
registers and enables the Altair theme `report`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import altair as alt

from lib.names import NOT_TOLD, OVERALL, Attribute

Size = Literal["page", "slide"]
INK = "currentColor"
GROUND = "transparent"
FAINT = 0.62
"""Opacity of secondary text: legible on white and on black, where a fixed grey would not be on both."""
GREY = "#7a7a7a"
PALE = "#909090"
MEASURED = "Liberation Sans"
"""Figures are laid out with this font, which the renderer carries with it, so that they are the same everywhere."""
# Shown with the first of these that is there: none is wider. Quoted, since a bare name cannot end in a digit, and a
# list that cannot be read leaves some renderers without any text.
FONTS = "'Source Sans 3', 'Source Sans Pro', 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"


CHART = Path(__file__).with_name("chart.json")
"""The look of every chart, as Vega-Lite has it. Marks do not read themselves (`aria`): a figure has one text for screen readers."""


@dataclass(frozen=True)
class Look:
    """Colour and shape of a mark; `hollow` marks are outlined only. The shape tells what the colour tells, in grey."""

    colour: str
    shape: str
    hollow: bool = False


# every colour of a mark stands out three to one from the light and the dark page of `_brand.yml` (WCAG 2.2, 1.4.11)
GROUPS: dict[tuple[str, str], Look] = {
    (OVERALL, "all"): Look(GREY, "diamond"),
    ("sex", "F"): Look("#9c4fa8", "circle"),
    ("sex", "M"): Look("#b08c10", "square"),
    # one hue from light to dark: ages are ordered
    ("age_group", "<40"): Look("#4ba394", "circle"),
    ("age_group", "40-60"): Look("#308679", "square"),
    ("age_group", ">60"): Look("#1e7068", "triangle-up"),
    ("view", "AP"): Look("#db7522", "circle"),
    ("view", "PA"): Look("#2f74b5", "square"),
}
VERDICTS: dict[str, Look] = {
    "helps": Look("#5a69dd", "diamond"),
    "helps perhaps": Look("#5a69dd", "diamond", hollow=True),
    "harms": Look("#bb3f57", "square"),
    "harms perhaps": Look("#bb3f57", "square", hollow=True),
    "differs": Look("#6d6d6d", "triangle-up"),
    NOT_TOLD: Look(GREY, "circle", hollow=True),
}
"""What a method does, and how surely: hollow marks are only suggested, or not told."""
LABELS: dict[int, Look] = {1: Look("#5d7690", "circle"), 0: Look("#5d7690", "circle", hollow=True)}
"""The two labels where no group is told apart: the healthy are hollow, in every colour."""
CELLS: tuple[tuple[str, str], ...] = tuple(
    (fill, "#1c1c1c" if k < 4 else "#ffffff")
    for k, fill in enumerate(("#eef0f4", "#d9dde8", "#bfc7da", "#a3adc9", "#66749f", "#56648f", "#3f4c75", "#2b3659"))
)
"""Shades of a table of shades, from better to worse, each with the ink to write on it."""
SPARE = (
    Look("#5f7a94", "circle"),
    Look("#8a6f4e", "square"),
    Look("#577a4f", "triangle-up"),
    Look("#7d6a99", "diamond"),
)


def group_look(attribute: Attribute | str, group: str | None) -> Look:
    """The look of a group, the same in every chapter, or of everyone (`all`); groups not foreseen share four spare ones by their name."""
    place = (OVERALL, "all") if group in (None, "all") else (getattr(attribute, "name", attribute), group)
    return GROUPS.get(place) or SPARE[sum(map(ord, "".join(place))) % len(SPARE)]


@dataclass(frozen=True)
class Measure:
    """Sizes in pixels: whole `width`, least height of a `row`, type of `title`, `text` and `small`, area of a `dot`.

    Few rows grow, up to `tallest` each, as long as all of them stay within `panel`. Row labels of more than `wrap` characters
    take several lines (0: never).
    """

    width: int
    row: int
    title: int
    text: int
    small: int
    dot: int
    tallest: int
    panel: int = 0
    wrap: int = 0

    def height(self, rows: int) -> float:
        """Pixels that so many rows take."""
        return rows * max(self.row, min(self.tallest, self.panel / max(1, rows)))

    def characters(self, pixels: float, size: int) -> int:
        """How many characters of running text fit in so many pixels."""
        return max(8, int(pixels / (0.5 * size)))


MEASURES: dict[Size, Measure] = {
    "page": Measure(width=700, row=22, title=17, text=14, small=13, dot=75, tallest=22),
    "slide": Measure(width=1130, row=35, title=30, text=24, small=23, dot=220, tallest=90, panel=430, wrap=27),
}


def config(size: Size = "page") -> dict[str, Any]:
    """The Vega-Lite configuration of the report: `chart.json`, and the sizes of the page or of a slide."""
    m, look = MEASURES[size], json.loads(CHART.read_text("utf-8")) | {"font": MEASURED}
    heights = {"lineHeight": round(m.title * 1.25), "subtitleLineHeight": round(m.small * 1.3)}
    look["title"] |= {"fontSize": m.title, "subtitleFontSize": m.small} | heights
    look["axis"] |= {"labelFontSize": m.small, "titleFontSize": m.small}
    look["text"]["fontSize"], look["point"]["size"] = m.small, m.dot
    return look


@alt.theme.register("report", enable=True)
def report_theme() -> alt.theme.ThemeConfig:
    """The theme that every chart of the project starts from."""
    return {"config": config()}
