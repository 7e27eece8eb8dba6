"""The PDF on paper: few pages, all of them used, nothing too small to read."""

from ctypes import byref

import numpy as np
import pytest
from browser import QUARTO
from pypdfium2 import PdfDocument, PdfPage
from pypdfium2.raw import FS_MATRIX, FPDFText_GetFontSize, FPDFText_GetMatrix, FPDFText_GetUnicode

pytestmark = [pytest.mark.pages, pytest.mark.skipif(QUARTO.program is None, reason=f"no real Quarto: {QUARTO.why}")]
MARGINS = 0.075
"""Of a page's height: head and foot, where running title and page number stand."""


@pytest.fixture(scope="module", params=["en", "fr"])
def pdf(request, rendered) -> PdfDocument:
    folder = rendered if request.param == "en" else rendered / request.param
    (path,) = folder.glob("*.pdf")
    return PdfDocument(path)


def test_it_has_forty_pages_at_most_and_hardly_one_of_them_is_half_empty(pdf):
    filled = [_filled(page) for page in pdf]
    assert 20 <= len(filled) <= 40
    assert [n for n, share in enumerate(filled[:-1], 1) if share < 0.25] == []
    assert sum(share < 0.5 for share in filled) <= 3, filled


def test_no_letter_is_under_eight_points(pdf):
    small = {n: text for n, page in enumerate(pdf, 1) if (text := _smaller(page, 8)).strip()}
    assert not small


def _filled(page: PdfPage) -> float:
    """The share of the page between its margins that ends with the last thing on it."""
    grey = page.render(scale=0.5, grayscale=True).to_numpy().squeeze()
    edge = round(MARGINS * len(grey))
    rows = np.flatnonzero((grey[edge:-edge] < 200).any(axis=1))
    return float(rows[-1] + 1) / (len(grey) - 2 * edge) if len(rows) else 0.0


def _smaller(page: PdfPage, points: float) -> str:
    """The letters under so many points; raised and lowered ones of formulas, in letters of their own, are not meant."""
    text, small = page.get_textpage(), []
    for place in range(text.count_chars()):
        letter, matrix = chr(FPDFText_GetUnicode(text, place)), FS_MATRIX()
        FPDFText_GetMatrix(text, place, byref(matrix))
        size = FPDFText_GetFontSize(text, place) * float(np.hypot(matrix.b, matrix.d))
        if letter.isalnum() and not 0x1D400 <= ord(letter) < 0x1D800 and size < points - 0.05:
            small.append(letter)
    return "".join(small)
