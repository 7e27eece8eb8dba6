"""Commands print what they promise; a mistake is one sentence on stderr and exit status 1."""

import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

from lib import __main__ as cli
from lib.settings import study_settings


def sentence(text: str) -> str:
    """The one line of a message, which is a sentence and no traceback."""
    assert text.count("\n") == 1 and text.endswith(".\n"), text
    return text.strip()


def test_check_prints_what_was_found(tiny_cohort):
    command = [sys.executable, "-m", "lib", "check", str(tiny_cohort)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert "       0  files that are no readable image (left out)\n" in done.stdout
    assert "     192  images in the folders (read)\n" in done.stdout
    assert "       0  images without a row in metadata.csv (left out)\n" in done.stdout
    assert done.stdout.endswith("     192  images used (kept)\n")


def test_the_environment_may_name_the_cohort(tiny_cohort, monkeypatch, capsys):
    monkeypatch.setenv("COHORT", str(tiny_cohort))
    assert cli.main(["check"]) == 0
    assert "images used" in capsys.readouterr().out


def test_a_cohort_must_be_given_to_be_checked(capsys):
    assert cli.main(["check"]) == 1
    assert sentence(capsys.readouterr().err).startswith("Which cohort? Give its folder or zip: `python -m lib check")


def test_without_a_cohort_the_study_draws_its_own_once(monkeypatch, tmp_path, caplog):
    studied, drawn = [], []
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    monkeypatch.setattr(
        "lib.cohort.phantom.draw_phantom", lambda folder: drawn.append(folder) or folder.mkdir(parents=True)
    )
    monkeypatch.setattr("lib.study.run.run_study", lambda folder, name, **_: studied.append((folder, name)))
    with caplog.at_level("INFO"):
        assert cli.main(["study"]) == cli.main(["study"]) == 0
    own = tmp_path / "data" / "demo" / "cohort"
    assert (drawn, studied) == ([own], [(own, "demo"), (own, "demo")])
    assert f"the synthetic radiographs of {own}" in caplog.text


@pytest.mark.parametrize("command", ["check", "study"])
@pytest.mark.parametrize("gone", ["metadata.csv", "valid/sain"])
def test_a_broken_cohort_is_one_sentence(tiny_cohort, tmp_path, capsys, command, gone):
    folder = shutil.copytree(tiny_cohort, tmp_path / "broken")
    shutil.rmtree(folder / gone) if (folder / gone).is_dir() else (folder / gone).unlink()
    assert cli.main([command, str(folder)]) == 1
    assert sentence(capsys.readouterr().err).startswith(f"{folder / gone} is missing: ")


@pytest.mark.parametrize("command", ["report", "slides", "preview"])
def test_a_cohort_without_results_is_one_sentence(command, capsys):
    assert cli.main([command, "never_studied"]) == 1
    message = sentence(capsys.readouterr().err)
    assert "never_studied" in message and "holds no results: give a cohort folder, `make report COHORT=path`" in message


@pytest.mark.parametrize("largest_loss", [0.02, 0.3])
def test_preferences_that_results_do_not_follow_are_told(largest_loss, monkeypatch, caplog, tmp_path):
    settings = study_settings()
    settings.preferences.largest_loss = largest_loss
    monkeypatch.setattr(cli, "study_settings", lambda: settings)
    monkeypatch.setattr("lib.render.report.render_report", lambda root, code: [tmp_path / "index.html"])
    assert cli.main(["report"]) == 0
    assert ("results follow other [preferences] than study.toml has now" in caplog.text) == (largest_loss != 0.02)


@pytest.mark.parametrize("written", ["-3", "soon", "nan"])
def test_minutes_are_a_number_of_them(written, capsys):
    with pytest.raises(SystemExit, match="^2$"):
        cli.main(["study", "--minutes", written])
    assert f"argument --minutes: invalid minutes value: '{written}'" in capsys.readouterr().err


def test_a_folder_of_images_is_studied_before_it_is_reported(tiny_cohort, monkeypatch, capsys, tmp_path):
    done = []
    monkeypatch.setattr("lib.study.run.run_study", lambda folder, minutes: done.append(str(folder)))
    monkeypatch.setattr(
        "lib.render.report.render_report", lambda root, code: done.append(root) or [tmp_path / "index.html"]
    )
    assert cli.main(["report", str(tiny_cohort)]) == 0
    assert done == [str(tiny_cohort), ROOT] and os.environ["COHORT"] == str(tiny_cohort)
    assert capsys.readouterr().out == f"{tmp_path / 'index.html'}\n"


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (KeyboardInterrupt(), 130, "Stopped. What was finished is kept; start again to resume."),
        (subprocess.CalledProcessError(3, ["bin/quarto", "render"]), 1, "quarto stopped with status 3; its message is"),
        (RuntimeError("The draft cannot be made."), 1, "The draft cannot be made."),
        (
            PermissionError(13, "Permission denied", "a.png"),
            1,
            "a.png cannot be read or written (permission denied): give",
        ),
        (
            OSError(28, "No space left on device", "x.npy"),
            1,
            "x.npy cannot be written, the disk is full: what was finished",
        ),
        (
            OSError(30, "Read-only file system", "data"),
            1,
            "data cannot be read or written (read-only file system): give",
        ),
        (OSError(5, "Input/output error", "a.png"), 1, "a.png: Input/output error."),
    ],
)
def test_every_expected_end_is_told_without_a_traceback(tiny_cohort, monkeypatch, capsys, error, status, told):
    def stop(*_, **__):
        raise error

    monkeypatch.setattr("lib.cohort.read_cohort", stop)
    assert cli.main(["check", str(tiny_cohort)]) == status
    assert capsys.readouterr().err.startswith(told)


def test_study_prints_where_the_results_are(tiny_study, monkeypatch, capsys):
    from lib.study import run as study

    real = study.run_study
    monkeypatch.setattr(study, "run_study", lambda *given, **more: real(*given, **more, root=tiny_study.root))
    assert cli.main(["study", str(tiny_study.folder)]) == 0
    assert capsys.readouterr().out == f"{tiny_study.bundle}\n"


def test_clean_keeps_results_and_networks(tmp_path, monkeypatch):
    for name in ("_book", ".quarto", "data/.pixels", "data/.zips/a", "data/nih/results", "data/nih/runs", "_freeze"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    assert cli.main(["clean"]) == 0
    kept = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*"))
    assert kept == ["_freeze", "data", "data/nih", "data/nih/results", "data/nih/runs"]


@pytest.mark.parametrize("arguments", [[], ["fly"], ["check", "a", "b"], ["study", "--minuts", "3"]])
def test_an_unknown_command_shows_how_to_call(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    assert "usage: python -m lib" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "study", "report", "slides", "preview", "notebook"])
def test_a_language_without_words_is_told_before_anything_is_done(command, tiny_cohort, capsys):
    assert cli.main([command, str(tiny_cohort), "--language", "xx"]) == 1
    assert "it can be had in en, fr." in sentence(capsys.readouterr().err)


def test_check_speaks_the_language_of_the_report(tiny_cohort, monkeypatch, capsys):
    monkeypatch.setenv("LANGUAGE", "fr")  # as a desktop may set it for its own messages
    assert cli.main(["check", str(tiny_cohort)]) == 0
    assert "192  images in the folders (read)\n" in capsys.readouterr().out
    assert cli.main(["check", str(tiny_cohort), "--language", "fr"]) == 0
    assert "192  images dans les dossiers (lues)\n" in capsys.readouterr().out
