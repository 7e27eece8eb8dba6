"""Why there is a gap, link by link: what each weighting does to what the network sees, and what the network takes from the group."""

from collections.abc import Mapping
from itertools import product
from statistics import fmean, mean
from typing import Any

import polars as pl

from lib import names
from lib.names import ALTERNATIVE, BASELINE_WEIGHTING, BY_PATIENT, ERRORS, OVERALL, PLACEBO, RANDOMISED, RECOMMENDED
from lib.report.facts import values
from lib.report.facts.cohort import data
from lib.report.facts.decision import decide
from lib.report.facts.effects import LAST_LAYER, WEIGHTING, Effects, effects
from lib.report.facts.gaps import within
from lib.report.facts.pictures import HEALTHY, SICK
from lib.report.facts.study import kept
from lib.report.facts.values import KEYS, RULED, WEIGHTED, figures, parts, rows, turned
from lib.report.registry import sentences
from lib.results import Results

FEW = 0.5
"""Kish effective share under which a weighting rests on few images."""
BROKEN, KEPT = 0.3, 0.7
"""A tie is broken where less than this share of the unweighted one is left, and kept from the other share on."""
LOOSE, COUNTED = 0.02, 0.05
"""Shares of sick that lie less apart than the one are no tie; shares of what is drawn that differ by more than the other do differ."""


Seen = dict[str, Any]
"""What the network sees under a `weighting`: of two groups, how `often` each is drawn (share) and how many of it are `sick`.

`effective` is Kish's effective share of the images; `few`: the weighting rests on few of them. `same_as` is an earlier weighting that
weighs every group and label alike. `tie`: how much more often the first group is sick than the second, in what is seen.
`effect` is that of the weighting (None: not trained), `narrows`, whether a gap is seen to narrow.
"""
Cells = Mapping[tuple[str, str, int], tuple[int, float]]
"""Images and their weight by attribute, group and label."""


def weights(results: Results) -> dict[str, Any] | None:
    """All weightings (`others`) beside `start`, the unweighted training, from the mean weight and the number of training images of every group and label.

    `groups` are the two sides of the page's gaps. `tied`: the label goes with the group in the training images at all; weightings that are
    `breaking` or `keeping` the tie, and those of the latter that are `counting`, that keep it though they change how often each group is seen.
    """
    d, full, contrasts = decide(results), effects(results, WEIGHTING), decide(results).attribute.contrasts
    groups = (contrasts[full["contrast"] if full else next(iter(contrasts))], d.attribute.reference)
    effect = {one["method"][0]: one for one in full["methods"]} if full else {}
    runs = parts(rows(results, "runs", pl.col("effective_share").is_not_null()), "weighting")
    weighted = parts(rows(results, "weights", pl.col("weight").is_not_null()), "weighting")
    cells = {
        name: {(line["attribute"], line["group"], line["label"]): (line["images"], line["weight"]) for line in lines}
        for name, lines in sorted(weighted.items())
    }
    told: dict[str, Seen] = {}
    for name, weights_of in cells.items():
        if seen := _seen(weights_of, d.attribute.name, groups):
            share = mean(run["effective_share"] for run in runs[name]) if name in runs else None
            same = next((other for other in told if _alike(cells[other], weights_of)), None)
            own = {"weighting": name, "effective": share, "few": share is not None and share < FEW, "same_as": same}
            known = effect.get(name)
            told[name] = own | seen | {"effect": known, "narrows": bool(known and known["support"])}
    if BASELINE_WEIGHTING not in told:
        return None
    start, first = told.pop(BASELINE_WEIGHTING), groups[0]
    others, tie = list(told.values()), abs(start["tie"])
    keeping = [seen for seen in others if abs(seen["tie"]) >= KEPT * tie]
    return {
        "attribute": d.attribute,
        "groups": groups,
        "start": start,
        "others": others,
        "networks": d.networks,
        "act_by": results.manifest["settings"]["training"].get("weights_act_by"),
        "single": bool(full and full["single"]),
        "tied": tie >= LOOSE,
        "breaking": [seen for seen in others if abs(seen["tie"]) <= BROKEN * tie],
        "keeping": keeping,
        "counting": [seen for seen in keeping if abs(seen["often"][first] - start["often"][first]) > COUNTED],
    }


