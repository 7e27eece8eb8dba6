"""What is left of the gaps, told once for all: by three judges, attribute by attribute, at lower cut-offs, in a year, at other prevalences."""

from math import ceil, inf, isfinite
from typing import Any

from scipy.stats import binomtest, norm

from lib.names import BASELINE, BASELINE_WEIGHTING, OVERALL, PATIENT
from lib.report.facts import values
from lib.report.facts.choice import second
from lib.report.facts.cohort import ties
from lib.report.facts.decision import decide, triage
from lib.report.facts.gaps import by_metric, of_method, others
from lib.report.facts.options import ONE_CUT
from lib.report.facts.pictures import misses
from lib.report.facts.values import alone, figures, judged, row, rows
from lib.report.facts.weightings import both
from lib.report.facts.whatif import recalibrated
from lib.report.registry import sentences
from lib.results import Results

RARE = 0.05
"""A share of sick that is small."""
URGENT = ("Pneumothorax",)
"""Findings of ChestX-ray14 that cannot wait."""
PRECISION = 0.1
"""How exactly a hospital is to know a rate, and a gap: half the length of a 95 % interval."""


def left(results: Results) -> dict[str, Any] | None:
    """The facts of the table `left`: `ways` of judging what our choice leaves (`mean`, `deployed`, `anew`), each with its `gaps` by metric.

    `before`: the gaps without it; `spared`: those that are left where no group may be missed more often, likewise. `narrower`: made anew, the interval is narrower than that of one fitted rule, though more varies.
    """
    d = decide(results)
    if d.change is None:
        return None
    ways = {way: gaps for way, gaps in d.ways.items() if any(gaps.values())}
    before = of_method(results, BASELINE, d.attribute, d.contrast)
    sizes = [gap.size if gap else None for gap in (d.anew, d.deployed)]
    widths = [inf if size is None or size.low is None else size.high - size.low for size in sizes]
    narrower = d.deployed is not None and widths[0] < widths[1]
    spared = {}
    if d.sparing and not d.sparing.recommended:
        means = of_method(results, d.sparing.method, d.attribute, d.contrast)
        spared = {"spared": means, "spared_once": d.fitted[d.sparing.method]}
    told = {"spared": {way: gaps for way, gaps in spared.items() if any(gaps.values())}, "narrower": narrower}
    return {"d": d, "ways": ways, "before": before} | told if ways else None


def attributes(results: Results) -> dict[str, Any] | None:
    """The facts of the table `attributes`: of each attribute how well the image shows it (`visible`), and its widest gaps before and after our choice.

    `opened` are the gaps (Other) by other attributes than the page's that the choice is shown or suggested to open or to widen.
    """
    d = decide(results)
    told = []
    for attribute in results.attributes.values():
        visible = alone(row(results, "probes", weighting=BASELINE_WEIGHTING, attribute=attribute.name, group="all"))
        before = by_metric(results, BASELINE, attribute) if d.options else {}
        after = by_metric(results, d.change.method, attribute) if d.change else {}
        told.append({"attribute": attribute, "visible": visible, "before": before, "after": after})
    opened = [own for own in others(results, d.attribute, d.change.method) if own["grows"]] if d.change else []
    known = any(line["before"] for line in told)
    return {"d": d, "choice": d.change, "lines": told, "ties": ties(results), "opened": opened} if known else None


def prevalence_alone(results: Results) -> dict[str, Any] | None:
    """What one cut-off leaves of the gaps when the scores of each group are corrected first, and when they are not (`recalibrated`, `cut`).

    `sick`: the share of each group; `more`: the group of the two with the larger, whose sick are found and whose healthy alarmed more often then.
    `off`: by group, how far mean scores lie above the share of sick (above 0: they promise too much), with verdicts.
    """
    d = decide(results)
    place = {"weighting": BASELINE_WEIGHTING, "attribute": d.attribute.name, "measure": "mean_error"}
    off = figures(rows(results, "calibration", "estimable", **place), "group")
    contrast = d.contrast or next(iter(d.attribute.contrasts))
    told, cut = recalibrated(results, d.attribute, contrast), of_method(results, ONE_CUT, d.attribute, contrast)
    if told is None and not off:
        return None
    sick = {group: line["estimate"] for group, line in judged(results, d.attribute.name).items()}
    pair = (d.attribute.contrasts[contrast], d.attribute.reference)
    return {
        "d": d,
        "recalibrated": told,
        "cut": cut if all(cut.values()) else None,
        "off": {group: value for group, value in off.items() if group in d.attribute.groups},
        "sick": sick,
        "more": max(pair, key=sick.__getitem__) if sick.keys() >= set(pair) else None,
    }


