"""What tests share: one tiny cohort, and one study of it, trained once for all of them."""

import gc
import os
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from cohorts import draw_cohort
from hypothesis import settings
from made import AUDIT, ROOT, few_questions, made_once, quick_audits

from lib.messages import speak

os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side
os.environ.setdefault("POLARS_MAX_THREADS", "1")
# the same examples on every machine, and no verdict that depends on how busy it is
settings.register_profile("project", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("project")

DEAREST = (
    "test_pages",
    "test_chapters",
    "test_study",
    "test_report_decision",
    "test_training_survives",
    "test_book",
    "test_questions",
    "test_audit_coverage",
    "test_predictions",
    "test_notebook",
    "test_inference_engine",
    "test_drop_in_names",
    "test_drop_in_checkpoints",
    "test_real_cohort",
    "test_report_data",
    "test_published",
    "test_drop_in_training",
    "test_freeze",
    "test_slides",
    "test_pdf",
)
"""Files that begin, the dearest first, as the last of a suite should be short; those that wait for one rendering do not meet."""
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: place for place, name in enumerate(DEAREST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


def pytest_collection_finish() -> None:
    """Modules that are imported by now stay: whoever collects garbage (statsmodels and Lightning often do) passes them over."""
    gc.collect()
    gc.freeze()


LEFT_OUT: Counter[str] = Counter()
"""How many tests of each marker this command does not run."""


def pytest_deselected(items: list[pytest.Item]) -> None:
    LEFT_OUT.update(mark.name for item in items for mark in item.iter_markers() if mark.name in ("slow", "pages"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # of pytest-xdist, which collects in its workers alone
        session.config.workeroutput["left_out"] = dict(LEFT_OUT)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node) -> None:
    global LEFT_OUT
    LEFT_OUT |= Counter(getattr(node, "workeroutput", {}).get("left_out", {}))  # every worker leaves out the same


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    for told in config.getini("markers"):
        if count := LEFT_OUT[told.partition(":")[0]]:
            terminalreporter.write_line(f"LEFT OUT [{count}] {told}")


COHORT_OF_CALLER = os.environ.get("COHORT", "")
"""The COHORT under which the tests were started, empty as a rule."""


@pytest.fixture(autouse=True)
def no_chosen_cohort(monkeypatch):
    """Tests do not depend on the caller's COHORT, nor on that of the test before."""
    monkeypatch.setenv("COHORT", "")
    monkeypatch.delenv("COHORT")


@pytest.fixture(autouse=True)
def english():
    """A command speaks the language of the report; the test after it starts in English."""
    yield
    speak("en")


@pytest.fixture(scope="session")
def tiny_cohort(tmp_path_factory) -> Path:
    return draw_cohort(tmp_path_factory.mktemp("cohorts") / "tiny")


@pytest.fixture
def tiny_root(tmp_path) -> Path:
    """A project folder with the tiny study's settings and nothing else."""
    return rewrite_settings(tmp_path, **TINY)


@pytest.fixture(scope="session")
def tiny_study() -> TinyStudy:
    from here import train_here

    from lib.study import run
    from lib.training import workers

    def make(place: Path) -> None:
        with quick_audits(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(workers, "train_here", train_here)
            cohort = draw_cohort(place / "tiny")
            with few_questions():  # a study audits the networks of its first seed on the way
                run.run_study(cohort, root=rewrite_settings(place, **TINY | {"seeds": "[1]"}))
            run.run_study(cohort, root=rewrite_settings(place, **TINY))

    place = made_once("tiny", [*AUDIT, ROOT / "study.toml", ROOT / "tests" / "cohorts.py"], make, TINY)
    return TinyStudy(place, place / "tiny", place / "data" / "tiny" / "results")


@pytest.fixture(scope="session")
def rendered() -> Path:
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

    return made_once("rendered", inputs, make) / OUTPUT


@pytest.fixture(scope="module")
def audited_quickly():
    """For files in which audits are made, and what they say of noise is not what is tested."""
    with quick_audits():
        yield


@pytest.fixture
def few_asked(monkeypatch, request):
    """Audits of predictions answer a few questions alone: those that are printed, and calibration; or those of the parameter."""
    from lib.predictions import engine

    asked = getattr(request, "param", ("metrics", "gaps", "effects", "calibration"))
    monkeypatch.setattr(engine, "answer", partial(engine.answer, only=asked))


@pytest.fixture(scope="module")
def browser():
    """A headless browser for the tests of one file: it keeps an event loop that other files must not meet."""
    from browser import open_browser

    with open_browser() as opened:
        yield opened
