"""The decision page: true in every world and in every language, the same wherever it is told, in words that anybody reads."""

import re
from dataclasses import replace

import pytest
from boards import WORLDS, board, pictured
from conftest import ROOT

from lib.audit.decisions import recommendation
from lib.names import ALTERNATIVE, BASELINE, RECOMMENDED, SHOWN, SUGGESTED
from lib.report import chart, read, say, show, slide
from lib.report.exhibit import to_svg
from lib.report.exhibits import material_of
from lib.report.facts import choice, decide, weightings
from lib.report.facts.decision import WHY_NOT
from lib.report.facts.pictures import curve, errors, of_figure
from lib.report.facts.principles import conflict
from lib.report.words.language import language, languages
from lib.report.words.templates import tell

HOSPITAL = {"patients_per_year": 10_000, "prevalence": 0.3}
OWN = ("people", "pipeline", "conflict", "interval_levels", "front", "who_gains", "misses", "saliency")
CHAPTERS = {
    "en": ["index.qmd", *(f"chapters/{name}.qmd" for name in ("introduction", "discussion", "conclusion"))],
    "fr": ["index.fr.qmd", *(f"chapters/fr/{name}.qmd" for name in ("introduction", "discussion", "conclusion"))],
}
BROKEN = re.compile(
    r"\bNone\b(?! of|\.\*\*)|\bnan\b|\{|\}|  | [,.]|\.\.|\(\)|\b1 (patients|times|malades|personnes)\b|\b(de|à) les?\b|\bde [aeiouh]"
)


@pytest.fixture(params=WORLDS)
def world(request):
    return board(request.param)


@pytest.fixture(params=languages())
def code(request):
    return request.param


def page(study) -> str:
    return str(say(study, "decision"))


def sentences(study, path: str) -> list[str]:
    """Every computed sentence of a chapter."""
    told = {"study": study, "say": say, "read": read}
    return [str(eval(call, told)) for call in re.findall(r"`\{python\} ([^`]+)`", (ROOT / path).read_text("utf-8"))]


def test_every_sentence_of_the_story_holds_in_every_world(world, code):
    study = world.told_in(code)
    for path in CHAPTERS[code]:
        for text in sentences(study, path):
            assert text.strip() and not BROKEN.search(text), (path, text)
    yearly = tell(language(code), "decision", "yearly", d=decide(world, HOSPITAL))
    assert not BROKEN.search(yearly), yearly


def reading_ease(text: str, code: str) -> float:
    """Flesch reading ease (1948, doi 10.1037/h0057532), in French by Kandel and Moles (1958); syllables are groups of vowels.

    A silent e is off, in French also those of -es.
    """
    text = re.sub(r"\([^)]*\)|\*\*", "", text).lower()
    words = re.findall(r"[^\W\d_]+", text)
    sentences = len(re.findall(r"[.?!:;](?:\s|$)", text))
    mute, vowels = (r"e$", "aeiouy") if code == "en" else (r"es?$", "aeiouyàâéèêëîïôùûœ")
    syllables = sum(max(1, len(re.findall(f"[{vowels}]+", re.sub(mute, "", word)))) for word in words)
    base, by = (206.835, 84.6) if code == "en" else (207, 73.6)
    return base - 1.015 * len(words) / sentences - by * syllables / len(words)


def test_reading_ease_knows_easy_from_hard():
    assert reading_ease("The cat sat on the mat. It was fat.", "en") > 90
    assert reading_ease("Heteroscedasticity characteristically invalidates homoscedastic parametrisations.", "en") < 0
    assert reading_ease("Le chat dort sur le lit. Il est gros.", "fr") > 90
    assert reading_ease("L'hétéroscédasticité invalide caractéristiquement les paramétrisations.", "fr") < 0


def test_anybody_can_read_the_page(world, code):
    study = world.told_in(code)
    first = " ".join(sentences(study, CHAPTERS[code][0]))
    assert reading_ease(page(study), code) >= 50 and reading_ease(first, code) >= 60, first


