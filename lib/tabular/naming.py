"""Names of images, matched also where they are written differently: folders, case, accents' form, suffix."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

SUFFIX = re.compile(r"\.(png|jpe?g|dcm|dicom|tiff?|bmp|gif)(\.gz)?$", re.IGNORECASE)


def parts(name: str) -> list[str]:
    """The parts of a path written with / or \\, without those that lead nowhere."""
    return [part for part in re.split(r"[/\\]", name.strip()) if part not in ("", ".")]


def file_name(name: str) -> str:
    """The last part of a path."""
    return (parts(name) or [""])[-1]


def plain(name: str) -> str:
    """The last part of a path, accents composed, case folded, spaces around it and its suffix gone."""
    return _plain(file_name(name))


def _plain(part: str) -> str:
    return SUFFIX.sub("", unicodedata.normalize("NFC", part).casefold().strip())


def depth(names: Sequence[str]) -> int:
    """How many last parts of these paths tell them apart: 1 as a rule, 3 for `patient00001/study1/view1_frontal.jpg`."""
    distinct = {tuple(parts(name)) for name in names}
    deepest = max((len(name) for name in distinct), default=1)
    for count in range(1, deepest + 1):
        if len({name[-count:] for name in distinct}) == len(distinct):
            return count
    return 1


def match(names: Sequence[str], targets: Sequence[str]) -> tuple[dict[str, str], int]:
    """For each name that is one of the `targets`, its target; and how many of them are written differently.

    A name that is a target exactly, folders apart, is that one. Others are compared in plain form, where a target that is
    taken, or that several names or targets could mean, is not guessed at. Names are compared, never opened.
    """
    count = depth(targets)
    exact: dict[tuple[str, ...], str | None] = {}
    for target in dict.fromkeys(targets):
        key = tuple(parts(target)[-count:])
        exact[key] = None if key in exact else target
    found, rest = {}, []
    for name in dict.fromkeys(names):
        own = parts(name)
        if target := exact.get(tuple(own[-count:])):
            found[name] = target
        else:
            rest.append((name, tuple(map(_plain, own[-count:]))))
    taken = set(found.values())
    by_plain: dict[tuple[str, ...], list[str]] = {}
    for target in dict.fromkeys(targets):
        if target not in taken:
            by_plain.setdefault(tuple(map(_plain, parts(target)[-count:])), []).append(target)
    wanted = Counter(key for _, key in rest)
    different = {name: by_plain[key][0] for name, key in rest if len(by_plain.get(key, ())) == 1 and wanted[key] == 1}
    folders = sum(parts(name) != parts(target) for name, target in found.items())
    return found | different, len(different) + folders
