"""The Quarto that is found is new enough, wherever it is; without one a sentence says why; nothing here is downloaded."""

import json
import os
import stat
import subprocess
import sys
import threading
import time
from hashlib import md5
from pathlib import Path

import pytest

from lib.render import quarto as module
from lib.render import report
from lib.render.quarto import Quarto, find_quarto, quarto, quarto_version


def fake(folder: Path, version: str, status: int = 0) -> Path:
    """A program `quarto` that tells this version, and else notes how it was called and ends with `status`."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.name == "nt":
        path = folder / "quarto.cmd"
        path.write_text(
            f'@if "%1"=="--version" (echo {version}& exit /b 0)\n@echo %*>> calls.txt\n@exit /b {status}\n', "utf-8"
        )
    else:
        path = folder / "quarto"
        told = f'if [ "$1" = --version ]; then echo "{version}"; exit 0; fi'
        path.write_text(f'#!/bin/sh\n{told}\necho "$QUARTO_PYTHON $@" >> calls.txt\nexit {status}\n', "utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine without Quarto, where pip cannot get it either."""
    system = os.environ["PATH"] if os.name == "nt" else "/usr/bin:/bin"
    folders = [f for f in system.split(os.pathsep) if not list(Path(f).glob("quarto*"))]
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "path"), *folders]))
    monkeypatch.delenv("QUARTO_PATH", raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "bin" / "python"))
    monkeypatch.setattr(module, "pip_install", lambda scripts: False)
    return tmp_path


@pytest.mark.parametrize("version", ["1.10.0", "1.10.19", "1.11.2", "2.0.0", "99.9.9"])
def test_a_new_enough_quarto_on_the_path_is_used(bare, version):
    program = fake(bare / "path", version)
    assert find_quarto() == Quarto(program)


@pytest.mark.parametrize(
    ("version", "told"),
    [("1.9.37", "1.9.37"), ("1.7.34", "1.7.34"), ("0.10.99", "0.10.99"), ("what?", "of unknown version")],
)
def test_an_old_quarto_is_refused_and_named(bare, version, told):
    program = fake(bare / "path", version)
    found = find_quarto()
    assert found.program is None
    assert f"{program} is Quarto {told}" in found.why and "version 1.10 or newer is needed" in found.why


def test_no_quarto_is_one_sentence(bare):
    found = find_quarto()
    assert found.program is None
    assert found.why == "Quarto is not on PATH; version 1.10 or newer is needed, and pip could not install it."


@pytest.mark.parametrize("named", ["tools/bin/quarto", "tools/bin", "tools"])
def test_quarto_path_may_be_the_program_its_folder_or_the_folder_above(bare, monkeypatch, named):
    program = fake(bare / "tools" / "bin", "1.10.19")
    place = bare / named if named != "tools/bin/quarto" else program
    monkeypatch.setenv("QUARTO_PATH", str(place))
    assert find_quarto() == Quarto(program)


def test_quarto_path_comes_before_path(bare, monkeypatch):
    fake(bare / "path", "1.10.0")
    program = fake(bare / "tools", "1.11.0")
    monkeypatch.setenv("QUARTO_PATH", str(bare / "tools"))
    assert find_quarto().program == program


def test_an_old_quarto_path_gives_way_to_a_new_one_on_the_path(bare, monkeypatch):
    program = fake(bare / "path", "1.10.0")
    monkeypatch.setenv("QUARTO_PATH", str(fake(bare / "tools", "1.7.34")))
    assert find_quarto() == Quarto(program)


def test_a_quarto_path_that_leads_nowhere_is_named(bare, monkeypatch):
    monkeypatch.setenv("QUARTO_PATH", str(bare / "nowhere"))
    assert f"QUARTO_PATH={bare / 'nowhere'} leads to no quarto program; " in find_quarto().why


def test_quarto_path_may_ask_for_the_draft(bare, monkeypatch):
    fake(bare / "path", "1.10.19")
    monkeypatch.setenv("QUARTO_PATH", "none")
    assert find_quarto() == Quarto(None, "QUARTO_PATH=none asks for a draft.")


