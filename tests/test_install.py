"""The version of Python is checked before anything else, an environment of another one goes, and the lock is of these requirements."""

import os
import re
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
[ "$1" = -c ] && exec '{sys.executable}' -c "{code}" "$2"
echo "$@" >> calls.txt
case "$2" in venv) rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python;; esac
"""
    )
    path.chmod(0o755)
    return path


def make(folder, program, *options: str) -> subprocess.CompletedProcess:
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "requirements.txt").touch()
    command = ["make", "--no-print-directory", "venv", f"PYTHON={program}", *options]
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


def pinned(name: str) -> dict[str, str]:
    """Version by package of a file of requirements."""
    lines = (line.split("\\")[0].strip() for line in (ROOT / name).read_text("utf-8").splitlines())
    pairs = (line.lower().replace("_", "-").split("==") for line in lines if "==" in line and not line.startswith("#"))
    return dict(pairs)


def test_the_lock_has_every_requirement_at_its_version_and_a_hash_for_every_package():
    required, locked = pinned("requirements.txt"), pinned("requirements.lock")
    assert required.items() <= locked.items()
    hashed = re.findall(r"(?m)^(\S+)==\S+ \\\n    --hash=sha256:", (ROOT / "requirements.lock").read_text("utf-8"))
    assert len(hashed) == len(locked)


@needs_make
def test_another_file_of_requirements_and_options_of_pip_reach_pip(tmp_path):
    (tmp_path / "other.lock").touch()
    done = make(tmp_path, python(tmp_path / "new", "3.12"), "PIP=--require-hashes", "REQUIREMENTS=other.lock")
    assert done.returncode == 0 and calls(tmp_path)[-1] == "-m pip install --quiet --require-hashes -r other.lock"