def test_the_first_page_has_few_numbers(code):
    study = board("biased").told_in(code)
    first = " ".join(sentences(study, CHAPTERS[code][0])) + slide(study, "options", brief=True)
    told = re.findall(r"\d+", re.sub(r"<style>.*?</style>|<.*?>|{.*?}|\b100\b", "", first, flags=re.DOTALL))
    assert 10 < len(told) <= 35, told


def test_no_sentence_claims_what_its_verdict_does_not(world):
    d, text = decide(world), page(world)
    assert (d.fair == "no") == any(f.gap.verdict == SHOWN for f in d.findings) == text.startswith("**It is not fair by")
    assert ("*gap* between the two groups" in text) == any(f.sure for f in d.lead)
    assert text.count(", which is shown.") == sum(o.support == SHOWN for o in d.offered)
    assert all(f.gap.verdict in (SHOWN, SUGGESTED) for f in d.findings)
    gains = [m for o in d.rivals for m in o.moves]
    assert all(m["change"].verdict in (SHOWN, SUGGESTED) for m in gains)
    # prices are told twice: beside the gains, and alone in the conclusion
    told = [*gains, *d.choice.prices] if _chosen(d) else gains
    assert text.count(", *suggested*)") == sum(not m["size"].shown for m in told if m["size"].seen) + sum(
        not f.sure for f in d.lead
    )
    assert not re.search(r"may be chance|\bperhaps \d", text)


def _chosen(d) -> bool:
    return d.choice is not None and not d.choice.nothing


@pytest.mark.parametrize("name", ["biased", "levelling down"])
def test_what_narrows_by_more_errors_of_those_who_fared_better_is_told(name):
    d = decide(board(name))
    for told in d.levelled:
        shares = {share.group: share for share in told["option"].shares}
        before = {share.group: share for share in d.options[0].shares}
        worse, better = told["finding"].worse, told["finding"].better
        error = told["finding"].error
        more, fewer = (
            (getattr(one[group], error) - getattr(two[group], error))
            for one, two, group in ((shares, before, better), (before, shares, worse))
        )
        assert told["down"] == pytest.approx(min(1, more / (more + fewer))) and told["finding"] in d.lead
    assert name == "biased" or d.levelled


def test_both_languages_tell_the_same_numbers(world):
    numbers = [
        sorted(re.findall(r"\d+", re.sub(r"(?<=\d)[,. \u202f\xa0](?=\d)", "", page(world.told_in(code)))))
        for code in ("en", "fr")
    ]
    assert set(numbers[0]) == set(numbers[1])


def test_numbers_told_twice_agree(world):
    d = decide(world)
    for f in d.findings:
        assert f.often - f.seldom == pytest.approx(f.gap.value, abs=1e-9) and f.gap.value > 0
        if f.attribute == d.attribute and d.options:
            told = {own.group: own for own in errors(d)}
            assert getattr(told[f.worse], f.error) == pytest.approx(f.often, abs=1e-12)
            assert getattr(told[f.better], f.error) == pytest.approx(f.seldom, abs=1e-12)
    for o in d.rivals:
        for s, before in zip(o.shares, d.options[0].shares, strict=True):
            if s.more_found is not None and s.missed is not None:
                assert before.missed - s.missed == pytest.approx(s.more_found.value, abs=1e-9)
            if s.more_alarmed is not None and s.alarmed is not None:
                assert s.alarmed - before.alarmed == pytest.approx(s.more_alarmed.value, abs=1e-9)


def test_the_map_and_the_gains_say_what_the_page_says(world):
    d, drawn, moved = decide(world), choice.front(world), choice.who_gains(world)
    points = {own["method"]: own for own in drawn["points"]} if drawn else {}
    for o in d.options:
        point = points[o.method]
        assert point["gap"] == o.gap and point["recommended"] == o.recommended and point["named"]
        assert (point["kind"] == choice.NARROWS) == (o.support == SHOWN)
        if o.loss is not None:
            untouched = points[d.options[0].method]
            assert untouched["accuracy"] - point["accuracy"] == pytest.approx(o.loss.value, abs=1e-9)
    for own in moved["gains"] if moved else ():
        moves = {(m["group"], m["error"]): m for m in d.rivals[own["option"]].moves}
        known = moves.get((own["group"], own["error"]))
        assert (known is not None) == (own["gain"].seen and own["gain"].value != 0)
        assert known is None or known["better"] == (own["gain"].value > 0)


