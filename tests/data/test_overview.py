"""The overview finds what was put into the data."""

import numpy as np
import pytest

from nndesigner.data.dataset import Column, Dataset
from nndesigner.data.overview import overview
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import Cancelled, Source, quiet


def objects(values):
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


@pytest.fixture
def table():
    rng, n = np.random.default_rng(0), 300
    size = rng.normal(10, 1, n)
    size[[3, 40]] = [1000, np.nan]
    weight = 2 * rng.normal(10, 1, n)
    double = 3 * weight
    double[17] = -50
    kind = objects([["a", "b"][i % 2] for i in range(n)])
    data = Dataset("t", "table", (
        Column("size", "number", "input", size), Column("weight", "number", "input", weight),
        Column("double", "number", "input", double),
        Column("place", "category", "input", objects([["x", None, "y"][i % 3] for i in range(n)])),
        Column("kind", "category", "target", kind)))
    return prepare(data, DataSettings())


def test_missing_values_outliers_bars_and_categories(table):
    found = overview(table, quiet)
    size, place = found.columns[0], found.columns[3]
    assert size.outliers.tolist() == [3] and size.missing.tolist() == [40]
    assert place.of("y").tolist() == list(range(2, 300, 3)) and len(place.missing) == 100
    weight = found.columns[1]
    edges, counts = weight.statistics.edges, weight.statistics.counts
    for i, count in enumerate(counts):
        assert len(weight.between(edges[i], edges[i + 1], i == len(counts) - 1)) == count
    assert found.classes == ("a", "b") and found.balance.sum() == 300
    assert found.balance[0].sum() == len(table.train)


def test_relations_and_what_does_not_fit_them(table):
    found = overview(table, quiet)
    assert found.names == ("size", "weight", "double", "kind = b")
    a, b = found.names.index("weight"), found.names.index("double")
    assert found.r[a, b] > 0.4
    assert found.off_the_line(a, b)[0] == 17


def test_equal_samples_are_named_in_pairs():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(200, 2))
    first = prepare(Dataset("t", "table", (
        Column("a", "number", "input", values[:, 0]), Column("b", "number", "input", values[:, 1]),
        Column("c", "number", "target", values.sum(axis=1)))), DataSettings(seed=3))
    twin, original = int(first.test.rows[0]), int(first.train.rows[5])
    values[twin] = values[original]
    data = Dataset("t", "table", (
        Column("a", "number", "input", values[:, 0]), Column("b", "number", "input", values[:, 1]),
        Column("c", "number", "target", values.sum(axis=1))))
    again = prepare(data, DataSettings(seed=3))
    assert overview(again, quiet).equal.tolist() == [[twin, original]]
    assert any("1 test sample have exactly" in note for note in again.notes)


@pytest.mark.parametrize("kind, name", [("digits.v1", "brightness of image"), ("sentences.v1", "words of text"),
                                        ("spoken_digits.v1", "loudness of sound"), ("sines.v1", "mean of ")])
def test_a_figure_stands_for_each_picture_text_sound_and_window(kind, name):
    prepared = prepare(Source.registry[kind]().load(quiet), DataSettings())
    found = overview(prepared, quiet)
    view = next(c for c in found.columns if c.name.startswith(name))
    assert view.statistics.counts.sum() == len(view.rows) == len(prepared.dataset)


def test_it_can_be_cancelled(table):
    def stop(fraction, text):
        raise Cancelled

    with pytest.raises(Cancelled):
        overview(table, stop)
    with pytest.raises(Cancelled):
        prepare(table.dataset, DataSettings(), stop)
