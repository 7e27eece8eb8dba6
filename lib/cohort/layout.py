"""Where images of each split and class are: the course's folders, and near misses met halfway where there is no doubt.

A folder may be one of a zip (`zipfile.Path`), too.
"""

from collections.abc import Iterable
from pathlib import Path

from lib.messages import message
from lib.tabular import TableError as CohortError
from lib.tabular.values import simplified

SPLITS = ("train", "valid")
CLASSES = {"malade": 1, "sain": 0}
NAMES = {label: name for name, label in CLASSES.items()}
LIKE = {
    "train": ("train", "training", "entrainement", "apprentissage"),
    "valid": ("valid", "val", "validation", "valide"),
    "malade": ("malade", "malades", "sick", "ill", "diseased", "abnormal", "positive"),
    "sain": ("sain", "sains", "healthy", "normal", "negative", "saine"),
}
"""Names that mean a folder of the layout, in lower case and without accents; the first is its own."""
HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],WEIGHTS"
)
"""Of the tables handed out. As published: the commas inside the brackets are separators like the others."""
METADATA = ("metadata.csv", "metadata.csv.gz", "metadata.tsv", "metadata.txt", "metadata.parquet")


def split_folder(folder: Path, split: str) -> Path | None:
    """The folder of a split within a cohort, or None. Raises `CohortError` when two may be meant."""
    home = home_of(folder)
    return _like(home, split) if home else None


def home_of(folder: Path) -> Path | None:
    """Where `train` is: in `folder`, or in the one folder in it (`NOM/NOM/train`), or None."""
    if not folder.is_dir():
        return None
    if _like(folder, "train"):
        return folder
    inner = [place for place in _folders(folder) if _like(place, "train")]
    return inner[0] if len(inner) == 1 else None


def class_folders(folder: Path) -> dict[tuple[str, str], Path]:
    """The folder of each split and class. Raises `CohortError`, naming the near match, when one is missing."""
    if not folder.is_dir():
        raise CohortError("{folder} is not a folder: a cohort is a folder with train, valid and metadata.csv.", folder)
    home = home_of(folder) or folder
    folders = {}
    for split in SPLITS:
        place = _like(home, split)
        for name in CLASSES:
            inner = _like(place, name) if place else None
            if inner is None:
                where, what = (place, name) if place else (home, split)
                raise CohortError(
                    "{folder} is missing: a cohort has {{train,valid}}/{{malade,sain}} and metadata.csv{instead}.",
                    (place or home / split) / name,
                    _near(where, what),
                )
            folders[split, name] = inner
    return folders


def metadata_of(folder: Path) -> Path:
    """The table of a cohort: `metadata.csv` beside `train`, also in other case or compressed, else in the folder itself."""
    home = home_of(folder) or folder
    for place in dict.fromkeys((home, folder)):
        files = sorted(p.name for p in place.iterdir() if p.is_file() and p.name[0] != ".") if place.is_dir() else []
        for name in METADATA:
            if same := [file for file in files if file == name] or [file for file in files if file.casefold() == name]:
                return place / same[0]
    return home / "metadata.csv"


def is_cohort(folder: Path) -> bool:
    """Whether it is a folder of images, rather than the name of results."""
    return home_of(folder) is not None


def _like(folder: Path, name: str) -> Path | None:
    """The folder that is called so or, if none is, nearly so. Raises `CohortError` when several are nearly called so."""
    names = [place.name for place in _folders(folder)]
    near = [name] if name in names else [near for near in names if simplified(near) in LIKE[name]]
    if len(near) > 1:
        raise CohortError(
            "{where} holds {names}, and each might be {wanted}; keep one, called {wanted}.",
            folder,
            message(" and ").join(near),
            name,
        )
    return folder / near[0] if near else None


def _folders(folder: Path) -> Iterable[Path]:
    try:
        return sorted((p for p in folder.iterdir() if p.is_dir() and p.name[0] != "."), key=lambda p: p.name)
    except OSError:
        return []


def _near(folder: Path, name: str) -> str:
    """What is there instead, in words to follow a sentence."""
    there = [place.name for place in _folders(folder)] if folder.is_dir() else []
    if not there:
        return ""
    return message("; in the place of {name}, {folder} holds {names}", name, folder, there[:6])
