"""Weights do what their formula promises, and say which cell or name is at fault when they cannot."""

from collections import Counter
from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from lib.names import DEFAULTS, GROUPINGS, WEIGHTINGS, is_weighting
from lib.preprocessing import (
    WeightingError,
    catalogue,
    effective_share,
    equivalents,
    example_weights,
    names,
)
from lib.preprocessing.weightings import (
    LABELS,
    Examples,
    effective_number,
    group_balanced,
    group_label_balanced,
    group_label_balanced_sqrt,
    inverse_class_frequency,
    kamiran_calders,
    median_frequency,
    patient_balanced,
    placebo,
    times,
    uniform,
)
from lib.preprocessing.weightings import (
    given as as_given,
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
    weights = kamiran_calders(Examples(labels, groups))
    for group in ("<40", "40-60", ">60"):
        assert weighted_rate(labels, weights, groups == group) == approx(labels.mean())


@given(labels_and_groups())
def test_weighted_label_is_independent_of_group_beside_unknown_ones(examples):
    labels, groups = examples
    weights = kamiran_calders(Examples(labels, groups))
    rates = [weighted_rate(labels, weights, groups == group) for group in ("F", "M")]
    assert rates[0] == approx(rates[1])


@given(labels_and_groups(groups=("<40", "40-60", ">60")))
def test_groups_keep_their_size(examples):
    labels, groups = examples
    weights = kamiran_calders(Examples(labels, groups))
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
    assert kamiran_calders(Examples(labels, groups)) == approx(reweighing_of_aif360(labels, groups))


def test_kamiran_calders_by_hand():
    labels, groups = np.array([1, 1, 1, 0, 1, 0, 0, 0]), np.array(list("FFFFMMMM"))
    assert kamiran_calders(Examples(labels, groups)) == approx([2 / 3, 2 / 3, 2 / 3, 2, 2, 2 / 3, 2 / 3, 2 / 3])


def test_unknown_groups_weigh_one_beside_the_others_when_they_lack_a_label():
    labels = np.array([1, 0, 1, 0, 1, 1])
    weights = kamiran_calders(Examples(labels, np.array(["F", "F", "M", "M", None, None], dtype=object)))
    assert weights[4] == weights[5] and np.isfinite(weights).all()
    assert weights.mean() == approx(1)


@given(labels_and_groups())
def test_every_weighting_has_mean_one_and_is_positive(examples):
    labels, groups = examples
    for weights in (
        uniform(Examples(labels)),
        inverse_class_frequency(Examples(labels)),
        kamiran_calders(Examples(labels, groups)),
    ):
        assert weights.mean() == approx(1)
        assert (weights > 0).all() and weights.shape == labels.shape


@given(labels_and_groups())
def test_inverse_class_frequency_gives_both_classes_the_same_total(examples):
    labels, groups = examples
    weights = inverse_class_frequency(Examples(labels))
    assert weights[labels == 1].sum() == approx(weights[labels == 0].sum())
    assert weights == approx([len(labels) / (2 * Counter(labels)[label]) for label in labels])


@given(labels_and_groups(groups=("F", "M")))
def test_independent_groups_change_nothing(examples):
    labels, groups = examples
    doubled = np.concatenate([labels, labels])
    assert kamiran_calders(Examples(doubled, np.repeat(["F", "M"], len(labels)))) == approx(1)


@given(labels_and_groups(), st.sampled_from(["F", "M"]), st.sampled_from([0, 1]))
def test_an_empty_cell_is_named(examples, group, label):
    labels, groups = examples
    keep = ~((groups == group) & (labels == label))
    message = f"^no training image of the group '{group}' is {LABELS[label]}; "
    with pytest.raises(WeightingError, match=message):
        kamiran_calders(Examples(labels[keep], groups[keep]))


@pytest.mark.parametrize("label", [0, 1])
def test_an_absent_class_is_named(label):
    with pytest.raises(WeightingError, match=f"^no training image is {LABELS[1 - label]}.$"):
        inverse_class_frequency(Examples(np.full(5, label)))


@given(st.lists(st.just(0.0) | st.floats(1e-3, 1e6), min_size=1, max_size=50).filter(any))
def test_effective_share_lies_between_one_example_and_all(weights):
    weights = np.array(weights)
    assert 1 / len(weights) - 1e-9 <= effective_share(weights) <= 1 + 1e-9


def test_effective_share_of_equal_weights_and_of_a_few():
    assert effective_share(np.full(7, 0.3)) == approx(1)
    assert effective_share(np.array([5.0, 0, 0, 0, 0])) == approx(1 / 5)
    assert effective_share(np.repeat([1.0, 3.0], 50)) == approx(16 / 20)


def train_frame(**columns) -> pl.DataFrame:
    known = {
        "label": [0, 1, 0, 1, 0, 1],
        "patient": list("aabbbc"),
        "sex": list("FFMMFM"),
        "view": ["AP", "AP", "PA", "PA", "AP", "AP"],
    }
    known["age_group"] = ["<40", "<40", "40-60", "40-60", ">60", ">60"]
    return pl.DataFrame(known | columns, schema_overrides={"label": pl.Int8, "sex": pl.String})


def test_every_weighting_has_a_name_and_a_label():
    assert names() == list(WEIGHTINGS)
    assert set(names()) > {f"kamiran_calders_{attribute}" for attribute in DEFAULTS}


@pytest.mark.parametrize("grouping", GROUPINGS)
def test_weightings_by_name_are_the_functions_on_the_crossed_groups(grouping):
    train = pl.concat([train_frame()] * 2 + [crossed_frame()])
    labels = train["label"].to_numpy().astype(int)
    groups = np.array([" ".join(row) for row in train.select(grouping.split("+")).rows()], dtype=object)
    for family in (kamiran_calders, group_balanced, group_label_balanced, group_label_balanced_sqrt):
        assert example_weights(f"{family.__name__}_{grouping}", train) == approx(family(Examples(labels, groups)))
    assert example_weights(f"effective_number_{grouping}", train) == approx(effective_number(Examples(labels, groups)))
    assert example_weights(f"median_frequency_{grouping}", train) == approx(median_frequency(Examples(labels, groups)))


def crossed_frame() -> pl.DataFrame:
    """One image of every crossing of groups and label."""
    rows = product("FM", ("AP", "PA"), ("<40", "40-60", ">60"), (0, 1))
    frame = pl.DataFrame(rows, schema=["sex", "view", "age_group", "label"], orient="row")
    return frame.select("label", pl.lit("d").alias("patient"), "sex", "view", "age_group").cast({"label": pl.Int8})


@given(labels_and_groups(groups=("<40", "40-60", ">60")))
def test_balanced_groups_have_the_same_total(examples):
    labels, groups = examples
    weights = group_balanced(Examples(labels, groups))
    totals = [weights[groups == group].sum() for group in ("<40", "40-60", ">60")]
    assert totals == approx([len(labels) / 3] * 3)


@given(labels_and_groups())
def test_balanced_cells_have_the_same_total_and_the_square_root_lies_between(examples):
    labels, groups = examples
    full, half = group_label_balanced(Examples(labels, groups)), group_label_balanced_sqrt(Examples(labels, groups))
    cells = [(groups == group) & (labels == label) for group in "FM" for label in (0, 1)]
    assert len({round(full[cell].sum(), 6) for cell in cells}) == 1
    known = np.logical_or.reduce(cells)
    assert half[known] ** 2 == approx(full[known] * (half[known] ** 2).mean())
    assert effective_share(half) >= effective_share(full) - 1e-9
    assert full[~known] == approx(1)


def test_effective_number_by_hand():
    """Cui et al., equation of the effective number (1 - b^n) / (1 - b), for cells of 1 and 3 examples and b = 0.5."""
    weights = effective_number(Examples(np.array([0, 1, 1, 1])), b=0.5)
    assert weights[0] / weights[1] == approx((1 - 0.5**3) / (1 - 0.5**1))
    assert weights.mean() == approx(1)


@given(labels_and_groups(groups=("F", "M")))
def test_effective_number_tends_to_uniform_and_to_inverse_frequency(examples):
    labels, groups = examples
    assert effective_number(Examples(labels, groups), b=1e-9) == approx(1)
    assert effective_number(Examples(labels, groups), b=1 - 1e-9) == approx(
        group_label_balanced(Examples(labels, groups)), rel=1e-4
    )


def test_median_frequency_of_two_classes_is_inverse_frequency_and_is_said_to_be():
    labels = np.array([0, 0, 0, 1])
    weights = {
        "inverse": inverse_class_frequency(Examples(labels)),
        "uniform": uniform(Examples(labels)),
        "median": median_frequency(Examples(labels)),
    }
    assert equivalents(weights) == {"median": "inverse"}


def test_weights_of_the_csv_are_scaled_to_mean_one():
    frame = train_frame(weight=[2.0, 4.0, 2.0, 4.0, 2.0, 4.0], image=list("abcdef"))
    assert example_weights("csv", frame) == approx([2 / 3, 4 / 3] * 3)


@pytest.mark.parametrize("wrong", [None, float("nan"), -1.0, float("inf")])
def test_a_weight_of_the_csv_that_is_none_names_its_image(wrong):
    frame = train_frame(weight=[1.0, 1.0, wrong, 1.0, 1.0, 1.0], image=list("abcdef"))
    with pytest.raises(WeightingError, match=r"^Weighting csv: 1 of 6 training images have no weight .* \(c\); "):
        example_weights("csv", frame)


def test_weights_that_are_all_zero_are_refused():
    with pytest.raises(WeightingError, match="^all 3 weights are 0"):
        as_given(Examples(np.zeros(3, int), given=np.zeros(3), images=np.array(list("abc"))))


def test_a_placebo_has_the_same_weights_elsewhere_and_depends_on_its_seed():
    weights = np.arange(1.0, 101)
    first, second = placebo(weights, 1), placebo(weights, 2)
    assert sorted(first) == sorted(weights) and (first != weights).any() and (first != second).any()
    assert (placebo(weights, 1) == first).all()
    assert abs(np.corrcoef(first, weights)[0, 1]) < 0.3


def test_a_placebo_is_named_after_its_weighting():
    train = pl.concat([train_frame()] * 20)
    own, other = (example_weights(name, train, 5) for name in ("kamiran_calders_sex", "placebo_kamiran_calders_sex"))
    assert sorted(own) == approx(sorted(other)) and (own != other).any()
    assert is_weighting("placebo_csv") and not is_weighting("placebo_uniform") and not is_weighting("placebo_")


def test_the_catalogue_keeps_what_is_possible_and_says_why_the_rest_is_not():
    possible, refused = catalogue(train_frame(weight=[1.0] * 6, image=list("abcdef")))
    assert possible.keys() | refused.keys() == set(names()) and not possible.keys() & refused.keys()
    assert {"uniform", "csv", "kamiran_calders_sex"} <= possible.keys()
    assert ": no training image of the group " in refused["kamiran_calders_sex+view"]
    assert "group_balanced_sex+view" in possible
    for weights in possible.values():
        assert weights.mean() == approx(1) and (weights > 0).all()


def test_unknown_attributes_are_allowed():
    weights = example_weights("kamiran_calders_sex", train_frame(sex=["F", "F", "M", "M", None, None]))
    assert weights.mean() == approx(1)


def test_an_unknown_name_is_told_with_the_allowed_ones():
    with pytest.raises(WeightingError, match="^Weighting 'lucky' is unknown; allowed are uniform, .*, csv.$"):
        example_weights("lucky", train_frame())


def test_an_empty_cell_is_told_with_weighting_and_group():
    message = "^Weighting kamiran_calders_sex: no training image of the group 'M' is healthy; "
    with pytest.raises(WeightingError, match=message):
        example_weights("kamiran_calders_sex", train_frame(sex=["F", "F", "F", "M", "F", "M"]))


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=60))
def test_balanced_patients_have_the_same_total(owners):
    patients = np.array(owners)
    weights = patient_balanced(Examples(np.zeros(len(patients), int), patients=patients))
    totals = [weights[patients == patient].sum() for patient in set(owners)]
    assert totals == approx([len(owners) / len(totals)] * len(totals)) and weights.mean() == approx(1)


