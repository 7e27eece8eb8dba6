"""The course's script: its calls and flags, weights that find their image, predictions beside the rows they belong to."""

import pickle
import shutil
from pathlib import Path

import nbformat
import numpy as np
import polars as pl
import pytest
import torch
from cohorts import draw_cohort
from conftest import ROOT
from lib.training.network import build
from nbclient import NotebookClient
from torchvision.models import resnet18

import train_classifieur as script
from lib.cohort import CohortError
from lib.dropin import CheckpointError, predict, train, training
from lib.dropin.checkpoint import load_checkpoint, save_checkpoint
from lib.dropin.weights import read_weights
from lib.preprocessing import WeightingError
from lib.training.inference import folded, predict_logits
from lib.training.settings import TrainingSettings

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec", "ignore:.*srun")
SMALL = {"epochs": 2, "seed": 1, "image_size": 32, "initial": "none"}
FLAGS = ["--max_epochs", "2", "--image-size", "32", "--weights", "none"]
STEPS = 2
"""Batches an epoch: about 72 images to fit, 32 at a time."""
ADDED = ["preds", "labels", "preds_logit0", "preds_logit1"]


@pytest.fixture(scope="module", autouse=True)
def pixels(tmp_path_factory):
    """Decoded images go to a folder of the tests, and sums are in one order."""
    before, threads = training.PIXELS, torch.get_num_threads()
    training.PIXELS = tmp_path_factory.mktemp("pixels")
    torch.set_num_threads(1)
    yield training.PIXELS
    training.PIXELS = before
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """A small cohort whose CSV has a column of unequal weights, too."""
    folder = draw_cohort(tmp_path_factory.mktemp("drop_in") / "NOM_PRENOM", train=40, valid=12)
    rows = pl.read_csv(folder / "metadata.csv", infer_schema=False)
    rows.with_columns(OWN=(pl.int_range(pl.len()) % 3 + 1).cast(pl.String)).write_csv(folder / "metadata.csv")
    return folder


@pytest.fixture(scope="module")
def trained(cohort, tmp_path_factory):
    """(folder of logs, checkpoint, score) of a training that nothing interrupted."""
    logs = tmp_path_factory.mktemp("logs")
    options = {"seed": 1, "image_size": 32, "weights": "none"}
    return logs, *script.train_classifier(logs, cohort, cohort / "metadata.csv", "OWN", 2, **options)


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """A checkpoint that took no training."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("untrained") / "network.ckpt"
    save_checkpoint(path, build(None).state_dict(), TrainingSettings(image_size=32), {})
    return path


def rewritten(cohort, path, change):
    """The cohort's CSV with `change` made to its rows, written to `path`."""
    change(pl.read_csv(cohort / "metadata.csv", infer_schema=False)).write_csv(path)
    return path


def names(cohort):
    return sorted(p.name for p in (cohort / "train").glob("*/*"))


# training


def test_training_returns_a_checkpoint_in_logdir_and_the_auc_that_chose_its_epoch(trained):
    logs, path, score = trained
    assert Path(path).parent == logs
    checkpoint = load_checkpoint(Path(path))
    assert checkpoint.settings.image_size == 32 and checkpoint.settings.epochs == 2
    assert checkpoint.facts["tune_auc"] == score and 0 <= score <= 1
    assert checkpoint.facts["weights_col"] == "OWN" and checkpoint.facts["start"] == "none"


def test_french_names_are_the_same_calls():
    assert script.train_classifieur is script.train_classifier
    assert script.pred_classifieur is script.pred_classifier


