"""Results that a board might be shown: worlds in which it is known what is wrong, with the tables that the decision page needs."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import worlds
from made import AUDIT, kept, quick_audits

from lib.audit import Context, answer
from lib.names import BASELINE, DEFAULTS, attributes_as_json
from lib.pictures import mean_radiographs, mean_saliency, score_histograms
from lib.postprocessing import post_process
from lib.results import Results, load

TABLES = (
    "metrics",
    "gaps",
    "effects",
    "recommendation",
    "chosen_anew",
    "gap_parts",
    "gap_by_findings",
    "equal_rates",
    "label_errors",
    "label_mixture",
    "operating_points",
    "composition",
    "interval_levels",
)
MADE_FROM = (*AUDIT, Path(__file__), Path(worlds.__file__))
UNTOLD = {"weights_act_by": "sampling", "initial_weights": "none"}
RULES = ("fixed_0.5", "equal_tpr")
WEIGHTINGS = ("uniform", "group_balanced")
WARDS = {"ward": worlds.attribute("ward", 3), "scanner": worlds.attribute("scanner", 2, False)}


def _separated(by: float):
    """Scores that tell sick from healthy by so many standard deviations, and depend on no group."""
    return lambda labels: (
        1 / (1 + np.exp(-by * (labels - 0.5) - np.random.default_rng(2).normal(size=(2, len(labels)))))
    )


WORLDS = {
    "biased": {"effect": 2.0},
    "null": {"effect": 0.0},
    "one attribute": {"effect": 2.0, "attributes": {"sex": DEFAULTS["sex"]}},
    "other attributes": {"effect": 2.0, "attributes": WARDS},
    "strong": {"scored": _separated(2.4)},
    "useless": {"scored": _separated(0.0)},
    "inverted": {"scored": _separated(-1.0)},
    "one network": {"effect": 2.0, "networks": 1},
    "levelling down": {"effect": 2.0, "networks": 5},
    "few": {"effect": 2.0, "patients": 40},
    "no methods": {"effect": 2.0, "weightings": ("uniform",)},
}


@cache
def published(cohort: str = "nih") -> Results:
    """A committed bundle, read once."""
    return load(cohort)


@cache
def board(name: str) -> Results:
    """The results of a world by its name in `WORLDS`."""
    with quick_audits():
        return kept("board", name, MADE_FROM, lambda: _board(name))


def _board(name: str) -> Results:
    own = {"patients": 500, "weightings": WEIGHTINGS} | WORLDS[name]
    context = worlds.context(**own)
    if name == "levelling down":
        context = _levelled_down(context)
    attributes = context.population.attributes
    preferences = {"attribute": next(iter(attributes)), "largest_loss": 0.05, "may_use_demographics": True}
    if name != "no methods":
        done = post_process(context.population, context.scores, RULES, list(attributes))
        context = replace(context, decisions=done.decisions, folds=done.folds)
    tables = answer(replace(context, preferences=preferences), only=list(TABLES))
    return Results(_manifest(context, preferences), {table: tables[table] for table in TABLES})


def _levelled_down(context: Context) -> Context:
    """The weighting closes the gap by finding fewer of the sick of the group that is better off, and gains nobody anything."""
    own = context.scores["uniform"].copy()
    first = next(iter(context.population.attributes.values()))
    favoured = (context.people[first.name] == first.groups[0]).to_numpy()
    lowered = np.where(favoured & (context.population.labels == 1), own * 0.6, own)
    scores = {"uniform": own, WEIGHTINGS[1]: lowered}
    return replace(context, scores=scores, decisions={(w, *BASELINE[1:]): (s >= 0.5) * 1.0 for w, s in scores.items()})


def _manifest(context: Context, preferences: dict) -> dict:
    people = context.population
    return {
        "cohort": {
            "source": "simulated patients",
            "images": people.n_images,
            "patients": people.n_patients,
            "valid_patients": people.n_patients,
            "valid_images": people.n_images,
        },
        "attributes": attributes_as_json(people.attributes.values()),
        "settings": {
            "training": {"seeds": list(range(len(context.scores["uniform"]))), "image_size": 64, "epochs": 1} | UNTOLD,
            "preferences": preferences,
            "audit": {"margin": context.margin, "smallest_cell": context.smallest_cell},
        },
    }


@cache
def pictured(name: str) -> Results:
    """The same with the tables of pictures: the pixels are noise, brighter at the left in the first group."""
    with quick_audits():
        return kept("pictured", name, MADE_FROM, lambda: _pictured(name))


def _pictured(name: str) -> Results:
    own = {"patients": 500, "weightings": WEIGHTINGS} | WORLDS[name]
    context = worlds.context(**own)
    draw, names = np.random.default_rng(3), list(context.population.attributes)
    first = next(iter(context.population.attributes.values()))
    pixels = draw.integers(60, 160, (context.population.n_images, 32, 32)).astype(np.uint8)
    pixels[(context.people[first.name] == first.groups[0]).to_numpy(), :, :16] += 40
    networks = len(context.scores["uniform"])
    maps = draw.random((networks, context.population.n_images, 4, 4))
    made = board(name)
    pictures = {
        "radiographs": mean_radiographs(context.people, pixels, names),
        "saliency": mean_saliency(context.people, maps, context.scores["uniform"], names),
        "histograms": score_histograms(context.people, context.scores, names),
        "misses_by_finding": answer(context, only=["misses_by_finding"])["misses_by_finding"],
    }
    return Results(made.manifest, made.tables | pictures)
