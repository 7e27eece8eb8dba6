"""Who is in the cohort: prevalence, ages, crossings, associations, exposure."""

from typing import Any

import altair as alt

from lib.names import OVERALL
from lib.report import words
from lib.report.figures.marks import (
    ASIDE,
    PERCENT,
    Chart,
    attribute_label,
    dot,
    dot_panel,
    framed,
    group_row,
    in_order,
    label_width,
    span,
    under_headings,
)
from lib.report.theme import MEASURES, Size, group_look
from lib.results import Results

SPLITS = ("train", "valid")


def prevalence(results: Results, *, size: Size = "page") -> Chart:
    """Share of sick images by group, in train and in valid, with everyone's as a rule."""
    measure = MEASURES[size]
    frame = results.composition
    splits = [split for split in SPLITS if split in set(frame["split"])]
    rows = under_headings(group_row(r["attribute"], r["group"]) for r in in_order(frame))
    labels = label_width(rows, measure)
    width = (measure.width - labels - 20 * (len(splits) - 1)) / len(splits) - ASIDE
    domain = span([v for c in ("prevalence", "low", "high") for v in frame[c]], step=0.05, least=0.2)
    panels = []
    for split in splits:
        part = in_order(frame.filter(split=split))
        panels.append(
            dot_panel(
                [_prevalence_dot(row) for row in part],
                rows,
                measure=measure,
                width=width,
                domain=domain,
                heading=split,
                axis=PERCENT,
                labelled=split == splits[0],
                at=next((row["prevalence"] for row in part if row["attribute"] == OVERALL), None),
                asides="images",
            )
        )
    return framed(
        alt.hconcat(*panels, spacing=20),
        title=_prevalence_finding(results),
        subtitle=[
            f"Share of images that are sick, by group · {_sizes(results)}",
            "Bars: 95 % intervals by patient. Dashed: everyone.",
        ],
        description=f"Dots with intervals: share of sick images by group. {_prevalence_listed(results)} "
        f"{_prevalence_finding(results)}.",
        size=size,
    )


def _prevalence_dot(row: dict[str, Any]) -> dict[str, Any]:
    look = group_look(row["attribute"], row["group"])
    return dot(
        group_row(row["attribute"], row["group"]),
        row["prevalence"],
        row["low"],
        row["high"],
        look,
        aside=words.count(row["images"]),
        missing="no image" if row["prevalence"] is None else "",
    )


def _prevalence_finding(results: Results) -> str:
    """The widest difference between two groups whose intervals are apart in every split, else that there is none."""
    found = []
    for attribute in dict.fromkeys(results.composition["attribute"]):
        if attribute == OVERALL:
            continue
        by_group: dict[str, list[dict[str, Any]]] = {}
        for row in in_order(results.composition.filter(attribute=attribute)):
            by_group.setdefault(row["group"], []).append(row)
        for high, one in by_group.items():
            for low, two in by_group.items():
                if high != low and apart(two, one):
                    valid = one[-1]["prevalence"] - two[-1]["prevalence"]
                    found.append((valid, attribute, high, one[-1], low, two[-1]))
    if not found:
        return "No group is sick more often than another, in train and in valid, by more than noise"
    _, attribute, high, one, low, two = max(found, key=lambda item: item[0])
    return (
        f"By {attribute_label(attribute)}, {high} is sick more often than {low}: "
        f"{words.percent(one['prevalence'])} against {words.percent(two['prevalence'])} in valid"
    )


def apart(lower: list[dict[str, Any]], upper: list[dict[str, Any]]) -> bool:
    """Whether every interval of `upper` lies above the one of `lower` that it is paired with; null is never apart."""
    pairs = list(zip(lower, upper, strict=True))
    known = all(row[bound] is not None for pair in pairs for row in pair for bound in ("low", "high"))
    return bool(pairs) and known and all(one["high"] < two["low"] for one, two in pairs)


def _prevalence_listed(results: Results) -> str:
    parts = []
    for split in SPLITS:
        rows = in_order(results.composition.filter(split=split))
        shares = [f"{r['group']} {words.percent(r['prevalence'])}" for r in rows]
        parts.append(f"In {split}: {', '.join(shares)}.")
    return " ".join(parts)


def _sizes(results: Results) -> str:
    cohort = results.manifest["cohort"]
    return " · ".join(
        f"{split}, {words.counted(cohort[f'{split}_images'], 'image')} of "
        f"{words.counted(cohort[f'{split}_patients'], 'patient')}"
        for split in SPLITS
    )
