"""Patients who are in two groups are their own controls: what stays with the patient makes no difference within one."""

import numpy as np
import polars as pl
import pytest

from lib.audit.context import Context
from lib.audit.inference import Population
from lib.audit.questions import QUESTIONS, within_patient
from lib.names import BASELINE, Attribute

ROOM = Attribute("room", "room", ("bed", "stand"), "stand", False)
WARD = Attribute("ward", "ward", ("near", "far"), "far", True)


def made(patients: int, added: float, seed: int = 0, images: int = 4, networks: int = 1) -> Context:
    """Scores follow a trait of the patient, as does the room; images in bed have `added` on top of it."""
    draw = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), images)
    trait = draw.random(patients)[patient]
    bed = draw.random(len(patient)) < 0.1 + 0.8 * trait
    scores = 0.2 + 0.5 * trait + added * bed + draw.normal(0, 0.05, (networks, len(patient)))
    people = pl.DataFrame(
        {
            "patient": patient,
            "label": draw.integers(0, 2, len(patient)),
            "room": np.where(bed, "bed", "stand"),
            "ward": np.where(patient % 2, "near", "far"),
        }
    )
    population = Population.from_frame(people, attributes=[ROOM, WARD])
    return Context(population, people, {"uniform": scores}, {BASELINE: (scores >= 0.5) * 1.0})


def answered(context: Context) -> pl.DataFrame:
    return QUESTIONS[within_patient.name].answer(context)


def test_what_stays_with_the_patient_is_taken_out():
    context = made(1500, added=0.1)
    scores, bed = context.scores["uniform"].mean(axis=0), (context.people["room"] == "bed").to_numpy()
    assert scores[bed].mean() - scores[~bed].mean() > 0.2  # between patients, the trait is in it
    table = answered(context).filter(metric="score")
    assert set(table["attribute"]) == {"room"}  # nobody is in two wards
    assert table["estimate"].to_list() == pytest.approx([0.1, 0.1], abs=0.01)


def test_intervals_hold_and_say_how_many_patients_they_rest_on():
    held = []
    for seed in range(40):
        context = made(150, added=0.05, seed=seed)
        table = answered(context).filter(metric="score")
        held += ((table["low"] <= 0.05) & (table["high"] >= 0.05)).to_list()
    assert 0.85 < np.mean(held) < 1
    healthy = context.people.filter(label=0).group_by("patient").agg(pl.col("room").n_unique())
    assert table.filter(label=0)["patients"].item() == (healthy["room"] == 2).sum()


def test_few_patients_are_told_nothing_about():
    assert answered(made(15, added=0.1))["estimate"].null_count() == 4
