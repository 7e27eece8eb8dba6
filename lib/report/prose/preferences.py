"""Sentences on choosing: fronts, curves, wrong groups, how gaps closed, and what is recommended."""

import polars as pl

from lib.names import (
    ALTERNATIVE,
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    LEVELLED_DOWN,
    LEVELLED_UP,
    METRICS,
    NOT_NARROWED,
    OVERALL,
    RECOMMENDED,
    TRADED,
    UNTRACED,
    must_know,
    weighting_label,
)
from lib.report import evidence
from lib.report.evidence import WIDEST
from lib.report.focus import aimed, focus
from lib.report.prose.reading import BASELINE, METHOD
from lib.report.words import (
    Words,
    attribute_words,
    count,
    counted,
    few,
    gap_label,
    interval,
    level,
    listed,
    method_words,
    outcome_words,
    per_thousand,
    percent,
    points,
    sentence,
    some,
    spelled,
)
from lib.results import Results

UNKNOWN = "These results were made before this was part of a study; auditing them again adds it."


def front(study: Results, metric: str = "odds", attribute: str | None = None) -> Words:
    """How many methods the front holds, and which are ruled out."""
    attribute = attribute or focus(study)
    if study.pareto.is_empty():
        return Words(UNKNOWN)
    rows = study.pareto.filter(aimed(attribute), metric=metric, attribute=attribute)
    gap = gap_label(attribute, metric)
    if rows.is_empty():
        return Words(f"The {gap} is not estimable, so there is no front.")
    out = rows.filter(~pl.col("on_front"))
    if rows.height == 1:
        return Words("With the untouched baseline alone, there is nothing to compare.")
    if out.is_empty():
        return Words(
            f"Of {counted(rows.height, 'method')}, none can be ruled out: no other is better beyond noise in balanced "
            f"accuracy and in the {gap} at once. The front is as wide as the noise is."
        )
    names = [method_words(row) for row in out.iter_rows(named=True)]
    return Words(
        f"Of {counted(rows.height, 'method')}, {count(out.height)} can be ruled out, since another is better beyond noise in "
        f"balanced accuracy and in the {gap} at once: {some(names)}. The others stay on the front."
    )


def relaxation(study: Results, metric: str = "odds", attribute: str | None = None) -> Words:
    """Balanced accuracy and gap under parity and without constraint, and whether weightings differ at equal slack."""
    attribute = attribute or focus(study)
    if evidence.relaxation(study).is_empty():
        return Words(UNKNOWN)
    frame = (
        evidence.relaxation(study)
        .filter(metric=metric, attribute=attribute)
        .drop_nulls(["balanced_accuracy", "disparity"])
    )
    own = frame.filter(weighting=BASELINE_WEIGHTING).sort("slack").drop_nulls("balanced_low").to_dicts()
    gap = gap_label(attribute, metric)
    if not own:
        return Words(f"The {gap} is not estimable, so there is no curve.")
    told = []
    for row, how in ((own[0], "Under parity"), (own[-1], "without constraint")):
        accuracy = interval(percent(row["balanced_low"]), percent(row["balanced_high"]))
        told.append(
            f"{how}, thresholds by group have a balanced accuracy of {percent(row['balanced_accuracy'])} ({accuracy}) and leave "
            f"{'a' if metric == 'tpr' else 'an'} {gap} of {points(row['disparity']).lstrip('+')} points"
        )
    return Words(f"{'; '.join(told)}. {_weightings(frame, own[0])}")


def _weightings(frame: pl.DataFrame, tight: dict) -> str:
    others = frame.filter(pl.col("weighting") != BASELINE_WEIGHTING, slack=tight["slack"])
    if others.is_empty():
        return "Only one weighting was tried."
    low, high = tight["balanced_low"], tight["balanced_high"]
    outside = others.filter(~pl.col("balanced_accuracy").is_between(low, high))
    if outside.is_empty():
        return (
            "Compared at parity instead of at 0.5, no weighting's balanced accuracy lies outside the baseline's interval: "
            "what weighting adds to thresholds cannot be seen here."
        )
    names = [weighting_label(name) for name in outside["weighting"]]
    return (
        f"Compared at parity instead of at 0.5, {listed(names)} {'lies' if len(names) == 1 else 'lie'} outside the baseline's "
        "interval of balanced accuracy; that is no test of a difference."
    )


