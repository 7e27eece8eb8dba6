"""What is in the images before anything is trained: who, how often sick, what goes with what, what the pixels give away."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from lib.names import AT_MOST, NOT_ESTIMABLE, NOT_TOLD, OVERALL, PATIENT, SHOWN, SUGGESTED, Attribute
from lib.report.facts.decision import decide
from lib.report.facts.values import Estimate, estimate, rows
from lib.results import Results

LABEL = "label"
MANY = 6
"""Images from which a patient has many."""
SMALL_SHARE = 0.5
"""Kish effective share under which a weighting rests on few images."""


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
    table = rows(study, "composition", unit=PATIENT)
    if table.is_empty():
        return ()
    found = {(own["attribute"], own["group"], own["split"]): own for own in table.to_dicts()}
    order = [(OVERALL, OVERALL, "all")] + [(a, a.name, g) for a in study.attributes.values() for g in a.groups]
    splits = table["split"].unique(maintain_order=True).to_list()
    told = []
    for attribute, name, group in order:
        for split in splits:
            if own := found.get((name, group, split)):
                told.append(Members(attribute, group, split, own["images"], own["patients"], estimate(own)))
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
    table = rows(study, "associations")
    told = []
    for (name, other), own in table.group_by("attribute", "other", maintain_order=True) if table.height else ():
        known = own.drop_nulls("estimate")
        strength = known["estimate"][0] if known.height else None
        one, two = study.attributes[name], study.attributes.get(other)
        told.append(Tie(one, two, strength, _together(known.select("verdict", "estimate").rows())))
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
    for tie in ties(study):
        own = [m for m in everyone if m.attribute == tie.attribute and m.sick and m.split == everyone[0].split]
        if tie.other is None and tie.seen and len(own) > 1:
            ordered = sorted(own, key=lambda m: m.sick.value)
            told.append(Spread(tie.attribute, ordered[0], ordered[-1], tie.sure))
    return tuple(sorted(told, key=lambda s: (not s.sure, s.least.sick.value - s.most.sick.value)))


@dataclass(frozen=True)
class Grey:
    """A measure of the pixels (`mean` grey level or `contrast`) of a group and label, from black 0 to white 1."""

    measure: str
    group: str
    label: int
    images: int
    level: Estimate | None


@dataclass(frozen=True)
class Apart:
    """A measure by which a group differs from the reference among the healthy and among the sick, on the same side.

    `healthy` and `sick` hold the levels of the group and of the reference, whose intervals do not meet.
    """

    measure: str
    group: str
    reference: str
    higher: bool
    healthy: tuple[float, float]
    sick: tuple[float, float]


def greys(study: Results, attribute: Attribute) -> tuple[Grey, ...]:
    """Grey levels and contrast by group and label; empty where no pixels were read."""
    found = rows(study, "exposure", attribute=attribute.name)
    told = [Grey(r["measure"], r["group"], r["label"], r["images"], estimate(r)) for r in found.to_dicts()]
    return tuple(sorted(told, key=lambda own: (attribute.groups.index(own.group), own.label)))


def pixels_apart(shown: tuple[Grey, ...], attribute: Attribute) -> tuple[Apart, ...]:
    """The differences from the reference group that are told, contrast before brightness."""
    level = {(own.measure, own.group, own.label): own.level for own in shown}
    told = []
    for measure in ("contrast", "mean"):
        for group in attribute.groups:
            pairs = [(level.get((measure, group, k)), level.get((measure, attribute.reference, k))) for k in (0, 1)]
            if group == attribute.reference or not all(a and b and None not in (a.low, b.low) for a, b in pairs):
                continue
            higher = [one.low > two.high for one, two in pairs]
            if all(higher) or all(one.high < two.low for one, two in pairs):
                healthy, sick = ((one.value, two.value) for one, two in pairs)
                told.append(Apart(measure, group, attribute.reference, all(higher), healthy, sick))
    return tuple(told)


@dataclass(frozen=True)
class Visits:
    """Of the patients to learn from: images each on average, the share with one, and with `MANY` or more, and their images."""

    images: float
    single: float
    many: float
    of_many: float


def visits(study: Results) -> Visits | None:
    """None where images were not counted by patient."""
    own = rows(study, "visits")
    own = own.filter(split=own["split"][0]) if own.height else own
    patients, images = (own[name].sum() if own.height else 0 for name in ("patients", "images"))
    if not patients:
        return None
    many = own.filter(pl.col("least") >= MANY)
    single = own.filter(most=1)["patients"].sum()
    return Visits(
        images / patients, single / patients, many["patients"].sum() / patients, many["images"].sum() / images
    )


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
    table = rows(study, "ages")
    table = table.filter(split=table["split"][0]) if table.height else table
    if table.is_empty():
        return None
    bins: dict[int, dict[int, int]] = {0: {}, 1: {}}
    for own in table.to_dicts():
        bins[own["label"]][own["age"]] = own["images"]
    every = sorted(table.group_by("age").agg(pl.col("images").sum()).rows())
    return {
        "ages": Ages(bins, tuple(_quartile(every, q) for q in (0.25, 0.5, 0.75))),
        "split": table["split"][0],
        "images": int(table["images"].sum()),
    }


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


@dataclass(frozen=True)
class Weighting:
    """A weighting of the catalogue on these training images; `refused`: it cannot be used here."""

    name: str
    share: float | None
    largest: float | None
    same_as: str | None
    refused: bool

    @property
    def few(self) -> bool:
        """Whether few images carry most of the weight."""
        return self.share is not None and self.share < SMALL_SHARE


def catalogue(study: Results) -> dict[str, Any] | None:
    """Every weighting that there is; those equal to an earlier one, and those not possible here, apart."""
    told = [Weighting(n, s, m, same, bool(why)) for n, s, m, same, why in rows(study, "catalogue").iter_rows()]
    if not told:
        return None
    same, refused = [w for w in told if w.same_as], [w for w in told if w.refused]
    return {"weightings": [w for w in told if w not in same + refused], "same": same, "refused": refused}


def data(study: Results) -> dict[str, Any]:
    """What the sentences on the data are told."""
    attribute = decide(study).attribute
    everyone, shown = members(study), greys(study, attribute)
    return {
        "attribute": attribute,
        "everyone": [m for m in everyone if m.attribute == OVERALL],
        "rarest": [min(own, key=lambda m: m.images) for own in _groups(everyone)],
        "spreads": spreads(study),
        "ties": ties(study),
        "tie": next((t for t in ties(study) if (t.attribute, t.other) == (attribute, None)), None),
        "apart": pixels_apart(shown, attribute),
        "pixels": bool(shown),
        "visits": visits(study),
        "many": MANY,
        "tried": _tried(study, attribute),
    }


def _tried(study: Results, attribute: Attribute) -> dict[str, bool]:
    """Whether weightings were tried that break the tie of the attribute with the label, and that even out its groups alone."""
    names = study.manifest["settings"]["training"].get("weightings", [])

    def any_of(*families: str) -> bool:
        parts = [
            name.removeprefix(f"{family}_").split("+")
            for name in names
            for family in families
            if name.startswith(family)
        ]
        return any(attribute.name in own for own in parts)

    return {"tie": any_of("kamiran_calders", "group_label_balanced"), "groups": any_of("group_balanced")}


def _groups(everyone: tuple[Members, ...]) -> list[list[Members]]:
    """The groups of each attribute in the first split, those that have an image."""
    first = everyone[0].split if everyone else ""
    names = list(dict.fromkeys(m.attribute for m in everyone if m.attribute != OVERALL))
    own = [[m for m in everyone if m.attribute == name and m.split == first and m.images] for name in names]
    return [group for group in own if group]


def sketch(study: Results) -> dict[str, Any]:
    """What the causal sketch is told: which of the two it is, and what this cohort shows of its arrows."""
    told = data(study)
    attribute = told["attribute"]
    return told | {"of_view": attribute.name == "view" and set(attribute.groups) == {"AP", "PA"}}


def composition(study: Results) -> dict[str, Any] | None:
    """What the table of groups is told."""
    everyone = members(study)
    splits = tuple(dict.fromkeys(m.split for m in everyone))
    if not everyone:
        return None
    several, unknown = [], {}
    for attribute in study.attributes.values():
        own = [m for m in everyone if m.attribute == attribute]
        if any(sum(m.patients for m in own if m.split == all_.split) > all_.patients for all_ in _overall(everyone)):
            several.append(attribute)
        missing = sum(m.images for m in _overall(everyone)) - sum(m.images for m in own)
        if missing > 0:
            unknown[attribute] = missing
    return {
        "members": everyone,
        "splits": splits,
        "spreads": spreads(study),
        "several": several,
        "unknown": unknown,
    }


def _overall(everyone: tuple[Members, ...]) -> list[Members]:
    return [m for m in everyone if m.attribute == OVERALL]


def associations(study: Results) -> dict[str, Any] | None:
    found = ties(study)
    parts = rows(study, "associations")["split"].n_unique()
    return {"ties": found, "parts": parts} if found else None


def exposure(study: Results) -> dict[str, Any] | None:
    """Grey levels by the attribute of the decision page; None where no pixels were read."""
    attribute = decide(study).attribute
    shown = greys(study, attribute)
    return {"attribute": attribute, "shown": shown, "apart": pixels_apart(shown, attribute)} if shown else None
