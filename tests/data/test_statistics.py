"""Figures of the preview."""

import numpy as np
import pytest

from nndesigner.data.dataset import Column, Dataset
from nndesigner.data.samples import Digits, Iris
from nndesigner.data.source import quiet
from nndesigner.data.statistics import column_statistics, correlation, statistics


def numbers(values, name="a", role="input"):
    return Column(name, "number", role, np.asarray(values, dtype=np.float64))


def test_numbers():
    found = column_statistics(numbers([1, 2, 3, 4, np.nan, np.inf, 2.5]))
    assert (found.count, found.missing, found.low, found.high, found.distinct) == (5, 2, 1, 4, 5)
    assert found.mean == 2.5 and found.std == pytest.approx(np.std([1, 2, 3, 4, 2.5]))
    assert found.counts.sum() == 5 and len(found.edges) == len(found.counts) + 1


@pytest.mark.parametrize("values,bars", [([3, 3, 3], 24), ([0, 1, 1, 2], 3), ([1e9, 1e9 + 1e-9], 24), ([0, 1000], 24)])
def test_histograms_hold_every_value(values, bars):
    found = column_statistics(numbers(values))
    assert found.counts.sum() == len(values) and len(found.counts) == bars
    assert (np.diff(found.edges) > 0).all() and found.edges[0] <= min(values) and found.edges[-1] >= max(values)


def test_nothing_there():
    found = column_statistics(numbers([np.nan, np.nan]))
    assert (found.count, found.missing) == (0, 2) and np.isnan(found.mean) and found.counts.sum() == 0


def test_categories_in_their_order_or_by_number():
    values = np.array(["b", "a", None, "b", "c"], dtype=object)
    found = column_statistics(Column("k", "category", "input", values))
    assert (found.count, found.missing, found.distinct) == (4, 1, 3)
    assert found.balance == (("b", 2), ("a", 1), ("c", 1))
    ordered = column_statistics(Column("k", "category", "target", values, ("c", "b", "x")))
    assert ordered.balance == (("c", 1), ("b", 2), ("a", 1))


def test_all_columns_of_built_in_sets():
    found = statistics(Digits().load(quiet))
    assert found["image"].low == 0 and found["image"].high == 16 and found["image"].count == 1797 * 64
    assert [n for _, n in found["digit"].balance] == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_correlation_is_that_of_numpy():
    iris = Iris().load(quiet)
    names, r = correlation(iris)
    assert names == tuple(c.name for c in iris.columns[:4])
    np.testing.assert_allclose(r, np.corrcoef([c.values for c in iris.columns[:4]]), atol=1e-9)


def test_correlation_with_missing_and_constant_columns():
    rng = np.random.default_rng(0)
    a = rng.normal(1e6, 1, 300)
    b = a + rng.normal(0, 1, 300)
    b[::5] = np.nan
    data = Dataset("t", "table", (
        numbers(a, "a"), numbers(b, "b"), numbers(np.full(300, 7.0), "c"), numbers(-a, "d"), numbers(a, "e", "ignore")))
    names, r = correlation(data)
    assert names == ("a", "b", "c", "d")
    there = np.isfinite(b)
    assert r[0, 1] == pytest.approx(np.corrcoef(a[there], b[there])[0, 1], abs=1e-6) and r[0, 1] == r[1, 0]
    assert np.isnan(r[2]).all() and np.isnan(r[:, 2]).all() and r[0, 3] == pytest.approx(-1, abs=1e-6)
    assert correlation(Dataset("t", "table", ()))[1].shape == (0, 0)
