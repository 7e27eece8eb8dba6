"""Exhibits: one block of Markdown for every output; same input, same bytes; nothing from outside."""

import re

import altair as alt
import polars as pl
import pytest
import typst
from bundles import Knobs, bundle
from great_tables import GT

from lib.report import chart as chart_of
from lib.report import exhibit, show, theme


@pytest.fixture(scope="module")
def chart():
    return chart_of(bundle(Knobs()), "baseline_groups")


def clipped(description: str = 'Dots & "bars", <b>C:\\x</b>') -> alt.Chart:
    base = alt.Chart(pl.DataFrame({"x": [1, 2]})).mark_point(clip=True).encode(x="x:Q")
    return base.properties(description=description)


def test_a_figure_is_one_div_with_html_typst_and_caption(chart):
    text = exhibit.figure("fig-groups", chart, "Rates, *by group*.\nSecond line.")
    assert text.startswith("::: {#fig-groups}\n\n```{=html}\n<div")
    assert "\n```{=typst}\n#image(bytes(" in text
    assert text.endswith("\n\nRates, *by group*. Second line.\n\n:::\n")
    assert text.count("```") == 4


def test_it_displays_as_markdown_and_nothing_else(chart):
    shown = exhibit.figure("fig-groups", chart, "c")
    assert shown._repr_mimebundle_() == {"text/markdown": shown}


def test_same_input_same_bytes(chart):
    assert exhibit.figure("fig-a", chart, "c") == exhibit.figure("fig-a", chart, "c")
    again = chart_of(bundle(Knobs()), "baseline_groups")
    assert exhibit.figure("fig-a", again, "c") == exhibit.figure("fig-a", chart, "c")
    parity = [show(bundle(Knobs()), "parity") for _ in range(2)]
    assert parity[0] == parity[1]


def test_ids_of_two_figures_never_meet():
    one, two = (exhibit.figure(label, clipped(), "c") for label in ("fig-one", "fig-two"))
    ids = [set(re.findall(r'\sid="([^"]+)"', text.split("{=typst}")[0])) for text in (one, two)]
    assert ids[0] and not ids[0] & ids[1]
    assert all(name.startswith("fig-one-") for name in ids[0])
    assert set(re.findall(r"url\(#([^)]+)\)", one.split("{=typst}")[0])) <= ids[0]


def test_the_alternative_text_is_escaped_for_each_output():
    text = exhibit.figure("fig-a", clipped(), "c")
    assert 'aria-label="Dots &amp; &quot;bars&quot;, &lt;b&gt;C:\\x&lt;/b&gt;"' in text
    assert 'alt: "Dots & \\"bars\\", <b>C:\\\\x</b>"' in text


def test_nothing_is_loaded_from_outside(chart):
    text = exhibit.figure("fig-a", chart, "c")
    addresses = set(re.findall(r"https?://[^\s\"'\\)]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "<script" not in text


def test_on_the_page_it_scales_and_follows_the_ink(chart):
    page, printed = exhibit.figure("fig-a", chart, "c").split("```{=typst}")
    assert re.search(r'<svg [^>]*role="img"[^>]*style="[^"]*width:100%[^"]*max-width:\d+px"', page)
    assert "viewBox=" in page and not re.search(r"<svg[^>]*\swidth=", page)
    assert theme.INK in page and theme.INK not in printed


def test_typst_accepts_the_figure_with_its_alternative_text():
    code = exhibit.figure("fig-a", clipped(), "c").split("```{=typst}\n")[1].split("\n```")[0]
    head = '#set document(title: "t")\n'
    assert typst.compile((head + code).encode(), pdf_standards=["ua-1"]).startswith(b"%PDF")


def test_tables_keep_text_as_text():
    frame = pl.DataFrame({"group": ["<40", "<script>alert(1)</script>"], "note": ["a & b", "```"]})
    text = exhibit.table("tbl-a", GT(frame, rowname_col="group"), "c")
    assert "<script" not in text and "&lt;script" in text
    assert "><40<" in text and ">a & b<" in text
    assert text.count("````{=html}") == 1


def test_tables_take_the_ink_of_the_page():
    text = show(bundle(Knobs()), "parity")
    styles = text.split("<style>")[1].split("</style>")[0]
    assert "background" not in styles and not re.search(r"(?<![-\w])color:", styles)
    assert '<div id="tbl-parity-body">' in text and "overflow-x: auto" in styles
