"""The pages in a browser: opened from disk without network, at three widths and in both themes; what they offer works."""

import csv
import json
import re
from itertools import product
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from browser import COLOURS, NEEDED, WORDS, open_page, serious, settled
from bs4 import BeautifulSoup

pytestmark = NEEDED
# what reaches beyond the page although nothing around it scrolls
WIDER = """() => {
  const edge = document.documentElement.clientWidth + 1, out = [];
  const held = element => {
    for (let a = element.parentElement; a && a !== document.body; a = a.parentElement)
      if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(a).overflowX) && a.getBoundingClientRect().right <= edge) return true;
    return false;
  };
  for (const element of document.querySelectorAll("body *")) {
    const box = element.getBoundingClientRect();
    if (box.width && box.height && box.right > edge && element.checkVisibility({visibilityProperty: true}) && !held(element))
      out.push(`${element.tagName} ${element.id || element.className} reaches to ${Math.round(box.right)}`);
  }
  return document.documentElement.scrollWidth > edge ? [`the page scrolls to ${document.documentElement.scrollWidth}`, ...out] : out;
}"""


DARK = "document.body.classList.contains('quarto-dark')"


@pytest.fixture(scope="module")
def pages(rendered) -> list[Path]:
    found = [p for p in sorted(rendered.rglob("*.html")) if not {"site_libs", "slides"} & set(p.parts)]
    assert len(found) >= 10
    return found


@pytest.fixture(scope="module")
def seen(pages, rendered, browser) -> dict[str, list[str]]:
    """What is wrong, by kind, of every page: opened once, looked at in both themes and at three widths.

    The French pages are the same elements with other words: what depends on colours or on paper is looked at in English.
    """
    wrong = {kind: [] for kind in ("errors", "light", "dark", "desk", "phone", "paper")}
    for path in pages:
        page, errors = open_page(browser, path, width=1280, height=900)

        def note(kind: str, found: list[str], name: str = str(path.relative_to(rendered))) -> None:
            wrong[kind] += [f"{name}: {what}" for what in found]

        settled(page)
        assert not page.evaluate(DARK)
        english = "fr" not in path.parts
        note("light", serious(page, only=None if english else WORDS))
        note("desk", page.evaluate(WIDER))
        if english:
            page.evaluate("window.quartoToggleColorScheme()")
            page.wait_for_function(DARK)
            settled(page)
            note("dark", serious(page, only=COLOURS))
        page.set_viewport_size({"width": 360, "height": 900})
        settled(page)
        note("phone", page.evaluate(WIDER))
        if english:
            page.emulate_media(media="print")
            page.set_viewport_size({"width": 794, "height": 900})
            settled(page)
            note("paper", page.evaluate(WIDER))
        note("errors", errors)
        page.context.close()
    return wrong


def test_every_page_works_from_disk_without_an_error(seen):
    assert not seen["errors"], "\n".join(seen["errors"])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everyone_can_read_every_page(seen, theme):
    assert not seen[theme], "\n".join(seen[theme])


@pytest.mark.parametrize("width", ["phone", "desk", "paper"])
def test_nothing_is_wider_than_the_page(seen, width):
    assert not seen[width], "\n".join(seen[width])


def test_every_link_leads_somewhere(pages, rendered):
    soups = {path: BeautifulSoup(path.read_text("utf-8"), "html.parser") for path in rendered.rglob("*.html")}
    ids = {path: {tag["id"] for tag in soup.find_all(id=True)} for path, soup in soups.items()}
    broken, followed = [], 0
    for path in pages:
        for tag, name in product(soups[path].find_all(True), ("href", "src")):
            target = tag.get(name)
            if not target or re.match(r"[a-z]+:", target) or tag.name in ("image", "use"):
                continue
            file, fragment = urldefrag(unquote(target))
            place = (path.parent / file).resolve() if file else path
            followed += 1
            if not place.exists() or (fragment and place in ids and fragment not in ids[place]):
                broken.append(f"{path.name}: {target}")
        text = soups[path].get_text()
        broken += [f"{path.name}: unresolved {found}" for found in re.findall(r"\?@[\w-]+|\?\?[\w-]*", text)]
    assert not broken, "\n".join(broken)
    assert followed > 300


def test_every_page_says_its_language_and_leads_to_its_twin(pages, rendered):
    for path in pages:
        soup = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        own, other = ("fr", "en") if "fr" in path.parts else ("en", "fr")
        assert soup.html["lang"] == own, path
        assert [link["hreflang"] for link in soup.select(".twins a")] == [other], path


