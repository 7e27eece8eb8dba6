"""A cohort handed over as a zip: what it may hold, how large it may be, and where it is unpacked."""

import hashlib
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path

from lib.cohort.layout import CLASSES, LIKE, METADATA, SPLITS, choose
from lib.cohort.metadata import CohortError
from lib.files import alone_with
from lib.messages import message
from lib.tabular.naming import parts
from lib.tabular.values import simplified

LARGEST_FILE = 200 << 20
"""Bytes of one file, unpacked."""
LARGEST_TOTAL = 20 << 30
MOST_FILES = 200_000
HIDDEN = re.compile(r"(^|/)(\.|__MACOSX/)")


def unpack(path: Path, store: Path) -> Path:
    """The cohort folder inside the zip `path`, unpacked once under `store` in a folder named by the zip's content.

    Only `metadata.csv` and the images of `{train,valid}/{malade,sain}` are unpacked, from one folder of the zip, under these
    names where they are nearly called so. Processes that unpack the same zip wait for each other. Raises
    `CohortError` for what is no zip, is encrypted or damaged, holds a path that leaves the folder or a link, holds no
    cohort or several, or would unpack to more than the limits of this module or the room on the disk.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            chosen, name = _members(path, archive.infolist())
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8)).hexdigest()
            target = store / digest / name
            if not target.is_dir():
                target.parent.mkdir(parents=True, exist_ok=True)
                with alone_with(target):
                    if not target.is_dir():
                        _extract(path, archive, chosen, target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, IndexError) as error:
        raise CohortError(
            "{path} is not a zip that can be read ({error}).", path, error or type(error).__name__
        ) from None
    return target


def _members(path: Path, members: list[zipfile.ZipInfo]) -> tuple[dict[str, zipfile.ZipInfo], str]:
    """What to unpack, by place within the cohort, and the cohort's name."""
    files = [m for m in members if not m.is_dir() and not m.filename.endswith("\\")]
    if len(files) > MOST_FILES:
        raise CohortError("{path} holds {count:,} files; at most {most:,} are unpacked.", path, len(files), MOST_FILES)
    for member in members:
        _check_place(path, member)
    visible = [(parts(m.filename), m) for m in files if not HIDDEN.search("/".join(parts(m.filename)))]
    tables = [(steps, m) for steps, m in visible if steps and steps[-1].casefold() in METADATA]
    homes = {tuple(steps[:-1]) for steps, _ in tables}
    if not homes:
        raise CohortError("{path} holds no metadata.csv; a cohort's zip has one, beside train and valid.", path)
    if len(homes) > 1:
        raise CohortError(
            "{path} holds {count} files metadata.csv; a cohort's zip has one, beside train and valid.", path, len(homes)
        )
    beside = homes.pop()
    order = sorted(tables, key=lambda table: (METADATA.index(table[0][-1].casefold()), table[0]))
    home = _home(path, beside, [steps for steps, _ in visible])
    chosen = {order[0][0][-1].casefold(): order[0][1]}
    chosen |= _images(path, home, visible)
    _check_sizes(path, chosen)
    return chosen, (home or beside or (path.stem,))[-1]


def _home(path: Path, beside: tuple[str, ...], places: list[list[str]]) -> tuple[str, ...]:
    """The folder that holds `train`: that of the table, else the one folder within it or around it that does."""
    homes = {tuple(steps[:-3]) for steps in places if len(steps) > 2 and simplified(steps[-3]) in LIKE["train"]}
    homes = {steps for steps in homes if steps[: len(beside)] == beside or beside[: len(steps)] == steps}
    if beside in homes or not homes:
        return beside
    if len(homes) > 1:
        raise CohortError(
            "{path} holds train in {count} folders; a cohort's zip has one, beside metadata.csv.", path, len(homes)
        )
    return homes.pop()


def _images(
    path: Path, home: tuple[str, ...], visible: list[tuple[list[str], zipfile.ZipInfo]]
) -> dict[str, zipfile.ZipInfo]:
    """The images of each split and class, by their place in a cohort. Raises `CohortError` that names near matches."""
    inside = [(steps[len(home) :], m) for steps, m in visible if tuple(steps[: len(home)]) == home]
    inside = [(steps, m) for steps, m in inside if len(steps) == 3]
    where = "/".join((str(path), *home))
    members: dict[str, zipfile.ZipInfo] = {}
    for split in SPLITS:
        splits = [steps[0] for steps, _ in inside]
        own_split = choose(splits, split, where)
        if own_split is None:
            raise CohortError("{where} lacks {name}{instead}.", where, split, _there(splits))
        for name in CLASSES:
            classes = [steps[1] for steps, _ in inside if steps[0] == own_split]
            own_class = choose(classes, name, f"{where}/{own_split}")
            if own_class is None:
                raise CohortError("{where} lacks {name}{instead}.", f"{where}/{own_split}", name, _there(classes))
            for steps, member in inside:
                if steps[:2] == [own_split, own_class]:
                    place = f"{split}/{name}/{steps[2]}"
                    if place in members:
                        raise CohortError("{path} holds {place} twice; each image is allowed once.", path, place)
                    members[place] = member
    return members


def _there(names: list[str]) -> str:
    there = list(dict.fromkeys(names))
    return message("; it holds {names}", ", ".join(there[:6])) if there else ""


def _check_place(path: Path, member: zipfile.ZipInfo) -> None:
    name = member.filename
    if re.match(r"[/\\]", name) or ".." in re.split(r"[/\\]", name) or re.match(r"[A-Za-z]:", name) or "\0" in name:
        raise CohortError(
            "{path} holds {name!r}, which would lie outside its folder; allowed are plain paths within it.", path, name
        )
    if stat.S_ISLNK(member.external_attr >> 16):
        raise CohortError("{path} holds the link {name!r}; allowed are files and folders.", path, name)
    if member.flag_bits & 1:
        raise CohortError("{path} is encrypted; allowed is a zip without a password.", path)


def _check_sizes(path: Path, chosen: dict[str, zipfile.ZipInfo]) -> None:
    for member in chosen.values():
        if member.file_size > LARGEST_FILE:
            raise CohortError(
                "{path} holds {file!r} of {size:,} bytes; at most {most:,} are unpacked.",
                path,
                member.filename,
                member.file_size,
                LARGEST_FILE,
            )
    total = sum(member.file_size for member in chosen.values())
    if total > LARGEST_TOTAL:
        raise CohortError(
            "{path} unpacks to {total:,} bytes; at most {most:,} are unpacked.", path, total, LARGEST_TOTAL
        )


def _extract(path: Path, archive: zipfile.ZipFile, chosen: dict[str, zipfile.ZipInfo], target: Path) -> None:
    """Write the files beside the target and move them there when all are whole; zipfile checks sizes and checksums."""
    target.parent.mkdir(parents=True, exist_ok=True)
    total, free = sum(m.file_size for m in chosen.values()), shutil.disk_usage(target.parent).free
    if total > free:
        raise CohortError(
            "{path} unpacks to {total:,} bytes and {folder} has room for {free:,}.", path, total, target.parent, free
        )
    building = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=target.parent))
    try:
        for split in ("train", "valid"):
            for folder in ("malade", "sain"):
                (building / split / folder).mkdir(parents=True)
        for place, member in chosen.items():
            if member.header_offset < 0:
                raise zipfile.BadZipFile(f"{member.filename!r} begins before the file does")
            with archive.open(member) as source, (building / place).open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
        building.chmod(0o755)
        building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
