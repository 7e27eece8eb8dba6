"""What is given on the command line, as methods with their files: paths, folders, and NAME=a.csv,b.csv."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.predictions.reader import PredictionError
from lib.tabular import plain_name

TABLES = (".csv", ".tsv", ".txt", ".parquet", ".gz", ".xz", ".bz2", ".zip")


@dataclass(frozen=True)
class Given:
    """A method called `name`, harmless to show, of these files, each a network or several; `stated`: the user named it."""

    name: str
    files: tuple[Path, ...]
    stated: bool


def methods_of(files: Sequence[str | Path]) -> list[Given]:
    """Methods in the order given: `NAME=a.csv,b.csv`, or a path, whose method is called as the file or the folder is.

    Files of the same name in several folders are called by what tells their paths apart. Raises `PredictionError`.
    """
    found: list[Given] = []
    alone = [Path(given) for given in map(str, files) if "=" not in given or Path(given).exists()]
    called = dict(zip(alone, _told_apart(alone), strict=True))
    for given in map(str, files):
        name, separator, paths = given.partition("=")
        if not separator or Path(given).exists():
            own = _tables(Path(given))
            found.append(Given(called[Path(given)], tuple(own), False))
        else:
            own = [table for path in paths.split(",") if path.strip() for table in _tables(Path(path.strip()))]
            found.append(Given(plain_name(name), tuple(own), True))
        if not found[-1].name or not found[-1].files:
            raise PredictionError(f"{given!r} names no file; allowed are a path and NAME=a.csv,b.csv.")
    if not found:
        raise PredictionError("No predictions are given; at least one table is needed.")
    every = [path.resolve() for method in found for path in method.files]
    if twice := [path for path in every if every.count(path) > 1]:
        raise PredictionError(f"{twice[0]} is given twice; each file is one network, or several.")
    names = [method.name for method in found]
    if same := [name for name in names if names.count(name) > 1]:
        raise PredictionError(f"two methods are called {same[0]!r}: name them, as in NAME={found[0].files[0]}.")
    return found


def _tables(path: Path) -> list[Path]:
    """The file itself, or the tables of a folder."""
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.iterdir() if p.suffix.lower() in TABLES and p.is_file() and p.name[0] != ".")
    if not found:
        raise PredictionError(f"{path} holds no table; a folder with the predictions of one method is needed.")
    return found


def _told_apart(paths: Sequence[Path]) -> list[str]:
    """Names of files without their endings, with as many folders before them as tell them apart; a folder that says it alone
    says it without the file's name."""
    stems = [_stem(path) for path in paths]
    if len(set(stems)) == len(stems):
        return [plain_name(stem) for stem in stems]
    folders = [path.resolve().parent.parts for path in paths]
    for depth in range(1, max(map(len, folders), default=1) + 1):
        names = ["/".join(parts[-depth:]) for parts in folders]
        if len(set(names)) == len(names):
            return [plain_name(name) for name in names]
        full = [f"{name}/{stem}" for name, stem in zip(names, stems, strict=True)]
        if len(set(full)) == len(full):
            return [plain_name(name) for name in full]
    return [plain_name(stem) for stem in stems]


def _stem(path: Path) -> str:
    """The name without the endings of tables: `preds` of `preds.csv.gz`."""
    name = path.name if path.is_file() or not path.is_dir() else path.resolve().name
    while not path.is_dir() and (ending := next((e for e in TABLES if name.lower().endswith(e)), None)):
        if name[: -len(ending)] == "":
            break
        name = name[: -len(ending)]
    return name
