"""Smoothing, reading values and the table of a curve."""

from __future__ import annotations

import csv
import io

import numpy as np

from nndesigner.ui.views.curve_data import CurvePair, smoothed, thinned, value_at


def test_smoothing_keeps_a_constant_and_pulls_towards_the_mean_of_noise():
    assert np.allclose(smoothed(np.full(50, 3.0), 0.9), 3.0)
    noise = np.random.default_rng(0).standard_normal(2000) + 5
    late = smoothed(noise, 0.95)[500:]
    assert late.std() < 0.25 * noise.std() and abs(late.mean() - 5) < 0.1


def test_smoothing_follows_its_formula_and_starts_at_the_first_value():
    y = np.array([4.0, 2.0, 0.0])
    expected = [4.0, (0.5 * 0.5 * 4 + 0.5 * 2) / 0.75, (0.5 * (0.5 * 0.5 * 4 + 0.5 * 2) + 0.0) / 0.875]
    assert np.allclose(smoothed(y, 0.5), expected)
    assert np.array_equal(smoothed(y, 0.0), y)


def test_smoothing_passes_over_values_that_are_not_finite():
    found = smoothed(np.array([1.0, np.nan, np.inf, 1.0]), 0.9)
    assert np.allclose(found, 1.0)


def test_value_at_takes_the_nearest_point_and_nothing_beyond_the_ends():
    x, y = np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 30.0])
    assert value_at(x, y, 2.4) == 20.0 and value_at(x, y, 2.6) == 30.0
    assert value_at(x, y, 1.0) == 10.0 and value_at(x, y, 3.9) == 30.0
    assert value_at(x, y, 9.0) is None and value_at(np.empty(0), np.empty(0), 1.0) is None


def test_thinning_keeps_first_and_last_point():
    x = np.arange(1000.0)
    few, _ = thinned(x, x, 100)
    assert len(few) == 100 and few[0] == 0 and few[-1] == 999


def test_the_table_has_a_row_for_every_epoch_with_a_point():
    pair = CurvePair("loss", np.array([0.5, 1.0]), np.array([2.0, 1.0]), np.array([1.0, 2.0]), np.array([1.5, 1.25]))
    rows = list(csv.reader(io.StringIO(pair.to_csv(0.0))))
    assert rows[0] == ["epoch", "training loss", "training loss smoothed 0", "validation loss"]
    assert rows[1:] == [["0.5", "2.0", "2.0", ""], ["1.0", "1.0", "1.0", "1.5"], ["2.0", "", "", "1.25"]]
