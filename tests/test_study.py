"""From a folder to a bundle: complete, honest about itself, made once; what stops it is one sentence."""

import logging
import multiprocessing
import os
import shutil
import tomllib
from contextlib import nullcontext
from urllib.error import URLError

import here
import polars as pl
import pytest
from conftest import QUICK, ROOT, TINY, rewrite_settings
from made import few_questions, linked
from torchvision.models import ResNet18_Weights

from lib.cohort import read_cohort, readable
from lib.results import load
from lib.settings import SettingsError, bundle_folder, chosen_cohort, cohort_name, read_settings, study_settings
from lib.settings_schema import settings_page
from lib.study.run import run_study
from lib.tables import TABLES
from lib.training import workers
from lib.training.networks.resnet18 import RECIPES
from lib.training.settings import ComputeSettings, TrainingSettings
from lib.training.store import Plan, TrainingError
from lib.training.workers import train_all

pytestmark = pytest.mark.usefixtures("audited_quickly")


@pytest.fixture(scope="module")
def study(tiny_study):
    return load("tiny", tiny_study.root)


NOTHING_TO_TELL = {"probes", "odd_networks", "without_failed"}
"""Of so small a study no probe can be fitted, and none of its networks failed."""


@pytest.mark.parametrize("name", sorted(TABLES.keys() - NOTHING_TO_TELL))
def test_every_table_is_filled(study, name):
    assert not study.tables[name].is_empty()


def test_every_network_has_its_row(study):
    assert study.runs.select("weighting", "seed").rows() == [
        (weighting, seed) for weighting in ("uniform", "kamiran_calders_sex") for seed in (1, 2)
    ]
    assert study.history.height == study.runs["epochs"].sum()
    assert study.runs["auc"].is_between(0, 1).all() and study.runs["tune_auc"].is_between(0, 1).all()
    assert study.runs.filter(weighting="uniform")["effective_share"].to_list() == [1, 1]
    assert study.runs.filter(weighting="kamiran_calders_sex")["effective_share"].max() < 0.99
    assert study.n_seeds == 2


def test_every_pair_of_weighting_and_postprocessing_is_audited(study):
    pairs = study.metrics.select("weighting", "postprocessing").unique()
    assert pairs.height == 2 * len(tomllib.loads(f"rules = {TINY['postprocessings']}")["rules"])
    assert set(study.metrics["attribute"]) == {"overall", "sex", "age_group", "view"}


def test_the_manifest_says_what_was_done_with_what(study):
    manifest = study.manifest
    cohort = manifest["cohort"]
    assert (cohort["name"], cohort["patients"], cohort["train_patients"], cohort["valid_patients"]) == (
        "tiny",
        96,
        48,
        48,
    )
    assert cohort["images"] == cohort["train_images"] + cohort["valid_images"] == study.checks["rows"][-1]
    assert cohort["unknown"] == {"sex": 0, "age_group": 0, "view": 0}
    assert manifest["settings"]["training"]["image_size"] == 32
    assert manifest["settings"]["audit"]["margin"] == 0.05
    assert manifest["hardware"]["trained_on"] and manifest["versions"]["torch"]
    assert manifest["durations"]["training"] > 0


def test_the_last_checks_count_unreadable_files_and_used_images(study):
    assert study.checks["check"].to_list()[-2:] == ["files that are no readable image", "images used"]


def test_a_second_study_says_that_all_is_up_to_date_and_trains_nothing(tiny_study, monkeypatch, caplog):
    monkeypatch.setattr("lib.study.run.train_all", None)
    before = {path: path.stat().st_mtime_ns for path in tiny_study.bundle.iterdir()}
    with caplog.at_level(logging.INFO):
        assert run_study(tiny_study.folder, root=tiny_study.root) == tiny_study.bundle
    assert f"{tiny_study.bundle} is up to date: nothing to train or audit." in caplog.messages
    assert {path: path.stat().st_mtime_ns for path in tiny_study.bundle.iterdir()} == before


def test_networks_of_another_recipe_are_trained_anew_though_study_toml_is_the_same(tiny_study, monkeypatch):
    def note(plan, tensors, missing, deadline=None):
        raise TrainingError("enough was seen.")

    monkeypatch.setattr(workers, "train_here", note)
    monkeypatch.setitem(RECIPES["none"], "weight_decay", 0.01)  # as in another version
    with pytest.raises(TrainingError, match="enough"):
        run_study(tiny_study.folder, root=tiny_study.root)