def test_neither_the_order_of_rows_nor_the_weights_of_validation_images_change_the_run(cohort, trained, tmp_path):
    logs, path, score = trained
    train_names = names(cohort)

    def change(rows):
        is_train = pl.col("Image Index").is_in(train_names)
        return rows.with_columns(OWN=pl.when(is_train).then("OWN").otherwise(pl.lit("-7"))).sample(
            fraction=1, shuffle=True, seed=1
        )

    csv = rewritten(cohort, tmp_path / "other.csv", change)
    before = {p: p.stat().st_mtime_ns for p in logs.glob("*/*")}
    again = train(logs, cohort, csv, "OWN", **SMALL)
    assert (str(again.path), again.facts["tune_auc"]) == (path, score)
    assert {p: p.stat().st_mtime_ns for p in logs.glob("*/*")} == before


def test_other_weights_seeds_and_sizes_are_other_runs(cohort, trained, monkeypatch):
    asked = []
    monkeypatch.setattr(training, "train_run", lambda *given, **_: asked.append(given[5].name) or 1 / 0)
    for column, more in (("OWN", {}), ("WEIGHTS", {}), ("OWN", {"seed": 2}), ("OWN", {"image_size": 48})):
        with pytest.raises(ZeroDivisionError):
            train("logs", cohort, cohort / "metadata.csv", column, **SMALL | more)
    assert len(set(asked)) == 4 and trained[1].endswith(f"{asked[0]}.ckpt")


def test_a_killed_training_resumes_to_the_same_network(cohort, trained, tmp_path, monkeypatch):
    class Killed(Exception):
        pass

    class Bar(training.tqdm):
        updates = 0

        def update(self, n=1):
            Bar.updates += 1
            if Bar.updates == STEPS + 1:  # in the second epoch
                raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(training, "tqdm", Bar)
        with pytest.raises(Killed):
            train(tmp_path, cohort, cohort / "metadata.csv", "OWN", **SMALL)
    assert list(tmp_path.glob("*/last.ckpt")) and not list(tmp_path.glob("*.ckpt"))
    resumed = load_checkpoint(train(tmp_path, cohort, cohort / "metadata.csv", "OWN", **SMALL).path)
    if resumed.facts["device"] == "cpu":  # a GPU adds in no fixed order
        expected = load_checkpoint(Path(trained[1])).network.state_dict()
        assert all(torch.equal(tensor, expected[name]) for name, tensor in resumed.network.state_dict().items())


# weights


def test_each_image_gets_the_weight_of_its_own_row(cohort, tmp_path):
    rows = pl.read_csv(cohort / "metadata.csv")
    expected = dict(zip(rows["Image Index"], rows["OWN"].cast(pl.Float64), strict=True))
    shuffled = rewritten(cohort, tmp_path / "shuffled.csv", lambda rows: rows.reverse())
    assert read_weights(shuffled, "OWN", names(cohort)) == {name: expected[name] for name in names(cohort)}


@pytest.mark.parametrize("prefix", ["train/malade/", "C:\\Users\\nom\\", "./"])
def test_folders_before_a_name_do_not_matter(cohort, tmp_path, prefix):
    csv = rewritten(cohort, tmp_path / "a.csv", lambda rows: rows.with_columns(pl.lit(prefix) + pl.col("Image Index")))
    assert read_weights(csv, "OWN", names(cohort)) == read_weights(cohort / "metadata.csv", "OWN", names(cohort))


def test_images_without_a_row_are_named_and_no_weight_moves_to_a_neighbour(cohort, tmp_path):
    gone = names(cohort)[3:5]
    csv = rewritten(cohort, tmp_path / "a.csv", lambda rows: rows.filter(~pl.col("Image Index").is_in(gone)))
    with pytest.raises(WeightingError, match=rf"no weight, for 2 of \d+ training images: {', '.join(gone)}; each"):
        train(tmp_path, cohort, csv, "OWN", **SMALL)
    assert not list(tmp_path.glob("*/"))


def test_many_images_without_a_row_are_counted(cohort, tmp_path):
    csv = rewritten(
        cohort, tmp_path / "a.csv", lambda rows: rows.with_columns(pl.col("Image Index").str.to_uppercase())
    )
    total = len(names(cohort))
    with pytest.raises(WeightingError, match=rf"for {total} of {total} .* and {total - 5} more; .*lower case matter"):
        read_weights(csv, "OWN", names(cohort))


