"""Killed at any moment and started again, a study ends with the results of one that nothing disturbed."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys

import pytest
from conftest import QUICK, ROOT, TINY, rewrite_settings

from lib.results import load

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="lives are forks, which this system does not have")
SMALL = TINY | QUICK | {"weightings": '["uniform"]', "epochs": "2"}
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}


def numbers(root) -> dict:
    """All tables of the bundle and all scores; of the runs, all but the seconds they took."""
    import polars as pl

    tables = load("tiny", root).tables
    scores = {path.parent.name: path.read_bytes() for path in root.glob("data/tiny/runs/*/scores.parquet")}
    return {**tables, "runs": tables["runs"].drop("seconds"), "scores": pl.Series([str(sorted(scores.items()))])}


def assert_same(root, undisturbed) -> None:
    found, expected = numbers(root), numbers(undisturbed)
    assert found.keys() == expected.keys()
    for name in expected:
        assert found[name].equals(expected[name]), name
    leftovers = [path for path in root.rglob("*") if path.name.endswith((".part", ".building", ".ckpt"))]
    assert not leftovers and not list(root.glob("data/tiny/.results-*"))


class KilledStudy:
    """Studies that can be killed, all of the tiny cohort, each in a project of its own."""

    def __init__(self, cohort, folder):
        self.folder, self.lives = folder, 0
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "killed_study.py"), str(cohort)],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def root(self, name: str):
        path = self.folder / name
        path.mkdir()
        return rewrite_settings(path, **SMALL)

    def live(self, root, how: str = "to the end", when: float = 0) -> list:
        self.process.stdin.write(json.dumps([str(root), how, when]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def killable(tiny_cohort, tmp_path_factory):
    studies = KilledStudy(tiny_cohort, tmp_path_factory.mktemp("lives"))
    with studies.process:
        yield studies
        studies.process.stdin.close()


@pytest.fixture(scope="module")
def undisturbed(killable):
    """A study's root, how long it took and how many files it wrote, moved or deleted."""
    root = killable.root("undisturbed")
    status, seconds, operations = killable.live(root)
    assert status == 0
    return root, seconds, operations


@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_at_random_moments_of_its_life_a_study_ends_the_same(killable, undisturbed, kills):
    """So many kills and more, at most four for each study; half of the moments are a file operation."""
    expected, seconds, operations = undisturbed
    draw, killed, studies = random.Random(3), 0, 0
    while killed < kills:
        assert (studies := studies + 1) < 20, f"{killed} kills in {studies - 1} studies"
        root = killable.root(f"study {studies} of {kills} kills")
        for _ in range(4):
            how, when = draw.choice([("after", draw.uniform(0, seconds)), ("at", draw.randint(1, operations))])
            status, _, _ = killable.live(root, how, when)
            assert status in (0, -signal.SIGKILL)
            if status == 0:
                break
            killed += 1
        assert killable.live(root)[0] == 0
        assert_same(root, expected)


@pytest.mark.parametrize("last", [2, pytest.param(8, marks=pytest.mark.slow)])
def test_killed_before_each_of_its_last_file_operations_a_study_ends_the_same(killable, undisturbed, last):
    expected, _, operations = undisturbed
    root = killable.root(f"writing {last}")
    for operation in range(operations, operations - last, -1):
        shutil.rmtree(root / "data", ignore_errors=True)
        assert killable.live(root, "at", operation)[0] == -signal.SIGKILL
        assert killable.live(root)[0] == 0
        assert_same(root, expected)


def test_of_two_studies_at_the_same_time_one_survives_the_others_death(killable, undisturbed):
    """The command is killed when its network has trained an epoch: the network's process ends, too, and the other goes on."""
    root = killable.root("two at a time")
    assert killable.live(root, "two") == [True, 0, True]
    assert_same(root, undisturbed[0])
