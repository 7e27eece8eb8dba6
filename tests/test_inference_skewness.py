"""Intervals of skewed figures: longer on one side, but without a leap, and covering as they should."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from lib.audit.inference import Figures, describe, from_replicates, ratio, summary
from lib.audit.inference.pivot import Pivot


def index(count):
    return pl.DataFrame({"figure": [str(k) for k in range(count)]})


def standard(skewness):
    """Figures of estimate 0, standard error 1 and these skewnesses."""
    count = len(skewness)
    many, wide = np.full(count, 1e9), np.full(count, np.inf)
    of = {"estimate": np.zeros(count), "degrees": many, "lowest": -wide, "highest": wide}
    nothing = {name: np.zeros(count) for name in ("seen", "patients", "networks")}
    return Pivot(SimpleNamespace(**of, **nothing, parts=None), np.ones(count), skewness)


@pytest.mark.parametrize("normal", [1.96, 3.0, 4.5])
def test_bounds_grow_steadily_with_the_skewness_and_agree_with_p(normal):
    skewness = np.linspace(-1, 1, 401)
    pivot = standard(skewness)
    low, high = (-pivot._plain(end) for end in (np.full(401, normal), np.full(401, -normal)))
    assert np.allclose(low, -high[::-1], atol=2e-3) and (np.diff(high) > 0).all() and (np.diff(low) > 0).all()
    assert np.abs(np.diff(high)).max() < 0.01 * normal**2  # Hall's cubic leaps by five standard errors
    assert np.allclose(pivot.at(low), normal, atol=1e-7) and np.allclose(pivot.at(high), -normal, atol=1e-7)
    values = np.linspace(-9, 9, 181)
    assert (np.diff([pivot.at(value) for value in values], axis=0) < 0).all()


@pytest.mark.parametrize("patients, missed", [(15, 0.085), (40, 0.07), (375, 0.062)])
def test_means_of_skewed_values_cover(patients, missed):
    draw, missing, widths = np.random.default_rng(3), [], []
    for _ in range(8):
        found = describe(ratio(index(250), "w", draw.exponential(size=(1, patients, 250)), np.ones((patients, 250))))
        missing.append(((found.low > 1) | (found.high < 1)).mean())
        widths.append(((found.high - found.low) / found.se).max())
    assert np.mean(missing) < missed and max(widths) < 8


def test_resamples_of_a_symmetrical_figure_show_no_skewness():
    draw = np.random.default_rng(4)
    even, skewed = draw.normal(size=(200, 1, 300)), draw.gamma(4, size=(200, 1, 300))  # skewness 1
    skewness = [summary(from_replicates(index(300), "w", np.zeros((1, 300)), own)).skewness for own in (even, skewed)]
    assert np.median(np.abs(skewness[0])) == 0 and 0.7 < np.median(skewness[1]) <= 1


def test_a_part_of_a_gap_of_few_patients_has_an_interval_that_can_be_read():
    """Skewness of -.5, as of the operating point's part in a gap of 85 patients: its interval went down to eight standard errors."""
    pivot = standard(np.array([-0.5]))
    (longer,), (shorter,) = pivot._plain(np.array([1.98])), -pivot._plain(np.array([-1.98]))
    assert 3 < longer < 3.4 and 1.3 < shorter < norm.isf(0.025)


def test_one_patient_who_moves_all_is_told_within_six_standard_errors():
    rows = np.zeros((1, 30, 1), np.float32)
    rows[0, :, 0] = -1 / 30
    rows[0, 0, 0] = 29 / 30
    found = describe(Figures.of(index(1), "w", [[0.0]], rows))
    assert found.high[0] / found.se[0] < 6.5 and found.low[0] / found.se[0] > -2
