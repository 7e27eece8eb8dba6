"""What is given on the command line, as methods with their files: paths, folders, and NAME=a.csv,b.csv."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.predictions.errors import PredictionError
from lib.tabular import plain_name

TABLES = (".csv", ".tsv", ".txt", ".parquet", ".gz", ".xz", ".bz2", ".zip")


@dataclass(frozen=True)
class MethodFiles:
    """A method called `name`, harmless to show, of these files, each a network or several; `stated`: the user named it."""

    name: str
    files: tuple[Path, ...]
    stated: bool


def methods_of(files: Sequence[str | Path]) -> list[MethodFiles]:
    """Methods in the order given: `NAME=a.csv,b.csv`, or a path, whose method is called as the file or the folder is.

    Files of the same name in several folders are called by what tells their paths apart. Raises `PredictionError`.
    """
    methods: list[MethodFiles] = []
    alone = [Path(argument) for argument in map(str, files) if _divided(argument)[1] is None or Path(argument).exists()]
    called = dict(zip(alone, _told_apart(alone), strict=True))
    for argument in map(str, files):
        name, paths = _divided(argument)
        if paths is None or Path(argument).exists():
            tables = _tables(Path(argument))
            methods.append(MethodFiles(called[Path(argument)], tuple(tables), False))
        else:
            tables = [table for path in paths.split(",") if path.strip() for table in _tables(Path(path.strip()))]
            methods.append(MethodFiles(plain_name(name), tuple(tables), True))
        if not methods[-1].name or not methods[-1].files:
            raise PredictionError(f"{argument!r} names no file; allowed are a path and NAME=a.csv,b.csv.")
    if not methods:
        raise PredictionError("No predictions are given; at least one table is needed.")
    every = [path.resolve() for method in methods for path in method.files]
    if twice := [path for path in every if every.count(path) > 1]:
        raise PredictionError(f"{twice[0]} is given twice; each file is one network, or several.")
    names = [method.name for method in methods]
    if same := [name for name in names if names.count(name) > 1]:
        raise PredictionError(f"two methods are called {same[0]!r}: name them, as in NAME={methods[0].files[0]}.")
    return methods


def _divided(argument: str) -> tuple[str, str | None]:
    """Name and paths of `NAME=a.csv,b.csv`, divided where files follow, for a name may hold = too; None: there is no =."""
    places = [k for k, sign in enumerate(argument) if sign == "="]
    if not places:
        return argument, None
    there = [k for k in places if all(Path(part.strip()).exists() for part in argument[k + 1 :].split(","))]
    at = there[-1] if there else places[0]
    return argument[:at], argument[at + 1 :]


def _tables(path: Path) -> list[Path]:
    """The file itself, or the tables of a folder."""
    if not path.is_dir():
        return [path]
    tables = sorted(p for p in path.iterdir() if p.suffix.lower() in TABLES and p.is_file() and p.name[0] != ".")
    if not tables:
        raise PredictionError(f"{path} holds no table; a folder with the predictions of one method is needed.")
    return tables


def _told_apart(paths: Sequence[Path]) -> list[str]:
    """Names of files without their endings; those of one name are called by as many of their folders as tell them apart."""
    names = [_stem(path) for path in paths]
    same = [k for k, name in enumerate(names) if names.count(name) > 1]
    folders = {k: paths[k].resolve().parent.parts for k in same}
    for depth in range(1, max((len(parts) for parts in folders.values()), default=0) + 1):
        called = {k: "/".join(parts[-depth:]) for k, parts in folders.items()}
        if len(set(called.values())) < len(set(folders.values())):
            continue
        if len(set(called.values())) < len(same):  # several of them in one folder
            called = {k: f"{name}/{names[k]}" for k, name in called.items()}
        names = [called.get(k, name) for k, name in enumerate(names)]
        break
    return [plain_name(name) for name in names]


def _stem(path: Path) -> str:
    """The name without the endings of tables: `preds` of `preds.csv.gz`."""
    name = path.name if path.is_file() or not path.is_dir() else path.resolve().name
    while not path.is_dir() and (ending := next((e for e in TABLES if name.lower().endswith(e)), None)):
        if name[: -len(ending)] == "":
            break
        name = name[: -len(ending)]
    return name
