"""Every bad input met so far: one clear sentence or one counted line, nothing lost, never a traceback."""

import errno
import io
import os
import unicodedata

import numpy as np
import polars as pl
import pytest
from cohorts import HEADER, Handmade, line
from PIL import Image, PngImagePlugin
from tables import read_metadata

from lib import __main__ as cli
from lib.cohort import CohortError, load_pixels, read_cohort, readable

SIZES = {"images in the folders", "rows in metadata.csv", "images used"}


@pytest.fixture
def handmade(tmp_path):
    return Handmade(tmp_path / "NOM_PRENOM")


def found(checks: pl.DataFrame) -> dict[str, int]:
    return {check: rows for check, rows, _ in checks.iter_rows() if rows and check not in SIZES}


def told(folder) -> str:
    """The one sentence with which a cohort is refused."""
    with pytest.raises(CohortError) as error:
        read_cohort(folder)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")
    return str(error.value)


def csv(tmp_path, content: bytes) -> pl.DataFrame:
    (tmp_path / "metadata.csv").write_bytes(content)
    return read_metadata(tmp_path / "metadata.csv")[0]


# the table


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_names_with_accents_are_read_in_every_usual_encoding(tmp_path, encoding):
    text = f"{HEADER}\n{line('thorax_é.png')}\n"
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
    assert csv(tmp_path, mark + text.encode(encoding))["image"].to_list() == ["thorax_é.png"]


@pytest.mark.parametrize(("written", "age", "weight"), [("58,5", 58, 0.5), ("58.5", 58, 0.5)])
def test_decimal_commas_are_read_where_semicolons_separate(tmp_path, written, age, weight):
    header = "Image Index;Finding Labels;Patient ID;Patient Age;Patient Gender;View Position;WEIGHTS"
    row = csv(tmp_path, f"{header}\na.png;Mass;7;{written};F;AP;{str(weight).replace('.', ',')}\n".encode())
    assert row.select("age", "weight").row(0) == (age, weight)


def test_extra_columns_and_another_order_change_nothing(tmp_path):
    header = "Comment,View Position,Patient Gender,Patient Age,Patient ID,Finding Labels,Image Index,Score"
    row = csv(tmp_path, f"{header}\nfine,AP,F,50,7,Mass,a.png,0.3\n".encode()).row(0, named=True)
    assert (row["image"], row["view"], row["age"], row["patient"]) == ("a.png", "AP", 50, "7")


@pytest.mark.parametrize("end", [b"\r", b"\r\n", b"\n"], ids=["old Mac", "Windows", "Unix"])
def test_all_line_ends(tmp_path, end):
    assert csv(tmp_path, end.join([HEADER.encode(), line("a.png").encode(), b""])).height == 1


def test_rows_that_are_too_short_or_too_long_are_kept_as_far_as_they_go(tmp_path):
    frame = csv(tmp_path, f"{HEADER}\na.png,Mass,0,7\n{line('b.png')},more,and more\n".encode())
    assert frame.select("image", "patient", "age").rows() == [("a.png", "7", None), ("b.png", "77700001", 50)]


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"PK\x03\x04", b"\0" * 50, b'"' * 9, b"{}"])
def test_what_is_no_table_is_one_sentence(handmade, content):
    (handmade.write() / "metadata.csv").write_bytes(content)
    assert "metadata.csv" in told(handmade.folder)


def test_a_table_without_rows_leaves_no_usable_image(handmade):
    handmade.lines.clear()
    assert "holds no usable image" in told(handmade.write())


def test_a_table_beyond_any_cohort_is_refused(handmade, monkeypatch):
    monkeypatch.setattr("lib.tabular.content.LARGEST", 100)
    assert "at most 100 bytes are read" in told(handmade.write())


# names


@pytest.mark.parametrize(
    ("in_table", "on_disk"),
    [
        ("Scan 1.PNG", "scan 1.png"),
        ("images/a.png", "a.png"),
        ("C:\\scans\\a.png", "a.png"),
        ("/etc/a.png", "a.png"),
        ("../../a.png", "a.png"),
        (unicodedata.normalize("NFD", "é.png"), unicodedata.normalize("NFC", "é.png")),
        (unicodedata.normalize("NFC", "é.png"), unicodedata.normalize("NFD", "é.png")),
    ],
)
def test_names_written_differently_are_matched_and_counted(handmade, in_table, on_disk):
    handmade.image("train", 1, on_disk)
    handmade.row(in_table, findings="Mass", patient="own")
    cohort = read_cohort(handmade.write())
    assert cohort.frame.filter(patient="own")["image"].to_list() == [on_disk]
    assert found(cohort.checks) == {"image names written differently (folder, case, accents or suffix)": 1}


def test_a_name_that_fits_two_files_is_not_guessed(handmade):
    for name in ("x.png", "X.png"):
        handmade.image("train", 1, name)
    handmade.row("x.PNG", findings="Mass", patient="own")
    cohort = read_cohort(handmade.write())
    assert cohort.frame.filter(patient="own").is_empty()
    assert found(cohort.checks) == {"images without a row in metadata.csv": 2, "rows without an image": 1}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_file_name_that_is_no_text_is_ignored_and_counted(handmade):
    folder = os.fsencode(handmade.write() / "train" / "malade")
    try:
        with open(folder + b"/\xff\xfe.png", "wb") as file:
            file.write(b"x")
    except OSError:
        pytest.skip("this file system has no such names")
    assert found(read_cohort(handmade.folder).checks) == {"files that are no PNG, JPEG or DICOM by name": 1}


