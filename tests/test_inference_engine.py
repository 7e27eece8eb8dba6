"""One pivot: intervals, p-values and words cannot disagree, and cover where patients and networks are few."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import norm, t

from lib.audit.inference import Figures, describe, from_replicates, infer, jackknife, pool, ratio, summary
from lib.audit.inference.parts import Parts
from lib.audit.inference.pivot import Pivot
from lib.audit.inference.rare import Rare
from lib.audit.inference.variance import together
from lib.names import AT_MOST, NOT_ESTIMABLE, NOT_TOLD, SHOWN, SUGGESTED


def index(count, **columns):
    return pl.DataFrame({"metric": [f"m{k}" for k in range(count)], **columns})


def shares(draw, patients, count, networks=1, chance=0.3):
    """Proportions of patients who have an answer at random; some columns are empty, some certain."""
    present = draw.random((patients, count)) < draw.random(count)
    present[:, 0] = False
    called = (draw.random((networks, patients, count)) < chance * draw.random(count)) * present
    return ratio(index(count), "w", called.astype(float), present.astype(float), proportion=True)


def differences(levels):
    count = len(levels)
    return levels.contrast(index(count - 1), np.eye(count)[:, 1:] - np.eye(count)[:, :-1])


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    patients=st.integers(3, 60),
    networks=st.integers(1, 3),
    kind=st.sampled_from(["gaps", "effects", "plain"]),
)
@example(seed=175, patients=3, networks=1, kind="gaps")
def test_intervals_leave_0_out_exactly_where_p_is_at_most_5_per_cent(seed, patients, networks, kind):
    draw = np.random.default_rng(seed)
    if kind == "plain":
        values, pushed = (
            draw.normal(0, s, size) for s, size in ((0.1, (networks, 9)), (0.03, (networks, patients, 9)))
        )
        figures = Figures.of(index(9), "w", values, pushed - pushed.mean(axis=1, keepdims=True))
    else:
        figures = differences(shares(draw, patients, 10, networks))
        if kind == "effects":
            figures = differences(shares(draw, patients, 10, networks)) - figures
    found = infer(figures, seed=seed)
    told = np.isfinite(found.p)
    for p, low, high in (
        (found.p, found.low, found.high),
        (found.p_adjusted, found.low_simultaneous, found.high_simultaneous),
    ):
        assert (np.isfinite(low) == told).all()
        assert ((p <= 0.05) == ((low > 0) | (high < 0)))[told].all()
        assert (low <= high)[told].all()
    assert (found.p_adjusted >= found.p)[told].all()
    assert (found.low_simultaneous <= found.low)[told].all() and (found.high_simultaneous >= found.high)[told].all()
    words = [
        NOT_ESTIMABLE
        if not told[k]
        else SHOWN
        if found.p_adjusted[k] <= 0.05
        else SUGGESTED
        if found.p[k] <= 0.05
        else AT_MOST
        if found.p_equivalent[k] <= 0.05
        else NOT_TOLD
        for k in range(len(told))
    ]
    assert words == list(found.verdict) and found.size == told.sum()


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_cell_where_nobody_differs_is_not_certain(rate):
    present = np.ones((25, 2))
    levels = ratio(index(2), "w", np.full((1, 25, 2), rate), present, proportion=True)
    level, gap = describe(levels, null=None), describe(differences(levels))
    width = level.high - level.low
    assert (width > 0.1).all() and (level.low <= rate).all() and (level.high >= rate).all()
    assert gap.high[0] - gap.low[0] > 0.1 and gap.p[0] > 0.99
    effect = describe(levels - levels)
    assert (effect.high - effect.low > 0.02).all() and (effect.p == 1).all()


BLOCK = 250
"""Cohorts that are worked out at once: the cost of figures grows with the square of how many there are."""


def described(figures_of, count, null=0.0):
    """What is said of the figures of so many cohorts, of which `figures_of(BLOCK)` draws some."""
    found = [describe(figures_of(BLOCK), null=null) for _ in range(count // BLOCK)]
    names = ("low", "high", "p", "p_equivalent", "detectable")
    return SimpleNamespace(**{name: np.concatenate([getattr(own, name) for own in found]) for name in names})


def held(found, true=0.0):
    """The share of the intervals that hold the truth."""
    return ((found.low <= true) & (true <= found.high)).mean()


def two_groups(draw, few, many, rates_, cohorts):
    """As many cohorts as columns: `few` patients with one rate, `many` with another; the gap of each."""
    present = np.repeat([[1.0, 0.0]] * few + [[0.0, 1.0]] * many, cohorts, axis=1)  # (P, 2 cohorts)
    chance = np.repeat(rates_, cohorts)
    called = (draw.random(present.shape) < chance) * present
    levels = ratio(index(2 * cohorts), "w", called[None], present, proportion=True)
    matrix = np.concatenate([np.eye(cohorts), -np.eye(cohorts)])
    return levels.contrast(index(cohorts), matrix)


@pytest.mark.parametrize("few, rates_", [(25, (0.03, 0.15)), (25, (0.15, 0.03)), (40, (0.1, 0.1)), (25, (0.5, 0.2))])
def test_gaps_of_small_cells_cover(few, rates_):
    draw, true = np.random.default_rng(1), rates_[0] - rates_[1]
    found = described(lambda cohorts: two_groups(draw, few, 150, rates_, cohorts), 1500)
    assert 0.935 <= held(found, true) <= 0.99
    assert max((true < found.low).mean(), (true > found.high).mean()) <= 0.045


def test_levels_of_small_cells_cover():
    draw = np.random.default_rng(2)
    for rate in (0.03, 0.1, 0.5):

        def cohorts(count, rate=rate):
            called = (draw.random((1, 25, count)) < rate).astype(float)
            return ratio(index(count), "w", called, np.ones((25, count)), proportion=True)

        assert 0.93 <= held(described(cohorts, 1500, null=None), rate) <= 0.995


def two_levels(draw, patients, networks, count, sizes=(1.0, 1.0, 1.0), weightings=("a",)):
    """Figures theta + A + B + C of known variances: by patient .01 of all networks and of each, .1 by network."""
    common, own, alone = sizes
    people = common * draw.normal(size=(patients, count))
    figures = {}
    for name in weightings:
        single = own * draw.normal(size=(networks, patients, count))
        shift = alone * draw.normal(size=(networks, 1, count)) / np.sqrt(patients)
        seen = people + single + shift
        values = seen.mean(axis=1)
        pushed = (seen - values[:, None]) / patients * np.sqrt(patients / (patients - 1))
        figures[name] = Figures.of(index(count), name, values, pushed)
    return pool(figures)


@pytest.mark.parametrize("sizes", [(1, 1, 1), (1, 0, 1), (0.2, 1, 0), (1, 1, 0)])
def test_each_part_of_the_variance_is_counted_once(sizes):
    draw = np.random.default_rng(3)
    common, own, alone = sizes
    parts = [summary(two_levels(draw, 200, 4, BLOCK, sizes)["a"]) for _ in range(3000 // BLOCK)]
    patients, networks = (np.mean([getattr(one, name) for one in parts]) for name in ("patients", "networks"))
    true = (common**2 + (own**2 + alone**2) / 4) / 200
    # a variance between networks that comes out below 0 is taken for 0, which errs on the wide side where there is none
    assert true * 0.9 <= patients + networks <= true * (1.12 if alone else 1.4)
    assert patients == pytest.approx((common**2 + own**2 / 4) / 200, rel=0.05)


@pytest.mark.parametrize("networks, sizes", [(2, (1, 1, 1)), (3, (1, 1, 1)), (5, (1, 0.3, 1)), (3, (1, 1, 0))])
def test_differences_of_weightings_cover_and_alarm_as_promised(networks, sizes):
    draw = np.random.default_rng(4)

    def difference(count):
        figures = two_levels(draw, 150, networks, count, sizes, ("a", "b", "c"))
        return figures["b"] - figures["a"]

    assert 0.93 <= held(described(difference, 4000)) <= 0.985


@pytest.mark.parametrize("networks, least", [(2, 0.928), (3, 0.94), (5, 0.94)])
@pytest.mark.parametrize("own, alone", [(0.4, 0.3), (0.4, 4), (1, 5)])
def test_levels_of_one_weighting_alone_cover_with_few_networks(networks, least, own, alone):
    """Two networks leave one degree of freedom for the noise of retraining; Satterthwaite's interval covers in 87 %."""
    draw = np.random.default_rng(8)
    found = described(lambda count: two_levels(draw, 60, networks, count, (1, own, alone))["a"], 4000)
    assert least <= held(found) <= 0.98