def test_what_weightings_and_rules_do_together_is_said_of_what_was_crossed(world):
    crossed = [
        row
        for row in world.recommendation.to_dicts()
        if row["weighting"] != BASELINE[0] and row["postprocessing"] != BASELINE[1] and row["disparity"] is not None
    ]
    both, text = weightings.both(world), say(world, "mechanism", "both")
    assert (both is None) == (not crossed)
    if both:
        fit = [row["disparity"] for row in crossed if row["role"] in (RECOMMENDED, ALTERNATIVE)]
        assert both["n"] == len(crossed) and (
            both["chosen"] or both["gap"] == min(fit or [r["disparity"] for r in crossed])
        )
        assert both["chosen"] == any(row["role"] == RECOMMENDED for row in crossed)
        nothing = decide(world).choice is None or decide(world).choice.nothing
        assert ("inconclusive" in text) == bool(fit and not both["chosen"] and not nothing)


def test_what_choosing_brings_on_others_is_what_is_expected(world):
    d = decide(world)
    if _chosen(d):
        expected = d.deployed or d.anew
        assert d.left == pytest.approx(max(d.choice.gap, expected.size.value if expected else 0))


def test_page_table_and_picture_tell_the_same_people(code):
    study = board("biased").told_in(code)
    d, shown, cells = decide(study), chart(study, "people").description, str(show(study, "options"))
    told = language(code)
    for own in errors(d):
        for share in (own.missed, own.alarmed):
            name = told.group(own.group, d.attribute)
            assert f"{told.hundred(share)} " in shown and f"{name}\N{NO-BREAK SPACE}{told.hundred(share)}" in cells
    assert sum(o.recommended for o in d.options) == 1


def test_who_may_not_be_missed_more_often_is_not_and_the_price_falls_into_two_parts(world):
    d = decide(world)
    if d.sparing is not None:
        assert d.sparing.support == SHOWN and not any(
            place["error"] == "missed" and gain.value < -0.0005 for place, gain in d.sparing.gains
        )
    shares = [{share.group: share for share in option.shares} for option in (*d.options[:1], d.choice) if option]
    for step in d.steps:
        before, then = (own[step["group"]] for own in shares)
        for error in ("missed", "alarmed"):
            assert getattr(before, error) + sum(step[error]) == pytest.approx(getattr(then, error))
    assert {option.method for option in d.options} <= {option.method for option in d.compared}


def test_what_was_planted_is_told():
    biased = decide(board("biased"))
    assert biased.fair == "no" and biased.main.attribute.name == "sex"
    assert {f.error: f.worse for f in biased.lead} == {"missed": "M", "alarmed": "F"}
    assert biased.main.why == "operating point" and biased.choice is not None and not biased.choice.nothing
    assert decide(board("null")).fair != "no" and decide(board("null")).choice.nothing


def test_strong_useless_and_inverted_classifiers_are_called_so():
    levels = {name: decide(board(name)) for name in ("strong", "useless", "inverted")}
    assert [d.ability["level"] for d in levels.values()] == ["strong", "chance", "inverted"]
    assert [d.deploy for d in levels.values()] == ["trial", "no", "no"]
    assert "tossing a coin" in page(board("useless")) and "ranks the sick below the healthy" in page(board("inverted"))


def test_one_network_says_so():
    assert "It was trained once" in page(board("one network"))
    trained = [o for o in decide(board("one network")).rivals if o.weighting]
    assert trained and all(o.support is None for o in trained), "nothing is said of what was trained once"
    assert "a new training may reverse that" in page(board("one network"))


def test_levelling_down_is_called_by_its_name():
    study = board("levelling down")
    own = [o for o in decide(study).rivals if o.weighting]
    assert own and all(o.levels_down for o in own)
    assert "we cannot be sure that anybody gains" in page(study)
    assert "levelling down" in read(study, "who_gains")


