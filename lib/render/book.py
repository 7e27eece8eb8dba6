"""Quarto's first pre-render script: the table `[report]` of `study.toml` becomes `_report.yml`, part of `_quarto.yml`.

Quarto reads its settings again after the pre-render scripts, so new names and chapters show in the same rendering.
Frozen cells do not depend on them. `python -m lib` writes the file before it starts Quarto, too: where an old one lists a
chapter that was deleted since, Quarto stops before any script runs. Standard library only: it must run with any Python.

An edition is the report in a language: `index.qmd` and `chapters/` in English, `index.<code>.qmd` and `chapters/<code>/` in
another. Each is a profile of Quarto with an output folder of its own (`--profile fr`; the deck: `slides`, `slides-fr`).
"""

import json
import os
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from lib.names import DEFAULTS  # noqa: E402
from lib.settings import LANGUAGE, SettingsError, languages, read_settings  # noqa: E402

FILE = "_report.yml"
OUTPUT = "_book"
DECK = "chapters/slides/defense.qmd"
NOBODY = ["The audit team"]
"""Authors that `study.toml` comes with."""


def chosen_language(root: Path = ROOT, code: str | None = None) -> str:
    """This language, else that of `study.toml`. Raises `SettingsError` where there are no words in it."""
    code = code or read_settings(root)["report"].get("lang", LANGUAGE)
    if code not in languages(root):
        raise SettingsError(
            "The report has no words in {code!r}; it can be had in {languages}.", code, ", ".join(languages(root))
        )
    return code


def home_of(code: str) -> str:
    """The first page: Quarto takes a file called `index.*` for it."""
    return "index.qmd" if code == LANGUAGE else f"index.{code}.qmd"


def twin_of(chapter: str, code: str) -> str:
    """The chapter of an edition that the path of the English one stands for: `chapters/fr/data.qmd` for `chapters/data.qmd`."""
    folder, _, name = chapter.partition("/")
    if code == LANGUAGE or folder != "chapters" or name.startswith(f"{code}/"):
        return chapter
    return f"{folder}/{code}/{name}"


def language_of(chapter: str | Path, root: Path = ROOT) -> str:
    """The language of a chapter, by where it stands."""
    path = Path(chapter)
    code = path.parts[1] if len(path.parts) > 2 and path.parts[0] == "chapters" else path.stem.partition(".")[2]
    return code if code in languages(root) else LANGUAGE


def output_of(code: str) -> str:
    """Where Quarto puts an edition."""
    return OUTPUT if code == LANGUAGE else f"{OUTPUT}/{code}"


def profile_of(code: str, *, deck: bool = False) -> str:
    """Quarto's profile of the book of an edition, or of its deck."""
    if deck:
        return "slides" if code == LANGUAGE else f"slides-{code}"
    return code


def page_words(root: Path, code: str) -> dict[str, Any]:
    """What `names.toml` of an edition says to pages and to Quarto, with what the project overrides; empty where there is nothing."""
    words: dict[str, Any] = {"language": {}, "page": {}, "quarto": {}, "by": {}}
    for folder in (root / "lib" / "report" / "words", root / "words"):
        path = folder / code / "names.toml"
        try:
            names = tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            continue
        except tomllib.TOMLDecodeError as fault:
            raise SettingsError("{path} is not TOML: {error}.", path, fault) from None
        for table in words:
            words[table] |= names.get(table, {})
    return words


