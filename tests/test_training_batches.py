"""Patients are on one side of the partition; batches visit rows as often as their weights say, in a repeatable order."""

from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.cohort import read_cohort
from lib.training.batches import Rows, WeightedBatches, findings_of, fit_and_tune, in_order


def visits(sampler: WeightedBatches) -> Counter:
    return Counter(row for batch in sampler for row in batch)


@pytest.fixture(scope="module")
def train(tiny_cohort) -> pl.DataFrame:
    return read_cohort(tiny_cohort).frame.filter(split="train")


@given(st.integers(0, 10_000), st.floats(0.3, 0.7))
def test_no_patient_is_in_fit_and_in_tune(train, seed, share):
    fit, tune = fit_and_tune(train, share, seed)
    assert sorted([*fit, *tune]) == list(range(train.height))
    assert set(train["patient"][fit]).isdisjoint(train["patient"][tune])
    assert train["patient"][tune].n_unique() == round(share * train["patient"].n_unique())


def test_the_partition_depends_on_the_seed_alone(train):
    first, again, other = (fit_and_tune(train, 0.2, seed)[1] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_part_that_lacks_a_class_is_named():
    rows = pl.DataFrame({"patient": ["a", "b", "c", "d"], "label": [0, 0, 0, 1]})
    with pytest.raises(ValueError, match=r"^the (fit|tune) part of the training patients lacks a class; "):
        fit_and_tune(rows, 0.25, 0)


@given(st.integers(1, 200), st.integers(2, 40), st.integers(0, 1000), st.floats(0.01, 100))
def test_equal_weights_visit_every_row_once_but_for_the_last_partial_batch(n, batch_size, seed, weight):
    rows = np.arange(1000, 1000 + n)
    seen = visits(WeightedBatches(rows, np.full(n, weight), batch_size, seed))
    assert set(seen) <= set(rows) and set(seen.values()) == {1}
    assert len(seen) == (n - n % batch_size if n >= batch_size else n)


@given(st.integers(1, 100), st.integers(2, 40), st.integers(0, 1000))
def test_every_batch_is_full_and_as_many_as_announced(n, batch_size, seed):
    sampler = WeightedBatches(np.arange(n), np.random.default_rng(seed).random(n) + 0.01, batch_size, seed)
    sizes = [len(batch) for batch in sampler]
    assert len(sizes) == len(sampler)
    assert set(sizes) == {min(n, batch_size)}


@given(st.integers(0, 1000))
def test_double_weight_is_drawn_twice_as_often(seed):
    rows = np.arange(96)
    weights = np.where(rows < 32, 2.0, 1.0) * 96 / 128  # 1.5 and 0.75 visits an epoch
    sampler, total = WeightedBatches(rows, weights, 8, seed), Counter()
    for epoch in range(12):
        sampler.set_epoch(epoch)
        seen = visits(sampler)
        assert {seen[row] for row in range(32)} <= {1, 2}
        assert {seen[row] for row in range(32, 96)} <= {0, 1}
        total += seen
    heavy, light = sum(total[row] for row in range(32)), sum(total[row] for row in range(32, 96))
    assert heavy + light == 12 * 96
    assert heavy / light == pytest.approx(1, abs=0.15)  # half as many rows, each of double weight


def test_a_row_of_weight_zero_is_never_drawn():
    seen = visits(WeightedBatches(np.arange(40), np.repeat([0.0, 2.0], 20), 8, 3))
    assert set(seen) == set(range(20, 40))


def test_the_order_depends_on_seed_and_epoch_alone():
    def order(seed, epoch, before=()):
        sampler = WeightedBatches(np.arange(60), np.ones(60), 10, seed)
        for earlier in before:
            sampler.set_epoch(earlier)
            list(sampler)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(1, 2) == order(1, 2, before=(0, 1))
    assert order(1, 2) != order(1, 3)
    assert order(1, 2) != order(2, 2)


def test_rows_are_images_labels_findings_and_weights_with_shapes():
    pixels = np.arange(5 * 4 * 4, dtype=np.uint8).reshape(5, 4, 4)
    data = Rows(pixels, np.array([0, 1, 0, 1, 0]), np.eye(5), np.arange(5.0))
    images, labels, findings, weights = data[[3, 1]]
    assert images.shape == (2, 1, 4, 4) and images.numpy().dtype == np.uint8
    assert np.array_equal(images[:, 0], pixels[[3, 1]])
    assert labels.tolist() == [1, 1] and weights.tolist() == [3, 1]
    assert np.array_equal(findings, np.eye(5)[[3, 1]])


def test_findings_are_those_of_the_sick_alone():
    frame = pl.DataFrame(
        {
            "split": ["train", "train", "train", "valid"],
            "label": [1, 1, 0, 1],
            "findings": ["Mass|Edema", "Edema|Old", "Old", "Mass|Hernia"],
        }
    )
    assert findings_of(frame).tolist() == [[1, 1], [1, 0], [0, 0], [0, 1]]  # Edema, Mass
    assert findings_of(frame.drop("findings")).shape == (4, 0)
    assert findings_of(frame.with_columns(findings=pl.lit(None, pl.String))).shape == (4, 0)


@given(st.integers(1, 50), st.integers(1, 20))
def test_prediction_sees_every_row_once_in_order(n, batch_size):
    rows = np.random.default_rng(n).permutation(n)
    data = Rows(np.zeros((n, 2, 2), np.uint8), np.arange(n), np.zeros((n, 0)), np.ones(n))
    assert [int(label) for _, labels, *_ in in_order(data, rows, batch_size) for label in labels] == rows.tolist()
