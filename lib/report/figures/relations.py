"""What goes with what: attributes with each other and with the label, exposure with the groups."""

from dataclasses import replace
from typing import Any

import polars as pl

from lib.names import SHOWN
from lib.report import evidence, words
from lib.report.figures.marks import (
    PERCENT,
    Chart,
    apart,
    attribute_label,
    dot,
    dot_panel,
    framed,
    in_lines,
    key,
    label_width,
    nothing,
    over,
    span,
    under_headings,
)
from lib.report.focus import focus
from lib.report.theme import LABELS, MEASURES, Size, group_look
from lib.results import Results

SPLITS = ("train", "valid")
EXPOSURES = {"mean": "mean grey level", "contrast": "contrast"}


def crossing(
    results: Results,
    attribute: str | None = None,
    within: str | None = None,
    split: str = "train",
    *,
    size: Size = "page",
) -> Chart:
    """Share of each group of one attribute (by default the one of interest) within each group of another."""
    measure, attribute = MEASURES[size], attribute or focus(results)
    others = [name for name in reversed(results.attributes) if name != attribute]
    if within is None and not others:
        return nothing("one attribute alone crosses no other", size=size)
    within = within or others[0]
    cells = _crossed(results, attribute, within, split)
    heading, unit = attribute_label(within), attribute_label(attribute)
    if not cells:
        return nothing(f"{unit} and {heading} are not crossed in {split}", size=size)
    totals: dict[str, int] = {}
    for other, _, images in cells:
        totals[other] = totals.get(other, 0) + images
    rows = under_headings(f"{heading}|{other}" for other in totals)
    dots = []
    for other, group, images in cells:
        share = images / totals[other] if totals[other] else None
        look, aside = group_look(attribute, group), words.count(totals[other])
        missing = "no image" if share is None else ""
        dots.append(dot(f"{heading}|{other}", share, share, share, look, aside=aside, missing=missing))
    width = measure.width - label_width(rows, measure) - measure.aside
    panel = dot_panel(dots, rows, measure=measure, width=width, domain=(0, 1), axis=PERCENT, asides="images")
    entries = [(group, group_look(attribute, group)) for group in dict.fromkeys(group for _, group, _ in cells)]
    finding = _crossing_finding(results, attribute, within)
    listed = [
        f"{other}: {group} {words.percent(images / totals[other])}" for other, group, images in cells if totals[other]
    ]
    return framed(
        over(key(entries, measure, width=width), panel, spacing=26),
        title=finding,
        subtitle=[
            f"Share of each {unit} within each {heading}, of images · {split}",
            _strength(results, attribute, within, split),
        ],
        description=f"Dots: share of each {unit} within each {heading}, {split}. {'; '.join(listed)}. {finding}.",
        size=size,
    )


def _crossed(results: Results, attribute: str, within: str, split: str) -> list[tuple[str, str, int]]:
    """Cells (group of `within`, group of `attribute`, images), whichever of the two the table names first."""
    straight = results.pairs.filter(split=split, attribute=within, other=attribute)
    if straight.height:
        return straight.select("group", "other_group", "images").rows()
    turned = (
        results.pairs.filter(split=split, attribute=attribute, other=within)
        .select("other_group", "group", "images")
        .rows()
    )
    order = list(dict.fromkeys(cell[0] for cell in turned))
    return sorted(turned, key=lambda cell: order.index(cell[0]))


def _tie(results: Results, one: str, two: str, split: str) -> dict[str, Any] | None:
    """The row of two columns in the table of associations; None where they are not there or cannot be estimated."""
    pair = pl.col("attribute").is_in([one, two]) & pl.col("other").is_in([one, two])
    rows = results.associations.filter(pair, split=split).drop_nulls("estimate").to_dicts()
    return rows[0] if rows else None


def _tied(results: Results, one: str, two: str) -> bool:
    """Whether two columns go together beyond noise in each split: one interval above 0 alone can be chance."""
    found = [_tie(results, one, two, split) for split in SPLITS if split in set(results.associations["split"])]
    return bool(found) and all(row is not None and row["verdict"] == SHOWN for row in found)


def _crossing_finding(results: Results, one: str, two: str) -> str:
    names = f"{attribute_label(one)} and {attribute_label(two)}"
    if _tied(results, one, two):
        return f"{words.sentence(names)} go together, in both train and valid"
    return f"{words.sentence(names)} cannot be shown to go together in both train and valid"


def _strength(results: Results, one: str, two: str, split: str) -> str:
    row = _tie(results, one, two, split)
    if row is None:
        return ""
    return f"Cramér's V {words.number(row['estimate'], 2)}; 0 is unrelated."


