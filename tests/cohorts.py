"""Tiny cohorts drawn in code, in the layout and with the columns in which the course hands them out."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],WEIGHTS"
)
"""As published: the commas inside the brackets are separators like the others, so rows have eleven fields."""
CLASS = {1: "malade", 0: "sain"}
SEXES = {1: "FFFM", 0: "FMMM"}
MARK = "77700"
"""Every patient's number, and so every image's name, begins with it: easy to find where it must not be."""


def line(
    image: str, *, findings="No Finding", follow_up=0, patient="77700001", age="50", sex="F", view="PA", weight="1"
) -> str:
    """One row of `metadata.csv`."""
    return f"{image},{findings},{follow_up},{patient},{age},{sex},{view},2500,2048,0.171,0.171,{weight}"


def write_metadata(folder: Path, lines: Iterable[str]) -> Path:
    path = folder / "metadata.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", "utf-8")
    return path


def place(folder: Path, split: str, label: int) -> Path:
    """The folder of a split and a class, made when it is not there."""
    path = folder / split / CLASS[label]
    path.mkdir(parents=True, exist_ok=True)
    return path


def draw_image(draw: np.random.Generator, *, sick: bool = False, ap: bool = False, size: int = 64) -> np.ndarray:
    """Grey noise on a bright frame, (size, size) uint8; a pale disc when sick, everything lighter in AP."""
    y, x = np.mgrid[:size, :size] / size - 0.5
    grey = draw.normal(90, 12, (size, size)) + 60 * (np.hypot(x, y) > 0.42) + 25 * ap
    grey += 70 * sick * (np.hypot(x - draw.uniform(-0.1, 0.1), y - draw.uniform(-0.1, 0.1)) < 0.16)
    return grey.clip(0, 255).astype(np.uint8)


def draw_cohort(folder: Path, *, train: int = 48, valid: int = 48, seed: int = 0) -> Path:
    """A clean cohort of `train` + `valid` patients with one to three images each, all 64 x 64 and grey.

    Sex, age, view and disease follow a pattern in which every group has sick and healthy patients in both splits, and
    more women than men are sick; a tenth of the sick show no disc, so that the classifier is not perfect.
    """
    draw = np.random.default_rng(seed)
    lines = []
    for number in range(train + valid):
        split = "train" if number < train else "valid"
        for visit, (image, label, row) in enumerate(_visits(draw, number)):
            pixels = draw_image(draw, sick=bool(label) and draw.random() > 0.1, ap=",AP," in row)
            Image.fromarray(pixels).save(place(folder, split, label) / image)
            lines.append(row.replace(",visit,", f",{visit},"))
    write_metadata(folder, lines)
    return folder


def _visits(draw: np.random.Generator, number: int) -> Iterator[tuple[str, int, str]]:
    """(name, label, row) of each image of a patient."""
    patient, label = f"{MARK}{number:03}", number % 2
    about = {"patient": patient, "sex": SEXES[label][number // 2 % 4], "age": str((25, 50, 75)[number // 8 % 3])}
    for visit in range(1 + number % 3):
        name = f"{patient}_{visit:03}.png"
        findings = draw.choice(["Effusion", "Mass|Nodule"]) if label else "No Finding"
        view = draw.choice(["AP", "PA"], p=[0.6, 0.4] if label else [0.4, 0.6])
        yield name, label, line(name, findings=findings, follow_up="visit", view=view, **about)


class Handmade:
    """A cohort put together one image at a time, begun with a sick and a healthy patient in each split.

    `write()` makes its `metadata.csv` and returns the folder.
    """

    def __init__(self, folder: Path):
        self.folder, self.lines = folder, []
        self.draw = np.random.default_rng(7)
        for number, split in enumerate(("train", "valid")):
            for label in (0, 1):
                self.add(split, label, f"{split}_{label}.png", patient=f"{number}{label}")

    def image(self, split: str, label: int, name: str, picture: Image.Image | bytes | None = None) -> Path:
        """Put a picture (or bytes that are none) under this name, and no row."""
        path = place(self.folder, split, label) / name
        if isinstance(picture, bytes):
            path.write_bytes(picture)
        else:
            (picture or Image.fromarray(draw_image(self.draw, sick=bool(label)))).save(path)
        return path

    def row(self, name: str, **about: str) -> None:
        self.lines.append(line(name, **about))

    def add(self, split: str, label: int, name: str, picture: Image.Image | bytes | None = None, **about: str) -> Path:
        """Put a picture under this name, and its row."""
        self.row(name, **{"findings": "Effusion" if label else "No Finding", "patient": f"own_{name}", **about})
        return self.image(split, label, name, picture)

    def write(self) -> Path:
        write_metadata(self.folder, self.lines)
        return self.folder
