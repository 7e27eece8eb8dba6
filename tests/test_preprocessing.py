"""Weights do what their formula promises, and say which cell or name is at fault when they cannot."""

from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from lib.names import ATTRIBUTES, WEIGHTINGS
from lib.preprocessing import (
    WeightingError,
    effective_share,
    example_weights,
    inverse_class_frequency,
    kamiran_calders,
    names,
    uniform,
)


@st.composite
def labels_and_groups(draw, groups=("F", "M", None)):
    """Labels (n,) and groups (n,) in which every named group has both labels; None is unknown and may lack one."""
    named = [g for g in groups if g is not None]
    rows = [(label, group) for group in named for label in (0, 1)]
    rows += draw(st.lists(st.tuples(st.integers(0, 1), st.sampled_from(groups)), max_size=60))
    labels, chosen = zip(*draw(st.permutations(rows)), strict=True)
    return np.array(labels), np.array(chosen, dtype=object)


def weighted_rate(labels, weights, where):
    return np.average(labels[where], weights=weights[where])


@given(labels_and_groups(groups=("<40", "40-60", ">60")))
def test_weighted_label_is_independent_of_group(examples):
    labels, groups = examples
    weights = kamiran_calders(labels, groups)
    for group in ("<40", "40-60", ">60"):
        assert weighted_rate(labels, weights, groups == group) == approx(labels.mean())


@given(labels_and_groups())
def test_weighted_label_is_independent_of_group_beside_unknown_ones(examples):
    labels, groups = examples
    weights = kamiran_calders(labels, groups)
    rates = [weighted_rate(labels, weights, groups == group) for group in ("F", "M")]
    assert rates[0] == approx(rates[1])


@given(labels_and_groups(groups=("<40", "40-60", ">60")))
def test_groups_keep_their_size(examples):
    labels, groups = examples
    weights = kamiran_calders(labels, groups)
    for group in ("<40", "40-60", ">60"):
        assert weights[groups == group].sum() == approx((groups == group).sum())


def reweighing_of_aif360(labels, groups):
    """As AIF360's `Reweighing.fit_transform`, from its documentation: for each of the cells of (privileged or not) x
    (favourable or not), the weight is n_group * n_label / (n * n_cell), with sums of instance weights of 1 for n.
    """
    n, weights = len(labels), np.ones(len(labels))
    for privileged in (True, False):
        for favourable in (True, False):
            group, outcome = (groups == "M") == privileged, (labels == 0) == favourable
            weights[group & outcome] *= group.sum() * outcome.sum() / (n * (group & outcome).sum())
    return weights


@given(labels_and_groups(groups=("F", "M")))
def test_kamiran_calders_is_reweighing_as_aif360_computes_it(examples):
    labels, groups = examples
    assert kamiran_calders(labels, groups) == approx(reweighing_of_aif360(labels, groups))


def test_kamiran_calders_by_hand():
    labels, groups = np.array([1, 1, 1, 0, 1, 0, 0, 0]), np.array(list("FFFFMMMM"))
    assert kamiran_calders(labels, groups) == approx([2 / 3, 2 / 3, 2 / 3, 2, 2, 2 / 3, 2 / 3, 2 / 3])


def test_unknown_groups_weigh_one_beside_the_others_when_they_lack_a_label():
    labels = np.array([1, 0, 1, 0, 1, 1])
    weights = kamiran_calders(labels, np.array(["F", "F", "M", "M", None, None], dtype=object))
    assert weights[4] == weights[5] and np.isfinite(weights).all()
    assert weights.mean() == approx(1)


@given(labels_and_groups())
def test_every_weighting_has_mean_one_and_is_positive(examples):
    labels, groups = examples
    for weights in (uniform(labels), inverse_class_frequency(labels), kamiran_calders(labels, groups)):
        assert weights.mean() == approx(1)
        assert (weights > 0).all() and weights.shape == labels.shape


