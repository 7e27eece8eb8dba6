"""Small complete results bundles in memory: simulated patients and scores, taken through the real audit.

The people are invented; the tables are made by `lib.audit` and `lib.postprocessing`, so that what the report is tested
on has the shape, the nulls and the verdicts of a true bundle.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from made import AUDIT, kept, quick_audits

from lib.audit import Context, Population, answer
from lib.names import DEFAULTS, Attribute, attributes_as_json
from lib.pictures import mean_radiographs, mean_saliency, score_histograms
from lib.postprocessing import post_process
from lib.results import Results
from lib.study.catalogue import head_tables, placebo_floor, retraining_floor
from lib.study.odd_networks import WITHOUT, odd_networks
from lib.tables import TABLES

WEIGHTINGS = ("uniform", "inverse_class_frequency", "kamiran_calders_view")
POSTPROCESSINGS = (
    "fixed_0.5",
    "best_threshold",
    "minimax_threshold",
    "equal_tpr",
    "group_best_threshold",
    "equalized_odds",
    "calibrated_odds_weighted",
)
FEW = ("fixed_0.5", "group_best_threshold", "equalized_odds")
PREFERENCES = {"attribute": "view", "largest_loss": 0.05, "may_use_demographics": False}
EPOCHS = 4


@dataclass(frozen=True)
class Knobs:
    """What a simulated study is like. `effect` 0 makes a cohort in which nothing depends on any group."""

    effect: float = 1.0
    patients: int = 400
    seeds: int = 3
    weightings: tuple[str, ...] = WEIGHTINGS
    postprocessings: tuple[str, ...] = POSTPROCESSINGS
    rare: bool = False
    """No patient above 60 and a handful in AP: groups that cannot be estimated."""
    attributes: tuple[Attribute, ...] = tuple(DEFAULTS.values())
    seed: int = 0


NULL = Knobs(effect=0, postprocessings=FEW)


@cache
def bundle(knobs: Knobs = Knobs()) -> Results:
    """The results of a simulated study; made once for each set of knobs."""
    with quick_audits():
        return kept("bundle", knobs, (*AUDIT, Path(__file__)), lambda: _made(knobs))


def _made(knobs: Knobs) -> Results:
    draw = np.random.default_rng(knobs.seed)
    cohort = _cohort(draw, knobs)
    valid, train = (cohort.filter(split=split) for split in ("valid", "train"))
    scores = {weighting: _scores(draw, valid, weighting, knobs) for weighting in knobs.weightings}
    names = [attribute.name for attribute in knobs.attributes]
    people = Population.from_frame(valid, attributes=knobs.attributes)
    done = post_process(people, scores, knobs.postprocessings, names, refits=20)
    recorded = _heads(people, valid, scores) | {
        "checks": _checks(),
        "weights": _weights(train, knobs),
        "runs": _runs(draw, people, scores, knobs),
        "history": _history(draw, knobs),
        "thresholds": done.thresholds,
        "replaced_scores": done.replaced,
    }
    context = Context(
        people,
        valid,
        scores,
        done.decisions,
        naive=done.naive,
        as_group=done.as_group,
        deployed=done.deployed,
        folds=done.folds,
        embeddings=_embeddings(draw, valid, knobs),
        grey=_grey(draw, cohort, knobs),
        cohort=cohort,
        preferences=PREFERENCES | {"attribute": names[-1]},
    )
    tables = recorded | answer(context) | _pictures(cohort, valid, scores, recorded["runs"], knobs)
    # what no part of this fixture makes is there, and empty
    tables |= {name: pl.DataFrame(schema=schema) for name, schema in TABLES.items() if name not in tables}
    return Results(_manifest(cohort, knobs), {name: tables[name].select(*TABLES[name]) for name in TABLES})


def others_of(knobs: Knobs) -> list[Attribute]:
    """Attributes that are not those of the course; scores are higher in the first group of each."""
    return [own for own in knobs.attributes if own.name not in DEFAULTS]


def _cohort(draw: np.random.Generator, knobs: Knobs) -> pl.DataFrame:
    """Patients of one to four images, one label and view per image; a third of the patients are in `valid`."""
    count = knobs.patients
    patient = np.repeat(np.arange(count), draw.integers(1, 5, count))
    n = len(patient)
    age = np.clip(draw.normal(48, 17, count), 1, 59 if knobs.rare else 94)[patient]
    in_ap = 0.01 if knobs.rare else 0.4 + knobs.effect * 0.1 * (age > 60)
    view = np.where(draw.random(n) < in_ap, "AP", "PA")
    sick = draw.random(n) < 0.45 + knobs.effect * (0.2 * (view == "AP") - 0.05)
    others = {own.name: draw.choice(own.groups, count)[patient] for own in others_of(knobs)}
    return pl.DataFrame(
        {
            "split": np.where(patient < count // 3, "valid", "train"),
            "patient": patient,
            "label": sick.astype(int),
            "age": age,
            "sex": draw.choice(["F", "M"], count)[patient],
            "age_group": np.select([age < 40, age <= 60], ["<40", "40-60"], ">60"),
            "view": view,
        }
        | others
    )


def _scores(draw: np.random.Generator, valid: pl.DataFrame, weighting: str, knobs: Knobs) -> np.ndarray:
    """Chance of sick, (seeds, n): the sick score higher, and images in AP too, unless the weighting is by view."""
    shift = 0.0 if weighting == "kamiran_calders_view" else 1.2 * knobs.effect
    logits = 1.4 * (valid["label"].to_numpy() - 0.5) + shift * (valid["view"].to_numpy() == "AP") - shift / 2
    for own in others_of(knobs):
        logits = logits + 1.2 * knobs.effect * (valid[own.name].to_numpy() == own.groups[0])
    person = np.random.default_rng(1).normal(0, 0.7, valid["patient"].max() + 1)[valid["patient"].to_numpy()]
    return 1 / (1 + np.exp(-(logits + person + draw.normal(0, 0.5, (knobs.seeds, valid.height)))))


def _heads(people: Population, valid: pl.DataFrame, scores: dict) -> dict[str, pl.DataFrame]:
    """As re-trained heads the scores themselves, as placebos the uniform seeds."""
    base, *others = (own[None] for own in scores["uniform"])
    placebos = {f"placebo_{k}": own for k, own in enumerate(others)}
    floors = [
        retraining_floor(people, scores, smallest_cell=20),
        placebo_floor(people, base, placebos, smallest_cell=20),
    ]
    return {"noise_floor": pl.concat(floors)} | head_tables(people, valid, scores)


def _embeddings(draw: np.random.Generator, valid: pl.DataFrame, knobs: Knobs) -> dict[str, np.ndarray]:
    """Six features, (seeds, images, 6), of the baseline's networks: one knows the label, and where there is an effect one the view."""
    features = draw.normal(size=(knobs.seeds, valid.height, 6))
    features[..., 0] += valid["label"].to_numpy()
    features[..., 1] += 2 * knobs.effect * (valid["view"].to_numpy() == "AP")
    return {knobs.weightings[0]: features}