@pytest.mark.parametrize("sizes", [(1, 1, 1), (1, 0.5, 4)])
def test_rare_errors_of_few_networks_are_as_rare_as_families_take_them_for(sizes):
    """An error that single intervals call one of 1,000 happens in one of 250; p and interval of a family agree on what is one."""
    draw, limit, beyond = np.random.default_rng(9), norm.isf(0.0005), []
    for _ in range(8000 // BLOCK):
        figures = two_levels(draw, 40, 2, BLOCK, sizes, ("a", "b", "c"))
        own = Pivot.for_summary(summary(figures["b"] - figures["a"]))
        single, family = (own.size(family=family) > limit for family in (False, True))
        low, high = own.bounds(limit, family=True)
        assert (((low > 0) | (high < 0)) == family).all()
        beyond.append((single.mean(), family.mean()))
    single, family = np.mean(beyond, axis=0)
    assert single > 0.002 and family < 0.0018
    alone = Pivot.for_summary(summary(figures["a"]))  # one weighting: nothing changes
    assert (alone.size(family=True) == alone.size()).all()


def test_tails_are_students_where_networks_are_all_the_noise():
    """Without noise by patient the mean over chi2 is Student's t on the degrees of freedom of networks."""
    figures = two_levels(np.random.default_rng(9), 9, 2, 3, weightings=("a", "b", "c"))
    own = summary(figures["a"] - figures["b"])
    nothing = np.zeros(3)
    own = replace(own, patients=nothing, networks=own.seen, explained=nothing, patient_degrees=np.full(3, 1e9))
    rare = Rare.of(own, np.arange(3))
    for normal in (2.5, 3.5):
        assert rare.distance(normal) == pytest.approx(t.isf(norm.sf(normal), 3), rel=1e-4)
        assert rare.size(rare.distance(normal)) == pytest.approx(normal, rel=1e-6)


def test_degrees_of_freedom_are_those_of_cochrans_critical_value():
    """Halves of 12.71 (one degree of freedom) and 1.96 (none unknown): 7.33, and a third of 4.30 to two of 1.96."""
    found = together(
        (np.array([1.0, 2.0, 1.0]), np.inf), (np.array([1.0, 0.0, 0.0]), 1), (np.array([0.0, 1.0, 0.0]), 2)
    )
    assert t.isf(0.025, found[:2]) == pytest.approx([7.333, (2 * 1.96 + 4.303) / 3], abs=2e-3) and np.isinf(found[2])


def test_networks_of_one_weighting_are_paired_and_those_of_two_are_not():
    draw = np.random.default_rng(5)
    figures = two_levels(draw, 100, 5, 50, (1, 0, 3), ("a", "b"))
    same, other = describe(figures["a"] - figures["a"]), describe(figures["a"] - figures["b"])
    assert (np.nan_to_num(same.se) < 1e-12).all() and (other.se > 0.05).all()


def test_adjusted_p_are_those_of_the_largest_of_independent_figures():
    draw = np.random.default_rng(6)
    figures = Figures.of(
        index(8), "w", np.array([[0.28, *np.zeros(7)]]), draw.normal(0, 0.1 / np.sqrt(4000), (1, 4000, 8))
    )
    found = infer(figures)
    sidak = 1 - (1 - found.p[0]) ** 8
    assert found.p_adjusted[0] == pytest.approx(sidak, abs=0.004)
    half = (found.high_simultaneous - found.low_simultaneous)[1] / 2 / found.se[1]
    assert half == pytest.approx(norm.isf((1 - 0.95 ** (1 / 8)) / 2), rel=0.02)
    # a copy of a figure is not another hypothesis
    twice = infer([figures, figures])
    assert twice.p_adjusted[0] == pytest.approx(found.p_adjusted[0], abs=0.004)


def test_step_down_is_no_stricter_than_one_step():
    draw = np.random.default_rng(7)
    noise = draw.normal(0, 0.1 / np.sqrt(500), (1, 500, 5))
    values = np.array([[1.0, 0.8, 0.7, 0.6, 0.21]])
    alone = infer(Figures.of(index(5), "w", values, noise))
    assert alone.p_adjusted[4] == pytest.approx(alone.p[4], abs=0.003) and alone.verdict[4] == SHOWN
    assert alone.low_simultaneous[4] > 0


def test_seeds_agree():
    for k in range(8):
        figures = differences(shares(np.random.default_rng(k), 200, 9, chance=0.6))
        words = {tuple(infer(figures, seed=seed).verdict) for seed in range(4)}
        assert len(words) == 1


def test_equivalence_is_claimed_of_a_gap_at_the_margin_in_at_most_5_per_cent():
    draw = np.random.default_rng(9)
    found = described(lambda cohorts: two_groups(draw, 600, 900, (0.25, 0.20), cohorts), 1250)
    assert 0.03 <= (found.p_equivalent <= 0.05).mean() <= 0.069  # 1,250 cohorts: three standard errors
    inside = describe(two_groups(draw, 1600, 1900, (0.20, 0.20), 200))
    assert (inside.p_equivalent <= 0.05).mean() > 0.9


def test_the_detectable_gap_is_detected_four_times_in_five_with_the_patients_said_to_be_needed():
    draw = np.random.default_rng(10)
    found = describe(two_groups(draw, 150, 150, (0.4, 0.4), 400))
    gap = float(np.median(found.detectable))
    larger = described(lambda cohorts: two_groups(draw, 150, 150, (0.4 + gap, 0.4), cohorts), 1250)
    assert (larger.p <= 0.05).mean() == pytest.approx(0.8, abs=0.04)
    needed = float(np.median(found.patients_needed(gap / 2)))
    assert needed == pytest.approx(1200, rel=0.1)
    assert np.isinf(found.patients_needed(0.0)).all()


def test_leaving_patients_out_gives_what_sums_give():
    draw = np.random.default_rng(11)
    x, n = draw.normal(2, 1, (80, 3)), draw.integers(1, 5, (80, 3)).astype(float)
    exact = ratio(index(3), "w", (x * n)[None], n)
    left = jackknife(index(3), "w", lambda w: (w @ (x * n)) / (w @ n), patients=80)
    assert left.estimate == pytest.approx(exact.estimate)
    assert describe(left).se == pytest.approx(describe(exact).se, rel=0.1)
    grouped = jackknife(index(3), "w", lambda w: (w @ (x * n)) / (w @ n), patients=80, groups=20)
    assert describe(grouped).se == pytest.approx(describe(exact).se, rel=0.5)


def test_refits_in_resamples_are_paired_and_count_networks_once():
    draw = np.random.default_rng(12)
    common = draw.normal(0, 0.1, (4000, 1, 1))
    one, two = (common + draw.normal(0, s, (4000, 4, 1)) for s in (0.05, 0.02))
    a = from_replicates(index(1), "w", np.full((4, 1), 0.3), one + 0.3)
    b = from_replicates(index(1), "w", np.full((4, 1), 0.1), two + 0.1)
    assert describe(a).se[0] == pytest.approx(np.sqrt(0.01 + 0.0025 / 4), rel=0.05)
    assert describe(a - b).se[0] == pytest.approx(np.sqrt((0.0025 + 0.0004) / 4), rel=0.05)
    with_hole = one.copy()
    with_hole[:3000] = np.nan
    assert describe(from_replicates(index(1), "w", np.full((4, 1), 0.3), with_hole)).verdict == [NOT_ESTIMABLE]


def test_a_figure_that_nothing_moves_is_told_and_not_tested():
    still = from_replicates(index(2), "w", np.array([[0.2, 0.0]]), np.tile([0.2, 0.0], (50, 1, 1)))
    found = describe(still)
    assert found.low.tolist() == found.high.tolist() == [0.2, 0.0]
    assert np.isnan(found.p).all() and set(found.verdict) == {NOT_TOLD}
    assert infer(still).size == 0


def test_figures_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="rows of the index"):
        Figures.of(index(2), "w", np.zeros((1, 3)), np.zeros((1, 5, 3)))
    one, two = (ratio(index(k), "w", np.ones((1, 5, k)), np.ones((5, k))) for k in (2, 3))
    with pytest.raises(ValueError, match="cannot be paired"):
        one - two
    assert isinstance(summary(ratio(index(1), "w", np.ones((1, 5, 1)), np.ones((5, 1)), proportion=True)).parts, Parts)
