"""A cohort handed over as a zip: what it may hold, how large it may be, and where it is unpacked."""

import hashlib
import re
import shutil
import stat
import zipfile
import zlib
from pathlib import Path

from lib.cohort.layout import METADATA, CohortError, class_folders, metadata_of
from lib.files import alone_with, whole_folder
from lib.tabular.naming import parts

LARGEST = 20 << 30
"""Bytes of all files, unpacked."""
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
            chosen, name = _members(path, archive)
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


def _members(path: Path, archive: zipfile.ZipFile) -> tuple[dict[str, zipfile.ZipInfo], str]:
    """What to unpack, by place within the cohort, and the cohort's name. The zip is looked at as a folder would be."""
    for member in archive.filelist:
        _check_place(path, member)
    files = [member for member in archive.filelist if not member.is_dir() and not member.filename.endswith("\\")]
    if len(files) > MOST_FILES:
        raise CohortError("{path} holds {count:,} files; at most {most:,} are unpacked.", path, len(files), MOST_FILES)
    visible: dict[str, zipfile.ZipInfo] = {}
    for member in files:
        member.filename = "/".join(parts(member.filename))
        if member.filename in visible:
            raise CohortError("{path} holds {place} twice; each image is allowed once.", path, member.filename)
        if member.filename and not HIDDEN.search(member.filename):
            visible[member.filename] = member
    archive.filelist, archive.NameToInfo = list(visible.values()), visible
    root = zipfile.Path(archive)
    homes = {place.rpartition("/")[0] for place in visible if place.rpartition("/")[2].casefold() in METADATA}
    if not homes:
        raise CohortError("{path} holds no metadata.csv; a cohort's zip has one, beside train and valid.", path)
    if len(homes) > 1:
        raise CohortError(
            "{path} holds {count} files metadata.csv; a cohort's zip has one, beside train and valid.", path, len(homes)
        )
    folder = root.joinpath(*parts(homes.pop()))
    table = metadata_of(folder)
    chosen = {table.name.casefold(): visible[table.at]}
    for (split, name), place in class_folders(folder).items():
        chosen |= {f"{split}/{name}/{file.name}": visible[file.at] for file in place.iterdir() if file.is_file()}
    return chosen, folder.name if folder.at else path.stem


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


def _extract(path: Path, archive: zipfile.ZipFile, chosen: dict[str, zipfile.ZipInfo], target: Path) -> None:
    """Write the files, all or none; zipfile checks sizes and checksums."""
    total, most = sum(m.file_size for m in chosen.values()), min(LARGEST, shutil.disk_usage(target.parent).free)
    if total > most:
        raise CohortError("{path} unpacks to {total:,} bytes; there is room for {most:,}.", path, total, most)
    with whole_folder(target) as building:
        for place, member in chosen.items():
            (building / place).parent.mkdir(parents=True, exist_ok=True)
            if member.header_offset < 0:
                raise zipfile.BadZipFile(f"{member.filename!r} begins before the file does")
            with archive.open(member) as source, (building / place).open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
