"""`study.toml`, and where a cohort's files are. Standard library only: the pre-render script uses it too."""

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_TOP = {"cohort": str, "source": str, "training": dict, "audit": dict, "preferences": dict, "report": dict}
_TABLES = {
    "training": {
        "weightings": list,
        "seeds": list,
        "network": str,
        "weights_act_by": str,
        "initial_weights": str,
    },
    "audit": {"attributes": list, "postprocessings": list, "folds": int, "smallest_cell": int},
    "preferences": {"attribute": str, "largest_loss": float, "may_use_demographics": bool},
    "report": {"title": str, "subtitle": str, "authors": list, "chapters": list},
}
_WORDS = {
    str: "text in quotes",
    int: "a whole number",
    float: "a number with a decimal point",
    bool: "true or false",
    list: "a list in brackets",
    dict: "a table",
}
_OPTIONAL: dict[str, dict[str, type]] = {
    "training": {
        "image_size": int,
        "first_image_size": int,
        "epochs": int,
        "batch_size": int,
        "learning_rate": float,
        "weight_decay": float,
        "dropout": float,
        "frozen_blocks": int,
        "averaging": float,
        "tune_share": float,
    },
    "audit": {"margin": float},
    "report": {"lang": str, "appendices": list, "language": dict},
    "group": {"members": list},
    "results": {"publish_predictions": bool},
    "compute": {"engine": str, "precision": str, "slurm": dict},
    "hospital": {"patients_per_year": int, "prevalence": float},
}
"""What may be left out; a table of which everything may be left out may be left out itself."""


class SettingsError(ValueError):
    """`study.toml` cannot be used; the message is one sentence: what, where, what is allowed."""


def read_settings(root: Path = ROOT) -> dict[str, Any]:
    """`study.toml` as a dict. Raises `SettingsError` when it is not TOML or a key is missing, unknown or of a wrong type."""
    path = root / "study.toml"
    try:
        settings = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path} is missing: it names the cohort and the settings of the study.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}.") from None
    tables = _OPTIONAL.keys() - _TABLES.keys()
    _check_keys(f"{path}", settings, _TOP, dict.fromkeys(tables, dict))
    for name in _TABLES.keys() | tables:
        found = settings.setdefault(name, {})
        own = _own_languages(found) if name == "report" else {}
        _check_keys(f"{path}, [{name}]", found, _TABLES.get(name, {}), _OPTIONAL.get(name, {}) | own)
    for member in settings["group"].get("members", []):
        if not isinstance(member, dict):
            raise SettingsError(f"{path}, [group]: {member!r} is no member; each is a table with who, did and when.")
        _check_keys(f"{path}, [group], members", member, {"who": str}, {"did": str, "when": str})
    _check_report(f"{path}, [report]", settings["report"])
    return settings


def _own_languages(report: dict[str, Any]) -> dict[str, type]:
    """The tables `[report.fr]` and their like: what the report is called in another language."""
    return {key: dict for key, value in report.items() if re.fullmatch("[a-z]{2,3}", key) and type(value) is dict}


def _check_report(place: str, report: dict[str, Any]) -> None:
    """Names, chapters and language strings are texts, and somebody signs the report."""
    for code in _own_languages(report):
        _check_keys(f"{place[:-1]}.{code}]", report[code], {}, {"title": str, "subtitle": str})
    texts = {
        f"{key}[{i}]": text
        for key in ("authors", "chapters", "appendices")
        for i, text in enumerate(report.get(key, []))
    }
    texts |= {f"language, {key}": text for key, text in report.get("language", {}).items()}
    for key, text in texts.items():
        if not isinstance(text, str):
            raise SettingsError(f"{place}: {key} = {text!r} is not {_WORDS[str]}.")
    if not report["authors"]:
        raise SettingsError(f"{place}: authors is empty; at least one name is needed.")


def _check_keys(place: str, found: dict[str, Any], needed: dict[str, type], optional: dict[str, type]) -> None:
    """Every needed key is there, and no key that is neither needed nor optional; values are of their type."""
    allowed = needed | optional
    if unknown := found.keys() - allowed.keys():
        raise SettingsError(f"{place}: {min(unknown)!r} is unknown; allowed are {', '.join(sorted(allowed))}.")
    for key, kind in allowed.items():
        if key not in found and key in needed:
            raise SettingsError(f"{place} lacks {key!r}; needed are {', '.join(sorted(needed))}.")
        if key in found and type(found[key]) is not kind:
            raise SettingsError(f"{place}: {key} = {found[key]!r} is not {_WORDS[kind]}.")


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


def studied_as(cohort: str | Path, root: Path = ROOT) -> str | None:
    """The name in `data/` under which the cohort in this folder was studied here, or None."""
    folder = str(Path(cohort).resolve())
    found = [
        path.parent.name
        for path in (root / "data").glob(f"*/{ORIGIN}")
        if read_origin(path.parent).get("folder") == folder
    ]
    return sorted(found)[0] if found else None


def cohort_name(cohort: str | Path, root: Path = ROOT) -> str:
    """The name of a cohort given by name or path: that under which its folder was studied, else the path's last part."""
    return studied_as(cohort, root) or Path(cohort).resolve().name


def data_folder(cohort: str | Path, root: Path = ROOT) -> Path:
    """`data/<name>`, which keeps a cohort's runs and results."""
    return root / "data" / cohort_name(cohort, root)


def bundle_folder(cohort: str | Path | None = None, root: Path = ROOT) -> Path:
    """`data/<name>/results` of a cohort, by default the chosen one."""
    return data_folder(cohort or chosen_cohort(root), root) / "results"
