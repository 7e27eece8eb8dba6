"""What tests share: one tiny cohort, and one study of it, trained once for all of them."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cohorts import draw_cohort
from filelock import FileLock
from hypothesis import settings

os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side
# the same examples on every machine, and no verdict that depends on how busy it is
settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")

HERE = Path(__file__).resolve()
ROOT = HERE.parent.parent
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
    "postprocessings": '["fixed_0.5", "best_threshold", "equal_tpr", "equalized_odds", "calibrated_odds_weighted"]',
    "precision": '"32-true"',
    "source": '"a cohort drawn in code"',
}

QUICK = {"postprocessings": '["fixed_0.5"]', "attributes": '["sex"]', "attribute": '"sex"'}
"""Other settings under which the networks stay the same, and their audit is a matter of seconds."""


def rewrite_settings(root: Path, **values: str) -> Path:
    """Write the project's `study.toml` into `root`, with these values (TOML) in place of its own."""
    source = root / "study.toml"
    text = (source if source.is_file() else ROOT / "study.toml").read_text("utf-8")
    for key, value in values.items():
        text, count = re.subn(rf"(?m)^{key} = (?:\[[^\]]*\])?.*$", lambda _, new=f"{key} = {value}": new, text, count=1)
        if not count:
            header = f"[{table_of(key)}]"
            head, _, tail = text.partition(f"\n{header}")
            text = f"{head}\n{header}\n{key} = {value}\n{tail.partition(chr(10))[2]}"
    source.write_text(text, "utf-8")
    return root


def table_of(key: str) -> str:
    """The table of `study.toml` that has this key."""
    from lib.settings_schema import StudySettings

    tables = {name: field.annotation for name, field in StudySettings.model_fields.items()}
    return next(name for name, kind in tables.items() if key in getattr(kind, "model_fields", {}))


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


def made_once(config: pytest.Config, name: str, inputs: Iterable[Path], make: Callable[[Path], object]) -> Path:
    """The folder that `make(folder)` fills, once for all workers; it is kept until one of the `inputs` changes."""
    digest = hashlib.sha256()
    files = [file for path in inputs for file in ([path] if path.is_file() else path.rglob("*"))]
    for file in sorted(files):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    places = config.cache.mkdir("made")
    place = places / f"{name}-{digest.hexdigest()[:16]}"
    with FileLock(places / f"{name}.lock"):
        if not (place / ".whole").is_file():
            for other in places.glob(f"{name}-*"):
                shutil.rmtree(other)
            place.mkdir()
            make(place)
            (place / ".whole").touch()
    return place


@pytest.fixture(scope="session")
def tiny_study(pytestconfig) -> TinyStudy:
    from lib.study.run import run_study

    code = [path for path in (ROOT / "lib").iterdir() if path.name not in ("report", "render", "__pycache__")]

    def make(place: Path) -> None:
        run_study(draw_cohort(place / "tiny"), root=rewrite_settings(place, **TINY))

    place = made_once(pytestconfig, "tiny", [*code, ROOT / "study.toml", ROOT / "requirements.txt", HERE], make)
    return TinyStudy(place, place / "tiny", place / "data" / "tiny" / "results")


@pytest.fixture(scope="session")
def rendered(pytestconfig) -> Path:
    """The published report in all its languages, rendered by Quarto into a copy of the project from what is frozen."""
    from lib.render.book import OUTPUT
    from lib.render.report import render_report
    from lib.settings import languages

    inputs = [*(ROOT / name for name in ("chapters", "lib", "_freeze", "data/nih/results", "data/trust"))]
    inputs += [*ROOT.glob("*.yml"), ROOT / "study.toml", *ROOT.glob("index*.qmd")]
    unwanted = shutil.ignore_patterns("__pycache__", "cohort", "runs", ".*")

    def make(place: Path) -> None:
        for name in ("chapters", "lib", "_freeze", "data"):
            shutil.copytree(ROOT / name, place / name, ignore=unwanted)
        for path in [*ROOT.glob("*.yml"), ROOT / "study.toml", *ROOT.glob("index*.qmd")]:
            shutil.copy(path, place)
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("COHORT", raising=False)
            for code in languages(place):
                render_report(place, code)

    return made_once(pytestconfig, "rendered", inputs, make) / OUTPUT


@pytest.fixture(scope="module")
def browser():
    """A headless browser for the tests of one file: it keeps an event loop that other files must not meet."""
    from browser import open_browser

    with open_browser() as opened:
        yield opened
