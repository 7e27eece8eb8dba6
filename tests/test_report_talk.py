"""The defense, in each language: its time, what is said in it, and who did what."""

import re

import pytest
from boards import board, published
from conftest import ROOT, rewrite_settings

from lib.names import ERRORS, SHOWN
from lib.render.book import DECK, twin_of
from lib.render.cells import INLINE, parts_of
from lib.report import exhibits, heading, load, say, show, slide, talk
from lib.report.facts.decision import decide
from lib.report.facts.gaps import within
from lib.report.words.language import language
from lib.settings import languages

FASTEST = 2.3
"""Words a second that can be followed."""
DECKS = {code: (ROOT / twin_of(DECK, code)).read_text("utf-8") for code in languages(ROOT)}
SLIDE = re.compile(r"^## (.*?)$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def test_the_clock_adds_up_and_refuses_to_run_over():
    clock = talk.Clock(minutes=2)
    assert clock(45) == "0:45 · 0:45 / 2:00"
    assert clock(75) == "1:15 · 2:00 / 2:00"
    with pytest.raises(ValueError, match="the slides take 2:01 so far, the talk 2:00"):
        clock(1)


def test_the_members_of_the_group_share_the_time_without_its_reserve():
    clock = talk.Clock(minutes=3, reserve=1, study=load())
    assert [clock(30).split(" · ")[-1] for _ in range(4)] == [f"Speaker {k}" for k in range(1, 5)]
    clock = talk.Clock(minutes=3, reserve=1, study=load())
    assert ["Speaker" in clock(15) for _ in range(8)] == [True, False] * 4, "told where one begins"


@pytest.mark.parametrize("deck", DECKS.values(), ids=DECKS)
def test_the_deck_leaves_half_a_minute_of_ten_in_ten_to_twelve_slides_and_has_ten_answers_or_more(deck):
    slides = SLIDE.findall(deck)
    talked = [body for title, body in slides if "uncounted" not in title]
    backup = [body for title, body in slides if "uncounted" in title]
    assert 540 <= sum(int(found) for found in re.findall(r"clock\((\d+)\)", deck)) <= 570
    assert 10 <= len(talked) + 1 <= 12 and all("clock(" in body for body in talked)
    assert 'slide(study, "radiographs")' in talked[0]
    assert len(backup) >= 10 and all("slide(study, " in body for body in backup)
    asked = [(title, body) for title, body in slides if re.match(r"B\d+\. ", title)]
    assert len(asked) == len(backup) - 1 and all("?" in title for title, _ in asked)
    for title, body in asked:  # the answer in a computed sentence, then what it rests on
        assert re.match(r"\s*::: \{\.answer\}\n`\{python\} (say|read)\(study, ", body), title


@pytest.mark.parametrize("deck", DECKS.values(), ids=DECKS)
def test_every_slide_with_a_figure_says_in_its_heading_what_the_figure_finds(deck):
    for title, body in SLIDE.findall(deck):
        shown = re.search(r"^slide\((.*)\)$", body, re.MULTILINE)
        if shown and "uncounted" not in title:
            assert f"heading({shown[1]})" in title or 'say(study, "talk", ' in title


@pytest.mark.parametrize("world", ["published", "biased", "null", "other attributes", "levelling down"])
@pytest.mark.parametrize("code", DECKS)
def test_what_is_said_fits_into_the_time_of_its_slide(code, world):
    study = (published() if world == "published" else board(world)).told_in(code)
    names = {"study": study, "clock": talk.Clock(minutes=10)}
    exec("from lib.report import heading, read, say, slide", names)
    told = []
    for title, body in SLIDE.findall(DECKS[code]):
        if "uncounted" in title:
            continue
        seconds = int(re.search(r"clock\((\d+)\)", body)[1])
        notes = re.search(r"::: \{\.notes\}\n(.*?)\n:::", body, re.DOTALL)[1]
        spoken = re.sub(r"^\[.*\]\{\.clock\}$", "", notes, flags=re.MULTILINE)
        said = INLINE.sub(lambda found: str(eval(found[1], names)), spoken)
        if (words := len(re.findall(r"\w[\w'’,.]*", said))) > FASTEST * seconds:
            told.append(f"{title}: {words} words in {seconds} seconds: {said}")
    assert not told, "\n".join(told)


def test_code_of_a_deck_stands_where_it_is_shown():
    for deck in DECKS.values():
        assert sum(is_code for _, _, is_code in parts_of(deck)) == 1 + 11 + 13


@pytest.mark.parametrize("code", DECKS)
def test_slides_know_the_five_words_of_the_book_and_no_sixth(code):
    study = published().told_in(code)
    words = language(code)
    drawn = str(slide(study, "baseline_gaps")) + str(slide(study, "changes", kind="weighting"))
    assert words.verdict(SHOWN) in drawn and words.verdict("not told") in drawn
    told = " ".join(say(study, "talk", block) for block in ("known_try", "known_same"))
    assert told.count(words.verdict(SHOWN)) == 1 and words.verdict("suggested") in told
    for text in (drawn, told, show(study, "who_gains", size="slide"), say(study, "talk", "spoken_weights")):
        assert not re.search(r"\b(sure|surely|sûre?s?)\b", text)


def test_limits_carry_numbers_of_the_bundle():
    study = published()
    same = within(study, decide(study).attribute, decide(study).contrast)[1]
    assert f"Of {same['patients']} sick, {1000 * same['called'].value:.0f} of 1,000 more" in say(
        study, "talk", "known_same"
    )
    assert "not estimable" in say(board("biased"), "talk", "known_same")


def test_marks_on_slides_say_their_numbers():
    study = published()
    moved = next(gain for gain in decide(study).rivals[-1].gains if gain[0] == {"group": "PA", "error": "missed"})[1]
    number = f"+{1000 * moved.value:.0f} (+{1000 * moved.low:.0f} to +{1000 * moved.high:.0f})"
    assert number in slide(study, "who_gains") and number not in re.sub(
        "<title>.*?</title>", "", show(study, "who_gains")
    )


def test_the_one_rule_that_would_be_used_stands_beside_the_mean_and_has_its_interval():
    study, d = published(), decide(published())
    gaps, size = d.choice.gaps, d.deployed.size
    both = " / ".join(f"{gaps[metric].worse}\xa0{1000 * gaps[metric].size.value:.0f}" for metric in ERRORS)
    assert f">{both}<" in slide(study, "options")
    told = (
        f"**{1000 * size.value:.0f}** (95 % interval \N{MINUS SIGN}{-1000 * size.low:.0f} to +{1000 * size.high:.0f})"
    )
    assert told in say(study, "talk", "gaps_left")


@pytest.mark.parametrize("code", DECKS)
def test_the_floor_is_that_of_the_protocol_and_passes_fails_or_is_inconclusive(code):
    protocol = (ROOT / twin_of("chapters/conclusion.qmd", code)).read_text("utf-8")
    assert {"en": "80 of 100 sick found", "fr": "80 malades trouvés sur 100"}[code] in protocol
    assert decide(published()).tested["asked"] == 0.8 and "80" in say(published().told_in(code), "talk", "step_floor")
    fails = {"en": "*fails*", "fr": "*échec*"}[code]
    assert say(published().told_in(code), "talk", "measured").count(fails) == 2
    assert fails not in say(board("few").told_in(code), "talk", "measured")


def test_the_group_is_that_of_the_settings_and_placeholders_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(talk, "ROOT", rewrite_settings(tmp_path))
    assert "Placeholders" in say(load(), "talk", "names") and "Provisoire" in say(load("fr"), "talk", "names")
    assert "First" not in show(load(), "group") and "First" not in show(load("fr"), "group")
    text = (tmp_path / "study.toml").read_text("utf-8")
    head = text[: text.index("[group]")]
    (tmp_path / "study.toml").write_text(
        f'{head}[group]\nmembers = [{{ who = "Ada <b>", did = "all of it" }}]\n', "utf-8"
    )
    assert heading(load(), "group") == "Who did what, and when"
    assert "Placeholders" not in say(load(), "talk", "names")
    assert "all of it (Ada <b>)." in say(load("fr"), "talk", "who").replace("&lt;", "<")
    shown = show(load("fr"), "group")
    assert "Ada &lt;b>" in shown and "all of it" in shown and "a fait quoi" in shown
    (tmp_path / "study.toml").write_text(head, "utf-8")
    assert "names nobody" in exhibits.heading(load(), "group")


@pytest.mark.parametrize("deck", DECKS.values(), ids=DECKS)
def test_no_heading_below_that_of_a_slide_parts_it(deck):
    assert not re.search(r"^#{3,} ", deck, re.MULTILINE), "a heading within a slide makes a slide of its own"
