"""`study.toml`, and where a cohort's files are. Standard library only: the pre-render script uses it too."""

import json
import os
import re
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.messages import LANGUAGE, ROOT, SettingsError, languages

if TYPE_CHECKING:
    from lib.settings_schema import StudySettings

TABLES = ("training", "audit", "preferences", "hospital", "report", "group", "results", "compute")


def read_settings(root: Path = ROOT) -> dict[str, Any]:
    """`study.toml` as it is written; a table that is left out is empty. Raises `SettingsError` where it cannot be used.

    It is checked by `lib.settings_schema`; only a Python without the project's environment reads it unchecked.
    """
    settings = _parsed(root / "study.toml")
    with suppress(ImportError):
        study_settings(root)
    return {table: {} for table in TABLES} | settings


def study_settings(root: Path = ROOT) -> "StudySettings":
    """`study.toml` with every default filled in. Raises `SettingsError` where it cannot be used."""
    from lib.settings_schema import checked

    return checked(_parsed(root / "study.toml"), root / "study.toml")


def spoken_language(code: str | None = None, root: Path = ROOT) -> str:
    """The language of messages: this one, else `lang` of `study.toml`, mistakes in it or not, else `LANGUAGE`."""
    with suppress(OSError, UnicodeDecodeError):
        lang = re.search(r"""^\s*lang\s*=\s*["'](\w+)""", (root / "study.toml").read_text("utf-8"), re.MULTILINE)
        code = code or (lang[1] if lang else None)
    return code if code in languages(root) else LANGUAGE


def settings_place(root: Path, place: tuple[str, ...]) -> str:
    """A place of `study.toml`, such as `("audit", "folds")`, as errors name it: with its line."""
    from lib.settings_schema import located

    return located(root / "study.toml", place)


def settings_error(root: Path, place: tuple[str, ...], wrong: str) -> SettingsError:
    """The error that says what is `wrong` at a place of `study.toml`, without a full stop."""
    return SettingsError("{place}: {wrong}.", settings_place(root, place), wrong)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
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
