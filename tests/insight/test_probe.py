"""Pictures of what nodes compute, maps over the inputs, filters and statistics, from real networks."""

import time

import numpy as np
import pytest

from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import Source, quiet
from nndesigner.engine.device import Device
from nndesigner.engine.network import Network
from nndesigner.insight.probe import (
    curve_map,
    decision_map,
    filters,
    layer_statistics,
    node_pictures,
    sample_of,
)
from nndesigner.layers.conv import Conv2D
from nndesigner.layers.dense import Dense
from nndesigner.layers.pool import MaxPool2D
from nndesigner.layers.reshape import Flatten, Reshape
from tests.networks import chain


def data(kind, settings=None, **params):
    return prepare(Source.registry[kind](**params).load(quiet), settings or DataSettings())


def network(prepared, *layers):
    return Network(chain(layers, prepared.signature.fields), Device("cpu"), 3)


@pytest.fixture(scope="module")
def spirals():
    prepared = data("spirals.v1")
    layers = Dense(units=20, activation="tanh"), Dense(units=8, activation="relu"), Dense(units=2)
    return network(prepared, *layers), prepared


@pytest.fixture(scope="module")
def digits():
    prepared = data("digits.v1")
    return network(prepared, Conv2D(filters=20), MaxPool2D(), Flatten(), Dense(units=600), Dense(units=10)), prepared


def test_every_node_has_a_picture_of_its_kind(digits):
    net, prepared = digits
    sample = sample_of(prepared.test, 3)
    found = node_pictures(net, sample)
    assert {n: (p.kind, p.data.shape) for n, p in found.items()} == {
        "in": ("image", (1, 8, 8)), "n1": ("maps", (16, 8, 8)), "n2": ("maps", (16, 4, 4)), "n3": ("bars", (320,)),
        "n4": ("bars", (512,)), "n5": ("bars", (10,)), "out": ("class", (10,))}
    np.testing.assert_array_equal(found["in"].data[0], sample["image"][0, ..., 0])
    probabilities = net.predict(sample)["out"][0]
    np.testing.assert_array_equal(found["out"].data, probabilities)
    assert found["out"].label == str(probabilities.argmax())
    assert found["out"].probability == pytest.approx(probabilities.max())
    maps = net.activations(sample, ["n1"])["n1"][0]
    np.testing.assert_array_equal(found["n1"].data[5], maps[..., 5])
    strongest = net.activations(sample, ["n4"])["n4"][0]
    assert found["n4"].data[np.abs(found["n4"].data).argmax()] == strongest[np.abs(strongest).argmax()]


def test_large_pictures_are_shrunk():
    prepared = data("digits.v1")
    wide = Dense(units=100 * 90 * 2), Reshape(shape=(100, 90, 2))
    net = network(prepared, Flatten(), *wide, Flatten(), Dense(units=10))
    assert node_pictures(net, sample_of(prepared.test, 0))["n3"].data.shape == (2, 64, 64)


def test_numbers_and_reconstructions_have_pictures():
    prepared = data("diabetes.v1")
    net = network(prepared, Dense(units=1))
    sample = sample_of(prepared.test, 0)
    plain = node_pictures(net, sample)["out"]
    units = node_pictures(net, sample, prepared.preparation)["out"]
    assert plain.kind == units.kind == "class" and units.probability is None
    value = prepared.preparation.decode("target", net.predict(sample)["out"])[0, 0]
    assert units.label == f"{value:.4g}" and units.data[0] == value
    pictures = data("digits.v1", DataSettings(roles={"digit": "ignore"}))
    auto = network(pictures, Flatten(), Dense(units=64), Reshape(shape=(8, 8, 1)))
    found = node_pictures(auto, sample_of(pictures.test, 0), pictures.preparation)["out"]
    assert found.kind == "image" and found.data.shape == (1, 8, 8)