def book_settings(root: Path, code: str = LANGUAGE) -> dict[str, Any]:
    """What `[report]` says of an edition, in Quarto's names. Raises `SettingsError`, one sentence, for a chapter that is not there."""
    study, words = read_settings(root), page_words(root, code)
    report = study["report"]
    edition, by = report.get(code, {}), attributes_named(study["audit"].get("attributes", DEFAULTS), words)
    authors = report.get("authors") or NOBODY
    signed = authors != NOBODY
    if not signed:
        authors = [words["page"].get("authors", *NOBODY)]
    names = {key: edition.get(key) or report.get(key, "") for key in ("title", "subtitle")}
    book = {key: name.replace("{attributes}", by) for key, name in names.items()} | {"author": authors}
    book |= {"chapters": [home_of(code), *_chapters(root, report, "chapters", code)]}
    if appendices := _chapters(root, report, "appendices", code):
        book["appendices"] = appendices
    if not (root / home_of(code)).is_file():
        raise SettingsError(
            "{path} is missing: it is the first page of the report in {code!r}.", root / home_of(code), code
        )
    if file := words["language"].get("file"):
        book["output-file"] = file
    settings = {
        "lang": code,
        "language": (language := words["quarto"] | report.get("language", {})),
        "references-title": language.get("section-title-references", "References"),  # Typst has a word of its own
        "spaced-punctuation": bool(words["language"].get("spaced_punctuation")),
        "crossref": {"title-delim": words["language"].get("caption_colon", ":")},  # Figure 1 : ...
        "book": book,
        "report": {"authors": ", ".join(authors) if signed else ""},  # the deck's shortcode cannot show a list
    }
    if words["page"]:
        script = words_for_browser(words)
        settings["format"] = {"html": {"include-in-header": [{"text": script}], "code-summary": words["page"]["code"]}}
    return settings


def attributes_named(attributes: Iterable[str], words: dict[str, Any]) -> str:
    """What is compared, as it stands after "by": `sex, age and view` of `["sex", "age_group", "view:View Position=PA"]`."""
    names = [written.partition("=")[0].partition(":")[0].strip() for written in attributes]
    by = words["by"]
    other = by.get("other", "{label}")
    labels = [by.get(name) or by.get(f"{name}_group") or other.format(label=name.replace("_", " ")) for name in names]
    last = f" {words['language'].get('and', 'and')} ".join(labels[-2:])
    return ", ".join([*labels[:-2], last]).replace("'", words["language"].get("apostrophe", "'"))


def words_for_browser(words: dict[str, Any]) -> str:
    """What the page's buttons say, as a script of data."""
    data = json.dumps(words["page"], ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="page-words">{data}</script>'


def _chapters(root: Path, report: dict[str, Any], key: str, code: str) -> list[str]:
    """The files of an edition; a chapter of one's own that has no twin is shown as it is."""
    files = []
    for chapter in report.get(key, []):
        places = [place for place in (twin_of(chapter, code), chapter) if (root / place).is_file()]
        if not places:
            raise SettingsError(
                "{path}, [report]: {key} lists {chapter!r}, but there is no such file.",
                root / "study.toml",
                key,
                chapter,
            )
        files.append(places[0])
    return files


def chapters_of(root: Path, code: str = LANGUAGE) -> list[str]:
    """Every file of the book, in order, relative to `root`."""
    book = book_settings(root, code)["book"]
    return [*book["chapters"], *book.get("appendices", [])]


def write_book(root: Path, code: str = LANGUAGE) -> None:
    """Write `_report.yml` and the profiles of an edition, unless they are up to date: a preview reloads all when they change.

    A book without `study.toml` has its names in its `_quarto.yml`: nothing is written for it.
    """
    if not (root / "study.toml").is_file():
        return
    _write(root / FILE, book_settings(root, code))
    if code != LANGUAGE:
        project = {"output-dir": output_of(code)}
        deck = project | {"type": "default", "render": [twin_of(DECK, code)]}
        _write(root / f"_quarto-{profile_of(code)}.yml", {"project": project, "book": {"chapters": [home_of(code)]}})
        _write(root / f"_quarto-{profile_of(code, deck=True)}.yml", {"project": deck, "suppress-bibliography": True})


def _write(file: Path, settings: dict[str, Any]) -> None:
    text = json.dumps(settings, indent=2, ensure_ascii=False) + "\n"  # JSON is YAML
    if not file.is_file() or file.read_text("utf-8") != text:
        file.write_text(text, "utf-8")


def profile_language(root: Path) -> str:
    """The edition that the profile of a running Quarto stands for."""
    profiles = os.environ.get("QUARTO_PROFILE", "").split(",")
    return next(
        (code for code in languages(root) for profile in profiles if profile.removeprefix("slides-") == code), LANGUAGE
    )


if __name__ == "__main__":
    try:
        write_book(ROOT, *sys.argv[1:2] or [profile_language(ROOT)])
    except SettingsError as error:
        sys.exit(str(error))