def wrong_groups(study: Results, metric: str = "tpr", attribute: str | None = None) -> Words:
    """What the narrowest rule's gap becomes when the group is wrong for a tenth and a fifth of the patients."""
    attribute = attribute or focus(study)
    frame = evidence.misclassified(study).filter(target=attribute, metric=metric, contrast=WIDEST).drop_nulls("value")
    words_of = attribute_words(attribute)
    if frame.is_empty():
        return Words(f"No rule that asks for the {words_of} was tried with wrong groups, or its gap is not estimable.")
    best = frame.filter(wrong=0.0).sort(pl.col("value").abs()).row(0, named=True)
    own = frame.filter(*(pl.col(key) == best[key] for key in METHOD)).sort("wrong").to_dicts()
    told = [
        f"with {percent(row['wrong'], 0)} wrong, it changes by {points(row['change'])} points "
        f"({interval(points(row['change_low']), points(row['change_high']))})"
        for row in own
        if row["wrong"] >= 0.1
    ]
    return Words(
        f"A rule that asks for the {words_of} is as good as what it is told. The smallest {METRICS[metric].label} gap by "
        f"{words_of} when every {words_of} is right, {points(best['value']).lstrip('+')} points "
        f"({interval(points(best['low']).lstrip('+'), points(best['high']).lstrip('+'))}), is that of {method_words(best)}; "
        f"{'; '.join(told)}. Patients are taken for another group by lot, and the figures are expectations over all lots."
    )


def closures(study: Results, attribute: str | None = None) -> Words:
    """How the gaps that narrow beyond noise came to do so, levelling down by name."""
    attribute = attribute or focus(study)
    if study.levelling.is_empty():
        return Words(
            UNKNOWN
            if not evidence.changes(study).is_empty()
            else "Without any method beside the baseline, no gap was narrowed."
        )
    rows = study.levelling.filter(pl.col("how") != NOT_NARROWED, attribute=attribute)
    if rows.is_empty():
        return Words(
            f"No method narrows a gap by {attribute_words(attribute)} beyond noise, so nobody is shown to pay for it."
        )
    phrases = {
        LEVELLED_UP: "by levelling up: some group gains in that rate beyond noise and none loses",
        TRADED: "by a trade: one group gains, another loses",
        LEVELLED_DOWN: "by levelling down: some group loses beyond noise and none gains",
        UNTRACED: "with no single group's change shown",
    }
    if rows.height == 1:
        row = rows.row(0, named=True)
        by = outcome_words(attribute, row["metric"])
        return Words(f"One gap narrows beyond noise, the {by} with {method_words(row)}, {phrases[row['how']]}.")
    told = {how: rows.filter(how=how) for how in (LEVELLED_UP, TRADED, LEVELLED_DOWN, UNTRACED)}
    parts = [f"{few(of.height)} {phrases[how]}" for how, of in told.items() if of.height]
    narrowed = "narrowing" if rows.height == 1 else "narrowings"
    text = (
        f"Of {few(rows.height)} {narrowed} of a gap by {attribute_words(attribute)} beyond noise, {'; '.join(parts)}."
    )
    if told[LEVELLED_DOWN].height:
        names = [
            f"{method_words(row)} ({METRICS[row['metric']].label})"
            for row in told[LEVELLED_DOWN].sort(pl.col("estimate").abs(), descending=True).iter_rows(named=True)
        ]
        text += f" Levelling down: {some(names)}."
    return Words(text)


