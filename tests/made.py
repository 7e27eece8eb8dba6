"""What is dear to make and always the same: made once for all workers, kept until what it is made from changes."""

import hashlib
import os
import pickle
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

import polars as pl
import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parent.parent
PLACES = ROOT / ".pytest_cache" / "d" / "made"
"""Beside what pytest keeps: `pytest --cache-clear` makes all anew."""
REQUIREMENTS = ROOT / "requirements.txt"
AUDIT = (*(p for p in (ROOT / "lib").iterdir() if p.name not in ("report", "render", "__pycache__")), REQUIREMENTS)
"""What the results of a study depend on."""
Thing = TypeVar("Thing")


@cache
def _digest(path: Path) -> bytes:
    """Of a file, or of all files of a folder; they do not change while tests run."""
    found = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            found.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return found.digest()


def made_once(name: str, inputs: Iterable[Path], make: Callable[[Path], object], given: object = None) -> Path:
    """The folder that `make(folder)` fills; it is kept until one of the `inputs` or what is `given` changes."""
    contents = repr(given).encode() + b"".join(_digest(path) for path in sorted(inputs))
    digest = hashlib.sha256(contents).hexdigest()[:16]
    PLACES.mkdir(parents=True, exist_ok=True)
    place = PLACES / f"{name}-{digest}"
    with FileLock(PLACES / f"{name}.lock"):
        if not (place / ".whole").is_file():
            for other in PLACES.glob(f"{name}-{'?' * 16}"):
                shutil.rmtree(other)
            place.mkdir()
            make(place)
            (place / ".whole").touch()
    return place


def kept(name: str, given: object, inputs: Iterable[Path], make: Callable[[], Thing]) -> Thing:
    """What `make()` returns, which depends on `given` and the `inputs` alone; as a pickle in a folder of this name."""
    name = f"{name}-{hashlib.sha256(repr(given).encode()).hexdigest()[:8]}"
    place = made_once(name, inputs, lambda folder: (folder / "made.pickle").write_bytes(pickle.dumps(make())))
    return pickle.loads((place / "made.pickle").read_bytes())


@contextmanager
def quick_audits() -> Iterator[None]:
    """Families of hypotheses take a thousand draws, not up to a million; rules and thresholds are refitted in 20 resamples, not 200.

    That is more than half of an audit's time, for the third digit of a p.
    """
    from lib.audit.inference import simultaneous
    from lib.audit.questions import equal_rates, operating_points

    refitting = [sys.modules[name] for name in ("lib.predictions.engine", "lib.study.run") if name in sys.modules]
    with pytest.MonkeyPatch.context() as patch:
        for module in refitting:
            patch.setattr(module, "REFITS", 20)
        for question in (equal_rates, operating_points):
            patch.setattr(question, "RESAMPLES", 20)
        patch.setattr(simultaneous, "FIRST", 2**10)
        patch.setattr(simultaneous, "MOST", 2**12)
        yield


ASKED = ("metrics", "gaps")
TRIED = 2
"""Weightings for which the last layer is re-trained."""


@contextmanager
def few_questions() -> Iterator[None]:
    """Studies answer two questions and try two weightings; their other tables are there, and empty.

    For tests of what is trained, kept, written and resumed, and not of what is found.
    """
    from lib.audit.questions import SCHEMAS, answer
    from lib.study import catalogue, run

    def few(context, only=None, progress=None) -> dict[str, pl.DataFrame]:
        found = answer(context, ASKED)
        return {name: found.get(name, pl.DataFrame(schema=schema)) for name, schema in SCHEMAS.items()}

    possible = catalogue.catalogue
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "answer", few)
        patch.setattr(catalogue, "catalogue", lambda *given: (dict(list(possible(*given)[0].items())[:TRIED]), {}))
        yield


def linked(source: Path, target: Path) -> Path:
    """A copy of a study's folder in which the networks, 45 MB each that nobody changes, are the same files."""

    def copy(one: str, other: str) -> None:
        try:
            os.link(one, other) if one.endswith("network.pt") else shutil.copy2(one, other)
        except OSError:  # on another disk
            shutil.copy2(one, other)

    return shutil.copytree(source, target, dirs_exist_ok=True, copy_function=copy)
