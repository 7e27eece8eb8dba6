"""The slides as a PDF, a page each and without notes, printed by a browser that is installed."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

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
"""Seconds that printing may take."""
TRIES = 4
"""On a busy machine a browser may print before the slides are laid out."""


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
    slides, printed = deck.read_text("utf-8").count("<section "), 0
    for _ in range(TRIES):
        pdf.unlink(missing_ok=True)
        try:
            _print(browser, page, pdf)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RuntimeError(f"{browser} did not print the slides ({error}): {by_hand}") from error
        if (printed := pages(pdf)) >= max(1, min(2, slides)):
            return pdf
    pdf.unlink(missing_ok=True)
    raise RuntimeError(f"{browser} printed {printed or 'no'} page{'s' * (printed != 1)} of {slides} slides: {by_hand}")


def _print(browser: str, page: str, pdf: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="print-", ignore_cleanup_errors=True) as profile:
        command = [browser, "--headless", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}"]
        # the page lays itself out for print after it has loaded: these two wait for it, as a rule
        command += ["--virtual-time-budget=30000", "--run-all-compositor-stages-before-draw"]
        command += ["--no-pdf-header-footer", f"--print-to-pdf={pdf}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")  # root has none; the page is our own
        subprocess.run([*command, page], capture_output=True, timeout=PATIENCE)


def pages(pdf: Path) -> int:
    """Pages of a PDF that a browser printed; none when it is not there or is none."""
    content = pdf.read_bytes() if pdf.is_file() else b""
    return len(re.findall(rb"/Type\s*/Page\b", content)) if content.startswith(b"%PDF") else 0
