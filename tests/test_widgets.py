"""What a reader moves on a page, in a browser: it counts as the bundle does, by keyboard, from disk, in either language."""

from pathlib import Path

import pytest
from boards import pictured
from browser import NO_CHROMIUM, chromium, open_page, serious
from bundles import bundle

from lib.report import show
from lib.report.facts.whatif import combinations, sliding
from lib.settings import ROOT

pytestmark = pytest.mark.skipif(chromium() is None, reason=NO_CHROMIUM)


def above(bars, cut: float) -> float:
    """The share of scores from a cut-off on; within a bar they are taken for evenly spread."""
    return sum(bar["share"] * min(1.0, max(0.0, (bar["end"] - cut) / (bar["end"] - bar["start"]))) for bar in bars)


def page(folder: Path, code: str, *exhibits: str) -> Path:
    """The exhibits alone, as a page of the book has them."""
    drawn = "\n".join(line for text in exhibits for line in text.splitlines() if not line.startswith("```"))
    style = (ROOT / "chapters" / "report.css").read_text("utf-8")
    script = (ROOT / "chapters" / "widgets.html").read_text("utf-8")
    path = folder / "page.html"
    path.write_text(
        f'<!doctype html><html lang="{code}"><head><meta charset="utf-8"><title>widgets</title><style>{style}</style></head>'
        f"<body><main><h1>widgets</h1>{drawn}</main>{script}</body></html>",
        "utf-8",
    )
    return path


@pytest.mark.parametrize("code", ["en", "fr"])
def test_sliders_count_as_the_histograms_do_and_move_by_keyboard(browser, tmp_path, code):
    study = pictured("other attributes").told_in(code)
    facts = sliding(study)
    shown, errors = open_page(browser, page(tmp_path, code, str(show(study, "slider"))), width=1000, height=900)
    first, cells = shown.locator(".slider input").first, shown.locator(".slider tbody tr").first.locator("td")

    def told(cut: float) -> list[str]:
        own = facts["groups"][0]
        tpr, fpr = above(own["sick"], cut), above(own["healthy"], cut)
        return [f"{cut:.2f}", f"{100 * tpr:.1f}", f"{1000 * (1 - tpr):.0f}", f"{100 * fpr:.1f}", f"{1000 * fpr:.0f}"]

    def seen() -> list[str]:
        texts = [text.replace("\N{NO-BREAK SPACE}%", "") for text in cells.all_inner_texts()[:5]]
        assert ("," in texts[0]) == (code == "fr")
        return [text.replace(",", ".") for text in texts]

    assert [float(a) for a in seen()] == pytest.approx([float(b) for b in told(0.5)], abs=0.11)
    before = seen()
    first.focus()
    for _ in range(40):
        shown.keyboard.press("ArrowRight")
    assert first.get_attribute("aria-valuetext").replace(",", ".") == "0.70" and seen() != before
    assert [float(a) for a in seen()] == pytest.approx([float(b) for b in told(0.7)], abs=0.11)
    shown.locator(".slider select").select_option(index=0)
    assert seen() == before
    assert shown.locator(".slider [role=status]").inner_text() or shown.wait_for_timeout(400) is None
    assert not [*errors, *serious(shown)]
    shown.context.close()


def test_published_rules_are_marks_that_can_be_chosen(browser, tmp_path):
    study = bundle()
    facts = sliding(study)
    rules = list(facts["rules"].items())
    assert len(rules) > 2
    shown, _ = open_page(browser, page(tmp_path, "en", str(show(study, "slider"))), width=1000, height=900)
    assert shown.locator(".slider-group").first.locator("svg line title").count() == len(rules)
    shown.locator(".slider select").select_option(index=len(rules) - 1)
    values = [float(own.input_value()) for own in shown.locator(".slider input").all()]
    assert values == pytest.approx(list(rules[-1][1].values()), abs=0.003)
    shown.context.close()


def test_the_selector_shows_the_numbers_of_the_bundle(browser, tmp_path):
    study = bundle()
    name, table = next(iter(combinations(study)["tables"].items()))
    outcome = next(iter(table["cells"]))
    cell = table["cells"][outcome]["uniform", "fixed_0.5", "none"]
    shown, errors = open_page(browser, page(tmp_path, "en", str(show(study, "explorer"))), width=1280, height=900)
    box = shown.locator(".explorer")
    box.get_by_label("Attribute").select_option(index=list(study.attributes).index(name))
    box.get_by_label("Figure").select_option(index=0)
    first = box.locator("tbody tr").first.locator("td").first
    assert float(first.inner_text().replace("\N{MINUS SIGN}", "-")) == pytest.approx(
        100 * cell["level"].value, abs=0.051
    )
    first.hover()
    assert "95 % interval" in box.locator("[role=status]").inner_text()
    box.get_by_label("Shown").select_option(index=1)
    assert box.locator("td[data-decided]").count() == sum(
        own.get("verdict") == "shown" for own in table["cells"][outcome].values()
    )
    assert not [*errors, *serious(shown)]
    shown.context.close()
