"""What commands tell is told in the chosen language, and its catalogue holds what the code says, no more and no less."""

import ast
import re
import shutil
from pathlib import Path

import pytest
from conftest import ROOT

import train_classifieur as script
from lib import __main__ as cli
from lib.dropin import foreign, rates
from lib.messages import LANGUAGE, catalogue, message, places, speak
from lib.preprocessing.weightings import LABELS
from lib.schema import OTHER_KINDS
from lib.settings import languages, spoken_language
from lib.tabular import content

SAYING = {
    "message",
    "UserError",
    "SettingsError",
    "TableError",
    "CohortError",
    "CheckpointError",
    "WeightingError",
    "TrainingError",
}
TABLES = [*foreign.KINDS.values(), *content.REFUSED.values(), *OTHER_KINDS.values(), *rates.ATTRIBUTES, *LABELS]
"""Phrases that are told from a table."""
SOURCES = [ROOT / "train_classifieur.py", *sorted((ROOT / "lib").rglob("*.py"))]
TRANSLATED = [
    *(ROOT / "lib" / "dropin").glob("*.py"),
    *(ROOT / "lib" / "tabular").glob("*.py"),
    *(ROOT / "lib" / "training").glob("*.py"),
    *(p for p in (ROOT / "lib" / "cohort").glob("*.py") if not p.name.startswith("nih")),
    *(ROOT / "lib" / name for name in ("__main__.py", "files.py", "settings.py", "render/book.py")),
    ROOT / "train_classifieur.py",
]
"""Where every mistake that is told is in the catalogue: what one meets with a folder, a table, an option or settings."""
OTHERS = [code for code in languages() if code != LANGUAGE]


@pytest.fixture(scope="module")
def said() -> set[str]:
    texts = [text for path in SOURCES for text in first_arguments(path) if isinstance(text, ast.Constant)]
    return {*(text.value for text in texts if isinstance(text.value, str)), *TABLES, "any value"}


def first_arguments(path: Path, names: set[str] = SAYING) -> list[ast.expr]:
    """The first argument of every call of these names in a file."""
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call) and node.args]
    return [call.args[0] for call in calls if getattr(call.func, "id", "") in names]


@pytest.mark.parametrize("code", OTHERS)
def test_the_catalogue_has_what_is_said_and_nothing_else(code, said):
    assert catalogue(code).keys() == said


@pytest.mark.parametrize("code", OTHERS)
def test_both_languages_fill_in_the_same_places(code):
    assert {text for text, told in catalogue(code).items() if {*places(text)} != {*places(told)}} == set()


@pytest.mark.parametrize("path", TRANSLATED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_sentence_is_told_past_the_catalogue(path):
    """Words in an f-string could not be looked up; those without a full stop are caught, and never told."""
    joined = [text for text in first_arguments(path, SAYING | {"ValueError"}) if isinstance(text, ast.JoinedStr)]
    sentences = ["".join(part.value for part in text.values if isinstance(part, ast.Constant)) for text in joined]
    assert [text for text in sentences if text.endswith(".") and re.search(r"\w{2}", text)] == []


def test_numbers_are_written_as_the_language_writes_them():
    text = "loss {loss:.4f} (lower is better; AUC {auc:.4f}, higher is better)"
    assert "0.5000" in message(text, 0.5, 0.75)
    speak("fr")
    assert "0,5000" in message(text, 0.5, 0.75) and "0,7500" in message(text, 0.5, 0.75)
    count = message("{path} is too large; at most {most:,} bytes are read as a table.", Path("a, b.csv"), 1_000)
    assert count.startswith("a, b.csv est") and "1\N{NARROW NO-BREAK SPACE}000" in count


def test_a_message_needs_a_value_for_each_place():
    with pytest.raises(ValueError, match="shorter"):
        message("{path} is {why}.", "a")


@pytest.mark.parametrize(
    ("settings", "asked", "code"),
    [
        ('[report]\nlang = "fr"\n', None, "fr"),
        ("[report]\n  lang='fr'\nbroken = ", None, "fr"),
        ('[report]\nlang = "fr"\n', "en", "en"),
        ('[report]\nlang = "en"\n', "fr", "fr"),
        ('[report]\nlang = "xx"\n', None, "en"),
        (None, None, "en"),
        (None, "fr", "fr"),
    ],
)
def test_the_language_is_the_one_asked_for_or_that_of_the_settings(tmp_path, settings, asked, code):
    (tmp_path / "lib" / "report").mkdir(parents=True)
    (tmp_path / "lib" / "report" / "words").symlink_to(ROOT / "lib" / "report" / "words")
    if settings is not None:
        (tmp_path / "study.toml").write_text(settings, "utf-8")
    assert spoken_language(asked, tmp_path) == code


NOWHERE = "{folder} is not a folder: a cohort is a folder with train, valid and metadata.csv."


def told_of_nowhere(code: str, folder: Path) -> str:
    speak(code)
    return message(NOWHERE, folder) + "\n"


@pytest.mark.parametrize("code", languages())
def test_check_tells_a_mistake_in_the_language_asked_for(code, tmp_path, capsys):
    assert cli.main(["check", str(tmp_path / "nowhere"), "--language", code]) == 1
    assert capsys.readouterr().err == told_of_nowhere(code, tmp_path / "nowhere")


@pytest.mark.parametrize("code", languages())
def test_the_drop_in_tells_a_mistake_in_the_language_asked_for(code, tmp_path, capsys):
    where = ["--logdir", str(tmp_path), "--datadir", str(tmp_path / "nowhere"), "--csv", "a.csv"]
    assert script.main([*where, "--language", code]) == 1
    assert capsys.readouterr().err == told_of_nowhere(code, tmp_path / "nowhere")


def test_the_calls_of_the_drop_in_speak_the_language_of_the_study(tmp_path, monkeypatch):
    monkeypatch.setattr(script, "spoken_language", lambda asked: asked or "fr")
    calls = [script.train_classifier, script.pred_classifier]
    for call, rest in zip(calls, [("a.csv",), ("a.ckpt", "a.csv", "b.csv")], strict=True):
        folders = (tmp_path, tmp_path / "nowhere") if call is script.train_classifier else (tmp_path / "nowhere",)
        for asked, code in ((None, "fr"), ("en", "en")):
            with pytest.raises(ValueError) as error:
                call(*folders, *rest, language=asked)
            assert f"{error.value}\n" == told_of_nowhere(code, tmp_path / "nowhere")


@pytest.mark.parametrize(
    "break_it",
    [
        lambda folder: (folder / "metadata.csv").unlink(),
        lambda folder: (folder / "metadata.csv").write_text("a,b\n1,2\n"),
        lambda folder: shutil.rmtree(folder / "valid" / "sain"),
        lambda folder: (folder / "train" / "malade").rename(folder / "train" / "autre"),
    ],
)
def test_no_english_sentence_is_told_of_a_broken_cohort(tiny_cohort, tmp_path, capsys, break_it):
    folder = shutil.copytree(tiny_cohort, tmp_path / "cohorte")
    break_it(folder)
    told = {}
    for code in (LANGUAGE, "fr"):
        assert cli.main(["check", str(folder), "--language", code]) == 1
        told[code] = capsys.readouterr().err.replace(str(folder), "")
    assert not {"the", "is", "it", "holds", "lacks", "needed"} & set(re.findall(r"\w+", told["fr"]))
    assert told["fr"] != told[LANGUAGE] and told["fr"].count("\n") == 1