@given(labels_and_groups())
def test_inverse_class_frequency_gives_both_classes_the_same_total(examples):
    labels, groups = examples
    weights = inverse_class_frequency(labels)
    assert weights[labels == 1].sum() == approx(weights[labels == 0].sum())
    assert weights == approx([len(labels) / (2 * Counter(labels)[label]) for label in labels])


@given(labels_and_groups(groups=("F", "M")))
def test_independent_groups_change_nothing(examples):
    labels, groups = examples
    doubled = np.concatenate([labels, labels])
    assert kamiran_calders(doubled, np.repeat(["F", "M"], len(labels))) == approx(1)


@given(labels_and_groups(), st.sampled_from(["F", "M"]), st.sampled_from([0, 1]))
def test_an_empty_cell_is_named(examples, group, label):
    labels, groups = examples
    keep = ~((groups == group) & (labels == label))
    message = f"^group '{group}' has no training image of class {label}; each needs some.$"
    with pytest.raises(WeightingError, match=message):
        kamiran_calders(labels[keep], groups[keep])


@pytest.mark.parametrize("label", [0, 1])
def test_an_absent_class_is_named(label):
    with pytest.raises(WeightingError, match=f"^class {1 - label} has no training image; both 0 and 1 need some.$"):
        inverse_class_frequency(np.full(5, label))


@given(st.lists(st.just(0.0) | st.floats(1e-3, 1e6), min_size=1, max_size=50).filter(any))
def test_effective_share_lies_between_one_example_and_all(weights):
    weights = np.array(weights)
    assert 1 / len(weights) - 1e-9 <= effective_share(weights) <= 1 + 1e-9


def test_effective_share_of_equal_weights_and_of_a_few():
    assert effective_share(np.full(7, 0.3)) == approx(1)
    assert effective_share(np.array([5.0, 0, 0, 0, 0])) == approx(1 / 5)
    assert effective_share(np.repeat([1.0, 3.0], 50)) == approx(16 / 20)


def train_frame(**columns) -> pl.DataFrame:
    known = {"label": [0, 1, 0, 1, 0, 1], "sex": list("FFMMFM"), "view": ["AP", "AP", "PA", "PA", "AP", "AP"]}
    known["age_group"] = ["<40", "<40", "40-60", "40-60", ">60", ">60"]
    return pl.DataFrame(known | columns, schema_overrides={"label": pl.Int8, "sex": pl.String})


def test_every_weighting_has_a_name_and_a_label():
    assert names() == list(WEIGHTINGS)
    assert set(names()) > {f"kamiran_calders_{attribute}" for attribute in ATTRIBUTES}


@pytest.mark.parametrize("name", names())
def test_weightings_by_name_are_the_functions(name):
    train = train_frame()
    labels = train["label"].to_numpy().astype(int)
    attribute = name.removeprefix("kamiran_calders_")
    expected = {
        "uniform": lambda: uniform(labels),
        "inverse_class_frequency": lambda: inverse_class_frequency(labels),
    }.get(name, lambda: kamiran_calders(labels, train[attribute].to_numpy()))
    assert example_weights(name, train) == approx(expected())


def test_unknown_attributes_are_allowed():
    weights = example_weights("kamiran_calders_sex", train_frame(sex=["F", "F", "M", "M", None, None]))
    assert weights.mean() == approx(1)


def test_an_unknown_name_is_told_with_the_allowed_ones():
    with pytest.raises(WeightingError, match="^Weighting 'lucky' is unknown; allowed are uniform, .*_view.$"):
        example_weights("lucky", train_frame())


def test_an_empty_cell_is_told_with_weighting_attribute_and_group():
    message = "^Weighting kamiran_calders_sex, attribute sex: group 'M' has no training image of class 0; "
    with pytest.raises(WeightingError, match=message):
        example_weights("kamiran_calders_sex", train_frame(sex=["F", "F", "F", "M", "F", "M"]))
