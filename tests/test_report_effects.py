"""What the report tells of weightings, rules and the untouched classifier is what the bundle holds, and no more."""

import polars as pl
import pytest
from boards import board, published

from lib.names import CROSSED, ERRORS, PATIENT, SHOWN, SUGGESTED
from lib.report import heading, read, say, show
from lib.report.facts import baseline, decide, effects, pictures, weightings
from lib.report.facts.effects import BALANCED, DIFFERS, KEYS, LAST_LAYER, RULE, WEIGHTING
from lib.report.words.language import language
from lib.report.words.templates import tell

KINDS = (WEIGHTING, RULE, LAST_LAYER)
SURE = ("**Yes.**", "**Oui.**", "beyond chance", "au-delà du hasard")


@pytest.fixture(scope="module")
def nih():
    return published()


def rows(study, kind: str) -> pl.DataFrame:
    return study.tables["head_effects" if kind == LAST_LAYER else "effects"].filter(unit=PATIENT)


@pytest.mark.parametrize("kind", KINDS)
def test_effects_are_those_of_the_bundle_turned_so_that_the_gap_is_above_0(nih, kind):
    found = effects.effects(nih, kind)
    assert found["methods"] and len({own["method"] for own in found["methods"]}) == len(found["methods"])
    for own in found["methods"]:
        table = rows(nih, kind).filter(**dict(zip(KEYS, own["method"], strict=True)))
        for metric, outcome in own["outcomes"].items():
            gap = {"attribute": found["attribute"].name, "contrast": found["contrast"]}
            where = {"attribute": "overall", "contrast": "all"} if metric == BALANCED else gap
            told = table.filter(metric=metric, **where).row(0, named=True)
            assert abs(outcome["change"].value) == abs(told["estimate"])
            assert (outcome["what"] is not None) == (told["outcome_verdict"] in (SHOWN, SUGGESTED))
            if metric in ERRORS and kind != LAST_LAYER:
                assert outcome["left"].value - found["before"][metric].value == pytest.approx(outcome["change"].value)
                assert outcome["what"] != "narrowed" or abs(outcome["left"].value) < found["before"][metric].value


def test_weightings_are_all_told_and_rules_that_act_on_another_attribute_are_not(nih):
    every = rows(nih, WEIGHTING).filter(postprocessing="fixed_0.5", target="none")["weighting"].unique()
    told = {own["method"][0] for own in effects.effects(nih, WEIGHTING)["methods"]}
    assert told == set(every) - {"uniform"}
    found = effects.effects(nih, RULE)
    assert {own["method"][2] for own in found["methods"]} <= {"none", found["attribute"].name}


def test_methods_that_narrow_a_gap_for_sure_come_first(nih):
    supports = [own["support"] for own in effects.effects(nih, RULE)["methods"]]
    order = [SHOWN, SUGGESTED, None]
    assert supports == sorted(supports, key=order.index)


def test_what_is_shown_once_for_each_kind_has_the_kind_in_its_label(nih):
    assert "{#tbl-effects-post-processing}" in show(nih, "effects", kind=RULE)
    assert "{#tbl-effects-weighting}" in show(nih, "effects", kind=WEIGHTING)


@pytest.mark.parametrize("kind", [WEIGHTING, RULE])
def test_every_method_has_a_row_of_its_own_for_the_page_and_for_every_other_attribute(nih, kind):
    words, page, others = language("en"), show(nih, "effects", kind=kind), show(nih, "effects", kind=kind, by="others")
    assert f"#tbl-effects-{kind}-others" in others
    for attribute in nih.attributes.values():
        found = effects.effects(nih, kind, attribute)
        shown = page if attribute == decide(nih).attribute else others
        assert all(words.sentence(words.method(own["method"])) in shown for own in found["methods"])
        left = found["methods"][-1]["outcomes"]["tpr"]["left"].value
        assert found["attribute"] == attribute and f">{words.points(left, 1, False)} (" in shown.replace("\xa0", " ")
    assert "no other attribute" in show(board("one attribute"), "effects", kind=kind, by="others")


@pytest.mark.parametrize("kind", [WEIGHTING, RULE])
@pytest.mark.parametrize("world", ["null", "useless", "few", "no methods", "one network", "levelling down"])
def test_only_what_is_shown_is_asserted(world, kind):
    study = board(world)
    found = effects.effects(study, kind)
    sure = found is not None and any(own["support"] == SHOWN for own in found["methods"])
    text = say(study, "effects", "answer", "verdicts", kind=kind)
    assert sure == any(claim in text for claim in SURE), text