@pytest.fixture
def copied_study(tiny_study, tmp_path):
    """The tiny study's networks in a project of its own, whose settings ask for a quick audit."""
    return rewrite_settings(linked(tiny_study.root, tmp_path), **QUICK)


@pytest.fixture
def hardly_audited():
    """For tests of which networks a study trains and rests on."""
    with few_questions():
        yield


def no_training(*_, **__):
    raise AssertionError("a network would be trained")


def test_the_audit_alone_is_made_again_when_only_its_settings_change_and_again_gives_the_same_numbers(
    tiny_study, copied_study, monkeypatch
):
    monkeypatch.setattr(workers, "train_here", no_training)
    rewrite_settings(copied_study, margin="0.04")
    bundle = run_study(tiny_study.folder, root=copied_study)
    assert bundle == bundle_folder("tiny", copied_study)
    first = load("tiny", copied_study).manifest
    assert first["settings"]["audit"]["margin"] == 0.04
    run_study(tiny_study.folder, root=copied_study, again=True)
    assert load("tiny", copied_study).manifest["files"] == first["files"]


@pytest.mark.parametrize(
    ("change", "seeds"),
    [({"epochs": "2"}, [1, 2]), ({"image_size": "40"}, [1, 2]), ({"seeds": "[1, 2, 3]"}, [3]), ({"seeds": "[2]"}, [])],
)
@pytest.mark.usefixtures("hardly_audited")
def test_only_the_networks_that_other_settings_need_are_trained(tiny_study, copied_study, monkeypatch, change, seeds):
    asked = []

    def note(plan, tensors, missing, deadline=None):
        asked.extend(missing)
        raise TrainingError("enough was seen.")

    monkeypatch.setattr(workers, "train_here", note)
    rewrite_settings(copied_study, **change)
    with pytest.raises(TrainingError) if seeds else nullcontext():
        run_study(tiny_study.folder, root=copied_study)
    assert asked == [(weighting, seed) for seed in seeds[:1] for weighting in ("uniform", "kamiran_calders_sex")]
    # nothing that rests on more networks was replaced by less
    assert load("tiny", copied_study).n_seeds == (2 if seeds else 1)


@pytest.mark.usefixtures("hardly_audited")
def test_networks_that_could_not_start_from_imagenet_are_kept_as_what_they_are(tiny_study, copied_study, monkeypatch):
    def no_route(*_, **__):
        raise URLError("no route")

    monkeypatch.setattr(ResNet18_Weights, "get_state_dict", no_route)
    monkeypatch.setattr(workers, "train_here", no_training)
    rewrite_settings(copied_study, initial_weights='"imagenet"', network='"resnet18"')
    run_study(tiny_study.folder, root=copied_study)
    manifest = load("tiny", copied_study).manifest
    assert manifest["requested"]["training"]["initial_weights"] == "imagenet"
    assert manifest["settings"]["training"]["initial_weights"] == "none"


def test_a_changed_cohort_needs_other_networks(tiny_study, copied_study, monkeypatch, tmp_path_factory):
    monkeypatch.setattr(workers, "train_here", no_training)
    changed = shutil.copytree(tiny_study.folder, tmp_path_factory.mktemp("changed") / "tiny")
    next((changed / "train" / "sain").glob("*.png")).unlink()
    with pytest.raises(AssertionError, match="a network would be trained"):
        run_study(changed, root=copied_study)


def test_an_unreadable_image_is_counted_and_left_out(tiny_cohort, tiny_root, monkeypatch, tmp_path_factory):
    folder = shutil.copytree(tiny_cohort, tmp_path_factory.mktemp("damaged") / "tiny")
    damaged = next((folder / "train" / "malade").glob("*.png"))
    damaged.write_bytes(damaged.read_bytes()[:100])
    seen = []

    def stop(plan, deadline=None):
        seen.append(plan)
        raise TrainingError("enough was seen.")

    monkeypatch.setattr("lib.study.run.train_all", stop)
    with pytest.raises(TrainingError):
        run_study(folder, root=tiny_root)
    cohort = read_cohort(folder)
    assert set(cohort.frame["image"]) - set(seen[0].frame["image"]) == {damaged.name}
    frame, checks, pixels = readable(cohort, 32, tiny_root / "data" / ".pixels")
    assert len(pixels) == frame.height == cohort.frame.height - 1
    assert checks["rows"].to_list()[-2:] == [1, frame.height]