def associations(results: Results, split: str = "train", *, size: Size = "page") -> Chart:
    """Cramer's V of each attribute with the label, and of every two attributes."""
    measure = MEASURES[size]
    table = results.associations.filter(split=split).to_dicts()
    table.sort(key=lambda row: (row["other"] != "label", -(row["estimate"] or 0)))
    rows = under_headings(_association_row(row) for row in table)
    dots = [
        dot(
            _association_row(row),
            row["estimate"],
            row["estimate"],
            row["estimate"],
            LABELS[1][1],
            aside=words.count(row["images"]),
        )
        for row in table
    ]
    domain = 0.0, max(0.2, span([row["estimate"] for row in table], step=0.05)[1])
    width = measure.width - label_width(rows, measure) - measure.aside
    panel = dot_panel(dots, rows, measure=measure, width=width, domain=domain, axis={"format": ".2f"}, asides="images")
    tied = [row for row in table if row["estimate"] is not None and _tied(results, row["attribute"], row["other"])]
    finding = "No two columns can be shown to go together in both train and valid"
    if tied:
        top = max(tied, key=lambda row: row["estimate"])
        finding = (
            f"{words.sentence(_association_name(top))} go together most: Cramér's V {words.number(top['estimate'], 2)}"
        )
    listed = [f"{_association_name(row)} {words.number(row['estimate'], 2)}" for row in table]
    return framed(
        panel,
        title=finding,
        subtitle=[
            f"Cramér's V: 0 is unrelated, 1 is one and the same · {split}",
            "Corrected for what chance alone would show.",
        ],
        description=f"Dots with intervals: Cramér's V between columns, {split}. {'; '.join(listed)}. {finding}.",
        size=size,
    )


def _association_name(row: dict[str, Any]) -> str:
    return f"{attribute_label(row['attribute'])} and {attribute_label(row['other'])}"


def _association_row(row: dict[str, Any]) -> str:
    if row["other"] == "label":
        return f"with the label|{attribute_label(row['attribute'])}"
    return f"between attributes|{_association_name(row)}"


def exposure(results: Results, *, size: Size = "page") -> Chart:
    """Mean grey level and contrast of the images by group of the attribute of interest and label."""
    measure, by = MEASURES[size], attribute_label(focus(results))
    table = evidence.exposure(results).to_dicts()
    rows = under_headings(f"{row['group']}|{LABELS[row['label']][0]}" for row in table)
    measures = list(dict.fromkeys(row["measure"] for row in table))
    if not measures:
        return nothing("exposure was not measured", size=size)
    width = (measure.width - label_width(rows, measure) - measure.aside - 30 * (len(measures) - 1)) / len(measures)
    panels = []
    for name in measures:
        part = [row for row in table if row["measure"] == name]
        panels.append(
            dot_panel(
                [_exposure_dot(row) for row in part],
                rows,
                measure=measure,
                width=width,
                domain=span([row[k] for row in part for k in ("value", "low", "high")], step=0.02, least=0.06),
                heading=EXPOSURES.get(name, name),
                axis={"format": ".2f"},
                labelled=name == measures[0],
                asides="images" if name == measures[-1] else "",
            )
        )
    finding = _exposure_finding(table, measures)
    listed = [
        f"{EXPOSURES.get(row['measure'], row['measure'])} {row['group']} {LABELS[row['label']][0]} {words.number(row['value'], 3)}"
        for row in table
    ]
    return framed(
        in_lines(panels, len(measures), 30),
        title=finding,
        subtitle=[
            f"Grey level of the pixels from 0, black, to 1, white, by {by} and label",
            "Bars: 95 % intervals by patient.",
        ],
        description=f"Dots with intervals: brightness and contrast by {by} and label. {'; '.join(listed)}. {finding}.",
        size=size,
    )


def _exposure_dot(row: dict[str, Any]) -> dict[str, Any]:
    word, look = LABELS[row["label"]]
    own = replace(group_look(row["attribute"], row["group"]), hollow=look.hollow)
    missing = "no image" if row["value"] is None else ""
    return dot(
        f"{row['group']}|{word}",
        row["value"],
        row["low"],
        row["high"],
        own,
        aside=words.count(row["images"]),
        missing=missing,
    )


def _exposure_finding(table: list[dict[str, Any]], measures: list[str]) -> str:
    """For each measure, the group that is above another for the sick and for the healthy alike."""
    parts = []
    for name in measures:
        groups: dict[str, list[dict[str, Any]]] = {}
        for row in sorted((row for row in table if row["measure"] == name), key=lambda row: row["label"]):
            groups.setdefault(row["group"], []).append(row)
        found = [(one, two) for one in groups for two in groups if one != two and apart(groups[two], groups[one])]
        parts += [f"{EXPOSURES.get(name, name)} is higher in {one} than in {two}" for one, two in found[:1]]
    if not parts:
        return "Neither brightness nor contrast tells the groups apart by more than noise"
    return words.sentence(f"{words.listed(parts)}, sick or healthy")
