"""Exactly the chapters whose results or code changed are thawed, with nothing but the standard library."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, TINY, rewrite_settings

from lib.render.thaw import STAMP, chapters, inputs_digest, stale, thaw

FILES = {
    "index.qmd": "# No cells\n",
    "chapters/one.qmd": "# One\n\n```{python}\n#| label: a\nfrom lib.a import draw\n```\n",
    "chapters/two.qmd": "# Two\n\n```{python}\nfrom lib import b\n```\n\n```{python}\nimport lib.pack.inner\n```\n",
    "chapters/slides/deck.qmd": "# Deck\n\n```{python}\nfrom lib.pack import inner\n```\n",
    "chapters/told.qmd": "# Told\n\n```{python}\nfrom lib.report.words.templates import tell\n```\n",
    "chapters/fr/told.qmd": "# Dit\n\n```{python}\nfrom lib.report.words.templates import tell\n```\n",
    "lib/report/words/templates.py": "",
    "lib/report/words/en/names.toml": "",
    "lib/report/words/en/told.md.j2": "",
    "lib/report/words/fr/names.toml": "",
    "words/fr/told.md.j2": "",
    "chapters/plain.qmd": "# Prose\n\n```python\nimport lib.a\n```\n",
    "lib/__init__.py": "",
    "lib/a.py": "import os\nfrom lib.c import deep\n",
    "lib/b.py": "B = 1\n",
    "lib/c.py": "deep = 1\n",
    "lib/pack/__init__.py": "",
    "lib/pack/inner.py": "from lib import a\n",
    "lib/unused.py": "",
    "data/tiny/results/study.json": "{}\n",
    "data/tiny/results/runs.parquet": "rows\r\n",
    "data/other/results/study.json": '{"other": 1}\n',
}
DRAWN = ["chapters/one", "chapters/slides/deck", "chapters/two"]
TOLD = ["chapters/fr/told", "chapters/told"]
ALL = sorted(DRAWN + TOLD)


def freeze(root: Path) -> None:
    """Frozen cells for every chapter, as Quarto leaves them in both of its places."""
    for name in ALL:
        for place in ("_freeze", ".quarto/_freeze"):
            file = root / place / name / "execute-results" / "html.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("{}", "utf-8")


def frozen(root: Path) -> list[str]:
    kept = [[p.parent.parent.relative_to(root / f) for p in (root / f).rglob("html.json")] for f in FREEZERS]
    assert sorted(kept[0]) == sorted(kept[1])
    return sorted(path.as_posix() for path in kept[0])


FREEZERS = ("_freeze", ".quarto/_freeze")


@pytest.fixture
def project(tmp_path):
    """A project whose chapters are all frozen and up to date."""
    rewrite_settings(tmp_path, **TINY)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text.encode())
    assert sorted(thaw(tmp_path)) == ALL
    freeze(tmp_path)
    return tmp_path


def test_chapters_are_those_with_python_cells(project):
    assert sorted(c.as_posix() for c in chapters(project)) == [f"{name}.qmd" for name in ALL]


def test_nothing_is_thawed_when_nothing_changed(project):
    before = (project / STAMP).read_bytes()
    assert thaw(project) == [] and stale(project) == {}
    assert frozen(project) == ALL and (project / STAMP).read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "thawed"),
    [
        ("lib/a.py", DRAWN),
        ("lib/b.py", ["chapters/two"]),
        ("lib/c.py", DRAWN),
        ("lib/pack/inner.py", ["chapters/slides/deck", "chapters/two"]),
        ("lib/pack/__init__.py", ["chapters/slides/deck", "chapters/two"]),
        ("lib/__init__.py", ALL),
        ("lib/unused.py", []),
        ("lib/report/words/templates.py", TOLD),
        ("lib/report/words/en/told.md.j2", ["chapters/told"]),
        ("lib/report/words/fr/names.toml", ["chapters/fr/told"]),
        ("words/fr/told.md.j2", ["chapters/fr/told"]),
        ("data/tiny/results/study.json", ALL),
        ("data/tiny/results/runs.parquet", ALL),
        ("data/other/results/study.json", []),
        ("_quarto.yml", []),
    ],
)
def test_a_change_thaws_exactly_the_chapters_that_depend_on_it(project, changed, thawed):
    with (project / changed).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert sorted(stale(project)) == thawed
    assert sorted(thaw(project)) == thawed
    assert frozen(project) == sorted(set(ALL) - set(thawed))
    assert thaw(project) == []


def test_other_names_and_chapters_thaw_nothing(project):
    rewrite_settings(project, title='"Another"', authors='["Somebody"]', chapters='["chapters/one.qmd"]')
    assert stale(project) == {}


def test_a_chapters_own_text_is_left_to_quarto(project):
    chapter = project / "chapters/one.qmd"
    chapter.write_text(chapter.read_text("utf-8").replace("# One", "# The first"), "utf-8")
    assert thaw(project) == []


def test_a_new_import_thaws_its_chapter(project):
    chapter = project / "chapters/one.qmd"
    chapter.write_text(chapter.read_text("utf-8").replace("lib.a", "lib.b"), "utf-8")
    assert thaw(project) == ["chapters/one"]


def test_another_cohort_thaws_everything(project, monkeypatch):
    monkeypatch.setenv("COHORT", "other")
    assert sorted(thaw(project)) == ALL
    assert frozen(project) == []


def test_a_new_result_file_thaws_and_a_stray_one_does_not(project):
    (project / "data/tiny/results/.DS_Store").touch()
    assert thaw(project) == []
    (project / "data/tiny/results/gaps.parquet").touch()
    assert sorted(thaw(project)) == ALL


def test_windows_line_ends_change_nothing(project):
    for name in ("lib/a.py", "chapters/one.qmd", "data/tiny/results/study.json"):
        text = (project / name).read_bytes()
        (project / name).write_bytes(text.replace(b"\n", b"\r\n"))
    assert thaw(project) == []


def test_line_ends_inside_a_table_count(project):
    (project / "data/tiny/results/runs.parquet").write_bytes(b"rows\n")
    assert sorted(thaw(project)) == ALL


def test_the_digest_is_the_same_wherever_the_project_lies(project, tmp_path_factory):
    moved = shutil.copytree(project, tmp_path_factory.mktemp("moved") / "elsewhere")
    assert stale(moved) == {}
    assert inputs_digest(moved, Path("chapters/one.qmd")) == inputs_digest(project, Path("chapters/one.qmd"))


def test_the_stamp_names_each_present_chapter_in_order(project):
    stamp = json.loads((project / STAMP).read_text("utf-8"))
    assert list(stamp) == ALL
    (project / "chapters/one.qmd").unlink()
    (project / "lib/b.py").write_text("B = 2\n", "utf-8")
    thaw(project)
    assert list(json.loads((project / STAMP).read_text("utf-8"))) == [name for name in ALL if name != "chapters/one"]


@pytest.mark.parametrize("content", ["", "<<<<<<< HEAD\n{}\n=======\n", "[]"])
def test_a_damaged_stamp_thaws_everything(project, content):
    (project / STAMP).write_text(content, "utf-8")
    assert sorted(thaw(project)) == ALL
    assert stale(project) == {}


def real_project(folder: Path) -> Path:
    """The real script and its settings, in a folder of their own, with one chapter."""
    for name in ("__init__", "names", "settings", "messages", "render/__init__", "render/book", "render/thaw"):
        (folder / "lib" / f"{name}.py").parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "lib" / f"{name}.py", folder / "lib" / f"{name}.py")
    (folder / "index.qmd").write_text("```{python}\nimport lib.settings\n```\n", "utf-8")
    return rewrite_settings(folder, **TINY)


def run_script(root: Path, place: Path, **environment: str) -> str:
    """What the pre-render script says, run from `place` by a Python without site-packages."""
    command = [sys.executable, "-S", "-E", str(root / "lib" / "render" / "thaw.py")]
    done = subprocess.run(
        command, cwd=place, env=os.environ | environment, capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert done.stdout == ""
    return done.stderr


def test_the_script_runs_from_anywhere_with_the_standard_library_alone(tmp_path):
    root = real_project(tmp_path / "project")
    assert run_script(root, tmp_path) == "index: its results or code changed, its cells run again\n"
    assert run_script(root, tmp_path) == ""
    with (root / "lib" / "settings.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert run_script(root, root / "lib").startswith("index: ")


@pytest.mark.parametrize(
    "file",
    [
        "lib/render/book.py",
        "lib/render/thaw.py",
        "lib/settings.py",
        "lib/messages.py",
        "lib/names.py",
        "lib/render/__init__.py",
        "lib/__init__.py",
    ],
)
def test_script_and_settings_import_the_standard_library_alone(file):
    for node in ast.parse((ROOT / file).read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= sys.stdlib_module_names
        if isinstance(node, ast.ImportFrom):
            assert (
                node.module in ("lib.settings", "lib.messages", "lib.names", "lib.render.book")
                or node.module.split(".")[0] in sys.stdlib_module_names
            )