def sensitive(results: Results) -> dict[str, Any] | None:
    """The facts of the table `sensitive`: the `points` of `options.cut_offs`; `best`: another, the one best cut-off for all."""
    d = decide(results)
    points, best = list(d.cut_offs.values()), None
    if len(points) > 1 and d.one_cut is not None:
        keys, groups = values.keys_of(d.one_cut.method), []
        for group in ("all", *d.attribute.groups):
            place = OVERALL if group == "all" else d.attribute.name
            found, alarmed = (values.rate(results, metric, place, group, **keys) for metric in ("tpr", "fpr"))
            if found and alarmed:
                groups.append({"group": group, "missed": found.complement, "alarmed": alarmed})
        cut = row(results, "thresholds", **keys)
        best = {
            "point": "best",
            "cuts": {"all": values.Estimate(cut["threshold"], cut["low"], cut["high"])} if cut else {},
            "groups": groups,
        }
    return {"d": d, "points": points, "best": best} if len(points) > 1 else None


def predictive(results: Results) -> dict[str, Any] | None:
    """The facts of the table `predictive`: under each option that is compared, what it is worth to be called sick or healthy (`triage`), of everyone
    and of each group, where as many are sick as the decision page says, `rare`, where few are, and `here`, where as many as are `seen` here.
    """
    d, told = decide(results), []
    here = {name: judged(results, name) for name in (OVERALL, d.attribute.name)}
    for option in d.compared:
        for attribute, group in ((OVERALL, "all"), *((d.attribute.name, group) for group in d.attribute.groups)):
            seen = here[attribute].get(group, {}).get("estimate")
            shares = (d.sick, RARE, seen)
            worth, rare, as_here = (s and triage(results, option.method, s, attribute, group) for s in shares)
            if worth:
                own = {"option": option, "attribute": attribute, "group": group, "rare": rare}
                told.append(own | {"here": as_here, "seen": seen} | worth)
    return {"d": d, "lines": told, "rare": RARE} if told else None


def yearly(results: Results) -> dict[str, Any] | None:
    """The facts of the table `yearly`: what each option that narrows a gap changes in a year, by group; `net`: our choice, over all groups."""
    d = decide(results)
    pairs = [(option, share) for option in d.yearly for share in option.shares if share.yearly]
    lines = [{"option": option, "share": share} for option, share in pairs]
    ours = [share for option, share in pairs if option.recommended]
    net = {what: sum(own.yearly[what].value for own in ours) for what in ("found", "alarmed")} if ours else None
    return {"d": d, "lines": lines, "net": net} if lines else None


def missed_findings(results: Results) -> dict[str, Any] | None:
    """`found`: of the most frequent findings what is missed in each group (`pictures.misses`); `urgent`: the same for what cannot wait.

    Of an urgent finding `known` are the groups where enough patients have it, `counts` all of them.
    """
    d = decide(results)
    lines = rows(results, "misses_by_finding", attribute=d.attribute.name, contrast=None).to_dicts()
    lines = [line | {"share": alone(line) if line["estimable"] else None} for line in lines]
    if not any(line["share"] for line in lines):
        return None
    urgent = []
    for finding in URGENT:
        if own := [line for line in lines if line["finding"] == finding]:
            counts = {line["group"]: line["patients"] for line in own}
            urgent.append({"finding": finding, "known": [line for line in own if line["share"]], "counts": counts})
    return {"found": misses(results, d.attribute)[:3], "urgent": urgent}


@sentences("account")
def account(results: Results) -> dict[str, Any]:
    """What the sentences on what is left are told; each is None where there is nothing to tell."""
    told = {"base": prevalence_alone(results), "missed": missed_findings(results)}
    told |= {"both": both(results), "needed": needed(results), "second": second(results), "yearly": yearly(results)}
    return {"d": decide(results), "by_attribute": attributes(results)} | told


def needed(results: Results) -> dict[str, Any]:
    """Patients that a hospital needs: with `each` label in a group for a rate to within `precision`, for a `gap` of two groups to within the same.

    Of the normal approximation, at a rate of one half, where it is widest. `study`: patients like these for a gap of the size of the margin.
    `found`: of `each` sick so many must be found for the lower end of the interval (Wilson) to lie above the example floor. `urgent`: by finding that
    cannot wait and by group, the patients of whom `each` have it, where it is as frequent as here.
    """
    d, variance = decide(results), 0.25 * (norm.ppf(0.975) / PRECISION) ** 2
    main, each = d.main, ceil(variance)
    place = {"attribute": main.attribute.name, "contrast": main.contrast, "metric": main.metric} if main else {}
    line = row(results, "gaps", unit=PATIENT, **values.UNTREATED, **place) if main else None
    many = line["patients_needed"] if line and isfinite(line["patients_needed"] or inf) else None
    lows = {found: binomtest(found, each).proportion_ci(method="wilson").low for found in range(each + 1)}
    here, told = judged(results, d.attribute.name), missed_findings(results)
    urgent = {
        own["finding"]: {
            group: each * here[group]["patients"] / n for group, n in own["counts"].items() if n and group in here
        }
        for own in (told["urgent"] if told else [])
    }
    numbers = {"found": next(found for found, low in lows.items() if low > d.tested["asked"]), "urgent": urgent}
    return {"precision": PRECISION, "each": each, "gap": ceil(2 * variance), "study": many} | numbers
