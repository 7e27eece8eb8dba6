"""The readers under damaged and invented input: what they raise is a sentence for the user, and they come back.

A few seconds by default; `FUZZ=20000 python -m pytest tests/test_fuzz_readers.py` tries that many inputs for each reader,
different ones each time, and any one that fails is kept by hypothesis and tried first the next time.
"""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import re
import zipfile

import pytest
from cohorts import HEADER, draw_image, line
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from PIL import Image
from tables import read_metadata

from lib.cohort import CohortError, unpack
from lib.cohort.images import UNREADABLE, read_grey, read_header
from lib.cohort.nih import Choice, select, student_names
from lib.cohort.phantom import NULL, read_dials
from lib.predictions import PredictionError
from lib.predictions.prepared import prepared
from lib.predictions.question import Request
from lib.settings import SettingsError, read_settings
from lib.tabular import TableError, parse_attribute, plain_name
from lib.tabular.columns import NAMES
from lib.tabular.values import OLDEST

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
    return _written(draw, rows)


def _written(draw, rows: list[list[str]]) -> bytes:
    """The rows as a file: some separator, line end, encoding and compression, perhaps damaged before and after."""
    separator, end = draw(st.sampled_from(",;\t|")), draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = draw(st.sampled_from(["", "", f"sep={separator}{end}"])) + end.join(separator.join(row) for row in rows)
    encoding = draw(st.sampled_from(["utf-8", "utf-16", "utf-8-sig", "utf-16-le", "utf-32", "cp1252"]))
    content = _damaged(draw, text.encode(encoding, "replace" if encoding == "cp1252" else "surrogatepass"))
    pack = draw(st.sampled_from([None, None, None, gzip.compress, bz2.compress, lzma.compress]))
    return content if pack is None else _damaged(draw, pack(content))


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


HEADERS = st.one_of(
    st.sampled_from(sorted({name for names in NAMES.values() for name in names})),
    st.sampled_from(
        ["preds_logit0", "preds_logit1", "logits_0", "logits_1", "a/seed1", "train", "", "Unnamed: 0", "Race"]
    ),
    st.text(max_size=8),
)
VALUES = st.one_of(
    st.sampled_from(
        ["0", "1", "0.5", "0,7", "1.0", "nan", "", "inf", "-1", "87 %", "malade", "sain", "No Finding", "Mass"]
    ),
    st.sampled_from(
        ["train", "valid", "True", "False", "F", "Male", "AP", "58", "058Y", "a.png", "B.PNG", "x/b.png", "412"]
    ),
    CELLS,
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "score": st.lists(HEADERS, min_size=1, max_size=3).map(tuple),
        **{role: HEADERS | st.just("none") for role in ("image", "patient", "label", "decision", "split")},
        "attributes": st.lists(
            st.text(max_size=10) | HEADERS | HEADERS.map(lambda h: f"a:{h}:40,60") | HEADERS.map(lambda h: f"b:{h}=F"),
            max_size=9,
        ),
        "like": st.sampled_from(["nih", "chexpert", "mimic", "x"]),
        "threshold": st.floats(),
        "baseline": st.text(max_size=5),
        "postprocess": st.lists(st.sampled_from(["equal_tpr", "best_threshold", "x"]), max_size=2),
        "target": st.lists(st.sampled_from(["sex", "view", "x"]), max_size=2),
    },
)


@st.composite
def predictions(draw) -> tuple[bytes, bytes]:
    """A file of predictions and metadata that mostly fit each other, each with other columns, cells or bytes."""
    names = [f"{k}.png" for k in range(draw(st.integers(0, 30)))]
    score = [
        ["image", draw(st.sampled_from(["score", "preds", "proba", "x"]))],
        *([name, f"{k % 7 / 7:.3f}"] for k, name in enumerate(names)),
    ]
    meta = [
        HEADER.split(","),
        *(
            line(name, findings="Mass" if k % 2 else "No Finding", patient=str(k // 2)).split(",")
            for k, name in enumerate(names)
        ),
    ]
    for rows in (score, meta):
        for _ in range(draw(st.integers(0, 3))):
            column = draw(st.integers(0, len(rows[0])))
            values = draw(st.lists(VALUES, min_size=1, max_size=4))
            replace = draw(st.booleans()) and column < len(rows[0])
            for k, row in enumerate(rows):
                cell = draw(HEADERS) if k == 0 else values[k % len(values)]
                row[column : column + replace] = [cell]
    return _written(draw, score), _written(draw, meta)


@often
@given(predictions(), OPTIONS, st.booleans())
def test_predictions_and_options(tmp_path, contents, options, alone):
    files = tmp_path / "preds.csv", tmp_path / "metadata.csv"
    for path, content in zip(files, contents, strict=True):
        path.write_bytes(content)
    try:
        question = prepared(Request(files[:1], None if alone else files[1], **options))
    except PredictionError as error:
        message = str(error).replace(str(tmp_path), "")
        assert message.isprintable() and message.endswith(".") and len(message) < 2000
        return
    assert set(question.rows["label"]) == {0, 1} and question.rows["patient"].null_count() == 0
    assert question.rows["image"].is_unique().all()
    for own in (question.scores, question.decisions):
        assert all(
            values.shape[1] == question.rows.height and 0 <= values.min() <= values.max() <= 1
            for values in own.values()
        )
    for name, attribute in question.attributes.items():
        assert (
            set(question.rows[name].drop_nulls()) <= set(attribute.groups) and attribute.reference in attribute.groups
        )
    assert all(sentence.isprintable() and "<" not in sentence.replace("<4", "") for sentence in question.warnings)


@often
@given(st.text(max_size=30))
def test_names_of_attributes_and_methods(written):
    with contextlib.suppress(TableError):
        assert re.fullmatch(r"\w+", parse_attribute(written).key)
    assert not set(plain_name(written)[1:]) & set("<>`*[]{}$#@|~^&")


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
