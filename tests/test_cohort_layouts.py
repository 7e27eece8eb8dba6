"""Layouts that are nearly the course's are read where there is no doubt, and refused with the near match named otherwise."""

import contextlib
import gzip
import shutil
import threading
import zipfile

import numpy as np
import pytest
from cohorts import Handmade
from PIL import Image

from lib.cohort import CohortError, images, read_cohort, readable, unpack
from lib.cohort.images import read_grey, read_header


@pytest.fixture
def folder(tmp_path):
    return Handmade(tmp_path / "NOM_PRENOM").write()


def nested(folder):
    inner = folder.with_name("outer")
    shutil.move(folder, inner)
    shutil.copytree(inner, folder / "NOM_PRENOM")
    return folder


def half_nested(folder):
    for split in ("train", "valid"):
        shutil.move(folder / split, folder / "images" / split)
    return folder


def renamed(**names):
    def change(folder):
        for old, new in names.items():
            for place in sorted(folder.rglob(old)):
                place.rename(place.with_name(new))
        return folder

    return change


def compressed(folder):
    path = folder / "metadata.csv"
    (folder / "metadata.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    return folder


NEARLY = {
    "a folder in a folder": nested,
    "the table beside the folder of images": half_nested,
    "Malade": renamed(malade="Malade", sain="Sain"),
    "malades": renamed(malade="malades", sain="sains"),
    "sick and healthy": renamed(malade="sick", sain="healthy"),
    "val": renamed(valid="val"),
    "Train": renamed(train="Train", valid="Validation"),
    "Metadata.csv": lambda f: (f / "metadata.csv").rename(f / "Metadata.csv").parent,
    "metadata.csv.gz": compressed,
}


@pytest.mark.parametrize("layout", NEARLY)
@pytest.mark.parametrize("zipped", [False, True])
def test_what_is_nearly_the_layout_is_read(folder, tmp_path, layout, zipped):
    right = read_cohort(folder).key
    changed = NEARLY[layout](folder)
    if zipped:
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(p for p in changed.rglob("*") if p.is_file()):
                archive.write(file, f"{changed.name}/{file.relative_to(changed).as_posix()}")
        changed = unpack(path, tmp_path / "store")
    assert read_cohort(changed).key == right


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"valid": "holdout"}, "valid/malade is missing: .*in the place of valid, .* holds holdout, train"),
        ({"malade": "cases"}, "malade is missing: .*in the place of malade, .* holds cases, sain"),
    ],
)
def test_what_may_be_meant_is_named(folder, names, said):
    with pytest.raises(CohortError, match=said):
        read_cohort(renamed(**names)(folder))


def test_two_folders_that_may_be_meant_are_not_guessed_between(folder):
    (folder / "train" / "malade").rename(folder / "train" / "Malade")
    (folder / "train" / "sick").mkdir()
    with pytest.raises(CohortError, match="train holds Malade and sick, and each might be malade; keep one"):
        read_cohort(folder)


def test_an_exact_folder_counts_whatever_lies_beside_it(folder):
    (folder / "train" / "sick").mkdir()
    assert read_cohort(folder).frame.height == 4


@pytest.mark.parametrize(
    "change",
    [lambda n: n.replace("/", "\\"), lambda n: f"./{n}", lambda n: f"a\\.\\{n}"],
    ids=["backslashes", "./", "both"],
)
def test_zips_of_every_system(folder, tmp_path, change):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo("x")
            entry.filename = change(f"NOM_PRENOM/{file.relative_to(folder).as_posix()}")
            archive.writestr(entry, file.read_bytes())
    out = unpack(tmp_path / "a.zip", tmp_path / "store")
    assert out.name == "NOM_PRENOM" and read_cohort(out).key == read_cohort(folder).key


def test_a_zip_that_lacks_a_class_names_what_it_holds(folder, tmp_path):
    (folder / "train" / "malade").rename(folder / "train" / "cases")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(file, f"N/{file.relative_to(folder).as_posix()}")
    with pytest.raises(CohortError, match="N/train/malade is missing: .*in the place of malade, .* holds cases, sain"):
        unpack(tmp_path / "a.zip", tmp_path / "store")


