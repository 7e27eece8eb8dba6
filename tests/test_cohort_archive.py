"""A cohort given as a zip: unpacked once, only what belongs to it, and never outside its folder."""

import stat
import zipfile

import pytest
from cohorts import Handmade

from lib import __main__ as cli
from lib.cohort import CohortError, archive, read_cohort, unpack


@pytest.fixture
def folder(tmp_path):
    return Handmade(tmp_path / "NOM_PRENOM").write()


def zipped(folder, target, *, home="NOM_PRENOM/", more: dict[str, bytes] | None = None):
    with zipfile.ZipFile(target, "w") as file:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            file.write(path, home + path.relative_to(folder).as_posix())
        for name, content in (more or {}).items():
            file.writestr(name, content)
    return target


def refused(path, store) -> str:
    with pytest.raises(CohortError) as error:
        unpack(path, store)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")
    assert not [p for p in store.rglob("*") if p.is_file() and p.parent.name != ".locks"]
    return str(error.value)


@pytest.mark.parametrize("home", ["NOM_PRENOM/", "", "handed/in/NOM_PRENOM/"])
def test_the_same_cohort_comes_out(folder, tmp_path, home):
    out = unpack(zipped(folder, tmp_path / "NOM_PRENOM.zip", home=home), tmp_path / "store")
    assert out.name == "NOM_PRENOM"
    assert read_cohort(out).key == read_cohort(folder).key


def test_a_zip_is_unpacked_once_and_another_one_elsewhere(folder, tmp_path):
    one = unpack(zipped(folder, tmp_path / "a.zip"), tmp_path / "store")
    (one / "metadata.csv").touch()
    before = (one / "metadata.csv").stat().st_mtime_ns
    assert unpack(tmp_path / "a.zip", tmp_path / "store") == one
    assert (one / "metadata.csv").stat().st_mtime_ns == before
    assert (
        unpack(zipped(folder, tmp_path / "b.zip", more={"NOM_PRENOM/train/sain/x.png": b"x"}), tmp_path / "store")
        != one
    )


def test_only_what_belongs_to_a_cohort_is_unpacked(folder, tmp_path):
    more = {
        "__MACOSX/NOM_PRENOM/._metadata.csv": b"x",
        "NOM_PRENOM/.DS_Store": b"x",
        "NOM_PRENOM/run_me.sh": b"rm",
        "NOM_PRENOM/train/malade/deeper/a.png": b"x",
        "elsewhere/train/malade/a.png": b"x",
    }
    out = unpack(zipped(folder, tmp_path / "a.zip", more=more), tmp_path / "store")
    files = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert files == {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    "name", ["../evil.png", "/evil.png", "NOM_PRENOM/../../evil.png", "C:/evil.png", "a\\..\\evil.png"]
)
def test_a_path_that_leaves_the_folder_is_refused(folder, tmp_path, name):
    path = zipped(folder, tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a") as file:
        entry = zipfile.ZipInfo("x")
        entry.filename = name
        file.writestr(entry, b"x")
    assert "would lie outside its folder" in refused(path, tmp_path / "store")
    assert not list(tmp_path.rglob("evil.png"))


def test_a_link_is_refused(folder, tmp_path):
    path = zipped(folder, tmp_path / "a.zip")
    entry = zipfile.ZipInfo("NOM_PRENOM/train/malade/link.png")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(entry, "/etc/passwd")
    assert "holds the link" in refused(path, tmp_path / "store")


@pytest.mark.parametrize(
    ("limit", "most", "words"), [("LARGEST", 99, "there is room for 99"), ("MOST_FILES", 4, "at most 4 are")]
)
def test_limits(folder, tmp_path, monkeypatch, limit, most, words):
    monkeypatch.setattr(archive, limit, most)
    assert words in refused(zipped(folder, tmp_path / "a.zip"), tmp_path / "store")


def test_a_zip_larger_than_the_disk_is_refused(folder, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(archive.shutil, "disk_usage", lambda _: usage)
    assert "there is room for 10" in refused(zipped(folder, tmp_path / "a.zip"), tmp_path / "store")


def test_none_or_several_cohorts_are_refused(folder, tmp_path):
    assert "holds 2 files metadata.csv" in refused(
        zipped(folder, tmp_path / "a.zip", more={"OTHER/metadata.csv": b""}), tmp_path / "store"
    )
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as file:
        file.writestr("notes.txt", "none")
    assert "holds no metadata.csv" in refused(tmp_path / "b.zip", tmp_path / "store")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + b"\0" * 10])
def test_what_is_no_zip_is_refused(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    assert "is not a zip that can be read" in refused(tmp_path / "a.zip", tmp_path / "store")


def test_a_damaged_file_in_the_zip_leaves_nothing(folder, tmp_path):
    path = zipped(folder, tmp_path / "a.zip")
    content = bytearray(path.read_bytes())
    place = content.index(b"IDAT") + 30
    content[place] ^= 0xFF
    path.write_bytes(bytes(content))
    assert "is not a zip that can be read (Bad CRC-32" in refused(path, tmp_path / "store")


def test_an_encrypted_zip_is_refused(folder, tmp_path):
    path = zipped(folder, tmp_path / "a.zip")
    content = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + flags] |= 1
    path.write_bytes(bytes(content))
    assert "is encrypted" in refused(path, tmp_path / "store")


def test_the_command_line_takes_a_zip(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cli, "ROOT", tmp_path / "root")
    assert cli.main(["check", str(zipped(folder, tmp_path / "a.zip"))]) == 0
    assert capsys.readouterr().out.endswith("       4  images used (kept)\n")