@pytest.mark.parametrize("text", ["", "-1", "NaN", "inf", "heavy"])
def test_a_weight_that_is_none_names_its_line(cohort, tmp_path, text):
    def change(rows):
        return rows.with_columns(OWN=pl.when(pl.int_range(pl.len()) == 4).then(pl.lit(text)).otherwise("OWN"))

    csv = rewritten(cohort, tmp_path / "a.csv", change)
    name = pl.read_csv(csv)["Image Index"][4]
    with pytest.raises(WeightingError) as error:
        read_weights(csv, "OWN", names(cohort))
    assert f"'OWN': 1 weights of training images are not a number from 0, line 6 ({name}): {text or 'empty'}." in str(
        error.value
    )


def test_rows_of_one_image_that_disagree_are_named_and_rows_that_agree_are_one(cohort, tmp_path):
    csv = rewritten(cohort, tmp_path / "a.csv", lambda rows: pl.concat([rows, rows[:3]]))
    assert read_weights(csv, "OWN", names(cohort)) == read_weights(cohort / "metadata.csv", "OWN", names(cohort))
    csv = rewritten(cohort, tmp_path / "b.csv", lambda rows: pl.concat([rows, rows[:1].with_columns(OWN=pl.lit("9"))]))
    name = pl.read_csv(csv)["Image Index"][0]
    with pytest.raises(WeightingError, match=f"1 training images have rows with different weights, {name}; each"):
        read_weights(csv, "OWN", names(cohort))


def test_a_class_without_weight_is_named(cohort, tmp_path):
    csv = rewritten(cohort, tmp_path / "a.csv", lambda rows: rows.with_columns(OWN=pl.lit("0")))
    with pytest.raises(WeightingError, match=r"'OWN': every training image of malade has weight 0; both classes need"):
        train(tmp_path, cohort, csv, "OWN", **SMALL)


def test_an_absent_column_is_told_with_those_that_are_there(cohort):
    with pytest.raises(WeightingError, match=r"has no column 'MINE' .* its columns are Image Index, .*WEIGHTS, OWN\.$"):
        read_weights(cohort / "metadata.csv", "MINE", names(cohort))


# predictions


def test_predictions_are_added_to_the_rows_as_they_are(cohort, untrained, tmp_path, capsys):
    source = rewritten(
        cohort, tmp_path / "in.csv", lambda rows: rows.sample(fraction=1, shuffle=True, seed=2).with_row_index("key")
    )
    script.pred_classifier(cohort, untrained, source, tmp_path / "out.csv")
    before = pl.read_csv(source, infer_schema=False)
    after = pl.read_csv(tmp_path / "out.csv", infer_schema=False)
    assert after.columns == [*before.columns, *ADDED] and after.select(before.columns).equals(before)
    where = {p.name: p.parent.name for p in cohort.glob("*/*/*")}
    assert after["labels"].to_list() == [where[name] for name in after["Image Index"]]
    logits = after.select(pl.col("preds_logit0", "preds_logit1").cast(pl.Float64)).to_numpy()
    assert after["preds"].to_list() == [("malade", "sain")[k] for k in logits.argmax(1)]
    assert logits[:, 0] == pytest.approx(-logits[:, 1])

    first, second = capsys.readouterr().out.splitlines()
    right = after.with_columns(
        right=pl.col("preds") == pl.col("labels"), valid=after["Image Index"].is_in(valid(cohort))
    )
    assert first.startswith(f"valid: accuracy {right.filter('valid')['right'].mean():.4f}, balanced accuracy 0.")
    assert second.startswith("train + valid, as the course's script prints it")
    assert f"accuracy {right['right'].mean():.4f}, balanced" in second


def valid(cohort):
    return [p.name for p in (cohort / "valid").glob("*/*")]


