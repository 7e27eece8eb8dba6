"""Every cell and every computed sentence of every chapter holds for any cohort, in every language."""

import re
from dataclasses import replace

import altair as alt
import pytest
from altair.utils import schemapi
from bundles import FEW, NULL, Knobs, bundle

from lib.names import DEFAULTS, Attribute
from lib.render.book import LANGUAGE, language_of
from lib.render.thaw import CELL, chapters
from lib.report import exhibit, exhibits
from lib.report.words.language import languages
from lib.settings import ROOT

COHORTS = {
    "biased": Knobs(),
    "null": NULL,
    "rare groups": Knobs(rare=True, postprocessings=FEW),
    "bare": Knobs(seeds=1, patients=60, weightings=("uniform",), postprocessings=("fixed_0.5",)),
    "another attribute": Knobs(
        attributes=(*DEFAULTS.values(), Attribute("smoker", "smoker", ("yes", "no"), "no", True)),
        weightings=("uniform", "group_balanced_smoker"),
        postprocessings=FEW,
    ),
    "one attribute": Knobs(attributes=(DEFAULTS["sex"],), weightings=("uniform", "inverse_class_frequency")),
}
EDITIONS = [(name, code) for name in COHORTS for code in languages()]
INLINE = re.compile(r"`\{python\} ([^`]+)`")
FAULT = re.compile(
    r"(?<!^)(?<!\. )\bNone\b(?!\.\*\*)|\bnan\b|\{|\}|  | ,|\.\.(?!\.)|\(\)|\b1 (images|patients|networks|weightings)\b"
)
MATHS = re.compile(r"\$[^$]+\$")
CLAIMS = (
    "**No, not by",
    "We are sure that there is a gap",
    "of that we are sure",
    "**Non, pas selon",
    "**Non : ni selon",
    "nous en sommes sûrs",
    "Nous sommes sûrs qu’il y a un écart",
)
PREDICTIONS = sorted((ROOT / "lib" / "render" / "predictions").rglob("*.qmd"))
FIGURES = {key: kind for key, kind in exhibits.KINDS.items() if kind.of == "figure"}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"></svg>'


def draw_only(monkeypatch, *sizes: str) -> None:
    """Figures of these sizes are made; of the others there is a point."""
    for key, kind in FIGURES.items():
        draw = lambda m, draw=kind.draw: draw(m) if m.size in sizes else alt.Chart().mark_point()  # noqa: E731
        monkeypatch.setitem(exhibits.KINDS, key, replace(kind, draw=draw))


@pytest.fixture
def instead(monkeypatch):
    """Puts a simulated study in place of the published one; charts are made and not drawn, which takes most of the time.

    Each chart is made for every cohort, and held against the schema in one of them, where those of slides, smaller ones of
    the same, are made, too; in the second language, in which there is nothing in them but other words, for one cohort.
    """
    monkeypatch.setattr(exhibit, "to_svg", lambda chart: SVG)

    def put(name: str) -> None:
        simulated = bundle(COHORTS[name])
        monkeypatch.setattr(exhibits.results, "load", lambda cohort=None: simulated)

    return put


def sentences(text: str) -> list[str]:
    """Every computed sentence of a chapter; its cells run, too."""
    names: dict = {}
    for cell in CELL.findall(text):
        exec(cell, names)
    return [str(eval(expression, names)) for expression in INLINE.findall(text)]


@pytest.mark.parametrize(("name", "code"), EDITIONS)
def test_every_cell_and_sentence_holds_for_any_cohort(instead, monkeypatch, name, code):
    instead(name)
    first = (name, code) == ("biased", LANGUAGE)
    monkeypatch.setattr(schemapi, "DEBUG_MODE", first)
    if not first:
        draw_only(monkeypatch, *["page"] * (name == "biased" or code == LANGUAGE))
    claims = CLAIMS if name == "null" else ()
    for path in [own for own in chapters(ROOT) if language_of(own) == code]:
        for text in sentences((ROOT / path).read_text("utf-8")):
            assert text.strip(), f"{path}: Quarto shows the code of an empty sentence"
            assert not FAULT.search(MATHS.sub("x", text)), f"{path}: {text}"
            assert not [claim for claim in claims if claim in text], f"{path}: {text}"


@pytest.mark.parametrize("name", ["biased", "bare"])
def test_the_report_of_predictions_holds_for_any_cohort(instead, monkeypatch, name):
    instead(name)
    draw_only(monkeypatch)  # the charts of the chapters
    for path in PREDICTIONS:
        for text in sentences(path.read_text("utf-8")):
            assert text.strip() and not FAULT.search(text), f"{path}: {text}"


def test_what_is_asked_for_by_a_wrong_name_is_told_the_right_ones():
    with pytest.raises(KeyError, match="there is no exhibit 'unheard_of'; there are .*people"):
        exhibits.show(bundle(), "unheard_of")
    with pytest.raises(KeyError, match="there are no sentences 'unheard_of'; there are .*decision"):
        exhibits.say(bundle(), "unheard_of")
