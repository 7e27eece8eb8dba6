"""Existing predictions are audited as a study is; whatever cannot be known is one sentence and exit status 2."""

import shutil
from functools import partial

import numpy as np
import polars as pl
import pytest
import tables
from bs4 import BeautifulSoup
from cohorts import place
from conftest import ROOT

from lib import __main__ as cli
from lib import results
from lib.predictions import PredictionError, audit_predictions, save_bundle, summary
from lib.render.quarto import find_quarto
from lib.render.report import render_predictions
from lib.tables import TABLES

pytestmark = pytest.mark.usefixtures("audited_quickly")

PATIENTS = 120

people = partial(tables.people, PATIENTS)


def predicted(seed: int = 0, logits: bool = True) -> pl.DataFrame:
    """What the course's script writes: the metadata, then classes (malade 0, sain 1) and the network's outputs."""
    metadata = people()
    sick = (metadata["Finding Labels"] != "No Finding").to_numpy()
    logit = 1.5 * (sick - 0.5) + np.random.default_rng(seed).normal(0, 1, len(sick))
    outputs = {"preds_logit0": 3 + logit, "preds_logit1": np.full(len(sick), 3.0)} if logits else {}
    return metadata.with_columns(pl.Series("preds", (logit < 0) * 1), pl.Series("labels", ~sick * 1)).with_columns(
        pl.Series(name, values) for name, values in outputs.items()
    )


@pytest.fixture
def write(tmp_path):
    def file(name: str, frame: pl.DataFrame) -> str:
        frame.write_csv(tmp_path / name)
        return str(tmp_path / name)

    file("metadata.csv", people())
    return file


def run(files, tmp_path, *more: str) -> int:
    return cli.main(["audit", *files, "--metadata", str(tmp_path / "metadata.csv"), *more])


reading = pytest.mark.usefixtures("few_asked")
"""For tests of what is audited, and not of what is found."""


def level(found, metric: str, weighting: str = "uniform") -> float | None:
    """The baseline decision's figure of everyone, by image."""
    metrics = found.tables["metrics"].filter(attribute="overall", metric=metric, weighting=weighting, unit="image")
    return metrics["estimate"].item() if metrics.height else None


@reading
def test_the_courses_file_is_read_as_it_is_meant(write):
    frame = predicted()
    found = audit_predictions([write("preds.csv", frame)])  # it is its own metadata
    sick = frame["labels"].to_numpy() == 0
    assert level(found, "tpr") == pytest.approx(np.mean(frame["preds"].to_numpy()[sick] == 0), abs=1e-12)
    assert level(found, "fpr") == pytest.approx(np.mean(frame["preds"].to_numpy()[~sick] == 0), abs=1e-12)
    assert level(found, "auc") > 0.75
    assert found.rows["patient"].n_unique() == PATIENTS


@reading
def test_plain_scores_say_the_same_as_logits(write):
    frame = predicted()
    logit = (frame["preds_logit0"] - frame["preds_logit1"]).to_numpy()
    plain = pl.DataFrame({"image": "some/folder/" + frame["Image Index"], "score": 1 / (1 + np.exp(-logit))})
    files = [write("course.csv", frame), write("plain.csv", plain)]
    found = audit_predictions(files)
    for metric in ("tpr", "fpr", "balanced_accuracy", "auc"):
        assert level(found, metric) == pytest.approx(level(found, metric, "plain"), abs=1e-12)
    assert "plain.csv has no labels: those of course.csv are used." in found.notices


@reading
def test_without_scores_ranking_is_not_estimable_and_rates_are(write):
    files = [write("hard.csv", predicted(logits=False)), write("soft.csv", predicted(1))]
    found = audit_predictions(files)
    assert level(found, "auc") is None and level(found, "auc", "soft") is not None and level(found, "tpr") is not None
    assert found.tables["effects"].filter(metric="auc")["estimate"].is_null().all()
    assert any("hard.csv is audited by its decisions" in notice for notice in found.notices)
    assert set(found.tables["calibration"]["weighting"]) <= {"soft"}


@reading
def test_networks_of_one_method_are_averaged(write):
    files = [write(f"{k}.csv", predicted(k)) for k in range(3)]
    together = audit_predictions([f"net={files[0]},{files[1]}", f"other={files[2]}"])
    assert together.networks == {"uniform": 2, "other": 1}
    alone = [level(audit_predictions([file]), "tpr") for file in files[:2]]
    assert level(together, "tpr") == pytest.approx(np.mean(alone), abs=1e-12)
    assert "and by network" in summary(together) and "net (baseline)" in summary(together)


