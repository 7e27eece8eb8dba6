"""Published predictions: only where allowed, and enough to recompute the bundle's figures."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from conftest import QUICK, rewrite_settings
from made import few_questions, linked
from pytest import approx
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from lib import results
from lib.names import BASELINE_POSTPROCESSING
from lib.predictions import audit_predictions
from lib.settings import ROOT
from lib.settings_schema import StudySettings
from lib.study.published import may_be_published, predictions
from lib.study.run import run_study

NIH = ROOT.parent / "shared" / "cohorts" / "NIH_A"
NAMED = {"cohort": "nih", "source": "NIH ChestX-ray14"}


def settings(**more):
    return StudySettings(**NAMED | more)


PUBLIC = pl.Series(["00000013_005.png", "00030801_001.png"])


@pytest.mark.parametrize(
    ("said", "cohort", "source", "images", "allowed"),
    [
        ({}, "nih", "NIH ChestX-ray14", PUBLIC, True),
        ({}, "NOM_PRENOM", "NIH ChestX-ray14", PUBLIC, False),
        ({}, "nih", "drawn radiographs (a phantom)", PUBLIC, False),
        ({}, "nih", "NIH ChestX-ray14", pl.Series(["00000013_005.png", "patient_7.png"]), False),
        ({"publish_predictions": False}, "nih", "NIH ChestX-ray14", PUBLIC, False),
        ({"publish_predictions": True}, "NOM_PRENOM", "our hospital", pl.Series(["a.png"]), True),
    ],
)
def test_predictions_are_published_for_the_public_cohort_or_where_it_is_said(said, cohort, source, images, allowed):
    assert may_be_published(settings(results=said), cohort, source, images) is allowed


def test_other_sources_named_in_the_settings_are_not_public():
    assert not may_be_published(settings(source="our hospital"), "nih", "our hospital", PUBLIC)


def test_a_column_is_a_network_and_decisions_survive_single_precision():
    edge = np.nextafter(0.5, [0, 1])
    table = predictions(
        PUBLIC, {"uniform": np.array([edge, edge[::-1]]), "csv": np.array([[0.1, 0.2], [0.3, 1]])}, [1, 7]
    )
    assert dict(table.schema) == {"image": pl.String} | dict.fromkeys(
        ("uniform/seed1", "uniform/seed7", "csv/seed1", "csv/seed7"), pl.Float32
    )
    assert [(table[name] >= 0.5).to_list() for name in ("uniform/seed1", "uniform/seed7")] == [
        [False, True],
        [True, False],
    ]


@pytest.fixture(scope="module")
def published(tiny_study, tmp_path_factory) -> Path:
    """The tiny study with its predictions: its networks are those of the other, which are kept."""
    root = tmp_path_factory.mktemp("published") / "project"
    linked(tiny_study.root, root)
    rewrite_settings(root, **QUICK, publish_predictions="true")
    with few_questions():
        return run_study(tiny_study.folder, root=root)


levels = pytest.mark.parametrize("few_asked", [("metrics",)], indirect=True, ids=[""])


def test_the_study_publishes_what_it_may_and_nothing_more(published, tiny_study):
    assert not (tiny_study.bundle / "predictions.parquet").exists()
    table = pl.read_parquet(published / "predictions.parquet")
    assert table.columns[0] == "image" and all("/seed" in name for name in table.columns[1:])
    assert "predictions.parquet" in json.loads((published / "study.json").read_text("utf-8"))["files"]
    valid = [path.name for path in (tiny_study.folder / "valid").rglob("*.png")]
    assert sorted(table["image"]) == sorted(valid)


@levels
def test_figures_of_the_study_are_recomputed_from_its_predictions(published, tiny_study, tmp_path, few_asked):
    recompute(published, tiny_study.folder / "metadata.csv", tmp_path, tied=1e-3)


@levels
@pytest.mark.skipif(not NIH.is_dir(), reason="the cohort of the published study is not on this machine")
@pytest.mark.skipif(
    not (ROOT / "data" / "nih" / "results" / "predictions.parquet").is_file(),
    reason="the published bundle was made before predictions were published",
)
def test_figures_of_the_published_study_are_recomputed_from_its_predictions(tmp_path, few_asked):
    recompute(ROOT / "data" / "nih" / "results", NIH / "metadata.csv", tmp_path)


def recompute(bundle: Path, metadata: Path, folder: Path, tied: float = 1e-5) -> None:
    """AUC and balanced accuracy of every network, and every level of every group, from predictions and metadata alone.

    `tied`: by how much an AUC may differ, since scores that differ in Float64 may be equal in Float32.
    """
    study = results.load(bundle.parent.name, bundle.parent.parent.parent)
    table = pl.read_parquet(bundle / "predictions.parquet")
    labels = pl.read_csv(metadata, infer_schema=False, truncate_ragged_lines=True).select(
        image="Image Index", label=(pl.col("Finding Labels") != "No Finding").cast(pl.Int64)
    )
    labelled = table.join(labels, on="image", how="left", maintain_order="left")
    assert len(table.columns) == 1 + study.runs.height
    for run in study.runs.to_dicts():
        scores = labelled[f"{run['weighting']}/seed{run['seed']}"]
        assert run["auc"] == approx(roc_auc_score(labelled["label"], scores), abs=tied)
        assert run["balanced_accuracy"] == approx(balanced_accuracy_score(labelled["label"], scores >= 0.5), abs=1e-9)
    files = []
    for weighting in study.runs["weighting"].unique(maintain_order=True):
        paths = []
        for column in (name for name in table.columns if name.rpartition("/")[0] == weighting):
            paths.append(folder / f"{len(files)}_{len(paths)}.csv")
            table.select("image", score=column).write_csv(paths[-1])
        files.append(f"{weighting}={','.join(map(str, paths))}")
    audited = audit_predictions(files, metadata, smallest_cell=study.manifest["settings"]["audit"]["smallest_cell"])
    keys = ["weighting", "attribute", "group", "metric", *(["unit"] if "unit" in study.metrics.columns else [])]
    value = "estimate" if "estimate" in study.metrics.columns else "value"
    told = study.metrics.filter(postprocessing=BASELINE_POSTPROCESSING).select(*keys, value)
    again = audited.tables["metrics"].select(*keys, pl.col(value).alias("again"))
    both = told.join(again, on=keys, how="left").drop_nulls(value)
    assert both.height > 10 and {"auc", "tpr", "fpr"} <= set(both["metric"])
    assert both["again"].null_count() == 0
    assert (both[value] - both["again"]).abs().max() < tied
