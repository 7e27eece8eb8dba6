"""What is in the images before anything is trained: who, how often sick, what goes with what, what the pixels give away."""

from collections import Counter
from itertools import product
from typing import Any

import polars as pl

from lib import names
from lib.names import OVERALL, Attribute
from lib.report.facts.decision import decide
from lib.report.facts.values import SEEN, UNTREATED, Row, by_finding, estimate, parts, rows
from lib.report.registry import sentences
from lib.results import Results

FAR = 0.05
"""Shares of the two splits that differ by less are much alike."""
MANY = 6
"""Images from which a patient has many."""
STRATIFIED = ("prevalence", "tpr", "fpr")


def members(study: Results) -> list[Row]:
    """Everyone, then the groups of each attribute in their order, in training and in validation.

    `images`, `patients`, and the share of `sick`, by patient: None where a group has no image.
    """
    by_place = parts(rows(study, "composition", unit=names.PATIENT), "attribute", "group")
    places = [(OVERALL, "all"), *((a.name, group) for a in study.attributes.values() for group in a.groups)]
    lines = [line for place in places for line in by_place.get(place, [])]
    return [m | {"attribute": study.attributes.get(m["attribute"], OVERALL), "sick": estimate(m)} for m in lines]


def ties(study: Results) -> list[Row]:
    """How closely an attribute goes with another, or with the label (`other` None): those with the label first, then the strongest.

    `strength` is Cramér's V of the first split. `verdict`: shown where a split shows it and no other contradicts; suggested
    where some split does either.
    """
    told = []
    for (name, other), lines in parts(rows(study, "associations"), "attribute", "other").items():
        known = [(line["verdict"], line["estimate"]) for line in lines if line["estimate"] is not None]
        verdict, strength = _together(known), known[0][1] if known else None
        pair = {"attribute": study.attributes[name], "other": study.attributes.get(other), "strength": strength}
        told.append(pair | {"verdict": verdict, "sure": verdict == names.SHOWN, "seen": verdict in SEEN})
    return sorted(told, key=lambda tie: (tie["other"] is not None, -(tie["strength"] or 0)))


def _together(splits: list[tuple[str, float]]) -> str:
    """One verdict of those of both splits: what one of them sees and the other contradicts is not told."""
    verdicts = {verdict for verdict, _ in splits}
    if not verdicts:
        return names.NOT_ESTIMABLE
    if verdicts == {names.AT_MOST}:
        return names.AT_MOST
    if not all(strength > 0 for _, strength in splits) or not verdicts & set(SEEN):
        return names.NOT_TOLD
    return names.SHOWN if names.SHOWN in verdicts and verdicts <= set(SEEN) else names.SUGGESTED


def spreads(study: Results) -> list[Row]:
    """The attributes by which the share of sick differs, with the groups that have the `least` and the `most` in the first split.

    Those that surely go with the label come first, then the widest.
    """
    told, everyone = [], members(study)
    first = everyone[0]["split"] if everyone else None
    known = parts((m for m in everyone if m["sick"] and m["split"] == first), "attribute")
    for tie in (tie for tie in ties(study) if tie["other"] is None and tie["seen"]):
        groups = sorted(known.get(tie["attribute"], []), key=lambda m: m["sick"].value)
        if len(groups) > 1:
            told.append(tie | {"least": groups[0], "most": groups[-1]})
    return sorted(told, key=lambda s: (not s["sure"], s["least"]["sick"].value - s["most"]["sick"].value))


def greys(study: Results, attribute: Attribute) -> list[Row]:
    """The `level` of a `measure` (`mean` grey level or `contrast`), black 0 to white 1, by group and label; empty where no pixels were read."""
    lines = [line | {"level": estimate(line)} for line in rows(study, "exposure", attribute=attribute.name).to_dicts()]
    return sorted(lines, key=lambda grey: (attribute.groups.index(grey["group"]), grey["label"]))


def pixels_apart(shown: list[Row], attribute: Attribute) -> list[Row]:
    """Measures by which a `group` differs from the `reference` among the healthy and among the sick, on the same side; contrast first.

    `healthy` and `sick` hold the levels of the group and of the reference, whose intervals do not meet.
    """
    level = {(grey["measure"], grey["group"], grey["label"]): grey["level"] for grey in shown}
    told = []
    for measure, group in product(("contrast", "mean"), attribute.groups):
        pairs = [(level.get((measure, group, k)), level.get((measure, attribute.reference, k))) for k in (0, 1)]
        if group == attribute.reference or not all(a and b and None not in (a.low, b.low) for a, b in pairs):
            continue
        higher = all(one.low > two.high for one, two in pairs)
        if higher or all(one.high < two.low for one, two in pairs):
            place = {"measure": measure, "group": group, "reference": attribute.reference, "higher": higher}
            healthy, sick = ((one.value, two.value) for one, two in pairs)
            told.append(place | {"healthy": healthy, "sick": sick})
    return told


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


