"""What the report tells of the data, the networks and the settings is what the bundle holds, and no more."""

import tomllib
from dataclasses import replace

import polars as pl
import pytest
from boards import published

from lib.names import AT_MOST, NOT_ESTIMABLE, NOT_TOLD, PATIENT, SHOWN, SUGGESTED
from lib.report import chart, heading, read, say, show
from lib.report.exhibits import material_of
from lib.report.facts import cohort
from lib.report.facts.study import runs, settings, training
from lib.report.figures.cohort import prevalence
from lib.report.registry import KINDS
from lib.report.words.language import HERE, language
from lib.report.words.templates import tell

LANGUAGES = ("en", "fr")
TABLES = {
    "composition": "composition",
    "prevalence": "composition",
    "associations": "associations",
    "ages": "ages",
    "checks": "checks",
    "exposure": "exposure",
    "simpson": "simpson",
    "runs": "runs",
}
"""Exhibits, and the table that each cannot do without."""


@pytest.fixture(scope="module")
def nih():
    return published()


@pytest.fixture(scope="module")
def demo():
    return published("demo")


def changed(study, **tables):
    return replace(study, tables=study.tables | tables)


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("name", [*TABLES, "settings", "causes", "radiographs"])
def test_exhibits_show_and_are_read_in_every_language(name, code):
    study = published().told_in(code)
    assert heading(study, name) and read(study, name).endswith(".")
    # a figure is drawn in one language: in another one it has the same marks
    undrawn = code != "en" and KINDS[name].of == "figure"
    assert "None" not in (chart(study, name).to_json() if undrawn else show(study, name))


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("name", TABLES)
def test_without_its_table_an_exhibit_says_why(name, code):
    study = published().told_in(code)
    bare = changed(study, **{TABLES[name]: study.tables[TABLES[name]].clear()})
    assert read(bare, name) == tell_absent(study, name)
    show(bare, name)


def tell_absent(study, name):
    told = language(study.language)
    kind = "figure" if (HERE / "en" / "figures" / f"{name}.md.j2").is_file() else "table"
    return told.finished(told.phrase(f"no_{kind}", why=tell(told, f"{kind}s/{name}", "absent", study=study)))


def test_groups_are_counted_as_the_bundle_has_them(nih):
    table = nih.tables["composition"].filter(unit=PATIENT)
    told = cohort.members(nih)
    assert len(told) == table.height
    for own in told:
        name = own["attribute"] if isinstance(own["attribute"], str) else own["attribute"].name
        row = table.filter(split=own["split"], attribute=name, group=own["group"]).row(0, named=True)
        assert (own["images"], own["patients"], own["sick"].value) == (
            row["images"],
            row["patients"],
            row["estimate"],
        )


@pytest.mark.parametrize(
    ("splits", "verdict"),
    [
        ([], NOT_ESTIMABLE),
        ([(SHOWN, 0.1), (SHOWN, 0.1)], SHOWN),
        ([(SHOWN, 0.1), (SUGGESTED, 0.1)], SHOWN),
        ([(SHOWN, 0.1)], SHOWN),
        ([(SHOWN, 0.1), (NOT_TOLD, 0.1)], SUGGESTED),
        ([(SHOWN, 0.1), (NOT_TOLD, 0.0)], NOT_TOLD),
        ([(SUGGESTED, 0.1), (SUGGESTED, 0.1)], SUGGESTED),
        ([(AT_MOST, 0.1), (AT_MOST, 0.0)], AT_MOST),
        ([(AT_MOST, 0.1), (NOT_TOLD, 0.1)], NOT_TOLD),
    ],
)
def test_one_split_alone_never_makes_a_sure_tie(nih, splits, verdict):
    rows = [("sex", "label", *own) for own in splits] or [("sex", "label", None, None)]
    table = pl.DataFrame(rows, ["attribute", "other", "verdict", "estimate"], orient="row")
    assert cohort.ties(changed(nih, associations=table))[0]["verdict"] == verdict


@pytest.mark.parametrize("code", LANGUAGES)
def test_nothing_is_claimed_where_nothing_is_told(code):
    study = published().told_in(code)
    silent = study.tables["associations"].with_columns(verdict=pl.lit(NOT_TOLD))
    apart = study.tables["exposure"].with_columns(low=pl.lit(0.0), high=pl.lit(1.0))
    quiet = changed(study, associations=silent, exposure=apart)
    assert cohort.spreads(quiet) == [] and not cohort.data(quiet)["apart"]
    claims = {
        "en": ("differs by", "go together (", "shortcut are there"),
        "fr": ("varie selon", "de pair (", "raccourci sont là"),
    }
    text = " ".join(
        [say(quiet, "data"), *(read(quiet, name) for name in ("prevalence", "associations", "causes", "exposure"))]
    )
    assert not [claim for claim in claims[code] if claim in text]


