"""Rendered pages as a reader's browser shows them: opened from disk, the network off, errors collected, axe run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe is not installed")

from axe_playwright_python.sync_playwright import Axe  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from lib.render.deck_pdf import find_browser  # noqa: E402
from lib.render.quarto import find_quarto  # noqa: E402

NO_CHROMIUM = "no Chromium, Chrome or Edge is installed"
"""Why tests of pages are skipped where `chromium()` is None."""


def chromium() -> str | None:
    """The Chromium, Chrome or Edge of this machine, or None."""
    return find_browser()


QUARTO = find_quarto(install=False)
NEEDED = [
    pytest.mark.pages,
    pytest.mark.skipif(chromium() is None, reason=NO_CHROMIUM),
    pytest.mark.skipif(QUARTO.program is None, reason=f"no real Quarto: {QUARTO.why}"),
]
"""The marks of tests that look at what Quarto rendered."""


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A headless browser, closed afterwards. Its sandbox is off, as it may run in a container; it opens our pages only."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def open_page(
    browser: Browser, path: Path | str, *, width: int, height: int, dark: bool = False
) -> tuple[Page, list[str]]:
    """Open a file (with `?query` or `#fragment`, if given as text) from disk, in a window of so many CSS pixels.

    The network is off. Returns the page, in a context of its own, and a list to which every console error, uncaught
    exception and failed request is added, now and later.
    """
    file, mark, rest = str(path).partition("#" if "?" not in str(path) else "?")
    context = browser.new_context(
        offline=True, viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    page, errors = context.new_page(), []
    page.on("console", lambda said: errors.append(f"console: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(f"exception: {error}"))
    page.on("requestfailed", lambda request: errors.append(f"not loaded: {request.url} ({request.failure})"))
    page.goto(f"{Path(file).resolve().as_uri()}{mark}{rest}", wait_until="load")
    return page, errors


COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""Of axe's rules those that depend on the theme, and most of its time."""
WORDS = {"type": "tag", "values": ["cat.name-role-value", "cat.text-alternatives", "cat.language", "cat.aria"]}
"""Those that depend on the language: names, roles and texts."""


def settled(page: Page) -> None:
    """Wait until fonts are there, what moves has come to rest and what changed is drawn."""
    page.wait_for_function(
        "document.fonts.status == 'loaded' && document.getAnimations().every(a => a.playState != 'running')"
    )
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def serious(page: Page, *, only: dict | None = None, within: str | None = None) -> list[str]:
    """What axe finds that is serious or critical on the page as it is shown now, a sentence for each element.

    `only` these of its rules, `within` the element of this selector.
    """
    # without fetching style sheets once more, which a page from disk may not do: it would count as an error of the page
    options = {"resultTypes": ["violations"], "preload": False} | ({"runOnly": only} if only else {})
    found = Axe().run(page, context=within, options=options).response["violations"]
    return [
        f"{violation['id']} ({violation['impact']}) at {' '.join(map(str, node['target']))}: {violation['help']}; {node['html'][:150]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
