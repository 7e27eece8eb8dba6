"""Probes find what features hold, and nothing where they hold nothing, however folds fall."""

from dataclasses import replace

import numpy as np

from lib.audit.questions import QUESTIONS
from tests.worlds import context


def read(features, world):
    table = QUESTIONS["probes"].answer(replace(world, embeddings={"uniform": features}))
    return {row["attribute"]: row for row in table.filter(group="all").to_dicts()}


def test_what_is_in_the_features_is_read_and_nothing_else():
    world = context(patients=150)
    draw = np.random.default_rng(2)
    features = draw.normal(size=(2, world.population.n_images, 3))
    features[..., 0] += 6 * world.population.groups["sex"]
    found = read(features, world)
    assert found["sex"]["estimate"] > 0.98 and found["sex"]["high"] <= 1
    assert found["label"]["low"] < 0.5 < found["label"]["high"]


def test_features_that_tell_every_image_apart_alike_are_not_pushed_to_a_half():
    """An AUC over the folds together would lack what folds with more of a group lose: here .02."""
    world = context(patients=60)
    sick = world.population.labels[None, :, None] == 1
    found = read(np.where(sick, 1.0, -1.0) * np.ones((1, 1, 2)), world)
    assert found["label"]["estimate"] == 1 and found["label"]["high"] == 1 and found["label"]["low"] < 1
