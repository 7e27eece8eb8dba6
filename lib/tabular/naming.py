"""Names of images, matched also where they are written differently: folders, case, accents' form, suffix."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property

SUFFIX = re.compile(r"\.(png|jpe?g|dcm|dicom|tiff?|bmp|gif)(\.gz)?$", re.IGNORECASE)


def parts(name: str) -> list[str]:
    """The parts of a path written with / or \\, without those that lead nowhere."""
    if "/" not in name and "\\" not in name:
        return [name.strip()]
    return [part for part in re.split(r"[/\\]", name.strip()) if part not in ("", ".")]


def file_name(name: str) -> str:
    """The last part of a path."""
    return (parts(name) or [""])[-1]


def _plain(part: str) -> str:
    """A part of a path, accents composed, case folded, spaces around it and its suffix gone."""
    return SUFFIX.sub("", unicodedata.normalize("NFC", part).casefold().strip())


def depth(names: Sequence[str]) -> int:
    """How many last parts of these paths tell them apart: 1 as a rule, 3 for `patient00001/study1/view1_frontal.jpg`."""
    if not any("/" in name or "\\" in name for name in names):
        return 1
    distinct = {tuple(parts(name)) for name in names}
    deepest = max((len(name) for name in distinct), default=1)
    for count in range(1, deepest + 1):
        if len({name[-count:] for name in distinct}) == len(distinct):
            return count
    return 1


class Names:
    """Names that others are matched with. Prepared once, for a table may have a hundred thousand."""

    def __init__(self, targets: Iterable[str]):
        self.targets = list(dict.fromkeys(targets))
        self.depth = depth(self.targets)
        self._exact: dict[tuple[str, ...], str | None] = {}
        for target in self.targets:
            key = tuple(parts(target)[-self.depth :])
            self._exact[key] = None if key in self._exact else target

    @cached_property
    def _by_plain(self) -> dict[tuple[str, ...], list[str]]:
        targets: dict[tuple[str, ...], list[str]] = {}
        for target in self.targets:
            targets.setdefault(tuple(map(_plain, parts(target)[-self.depth :])), []).append(target)
        return targets

    def match(self, names: Iterable[str]) -> tuple[dict[str, str], int]:
        """For each name that is one of the targets, its target; and how many of them are written differently.

        A name that is a target exactly, folders apart, is that one. Others are compared in plain form, where a target that
        is taken, or that several names or targets could mean, is not guessed at. Names are compared, never opened.
        """
        matches, rest = {}, []
        for name in dict.fromkeys(names):
            ends = tuple(parts(name)[-self.depth :])
            if target := self._exact.get(ends):
                matches[name] = target
            else:
                rest.append((name, tuple(map(_plain, ends))))
        taken = set(matches.values())
        folders = sum(name != target and parts(name) != parts(target) for name, target in matches.items())
        wanted = Counter(key for _, key in rest)
        for name, key in rest:
            free = [target for target in self._by_plain.get(key, ()) if target not in taken]
            if len(free) == 1 and wanted[key] == 1:
                matches[name] = free[0]
                folders += 1
        return matches, folders


def match(names: Iterable[str], targets: Iterable[str]) -> tuple[dict[str, str], int]:
    """`Names.match` for once."""
    return Names(targets).match(names)
