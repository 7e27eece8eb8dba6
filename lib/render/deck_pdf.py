"""The slides as a PDF, a page each and without notes, printed by a browser that is installed."""

import os
import shutil
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

PROGRAMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)
ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    *(
        f"{os.environ.get(folder, '')}/{program}"
        for folder in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
        for program in ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe")
    ),
)
"""Where macOS and Windows have them; there they are not on PATH."""
PATIENCE = 180
"""Seconds that loading, laying out and printing may take, each."""
LAID_OUT = """() => typeof Reveal === "undefined"
  || Reveal.isReady() && document.querySelectorAll(".pdf-page").length >= Reveal.getTotalSlides()"""
"""True in the browser once reveal.js has put every slide on a page of its own; at once in a deck without reveal.js."""


def find_browser() -> str | None:
    """A Chromium, Chrome or Edge of this machine, or None."""
    return next(filter(None, map(shutil.which, (*PROGRAMS, *ELSEWHERE))), None)


def print_deck(deck: Path) -> Path:
    """Print the rendered slides into a PDF beside them. Raises RuntimeError, one sentence, where no browser can."""
    page, browser = f"{deck.resolve().as_uri()}?print-pdf", find_browser()
    by_hand = f"open {page} in Chrome or Edge and print it to PDF, without margins and with background graphics."
    if browser is None:
        raise RuntimeError(f"No Chromium, Chrome or Edge is found that could print the slides: {by_hand}")
    pdf = deck.with_suffix(".pdf")
    pdf.unlink(missing_ok=True)
    try:
        with sync_playwright() as playwright:
            shown = playwright.chromium.launch(executable_path=browser).new_page()
            shown.set_default_timeout(1000 * PATIENCE)
            shown.goto(page)
            shown.wait_for_function(LAID_OUT)
            shown.pdf(path=pdf, prefer_css_page_size=True, print_background=True)
    except Error as error:
        raise RuntimeError(
            f"{browser} did not print the slides ({error.message.splitlines()[0]}): {by_hand}"
        ) from error
    return pdf