def ages(study: Results) -> dict[str, Any] | None:
    """Of the training images the `quartiles` of age, and by label the `shares` of each ten years and the `top`, where most are.

    `young`: the shares of those that show somebody under ten, and under twenty. None where no age is known.
    """
    by_split = parts(rows(study, "ages"), "split")
    if not by_split:
        return None
    split, lines = next(iter(by_split.items()))
    bins: dict[int, Counter[int]] = {0: Counter(), 1: Counter()}
    for line in lines:
        bins[line["label"]][line["age"]] += line["images"]
    every = sorted((bins[0] + bins[1]).items())
    images = sum(n for _, n in every)
    return {
        "quartiles": tuple(_quartile(every, share) for share in (0.25, 0.5, 0.75)),
        "shares": {k: {start: n / own.total() for start, n in sorted(own.items())} for k, own in bins.items()},
        "top": {label: max(own, key=own.get) for label, own in bins.items() if own},
        "young": {years: sum(n for start, n in every if start < years) / images for years in (10, 20)},
        "split": split,
        "images": images,
    }


def _quartile(bins: list[tuple[int, int]], share: float) -> int:
    """The age below which a share of the images lies, to the year, taking ages as even within a bin."""
    left = share * sum(images for _, images in bins)
    for start, images in bins:
        if left <= images:
            return round(start + 10 * left / images)
        left -= images
    return bins[-1][0] + 10


def checks(study: Results) -> dict[str, Any] | None:
    """What was found, and what was looked for and not found, with what was done. Names of the reader."""
    told = rows(study, "checks").to_dicts()
    return {"found": [c for c in told if c["rows"]], "silent": [c for c in told if not c["rows"]]} if told else None


@sentences("data")
def data(study: Results) -> dict[str, Any]:
    """What the sentences on the data are told.

    `findings` of the sick who are judged, the most frequent first: the patients of each group of the attribute who have it, of how many `sick`.
    `shift`: how those to learn from differ from those who are judged (`_shift`). `aged`: that age makes the main gap is not ruled out.
    """
    attribute, own = decide(study).attribute, decide(study).own
    counts = by_finding(study, attribute)
    findings = [(name, [by.get(group, 0) for group in attribute.groups]) for name, by in counts.items()]
    tpr = rows(study, "metrics", attribute=attribute.name, metric="tpr", unit=names.PATIENT, **UNTREATED)
    everyone, shown, known = members(study), greys(study, attribute), ages(study)
    age, young = study.attributes.get("age_group"), names.DEFAULTS["age_group"].groups[0]
    first = parts((m for m in everyone if m["split"] == everyone[0]["split"] and m["images"]), "attribute")
    return {
        "attribute": attribute,
        "everyone": [m for m in everyone if m["attribute"] == OVERALL],
        "rarest": [min(groups, key=lambda m: m["images"]) for by, groups in first.items() if by != OVERALL],
        "spreads": spreads(study),
        "tie": next((t for t in ties(study) if (t["attribute"], t["other"]) == (attribute, None)), None),
        "apart": pixels_apart(shown, attribute),
        "pixels": bool(shown),
        "visits": visits(study),
        "many": MANY,
        "tried": _tried(study, attribute),
        "findings": sorted(findings, key=lambda finding: (-sum(finding[1]), finding[0])),
        "sick": dict(tpr.select("group", "patients").iter_rows()),
        "shift": _shift(everyone),
        "crossed": _crossed(study, attribute),
        "young": known and known["young"],
        "youngest": (age, young) if age and age.groups[0] == young else None,
        "of_view": of_view(attribute),
        "aged": bool(own) and "age_group" in [other.name for other in own.unadjusted],
    }


def _shift(everyone: list[Row]) -> dict[str, Any]:
    """The group whose share of the `images`, and the one whose share of `sick` patients, differs most between the two splits: `m`, and both shares.

    Those that differ by less than `FAR` are left out; `overlap`: the intervals have something in common.
    """
    total = {m["split"]: m["images"] for m in everyone if m["attribute"] == OVERALL}
    if len(total) != 2:
        return {}
    places = parts((m for m in everyone if m["attribute"] != OVERALL), "attribute", "group")
    pairs = [pair for pair in places.values() if len(pair) == 2 and all(m["images"] and m["sick"] for m in pair)]
    told = {}
    for name, share in (("images", lambda m: m["images"] / total[m["split"]]), ("sick", lambda m: m["sick"].value)):
        pair = max(pairs, key=lambda pair: abs(share(pair[0]) - share(pair[1])), default=None)
        if pair and abs(share(pair[0]) - share(pair[1])) >= FAR:
            told[name] = {"m": pair[0], "first": share(pair[0]), "second": share(pair[1])}
            sick = [m["sick"] for m in pair]
            known = all(None not in (own.low, own.high) for own in sick)
            told[name]["overlap"] = known and max(own.low for own in sick) <= min(own.high for own in sick)
    return told