def _checks() -> pl.DataFrame:
    rows = [("age over 120 years", 2, "set to missing; the image is kept"), ("<unknown> view & sex", 0, "none found")]
    return pl.DataFrame(rows, schema=TABLES["checks"], orient="row")


def _grey(draw: np.random.Generator, cohort: pl.DataFrame, knobs: Knobs) -> dict[str, np.ndarray]:
    brighter = knobs.effect * 0.05 * (cohort["view"] == "AP").to_numpy()
    return {
        m: level + brighter + draw.normal(0, 0.02, cohort.height) for m, level in (("mean", 0.5), ("contrast", 0.22))
    }


def _weights(train: pl.DataFrame, knobs: Knobs) -> pl.DataFrame:
    rows = []
    for weighting in knobs.weightings:
        for attribute in knobs.attributes:
            for group in attribute.groups:
                for label in (0, 1):
                    images = train.filter(pl.col(attribute.name) == group, label=label).height
                    marked = weighting.endswith("view") and attribute.name == "view" and (group == "AP") == (label == 1)
                    weight = (0.6 if marked else 1.15) if weighting != "uniform" else 1.0
                    rows.append((weighting, attribute.name, group, label, images, weight if images else None))
    return pl.DataFrame(rows, schema=TABLES["weights"], orient="row")


