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
    return {
        "words": _words(material, SLIDER),
        "locale": language.code,
        "groups": [
            {
                "name": language.group(group, d.attribute),
                "label": str(material("slide", group=group)),
                "colour": group_look(d.attribute.name, group).colour,
                "people": [round(n, 1) for n in material["people"][group]],
            }
            | {
                name: [[bar["start"], bar["end"], round(bar["share"], 5)] for bar in scores[name]]
                for name in ("sick", "healthy")
            }
            for group, scores in groups.items()
        ],
        "rules": [
            {
                "name": language.sentence(language.rule(rule.name, rule.target)),
                "cuts": [round(cuts[group], 3) for group in groups],
            }
            for rule, cuts in material["rules"].items()
        ],
    }


@widget(whatif.combinations)
def explorer(material: Material) -> dict[str, Any]:
    """A selector of attribute and figure over all combinations of weighting and post-processing."""
    language, tables, weightings = material.language, material["tables"], material["weightings"]
    attributes = []
    for name, table in tables.items():
        rules = [rule.name for rule in table["rules"]]
        baseline = [
            names.index(name) if name in names else -1
            for names, name in ((rules, BASELINE[1]), (weightings, BASELINE[0]))
        ]
        figures = [
            {
                "label": str(material("outcome", o=outcome)),
                "gap": outcome.attribute is not None,
                "cells": _cells(material, table, cells),
            }
            for outcome, cells in table["cells"].items()
        ]
        attributes.append(
            {
                "label": language.attribute(material.study.attributes[name]),
                "rows": [language.rule(rule.name, rule.target) for rule in table["rules"]],
                "baseline": baseline,
                "figures": figures,
            }
        )
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
    lines = []
    for rule in table["rules"]:
        target = rule.target.name if rule.target else BASELINE[2]
        methods = [(weighting, rule.name, target) for weighting in material["weightings"]]
        lines.append([_cell(material, cells.get(method, {})) for method in methods])
    return lines


def _cell(material: Material, cell: dict[str, Any]) -> list[Any]:
    ends = [
        (figure.value, figure.low, figure.high) if figure else (None, None, None)
        for figure in (cell.get("level"), cell.get("change"))
    ]
    numbers = [None if n is None else round(SCALE * n) for figure in ends for n in figure]
    outcome, verdict = cell.get("outcome"), cell.get("verdict")
    said = " ".join(material.language.verdict(word) for word in (outcome, verdict) if word)
    return [*numbers, said, int(verdict == SHOWN)]