# images


def test_other_sizes_and_kinds_are_counted_before_they_are_made_alike(handmade):
    grey = Image.fromarray(np.full((64, 64), 90, np.uint8))
    handmade.add("train", 1, "large.png", grey.resize((128, 64)))
    handmade.add("train", 1, "colour.png", grey.convert("RGB"))
    handmade.add("train", 1, "alpha.png", grey.convert("LA"))
    handmade.add("train", 1, "deep.png", Image.fromarray(np.full((64, 64), 9000, np.uint16)))
    assert found(read_cohort(handmade.write()).checks) == {
        "images of another size than most": 1,
        "images that are not 8-bit grey": 3,
    }


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 30,000 x 30,000 pixels."""
    stream = io.BytesIO()
    Image.new("L", (8, 8)).save(stream, "PNG")
    content = bytearray(stream.getvalue())
    content[16:24] = (30_000).to_bytes(4, "big") * 2
    chunk = bytes(content[12:29])
    content[29:33] = __import__("zlib").crc32(chunk).to_bytes(4, "big")
    return bytes(content)


def text_bomb() -> bytes:
    """A PNG with a text chunk that unpacks to 100 MB."""
    about, stream = PngImagePlugin.PngInfo(), io.BytesIO()
    about.add_text("comment", "a" * 100_000_000, zip=True)
    Image.new("L", (8, 8)).save(stream, "PNG", pnginfo=about)
    return stream.getvalue()


@pytest.mark.parametrize("content", [bomb(), text_bomb(), b"", b"GIF89a", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_or_too_much_of_one_is_left_out_named_and_counted(handmade, tmp_path, caplog, content):
    handmade.add("train", 1, "bad.png", content)
    cohort = read_cohort(handmade.write())
    frame, checks, pixels = readable(cohort, 32, tmp_path / "cache")
    assert "bad.png" not in frame["image"].to_list() and pixels.shape == (4, 32, 32)
    assert found(checks)["files that are no readable image"] == 1 and "bad.png (1 in all)." in caplog.text
    assert dict(checks.select("check", "rows").rows())["images used"] == 4


def test_a_class_whose_images_are_all_unreadable_is_one_sentence(handmade, tmp_path):
    (handmade.write() / "valid" / "sain" / "valid_0.png").write_bytes(b"no image")
    with pytest.raises(CohortError, match="sain holds no usable image"):
        readable(read_cohort(handmade.folder), 32, tmp_path / "cache")


# people


def test_one_patient_in_a_split_is_one_sentence(handmade):
    handmade.lines[:] = [text.replace(",10,", ",99,").replace(",11,", ",99,") for text in handmade.lines]
    assert "valid holds images of one patient only; at least two" in told(handmade.write())


@pytest.mark.parametrize("about", [{"sex": "F"}, {"view": "PA"}, {"age": "30"}, {"sex": "", "view": "", "age": ""}])
def test_one_group_only_or_none_known_is_still_a_cohort(tmp_path, about):
    handmade = Handmade(tmp_path / "one")
    handmade.lines.clear()
    for split in ("train", "valid"):
        for label in (0, 1):
            handmade.row(
                f"{split}_{label}.png", patient=f"{split}{label}", findings="Mass" if label else "No Finding", **about
            )
    assert read_cohort(handmade.write()).frame.height == 4


# text that would run


RUNS = [
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "+1-1",
    "<img src=x onerror=alert(1)>",
    "{{7*7}}",
]


@pytest.mark.parametrize("text", RUNS)
def test_text_of_the_table_goes_no_further_than_the_frame(handmade, tmp_path, text):
    quoted = f'"{text}"'
    handmade.add(
        "train", 1, "t.png", findings=quoted, sex=quoted, view=quoted, age=quoted, weight=quoted, patient=quoted
    )
    cohort = read_cohort(handmade.write())
    _, checks, _ = readable(cohort, 32, tmp_path / "cache")
    assert not [words for words in checks["check"].to_list() + checks["action"].to_list() if text in words]
    row = cohort.frame.filter(image="t.png").row(0, named=True)
    assert [row[c] for c in ("sex", "view", "age", "age_group", "weight")] == [None] * 5
    # the patient's number is compared and counted, and written nowhere: results hold groups only
    assert row["patient"] == text


# the disk


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_takes_nothing_is_one_sentence_and_leaves_no_half_map(
    handmade, tmp_path, monkeypatch, capsys, number
):
    def refuse(*_):
        raise OSError(number, os.strerror(number), "pixels.npy")

    monkeypatch.setattr(cli, "ROOT", tmp_path / "root")
    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)
    assert cli.main(["check", str(handmade.write())]) == 1
    message = capsys.readouterr().err
    assert " cannot be written, " in message and message.count("\n") == 1 and message.endswith(".\n")
    assert not list((tmp_path / "root" / "data" / ".pixels").glob("*.np*"))


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="room is not reserved on this system")
def test_a_full_disk_is_met_before_the_map_is_written(handmade, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "posix_fallocate", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    with pytest.raises(OSError, match="full"):
        load_pixels(read_cohort(handmade.write()).frame, 32, tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*.np*"))