def _runs(draw: np.random.Generator, people: Population, scores: dict, knobs: Knobs) -> pl.DataFrame:
    rows = []
    for weighting, networks in scores.items():
        share = {"uniform": 1.0, "kamiran_calders_view": 0.47}.get(weighting, 0.98)
        for seed, own in enumerate(networks, start=1):
            right = [np.mean((own >= 0.5)[people.labels == label] == label) for label in (0, 1)]
            sick, healthy = own[people.labels == 1], own[people.labels == 0]
            auc = float(np.mean(sick[:, None] > healthy))
            seconds = float(draw.uniform(50, 60))
            rows.append((weighting, seed, EPOCHS, 3, seconds, share, auc + 0.01, auc, float(np.mean(right))))
    return pl.DataFrame(rows, schema=TABLES["runs"], orient="row")


def _history(draw: np.random.Generator, knobs: Knobs) -> pl.DataFrame:
    rows = [
        (weighting, seed, epoch, 0.7 - 0.04 * epoch, 0.6 + 0.03 * epoch + float(draw.normal(0, 0.01)))
        for weighting in knobs.weightings
        for seed in range(1, knobs.seeds + 1)
        for epoch in range(1, EPOCHS + 1)
    ]
    return pl.DataFrame(rows, schema=TABLES["history"], orient="row")


def _pictures(
    cohort: pl.DataFrame, valid: pl.DataFrame, scores: dict, runs: pl.DataFrame, knobs: Knobs
) -> dict[str, pl.DataFrame]:
    """Pictures of 8 x 8 pixels of noise, and what is odd of the networks: nothing, as they are."""
    draw = np.random.default_rng(knobs.seed)
    names = [attribute.name for attribute in knobs.attributes]
    pixels = draw.integers(0, 256, (cohort.height, 8, 8), dtype=np.uint8)
    maps = draw.random((knobs.seeds, valid.height, 4, 4))
    facts = runs.with_columns(precision=pl.lit("32-true"), device=pl.lit("cpu")).to_dicts()
    own = scores["uniform"]
    return {
        "radiographs": mean_radiographs(cohort, pixels, names),
        "saliency": mean_saliency(valid, maps, own, names),
        "histograms": score_histograms(valid, scores, names),
        "odd_networks": odd_networks(facts),
        "without_failed": pl.DataFrame(schema=WITHOUT),
    }


def _manifest(cohort: pl.DataFrame, knobs: Knobs) -> dict:
    sizes = {"images": cohort.height, "patients": cohort["patient"].n_unique()}
    for split in ("train", "valid"):
        part = cohort.filter(split=split)
        sizes |= {f"{split}_images": part.height, f"{split}_patients": part["patient"].n_unique()}
    names = [attribute.name for attribute in knobs.attributes]
    training = {"seeds": list(range(1, knobs.seeds + 1)), "image_size": 64, "epochs": EPOCHS}
    training |= {"weights_act_by": "sampling", "initial_weights": "none", "batch_size": 32, "learning_rate": 0.0003}
    return {
        "cohort": {"name": "simulated", "source": "simulated patients", "key": "0" * 32, **sizes}
        | {"sick_share": float(cohort["label"].mean()), "unknown": dict.fromkeys(names, 0)},
        "attributes": attributes_as_json(knobs.attributes),
        "settings": {
            "training": training,
            "preferences": PREFERENCES | {"attribute": knobs.attributes[-1].name},
            "audit": {
                "margin": 0.05,
                "folds": 5,
                "smallest_cell": 20,
                "attributes": [attribute.name for attribute in knobs.attributes],
                "postprocessings": list(knobs.postprocessings),
            },
        },
        "made": "2026-01-01",
        "hardware": {
            "processor": "simulated",
            "cores": 2,
            "gpu": None,
            "trained_on": ["cpu"],
            "precision": ["32-true"],
        },
        "versions": {"python": "3.12", "polars": pl.__version__},
        "durations": {"training": 312.0, "audit": 8.5},
    }
