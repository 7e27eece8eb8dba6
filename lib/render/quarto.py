"""Find a Quarto that is new enough, or get it by pip, and render with it."""

import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lib.messages import message

OLDEST = (1, 10)
PACKAGE = "quarto-cli==1.10.19"
RETRY_AFTER = 24 * 3600
"""Seconds; how long a failed installation is remembered."""


@dataclass(frozen=True)
class Quarto:
    """A usable Quarto (`program`), or None and the sentence that says `why` there is none."""

    program: Path | None
    why: str = ""


def find_quarto(*, install: bool = True) -> Quarto:
    """Look in `QUARTO_PATH`, on PATH and in this environment; else try pip (once a day, as it may have to fail first).

    `QUARTO_PATH` may be the program, its `bin` folder or the folder above; `QUARTO_PATH=none` asks for the draft.
    """
    named = os.environ.get("QUARTO_PATH", "")
    if named == "none":
        return Quarto(None, message("QUARTO_PATH=none asks for a draft."))
    scripts = Path(sys.executable).parent
    places = [named, f"{named}/quarto", f"{named}/bin/quarto"] if named else []
    refused = []
    for program in filter(None, map(shutil.which, [*places, "quarto", str(scripts / "quarto")])):
        version = quarto_version(Path(program))
        if version >= OLDEST:
            return Quarto(Path(program))
        number = ".".join(map(str, version)) or message("of unknown version")
        refused.append(message("{program} is Quarto {version}", program, number))
    wanted = ".".join(map(str, OLDEST))
    if named and not refused:
        refused.append(message("QUARTO_PATH={path} leads to no quarto program", named))
    if install and pip_install(scripts):
        return find_quarto(install=False)
    why = "; ".join(refused) or message("Quarto is not on PATH")
    why = message("{why}; version {wanted} or newer is needed, and pip could not install it.", why, wanted)
    return Quarto(None, why)


def quarto_version(program: Path) -> tuple[int, ...]:
    """(major, minor, patch) of a quarto program; empty when it does not say."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", done.stdout.strip())
    return tuple(int(part) for part in match.groups()) if match else ()


def pip_install(scripts: Path) -> bool:
    """Let pip put Quarto into the folder `scripts`; returns whether it is there. What failed is not tried again for a while."""
    failed = scripts.parent / ".quarto-cli-failed"
    if failed.is_file() and time.time() - failed.stat().st_mtime < RETRY_AFTER:
        return False
    command = [sys.executable, "-m", "pip", "install", "--quiet", PACKAGE]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=600)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        with suppress(OSError):  # an environment that cannot be written to is tried again next time
            failed.touch()
        return False
    return (scripts / "quarto").exists() or (scripts / "quarto.exe").exists()


def quarto(program: Path, root: Path, *arguments: str) -> None:
    """Run Quarto in `root` with this Python. Raises CalledProcessError when it fails."""
    environment = os.environ | {"QUARTO_PYTHON": sys.executable}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    subprocess.run([str(program), *arguments], cwd=root, env=environment, check=True)
