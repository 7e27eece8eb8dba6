"""The slides as a PDF, a page each and without notes, printed by a browser that is installed."""

import shutil
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

PROGRAMS = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
]
INSTALLED = ("chrome", "msedge")
"""Browsers that Playwright finds where their installers put them, on macOS and Windows, too."""
PATIENCE = 180
"""Seconds that loading, laying out and printing may take, each."""
LAID_OUT = """() => typeof Reveal === "undefined"
  || Reveal.isReady() && document.querySelectorAll(".pdf-page").length >= Reveal.getTotalSlides()"""
"""True in the browser once reveal.js has put every slide on a page of its own; at once in a deck without reveal.js."""


def find_browser() -> str | None:
    """A Chromium, Chrome or Edge on PATH, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def print_deck(deck: Path) -> Path:
    """Print the rendered slides into a PDF beside them. Raises RuntimeError, one sentence, where no browser can."""
    page, pdf, on_path = f"{deck.resolve().as_uri()}?print-pdf", deck.with_suffix(".pdf"), find_browser()
    pdf.unlink(missing_ok=True)
    browsers = [{"executable_path": on_path}] if on_path else [{"channel": name} for name in INSTALLED]
    with sync_playwright() as playwright:
        for browser in browsers:
            try:
                shown = playwright.chromium.launch(**browser).new_page()
                shown.set_default_timeout(1000 * PATIENCE)
                shown.goto(page)
                shown.wait_for_function(LAID_OUT)
                shown.pdf(path=pdf, prefer_css_page_size=True, print_background=True)
                return pdf
            except Error as error:
                why = error.message.splitlines()[0]
    raise RuntimeError(
        f"{on_path or 'Neither Chrome nor Edge'} did not print the slides ({why}): open {page} in Chrome or Edge and print "
        "it to PDF, without margins and with background graphics."
    )