def test_every_figure_has_a_text_of_its_own(pages):
    told = []
    for path in pages:
        for drawing in BeautifulSoup(path.read_text("utf-8"), "html.parser").select("main svg[role=img]"):
            told.append(drawing.get("aria-label", ""))
    assert len(told) >= 20
    assert all(len(text) > 60 for text in told)
    assert len(set(told)) == len(told)


def test_tables_are_sorted_copied_and_downloaded(rendered, browser):
    page, _ = open_page(browser, rendered / "chapters" / "more.html", width=1280, height=900)
    table = page.locator("#tbl-checks table")
    before = table.locator("tbody tr td:first-child, tbody tr th:first-child").all_inner_texts()
    table.get_by_role("button", name="found").click()
    counts = [int(n.replace(",", "")) for n in table.locator("tbody tr td:nth-child(2)").all_inner_texts()]
    assert counts == sorted(counts) and len(counts) == len(before)
    assert table.locator("th[aria-sort=ascending]").count() == 1
    with page.expect_download() as download:
        page.locator("#tbl-checks").get_by_role("button", name="CSV").click()
    rows = list(csv.reader(Path(download.value.path()).read_text("utf-8").splitlines()))
    assert download.value.suggested_filename == "tbl-checks.csv"
    assert [row[0] for row in rows[1:]] == before, "as the report has it, not as it was sorted"
    with page.expect_download() as download:
        page.locator("#fig-ages").get_by_role("button", name="SVG").click()
    drawing = Path(download.value.path()).read_text("utf-8")
    assert drawing.startswith("<svg") and 'xmlns="http://www.w3.org/2000/svg"' in drawing
    page.evaluate("navigator.clipboard.writeText = text => { window.taken = text; return Promise.resolve(); }")
    page.locator("#tbl-checks").get_by_role("button", name="Markdown").click()
    taken = page.evaluate("window.taken").strip().splitlines()
    assert set(taken[1]) <= set("|- ") and len({line.count("|") for line in taken}) == 1
    page.context.close()


def test_the_glossary_tells_a_word_where_it_is_first_used(rendered, browser):
    page, _ = open_page(browser, rendered / "chapters" / "introduction.html", width=1280, height=900)
    term = page.locator(".term").first
    term.focus()
    told = page.locator(".tippy-content").first
    told.wait_for()
    assert told.inner_text() == term.get_attribute("data-meaning")
    words = page.locator(".term").all_inner_texts()
    assert len(words) == len({word.lower() for word in words}) >= 8
    page.context.close()


def test_the_search_works_from_disk(rendered, browser):
    page, errors = open_page(browser, rendered / "index.html", width=1280, height=900)
    page.on("dialog", lambda dialog: (errors.append(f"a warning: {dialog.message}"), dialog.dismiss()))
    page.locator("#quarto-search input").click()
    page.keyboard.type("placebo")
    page.locator(".aa-Item").first.wait_for()
    assert "placebo" in page.locator(".aa-Panel").inner_text().lower()
    assert errors == []
    page.context.close()


def test_no_page_needs_anything_from_elsewhere(rendered):
    for path in [*rendered.rglob("*.html"), *rendered.rglob("*.css")]:
        text = path.read_text("utf-8")
        loaded = re.findall(
            r'(?:<(?:script|img|iframe|link)[^>]*?(?:src|href)=|@import |url\()["\']?(https?:[^"\')\s>]+)', text
        )
        assert not [url for url in loaded if "w3.org" not in url], path.name
    index = json.loads((rendered / "search.json").read_text("utf-8"))
    assert (rendered / "search.js").read_text("utf-8").startswith("window.searchIndex = [") and index


NAMES = {
    "lite", "wang", "yang", "intel", "processor", "torch", "lightning", "learn", "romano",
    "wolf", "collins", "cruz", "williamson", "field", "welsh", "zech", "model", "true",
}  # fmt: skip
"""Names on French pages, of people, of programs and of a precision, that are English words, too."""


def test_no_english_word_is_left_on_french_pages(pages):
    """Whatever Quarto, figures and tables add: the sources have a test of their own."""
    checker = pytest.importorskip("spellchecker", reason="pyspellchecker is not installed")
    french, english = checker.SpellChecker(language="fr"), checker.SpellChecker(language="en")
    own, left = set((Path(__file__).with_name("french_words.txt")).read_text("utf-8").split()) | NAMES, {}
    for path in [path for path in pages if "fr" in path.parts]:
        main = BeautifulSoup(path.read_text("utf-8"), "html.parser").main
        for tag in main.select("script, style, code, pre, template, #refs, .twins"):
            tag.decompose()
        words = {word for word in re.findall(r"[^\W\d_]+", main.get_text(" ").lower()) if len(word) > 2}
        if strange := english.known(french.unknown(words)) - own:
            left[path.name] = strange
    assert not left
