"""What is kept is whole and ours: anything else is refused by name, and what cannot be written is one sentence."""

import ctypes
import errno
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from conftest import ROOT
from here import train_here
from made import linked

from lib.__main__ import main
from lib.cohort import load_pixels, read_cohort
from lib.files import StorageError, alone_with, write_whole, writing_to
from lib.study.run import run_study
from lib.training import workers
from lib.training.run import finished_run, train_run
from lib.training.settings import TrainingSettings
from lib.training.store import Checkpoints, Plan, Run, TrainingError, keep_run

IDENTITY = {"weighting": "uniform", "seed": 1, "epochs": 1}
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's /dev/full or limits")


class Trap:
    """Runs code when unpickled."""

    def __reduce__(self):
        return os.mkdir, ("sprung",)


@pytest.fixture
def run(tmp_path) -> tuple[Path, Run]:
    """A folder with a finished run."""
    run = Run("uniform", 1, pl.Series([0.25, 0.75]).to_numpy(), {"epochs": 1})
    keep_run(tmp_path / "run", {"w": torch.ones(2)}, pl.Series(["a", "b"]), run)
    return tmp_path / "run", run


def test_a_kept_run_is_read_as_it_was(run):
    folder, kept = run
    read = finished_run(folder, "uniform", 1)
    assert read.scores.tolist() == kept.scores.tolist() and read.facts == kept.facts
    assert sorted(path.name for path in folder.iterdir()) == ["network.pt", "run.json", "scores.parquet"]