def test_a_group_differs_in_its_pixels_only_if_the_healthy_and_the_sick_do(nih):
    view = nih.attributes["view"]
    shown = cohort.greys(nih, view)
    (apart,) = cohort.pixels_apart(shown, view)
    assert (apart["measure"], apart["group"], apart["higher"]) == ("contrast", "AP", False)
    wide = replace(shown[0]["level"], low=0.0, high=1.0)
    overlapping = [own | {"level": wide} if own["label"] == 0 else own for own in shown]
    assert cohort.pixels_apart(overlapping, view) == []


def test_images_of_a_patient_are_averaged_over_the_patients_to_learn_from(nih):
    own = cohort.visits(nih)
    people = nih.manifest["cohort"]
    assert own["images"] == pytest.approx(people["train_images"] / people["train_patients"])
    assert 0 < own["single"] < 1 and own["many"] < own["of_many"]


def test_the_sketch_is_of_the_view_only_where_the_decision_is_about_it(nih):
    assert cohort.data(nih)["of_view"]
    settings = nih.manifest["settings"]
    by_sex = settings | {"preferences": settings["preferences"] | {"attribute": "sex"}}
    by_sex = replace(nih, manifest=nih.manifest | {"settings": by_sex})
    assert not cohort.data(by_sex)["of_view"] and "view" not in read(by_sex, "causes")


def test_a_reversal_is_told_and_where_there_is_none_none_is(nih):
    assert cohort.simpson(nih)["turned"] == [] and "no reversal" in read(nih, "simpson")
    turned = nih.tables["simpson"].with_columns(
        reversal=pl.when(split="valid", attribute="view", metric="fpr", stratifier="sex")
        .then(True)
        .otherwise("reversal")
    )
    found = changed(nih, simpson=turned)
    assert [own["metric"] for own in cohort.simpson(found)["turned"]] == ["fpr"]
    assert "one seems to reverse" in read(found, "simpson")


def test_networks_that_failed_are_told(nih, demo):
    failed = demo.tables["odd_networks"].filter("failed")["weighting"].to_list()
    told = say(demo, "study", "odd_networks")
    assert failed and all(language("en").weighting(name) in told for name in failed)
    as_usual = changed(nih, odd_networks=nih.tables["odd_networks"].clear())
    assert say(as_usual, "study", "odd_networks").startswith("No network failed")
    assert not any(name in say(as_usual, "study", "odd_networks") for name in map(language("en").weighting, failed))


def test_every_network_is_in_a_row(nih):
    told = runs(nih)["runs"]
    assert sum(own["networks"] for own in told) == nih.tables["runs"].height
    first = nih.tables["runs"].filter(weighting=told[0]["weighting"])["auc"]
    assert told[0]["auc"] == (first.min(), first.max())


def test_learning_is_drawn_from_the_second_epoch_on(nih):
    rows = [
        {
            "weighting": name,
            "seed": seed,
            "epoch": epoch,
            "train_loss": 1 - 0.1 * epoch,
            "tune_auc": 0.6 + 0.1 * epoch + seed,
        }
        for name in ("uniform", "other")
        for seed in (0, 1)
        for epoch in (2, 1)
    ]
    history = pl.DataFrame(rows, schema=nih.history.schema)
    learned = training(changed(nih, history=history))
    assert [point[0] for point in learned["figures"]["train_loss"]["other"]] == learned["epochs"] == [1, 2]
    last = learned["figures"]["tune_auc"]["uniform"][-1][1]
    assert (last.low, last.value, last.high) == pytest.approx((0.8, 1.3, 1.8))
    assert training(changed(nih, history=history.filter(epoch=1))) is None


def test_what_the_reader_looks_for_and_does_has_a_french_name(nih):
    names = tomllib.loads((HERE / "fr" / "names.toml").read_text("utf-8"))
    checks = nih.tables["checks"]
    assert set(checks["check"]) <= names["checks"].keys() and set(checks["action"]) <= names["actions"].keys()


def test_settings_are_called_by_french_names(nih):
    names = tomllib.loads((HERE / "fr" / "names.toml").read_text("utf-8"))
    lines = settings(nih)["lines"]
    assert {line["section"] for line in lines} <= names["sections"].keys()
    assert {line["name"] for line in lines if line["section"] != "versions"} <= names["settings"].keys()


def test_every_dot_of_prevalence_lies_in_its_interval(nih):
    material = material_of(nih, "prevalence")
    for rows in prevalence(material).to_dict()["datasets"].values():
        for row in rows:
            if row.get("value") is not None and "low" in row:
                assert row["low"] <= row["value"] <= row["high"]


def test_children_are_said_to_be_in_the_youngest_group(nih):
    assert say(nih, "data", "children").startswith("Children and adolescents count among people under 40")
