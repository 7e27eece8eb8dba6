"""The readers under damaged and invented input: what they raise is a sentence for the user, and they come back.

A few seconds by default; `FUZZ=20000 python -m pytest tests/test_fuzz_readers.py` tries that many inputs for each reader,
different ones each time, and any one that fails is kept by hypothesis and tried first the next time.
"""

import io
import os
import zipfile

import pytest
from cohorts import HEADER, draw_image, line
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from PIL import Image

from lib.cohort import CohortError, unpack
from lib.cohort.images import UNREADABLE, read_grey, read_header
from lib.cohort.metadata import OLDEST, read_metadata
from lib.cohort.nih import Choice, select, student_names
from lib.cohort.phantom import NULL, read_dials
from lib.settings import SettingsError, read_settings

LONG = int(os.environ.get("FUZZ", "0"))
often = settings(
    max_examples=LONG or 60,
    derandomize=not LONG,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

CELLS = st.one_of(
    st.sampled_from(
        ["", "058Y", "412", "-1", "F", "m", "AP", "ll", "No Finding", "Mass|Nodule", "NaN", "inf", "1e400", "0,5"]
    ),
    st.sampled_from(["=1+1", "<script>", "../a.png", "/etc/passwd", "a\0b", '"', "\r", "\ufeff", "٣٤", "a" * 5000]),
    st.text(max_size=8),
)
ROWS = st.lists(st.lists(CELLS, max_size=14), max_size=8)


@st.composite
def tables(draw) -> bytes:
    """A CSV: whole, with other cells, or with bytes exchanged, in some encoding and with some separator."""
    header = HEADER.split(",")
    if draw(st.integers(0, 3)) == 0:
        header = draw(st.permutations(header))[: draw(st.integers(0, 12))]
    rows = [header, line("a.png").split(","), *draw(ROWS)]
    separator, end = draw(st.sampled_from(",;\t|")), draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = end.join(separator.join(row) for row in rows)
    return _damaged(draw, text.encode(draw(st.sampled_from(["utf-8", "utf-16", "utf-8-sig"])), "surrogatepass"))


def _damaged(draw, content: bytes) -> bytes:
    """The content cut somewhere, or with some bytes exchanged, or as it is."""
    damaged = bytearray(content)
    for _ in range(draw(st.integers(0, 4))):
        if damaged:
            damaged[draw(st.integers(0, len(damaged) - 1))] = draw(st.integers(0, 255))
    return bytes(damaged[: draw(st.integers(0, len(damaged)))]) if draw(st.booleans()) else bytes(damaged)


def _stored(save) -> bytes:
    stream = io.BytesIO()
    save(stream)
    return stream.getvalue()


GREY = Image.fromarray(draw_image(default_rng(1), size=32))
IMAGES = [
    _stored(lambda s, kind=kind, mode=mode: GREY.convert(mode).save(s, kind))
    for kind, mode in (
        ("PNG", "L"),
        ("PNG", "P"),
        ("PNG", "RGBA"),
        ("PNG", "1"),
        ("PNG", "I;16"),
        ("JPEG", "L"),
        ("JPEG", "RGB"),
        ("JPEG", "CMYK"),
    )
]


def _zip() -> bytes:
    def save(stream):
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("N_P/metadata.csv", f"{HEADER}\n{line('a.png')}\n" * 3)
            archive.writestr("N_P/train/malade/a.png", IMAGES[0])

    return _stored(save)


ZIP = _zip()


@often
@given(tables())
@example(b"")
@example(b'"')
@example(b"\xff\xfe\x00")
@example(b'\ra.png,No Finding,0,77700001,50,F,PA,2500,2048,0.171,0.171,1\r,",\n,,')  # a column's name of two lines
def test_tables(tmp_path, content):
    path = tmp_path / "metadata.csv"
    path.write_bytes(content)
    try:
        frame, checks = read_metadata(path)
    except CohortError as error:
        assert "\n" not in str(error).replace(str(path), "")
        return
    assert frame["image"].is_unique().all() and frame["image"].null_count() == frame["patient"].null_count() == 0
    assert frame["age"].drop_nulls().is_between(0, OLDEST).all()
    assert set(frame["sex"].drop_nulls()) <= {"F", "M"} and set(frame["view"].drop_nulls()) <= {"AP", "PA"}
    counts = {check: rows for check, rows, _ in checks}
    left_out = ("rows without an image name or a patient", "repeated rows that agree", "repeated rows that differ")
    assert frame.height == counts["rows in metadata.csv"] - sum(counts[check] for check in left_out)
    try:
        select(
            frame.rename({"image": "Image Index", "findings": "Finding Labels", "patient": "Patient ID"}),
            path,
            Choice(),
        )
    except CohortError as error:
        assert "lacks the column(s)" in str(error)


@often
@given(st.data())
def test_images(tmp_path, data):
    content = _damaged(data.draw, data.draw(st.sampled_from(IMAGES)))
    (tmp_path / "a.png").write_bytes(content)
    shape, mode = read_header(io.BytesIO(content))
    assert (shape is None) == (mode is None)
    try:
        grey = read_grey(tmp_path / "a.png", 32)
    except UNREADABLE:
        return
    assert grey.shape == (32, 32) and shape is not None


@often
@given(st.data())
def test_zips(tmp_path, data):
    (tmp_path / "a.zip").write_bytes(_damaged(data.draw, ZIP))
    try:
        out = unpack(tmp_path / "a.zip", tmp_path / "store")
    except CohortError as error:
        assert "\n" not in str(error)
        return
    assert out.resolve().is_relative_to((tmp_path / "store").resolve()) and (out / "metadata.csv").is_file()


@often
@given(st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_lists_of_students(tmp_path, content):
    (tmp_path / "names.txt").write_bytes(content)
    try:
        names = student_names(tmp_path / "names.txt")
    except CohortError:
        return
    assert names and all((tmp_path / name).parent == tmp_path and name not in (".", "..") for name in names)


@often
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_settings(tmp_path, content):
    (tmp_path / "study.toml").write_bytes(content)
    with pytest.raises(SettingsError):
        read_settings(tmp_path)


@often
@given(
    st.lists(st.text(max_size=12) | st.sampled_from(["shortcut=1", "shortcut=nan", "nature=2", "simpson="]), max_size=3)
)
def test_dials(texts):
    try:
        dials = read_dials(texts, NULL)
    except ValueError as error:
        assert "allowed" in str(error)
        return
    assert 0 <= dials.shortcut <= 1
