"""The course's script from the command line and from its notebook; mistakes are told before anything is trained."""

import shutil

import nbformat
import polars as pl
import pytest
from conftest import ROOT
from drop_in import ADDED, FLAGS, alike
from nbclient import NotebookClient

import train_classifieur as script

pytest_plugins = ["drop_in_fixtures"]
pytestmark = alike
NOTEBOOK = ROOT / "notebooks" / "train_classifieur.ipynb"


def test_one_command_trains_and_predicts(cohort, trained, tmp_path, capsys):
    logs, path, score = trained
    out = tmp_path / "new" / "preds.csv"
    where = ["--logdir", str(logs), "--datadir", str(cohort), "--csv", str(cohort / "metadata.csv")]
    assert script.main([*where, "--weights_col", "OWN", *FLAGS, "--csv_out", str(out)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith(
        f"{path}: loss {score:.4f} (lower is better; AUC {score.auc:.4f}, higher is better), on the"
    )
    assert "; reused: trained before, in " in told[0] and told[0].endswith(" to train it anew.")
    assert [line.split(":")[0][:13] for line in told[1:4]] == ["valid", "train + valid", "valid, sex F"]
    assert pl.read_csv(out).columns[-4:] == ADDED


@pytest.mark.parametrize("flag", ["--ckpt", "--ckpt_path"])
def test_prediction_alone_takes_a_checkpoint_by_either_name(cohort, untrained, tmp_path, flag, monkeypatch):
    monkeypatch.setattr(script, "train_classifier", lambda *_, **__: 1 / 0)
    out = tmp_path / "preds.csv"
    where = ["--datadir", str(cohort), "--csv", str(cohort / "metadata.csv"), "--csv_out", str(out)]
    assert script.main([*where, flag, str(untrained), "--train", "False", "--pred", "true"]) == 0
    assert pl.read_csv(out).columns[-4:] == ADDED


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--datadir", "d", "--csv", "c"], "Nothing to do: give --train True, --pred True or both."),
        (["--train", "True"], "--datadir, --csv, --logdir must be given for this; --help explains each."),
        (["--pred", "True", "--datadir", "d", "--csv", "c"], "--csv_out, --ckpt must be given for this; --help"),
        (["--datadir", "gone", "--csv", "c", "--logdir", "l"], "gone is not a folder: "),
    ],
)
def test_a_mistake_is_one_sentence(flags, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert script.main(flags) == 1
    error = capsys.readouterr().err
    assert error.startswith(told) and error.count("\n") == 1 and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--csv_out", "{file}/preds.csv"], "Nothing can be written to the folder {file} (a file is in its way)"),
        (["--csv_out", "{folder}"], "{folder} is a folder: name the file in it"),
        (
            ["--csv_out", "{folder}/a.csv", "--preds_col", "Patient Age"],
            "The predictions cannot be called 'Patient Age'",
        ),
        (["--csv_out", "{folder}/a.csv", "--preds_col", "OWN"], "The predictions cannot be called 'OWN'"),
        (
            ["--csv_out", "{folder}/a.csv", "--preds_col", "W", "--weights_col", "W"],
            "--preds_col and --weights_col are",
        ),
        (["--csv_out", "{folder}/a.csv", "--network", "vgg"], "network is 'vgg'; allowed is"),
        (["--csv_out", "{folder}/a.csv", "--max_epochs", "0"], "epochs is 0; allowed is"),
        (["--csv_out", "{folder}/a.csv", "--weights_col", "MINE"], "{csv} has no column 'MINE' to take weights from"),
        (["--csv_out", "{folder}/a.csv", "--weights", "{file}"], "{file} is empty: no network can be read from it."),
    ],
)
def test_what_cannot_be_done_at_the_end_is_told_before_the_beginning(
    cohort, tmp_path, monkeypatch, capsys, flags, told
):
    monkeypatch.setattr("lib.dropin.training.train_run", lambda *_, **__: 1 / 0)
    monkeypatch.setattr("lib.cohort.images.read_grey", lambda *_, **__: 1 / 0)
    (tmp_path / "file").touch()
    places = {"file": tmp_path / "file", "folder": tmp_path, "csv": cohort / "metadata.csv"}
    where = ["--logdir", str(tmp_path / "logs"), "--datadir", str(cohort), "--csv", str(cohort / "metadata.csv")]
    assert script.main([*where, "--weights_col", "OWN", *(flag.format(**places) for flag in flags)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(told.format(**places)) and error.count("\n") == 1


def test_a_flag_is_true_or_false(capsys):
    with pytest.raises(SystemExit) as stop:
        script.main(["--train", "maybe"])
    assert stop.value.code == 2 and "'maybe' is neither True nor False" in capsys.readouterr().err


def test_the_notebook_is_kept_without_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert all(not cell.outputs and cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")


@pytest.mark.slow
def test_the_notebook_runs(cohort, tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    project = tmp_path / "project"
    shutil.copytree(ROOT / "lib", project / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "train_classifieur.py", project)
    (project / "notebooks").mkdir()
    changed = 0
    for cell in notebook.cells:
        if "# your cohort and settings" in cell.source:
            changed += 1
            cell.source += (
                f"\nDATADIR = Path({str(cohort)!r})\nNETWORK, WEIGHTS, EPOCHS, IMAGE_SIZE = 'resnet18', 'none', 1, 32"
            )
    assert changed == 1
    done = NotebookClient(notebook, timeout=600, kernel_name="python3").execute(cwd=str(project / "notebooks"))
    printed = "".join(
        o.get("text", "") for cell in done.cells for o in cell.get("outputs", ()) if o.get("name") == "stdout"
    )
    assert printed.count("\nvalid: accuracy ") == 2 and printed.count("train + valid, as the course's") == 2
    assert printed.count("; trained in ") == 1 and printed.count("; reused: trained before") == 1
    assert pl.read_csv(project / "notebooks" / "logs" / "preds.csv").columns[-4:] == ADDED
