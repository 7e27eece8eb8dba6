"""The defense: its time, its messages, and who did what."""

import re

import altair as alt
import pytest
from conftest import ROOT, rewrite_settings

from lib.report import exhibit, talk

DECK = (ROOT / "chapters" / "slides" / "defense.qmd").read_text("utf-8")


def test_the_clock_adds_up_and_refuses_to_run_over():
    clock = talk.Clock(minutes=2)
    assert clock(45) == "0:45 · 0:45 of 2:00"
    assert clock(75) == "1:15 · 2:00 of 2:00"
    with pytest.raises(ValueError, match="the slides take 2:01 so far, the talk 2:00"):
        clock(1)


def test_the_deck_takes_ten_minutes_in_ten_to_twelve_slides_and_has_ten_answers_ready():
    seconds = [int(found) for found in re.findall(r"clock\((\d+)\)", DECK)]
    headings = re.findall(r"^## .*$", DECK, re.MULTILINE)
    backup = [heading for heading in headings if "uncounted" in heading]
    assert sum(seconds) == 600
    assert len(seconds) == len(headings) - len(backup) and 10 <= len(seconds) + 1 <= 12
    assert len(backup) == 10


def test_every_slide_that_shows_a_figure_says_in_its_heading_what_the_figure_finds():
    drawn = len(re.findall(r'exhibit\.slide\("fig-slide-[a-z]+", chart\)', DECK))
    assert DECK.count("exhibit.message(chart)") == drawn == DECK.count("chart = figures.") >= 8


def test_a_message_is_the_title_of_the_chart_which_then_has_none():
    title = alt.TitleParams(text=["One of", "two"], subtitle=["of whom", "Bars: intervals."])
    chart = alt.Chart().mark_point().properties(title=title, description="A point.")
    assert exhibit.message(chart) == "One of two"
    shown = exhibit.slide("fig-slide", chart).markdown
    assert "of whom. Bars: intervals.\n" in shown and 'aria-label="A point."' in shown and "One of" not in shown
    assert chart.title.text == ["One of", "two"], "the chart itself is left as it was"
    empty = alt.Chart().mark_point().properties(description="No figure: no weighting was tried.")
    assert exhibit.message(empty) == "No weighting was tried" and "<svg" in exhibit.slide("fig-slide", empty).markdown


def test_the_group_is_that_of_the_settings_and_may_be_missing(tmp_path):
    rewrite_settings(tmp_path)
    text = (tmp_path / "study.toml").read_text("utf-8")
    head = text[: text.index("[group]")]
    (tmp_path / "study.toml").write_text(
        head + '[group]\nmembers = [{ who = "Ada <b>", did = "all of it" }]\n', "utf-8"
    )
    shown = exhibit.to_html(talk.organisation(tmp_path), "tbl-group")
    assert "Ada &lt;b>" in shown and "all of it" in shown
    (tmp_path / "study.toml").write_text(head, "utf-8")
    assert "Nothing to list" in talk.organisation(tmp_path).as_raw_html()
