"""The examples of `CONTRIBUTING.md` are what they say: they run as they are written."""

import re
import shutil
import textwrap

import numpy as np
import polars as pl
import pytest
from conftest import ROOT

from lib.audit.metrics.rates import COMBINED, RATES
from lib.audit.questions import Question
from lib.postprocessing import Sample
from lib.preprocessing import weightings
from lib.report import registry
from lib.report.words.language import HERE, Language
from lib.report.words.templates import tell
from lib.results import Results
from lib.tabular import parse_attribute
from tests.worlds import context

SECTIONS = dict(
    re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
)


def example(section: str, place: int = 0) -> str:
    """An indented block of a section."""
    blocks = re.findall(r"(?:^ {7}.*\n(?:\n+(?= {7}))?)+", SECTIONS[section], re.MULTILINE)
    return textwrap.dedent(blocks[place])


def test_the_weighting_weighs():
    names = dict(vars(weightings))
    exec(example("A weighting"), names)
    weights = names["square_root_frequency"](weightings.Examples(np.array([1, 0, 0, 0, 0])))
    assert weights.mean() == pytest.approx(1) and weights[0] / weights[1] == pytest.approx(2)


def test_the_post_processing_calls_half_of_each_group_sick():
    names: dict = {}
    exec(example("A post-processing"), names)
    draw = np.random.default_rng(0)
    groups = np.repeat([0, 1], 200)
    own = Sample(draw.random(400) + groups, draw.integers(0, 2, 400), np.arange(400), groups)
    called = names["group_median"](own, 20).decide(own.scores, own.groups)
    assert [called[groups == g].mean() for g in (0, 1)] == pytest.approx([0.5, 0.5], abs=0.01)


def test_the_metric_is_one():
    ((name, better),) = eval("{" + example("A metric") + "}").items()
    about, combined = (
        eval("{" + re.sub(r" {4,}in .*", "", line) + "}") for line in example("A metric", 1).splitlines()
    )
    assert about.keys() == combined.keys() == {name} and better in (1, -1, 0)
    assert set(combined[name][0]) <= set(RATES) - COMBINED.keys()


def test_the_attribute_is_read():
    written = re.search(r'"(smoker:[^"]+)"', SECTIONS["An attribute"])[1]
    spec = parse_attribute(written)
    assert (spec.key, spec.column, spec.reference) == ("smoker", "Smoker", "no")


def answered() -> pl.DataFrame:
    names: dict = {}
    exec(example("A question"), names)
    question = Question(**{key: names[key] for key in ("name", "schema", "compute")}, needs=(), reads=(), asks="")
    assert names["name"] == "images_per_patient"
    return question.answer(context(patients=40))


def test_the_question_is_answered_and_the_sentence_told(monkeypatch, tmp_path):
    monkeypatch.setattr(registry, "SENTENCES", dict(registry.SENTENCES))
    exec(example("A computed sentence"), {})
    shutil.copytree(HERE / "en", tmp_path / "en")
    (tmp_path / "en" / "images.md.j2").write_text(example("A computed sentence", 1), "utf-8")
    words = Language("en", tmp_path, overrides=tmp_path / "none")
    table = answered()
    for tables, told in (
        ({"images_per_patient": table}, f"Nobody has more than {table['images'].max()} images."),
        ({}, "How many images a patient has is not known."),
    ):
        facts = registry.SENTENCES["images"](Results({}, tables))
        assert tell(words, "images", "most", **facts) == told