FOREIGN = {
    "text": lambda path: path.write_text("not a run"),
    "nothing": lambda path: path.write_bytes(b""),
    "a pickle with code": lambda path: path.write_bytes(pickle.dumps(Trap())),
    "torch's own file with code": lambda path: torch.save(Trap(), path),
    "another list": lambda path: path.write_text("[1, 2]"),
    "a folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("name", ["run.json", "scores.parquet"])
def test_a_run_file_that_is_not_ours_is_refused_by_name(run, name, kind):
    folder, _ = run
    (folder / name).unlink()
    FOREIGN[kind](folder / name)
    if kind == "a folder" and name == "run.json":  # nothing says that the run is finished
        assert finished_run(folder, "uniform", 1) is None
        return
    with pytest.raises(TrainingError) as error:
        finished_run(folder, "uniform", 1)
    assert str(error.value) == f"{folder} is not a finished run and is not used: delete it to train this network anew."


@pytest.mark.parametrize("scores", [[0.5, 1.5], ["high", "low"], [None, 0.5]])
def test_scores_that_are_none_are_refused_by_name(run, scores):
    folder, _ = run
    pl.DataFrame({"image": ["a", "b"], "score": scores}, strict=False).write_parquet(folder / "scores.parquet")
    with pytest.raises(TrainingError, match="is not a finished run"):
        finished_run(folder, "uniform", 1)


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_checkpoint_that_is_not_ours_is_refused_by_name_and_runs_no_code(tmp_path, kind, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "last.ckpt"
    FOREIGN[kind](path)
    with pytest.raises(TrainingError) as error:
        Checkpoints(IDENTITY).load_checkpoint(path, weights_only=False)
    assert str(error.value).startswith(f"{path} is not a checkpoint of this run")
    assert "\n" not in str(error.value) and not (tmp_path / "sprung").exists()


def test_a_checkpoint_of_another_run_is_refused_and_one_of_this_run_is_read(tmp_path):
    path = tmp_path / "last.ckpt"
    Checkpoints(IDENTITY).save_checkpoint({"state": torch.ones(2)}, path)
    assert Checkpoints(IDENTITY).load_checkpoint(path)["state"].tolist() == [1, 1]
    with pytest.raises(TrainingError, match="is not a checkpoint of this run"):
        Checkpoints(IDENTITY | {"seed": 2}).load_checkpoint(path)


def test_training_does_not_go_on_from_a_foreign_checkpoint(tiny_cohort, tmp_path):
    frame = read_cohort(tiny_cohort).frame
    pixels = load_pixels(frame, 32, tmp_path / "pixels")
    (tmp_path / "run").mkdir()
    torch.save({"epoch": 3, "trap": Trap()}, tmp_path / "run" / "last.ckpt")
    with pytest.raises(
        TrainingError, match=r"run.last.ckpt is not a checkpoint of this run \(or is damaged\) and is not"
    ):
        train_run(
            frame,
            pixels,
            lambda rows: [1.0] * rows.height,
            TrainingSettings.for_start({"network": "resnet18", "image_size": 32, "epochs": 1}, "none"),
            1,
            tmp_path / "run",
            weighting="uniform",
        )


@linux
def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(tmp_path):
    path = tmp_path / "scores.parquet"
    write_whole(path, b"old")
    path.with_name(f"{path.name}.{os.getpid()}.part").symlink_to("/dev/full")
    with pytest.raises(StorageError) as error:
        write_whole(path, b"new")
    assert str(error.value) == (
        f"{tmp_path} cannot be written, its disk (or your quota) is full: free some space, and start again; "
        "what was finished is kept."
    )
    assert [file.name for file in tmp_path.iterdir()] == ["scores.parquet"] and path.read_bytes() == b"old"


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_read_only_folder_is_one_sentence(tmp_path, code):
    sentence = "cannot be written, it is read-only for you: allow writing to it, or "
    with pytest.raises(StorageError, match=sentence), writing_to(tmp_path):
        raise OSError(code, "refused")
    with pytest.raises(FileNotFoundError), writing_to(tmp_path):
        raise FileNotFoundError


@pytest.fixture
def started(tiny_study, with_one_run_missing, monkeypatch, capfd):
    """Exit status and what is said of `python -m lib study`, in this process: its networks, too, are trained here."""
    monkeypatch.setattr(workers, "train_here", train_here)
    monkeypatch.setitem(run_study.__kwdefaults__, "root", with_one_run_missing)
    return lambda: (main(["study", str(tiny_study.folder), "--name", "tiny"]), capfd.readouterr().err)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file grows larger than so many bytes."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def without_rights_of_root() -> Iterator[None]:
    """Root writes everywhere, unless this thread lays down CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH for a while (capset(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, rights = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, rights) == 0
    effective = rights[0]
    rights[0] &= ~0b110
    assert libc.capset(header, rights) == 0
    try:
        yield
    finally:
        rights[0] = effective
        assert libc.capset(header, rights) == 0


@pytest.fixture
def with_one_run_missing(tiny_study, tmp_path) -> Path:
    """The tiny study's project, without its first network and its results."""
    linked(tiny_study.root, tmp_path)
    shutil.rmtree(tmp_path / "data" / "tiny" / "results")
    shutil.rmtree(next((tmp_path / "data" / "tiny" / "runs").glob("uniform-1-*")))
    return tmp_path


def kept(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.glob("data/tiny/runs/*/*") if path.parent.name != ".locks"}


@linux
def test_a_study_on_a_full_disk_ends_in_one_sentence_and_keeps_its_runs(with_one_run_missing, started):
    before = kept(with_one_run_missing)
    with largest_file(1_000_000):  # a checkpoint is larger
        status, told = started()
    assert status == 1
    assert "cannot be written, its disk (or your quota) is full" in told.splitlines()[-1] and "Traceback" not in told
    assert kept(with_one_run_missing) == before


@linux
def test_a_study_in_a_read_only_folder_ends_in_one_sentence(with_one_run_missing, started):
    runs = with_one_run_missing / "data" / "tiny" / "runs"
    before = kept(with_one_run_missing)
    for folder in (runs, runs / ".locks"):
        folder.chmod(0o555)
    try:
        with without_rights_of_root():
            status, told = started()
    finally:
        for folder in (runs, runs / ".locks"):
            folder.chmod(0o755)
    assert status == 1
    assert "cannot be written, it is read-only for you" in told.splitlines()[-1] and "Traceback" not in told
    assert kept(with_one_run_missing) == before


def test_pixels_that_are_no_map_of_the_images_are_refused_by_name(tiny_cohort, tmp_path):
    frame = read_cohort(tiny_cohort).frame
    load_pixels(frame, 32, tmp_path)
    (target,) = tmp_path.glob("*.npy")
    for content in (b"no map", target.read_bytes()[:1000]):
        target.write_bytes(content)
        with pytest.raises(ValueError, match=rf"^{target} is not a map of these images: delete it, and "):
            load_pixels(frame, 32, tmp_path)
    target.unlink()
    assert load_pixels(frame, 32, tmp_path).values.shape == (frame.height, 32, 32)


def test_one_process_at_a_time_holds_a_lock(tmp_path):
    code = "import sys, lib.files, pathlib\nwith lib.files.alone_with(pathlib.Path(sys.argv[1])): print('mine', flush=True); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "run")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout.readline() == "mine\n"
    waited = []

    def wait():
        waited.append(1)
        other.kill()

    with alone_with(tmp_path / "run", wait):
        assert waited
    other.communicate()


def test_nobody_is_asked_for_imagenet_weights_when_no_network_is_missing(tiny_cohort, tmp_path, monkeypatch, caplog):
    def never(*_):
        raise AssertionError("asked")

    monkeypatch.setattr(workers, "initial_weights", never)
    frame = read_cohort(tiny_cohort).frame
    scratch = Plan(
        frame, "tiny", TrainingSettings(initial_weights="none"), ("uniform",), (1,), tmp_path / "runs", tmp_path
    )
    monkeypatch.setattr(workers.NETWORKS[scratch.settings.network], "weights_at_hand", lambda: at_hand)
    wanted = replace(scratch, settings=replace(scratch.settings, initial_weights="imagenet"))
    run = Run("uniform", 1, pl.Series([0.25, 0.75]).to_numpy(), {"epochs": 1})
    at_hand = False
    with pytest.raises(AssertionError, match="asked"):
        workers.train_all(wanted)

    keep_run(scratch.folder("uniform", 1), {}, pl.Series(["a", "b"]), run)
    at_hand = True  # a file has come: networks that start from it are wanted, and missing
    with pytest.raises(AssertionError, match="asked"):
        workers.train_all(wanted)
    at_hand = False
    assert workers.train_all(wanted)[1].settings.initial_weights == "none"
    assert "started from scratch" in caplog.text

    keep_run(wanted.folder("uniform", 1), {}, pl.Series(["a", "b"]), run)
    assert workers.train_all(wanted)[1].settings.initial_weights == "imagenet"