def _alike(one: Cells, two: Cells) -> bool:
    return one.keys() == two.keys() and all(abs(one[key][1] - two[key][1]) < 0.005 for key in one)


def _seen(cells: Cells, attribute: str, groups: tuple[str, str]) -> Seen | None:
    """Of each group its share of what is seen, and the share of it that is sick."""
    total = {key[1:]: images * weight for key, (images, weight) in cells.items() if key[0] == attribute}
    sick = {group: total.get((group, SICK), 0.0) for group in groups}
    both = {group: sick[group] + total.get((group, HEALTHY), 0.0) for group in groups}
    if not all(both.values()):
        return None
    often, shares = ({g: both[g] / sum(total.values()) for g in groups}, {g: sick[g] / both[g] for g in groups})
    return {"often": often, "sick": shares, "tie": shares[groups[0]] - shares[groups[1]]}


def gap_parts(results: Results, turn: bool = True) -> list[dict[str, Any]]:
    """Every gap that is estimable, where asked turned so that the `whole` is not below 0, and what of it lies in where the `cut` falls and in the
    `ranking`, how well groups are ranked."""
    by = figures(rows(results, "gap_parts"), "attribute", "contrast", "metric", "part")
    columns = {"whole": "whole", "cut": "operating point", "ranking": "discrimination"}
    told = []
    for attribute in results.attributes.values():
        for contrast, metric in product(attribute.contrasts, ERRORS):
            three = {name: by.get((attribute.name, contrast, metric, part)) for name, part in columns.items()}
            if three["whole"]:
                sign = three["whole"].value if turn else 1
                three = {name: turned(part, sign) for name, part in three.items()}
                told.append({"attribute": attribute, "contrast": contrast, "metric": metric} | three)
    return told


def _last(results: Results, full: Effects | None) -> dict[str, float | None] | None:
    """The largest change of a gap in the weightings trained both ways: of the last layer `alone`, and of the `whole` network."""
    head = effects(results, LAST_LAYER)
    if head is None or full is None:
        return None
    trained = [{effect["method"]: effect["outcomes"] for effect in kind["methods"]} for kind in (head, full)]
    places = list(product(trained[0].keys() & trained[1], ERRORS))
    changes = [[outcomes[method].get(m, {}).get("change") for method, m in places] for outcomes in trained]
    alone, whole = (max((abs(change.value) for change in own if change), default=None) for own in changes)
    floors = [head["floor"][metric] for metric in ERRORS if head["floor"][metric] is not None]
    return None if None in (alone, whole) else {"alone": alone, "whole": whole, "floor": max(floors, default=None)}


def mean_scores(results: Results, weighting: str, attribute: str, groups: tuple[str, str]) -> dict[int, float] | None:
    """By label, how much higher the first group's scores lie than the second's, on average (from the histograms)."""
    bars = parts(rows(results, "histograms", weighting=weighting, attribute=attribute), "group", "label")
    means = {
        place: fmean([(bar["start"] + bar["end"]) / 2 for bar in own], [bar["share"] for bar in own])
        for place, own in bars.items()
    }
    if not means.keys() >= set(product(groups, (SICK, HEALTHY))):
        return None
    return {label: means[groups[0], label] - means[groups[1], label] for label in (SICK, HEALTHY)}


def gather(results: Results) -> dict[str, Any] | None:
    """The facts of the table `weightings`."""
    w = weights(results)
    return {"w": w, "lines": [w["start"], *w["others"]]} if w and w["others"] else None


def why(results: Results) -> dict[str, Any] | None:
    """The facts of the table `why_gaps`."""
    told = gap_parts(results, turn=False)
    return {"parts": told} if told else None


def families(results: Results) -> list[str]:
    """Families of the weightings that were tried, each once, with `patient_balanced` where others are multiplied by it."""
    told: list[str] = []
    for name in rows(results, "metrics", WEIGHTED, attribute=OVERALL)["weighting"].unique(maintain_order=True):
        rest = name.removeprefix(PLACEBO).removeprefix(BY_PATIENT)
        family = names.by_groups(rest)
        told += ["patient_balanced"] if BY_PATIENT in name else []
        told.append(family[0] if family else rest)
    return list(dict.fromkeys(told))


