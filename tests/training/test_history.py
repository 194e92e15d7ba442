"""Curves stay small and honest whatever the number of steps."""

import numpy as np
import pytest

from nndesigner.training.history import LIMIT, Curve, History


def test_short_curves_keep_every_value():
    curve = Curve()
    for i in range(LIMIT - 1):
        curve.add(i, i**2)
    x, y = curve.arrays()
    np.testing.assert_array_equal(y, np.arange(LIMIT - 1) ** 2.0)
    assert len(x) == len(curve) == LIMIT - 1


@pytest.mark.parametrize("count", [LIMIT, 5 * LIMIT + 3, 40 * LIMIT + 17])
def test_long_curves_are_bounded_means_of_neighbours(count):
    values = np.random.default_rng(0).standard_normal(count)
    curve = Curve()
    for i, value in enumerate(values):
        curve.add(i, value)
    x, y = curve.arrays()
    assert LIMIT / 2 <= len(x) <= LIMIT and (np.diff(x) > 0).all()
    stride = curve.stride
    whole = count // stride * stride
    np.testing.assert_allclose(y[: whole // stride], values[:whole].reshape(-1, stride).mean(axis=1), atol=1e-12)
    # No value is lost: the mean over all points, each with its number of values, is the mean of the values.
    counts = np.full(len(y), stride)
    counts[-1] = count - stride * (len(y) - 1)
    assert np.average(y, weights=counts) == pytest.approx(values.mean(), abs=1e-12)


def test_arrays_are_read_only_and_kept_until_something_changes():
    history = History()
    history.add("loss", 0.1, 2.0)
    first = history.arrays()
    assert history.arrays() is first
    with pytest.raises(ValueError):
        first["loss"][1][0] = 0
    history.add("loss", 0.2, 1.0)
    assert history.arrays() is not first and list(history.arrays()["loss"][1]) == [2.0, 1.0]
    assert list(first["loss"][1]) == [2.0]


@pytest.mark.parametrize("count", [3, 3 * LIMIT + 1])
def test_a_history_goes_on_after_a_round_trip(count):
    one = History()
    for i in range(count):
        one.add("loss", i, 1 / (i + 1))
    one.metrics["val", "accuracy"] = 0.5
    two = History.from_state(*one.to_state())
    assert two.metrics == one.metrics
    for history in (one, two):
        for i in range(count, count + 5000):
            history.add("loss", i, 1 / (i + 1))
    for a, b in zip(one.arrays()["loss"], two.arrays()["loss"]):
        np.testing.assert_array_equal(a, b)
