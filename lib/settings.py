"""`study.toml`, and where a cohort's files are. Standard library only: the pre-render script uses it too."""

import os
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_TABLES = {
    "training": {"weightings", "seeds", "image_size", "epochs", "weights_act_by", "initial_weights"},
    "audit": {"attributes", "postprocessings", "folds", "replicates", "smallest_cell"},
}


class SettingsError(ValueError):
    """`study.toml` cannot be used; the message is one sentence: what, where, what is allowed."""


def read_settings(root: Path = ROOT) -> dict[str, Any]:
    """`study.toml` as a dict. Raises `SettingsError` for a file that is not TOML, or a table or key nobody reads."""
    path = root / "study.toml"
    try:
        settings = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path} is missing: it names the cohort and the settings of the study.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {error}.") from None
    for name, allowed in {"cohort": None, "source": None, **_TABLES}.items():
        if name not in settings:
            raise SettingsError(f"{path} lacks {name!r}; needed are cohort, source, {', '.join(_TABLES)}.")
        if allowed and (unknown := settings[name].keys() - allowed):
            raise SettingsError(
                f"{path}, [{name}]: {min(unknown)!r} is unknown; allowed are {', '.join(sorted(allowed))}."
            )
    return settings


def chosen_cohort(root: Path = ROOT) -> str:
    """The cohort to report on: the environment's `COHORT` (a name in data/ or a path), else that of `study.toml`."""
    return os.environ.get("COHORT") or read_settings(root)["cohort"]


def cohort_name(cohort: str | Path) -> str:
    """The name of a cohort given by name or path: the last part of the path."""
    return Path(cohort).resolve().name


def data_folder(cohort: str | Path, root: Path = ROOT) -> Path:
    """`data/<name>`, which keeps a cohort's runs and results."""
    return root / "data" / cohort_name(cohort)


def bundle_folder(cohort: str | Path | None = None, root: Path = ROOT) -> Path:
    """`data/<name>/results` of a cohort, by default the chosen one."""
    return data_folder(cohort or chosen_cohort(root), root) / "results"