@sentences("weightings")
@sentences("formulas")
@sentences("mechanism")
def mechanism(results: Results) -> dict[str, Any]:
    """What the sentences are told on weightings, and on what the network takes from the group.

    `tie`: that of the attribute with the label; `pixels`: what differs in them by it; `read`: how well the network's last features tell it;
    `lies`: by label, how much higher the first group's scores lie on average, `same`: with the same patient, by label; `both`: what crossing does.
    """
    d, w, full = decide(results), weights(results), effects(results, WEIGHTING)
    best, own, before = full["best"] if full else None, d.attribute, data(results)
    compared = dict.fromkeys((BASELINE_WEIGHTING, best["method"][0])) if w and best else ()
    apart = [mean_scores(results, name, own.name, w["groups"]) for name in compared]
    # how well a straight rule on what the network computes tells an attribute, or the label
    aucs = figures(rows(results, "probes", weighting=BASELINE_WEIGHTING, group="all"), "attribute")
    probes = {
        name: {"attribute": results.attributes.get(name, name), "auc": auc, "reads": (auc.low or 0.0) > 0.5}
        for name, auc in aucs.items()
    }
    place = (own, full["contrast"] if full else None)
    return {
        "d": d,
        "w": w,
        "best": best,
        "apart": apart if apart and all(apart) else None,
        "parts": [part for part in gap_parts(results) if (part["attribute"], part["contrast"]) == place],
        "label": probes.pop("label", None),
        "probes": list(probes.values()),
        "last": _last(results, full),
        "kept": kept(results),
        "floor": full["floor"] if full else {},
        "families": families(results),
        "tie": before["tie"],
        "pixels": before["apart"],
        "of_view": before["of_view"],
        "read": probes[own.name]["auc"] if own.name in probes and probes[own.name]["reads"] else None,
        "lies": mean_scores(results, BASELINE_WEIGHTING, own.name, w["groups"]) if w else None,
        "same": within(results, own, f"{w['groups'][0]} - {w['groups'][1]}") if w else {},
        "both": both(results),
    }


def both(results: Results) -> dict[str, Any] | None:
    """Of `n` methods that alter weights and rule the permitted one that leaves the smallest `gap`, of those that meet what is asked where any does.

    `fits`: it does, and cannot be told from the recommended one; `chosen`: it is that one; `coin`: its rule tosses one. None where nothing was crossed.
    """
    crossed = rows(results, "recommendation", WEIGHTED, RULED, pl.col("disparity").is_not_null())
    if crossed.is_empty():
        return None
    known = crossed.sort("disparity").to_dicts()
    fit = [line for line in known if line["role"] in (RECOMMENDED, ALTERNATIVE)]
    best = next((line for line in fit if line["role"] == RECOMMENDED), (fit or known)[0])
    acting = values.acts_on(decide(results).attribute)
    tried = rows(results, "metrics", WEIGHTED, RULED, acting, attribute=OVERALL).select(KEYS)
    told = {"method": tuple(best[key] for key in KEYS), "gap": best["disparity"], "n": tried.n_unique()}
    told |= {"coin": best["postprocessing"] in RANDOMISED, "example": _pair(results)}
    return told | {"fits": bool(fit), "chosen": best["role"] == RECOMMENDED}


def _pair(results: Results) -> dict[str, Any] | None:
    """The best weighting and the best rule by the page's attribute, `weights` and `rule`; by group the `cuts` of the rule, untouched and under the weights, and whether these lie `nearer` to each other then."""
    d = decide(results)
    own, rule = next((option for option in d.rivals if option.kind == "weighting"), None), d.rule
    if own is None or rule is None or rule.weighting or rule.target != d.attribute or d.contrast is None:
        return None
    keys = values.keys_of((own.weighting, *rule.method[1:]))
    two = pl.col("weighting").is_in([BASELINE_WEIGHTING, keys.pop("weighting")])
    fitted = rows(results, "thresholds", two, **keys).to_dicts()
    by = {(cut["group"], cut["weighting"]): cut["threshold"] for cut in fitted}
    sides = (d.attribute.contrasts[d.contrast], d.attribute.reference)
    cuts = {group: (by.get((group, BASELINE_WEIGHTING)), by.get((group, own.weighting))) for group in sides}
    if any(None in pair for pair in cuts.values()):
        return None
    apart = [abs(one - two) for one, two in zip(*cuts.values(), strict=True)]
    return {"weights": own, "rule": rule, "cuts": cuts, "nearer": apart[1] < apart[0]}