def recommendation(study: Results) -> Words:
    """What the stated preferences lead to, with its intervals, and what cannot be told from it."""
    preferences = study.manifest["settings"].get("preferences")
    if preferences is None:
        return Words(UNKNOWN)
    attribute, largest = preferences["attribute"], preferences["largest_loss"]
    may = "may" if preferences["may_use_demographics"] else "may not"
    asked = (
        f"Asked for the smallest odds gap by {attribute_words(attribute)} at a loss of at most {points(largest).lstrip('+')} points "
        f"of balanced accuracy, where a decision {may} ask for demographics,"
    )
    frame = study.recommendation
    if frame.is_empty():
        return Words(f"{asked} this study has no answer: the gap is not estimable.")
    best = frame.filter(role=RECOMMENDED).row(0, named=True)
    if (best["weighting"], best["postprocessing"]) == (BASELINE_WEIGHTING, BASELINE_POSTPROCESSING):
        return Words(f"{asked} the study recommends to leave the baseline untouched: {_why_none(frame)}")
    known = must_know(best["postprocessing"], best["target"])
    rivals = frame.filter(role=ALTERNATIVE)
    names = [method_words(row) for row in rivals.iter_rows(named=True)]
    others = (
        f"The gap of {some(names)} cannot be told from it."
        if names
        else "Every other method that qualifies leaves a wider gap, beyond noise."
    )
    return Words(
        f"{asked} the study recommends {method_words(best)}, which must know {f'the {attribute_words(known)}' if known else 'the image only'} "
        f"when deciding; that it narrows a gap is {best['support']}. The odds gap (the larger of the gaps in TPR and FPR) changes by "
        f"{points(best['change'])} points ({_together(best, 'change')}), the loss is {points(best['loss'])} points "
        f"({_together(best, 'loss')}); these intervals hold for all candidates together, so that they allow for having picked this one. {others}"
    )


def _together(row: dict, what: str) -> str:
    return interval(points(row[f"{what}_low_simultaneous"]), points(row[f"{what}_high_simultaneous"]))


def _why_none(frame: pl.DataFrame) -> str:
    others = frame.filter(pl.col("role") != RECOMMENDED)
    if others.is_empty():
        return "no other method is permitted."
    why = frame.filter(role=RECOMMENDED)["why"][0]
    return f"{why} ({counted(others.height, 'permitted method')} tried)."


def in_patients(study: Results, method: tuple[str, str, str]) -> Words:
    """Of 1,000 sick or healthy patients of a group, whom a method finds or alarms, where the change is beyond noise."""
    rows = evidence.changes(study).filter(
        *(pl.col(key) == value for key, value in zip(METHOD, method, strict=True)),
        pl.col("contrast") != WIDEST,
        pl.col("metric").is_in(["tpr", "fpr"]),
        pl.col("verdict").is_in(["improves", "worsens"]),
    )
    whose = {"tpr": ("sick", "found", "missed"), "fpr": ("healthy", "alarmed without need", "left alone")}
    told = []
    for row in rows.iter_rows(named=True):
        side, done, spared = whose[row["metric"]]
        of = (
            f"{side} patients"
            if row["attribute"] == OVERALL
            else f"{side} patients of {attribute_words(row['attribute'])} {row['contrast']}"
        )
        verb, sign = (done, 1) if row["change"] > 0 else (spared, -1)
        bounds = sorted((sign * row["low"], sign * row["high"]))
        told.append(
            f"{per_thousand(sign * row['change']).lstrip('+')} more of 1,000 {of} are {verb} "
            f"({interval(*(per_thousand(b) for b in bounds))})"
        )
    name = method_words(dict(zip(METHOD, method, strict=True)))
    if not told:
        return Words(f"Under {name}, no group can be shown to gain or to lose.")
    return Words(f"Under {name}, {some(told, 6)}.")


def signal(study: Results) -> Words:
    """Groups in which the baseline's scores cannot be told from chance: whatever is fitted there is fitted to noise."""
    rows = evidence.metrics(study).filter(BASELINE, pl.col("attribute") != OVERALL, metric="auc").drop_nulls("low")
    if rows.is_empty():
        return Words("Whether the scores carry a signal in each group is not estimable.")
    flat = rows.filter(pl.col("low") <= 0.5)
    if flat.is_empty():
        least = rows.sort("low").row(0, named=True)
        return Words(
            f"In every group that is large enough the scores carry a signal; the least sure is {attribute_words(least['attribute'])} "
            f"{least['group']} (AUC {level('auc', least['value'])}, "
            f"{interval(level('auc', least['low']), level('auc', least['high']))})."
        )
    names = [
        f"{attribute_words(r['attribute'])} {r['group']} (AUC {level('auc', r['value'])}, "
        f"{interval(level('auc', r['low']), level('auc', r['high']))})"
        for r in flat.iter_rows(named=True)
    ]
    return Words(
        f"{sentence(spelled(len(names), 'group has', 'groups have'))} scores that cannot be told from chance: {listed(names)}. A "
        "threshold chosen there is chosen by noise, and equalising odds with such a group makes decisions random for all."
    )
