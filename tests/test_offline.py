"""What Quarto has rendered is changed so that it works from disk, and left alone where it is not as foreseen."""

import json

import pytest

from lib.render.pages import plain_script, work_from_disk

QUARTO = 'import * as tabsets from "./tabsets/tabsets.js";\n\ntabsets.init();\n'
TABSETS = "export function init() { window.started = true; }\n"


@pytest.fixture
def book(tmp_path):
    for name, text in (
        ("site_libs/quarto-html/quarto.js", QUARTO),
        ("site_libs/quarto-html/tabsets/tabsets.js", TABSETS),
        ("site_libs/quarto-search/quarto-search.js", 'if (window.location.protocol === "file:" && !shownWarning) {}'),
        ("search.json", json.dumps([{"title": "é"}])),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    scripts = [
        f'<script src="../site_libs/quarto-html/{n}.js" type="module"></script>' for n in ("quarto", "tabsets/tabsets")
    ]
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "a.html").write_text("\n".join(scripts), "utf-8")
    return tmp_path


def test_the_modules_become_one_plain_script_and_the_index_a_script(book):
    assert work_from_disk(book) == 1
    page = (book / "chapters" / "a.html").read_text("utf-8")
    assert page.strip() == '<script src="../site_libs/quarto-html/quarto-plain.js" defer></script>'
    assert (book / "search.js").read_text("utf-8") == 'window.searchIndex = [{"title": "é"}];\n'
    assert "file:" not in (book / "site_libs/quarto-search/quarto-search.js").read_text("utf-8")
    assert work_from_disk(book) == 0, "a second time there is nothing left to do"


def test_a_script_that_imports_more_than_was_foreseen_is_not_guessed_at():
    with pytest.raises(ValueError, match="import or export more"):
        plain_script(QUARTO + 'import * as axe from "./axe.js";\n', TABSETS)


def test_slides_have_no_such_scripts_and_stay_as_they_are(tmp_path):
    (tmp_path / "defense.html").write_text("<html></html>", "utf-8")
    assert work_from_disk(tmp_path) == 0