@pytest.mark.parametrize("name", [name for name in WEIGHTINGS if name not in ("uniform", "patient_balanced")])
def test_any_weighting_times_balanced_patients_is_their_product(name):
    owners = [f"p{row % 7}" for row in range(24)]
    train = crossed_frame().with_columns(
        patient=pl.Series(owners), weight=pl.Series(np.arange(1.0, 25)), image=pl.Series(owners)
    )
    product = example_weights(name, train) / [owners.count(owner) for owner in owners]
    combined = f"patient_balanced_x_{name}"
    assert is_weighting(combined) and example_weights(combined, train) == approx(product / product.mean())
    assert sorted(example_weights(f"placebo_{combined}", train, 3)) == approx(sorted(product / product.mean()))


def test_balanced_patients_are_not_multiplied_by_themselves_or_by_one():
    for name in ("patient_balanced_x_uniform", "patient_balanced_x_patient_balanced", "patient_balanced_x_"):
        assert not is_weighting(name)


def test_patients_that_are_not_known_are_asked_for():
    with pytest.raises(
        WeightingError, match="^Weighting patient_balanced: whose image each is is not known; a column "
    ):
        example_weights("patient_balanced", train_frame().drop("patient"))


def test_products_that_are_all_zero_are_refused():
    with pytest.raises(WeightingError, match="weighs 0 in the other"):
        times(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