@reading
def test_the_baseline_can_be_chosen(write):
    files = [write("a.csv", predicted(0)), write("b.csv", predicted(1))]
    found = audit_predictions(files, baseline="b")
    assert found.methods == {"uniform": "b", "a": "a"}
    assert set(found.tables["effects"]["weighting"]) == {"a"}


@reading
def test_train_and_valid_together_are_told_to_flatter(write, tmp_path):
    frame = predicted()
    file = write("preds.csv", frame)
    everything = audit_predictions([file])
    assert not everything.held_out and any("training images may be among them" in w for w in everything.warnings)
    for name in frame["Image Index"][:100]:
        (place(tmp_path / "cohort", "valid", 0) / name).touch()
    names = write("names.csv", frame.select("Image Index").head(100))
    for valid in (tmp_path / "cohort", names):
        found = audit_predictions([file], valid=valid)
        assert found.held_out and found.rows.height == 100


@reading
@pytest.mark.parametrize("column", [True, False])
def test_a_split_in_the_file_or_in_its_paths_is_kept_to(write, column):
    frame, split = predicted(), np.where(np.arange(2 * PATIENTS) < 80, "valid", "train")
    if column:
        frame = frame.with_columns(fold=pl.Series(split))
    else:
        frame = frame.with_columns(
            pl.Series("Image Index", [f"x/{s}/malade/{i}" for s, i in zip(split, frame[:, 0], strict=True)])
        )
    found = audit_predictions([write("p.csv", frame)], write("meta.csv", people()))
    assert found.held_out and found.rows.height == 80


@reading
def test_files_of_different_lengths_are_audited_on_what_they_share(write):
    files = [write("a.csv", predicted(0)), write("b.csv", predicted(1).tail(200).reverse())]
    found = audit_predictions(files)
    assert found.rows.height == 200
    assert any("(a.csv 240, b.csv 200): audited on the 200 that all have" in notice for notice in found.notices)


@reading
def test_rows_without_names_are_matched_by_position_only_where_that_can_be_checked(write):
    nameless = predicted().select("Patient Gender", "View Position", "preds_logit0", "preds_logit1", "labels")
    named = audit_predictions([write("a.csv", predicted())])
    meta = write("meta.csv", people())
    found = audit_predictions([write("b.csv", nameless)], meta)
    assert found.tables["gaps"].equals(named.tables["gaps"])
    assert any("matched by position, labels and sex and view agree" in notice for notice in found.notices)


