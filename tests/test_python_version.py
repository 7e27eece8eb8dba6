"""The version of Python is checked before anything else, and an environment of another one does not stay."""

import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

OLD = "import sys; sys.version_info = (3, 10, 4, 'final', 0); "
needs_make = pytest.mark.skipif(shutil.which("make") is None or os.name == "nt", reason="there is no make here")


def test_the_command_line_says_so_in_one_sentence():
    code = OLD + "import runpy; runpy.run_module('lib', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Python 3.10 is too old: version 3.11 or newer is needed.\n"


def python(path, version: str):
    """A Python that says it has this version, and notes how it is called as a module."""
    major, minor = version.split(".")
    code = f"import sys; sys.version_info = ({major}, {minor}, 0); exec(sys.argv[1])"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"""#!/bin/sh
[ "$1" = -c ] && exec {sys.executable} -c "{code}" "$2"
echo "$@" >> calls.txt
case "$2" in venv) rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python;; esac
"""
    )
    path.chmod(0o755)
    return path


def make(folder, program) -> subprocess.CompletedProcess:
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "requirements.txt").touch()
    command = ["make", "--no-print-directory", "venv", f"PYTHON={program}"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def calls(folder) -> list[str]:
    return (folder / "calls.txt").read_text().splitlines() if (folder / "calls.txt").exists() else []


@needs_make
def test_make_says_so_before_pip_does(tmp_path):
    done = make(tmp_path, python(tmp_path / "old", "3.10"))
    assert done.returncode != 0 and calls(tmp_path) == [] and not (tmp_path / ".venv").exists()
    assert done.stderr.splitlines()[0] == (
        "Python 3.10 is too old: version 3.11 or newer is needed, as in PYTHON=python3.12."
    )


@needs_make
@pytest.mark.parametrize(("there", "made"), [(None, True), ("3.10", True), ("3.13", True), ("3.12", False)])
def test_an_environment_of_another_python_is_replaced(tmp_path, there, made):
    if there:
        python(tmp_path / ".venv" / "bin" / "python", there)
    assert make(tmp_path, python(tmp_path / "new", "3.12")).returncode == 0
    assert ("-m venv --clear .venv" in calls(tmp_path)) == made
    assert calls(tmp_path)[-1] == "-m pip install --quiet -r requirements.txt"
    assert (tmp_path / ".venv" / "installed").exists()