def test_the_quarto_of_this_environment_is_found_without_being_on_the_path(bare):
    program = fake(bare / "venv" / "bin", "1.10.19")
    assert find_quarto(install=False) == Quarto(program)


def test_pip_is_tried_when_there_is_none_and_its_quarto_is_used(bare, monkeypatch):
    monkeypatch.setattr(module, "pip_install", lambda scripts: bool(fake(scripts, "1.10.19")))
    assert find_quarto().program.parent == bare / "venv" / "bin"


def test_pip_is_not_tried_when_not_wanted_or_not_needed(bare, monkeypatch):
    def never(scripts):
        raise AssertionError("pip was run")

    monkeypatch.setattr(module, "pip_install", never)
    assert find_quarto(install=False).program is None
    fake(bare / "path", "1.10.19")
    assert find_quarto().program is not None


def test_pip_that_failed_is_not_tried_again_for_a_day(tmp_path, monkeypatch):
    tried = []

    def failing(command, **_):
        tried.append(command)
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(module.subprocess, "run", failing)
    (tmp_path / "bin").mkdir()
    assert not module.pip_install(tmp_path / "bin") and not module.pip_install(tmp_path / "bin")
    assert len(tried) == 1 and tried[0][1:] == ["-m", "pip", "install", "--quiet", module.PACKAGE]
    (marker,) = (p for p in tmp_path.iterdir() if p.is_file())
    os.utime(marker, (0, 0))
    assert not module.pip_install(tmp_path / "bin")
    assert len(tried) == 2


def test_what_is_no_program_has_no_version(tmp_path):
    (tmp_path / "quarto").write_text("not a program", "utf-8")
    assert quarto_version(tmp_path / "quarto") == () == quarto_version(tmp_path / "absent")


def calls(root: Path) -> list[str]:
    return [line.split(" ", 1)[1] for line in (root / "calls.txt").read_text("utf-8").splitlines()]


@pytest.mark.skipif(os.name == "nt", reason="the fake notes its environment on Unix only")
def test_the_report_is_the_book_and_then_the_slides_and_leaves_other_editions(bare, monkeypatch):
    fake(bare / "path", "1.10.19")
    (bare / "_book" / "fr").mkdir(parents=True)
    (bare / "_book" / "old.html").touch()
    monkeypatch.setattr(report, "languages", lambda root: ("en", "fr"))
    paths = report.render_report(bare)
    assert calls(bare) == ["render --no-clean --profile en", "render --profile slides"]
    assert [path.name for path in paths] == ["index.html", "defense.html"]
    assert (bare / "_book" / "fr").is_dir() and not (bare / "_book" / "old.html").exists()
    assert (bare / "calls.txt").read_text("utf-8").startswith(sys.executable)


def test_a_failing_quarto_is_told_by_its_status(bare):
    program = fake(bare / "path", "1.10.19", status=3)
    with pytest.raises(subprocess.CalledProcessError) as error:
        quarto(program, bare, "render")
    assert error.value.returncode == 3


def test_without_quarto_the_draft_is_rendered_beside_the_book_which_stays(bare, monkeypatch):
    from lib.render import draft

    asked = {}

    def render_draft(root, output, *, why, code):
        asked.update(root=root, why=why, code=code)
        for name in ("index.html", "report.pdf", "deck.html"):
            (output / name).write_text("a draft")
        return [output / "index.html", output / "report.pdf", output / "deck.html"]

    monkeypatch.setattr(draft, "render_draft", render_draft)
    (bare / "_book").mkdir()
    (bare / "_book" / "report.pdf").write_text("a finished book")
    for code in ("en", "fr"):
        (bare / "_draft" / code).mkdir(parents=True)
        (bare / "_draft" / code / "old.html").touch()
    paths = report.render_report(bare, "fr")
    assert paths == [bare / "_draft" / "fr" / name for name in ("index.html", "report.pdf", "deck.html")]
    assert report.render_slides(bare, "fr") == paths[-1] and paths[-1].read_text() == "a draft"
    assert not (bare / "_draft" / "fr" / "old.html").exists() and (bare / "_draft" / "en" / "old.html").exists()
    assert (bare / "_book" / "report.pdf").read_text() == "a finished book"
    assert asked == {"root": bare, "why": find_quarto().why, "code": "fr"}