NAMELESS = ["preds", "labels"]
BAD = {
    "missing": (None, "x.csv is missing"),
    "empty": (predicted().clear(), "has no rows"),
    "no prediction": (people(), "has no prediction"),
    "score above 1": (pl.DataFrame({"image": ["00000_000.png"], "score": [1.5]}), "allowed is 0 to 1"),
    "score is text": (pl.DataFrame({"image": ["00000_000.png"], "score": ["high"]}), "'high' is not a finite number"),
    "score is infinite": (pl.DataFrame({"image": ["00000_000.png"], "score": ["inf"]}), "is not a finite number"),
    "class 2": (predicted(logits=False).with_columns(preds=pl.lit(2)), "'2' is not a class; allowed are 0 and 1"),
    "no name": (predicted().with_columns(pl.lit("").alias("Image Index")), "no row names an image"),
    "unknown images": (
        predicted().with_columns(pl.concat_str(pl.lit("z"), "Image Index").alias("Image Index")),
        "none of the 240 images",
    ),
    "one class": (predicted().filter(pl.col("labels") == 0), "none of the .* images is healthy; both classes"),
    "twice": (pl.concat([predicted(0), predicted(1)]), "rows that differ for the same image"),
    "all train": (predicted().with_columns(split=pl.lit("train")), "has no validation image"),
    "odd split": (predicted().with_columns(split=pl.lit("third")), "'third' is not a split"),
    "nameless, other length": (predicted().select(NAMELESS).head(9), "rows cannot be matched"),
    "nameless, shuffled": (predicted().select(NAMELESS).reverse(), "its labels disagree"),
    "nameless, unverifiable": (predicted().select("preds"), "neither labels nor attributes"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_audited_is_one_sentence_and_exit_status_2(case, write, tmp_path, capsys):
    frame, said = BAD[case]
    file = str(tmp_path / "x.csv") if frame is None else write("x.csv", frame)
    assert run([file], tmp_path) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1 and message.endswith(".\n"), message
    with pytest.raises(PredictionError, match=said):
        audit_predictions([file], tmp_path / "metadata.csv")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--baseline", "nobody"], "--baseline 'nobody' is not among the methods"),
        (["--codes", "age:0=old"], "'age' cannot be coded"),
        (["--codes", "sex:0=M"], "sex needs a code for each of F, M"),
        (["--margin", "0.7"], "allowed is above 0"),
        (["--valid", "nowhere.csv"], "nowhere.csv is missing"),
        (["--metadata", "nowhere.csv"], "nowhere.csv is missing"),
        (["again=a.csv"], "is given twice"),
        (["net="], "names no file"),
    ],
)
def test_options_that_cannot_be_are_one_sentence(more, said, write, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("a.csv", predicted())
    arguments = ["audit", "a.csv", *[m for m in more if "=" in m and m[0] != "-" and more[0][0] != "-"]]
    assert cli.main([*arguments, *(more if more[0][0] == "-" else [])]) == 2
    assert said in capsys.readouterr().err


def test_files_that_contradict_each_other_are_refused(write):
    other = predicted().with_columns(
        labels=pl.when(pl.int_range(pl.len()) < 5).then(1 - pl.col("labels")).otherwise("labels")
    )
    with pytest.raises(PredictionError, match="disagree on the label of 5 images"):
        audit_predictions([write("a.csv", predicted()), write("b.csv", other)])


@reading
def test_the_command_prints_methods_groups_gaps_and_changes(write, tmp_path, capsys):
    assert run([write("a.csv", predicted()), write("b.csv", predicted(1))], tmp_path) == 0
    text = capsys.readouterr().out
    for part in (
        "240 images of 120 patients",
        "a (baseline)",
        "view AP - PA",
        "against the baseline",
        "TPR, sex F - M",
    ):
        assert part in text
    assert max(map(len, text.splitlines())) < 250


def test_a_bundle_of_predictions_holds_every_table_and_spares_a_study(write, tmp_path):
    found = audit_predictions([write("a.csv", predicted())])
    save_bundle(found, "mine", "predictions in a.csv", root=tmp_path)
    loaded = results.load("mine", tmp_path)
    assert loaded.manifest["of_predictions"] and loaded.runs.is_empty() and not loaded.metrics.is_empty()
    assert loaded.n_seeds == 1
    save_bundle(found, "mine", "again", root=tmp_path)
    study = {key: value for key, value in loaded.manifest.items() if key not in ("of_predictions", "files")}
    results.save(tmp_path / "data" / "study" / "results", study, loaded.tables, TABLES)
    with pytest.raises(results.BundleError, match="holds the results of a study"):
        save_bundle(found, "study", "", root=tmp_path)


@pytest.mark.parametrize("program", ["none", pytest.param("quarto", marks=pytest.mark.slow)])
def test_the_report_of_predictions_is_a_page_and_a_pdf_and_spares_the_studys_book(
    program, write, tmp_path, monkeypatch, request
):
    if program == "quarto" and find_quarto(install=False).program is None:
        pytest.skip("Quarto is not installed")
    if program == "none":
        monkeypatch.setenv("QUARTO_PATH", "none")
        request.getfixturevalue("few_asked")  # what else the pages may show is tested in `test_chapters`
    files = [write("mine.csv", predicted())] + [write("other.csv", predicted(1))] * (program == "quarto")
    root = tmp_path / "project"
    for part in ("lib", "chapters", "study.toml", "_brand.yml"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        root.mkdir(exist_ok=True)
        copy(ROOT / part, root / part)
    found = audit_predictions(files)
    bundle = save_bundle(found, "given", "predictions in my files", root=root)
    before = sorted(root.iterdir())
    page, pdf = render_predictions(root, bundle)
    text = page.read_text("utf-8")
    assert page.parent == bundle.parent / "report" and pdf.read_bytes().startswith(b"%PDF")
    for part in ("240 images", "120 patients", "<svg", *(["other"] if program == "quarto" else [])):
        assert part in text
    shown = BeautifulSoup(text, "html.parser").body
    for script in shown("script"):
        script.decompose()
    assert ("draft" in shown.get_text().lower()) == (program == "none")
    assert sorted(root.iterdir()) == before, "nothing but data/given has changed"
