"""Who is in the cohort: the share of sick in each group, and the ages."""

from typing import Any

import altair as alt
import polars as pl

from lib.names import OVERALL
from lib.report import evidence, words
from lib.report.figures.marks import (
    PERCENT,
    Chart,
    apart,
    attribute_label,
    dot,
    dot_panel,
    framed,
    group_row,
    in_order,
    key,
    label_width,
    nothing,
    over,
    span,
    under_headings,
)
from lib.report.theme import GROUND, LABELS, MEASURES, Size, group_look
from lib.results import Results

SPLITS = ("train", "valid")
SPLIT_WORDS = {"train": "training", "valid": "validation"}


def prevalence(results: Results, *, size: Size = "page") -> Chart:
    """Share of sick images by group, in train and in valid, with everyone's as a rule."""
    measure = MEASURES[size]
    frame = evidence.composition(results)
    splits = [split for split in SPLITS if split in set(frame["split"])]
    rows = under_headings(group_row(r["attribute"], r["group"]) for r in in_order(frame))
    labels = label_width(rows, measure)
    width = (measure.width - labels - 20 * (len(splits) - 1)) / len(splits) - measure.aside
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
    for attribute in dict.fromkeys(evidence.composition(results)["attribute"]):
        if attribute == OVERALL:
            continue
        by_group: dict[str, list[dict[str, Any]]] = {}
        for row in in_order(evidence.composition(results).filter(attribute=attribute)):
            by_group.setdefault(row["group"], []).append(row)
        for high, one in by_group.items():
            for low, two in by_group.items():
                if high != low and apart(two, one):
                    valid = one[-1]["prevalence"] - two[-1]["prevalence"]
                    found.append((valid, attribute, high, one[-1], low, two[-1]))
    if not found:
        return "No group is sick more often than another by more than noise in both train and valid"
    _, attribute, high, one, low, two = max(found, key=lambda item: item[0])
    return (
        f"By {attribute_label(attribute)}, images of {high} are sick more often than images of {low}: "
        f"{words.percent(one['prevalence'])} against {words.percent(two['prevalence'])} in valid"
    )


def _prevalence_listed(results: Results) -> str:
    parts = []
    for split in SPLITS:
        rows = in_order(evidence.composition(results).filter(split=split))
        shares = [f"{r['group']} {words.percent(r['prevalence'])}" for r in rows]
        parts.append(f"In {split}: {', '.join(shares)}.")
    return " ".join(parts)


def _sizes(results: Results) -> str:
    cohort = results.manifest["cohort"]
    return " · ".join(
        f"{split}, {words.counted(cohort[f'{split}_images'], 'image')} of "
        f"{words.counted(cohort[f'{split}_patients'], 'patient')}"
        for split in SPLITS
        if cohort[f"{split}_images"]
    )


def ages(results: Results, split: str = "train", *, size: Size = "page") -> Chart:
    """Ages of the sick and of the healthy, as shares of each, in ten-year bins."""
    measure = MEASURES[size]
    frame = results.ages.filter(split=split)
    if frame.is_empty():
        return nothing(f"no age is known in {split}", size=size)
    total = pl.col("images").sum().over("label")
    shares = frame.with_columns(share=pl.col("images") / total, middle=pl.col("age") + 5)
    x = alt.X("middle:Q", title="age, years", axis=alt.Axis(values=list(range(0, 130, 10)), grid=False))
    y = alt.Y("share:Q", title=None, axis=alt.Axis(tickCount=4, grid=True, **PERCENT))
    layers = []
    for label, (_, look) in LABELS.items():
        line = alt.Chart(shares.filter(label=label)).encode(x=x, y=y)
        layers.append(line.mark_line(color=look.colour, strokeWidth=2, strokeDash=[5, 4] if look.hollow else [1, 0]))
        filling = GROUND if look.hollow else look.colour
        layers.append(line.mark_point(fill=filling, fillOpacity=1, stroke=look.colour, strokeWidth=2))
    plot = alt.layer(*layers, width=measure.width - 50, height=230 if size == "page" else 290)
    half = f"Half of the {SPLIT_WORDS.get(split, split)} images are of patients between {_quartile(frame, 0.25)} and {_quartile(frame, 0.75)} years"
    counts = dict(frame.group_by("label").agg(pl.col("images").sum()).rows())
    return framed(
        over(
            key(
                [
                    (f"{word}, {words.counted(counts.get(label, 0), 'image')}", look)
                    for label, (word, look) in LABELS.items()
                ],
                measure,
                width=measure.width - 50,
            ),
            plot,
        ),
        title=half,
        subtitle=[f"Share of the sick and of the healthy images in each ten years of age · {split}"],
        description=f"Two lines over age: share of the sick and of the healthy images in each ten years. {half}. "
        + " ".join(
            f"Most {word} images: {_top(shares.filter(label=label))}."
            for label, (word, _) in LABELS.items()
            if label in counts
        ),
        size=size,
    )


def _quartile(frame: pl.DataFrame, share: float) -> int:
    """The age below which a share of the images lies, to the year, taking ages as even within a bin."""
    bins = frame.group_by("age").agg(pl.col("images").sum()).sort("age").rows()
    left = share * sum(images for _, images in bins)
    for age, images in bins:
        if left <= images:
            return round(age + 10 * left / images)
        left -= images
    return bins[-1][0] + 10


def _top(shares: pl.DataFrame) -> str:
    row = shares.sort("share", descending=True).row(0, named=True)
    return f"{row['age']} to {row['age'] + 9} years, {words.percent(row['share'])}"