def test_softmax_of_the_logits_is_the_score_of_the_run(cohort, trained, tmp_path):
    logs, path, _ = trained
    table = predict(cohort, path, cohort / "metadata.csv", tmp_path / "out.csv", mirror=True).table
    (kept,) = logs.glob("*/scores.parquet")
    scores = pl.read_parquet(kept).join(table, left_on="image", right_on="Image Index", how="left")
    given = torch.softmax(torch.from_numpy(scores.select("preds_logit0", "preds_logit1").to_numpy()), 1)[:, 0]
    assert given.numpy() == pytest.approx(scores["score"].to_numpy(), abs=0.02 if torch.cuda.is_available() else 1e-4)


def test_rows_without_an_image_are_kept_and_counted(cohort, untrained, tmp_path, capsys):
    def change(rows):
        absent = rows[:2].with_columns(pl.Series("Image Index", ["absent.png", None]))
        return pl.concat([absent, rows])

    source = rewritten(cohort, tmp_path / "in.csv", change)
    script.pred_classifier(cohort, untrained, source, tmp_path / "out.csv", preds_col="mine")
    after = pl.read_csv(tmp_path / "out.csv")
    assert after.columns[-4:] == ["mine", "labels", "mine_logit0", "mine_logit1"]
    assert after[:2][:, -4:].null_count().row(0) == (2, 2, 2, 2) and after[2:][:, -4:].null_count().row(0) == (0,) * 4
    assert capsys.readouterr().out.startswith(f"2 of {after.height} rows have no readable image: their predictions are")


def test_separator_and_names_with_folders_are_kept_and_earlier_predictions_replaced(cohort, untrained, tmp_path):
    rows = pl.read_csv(cohort / "metadata.csv", infer_schema=False)
    rows = rows.with_columns(pl.lit("valid\\sain\\") + pl.col("Image Index"), preds=pl.lit("old"), note=pl.lit("é;à"))
    path = tmp_path / "own.csv"
    path.write_text(rows.write_csv(separator=";"), "utf-8-sig")
    predict(cohort, untrained, path, path)
    after = pl.read_csv(path, separator=";", infer_schema=False)
    assert after.columns == [*(c for c in rows.columns if c != "preds"), *ADDED]
    assert set(after["preds"]) <= {"malade", "sain"} and set(after["note"]) == {"é;à"}
    assert after["Image Index"].equals(rows["Image Index"])


def test_a_name_already_taken_is_refused(cohort, untrained, tmp_path):
    with pytest.raises(ValueError, match="cannot be called 'labels'"):
        predict(cohort, untrained, cohort / "metadata.csv", tmp_path / "out.csv", "labels")


def test_a_csv_without_image_names_is_one_sentence(cohort, untrained, tmp_path):
    (tmp_path / "in.csv").write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(CohortError, match=r"lacks the column Image Index; it has a, b\.$"):
        predict(cohort, untrained, tmp_path / "in.csv", tmp_path / "out.csv")


@pytest.mark.parametrize("mirror", [True, False])
def test_folded_threads_give_the_logits_of_the_network_in_the_order_of_rows(mirror):
    torch.manual_seed(1)
    network = build(None).train()
    images = np.random.default_rng(0).integers(0, 256, (70, 32, 32), np.uint8)
    x = (torch.from_numpy(images).unsqueeze(1) / 255 - 0.5) / 0.25
    with torch.no_grad():
        for _ in range(3):
            network(x)
        network.eval()
        for norm in (m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)):
            norm.weight.uniform_(0.5, 1.5)
        expected = ((network(x) + network(x.flip(-1))) / 2 if mirror else network(x))[:, 0].numpy()
        assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded(network).modules())
    rows = np.random.default_rng(1).permutation(70)
    tolerance = 0.1 if torch.cuda.is_available() else 1e-3
    assert predict_logits(network, images, rows, mirror=mirror, threads=3) == pytest.approx(
        expected[rows], abs=tolerance
    )
    assert torch.get_num_threads() == 1


