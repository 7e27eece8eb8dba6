"""Words of the texts, and of the sentences that code makes, are spelled as dictionaries have them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

CODESPELL = shutil.which("codespell", path=str(Path(sys.executable).parent))
FRENCH = "fpr,classe,anormal,te,fille,ans,valide"
"""Words that are right: a rate, and what French tables write."""
TEXTS = [
    "README.md",
    "index.qmd",
    "chapters",
    "docs",
    "lib",
    "notebooks",
    "study.toml",
    "benchmarks",
    "CONTRIBUTING.md",
]

WORDS = ROOT / "lib" / "report" / "words"
SKIPPED = [
    "*.pyc",
    "*.png",
    *(f"*/words/{path.name}/*" for path in WORDS.iterdir() if path.is_dir() and path.name != "en"),
]
"""No English: the words of other languages."""


@pytest.mark.skipif(CODESPELL is None, reason="codespell is not installed")
def test_nothing_is_misspelled():
    found = subprocess.run(
        [CODESPELL, "--skip", ",".join(SKIPPED), "--ignore-words-list", FRENCH, *TEXTS],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.stdout == "" and found.returncode == 0, found.stdout


@pytest.mark.skipif(CODESPELL is None, reason="codespell is not installed")
def test_a_misspelled_word_would_be_found(tmp_path):
    (tmp_path / "text.md").write_text("The clasifier recieves images.", "utf-8")
    found = subprocess.run([CODESPELL, "text.md"], cwd=tmp_path, capture_output=True, text=True)
    assert "recieves ==> receives" in found.stdout
