"""What is written on the command line: methods with their files (paths, folders, NAME=a.csv,b.csv), and what codes mean."""

from collections.abc import Sequence
from pathlib import Path

from lib.names import DEFAULTS
from lib.tabular import TableError as PredictionError
from lib.tabular import plain_name
from lib.tabular.attributes import Codes
from lib.tabular.naming import depth

TABLES = (".csv", ".tsv", ".txt", ".parquet", ".gz", ".xz", ".bz2", ".zip")
CODED = ("sex", "view")


def methods_of(files: Sequence[str | Path]) -> dict[str, list[Path]]:
    """Files of each method, in the order given: `NAME=a.csv,b.csv`, or a path, whose method is called as the file or folder is.

    Names are harmless to show. Files of the same name in several folders are called by what tells their paths apart. Raises
    `PredictionError`.
    """
    if not files:
        raise PredictionError("No predictions are given; at least one table is needed.")
    named = [_divided(str(argument)) for argument in files]
    called = iter(_distinct_names([Path(paths) for name, paths in named if name is None]))
    methods: list[tuple[str, list[Path]]] = []
    for argument, (stated, paths) in zip(files, named, strict=True):
        name = next(called) if stated is None else plain_name(stated)
        places = [paths] if stated is None else [part.strip() for part in paths.split(",") if part.strip()]
        if not name or not places:
            raise PredictionError(f"{argument!r} names no file; allowed are a path and NAME=a.csv,b.csv.")
        methods.append((name, [table for path in places for table in _tables(Path(path))]))
    every = [path.resolve() for _, tables in methods for path in tables]
    if twice := [path for path in every if every.count(path) > 1]:
        raise PredictionError(f"{twice[0]} is given twice; each file is one network, or several.")
    names = [name for name, _ in methods]
    if same := [name for name in names if names.count(name) > 1]:
        raise PredictionError(f"two methods are called {same[0]!r}: name them, as in NAME={every[0].name}.")
    return dict(methods)


def _divided(argument: str) -> tuple[str | None, str]:
    """Name and paths of `NAME=a.csv,b.csv`, divided where files follow, for a name may hold = too; a path has no name."""
    places = [k for k, sign in enumerate(argument) if sign == "="]
    if not places or Path(argument).exists():
        return None, argument
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


def _distinct_names(paths: Sequence[Path]) -> list[str]:
    """Names of files without their endings; those of one name are called by as many of their folders as tell them apart."""
    names = [_stem(path) for path in paths]
    called = list(names)
    for name in {name for name in names if names.count(name) > 1}:
        places = [k for k, other in enumerate(names) if other == name]
        folders = [paths[k].resolve().parent for k in places]
        count = depth(list(map(str, folders)))
        shown = ["/".join(folder.parts[-count:]) for folder in folders]
        for k, folder in zip(places, shown, strict=True):
            called[k] = folder if shown.count(folder) == 1 else f"{folder}/{paths[k].name}"
    return [plain_name(name) for name in called]


def _stem(path: Path) -> str:
    """The name without the endings of tables: `preds` of `preds.csv.gz`."""
    if path.is_dir():
        return path.resolve().name
    while path.suffix.lower() in TABLES:
        path = path.with_suffix("")
    return path.name


def parse_codes(written: str) -> Codes:
    """`sex:0=M,1=F;view:0=AP,1=PA` as {attribute: {code: group}}. Raises `PredictionError` for anything else."""
    codes: dict[str, dict[str, str]] = {}
    for part in filter(None, written.replace(" ", "").split(";")):
        attribute, _, pairs = part.partition(":")
        if attribute not in CODED:
            raise PredictionError(
                f"--codes {written!r}: {attribute!r} cannot be coded; allowed are {', '.join(CODED)}."
            )
        codes[attribute] = dict(pair.split("=", 1) for pair in pairs.split(",") if "=" in pair)
        groups = DEFAULTS[attribute].groups
        if sorted(codes[attribute].values()) != sorted(groups):
            raise PredictionError(
                f"--codes {written!r}: {attribute} needs a code for each of {', '.join(groups)}, once."
            )
    return codes
