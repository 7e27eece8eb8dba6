"""Whose results `data/<name>` holds: two cohorts of one name never write over each other."""

import json
import logging
from pathlib import Path

from lib.files import alone_with, write_whole
from lib.messages import message
from lib.results import BundleError, read_manifest
from lib.settings import ORIGIN, ROOT, SettingsError, cohort_name, read_origin

log = logging.getLogger(__name__)


def claim(folder: str | Path, key: str, name: str | None = None, root: Path = ROOT) -> str:
    """The name in `data/` for the results of the cohort in `folder`, whose content has this `key`; it is kept from then on.

    Results belong to a cohort when they have its key, or were made from this folder, or from a folder within `data/<name>`.
    Without a `name` it is the folder's, or `<folder>-<key>` where that one is another cohort's, such as the published study.
    Raises `SettingsError`, one sentence, when a `name` that is given is another cohort's.
    """
    folder = Path(folder).resolve()
    wanted = name or cohort_name(folder, root)
    candidates = [wanted] if name else [wanted, f"{folder.name}-{key[:8]}"]
    for free in candidates:
        place = root / "data" / free
        with alone_with(place):
            if _is_free(place, folder, key):
                write_whole(place / ORIGIN, json.dumps({"folder": str(folder), "key": key}))
                if free != wanted:
                    log.info(
                        message(
                            "{folder} holds the results of another cohort: these go to {place}.",
                            root / "data" / wanted,
                            place,
                        )
                    )
                return free
    raise SettingsError(
        "{place} holds the results of another cohort, which are kept: choose another --name, or delete that folder "
        "first.",
        place,
    )


def _is_free(place: Path, folder: Path, key: str) -> bool:
    """Whether nobody's results are there, or this cohort's own."""
    if folder.is_relative_to(place.resolve()):
        return True
    origin = read_origin(place)
    if origin:
        return origin.get("key") == key or origin.get("folder") == str(folder)
    try:
        manifest = read_manifest(place / "results")
    except BundleError:
        return False
    return manifest is None or (not manifest.get("of_predictions") and manifest.get("cohort", {}).get("key") == key)