WRONG = {
    "an unknown weighting": ("weightings", '["uniform", "lucky"]', "training", "weightings"),
    "no weighting": ("weightings", "[]", "training", "weightings"),
    "a weighting twice": ("weightings", '["uniform", "uniform"]', "training", "weightings"),
    "no baseline": ("weightings", '["inverse_class_frequency"]', "training", "weightings"),
    "no baseline decision": ("postprocessings", '["equal_tpr"]', "audit", "postprocessings"),
    "unknown decision": ("postprocessings", '["fixed_0.5", "coin"]', "audit", "postprocessings"),
    "text for a list": ("weightings", '"uniform"', "training", "weightings"),
    "a number for seeds": ("seeds", "3", "training", "seeds"),
    "a seed twice": ("seeds", "[1, 1]", "training", "seeds"),
    "a negative seed": ("seeds", "[-1]", "training", "seeds"),
    "text for a seed": ("seeds", '["one"]', "training", "seeds"),
    "text for a number": ("image_size", '"64"', "training", "image_size"),
    "a fraction": ("epochs", "1.5", "training", "epochs"),
    "tiny images": ("image_size", "8", "training", "image_size"),
    "unknown start": ("initial_weights", '"chexpert"', "training", "initial_weights"),
    "margin too wide": ("margin", "0.7", "audit", "margin"),
    "empty cells": ("smallest_cell", "0", "audit", "smallest_cell"),
    "a number for the cohort": ("cohort", "3", "", "cohort"),
    "a column twice": ("attributes", '["sex", "sex:Gender"]', "audit", "attributes"),
    "unknown preference": ("attribute", '"income"', "preferences", "attribute"),
    "a loss of everything": ("largest_loss", "2.0", "preferences", "largest_loss"),
    "text for a yes": ("may_use_demographics", '"no"', "preferences", "may_use_demographics"),
    "an unknown engine": ("engine", '"cloud"', "compute", "engine"),
    "an unknown precision": ("precision", '"8"', "compute", "precision"),
    "an unknown language": ("lang", '"tlh"', "report", "lang"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_setting_that_cannot_be_used_is_one_sentence_with_its_line(tiny_cohort, tiny_root, wrong):
    written, value, table, key = WRONG[wrong]
    rewrite_settings(tiny_root, **{written: value})
    lines = (tiny_root / "study.toml").read_text("utf-8").splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.startswith(f"{key} = "))
    with pytest.raises(SettingsError) as error:
        run_study(tiny_cohort, root=tiny_root)
    place = f"{tiny_root / 'study.toml'}, line {line}{f', [{table}]' if table else ''}: {key} "
    assert str(error.value).startswith(place) and "\n" not in str(error.value) and str(error.value).endswith(".")


def edited(root, old: str, new: str):
    text = (root / "study.toml").read_text("utf-8")
    assert old in text
    (root / "study.toml").write_text(text.replace(old, new), "utf-8")
    return root


@pytest.mark.parametrize(
    ("old", "new", "place", "key"),
    [
        ("margin =", "margins =", "margins =", "[audit]: 'margins' is unknown; allowed are attributes, "),
        ("[audit]", "[audits]", "[audits]", "'audits' is unknown; allowed are audit, cohort, "),
        ("cohort =", "# cohort =", None, "'cohort' is missing; needed are cohort, source"),
        ("members = [", 'members = [{ did = "all" },', "members = [", "'who' is missing; needed are who"),
    ],
)
def test_missing_and_unknown_keys_are_named(tiny_root, old, new, place, key):
    text = edited(tiny_root, old, new).joinpath("study.toml").read_text("utf-8").splitlines()
    with pytest.raises(SettingsError) as error:
        read_settings(tiny_root)
    line = place and next(number for number, written in enumerate(text, 1) if written.startswith(place))
    assert key in str(error.value) and (line is None or f", line {line}" in str(error.value))


def test_a_file_that_is_missing_or_no_toml_is_one_sentence(tiny_root):
    rewrite_settings(tiny_root, seeds="[1,")
    with pytest.raises(SettingsError, match="study.toml is not TOML: "):
        read_settings(tiny_root)
    (tiny_root / "study.toml").unlink()
    with pytest.raises(SettingsError, match="study.toml is missing: "):
        read_settings(tiny_root)


def test_the_page_of_settings_tells_what_the_schema_says():
    assert (ROOT / "docs" / "settings.md").read_text("utf-8") == settings_page()


def test_all_but_two_settings_have_a_default(tmp_path):
    (tmp_path / "study.toml").write_text('cohort = "a"\nsource = "b"\n', "utf-8")
    settings = study_settings(tmp_path)
    assert settings.training.weightings[0] == "uniform" and settings.report.authors
    assert read_settings(tmp_path)["group"] == {}


def test_the_chosen_cohort_is_the_environments_or_that_of_the_settings(tiny_root, monkeypatch):
    assert chosen_cohort(tiny_root) == "tiny"
    monkeypatch.setenv("COHORT", "")
    assert chosen_cohort(tiny_root) == "tiny"
    monkeypatch.setenv("COHORT", "some/where/NOM_PRENOM/")
    assert chosen_cohort(tiny_root) == "some/where/NOM_PRENOM/"
    assert bundle_folder(root=tiny_root) == tiny_root / "data" / "NOM_PRENOM" / "results"
    assert cohort_name(".") == os.path.basename(os.getcwd())


def plan_for(study, tmp_path, **changes) -> Plan:
    frame = read_cohort(study.folder).frame
    given = {
        "weightings": ("uniform",),
        "seeds": (1,),
        "settings": TrainingSettings.for_start({"network": "resnet18", "image_size": 32, "epochs": 1}, "none"),
    }
    given |= {
        "compute": ComputeSettings(precision="32-true"),
        "frame": frame,
        "cohort_key": "tiny",
        "store": tmp_path / "runs",
        "pixels": tmp_path / "pixels",
    }
    return Plan(**given | changes)


@pytest.mark.usefixtures("forked")
def test_an_error_in_a_training_process_arrives_as_itself(tiny_study, tmp_path):
    frame = read_cohort(tiny_study.folder).frame
    one_sex = frame.with_columns(sex=pl.when(pl.col("label") == 1).then(pl.lit("F")).otherwise(pl.col("sex")))
    with pytest.raises(
        ValueError, match="^Weighting kamiran_calders_sex: no training image of the group 'M' is sick; "
    ):
        train_all(plan_for(tiny_study, tmp_path, frame=one_sex, weightings=("kamiran_calders_sex",)))


@pytest.fixture
def forked(monkeypatch):
    """Processes of trainings are forks, where a system has them, of one that has imported what all of them import."""
    if "forkserver" in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["lib.training.workers"])
        monkeypatch.setattr(workers.multiprocessing, "get_context", lambda method=None: context)


