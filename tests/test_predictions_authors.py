"""Files as their authors leave them: read rightly, or asked about in one sentence."""

import numpy as np
import polars as pl
import pytest
from tables import given, people, same, scored, write

from lib.predictions import PredictionError
from lib.predictions.prepared import prepared
from lib.predictions.question import Request

META = people()
PREDS = scored(META)
SICK = (META["Finding Labels"] != "No Finding").to_numpy().astype(int)
SCORE = PREDS["score"].to_numpy()
LOGIT = np.log(SCORE / (1 - SCORE))


@pytest.fixture
def right(tmp_path):
    return given(tmp_path / "right", PREDS, META)


def read(tmp_path, text: str, name: str = "preds.csv"):
    (tmp_path / name).write_text(text)
    return prepared(Request([tmp_path / name], write(tmp_path / "m.csv", META)))


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ('"image" "score"', '"{n}" "{image}" {score}'),
        ('"image";"score"', '"{n}";"{image}";{score}'),
        ('"score"', '"{image}" {score}'),
        ("image score", "{image} {score}"),
        ("# by hand, 2024\nimage,score", "{image},{score}"),
        ("image,score", "{image},[{score}]"),
        ("image,score", "{image},\"tensor({score}, device='cuda:0')\""),
        ("image,score,", "{image},{score},,"),
    ],
    ids=["R", "R, semicolons", "R, names of rows", "spaces", "remark", "array", "tensor", "empty columns"],
)
def test_tables_of_r_and_of_others(tmp_path, right, head, line):
    lines = (line.format(n=3 * k + 1, image=image, score=score) for k, (image, score) in enumerate(PREDS.rows()))
    text = "\n".join([head, *lines]) + "\n"
    if head == '"score"':
        text = text.replace('"score"', '"score" "x"', 1).replace("\n", " 0\n").replace('"x" 0', '"x"', 1)
    assert same(read(tmp_path, text), right)


def test_the_index_of_a_frame_may_name_the_images_and_empty_rows_may_follow(tmp_path, right):
    text = PREDS.rename({"image": ""}).write_csv() + ",\n,\n"
    assert same(read(tmp_path, text), right)


@pytest.mark.parametrize(
    ("column", "values", "note"),
    [("logit", LOGIT, "logits"), ("score", LOGIT, "logits"), ("score", 100 * SCORE, "percent")],
)
def test_logits_and_percent(tmp_path, right, column, values, note):
    found = given(tmp_path, PREDS.select("image", pl.Series(values).alias(column)), META)
    assert np.allclose(found.scores["uniform"], right.scores["uniform"])
    assert any(note in told for told in found.notices)


def test_one_value_that_is_no_chance_is_no_logit(tmp_path):
    wrong = PREDS.with_columns(score=pl.when(pl.int_range(pl.len()) == 3).then(-0.2).otherwise("score"))
    with pytest.raises(PredictionError, match="allowed is 0 to 1"):
        given(tmp_path, wrong, META)


def test_classes_are_counted_as_the_truth_of_the_file_counts_them(tmp_path, right):
    both = PREDS.select("image", proba_0=1 - pl.col("score"), proba_1="score", y=pl.Series(SICK))
    assert same(given(tmp_path, both, META), right)
    decided = PREDS.select("image", prediction=(pl.col("score") >= 0.5).cast(int), label=pl.Series(SICK))
    assert (given(tmp_path, decided, META).decisions["uniform"] == right.decisions["uniform"]).all()


def test_the_column_that_is_named_is_that_of_sick(tmp_path, right):
    both = PREDS.select("image", proba_0=1 - pl.col("score"), proba_1="score")
    assert same(given(tmp_path, both, META, score=("proba_1",)), right)


def test_a_chance_of_healthy_is_asked_about_and_turned(tmp_path, right):
    healthy = PREDS.select("image", p_normal=1 - pl.col("score"))
    with pytest.raises(PredictionError, match="as in --score 1-p_normal"):
        given(tmp_path, healthy, META)
    assert np.allclose(
        given(tmp_path, healthy, META, score=("1-p_normal",)).scores["uniform"],
        right.scores["uniform"],
    )


def test_decisions_beside_what_may_be_scores(tmp_path):
    decided = PREDS.select(
        "image", preds=pl.when(pl.col("score") >= 0.5).then(pl.lit("malade")).otherwise(pl.lit("sain"))
    )
    found = given(tmp_path, decided.with_columns(pl.Series("chance malade", SCORE)), META)
    assert any('might be scores: name one, as in --score "chance malade"' in note for note in found.notices)


def test_rows_of_several_methods_or_networks(tmp_path):
    frames = [
        PREDS.with_columns(pl.lit(name).alias("model"), pl.col("score") * k) for k, name in ((1, "a"), (0.9, "b"))
    ]
    assert list(given(tmp_path, pl.concat(frames), META).methods.values()) == ["a", "b"]
    seeds = pl.concat(frames).with_columns(seed=pl.col("model").replace({"a": "1", "b": "2"})).drop("model")
    assert given(tmp_path, seeds, META).scores["uniform"].shape == (2, META.height)


def test_a_cell_of_megabytes_is_not_told_whole(tmp_path):
    wrong = PREDS.with_columns(pl.col("score").cast(pl.String)).with_columns(
        score=pl.when(pl.int_range(pl.len()) == 3).then(pl.lit("x" * 3_000_000)).otherwise("score")
    )
    with pytest.raises(PredictionError, match="column 'score', row 5") as error:
        given(tmp_path, wrong, META)
    assert len(str(error.value)) < 2000


def test_who_is_in_no_group_is_counted(tmp_path):
    meta = META.with_columns(
        pl.when(pl.int_range(pl.len()) < 4).then(pl.lit("X")).otherwise("Patient Gender").alias("Patient Gender")
    )
    assert "Unknown, and in no group: sex of 4 images." in given(tmp_path, PREDS, meta).notices