def test_processes_that_unpack_one_zip_at_once_all_get_it(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(file, f"N/{file.relative_to(folder).as_posix()}")
    out, threads = [], []
    for _ in range(6):
        threads.append(threading.Thread(target=lambda: out.append(unpack(tmp_path / "a.zip", tmp_path / "store"))))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert len(out) == 6 and len(set(out)) == 1
    assert read_cohort(out[0]).frame.height == 4


def test_jpeg_files_with_rows_that_say_png(folder):
    for file in folder.rglob("*.png"):
        Image.open(file).save(file.with_suffix(".jpg"))
        file.unlink()
    cohort = read_cohort(folder)
    assert cohort.frame.height == 4
    assert ("image names written differently (folder, case, accents or suffix)", 4) in cohort.checks.select(
        "check", "rows"
    ).rows()


def test_names_that_differ_in_case_alone_are_two_images(folder):
    for name in ("a.png", "A.PNG"):
        shutil.copy(folder / "train" / "malade" / "train_1.png", folder / "train" / "malade" / name)
    table = folder / "metadata.csv"
    line = next(row for row in table.read_text().splitlines() if row.startswith("train_1.png"))
    table.write_text(
        table.read_text() + line.replace("train_1.png", "a.png") + "\n" + line.replace("train_1.png", "A.PNG") + "\n"
    )
    assert {"a.png", "A.PNG"} <= set(read_cohort(folder).frame["image"])


def dicom(path, pixels: np.ndarray, kind: str = "MONOCHROME2"):
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    scan = Dataset()
    scan.file_meta = FileMetaDataset()
    scan.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    scan.file_meta.MediaStorageSOPClassUID = scan.SOPClassUID = SecondaryCaptureImageStorage
    scan.file_meta.MediaStorageSOPInstanceUID = scan.SOPInstanceUID = generate_uid()
    scan.Rows, scan.Columns = pixels.shape
    scan.SamplesPerPixel, scan.PhotometricInterpretation = 1, kind
    scan.BitsAllocated, scan.BitsStored, scan.HighBit, scan.PixelRepresentation = 16, 12, 11, 0
    scan.PixelData = pixels.astype("<u2").tobytes()
    pydicom.dcmwrite(path, scan, enforce_file_format=True)
    return path


def test_dicom_is_read_by_pydicom(folder, tmp_path):
    ramp = np.linspace(0, 4095, 64 * 64).reshape(64, 64)
    for name, kind, first in (("a.dcm", "MONOCHROME2", 0), ("b.dcm", "MONOCHROME1", 255)):
        grey = read_grey(dicom(tmp_path / name, ramp, kind), 64)
        assert (grey[0, 0], grey[-1, -1]) == (first, 255 - first)
    for file in list(folder.rglob("*.png")):
        dicom(file.with_suffix(".dcm"), ramp)
        file.unlink()
    cohort = read_cohort(folder)
    frame, _, pixels = readable(cohort, 32, tmp_path / "cache")
    assert frame.height == 4 and pixels.std() > 30


def test_dicom_without_pydicom_is_one_sentence(folder, tmp_path, monkeypatch):
    dicom(folder / "train" / "malade" / "a.dcm", np.zeros((8, 8)))
    monkeypatch.setattr(images.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CohortError, match="holds 1 DICOM images, which are read by pydicom: install it") as error:
        read_cohort(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "damage", [lambda b: b[:200], lambda b: b[:132] + b"\xff" * 40, lambda b: b.replace(b"MONOCHROME2", b"MONOCHROMEX")]
)
def test_damaged_dicom_is_no_crash(tmp_path, damage):
    path = dicom(tmp_path / "a.dcm", np.arange(64).reshape(8, 8))
    path.write_bytes(damage(path.read_bytes()))
    read_header(path)
    with contextlib.suppress(images.UNREADABLE):
        assert read_grey(path, 8).shape == (8, 8)