def test_decision_map_agrees_with_predictions_point_by_point(spirals):
    net, prepared = spirals
    found = decision_map(net, prepared)
    assert found.values.shape == (100, 100, 2) and found.names == ("x1", "x2") and found.classes == ("arm 1", "arm 2")
    np.testing.assert_allclose(found.values.sum(axis=-1), 1, rtol=1e-5)
    x1, x2 = (prepared.dataset.column(n).values[prepared.train.rows] for n in ("x1", "x2"))
    assert found.x0 < x1.min() and found.x1 > x1.max() and found.y0 < x2.min() and found.y1 > x2.max()
    row, column = 83, 12
    point = {"x1": [found.x0 + (column + 0.5) / 100 * (found.x1 - found.x0)],
             "x2": [found.y0 + (row + 0.5) / 100 * (found.y1 - found.y0)]}
    there = net.predict(prepared.preparation.encode(point))["out"][0]
    np.testing.assert_allclose(found.values[row, column], there, atol=1e-5)
    assert {n: m.shape for n, m in found.neurons.items()} == {
        "in": (2, 25, 25), "n1": (12, 25, 25), "n2": (8, 25, 25), "n3": (2, 25, 25)}
    inputs = found.neurons["in"]
    assert (np.diff(inputs[0], axis=1) > 0).all() and (np.diff(inputs[1], axis=0) > 0).all()
    assert np.ptp(inputs[0], axis=0).max() == 0


def test_decision_map_is_quick_enough_to_be_live(spirals):
    net, prepared = spirals
    decision_map(net, prepared)
    start = time.perf_counter()
    for _ in range(5):
        decision_map(net, prepared)
    assert (time.perf_counter() - start) / 5 < 0.1


@pytest.mark.parametrize("size", [10, 40, 101])
def test_maps_of_other_sizes(spirals, size):
    found = decision_map(*spirals, size=size)
    assert found.values.shape == (size, size, 2) and found.neurons["n1"].shape == (12, min(size, 25), min(size, 25))


def test_maps_of_heights_and_curves_are_in_units_of_the_data():
    plane = data("plane.v1", noise=0.0)
    net = network(plane, Dense(units=1, initialiser="zeros"))
    mean = plane.dataset.column("height").values[plane.train.rows].mean()
    found = decision_map(net, plane)
    assert found.values.shape == (100, 100, 1) and found.task == "regression"
    np.testing.assert_allclose(found.values, mean, rtol=1e-4)
    curve = data("curve.v1")
    line = curve_map(network(curve, Dense(units=6, activation="tanh"), Dense(units=1)), curve, size=200)
    assert line.values.shape == (200, 1) and line.name == "x" and line.neurons["n1"].shape == (6, 200)
    assert line.x[0] < -1 and line.x[-1] > 1 and (np.diff(line.x) > 0).all()
    with pytest.raises(ValueError, match="2 numbers"):
        decision_map(network(curve, Dense(units=1)), curve)
    with pytest.raises(ValueError, match="1 number"):
        curve_map(net, plane)


def test_filters(digits):
    net, prepared = digits
    kernels = filters(net, "n1")
    assert kernels.shape == (20, 3, 3)
    np.testing.assert_array_equal(kernels[7], net.weights.views["n1/W"][:, :, 0, 7])
    assert filters(net, "n4").shape == (600, 4, 4) and filters(net, "n5").shape == (1, 600, 10)
    assert len(filters(net, "n2")) == len(filters(net, "nothing")) == 0
    flat = network(prepared, Flatten(), Dense(units=5), Dense(units=10))
    units = filters(flat, "n2")
    assert units.shape == (5, 8, 8)
    np.testing.assert_array_equal(units[2].reshape(-1), flat.weights.views["n2/W"][:, 2])


def test_layer_statistics_find_dead_units_and_values_that_are_none(spirals):
    _, prepared = spirals
    net = network(prepared, Dense(units=4, activation="relu"), Dense(units=2))
    net.weights.views["n1/b"][1] = -100
    found = layer_statistics(net, prepared.train.arrays)
    values = net.activations(prepared.train.arrays, ["n1"])["n1"]
    assert found["n1"].dead == 0.25 and found["n1"].unusable == 0
    assert found["n1"].mean == pytest.approx(values.mean(), rel=1e-5)
    assert found["n1"].std == pytest.approx(values.std(), rel=1e-5)
    assert (found["n1"].low, found["n1"].high) == (0, pytest.approx(values.max()))
    net.weights.views["n2/W"][:] = np.nan
    broken = layer_statistics(net, prepared.train.arrays)["n2"]
    assert broken.unusable == 1 and np.isnan(broken.mean)
    assert decision_map(net, prepared).values.shape == (100, 100, 2)
    assert node_pictures(net, sample_of(prepared.test, 0))["out"].label == "not a number"