def _crossed(study: Results, attribute: Attribute) -> list[tuple[Attribute, dict[str, list[float]]]]:
    """Of each other attribute, the group of which the groups of the attribute have the most unlike shares of images, and these, among those to be judged on."""
    crossings = rows(study, "pooled_crossings", pl.col("metric").is_in(names.ERRORS))
    by = parts(crossings, "attribute", "group") if crossings.height else {}
    images = {frozenset(group.split(", ")): sum(line["images"] for line in lines) for (_, group), lines in by.items()}
    told = []
    for other in (other for other in study.attributes.values() if other != attribute):
        own = {g: [images.get(frozenset((g, o)), 0) for o in other.groups] for g in attribute.groups}
        if all(sum(counts) for counts in own.values()):
            shares = {o: [own[g][k] / sum(own[g]) for g in attribute.groups] for k, o in enumerate(other.groups)}
            most = max(shares, key=lambda o: max(shares[o]) - min(shares[o]))
            told.append((other, {most: shares[most]}))
    return told


def _tried(study: Results, attribute: Attribute) -> dict[str, bool]:
    """Whether weightings were tried that break the tie of the attribute with the label, and that even out its groups alone."""
    named = map(names.by_groups, study.manifest["settings"]["training"].get("weightings", []))
    families = {weighting[0] for weighting in named if weighting and attribute.name in weighting[1]}
    breaking = {"kamiran_calders", "group_label_balanced", "group_label_balanced_sqrt"}
    return {"tie": bool(families & breaking), "groups": "group_balanced" in families}


def of_view(attribute: Attribute) -> bool:
    """Whether the attribute is how the image was taken, AP or PA, of which we know what goes with it."""
    return attribute.name == "view" and set(attribute.groups) == {"AP", "PA"}


def composition(study: Results) -> dict[str, Any] | None:
    """What the table of groups is told: attributes by which a patient is in `several` groups, and how many images are of an `unknown` one."""
    everyone = members(study)
    overall = [m for m in everyone if m["attribute"] == OVERALL]
    several, unknown = [], {}
    for attribute, groups in parts((m for m in everyone if m["attribute"] != OVERALL), "attribute").items():
        if any(sum(m["patients"] for m in groups if m["split"] == o["split"]) > o["patients"] for o in overall):
            several.append(attribute)
        if (missing := sum(m["images"] for m in overall) - sum(m["images"] for m in groups)) > 0:
            unknown[attribute] = missing
    told = {"members": everyone, "splits": [m["split"] for m in overall]}
    return told | {"spreads": spreads(study), "several": several, "unknown": unknown} if everyone else None


def associations(study: Results) -> dict[str, Any] | None:
    tied = ties(study)
    return {"ties": tied, "parts": rows(study, "associations")["split"].n_unique()} if tied else None


def exposure(study: Results) -> dict[str, Any] | None:
    """Grey levels by the attribute of the decision page; None where no pixels were read."""
    attribute = decide(study).attribute
    shown = greys(study, attribute)
    return {"attribute": attribute, "shown": shown, "apart": pixels_apart(shown, attribute)} if shown else None


def simpson(study: Results) -> dict[str, Any] | None:
    """Differences as they are (`whole`) and with the groups alike in another attribute, `within` (`alike`): in the data and of the untouched classifier.

    `shown` are those by the attribute of the decision page among the patients judged; `turned` all that turn round anywhere, both told from 0 on
    opposite sides (Simpson's paradox), of how many `asked`; of `unknown` others the groups are too small. By what the page's own gap
    cannot be adjusted is `unadjusted`.
    """
    d, every = decide(study), []
    keys = ("attribute", "contrast", "metric", "split", "stratifier")
    for (name, contrast, metric, split, within), lines in parts(rows(study, "simpson"), *keys).items():
        of = {line["stratum"]: line for line in lines}
        whole, alike = (of.get(name) for name in (names.AGGREGATE, names.STANDARDISED))
        place = {"attribute": study.attributes[name], "contrast": contrast, "metric": metric, "split": split}
        both = {"whole": estimate(whole), "alike": estimate(alike), "turned": alike["reversal"] if alike else None}
        every += [place | both | {"within": within}] if metric in STRATIFIED else []
    shown = [one for one in every if (one["attribute"], one["split"]) == (d.attribute, "valid")]
    told = {
        "d": d,
        "attribute": d.attribute,
        "shown": shown,
        "turned": [one for one in every if one["turned"]],
        "asked": sum(one["turned"] is not None for one in every),
        "unadjusted": d.own.unadjusted if d.own is not None and d.own is d.main else [],
        "unknown": sum(one["alike"] is None for one in every),
    }
    return told if shown else None
