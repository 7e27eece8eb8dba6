"""The draft stands in for Quarto: what a reader would miss first (numbers, references, citations) must be there."""

import json
import re
import zlib
from collections import Counter
from hashlib import md5
from pathlib import Path

import pytest
from browser import NO_CHROMIUM, chromium, open_page
from conftest import TINY, rewrite_settings

from lib.render.cells import DraftError, executed, run_chapters
from lib.render.draft import pandoc, render_draft
from lib.render.thaw import thaw

WHY = "Quarto was not found."

EXHIBITS = '''
class Exhibit:
    """A div as lib.report makes it: a figure of both forms, or a table of HTML only."""

    def __init__(self, label, body, caption):
        self.markdown = f"::: {{#{label}}}\\n{body}\\n\\n{caption}\\n:::"

    def _repr_markdown_(self):
        return self.markdown


def figure(label, caption):
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10" role="img" aria-label="A bar">'
        '<defs><clipPath id="clip0"><rect width="30" height="10"/></clipPath></defs>'
        '<rect clip-path="url(#clip0)" width="40" height="10" fill="#1a56a8"/></svg>'
    )
    typst = svg.replace('"', '\\\\"')
    html = f"```{{=html}}\\n{svg}\\n```"
    image = f'#image(bytes("{typst}"), format: "svg", alt: "A bar")'
    return Exhibit(label, f"{html}\\n\\n```{{=typst}}\\n{image}\\n```", caption)


def table(label, caption):
    html = (
        '<div id="grid"><style>#grid td { color: red; }</style><table class="gt_table"><thead>'
        '<tr class="gt_heading"><td colspan="2" id="title">Heading of the grid</td></tr>'
        '<tr><th class="gt_left">Group</th><th class="gt_right">Rate</th></tr></thead>'
        '<tbody><tr><td>AP</td><td class="gt_right" style="background-color: #ffeeee;">.31</td></tr></tbody>'
        "</table></div>"
    )
    return Exhibit(label, f"````{{=html}}\\n{html}\\n````", caption)
'''