@pytest.mark.usefixtures("forked")
def test_a_killed_training_process_is_one_sentence(tiny_study, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "train_one", here.killed)
    with pytest.raises(TrainingError, match="^A training process was stopped .*; start again to resume where it was.$"):
        train_all(plan_for(tiny_study, tmp_path))


@pytest.mark.usefixtures("hardly_audited")
def test_networks_are_trained_seed_by_seed_and_a_study_short_of_time_rests_on_whole_seeds(
    tiny_study, copied_study, monkeypatch, caplog
):
    """With no minute left only the first seed of every weighting is trained; started again, the study goes on."""
    asked = []

    def note(plan, tensors, missing, deadline=None):
        """Those of seeds 1 and 2 are taken for them: in what order, and how many, is what is tested."""
        asked.append((missing, deadline is not None))
        for weighting, seed in missing:
            linked(plan.folder(weighting, seed - 6), plan.folder(weighting, seed))

    monkeypatch.setattr(workers, "train_here", note)
    rewrite_settings(copied_study, seeds="[7, 8]")
    with caplog.at_level(logging.WARNING):
        bundle = run_study(tiny_study.folder, root=copied_study, minutes=0)
    assert asked == [([("uniform", 7), ("kamiran_calders_sex", 7)], False)]
    assert "The results rest on 1 of 2 networks of each weighting" in caplog.text
    study = load("tiny", copied_study)
    assert study.runs["seed"].to_list() == [7, 7] and study.n_seeds == 1
    run_study(tiny_study.folder, root=copied_study)
    assert asked[1:] == [([("uniform", 8), ("kamiran_calders_sex", 8)], False)]
    assert load("tiny", copied_study).n_seeds == 2 and bundle == bundle_folder("tiny", copied_study)


def test_a_cohort_too_small_for_a_weighting_is_refused_before_anything_is_trained(tiny_cohort, tiny_root, monkeypatch):
    monkeypatch.setattr("lib.study.run.train_all", no_training)
    rewrite_settings(tiny_root, weightings='["uniform", "kamiran_calders_sex+age_group+view"]')
    with pytest.raises(ValueError, match="^Weighting kamiran_calders_sex"):
        run_study(tiny_cohort, root=tiny_root)
