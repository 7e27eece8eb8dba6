"""The draft stands in for Quarto: what a reader would miss first (numbers, references, citations) must be there."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("pypandoc")
pytest.importorskip("typst")

from lib.render.draft import render_draft
from lib.render.draft_cells import DraftError, run_chapter

WHY = "Quarto 1.10 was not found in C:\\*tools*."

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
  author: ["Ada Lovelace", {name: "Grace Hopper"}]
  chapters: [index.qmd, chapters/data.qmd, {part: Findings, chapters: [chapters/result.qmd]}]
  appendices: [chapters/methods.qmd]
bibliography: references.bib
""",
    "_quarto-slides.yml": "project: {type: default, render: [chapters/slides/defense.qmd]}",
    "references.bib": "@article{kamiran, author={Kamiran, F.}, title={Preprocessing}, journal={KAIS}, year={2012}}",
    "index.qmd": """# Model facts {.unnumbered}

::: {.answer}
Found in @sec-result, @fig-second and @tbl-rates.
:::

{{< video film.mp4 >}}
""",
    "chapters/data.qmd": """---
title: "Data"
execute: {warning: false}
---

```{python}
from exhibits import figure, table
from IPython.display import Markdown
images = 1332
```

We read `{python} f"{images:,}"` images called `{python} "a_b*c*"`, `{python} Markdown("**boldly**")`.[^note]
Weights follow @kamiran and others [@kamiran, p. 3]; see [the rates](result.qmd#sec-deep) and [-@fig-first].

[^note]: Footnote of the data.

```{python}
figure("fig-first", "First, *before* @tbl-rates.")
```

::: {.callout-warning}
## Careful
Beside [@fig-first; @fig-second].
:::

::: {.content-visible when-format="html"}
Only on the page.
:::

$$ w = \\frac{1}{n} $$ {#eq-weight}
""",
    "chapters/result.qmd": """# Result {#sec-result}

```{python}
from exhibits import figure, table
figure("fig-second", "Second.")
```

## Rates {#sec-deep}

With @eq-weight and @sec-methods.[^note]

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

## Figure

```{python}
from exhibits import figure
figure("fig-slide", "On a slide.")
```
""",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes, str]:
    """The page, the PDF and the slides of the small book above."""
    project = write(tmp_path_factory.mktemp("book"), FILES)
    page, pdf, slides = render_draft(project, project / "_draft", why=WHY, progress=lambda files, **_: files)
    assert slides is not None
    return page.read_text(encoding="utf-8"), pdf.read_bytes(), slides.read_text(encoding="utf-8")


def words(html: str) -> str:
    """The text of a page, without its tags, on one line."""
    html = re.sub(r"</?(a|span|em|strong|code)\b[^>]*>", "", html)
    return " ".join(re.sub(r"<style.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL).split())


@pytest.mark.parametrize(
    "text",
    [
        "Found in Chapter 2, Figure 2.1 and Table 2.1.",  # ahead, across chapters
        "We read 1,332 images called a_b*c*, boldly.",
        "Weights follow Kamiran (2012) and others (Kamiran 2012, 3); see the rates and 1.1.",
        "Figure 1.1 First, before Table 2.1.",
        "Careful Beside Figure 1.1, Figure 2.1.",
        "With Equation 1.1 and Appendix A.",
        "Table 2.2 Piped",
        "See Section 2.1.",
        "Footnote of the data.",
        "Footnote of the result.",
        "Only on the page.",
        "Ada Lovelace, Grace Hopper",
    ],
)
def test_page_reads(draft: tuple[str, bytes, str], text: str) -> None:
    assert text in words(draft[0])


def test_every_link_of_the_page_has_a_target(draft: tuple[str, bytes, str]) -> None:
    ids = Counter(re.findall(r'\sid="([^"]+)"', draft[0]))
    assert set(re.findall(r'href="#([^"]+)"', draft[0])) <= ids.keys()
    assert max(ids.values()) == 1
    assert not re.search(r"@(fig|tbl|sec|eq)-|\?\?|fig-none", words(draft[0]))


def test_ids_inside_figures_are_their_own(draft: tuple[str, bytes, str]) -> None:
    for figure in ("fig-first", "fig-second"):
        assert f'<clipPath id="{figure}-clip0">' in draft[0]
        assert f"url(#{figure}-clip0)" in draft[0]


def test_page_and_slides_need_no_network(draft: tuple[str, bytes, str]) -> None:
    for html in (draft[0], draft[2]):
        assert not re.search(r"<(script|img|link|iframe)[^>]*(src|href)=\"(?!data:)", html)
        assert not re.search(r"@import|url\(['\"]?http", html)


def test_banner_says_why_what_and_how(draft: tuple[str, bytes, str]) -> None:
    for html in (draft[0], draft[2]):
        banner = words(re.search(r'<div class="banner" role="note".*?</div>', html, re.DOTALL)[0])
        assert banner.startswith("Draft: rendered without Quarto.")
        assert WHY in banner
        assert "pip install quarto-cli" in banner and "make report" in banner
    assert "index.qmd: the shortcode video is Quarto" in words(draft[0])


def test_pdf_is_accessible_and_has_its_pages(draft: tuple[str, bytes, str]) -> None:
    pdf = draft[1]
    assert pdf.startswith(b"%PDF-")
    everything = pdf
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            everything += zlib.decompress(stream)
        except zlib.error:
            continue  # not a compressed stream
    assert len(re.findall(rb"/Type\s*/Page\b", everything)) == 6  # cover, facts, two chapters, appendix, references
    assert b"pdfuaid" in everything


def test_slides_hide_the_notes_and_link_to_the_page(draft: tuple[str, bytes, str]) -> None:
    assert draft[2].count('class="slide') == 3
    assert 'href="index.html#sec-deep"' in draft[2]
    assert "Breathe" not in draft[2]


def test_code_is_not_shown(draft: tuple[str, bytes, str]) -> None:
    assert "import" not in words(draft[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "---\ntitle: x\n---\n\n```{python}\nx = 1\n```\n\n```{python}\n#| label: fig-a\nx / 0\n```\n",
            r"^x\.qmd, cell 2 \(fig-a\), line 10: ZeroDivisionError: division by zero$",
        ),
        ("Text `{python} missing.name`.", r"^x\.qmd, inline expression `missing\.name`: NameError: .*missing"),
    ],
)
def test_failing_cell_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DraftError, match=message):
        run_chapter(text, name="x.qmd", project=tmp_path)


def test_reference_to_nothing_is_told_not_fatal(tmp_path: Path) -> None:
    config = "book: {title: T, author: A, chapters: [index.qmd]}"
    write(tmp_path, {"_quarto.yml": config, "index.qmd": "# One\n\nSee @fig-none and [there](#nowhere).\n"})
    page, pdf, slides = render_draft(tmp_path, tmp_path / "out", why=WHY, progress=lambda files, **_: files)
    assert "[fig-none: not in this report]" in words(page.read_text(encoding="utf-8"))
    assert "nothing is labelled fig-none" in words(page.read_text(encoding="utf-8"))
    assert pdf.stat().st_size > 1000 and slides is None


def test_missing_chapter_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"_quarto.yml": "book: {title: T, chapters: [lost.qmd]}"})
    with pytest.raises(DraftError, match=r"_quarto\.yml names lost\.qmd, which does not exist"):
        render_draft(tmp_path, tmp_path / "out", why=WHY)
