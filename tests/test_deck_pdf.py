"""Printing the slides without a browser, or with one that fails, is one sentence that says what to do by hand."""

import os
import stat

import pytest

from lib.render import deck_pdf


@pytest.fixture
def deck(tmp_path):
    path = tmp_path / "a deck.html"
    path.write_text("<section id=a></section><section id=b></section>", "utf-8")
    return path


def test_without_a_browser_a_sentence_says_how_to_print_by_hand(deck, monkeypatch):
    monkeypatch.setenv("PATH", str(deck.parent))
    monkeypatch.setattr(deck_pdf, "INSTALLED", ("msedge-canary",))
    with pytest.raises(RuntimeError, match=r"^Neither Chrome nor Edge .*a%20deck\.html\?print-pdf in Chrome or Edge"):
        deck_pdf.print_deck(deck)


@pytest.mark.skipif(os.name == "nt", reason="the fake browser is a shell script")
def test_a_browser_that_prints_nothing_is_named_and_an_old_pdf_is_not_taken_for_its_work(deck, monkeypatch):
    fake = deck.parent / "chromium"
    fake.write_text("#!/bin/sh\nexit 0\n", "utf-8")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    deck.with_suffix(".pdf").write_bytes(b"%PDF of yesterday")
    monkeypatch.setenv("PATH", f"{deck.parent}{os.pathsep}/bin")
    with pytest.raises(RuntimeError, match=f"^{fake} did not print the slides .*: open file://"):
        deck_pdf.print_deck(deck)
    assert not deck.with_suffix(".pdf").exists()
