"""What is in the images before anything is trained: who, how often sick, what goes with what, what the pixels give away."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from lib.names import AT_MOST, NOT_ESTIMABLE, NOT_TOLD, OVERALL, PATIENT, SHOWN, SUGGESTED, Attribute, by_groups
from lib.report.facts.decision import decide
from lib.report.facts.values import Estimate, estimate, parts, rows
from lib.results import Results

MANY = 6
"""Images from which a patient has many."""


@dataclass(frozen=True)
class Members:
    """A group in a split: images, patients, and its share of sick, by patient (None where it has no image)."""

    attribute: Attribute | str
    group: str
    split: str
    images: int
    patients: int
    sick: Estimate | None


def members(study: Results) -> tuple[Members, ...]:
    """Everyone, then the groups of each attribute in their order, in training and in validation."""
    by_split = parts(rows(study, "composition", unit=PATIENT), "attribute", "group", "split")
    order = [(OVERALL, OVERALL, "all")] + [(a, a.name, g) for a in study.attributes.values() for g in a.groups]
    splits = dict.fromkeys(split for _, _, split in by_split)
    told = []
    for attribute, name, group in order:
        for split in splits:
            for line in by_split.get((name, group, split), []):
                told.append(Members(attribute, group, split, line["images"], line["patients"], estimate(line)))
    return tuple(told)


@dataclass(frozen=True)
class Tie:
    """How closely an attribute goes with another, or with the label (`other` None): Cramér's V of the first split.

    `verdict`: shown where a split shows it and no other contradicts; suggested where some split does either.
    """

    attribute: Attribute
    other: Attribute | None
    strength: float | None
    verdict: str

    @property
    def sure(self) -> bool:
        return self.verdict == SHOWN

    @property
    def seen(self) -> bool:
        return self.verdict in (SHOWN, SUGGESTED)


def ties(study: Results) -> tuple[Tie, ...]:
    """Those with the label, then those between attributes, the strongest first."""
    told = []
    for (name, other), lines in parts(rows(study, "associations"), "attribute", "other").items():
        known = [(line["verdict"], line["estimate"]) for line in lines if line["estimate"] is not None]
        strength = known[0][1] if known else None
        told.append(Tie(study.attributes[name], study.attributes.get(other), strength, _together(known)))
    return tuple(sorted(told, key=lambda tie: (tie.other is not None, -(tie.strength or 0))))


def _together(splits: list[tuple[str, float]]) -> str:
    """One verdict of those of both splits: what one of them sees and the other contradicts is not told."""
    verdicts = [verdict for verdict, _ in splits]
    if not verdicts:
        return NOT_ESTIMABLE
    if not all(strength > 0 for _, strength in splits):
        return AT_MOST if set(verdicts) == {AT_MOST} else NOT_TOLD
    if SHOWN in verdicts and set(verdicts) <= {SHOWN, SUGGESTED}:
        return SHOWN
    if {SHOWN, SUGGESTED} & set(verdicts):
        return SUGGESTED
    return AT_MOST if set(verdicts) == {AT_MOST} else NOT_TOLD


@dataclass(frozen=True)
class Spread:
    """An attribute by which the share of sick differs: the groups with the least and the most, in the first split."""

    attribute: Attribute
    least: Members
    most: Members
    sure: bool


def spreads(study: Results) -> tuple[Spread, ...]:
    """The attributes that go with the label, surely or perhaps: sure ones first, then the widest."""
    told = []
    everyone = members(study)
    for tie in (tie for tie in ties(study) if tie.other is None and tie.seen):
        groups = [m for m in everyone if m.attribute == tie.attribute and m.sick and m.split == everyone[0].split]
        if len(groups) > 1:
            least, *_, most = sorted(groups, key=lambda m: m.sick.value)
            told.append(Spread(tie.attribute, least, most, tie.sure))
    return tuple(sorted(told, key=lambda s: (not s.sure, s.least.sick.value - s.most.sick.value)))


@dataclass(frozen=True)
class Grey:
    """A measure of the pixels (`mean` grey level or `contrast`) of a group and label, from black 0 to white 1."""

    measure: str
    group: str
    label: int
    level: Estimate | None


def greys(study: Results, attribute: Attribute) -> tuple[Grey, ...]:
    """Grey levels and contrast by group and label; empty where no pixels were read."""
    lines = rows(study, "exposure", attribute=attribute.name).to_dicts()
    told = [Grey(line["measure"], line["group"], line["label"], estimate(line)) for line in lines]
    return tuple(sorted(told, key=lambda grey: (attribute.groups.index(grey.group), grey.label)))


def pixels_apart(shown: tuple[Grey, ...], attribute: Attribute) -> tuple[dict[str, Any], ...]:
    """Measures by which a `group` differs from the `reference` among the healthy and among the sick, on the same side; contrast first.

    `healthy` and `sick` hold the levels of the group and of the reference, whose intervals do not meet.
    """
    level = {(grey.measure, grey.group, grey.label): grey.level for grey in shown}
    told = []
    for measure in ("contrast", "mean"):
        for group in attribute.groups:
            pairs = [(level.get((measure, group, k)), level.get((measure, attribute.reference, k))) for k in (0, 1)]
            if group == attribute.reference or not all(a and b and None not in (a.low, b.low) for a, b in pairs):
                continue
            higher = [one.low > two.high for one, two in pairs]
            if all(higher) or all(one.high < two.low for one, two in pairs):
                healthy, sick = ((one.value, two.value) for one, two in pairs)
                names = {"measure": measure, "group": group, "reference": attribute.reference}
                told.append(names | {"higher": all(higher), "healthy": healthy, "sick": sick})
    return tuple(told)


def visits(study: Results) -> dict[str, float] | None:
    """Of the patients to learn from: `images` each on average, the share with a `single` one, with `MANY` or more, and their images.

    None where images were not counted by patient.
    """
    first = next(iter(parts(rows(study, "visits"), "split").values()), [])
    patients, images = (sum(line[name] for line in first) for name in ("patients", "images"))
    if not patients:
        return None
    many = [line for line in first if line["least"] >= MANY]
    return {
        "images": images / patients,
        "single": sum(line["patients"] for line in first if line["most"] == 1) / patients,
        "many": sum(line["patients"] for line in many) / patients,
        "of_many": sum(line["images"] for line in many) / images,
    }


@dataclass(frozen=True)
class Ages:
    """Images by ten years of age (`start`: images) of the sick (1) and the healthy (0), and the quartiles of all."""

    bins: dict[int, dict[int, int]]
    quartiles: tuple[int, int, int]

    def share(self, label: int, start: int) -> float:
        return self.bins[label].get(start, 0) / max(1, sum(self.bins[label].values()))

    def top(self, label: int) -> int:
        """The start of the ten years with the most images."""
        return max(self.bins[label], key=lambda start: self.bins[label][start])


def ages(study: Results) -> dict[str, Any] | None:
    """Ages of the training images; None where none is known."""
    for split, lines in list(parts(rows(study, "ages"), "split").items())[:1]:
        bins: dict[int, dict[int, int]] = {0: {}, 1: {}}
        every: Counter[int] = Counter()
        for line in lines:
            bins[line["label"]][line["age"]] = line["images"]
            every[line["age"]] += line["images"]
        quartiles = tuple(_quartile(sorted(every.items()), share) for share in (0.25, 0.5, 0.75))
        return {"ages": Ages(bins, quartiles), "split": split, "images": every.total()}
    return None


def _quartile(bins: list[tuple[int, int]], share: float) -> int:
    """The age below which a share of the images lies, to the year, taking ages as even within a bin."""
    left = share * sum(images for _, images in bins)
    for start, images in bins:
        if left <= images:
            return round(start + 10 * left / images)
        left -= images
    return bins[-1][0] + 10


@dataclass(frozen=True)
class Check:
    """Something that the reader looks for: how often it was found, and what was done. Names of the reader."""

    name: str
    rows: int
    action: str


def checks(study: Results) -> dict[str, Any] | None:
    """What was found, and what was looked for and not found."""
    told = [Check(*row) for row in rows(study, "checks").iter_rows()]
    return {"found": [c for c in told if c.rows], "silent": [c for c in told if not c.rows]} if told else None


def data(study: Results) -> dict[str, Any]:
    """What the sentences on the data are told."""
    attribute = decide(study).attribute
    everyone, shown = members(study), greys(study, attribute)
    first = [m for m in everyone if m.split == everyone[0].split and m.images]
    groups = [[m for m in first if m.attribute == each] for each in study.attributes.values()]
    return {
        "attribute": attribute,
        "everyone": _overall(everyone),
        "rarest": [min(group, key=lambda m: m.images) for group in groups if group],
        "spreads": spreads(study),
        "tie": next((t for t in ties(study) if (t.attribute, t.other) == (attribute, None)), None),
        "apart": pixels_apart(shown, attribute),
        "pixels": bool(shown),
        "visits": visits(study),
        "many": MANY,
        "tried": _tried(study, attribute),
        "findings": _findings(study, attribute),
    }


def _findings(study: Results, attribute: Attribute) -> list[tuple[str, list[int]]]:
    """The findings of the sick who are judged, the most frequent first: the patients of each group of the attribute who have it."""
    lines = parts(rows(study, "misses_by_finding", attribute=attribute.name, contrast=None), "finding")
    counts = {name: {line["group"]: line["patients"] for line in of} for name, of in lines.items()}
    told = [(name, [by.get(group, 0) for group in attribute.groups]) for name, by in counts.items()]
    return sorted(told, key=lambda finding: (-sum(finding[1]), finding[0]))


def _tried(study: Results, attribute: Attribute) -> dict[str, bool]:
    """Whether weightings were tried that break the tie of the attribute with the label, and that even out its groups alone."""
    named = map(by_groups, study.manifest["settings"]["training"].get("weightings", []))
    families = {weighting[0] for weighting in named if weighting and attribute.name in weighting[1]}
    breaking = {"kamiran_calders", "group_label_balanced", "group_label_balanced_sqrt"}
    return {"tie": bool(families & breaking), "groups": "group_balanced" in families}


def sketch(study: Results) -> dict[str, Any]:
    """What the causal sketch is told: which of the two it is, and what this cohort shows of its arrows."""
    told = data(study)
    attribute = told["attribute"]
    return told | {"of_view": attribute.name == "view" and set(attribute.groups) == {"AP", "PA"}}


def composition(study: Results) -> dict[str, Any] | None:
    """What the table of groups is told."""
    everyone = members(study)
    overall = _overall(everyone)
    several, unknown = [], {}
    for attribute in study.attributes.values():
        groups = [m for m in everyone if m.attribute == attribute]
        if any(sum(m.patients for m in groups if m.split == all_.split) > all_.patients for all_ in overall):
            several.append(attribute)
        missing = sum(m.images for m in overall) - sum(m.images for m in groups)
        if missing > 0:
            unknown[attribute] = missing
    told = {"members": everyone, "splits": tuple(dict.fromkeys(m.split for m in everyone)), "spreads": spreads(study)}
    return told | {"several": several, "unknown": unknown} if everyone else None


def _overall(everyone: tuple[Members, ...]) -> list[Members]:
    return [m for m in everyone if m.attribute == OVERALL]


def associations(study: Results) -> dict[str, Any] | None:
    tied = ties(study)
    return {"ties": tied, "parts": rows(study, "associations")["split"].n_unique()} if tied else None


def exposure(study: Results) -> dict[str, Any] | None:
    """Grey levels by the attribute of the decision page; None where no pixels were read."""
    attribute = decide(study).attribute
    shown = greys(study, attribute)
    return {"attribute": attribute, "shown": shown, "apart": pixels_apart(shown, attribute)} if shown else None