def test_of_one_network_a_method_nothing_is_said_of_the_weighting():
    found = effects.effects(board("one network"), WEIGHTING)
    assert found["single"] and {o["what"] for own in found["methods"] for o in own["told"]} <= {DIFFERS}
    assert "two networks differ by luck" in say(board("one network"), "effects", "answer", kind=WEIGHTING)


def test_a_weighting_by_group_and_class_breaks_the_tie_and_one_by_group_alone_does_not(nih):
    w = weightings.weights(nih)
    ties = {own["weighting"]: own["tie"] for own in (w["start"], *w["others"])}
    assert ties["group_balanced_view"] == pytest.approx(ties["uniform"])
    assert ties["group_label_balanced_view"] == pytest.approx(0, abs=1e-9)
    assert {own["weighting"] for own in w["counting"]} == {"group_balanced_view"}
    cells = nih.tables["weights"].filter(weighting="uniform", attribute="view", group="AP")
    sick = cells.filter(label=1)["images"].sum() / cells["images"].sum()
    assert w["start"]["sick"]["AP"] == pytest.approx(sick)


def test_both_parts_of_a_gap_add_up_to_it(nih):
    found = weightings.gap_parts(nih)
    assert found and all(gap["whole"].value >= 0 for gap in found)
    parted = [gap for gap in found if gap["cut"] and gap["ranking"]]
    assert all(gap["cut"].value + gap["ranking"].value == pytest.approx(gap["whole"].value) for gap in parted)


def test_the_marks_of_roc_curves_are_the_rates_of_the_groups(nih):
    d = decide(nih)
    shown = pictures.curves(nih, d)
    assert [own["weighting"] for own in shown] == ["uniform", d.options[1].weighting]
    rates = nih.tables["metrics"].filter(weighting="uniform", postprocessing="fixed_0.5", unit=PATIENT)
    for group, (fpr, tpr) in shown[0]["points"].items():
        own = dict(rates.filter(attribute=d.attribute.name, group=group).select("metric", "estimate").rows())
        assert (fpr, tpr) == pytest.approx((own["fpr"], own["tpr"]))


def test_lines_of_the_untouched_classifier_are_those_of_the_bundle(nih):
    gaps = nih.tables["gaps"].filter(weighting="uniform", postprocessing="fixed_0.5", unit=PATIENT)
    for line in baseline.of_gaps(nih)["lines"]:
        for metric, own in line["cells"].items():
            told = gaps.filter(attribute=line["attribute"].name, contrast=line["contrast"], metric=metric)
            assert (own.value, own.verdict) == told.select("estimate", "verdict").row(0)
    groups = sum(len(a.groups) for a in nih.attributes.values())
    assert len(baseline.of_groups(nih)["lines"]) == len(baseline.of_calibration(nih)["lines"]) == groups + 1


def test_of_every_two_attributes_the_crossing_that_fares_worst_is_told(nih):
    every, told = nih.tables["pooled_crossings"], baseline.of_crossings(nih)
    assert len(told["found"]) == every.select("attribute", "group").n_unique()
    crossings = [CROSSED.join(own.name for own, _ in sick["groups"]) for sick, _ in told["worst"]]
    assert crossings == every["attribute"].unique(maintain_order=True).to_list()
    for attribute, (sick, _) in zip(crossings, told["worst"], strict=True):
        assert sick["pooled"]["tpr"].value == every.filter(attribute=attribute, metric="tpr")["estimate"].min()


@pytest.mark.parametrize("world", ["null", "other attributes", "few", "no methods"])
@pytest.mark.parametrize("code", ["en", "fr"])
def test_titles_and_readings_hold_in_any_world(world, code):
    study = board(world).told_in(code)
    names = ("baseline_gaps", "baseline_groups", "parity", "pooled_crossings", "calibration", "weightings", "why_gaps")
    for name in (*names, "seed_spread", "roc"):
        for text in (heading(study, name), read(study, name)):
            assert text and "None" not in text, (name, text)


def test_every_weighting_of_the_study_is_described_and_a_rule_of_ones_own_too(nih):
    described = weightings.families(nih)
    trained = set(nih.metrics["weighting"]) - {"uniform"}
    assert len(described) == len(set(described)) <= len(trained)
    assert all(any(name.startswith(family) for family in described) for name in trained)
    words = language("en")
    assert say(nih, "formulas").count("\n- ") + 1 == len(described)
    told = tell(words, "rules", tried=["fixed_0.5", "by_age_of_film"])
    assert told.endswith("- **By age of film**.")
