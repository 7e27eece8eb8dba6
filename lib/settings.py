"""`study.toml`, and where a cohort's files are. Standard library only: the pre-render script uses it too."""

import json
import os
import re
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.messages import UserError

if TYPE_CHECKING:
    from lib.settings_schema import StudySettings

ROOT = Path(__file__).resolve().parent.parent
TABLES = ("training", "audit", "preferences", "hospital", "report", "group", "results", "compute")


LANGUAGE = "en"
"""Of the report where no other is asked for."""


class SettingsError(UserError):
    """`study.toml` cannot be used; the message is one sentence: what, where, what is allowed."""


def read_settings(root: Path = ROOT) -> dict[str, Any]:
    """`study.toml` as it is written; a table that is left out is empty. Raises `SettingsError` where it cannot be used.

    It is checked by `lib.settings_schema`; only a Python without the project's environment reads it unchecked.
    """
    path = root / "study.toml"
    settings, text = _read(path)
    with suppress(ImportError):
        from lib.settings_schema import checked

        checked(settings, text, path)
    return {table: {} for table in TABLES} | settings


def languages(root: Path = ROOT) -> tuple[str, ...]:
    """The languages that the report can be had in: `LANGUAGE`, and those that `lib/report/words` has words for."""
    codes = {path.parent.name for path in (root / "lib" / "report" / "words").glob("*/names.toml")}
    return tuple(sorted(codes | {LANGUAGE}))


def spoken_language(asked: str | None = None, root: Path = ROOT) -> str:
    """The language of messages: the one asked for, else `lang` of `study.toml`, mistakes in it or not, else `LANGUAGE`."""
    with suppress(OSError, UnicodeDecodeError):
        written = re.search(r"""^\s*lang\s*=\s*["'](\w+)""", (root / "study.toml").read_text("utf-8"), re.MULTILINE)
        asked = asked or (written[1] if written else None)
    return asked if asked in languages(root) else LANGUAGE


def study_settings(root: Path = ROOT) -> "StudySettings":
    """`study.toml` with every default filled in. Raises `SettingsError` where it cannot be used."""
    from lib.settings_schema import checked

    path = root / "study.toml"
    return checked(*_read(path), path)


def settings_place(root: Path, place: tuple[str, ...]) -> str:
    """A place of `study.toml`, such as `("audit", "folds")`, as errors tell it: with its line."""
    from lib.settings_schema import located

    path = root / "study.toml"
    return located(path, path.read_text("utf-8") if path.is_file() else "", place)


def settings_error(root: Path, place: tuple[str, ...], wrong: str) -> SettingsError:
    """The error that says what is `wrong` at a place of `study.toml`, without a full stop."""
    return SettingsError("{place}: {wrong}.", settings_place(root, place), wrong)


def _read(path: Path) -> tuple[dict[str, Any], str]:
    try:
        text = path.read_text("utf-8")
        return tomllib.loads(text), text
    except FileNotFoundError:
        raise SettingsError("{path} is missing: it names the cohort and the settings of the study.", path) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError("{path} is not TOML: {error}.", path, error) from None


def chosen_cohort(root: Path = ROOT) -> str:
    """The cohort to report on: the environment's `COHORT` (a name in data/ or a path), else that of `study.toml`."""
    return os.environ.get("COHORT") or read_settings(root)["cohort"]


ORIGIN = ".cohort.json"
"""In `data/<name>`, never committed: whose results these are, by folder and content."""


def read_origin(folder: Path) -> dict[str, str]:
    """What `data/<name>` says of its cohort, empty where it says nothing."""
    try:
        origin = json.loads((folder / ORIGIN).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return origin if isinstance(origin, dict) else {}


def cohort_name(cohort: str | Path, root: Path = ROOT) -> str:
    """The name of a cohort given by name or path: that under which its folder was studied, else the path's last part."""
    folder = Path(cohort).resolve()
    places = [path.parent for path in (root / "data").glob(f"*/{ORIGIN}")]
    return min((place.name for place in places if read_origin(place).get("folder") == str(folder)), default=folder.name)


def data_folder(cohort: str | Path, root: Path = ROOT) -> Path:
    """`data/<name>`, which keeps a cohort's runs and results."""
    return root / "data" / cohort_name(cohort, root)


def bundle_folder(cohort: str | Path | None = None, root: Path = ROOT) -> Path:
    """`data/<name>/results` of a cohort, by default the chosen one."""
    return data_folder(cohort or chosen_cohort(root), root) / "results"
