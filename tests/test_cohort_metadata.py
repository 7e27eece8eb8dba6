"""`metadata.csv` in the forms in which it comes, and what is done about every value that cannot be believed."""

import math

import pytest
from cohorts import HEADER, line, write_metadata
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import read_metadata

from lib.cohort.layout import CohortError


def only(tmp_path, **about):
    """The one row of a file with one row."""
    frame, _ = read_metadata(write_metadata(tmp_path, [line("a.png", **about)]))
    return frame.row(0, named=True)


def found(tmp_path, *lines: str) -> dict[str, int]:
    _, checks = read_metadata(write_metadata(tmp_path, lines))
    return {check: rows for check, rows, _ in checks if rows and check != "rows in metadata.csv"}


@pytest.mark.parametrize(
    ("written", "years", "group"),
    [
        ("58", 58, "40-60"),
        ("058Y", 58, "40-60"),
        (" 58 ", 58, "40-60"),
        ("39", 39, "<40"),
        ("40", 40, "40-60"),
        ("60", 60, "40-60"),
        ("61", 61, ">60"),
        ("0", 0, "<40"),
        ("120", 120, ">60"),
        ("018M", 1, "<40"),
        ("300D", 0, "<40"),
        ("58.9", 58, "40-60"),
        ("411", None, None),
        ("412", None, None),
        ("121", None, None),
        ("-5", None, None),
        ("old", None, None),
        ("", None, None),
        ("58 or 59", None, None),
    ],
)
def test_age(tmp_path, written, years, group):
    row = only(tmp_path, age=written)
    assert (row["age"], row["age_group"]) == (years, group)


@pytest.mark.parametrize(("written", "sex"), [("F", "F"), ("m", "M"), (" M ", "M"), ("O", None), ("", None)])
def test_sex(tmp_path, written, sex):
    assert only(tmp_path, sex=written)["sex"] == sex


@pytest.mark.parametrize(("written", "view"), [("AP", "AP"), ("pa", "PA"), (" PA ", "PA"), ("LL", None), ("", None)])
def test_view(tmp_path, written, view):
    assert only(tmp_path, view=written)["view"] == view


def test_what_cannot_be_believed_is_counted_by_kind(tmp_path):
    ages = [line(f"{n}.png", age=age) for n, age in enumerate(("411", "412", "-1", "old", "", "50"))]
    others = [line("s.png", sex="X"), line("v.png", view="LATERAL")]
    assert found(tmp_path, *ages, *others) == {
        "ages outside 0 to 120 years": 3,
        "ages that are not a number": 2,
        "sexes other than F and M": 1,
        "views other than AP and PA": 1,
    }


def test_repeated_rows_are_counted_by_whether_they_agree(tmp_path):
    lines = [line("a.png", age="50"), line("a.png", age="50"), line("a.png", age="70"), line("b.png")]
    assert found(tmp_path, *lines) == {"repeated rows that agree": 1, "repeated rows that differ": 1}
    frame, _ = read_metadata(tmp_path / "metadata.csv")
    assert frame.select("image", "age").rows() == [("a.png", 50), ("b.png", 50)]


def test_rows_without_an_image_name_or_a_patient_are_left_out(tmp_path):
    lines = [line(""), line("a.png", patient=""), line("  "), line("b.png")]
    assert found(tmp_path, *lines) == {"rows without an image name or a patient": 3}


@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["commas", "semicolons", "tabs"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_separator_byte_order_mark_and_line_ends(tmp_path, separator, mark, end):
    text = end.join([HEADER, line("a.png", age="61", weight="0.5"), ""]).replace(",", separator)
    (tmp_path / "metadata.csv").write_bytes((mark + text).encode())
    row = read_metadata(tmp_path / "metadata.csv")[0].row(0, named=True)
    assert (row["image"], row["age"], row["weight"], row["sex"]) == ("a.png", 61, 0.5, "F")


def test_a_semicolon_file_may_keep_the_commas_of_the_published_header(tmp_path):
    header = HEADER.replace(",", ";").replace("[Width;Height]", "[Width,Height]").replace("[x;y]", "[x,y]")
    (tmp_path / "metadata.csv").write_text(f"{header}\na.png;Mass;0;1;58;F;AP;2500;0.171;1\n", "utf-8")
    assert read_metadata(tmp_path / "metadata.csv")[0].row(0, named=True)["view"] == "AP"


def test_quoted_columns_and_spaces_around_names(tmp_path):
    header = '"Image Index", Finding Labels ,"Patient ID","Patient Age",Patient Gender,View Position'
    (tmp_path / "metadata.csv").write_text(f'\ufeff{header}\n"a.png","Mass, large",7,58,F,AP\n', "utf-8")
    row = read_metadata(tmp_path / "metadata.csv")[0].row(0, named=True)
    assert (row["image"], row["findings"], row["patient"]) == ("a.png", "Mass, large", "7")


def test_weights_may_be_absent_or_unreadable(tmp_path):
    assert only(tmp_path, weight="0.25")["weight"] == 0.25
    assert only(tmp_path, weight="heavy")["weight"] is None
    header, row = HEADER.removesuffix(",WEIGHTS"), line("a.png").rsplit(",", 1)[0]
    (tmp_path / "metadata.csv").write_text(f"{header}\n{row}\n", "utf-8")
    assert read_metadata(tmp_path / "metadata.csv")[0]["weight"].to_list() == [None]


@pytest.mark.parametrize("column", ["Image Index", "Patient ID", "Patient Age", "Patient Gender", "View Position"])
def test_a_missing_column_is_one_sentence_that_names_it(tmp_path, column):
    (tmp_path / "metadata.csv").write_text(f"{HEADER.replace(column, 'Other')}\n{line('a.png')}\n", "utf-8")
    with pytest.raises(CohortError, match=rf"metadata\.csv lacks the column\(s\) {column}; it has .*Other"):
        read_metadata(tmp_path / "metadata.csv")


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"\x89PNG\r\n\x1a\n\x00\x01\x02", b"Image Index,Image Index\n", b"Patient ID, Patient ID\n1,2\n"],
    ids=["empty", "blank", "an image", "no other column", "a name twice"],
)
def test_a_file_that_is_no_such_table_is_one_sentence(tmp_path, content):
    (tmp_path / "metadata.csv").write_bytes(content)
    with pytest.raises(CohortError) as error:
        read_metadata(tmp_path / "metadata.csv")
    assert str(tmp_path / "metadata.csv") in str(error.value)
    assert "\n" not in str(error.value)


def ages(folder, written: list[str]) -> list[int | None]:
    """What is read of ages, one a row."""
    lines = [line(f"{row}.png", age=age) for row, age in enumerate(written)]
    return read_metadata(write_metadata(folder, lines))[0]["age"].to_list()


@settings(max_examples=10)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters=',;\t\n\r"'), max_size=8), min_size=10, max_size=20
    )
)
def test_no_age_is_invented(tmp_path_factory, written):
    for text, age in zip(written, ages(tmp_path_factory.mktemp("ages"), written), strict=True):
        assert age is None or 0 <= age <= 120 and any(c.isdigit() for c in text)


@pytest.mark.parametrize(
    ("unit", "in_a_year"), [("Y", 1), ("M", 12), ("D", 365.25), ("y", 1), ("m", 12), ("d", 365.25)]
)
def test_units_of_age(tmp_path, unit, in_a_year):
    years = [number / in_a_year for number in range(1000)]
    expected = [math.floor(own + 1e-9) if own <= 120 else None for own in years]
    assert ages(tmp_path, [f"{number:03}{unit}" for number in range(1000)]) == expected
