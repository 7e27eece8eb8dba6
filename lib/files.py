"""Files that survive: written whole or not at all, by one process at a time; a full disk or a read-only folder is one sentence."""

import errno
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from lib.messages import UserError, message

FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}


class StorageError(OSError):
    """A folder cannot be written; the message is one sentence: which, why, what to do."""


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Turn the refusals of a full disk or a read-only folder met inside into a `StorageError` that names `folder`."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        if error.errno in FULL:
            why = message("its disk (or your quota) is full: free some space")
        elif error.errno in READ_ONLY:
            why = message("it is read-only for you: allow writing to it, or work in a copy elsewhere")
        else:
            raise
        raise StorageError(
            message("{folder} cannot be written, {why}, and start again; what was finished is kept.", folder, why)
        ) from None


def require_writable(folder: Path) -> None:
    """Make the folder where it is not there. Raises ValueError, with its name and why, when no file can be put there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        why = message("a file is in its way") if error.errno in (errno.EEXIST, errno.ENOTDIR) else error.strerror
        raise UserError("Nothing can be written to the folder {folder} ({why}): name another.", folder, why) from None


def write_whole(path: Path, content: str | bytes | Callable[[BinaryIO], object]) -> None:
    """Write beside `path`, then take its place: a reader finds the old file, or the whole new one, never a part.

    `content`: text, bytes, or what writes into an open file, such as `frame.write_parquet`; it is given one in memory, as
    libraries have errors of their own for a full disk.
    """
    if callable(content):
        content(buffer := io.BytesIO())
        content = buffer.getbuffer()
    with writing_to(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            part.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A new folder to fill, which takes the place of `target` when all went well, and is gone when it did not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    previous = building.with_name(f"{building.name}-previous")
    try:
        yield building
        building.chmod(0o755)
        if target.exists():
            target.rename(previous)
        building.rename(target)
    finally:
        if previous.exists() and not target.exists():
            previous.rename(target)
        for leftover in (building, previous):
            shutil.rmtree(leftover, ignore_errors=True)


@contextmanager
def alone_with(path: Path, while_waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock of `path` (a file in `.locks` beside it), waiting for any other process that holds it.

    The system lets go of it when a process ends, however it ends. `while_waiting` is called every second.
    """
    with writing_to(path.parent):
        locks = path.parent / ".locks"
        locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / path.name)
        while True:
            try:
                lock.acquire(timeout=1)
                break
            except Timeout:
                while_waiting()
    try:
        yield
    finally:
        lock.release()


def sweep(folder: Path, pattern: str) -> None:
    """Delete what killed processes left half-written in `folder`. Only its lock's holder may call this."""
    for leftover in folder.glob(pattern):
        leftover.unlink(missing_ok=True)
