"""What tests share: one tiny cohort, and one study of it, trained once for all of them."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from cohorts import draw_cohort
from hypothesis import settings

os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side
# the same examples on every machine, and no verdict that depends on how busy it is
settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")

ROOT = Path(__file__).resolve().parent.parent
TINY = {
    "cohort": '"tiny"',
    "weightings": '["uniform", "kamiran_calders_sex"]',
    "seeds": "[1, 2]",
    "network": '"resnet18"',
    "image_size": "32",
    "epochs": "1",
    "initial_weights": '"none"',
    "margin": "0.05",
    "smallest_cell": "3",
}


def rewrite_settings(root: Path, **values: str) -> Path:
    """Write the project's `study.toml` into `root`, with these values (TOML) in place of its own."""
    source = root / "study.toml"
    text = (source if source.is_file() else ROOT / "study.toml").read_text("utf-8")
    for key, value in values.items():
        text, found = re.subn(rf"(?m)^{key} = (?:\[[^\]]*\])?.*$", f"{key} = {value}", text, count=1)
        assert found == 1, f"study.toml has no line `{key} = ...`"
    source.write_text(text, "utf-8")
    return root


@dataclass(frozen=True)
class TinyStudy:
    """A study that was run: the project's `root`, the cohort's `folder` and the `bundle` it led to."""

    root: Path
    folder: Path
    bundle: Path


COHORT_OF_CALLER = os.environ.get("COHORT", "")
"""The COHORT under which the tests were started, empty as a rule."""


@pytest.fixture(autouse=True)
def no_chosen_cohort(monkeypatch):
    """Tests do not depend on the caller's COHORT, nor on that of the test before."""
    monkeypatch.setenv("COHORT", "")
    monkeypatch.delenv("COHORT")


@pytest.fixture(scope="session")
def tiny_cohort(tmp_path_factory) -> Path:
    return draw_cohort(tmp_path_factory.mktemp("cohorts") / "tiny")


@pytest.fixture
def tiny_root(tmp_path) -> Path:
    """A project folder with the tiny study's settings and nothing else."""
    return rewrite_settings(tmp_path, **TINY)


@pytest.fixture(scope="session")
def tiny_study(tmp_path_factory, tiny_cohort) -> TinyStudy:
    from lib.study.run import run_study

    root = rewrite_settings(tmp_path_factory.mktemp("project"), **TINY)
    return TinyStudy(root, tiny_cohort, run_study(tiny_cohort, root=root))


@pytest.fixture(scope="session")
def rendered(tmp_path_factory) -> Path:
    """The published report, pages, PDF and slides, rendered by Quarto into a copy of the project from what is frozen."""
    from lib.render.report import OUTPUT, render_report

    root = tmp_path_factory.mktemp("report")
    unwanted = shutil.ignore_patterns("__pycache__", "cohort", "runs", ".*")
    for name in ("chapters", "lib", "_freeze", "data"):
        shutil.copytree(ROOT / name, root / name, ignore=unwanted)
    for path in [*ROOT.glob("*.yml"), ROOT / "study.toml", ROOT / "index.qmd"]:
        shutil.copy(path, root)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COHORT", raising=False)
        render_report(root)
    return root / OUTPUT


@pytest.fixture(scope="module")
def browser():
    """A headless browser for the tests of one file: it keeps an event loop that other files must not meet."""
    from browser import open_browser

    with open_browser() as opened:
        yield opened
