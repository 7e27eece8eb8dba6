"""What a reader moves on a page: the cut-off of each group, and the combination that is looked at. `chapters/widgets.html` draws them."""

from typing import Any

from lib.names import BASELINE, SHOWN
from lib.report.facts import whatif
from lib.report.registry import Material, widget
from lib.report.theme import CELLS, group_look

SCALE = 1000
"""Shares are written as whole thousandths: a tenth of a point is all that is shown."""
LEAST = 100
"""Reach of the shades, in thousandths: differences smaller than this never look large."""
SLIDER = "cut found missed alarms alarmed balanced everyone apart rule own now bars note"
EXPLORER = "attribute figure shown level change region missing short cell moved legend"
"""Blocks of the templates that are told as they are."""


@widget(whatif.sliding)
def slider(material: Material) -> dict[str, Any]:
    """A cut-off for each group, histograms of scores to count by, and the published rules as marks."""
    d, language, groups = material["d"], material.language, {scores["group"]: scores for scores in material["groups"]}
    shown = []
    for group, scores in groups.items():
        own = {"name": language.group(group, d.attribute), "label": str(material("slide", group=group))}
        own["colour"] = group_look(d.attribute.name, group).colour
        own["people"] = [round(n, 1) for n in material["people"][group]]
        for name in ("sick", "healthy"):
            own[name] = [[bar["start"], bar["end"], round(bar["share"], 5)] for bar in scores[name]]
        shown.append(own)
    rules = [
        {"name": language.sentence(language.rule(*rule[1:])), "cuts": [round(cuts[g], 3) for g in groups]}
        for rule, cuts in material["rules"].items()
    ]
    return {"words": _words(material, SLIDER), "locale": language.code, "groups": shown, "rules": rules}


@widget(whatif.combinations)
def explorer(material: Material) -> dict[str, Any]:
    """A selector of attribute and figure over all combinations of weighting and post-processing."""
    language, tables, weightings = material.language, material["tables"], material["weightings"]
    attributes = []
    for name, table in tables.items():
        places = (([rule for rule, _ in table["rules"]], BASELINE[1]), (weightings, BASELINE[0]))
        own = {"label": language.attribute(material.study.attributes[name])}
        own["rows"] = [language.rule(*rule) for rule in table["rules"]]
        own["baseline"] = [names.index(method) if method in names else -1 for names, method in places]
        own["figures"] = [
            {"label": str(material("outcome", o=outcome)), "gap": outcome.attribute is not None}
            | {"cells": _cells(material, table, cells)}
            for outcome, cells in table["cells"].items()
        ]
        attributes.append(own)
    return {
        "words": _words(material, EXPLORER),
        "locale": language.code,
        "start": list(tables).index(material["d"].attribute.name),
        "shades": CELLS,
        "least": LEAST,
        "weightings": [language.weighting(name) for name in weightings],
        "attributes": attributes,
    }


def _words(material: Material, blocks: str) -> dict[str, str]:
    return {name: str(material(name)) for name in blocks.split()}


def _cells(material: Material, table: dict, cells: dict) -> list[list[list[Any]]]:
    """By row and column: value, its bounds, the change against the baseline, its bounds, the verdict in words, and whether it is shown."""
    weightings = material["weightings"]
    return [[_cell(material, cells.get((name, *rule), {})) for name in weightings] for rule in table["rules"]]


def _cell(material: Material, cell: dict[str, Any]) -> list[Any]:
    figures = [cell.get(name) for name in ("level", "change")]
    ends = [end for own in figures for end in ((own.value, own.low, own.high) if own else (None,) * 3)]
    numbers = [None if end is None else round(SCALE * end) for end in ends]
    outcome, verdict = cell.get("outcome"), cell.get("verdict")
    said = " ".join(material.language.verdict(word) for word in (outcome, verdict) if word)
    return [*numbers, said, int(verdict == SHOWN)]
