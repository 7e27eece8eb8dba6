"""The deck in a browser: nothing overflows at two sizes, it works from disk without network, and everyone can read it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from browser import NEEDED, WORDS, open_page, serious
from conftest import ROOT
from pypdfium2 import PdfDocument

from lib.render import deck_pdf
from lib.render.book import DECK, output_of, twin_of
from lib.settings import languages

pytestmark = NEEDED
SIZES = [(1280, 720), (1920, 1080)]
SMALLEST = 720 / 50
"""Pixels of a slide's 720 that the smallest type takes at least: a fiftieth of the screen's height."""

# what a slide shows, in the slide's own pixels: 1280 x 720 from the upper left corner, whatever the window
MEASURE = """() => {
  const slide = Reveal.getCurrentSlide(), scale = Reveal.getScale();
  const box = document.querySelector(".reveal .slides").getBoundingClientRect();
  const rect = r => ({left: (r.left - box.left) / scale, top: (r.top - box.top) / scale,
                      right: (r.right - box.left) / scale, bottom: (r.bottom - box.top) / scale});
  const shown = e => !e.closest("aside.notes, style, defs") && e.checkVisibility({visibilityProperty: true});
  const elements = [...slide.querySelectorAll("*")].filter(shown);
  const name = e => `${e.tagName.toLowerCase()} ${(e.textContent || "").trim().slice(0, 40)}`;
  const texts = [], walker = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!node.data.trim() || !shown(node.parentElement)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const size = parseFloat(getComputedStyle(node.parentElement).fontSize);
    const svg = node.parentElement.ownerSVGElement;
    for (const r of range.getClientRects())
      texts.push({text: node.data.trim(), clock: !!node.parentElement.closest(".clock"), ...rect(r),
                  size: svg ? size * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width / scale : size});
  }
  const number = document.querySelector(".reveal .slide-number");
  return {
    boxes: elements.map(e => ({name: name(e), ...rect(e.getBoundingClientRect())})),
    clipped: elements.filter(e => !e.closest("svg") && (getComputedStyle(e).overflowX != "visible")
      && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)).map(name),
    texts: texts,
    number: number && rect(number.getBoundingClientRect()),
    lines: elements.filter(e => /^H[1-6]$/.test(e.tagName)).map(e => ({
      name: name(e), lines: Math.round(e.getBoundingClientRect().height / scale / parseFloat(getComputedStyle(e).lineHeight))})),
  };
}"""


@pytest.fixture(scope="module", params=languages(ROOT))
def deck(rendered, request) -> Path:
    return rendered.parent / output_of(request.param) / Path(twin_of(DECK, request.param)).with_suffix(".html")


def slides(page, every: int = 1):
    """Go through the deck, stopping at every so many slides and at every step within them; yields a name for each stop."""
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    page.evaluate("document.fonts.ready")
    page.evaluate("Reveal.configure({transition: 'none', backgroundTransition: 'none'})")
    steps = page.evaluate("Reveal.getHorizontalSlides().map(s => s.querySelectorAll('.fragment').length)")
    for slide, fragments in list(enumerate(steps))[::every]:
        for step in range(-1, fragments):
            page.evaluate(f"Reveal.slide({slide}, 0, {step})")
            page.wait_for_function(f"Reveal.getIndices().h == {slide}")
            yield f"slide {slide + 1}" + (f", step {step + 1}" if step >= 0 else "")


def apart(one: dict, two: dict) -> bool:
    return (
        one["right"] <= two["left"]
        or two["right"] <= one["left"]
        or one["bottom"] <= two["top"]
        or two["bottom"] <= one["top"]
    )


def test_nothing_overflows_and_nothing_is_too_small(deck, browser):
    """At two sizes: of the second, which shows the same larger, every third slide is enough."""
    seen = [_measured(deck, browser, *size, every) for size, every in zip(SIZES, (1, 3), strict=True)]
    assert seen[0] >= 21 and seen[1] >= 7


def _measured(deck, browser, width, height, every):
    page, errors = open_page(browser, deck, width=width, height=height)
    wrong, seen = [], 0
    for where in slides(page, every):
        found, seen = page.evaluate(MEASURE), seen + 1
        assert found["texts"] and found["lines"], f"{where} shows nothing"
        for box in found["boxes"]:
            if min(box["left"], box["top"]) < -1 or box["right"] > 1281 or box["bottom"] > 721:
                wrong.append(f"{where}: {box} reaches outside")
        wrong += [f"{where}: {name} is cut" for name in found["clipped"]]
        wrong += [f"{where}: {own['name']} has {own['lines']} lines" for own in found["lines"] if own["lines"] > 2]
        small = [text for text in found["texts"] if not text["clock"]]
        wrong += [f"{where}: {text['text']} is too small" for text in small if text["size"] < SMALLEST]
        corners = [found["number"], *(text for text in found["texts"] if text["clock"])]
        wrong += [
            f"{where}: {text['text']} lies on the clock or the number"
            for text in small
            for corner in corners
            if not apart(text, corner)
        ]
    page.context.close()
    assert not wrong, "\n".join(wrong)
    assert errors == []
    return seen


def test_everyone_can_read_every_slide(deck, browser):
    page, errors = open_page(browser, deck, width=1280, height=720)
    found, only = serious(page), None if "fr" not in deck.parts else WORDS  # colours are those of the English deck
    for where in slides(page):
        found += [f"{where}: {violation}" for violation in serious(page, only=only, within="section.present")]
    charts = page.locator(".reveal .slides svg[role=img]")
    told = [chart.get_attribute("aria-label") for chart in charts.all()]
    page.context.close()
    assert not found, "\n".join(found)
    assert errors == [], "the deck needs nothing but its own files"
    assert len(told) >= 8 and all(label and len(label) > 40 for label in told)


def test_every_slide_has_notes_but_the_first(deck, browser):
    page, _ = open_page(browser, deck, width=1280, height=720)
    notes = page.evaluate(
        "Reveal.getHorizontalSlides().map(s => (s.querySelector('aside.notes')?.textContent ?? '').trim())"
    )
    page.context.close()
    assert all(len(text.split()) >= 15 for text in notes[1:]), notes
    assert not any("?@" in text for text in notes), "a reference leads nowhere"


def test_the_printed_deck_has_a_page_for_each_slide(deck, browser):
    page, _ = open_page(browser, deck, width=1280, height=720)
    slides = page.evaluate("Reveal.getHorizontalSlides().length")
    page.context.close()
    with ThreadPoolExecutor() as aside:  # a browser of its own, beside that of the tests
        printed = aside.submit(deck_pdf.print_deck, deck).result()
    assert printed == deck.with_suffix(".pdf")
    assert len(PdfDocument(printed)) == slides