def test_other_attributes_are_called_by_their_names(code):
    told = " ".join(" ".join(sentences(board("other attributes").told_in(code), p)) for p in CHAPTERS[code])
    assert "ward" in told and not re.search(r"\b(sex|age|view|AP|PA|women|men|sexe|âge|incidence|femmes)\b", told)
    one = " ".join(sentences(board("one attribute").told_in(code), CHAPTERS[code][0]))
    assert not re.search(r"\b(age|view|AP|PA|âge|incidence)\b", one)


def test_too_few_patients_and_no_methods_are_told_of():
    assert decide(board("few")).fair == "unknown" and "too small to compare" in page(board("few"))
    assert "No correction was tried" in page(board("no methods"))
    assert read(board("few"), "front").startswith("No figure:")


def test_a_year_is_told_where_the_volumes_are_known():
    study = board("biased")
    assert "gives no volumes" in tell(language("en"), "decision", "yearly", d=decide(study, {}))
    d = decide(study, HOSPITAL)
    text = tell(language("en"), "decision", "yearly", d=d)
    assert "10,000 such patients a year, 30 in 100 of them sick" in text
    half = decide(study, HOSPITAL | {"patients_per_year": 5_000})
    for one, two in zip(d.yearly[0].shares, half.yearly[0].shares, strict=True):
        assert one.yearly["found"].value == pytest.approx(2 * two.yearly["found"].value)
        assert abs(one.yearly["found"].value) <= 10_000


def test_every_reason_against_a_method_is_known():
    said = {getattr(recommendation, name) for name in ("NO_GAP", "NONE_NARROWS", "ALL_HARM", "ALL_DEAR", "SINGLE")}
    assert said == set(WHY_NOT)


@pytest.mark.parametrize(("name", "code"), [("biased", "en"), ("one attribute", "en"), ("other attributes", "fr")])
def test_pictures_are_told_and_read_and_drawn(name, code):
    study = pictured(name).told_in(code)
    for picture in OWN:
        assert material_of(study, picture), picture
        made = chart(study, picture)
        for text in (made.description, read(study, picture)):
            assert len(text) > 20 and not re.search(r"\bNone\b|\bnan\b|\{|\}|  |No figure|Pas de figure", text), text
        assert "<svg" in to_svg(made), picture


def test_the_demands_of_the_drawing_conflict_as_the_theorem_says():
    """Chouldechova 2017, equation 2.6: FPR = p / (1 - p) (1 - PPV) / PPV (1 - FNR), whatever the scores."""
    for side in conflict(board("null"))["sides"]:
        odds = side["sick_share"] / (1 - side["sick_share"])
        called = side["sick_share"] * (1 - side["missed"]) + (1 - side["sick_share"]) * side["alarmed"]
        ppv = side["sick_share"] * (1 - side["missed"]) / called
        assert side["alarmed"] == pytest.approx(odds * (1 - ppv) / ppv * (1 - side["missed"]))
    one, two = conflict(board("null"))["sides"]
    assert one["missed"] - two["missed"] > 0.1 and two["alarmed"] - one["alarmed"] > 0.1


def test_a_bundle_without_pictures_says_why_there_is_none():
    study = board("biased")
    without = replace(study, tables={k: v for k, v in study.tables.items() if k != "misses_by_finding"})
    for picture in ("radiographs", "saliency", "scores", "roc", "misses"):
        assert chart(without, picture).description.startswith("No figure:")
        assert read(without, picture).startswith("No figure:")


def test_roc_curves_pass_through_what_the_histograms_say():
    for own in of_figure("scores", pictured("biased"))["groups"]:
        fpr, tpr = zip(*curve(own), strict=True)
        assert (fpr[0], tpr[0]) == pytest.approx((1, 1)) and (fpr[-1], tpr[-1]) == pytest.approx((0, 0))
        assert list(fpr) == sorted(fpr, reverse=True) and list(tpr) == sorted(tpr, reverse=True)
