"""Sentences on the data: imbalance, associations, exposure."""

import polars as pl

from lib.names import OVERALL, SHOWN
from lib.report import evidence
from lib.report.focus import focus
from lib.report.prose.reading import apart
from lib.report.words import Words, attribute_words, count, listed, number, percent, sentence
from lib.results import Results


def composition(study: Results) -> Words:
    """Imbalances of the training images: the label first, then the smallest group of each attribute."""
    train = evidence.composition(study).filter(split="train")
    everyone = train.row(by_predicate=pl.col("attribute") == OVERALL, named=True)
    parts = [
        f"{percent(everyone['prevalence'])} of the {count(everyone['images'])} training images are of sick patients"
    ]
    for name, attribute in study.attributes.items():
        groups = train.filter(pl.col("attribute") == name).sort("images")
        if not groups.is_empty():
            least = groups.row(0, named=True)
            share = percent(least["images"] / everyone["images"])
            parts.append(f"the rarest {attribute.label} is {least['group']} with {share} of them")
    return Words(sentence(listed(parts)) + ".")


def exposure(study: Results) -> Words:
    """Which groups of the attribute of interest are told apart by contrast, sick or healthy: intervals that do not overlap."""
    rows = evidence.exposure(study).filter(pl.col("low").is_not_null(), measure="contrast")
    own = study.attributes[focus(study)]
    of = {(r["label"], r["group"]): r for r in rows.iter_rows(named=True)}
    seen = []
    for group in own.groups:
        pairs = [(of.get((label, group)), of.get((label, own.reference))) for label in (0, 1)]
        if group == own.reference or not all(one and two and apart(one, two) for one, two in pairs):
            continue
        sides = {one["value"] < two["value"] for one, two in pairs}
        if len(sides) == 1:
            told = listed([f"{number(one['value'])} against {number(two['value'])}" for one, two in pairs])
            seen.append(
                f"{group} images are {'less' if sides == {True} else 'more'} contrasted than {own.reference} ({told})"
            )
    if not seen:
        return Words(f"Contrast cannot be shown to differ by {own.label}, among the healthy and the sick alike.")
    return Words(
        f"{sentence(listed(seen))}, healthy and sick: a network can see the {own.label} in the pixels, and use it in place of disease."
    )


def interval_levels(study: Results) -> Words:
    """How much narrower intervals by image are than intervals by patient, as the median ratio of their widths."""
    wide = (
        evidence.plain(study.interval_levels)
        .drop_nulls(["low", "high"])
        .with_columns(width=pl.col("high") - pl.col("low"))
        .pivot("level", index=["attribute", "group", "metric"], values="width")
    )
    if wide.is_empty() or not {"image", "patient"} <= set(wide.columns):
        return Words("The two cannot be compared on this cohort.")
    ratio = wide.select((pl.col("image") / pl.col("patient")).median()).item()
    return Words(
        f"Treating images of one patient as strangers gives intervals {percent(ratio, 0)} as wide at the median: too "
        "confident, and used nowhere else in this report."
        if ratio < 1
        else "On this cohort, intervals by image are as wide as intervals by patient."
    )


def prevalence(study: Results) -> Words:
    """Groups of the training images whose share of sick differs from their reference, by intervals that do not meet."""
    train = evidence.composition(study).filter(split="train").drop_nulls("low")
    rows = {(r["attribute"], r["group"]): r for r in train.iter_rows(named=True)}
    shown = []
    for name, attribute in study.attributes.items():
        reference = rows.get((name, attribute.reference))
        for group in attribute.groups:
            row = rows.get((name, group))
            if row and reference and row is not reference and apart(row, reference):
                more = "more" if row["prevalence"] > reference["prevalence"] else "less"
                shown.append(
                    f"{attribute.label} {group} is {more} often sick than {attribute.reference} "
                    f"({percent(row['prevalence'])} against {percent(reference['prevalence'])})"
                )
    if not shown:
        return Words("No group is sick more or less often than its reference by more than the intervals allow.")
    return Words(f"In the training images, {listed(shown)}.")


def associations(study: Results) -> Words:
    """Pairs of attributes that go together beyond noise in both splits, the strongest first."""
    tied = tied_pairs(study).filter(pl.col("other") != "label")
    if tied.is_empty():
        return Words("No two attributes can be shown to go together in both splits.")
    shown = [
        f"{attribute_words(r['attribute'])} and {attribute_words(r['other'])} (Cramér's V {number(r['estimate'], 2)} in training)"
        for r in tied.iter_rows(named=True)
    ]
    return Words(
        f"In both splits, these attributes go together: {listed(shown)}; 0 is no association, 1 is identity. "
        "So the attributes are not independent questions: what looks like an effect of one may be that of another."
    )


def tied_pairs(study: Results) -> pl.DataFrame:
    """Rows of `associations` (of the training split, strongest first) that are shown to go together in both splits."""
    known = study.associations.filter(verdict=SHOWN).drop_nulls("estimate")
    valid = known.filter(pl.col("split") == "valid")
    train = known.filter(pl.col("split") == "train")
    return train.join(valid, on=["attribute", "other"], how="semi").sort("estimate", descending=True)