def test_a_draft_that_fails_leaves_the_last_one(bare, monkeypatch):
    from lib.render import draft

    def render_draft(*_, **__):
        raise RuntimeError("A cell fails.")

    monkeypatch.setattr(draft, "render_draft", render_draft)
    (bare / "_draft" / "en").mkdir(parents=True)
    (bare / "_draft" / "en" / "index.html").touch()
    with pytest.raises(RuntimeError, match="A cell fails"):
        report.render_report(bare)
    assert (bare / "_draft" / "en" / "index.html").is_file()


def test_two_renderings_in_one_clone_take_turns(bare, monkeypatch):
    fake(bare / "path", "1.10.19")
    at_once, most = [], []

    def quarto(program, root, *arguments):
        at_once.append(arguments)
        most.append(len(at_once))
        time.sleep(0.2)
        at_once.pop()

    monkeypatch.setattr(report, "quarto", quarto)
    threads = [threading.Thread(target=report.render_report, args=(bare,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]


def test_a_preview_needs_quarto_and_says_so(bare):
    with pytest.raises(RuntimeError, match="needs Quarto: Quarto is not on PATH; "):
        report.preview(bare)


@pytest.mark.skipif(os.name == "nt", reason="the fake notes its environment on Unix only")
def test_a_preview_renders_the_book_first_when_a_page_of_it_lacks(bare, monkeypatch):
    fake(bare / "path", "1.10.19")
    monkeypatch.setattr(report, "chapters_of", lambda root, code: ["index.qmd", "chapters/one.qmd"])
    (bare / "_book" / "chapters").mkdir(parents=True)
    (bare / "_book" / "index.html").touch()
    report.preview(bare)
    assert calls(bare) == ["render --no-clean --to html --profile en", "preview --profile en"]
    (bare / "_book" / "chapters" / "one.html").touch()
    report.preview(bare)
    assert calls(bare)[2:] == ["preview --profile en"]


# With the Quarto of this machine, when there is one.

REAL = find_quarto(install=False)
BOOK = {
    "_quarto.yml": 'project: {type: book}\nbook: {title: "Mini", author: "A", chapters: [index.qmd]}\n'
    "execute: {freeze: auto}\nformat: {html: {theme: none}}\n",
    "index.qmd": "# Start\n\n```{python}\nprint(6 * 7)\n```\n",
}


@pytest.fixture
def frozen_book(tmp_path, monkeypatch):
    """A book of one frozen chapter, and no Python that could run its cell."""
    for name, text in BOOK.items():
        (tmp_path / name).write_text(text, "utf-8")
    result = {"engine": "jupyter", "markdown": "# Start\n\nforty-two, frozen\n", "supporting": [], "filters": []}
    frozen = tmp_path / "_freeze" / "index" / "execute-results" / "html.json"
    frozen.parent.mkdir(parents=True)
    key = md5(BOOK["index.qmd"].encode(), usedforsecurity=False).hexdigest()
    frozen.write_text(json.dumps({"hash": key, "result": result | {"includes": {}}}), "utf-8")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no" / "python"))
    return tmp_path


@pytest.mark.skipif(REAL.program is None, reason=f"no real Quarto: {REAL.why}")
def test_a_frozen_chapter_is_rendered_without_python(frozen_book):
    quarto(REAL.program, frozen_book, "render", "--to", "html")
    assert "forty-two, frozen" in (frozen_book / "_book" / "index.html").read_text("utf-8")


@pytest.mark.skipif(REAL.program is None, reason=f"no real Quarto: {REAL.why}")
def test_a_chapter_that_changed_is_run_again(frozen_book):
    (frozen_book / "index.qmd").write_text(BOOK["index.qmd"].replace("7", "8"), "utf-8")
    with pytest.raises(subprocess.CalledProcessError):
        quarto(REAL.program, frozen_book, "render", "--to", "html")
