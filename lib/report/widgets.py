"""What a reader moves on a page: the cut-off of each group, and the combination that is looked at. `chapters/widgets.html` draws them."""

from typing import Any

from lib.names import BASELINE, SHOWN
from lib.report.facts import moving
from lib.report.facts.moving import Cell
from lib.report.registry import Material, widget
from lib.report.theme import CELLS, group_look

SCALE = 1000
"""Shares are written as whole thousandths: a tenth of a point is all that is shown."""
LEAST = 100
"""Reach of the shades, in thousandths: differences smaller than this never look large."""


@widget(moving.sliding)
def slider(material: Material) -> dict[str, Any]:
    """A cut-off for each group, histograms of scores to count by, and the published rules as marks."""
    d, told = material["d"], material.language
    return {
        "words": _words(
            material,
            (
                "cut",
                "found",
                "missed",
                "alarms",
                "alarmed",
                "balanced",
                "everyone",
                "apart",
                "rule",
                "own",
                "now",
                "bars",
                "note",
            ),
        ),
        "locale": told.code,
        "groups": [
            {
                "name": told.group(own.group, d.attribute),
                "label": str(material("slide", group=own.group)),
                "colour": group_look(d.attribute.name, own.group).colour,
                "people": [round(n, 1) for n in material["people"][own.group]],
                "sick": [[bar.start, bar.end, round(bar.share, 5)] for bar in own.sick],
                "healthy": [[bar.start, bar.end, round(bar.share, 5)] for bar in own.healthy],
            }
            for own in material["groups"]
        ],
        "rules": [
            {
                "name": told.sentence(told.rule(rule.name, rule.target)),
                "cuts": [round(cuts[own.group], 3) for own in material["groups"]],
            }
            for rule, cuts in material["rules"].items()
        ],
    }


@widget(moving.combinations)
def explorer(material: Material) -> dict[str, Any]:
    """A selector of attribute and figure over all combinations of weighting and post-processing."""
    told, tables = material.language, material["tables"]
    attributes = material.study.attributes
    return {
        "words": _words(
            material,
            (
                "attribute",
                "figure",
                "shown",
                "level",
                "change",
                "region",
                "missing",
                "short",
                "cell",
                "moved",
                "legend",
            ),
        ),
        "locale": told.code,
        "start": list(tables).index(material["d"].attribute.name),
        "shades": CELLS,
        "least": LEAST,
        "weightings": [told.weighting(name) for name in material["weightings"]],
        "attributes": [
            {
                "label": told.attribute(attributes[name]),
                "rows": [told.rule(rule.name, rule.target) for rule in own["rules"]],
                "baseline": [
                    next((k for k, rule in enumerate(own["rules"]) if rule.name == BASELINE[1]), -1),
                    material["weightings"].index(BASELINE[0]) if BASELINE[0] in material["weightings"] else -1,
                ],
                "figures": [
                    {
                        "label": str(material("outcome", o=outcome)),
                        "gap": outcome.attribute is not None,
                        "cells": _cells(material, own, cells),
                    }
                    for outcome, cells in own["cells"].items()
                ],
            }
            for name, own in tables.items()
        ],
    }


def _words(material: Material, blocks: tuple[str, ...]) -> dict[str, str]:
    return {name: str(material(name)) for name in blocks}


def _cells(material: Material, own: dict, cells: dict) -> list[list[list[Any]]]:
    """By row and column: value, its bounds, the change against the baseline, its bounds, the verdict in words, and whether it is shown."""
    none = Cell(*(None,) * 8)
    found = []
    for rule in own["rules"]:
        target = rule.target.name if rule.target else BASELINE[2]
        line = [cells.get((weighting, rule.name, target), none) for weighting in material["weightings"]]
        found.append([_cell(material, cell) for cell in line])
    return found


def _cell(material: Material, cell: Cell) -> list[Any]:
    numbers = [cell.value, cell.low, cell.high, cell.change, cell.change_low, cell.change_high]
    said = " ".join(material.language.verdict(word) for word in (cell.outcome, cell.verdict) if word)
    return [None if n is None else round(SCALE * n) for n in numbers] + [said, int(cell.verdict == SHOWN)]
