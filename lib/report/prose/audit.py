"""One paragraph for each of the further questions: what was decided, what cannot be told, what it does not mean."""

from lib.names import NOT_TOLD, OVERALL
from lib.report import evidence
from lib.report.findings import (
    BASELINE,
    amplified,
    miscalibrated,
    miscalibrated_words,
    outlying,
    outlying_words,
)
from lib.report.words import (
    Words,
    attribute_words,
    count,
    counted,
    few,
    interval,
    listed,
    number,
    points,
    sentence,
    spelled,
)
from lib.results import Results

MOST = 3
"""Decided rows that are told one by one; the rest is counted."""


def calibration(study: Results) -> Words:
    """Whether scores of the baseline mean what they say, over everyone and by group."""
    decided, groups = miscalibrated(study)
    if not groups:
        return Words(
            "Whether the scores mean what they say was not measured in this study."
            if evidence.calibration(study).is_empty()
            else "Too few patients to tell whether the scores mean what they say."
        )
    everyone = evidence.calibration(study).filter(weighting=BASELINE["weighting"], attribute=OVERALL, measure="ece")
    row = everyone.row(0, named=True)
    size = (
        f"Over everyone, scores and shares of sick lie {number(row['value'])} apart (root mean square over ten bins, "
        f"debiased). "
        if row["value"] is not None
        else ""
    )
    if not decided:
        return Words(
            f"{size}Neither the level nor the slope of the scores can be told from that of calibrated ones, in any of "
            f"{counted(groups, 'group')} (everyone included)."
        )
    told = _told([miscalibrated_words(row) for row in decided], "deviation")
    return Words(
        f"{size}{sentence(told)}. Where scores are off, a threshold does not stand for the chance of disease that it names."
    )


def amplification(study: Results) -> Words:
    """By which attributes decisions depend on the group more than the labels of the same images do."""
    rows = amplified(study)
    if not rows:
        return Words(
            "Bias amplification was not measured in this study."
            if evidence.amplification(study).is_empty()
            else "Some group of every attribute has too few patients to measure bias amplification."
        )
    parts = []
    for verdict, verb in (("amplifies", "more"), ("dampens", "less")):
        names = [
            f"by {attribute_words(row['attribute'])} ({points(row['value'])} points, "
            f"{interval(points(row['low']), points(row['high']))})"
            for row in rows
            if row["verdict"] == verdict
        ]
        if names:
            parts.append(
                f"{listed(names)}, decisions follow the group {verb} than the labels do, in the direction of the data"
            )
    silent = [attribute_words(row["attribute"]) for row in rows if row["verdict"] == NOT_TOLD]
    if not parts:
        return Words(
            f"By {listed(silent, conjunction='or')}, decisions cannot be shown to follow the group more or less than the labels "
            "of the same images do: either the difference is within noise, or the data themselves have no clear side."
        )
    rest = f" By {listed(silent, conjunction='or')}, this cannot be told from noise." if silent else ""
    return Words(
        f"{sentence('; '.join(parts))}.{rest} Decisions at threshold 0.5 also differ from the labels in how many they call sick, "
        "which is part of the figure."
    )


def probes(study: Results) -> Words:
    """What a linear probe reads from the features of the baseline's networks."""
    rows = evidence.plain(study.probes).filter("estimable", weighting=BASELINE["weighting"], group="all").to_dicts()
    if not rows:
        return Words("What the features of the networks encode was not probed in this study.")
    of = {row["attribute"]: row for row in rows}
    disease = of.pop("label", None)
    found = [row for row in of.values() if row["low"] > 0.5]
    silent = [attribute_words(row["attribute"]) for row in of.values() if row["low"] <= 0.5]
    parts = []
    if found:
        names = [
            f"{attribute_words(row['attribute'])} (AUC {number(row['value'])}, {interval(number(row['low']), number(row['high']))})"
            for row in sorted(found, key=lambda row: -row["value"])
        ]
        parts.append(f"A linear probe of the last features reads {listed(names)} in patients it has not seen.")
    if silent:
        parts.append(
            f"{'It' if found else 'A linear probe of the last features'} cannot be shown to read {listed(silent, conjunction='or')}."
        )
    if disease is not None:
        parts.append(f"For comparison, the label is read with AUC {number(disease['value'])}.")
    return Words(
        f"{' '.join(parts)} What is encoded need not be used: a probe shows that a shortcut is at hand, not that it is taken."
    )


def intersections(study: Results) -> Words:
    """Which crossings of two attributes have error rates unlike everyone's, and how many are too small to tell."""
    decided, known, unknown = outlying(study)
    if not known and not unknown:
        return Words("Intersections of attributes were not audited in this study.")
    if not known:
        return Words("Every intersection of two attributes has too few patients of a label for its error rates.")
    small = (
        f" {sentence(few(unknown))} more {'rests' if unknown == 1 else 'rest'} on too few patients." if unknown else ""
    )
    if not decided:
        return Words(
            f"Where two attributes cross, none of {spelled(known, 'error rate')} can be told from everyone's.{small}"
            if known > 1
            else f"Where two attributes cross, the one error rate that can be estimated cannot be told from everyone's.{small}"
        )
    return Words(
        f"Where two attributes cross, {len(decided)} of {spelled(known, 'error rate')} "
        f"{'differs' if len(decided) == 1 else 'differ'} from everyone's beyond noise: "
        f"{_told([outlying_words(row) for row in decided], 'rate')}.{small}"
    )


def parity(study: Results) -> Words:
    """The baseline's missed patients of 1,000, by everyone and in the group with the most, told as what it is: a maximum."""
    overall = (
        evidence.metrics(study).filter(**BASELINE, attribute=OVERALL, metric="missed").drop_nulls("value").to_dicts()
    )
    if not overall:
        return Words("How many of 1,000 patients are sick and missed was not estimated in this study.")
    row = overall[0]
    worst = (
        evidence.plain(study.parity)
        .filter("estimable", **BASELINE, measure="worst_missed")
        .sort("value", descending=True)
        .to_dicts()
    )
    text = (
        f"Of 1,000 patients, one image each, {_of_thousand(row['value'])} are sick and called healthy ({_bounds(row)})."
    )
    if not worst:
        return Words(text)
    most = worst[0]
    return Words(
        f"{text} In the group that has the most, {attribute_words(most['attribute'])} {most['group']}, it is "
        f"{_of_thousand(most['value'])}; the largest of several is too large by chance, and groups that are sick more often "
        "have more to miss."
    )


def _told(texts: list[str], what: str) -> str:
    """The first few in full, the others counted."""
    more = len(texts) - MOST
    shown = texts[:MOST] if more > 1 else texts
    return "; ".join(shown) + (f"; and {spelled(more, f'smaller {what}')}" if more > 1 else "")


def _of_thousand(share: float) -> str:
    return count(round(1000 * share))


def _bounds(row: dict) -> str:
    return interval(_of_thousand(row["low"]), _of_thousand(row["high"]))