FILES = {
    "exhibits.py": EXHIBITS,
    "_quarto.yml": """
book:
  title: "Is it fair?"
  author: ["Ada Lovelace"]
  output-file: fair
  chapters: [index.qmd, chapters/data.qmd, chapters/result.qmd]
  appendices: [chapters/methods.qmd]
bibliography: references.bib
""",
    "references.bib": "@article{kamiran, author={Kamiran, F.}, title={Preprocessing}, journal={KAIS}, year={2012}}",
    "index.qmd": """# Model facts {.unnumbered}

::: {.answer}
Found in @sec-result, @fig-second and @tbl-rates.
:::

{{< video film.mp4 >}}
""",
    "chapters/data.qmd": """---
execute: {warning: false}
---

# Data

```{python}
#| echo: false
from exhibits import figure, table
from IPython.display import Markdown
images = 1332
```

We read `{python} f"{images:,}"` images called `{python} "a_b*c*"`, `{python} Markdown("**boldly**")`.[^note]
Weights follow @kamiran and others [@kamiran, p. 3]; see [the rates](result.html#sec-deep) and -@fig-first.

[^note]: Footnote of the data.

```{python}
figure("fig-first", "First, *before* @tbl-rates.")
```

::: {.content-visible when-format="html"}
Only on the page.
:::

$w = 1 / n$
""",
    "chapters/result.qmd": """# Result {#sec-result}

```{python}
from exhibits import figure, table
figure("fig-second", "Second.")
```

## Rates {#sec-deep}

With @fig-none and @sec-methods.[^note]

[^note]: Footnote of the result.

```{python}
table("tbl-rates", "Rates, unlike @fig-second.")
```

| a | b |
|---|---|
| 1 | 2 |

: Piped {#tbl-piped}

As @tbl-piped says.
""",
    "chapters/methods.qmd": "# Methods {#sec-methods}\n\nSee @sec-deep.\n",
    "chapters/slides/defense.qmd": """---
title: "Defense"
format: revealjs
---

## Question

See [rates](../result.html#sec-deep).

::: {.notes}
Breathe.
:::

## Figure {.backup visibility="uncounted"}

```{python}
from exhibits import figure
figure("fig-slide", "On a slide.")
```
""",
}
PAGES = ("index.html", "chapters/data.html", "chapters/result.html", "chapters/methods.html")


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The draft of the small book above."""
    project = write(tmp_path_factory.mktemp("book"), FILES)
    made = render_draft(project, project / "_draft", why=WHY)
    names = [path.relative_to(project / "_draft").as_posix() for path in made]
    assert names == ["index.html", "fair.pdf", "chapters/slides/defense.html"]
    return project / "_draft"


def words(html: str) -> str:
    """The text of a page, without its tags, on one line."""
    html = re.sub(r"<(style|script|nav)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"</?(a|span|em|strong|code|sup)\b[^>]*>", "", html)).split())


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("index", "Found in Chapter 2, Figure 2.1 and Table 2.1."),  # ahead, across chapters
        ("index", "Is it fair?"),
        ("index", "Ada Lovelace"),
        ("chapters/data", "1 Data"),
        ("chapters/data", "We read 1,332 images called a_b*c*, boldly."),
        ("chapters/data", "Weights follow Kamiran (2012) and others (Kamiran 2012, 3); see the rates and 1.1."),
        ("chapters/data", "Figure 1.1. First, before Table 2.1."),
        ("chapters/data", "Only on the page."),
        ("chapters/data", "Footnote of the data."),
        ("chapters/result", "2.1 Rates"),
        ("chapters/result", "With fig-none and Appendix A."),
        ("chapters/result", "Table 2.2. Piped"),
        ("chapters/result", "Footnote of the result."),
        ("chapters/methods", "A Methods See Section 2.1."),
    ],
)
def test_pages_read_as_those_of_the_book(draft, page, text):
    assert text in words((draft / f"{page}.html").read_text("utf-8"))


def test_every_link_leads_somewhere(draft):
    texts = {page: (draft / page).read_text("utf-8") for page in (*PAGES, "chapters/slides/defense.html")}
    ids = {page: re.findall(r'\sid="([^"]+)"', text) for page, text in texts.items()}
    for page, text in texts.items():
        assert max(Counter(ids[page]).values(), default=1) == 1
        for target, _, place in (link.partition("#") for link in re.findall(r'<a[^>]* href="([^"]+)"', text)):
            to = (draft / page).parent.joinpath(target).resolve().relative_to(draft).as_posix() if target else page
            assert to in texts and (not place or place in ids[to]), f"{page}: {target}#{place}"


def test_pages_and_slides_need_no_network_and_say_that_they_are_a_draft(draft):
    for page in (*PAGES, "chapters/slides/defense.html"):
        html = (draft / page).read_text("utf-8")
        assert not re.search(r"<(script|img|link|iframe)[^>]*(src|href)=\"(?!data:)|@import|url\(['\"]?http", html)
        assert "This is a draft" in words(html) and "pip install quarto-cli" in words(html)


def test_the_pdf_is_accessible_and_has_its_pages(draft):
    pdf = (draft / "fair.pdf").read_bytes()
    everything = pdf
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            everything += zlib.decompress(stream)
        except zlib.error:
            continue  # not a compressed stream
    # title and contents, then facts, two chapters, appendix and references, which follow each other
    assert len(re.findall(rb"/Type\s*/Page\b", everything)) == 3
    assert b"pdfuaid" in everything


def test_the_deck_keeps_its_notes_for_the_speaker(draft):
    deck = (draft / "chapters/slides/defense.html").read_text("utf-8")
    assert deck.count("<section ") == 3 and 'data-visibility="uncounted"' in deck
    assert 'href="../result.html#sec-deep"' in deck
    assert re.search(r'<aside class="notes">\s*<p>Breathe', deck)


def test_code_is_not_shown(draft):
    assert "import" not in words((draft / "chapters/data.html").read_text("utf-8"))


def test_a_path_with_accents_is_found_in_a_locale_of_bytes(tmp_path, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    (tmp_path / "été à la plage.lua").write_text("", "utf-8")
    assert pandoc("a", "--to=plain", f"--lua-filter={tmp_path / 'été à la plage.lua'}") == "a\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "---\ntitle: x\n---\n\n```{python}\nx = 1\n```\n\n```{python}\n#| label: fig-a\nx / 0\n```\n",
            "line 10: ZeroDivisionError",
        ),
        ("Text `{python} missing.name`.", r"inline expression `missing\.name`: NameError: .*missing"),
    ],
)
def test_a_failing_cell_is_named(tmp_path, text, message):
    (tmp_path / "x.qmd").write_text(text, "utf-8")
    with pytest.raises(DraftError, match=rf"^x\.qmd, {message}"):
        run_chapters(tmp_path, ["x.qmd"])


def test_cells_that_quarto_froze_are_not_run_again_unless_their_chapter_changed(tmp_path):
    rewrite_settings(tmp_path, **TINY)
    text = "# One\n\n```{python}\nprint(6 * 7)\n```\n"
    write(tmp_path, {"index.qmd": text, "data/tiny/results/study.json": "{}"})
    thaw(tmp_path)
    result = {"hash": md5(text.encode()).hexdigest(), "result": {"markdown": "# One\n\nforty-two, frozen\n"}}
    write(tmp_path, {"_freeze/index/execute-results/html.json": json.dumps(result)})
    assert "forty-two" in executed(tmp_path, ["index.qmd"])["index.qmd"]
    write(tmp_path, {"data/tiny/results/study.json": '{"other": 1}'})
    assert "42" in executed(tmp_path, ["index.qmd"])["index.qmd"]


@pytest.mark.skipif(chromium() is None, reason=NO_CHROMIUM)
def test_the_deck_obeys_its_keys_and_opens_a_window_for_the_speaker(draft, browser):
    page, errors = open_page(browser, draft / "chapters/slides/defense.html", width=1280, height=720)
    shown = page.locator(".slides > section.shown h1, .slides > section.shown h2")
    assert shown.inner_text() == "Is it fair?"
    page.keyboard.press("ArrowRight")
    assert shown.inner_text() == "Question" and not page.locator(".notes").first.is_visible()
    with page.context.expect_page() as opened:
        page.keyboard.press("s")
    assert (
        opened.value.locator("#notes").inner_text() == "Breathe."
        and opened.value.locator("#then").inner_text() == "Figure"
    )
    page.keyboard.press("End")
    assert page.evaluate("location.hash") == "#/2" and page.locator("#number").inner_text() == "3 / 3"
    assert errors == []
    page.context.close()