# checkpoints


class Harm:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def foreign(kind, folder):
    """A file that no training of ours wrote."""
    path = folder / f"{kind}.ckpt"
    if kind == "text":
        path.write_text("not a checkpoint", "utf-8")
    elif kind == "pickle":
        path.write_bytes(pickle.dumps(Harm(folder / "harmed")))
    elif kind == "code":
        torch.save({"format": Harm(folder / "harmed")}, path)
    elif kind == "tensors":
        torch.save({"state_dict": {"a": torch.zeros(2)}}, path)
    return path


@pytest.mark.parametrize("kind", ["absent", "text", "pickle", "code", "tensors"])
def test_a_file_that_is_not_ours_is_refused_by_name_and_not_run(cohort, tmp_path, kind):
    path = foreign(kind, tmp_path)
    for use in (
        lambda: predict(cohort, path, cohort / "metadata.csv", tmp_path / "out.csv"),
        lambda: train(tmp_path / "logs", cohort, cohort / "metadata.csv", "OWN", **SMALL | {"initial": str(path)}),
    ):
        with pytest.raises(CheckpointError) as error:
            use()
        assert str(path) in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "harmed").exists()


def test_a_state_dict_of_torchvision_is_started_from(tmp_path):
    tensors = resnet18().state_dict()
    torch.save(tensors, tmp_path / "own.pt")
    settings, given, start = training._start(TrainingSettings(), str(tmp_path / "own.pt"))
    assert start.startswith("file ") and settings == TrainingSettings()
    assert torch.equal(build(given).layer1[0].conv1.weight, tensors["layer1.0.conv1.weight"])


# command line


def test_one_command_trains_and_predicts(cohort, trained, tmp_path, capsys):
    logs, path, score = trained
    out = tmp_path / "preds.csv"
    where = ["--logdir", str(logs), "--datadir", str(cohort), "--csv", str(cohort / "metadata.csv")]
    assert script.main([*where, "--weights_col", "OWN", *FLAGS, "--csv_out", str(out)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith(f"{path}: AUC {score:.3f} on the training patients set aside")
    assert [line.split(":")[0][:13] for line in told[1:]] == ["valid", "train + valid"]
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
def test_a_mistake_is_one_sentence(flags, told, capsys):
    assert script.main(flags) == 1
    error = capsys.readouterr().err
    assert error.startswith(told) and error.count("\n") == 1


def test_a_flag_is_true_or_false(capsys):
    with pytest.raises(SystemExit) as stop:
        script.main(["--train", "maybe"])
    assert stop.value.code == 2 and "'maybe' is neither True nor False" in capsys.readouterr().err


# notebook


def test_the_notebook_runs_and_is_kept_without_outputs(cohort, tmp_path):
    notebook = nbformat.read(ROOT / "notebooks" / "train_classifieur.ipynb", as_version=4)
    assert all(not cell.outputs and cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")
    project = tmp_path / "project"
    shutil.copytree(ROOT / "lib", project / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "train_classifieur.py", project)
    (project / "notebooks").mkdir()
    changed = 0
    for cell in notebook.cells:
        if "# your cohort and settings" in cell.source:
            changed += 1
            cell.source += f"\nDATADIR = Path({str(cohort)!r})\nEPOCHS, IMAGE_SIZE, WEIGHTS = 1, 32, 'none'"
    assert changed == 1
    done = NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=str(project / "notebooks"))
    printed = "".join(
        o.get("text", "") for cell in done.cells for o in cell.get("outputs", ()) if o.get("name") == "stdout"
    )
    assert printed.count("\nvalid: accuracy ") == 2 and printed.count("train + valid, as the course's") == 2
    assert pl.read_csv(project / "notebooks" / "logs" / "preds.csv").columns[-4:] == ADDED
