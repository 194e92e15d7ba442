"""Answers of real networks: shapes, truths, matrix and scatter agree with figures worked out in another way."""

import numpy as np
import pytest

from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import Source, quiet
from nndesigner.engine.device import Device
from nndesigner.engine.losses import BinaryCrossEntropy
from nndesigner.engine.metrics import Accuracy
from nndesigner.engine.network import Network
from nndesigner.insight.answers import (
    class_probabilities,
    confusion,
    most_likely,
    predictions,
    scatter,
)
from nndesigner.layers.dense import Dense
from nndesigner.layers.io import Input, Output
from nndesigner.layers.reshape import Flatten, Reshape
from tests.networks import chain, drawing


def data(kind, settings=None, **params):
    return prepare(Source.registry[kind](**params).load(quiet), settings or DataSettings())


def network(prepared, *layers):
    return Network(chain(layers, prepared.signature.fields), Device("cpu"), 3)


@pytest.fixture(scope="module")
def digits():
    prepared = data("digits.v1")
    return network(prepared, Flatten(), Dense(units=10)), prepared


def test_class_predictions(digits):
    net, prepared = digits
    found = predictions(net, prepared, "test", np.array([5, 0, 7]))
    assert found.task == "classification" and found.classes == tuple("0123456789")
    assert found.probabilities.shape == (3, 10)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(found.rows, prepared.test.rows[[5, 0, 7]])
    names = prepared.dataset.column("digit").values[found.rows]
    assert [found.classes[t] for t in found.truth] == list(names)
    np.testing.assert_array_equal(found.right, found.predicted == found.truth)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_confusion_agrees_with_accuracy_and_holds_every_sample_once(digits, part):
    net, prepared = digits
    found = confusion(net, prepared, part)
    whole = predictions(net, prepared, part)
    size = len(prepared.part(part))
    assert found.counts.shape == (10, 10) and found.counts.sum() == size and found.failed == 0
    assert found.accuracy == pytest.approx(Accuracy().measure(whole.probabilities, whole.truth))
    assert sorted(np.concatenate(list(found.cells.values()))) == list(range(size))
    for (truth, predicted), positions in found.cells.items():
        assert len(positions) == found.counts[truth, predicted]
        assert (whole.truth[positions] == truth).all() and (whole.predicted[positions] == predicted).all()


def test_two_classes_with_one_score():
    prepared = data("circles.v1")
    head = drawing({"in": Input(), "d": Dense(units=1), "out": Output(loss=BinaryCrossEntropy())},
                   ["in>d", "d>out"], prepared.signature.fields)
    net = Network(head, Device("cpu"), 3)
    found = predictions(net, prepared, "test")
    assert found.probabilities.shape == (len(prepared.test), 2)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, rtol=1e-6)
    answers = net.predict({"features": prepared.test.arrays["features"]})["out"]
    accuracy = Accuracy().measure(answers, prepared.test.arrays["target"])
    assert confusion(net, prepared, "test").accuracy == pytest.approx(accuracy)


def test_regression_comes_in_units_of_the_data():
    prepared = data("diabetes.v1")
    net = network(prepared, Dense(units=1))
    found = predictions(net, prepared, "test")
    truth = prepared.dataset.column("progression").values[prepared.test.rows]
    np.testing.assert_allclose(found.truth[:, 0], truth, rtol=1e-5)
    assert found.values.shape == (len(prepared.test), 1) and found.right is None
    points = scatter(net, prepared, "test")
    assert (points.name, points.head) == ("progression", "out")
    np.testing.assert_array_equal(points.truth, found.truth[:, 0])
    expected = 1 - np.square(found.values[:, 0] - truth).sum() / np.square(truth - truth.mean()).sum()
    assert points.r2 == pytest.approx(expected, rel=1e-4)
    few = scatter(net, prepared, "train", limit=10)
    assert len(few.truth) == 10 and few.positions[0] == 0 and few.positions[-1] == len(prepared.train) - 1
    with pytest.raises(ValueError, match="classifies"):
        confusion(net, prepared, "test")


def test_reconstructions_have_the_shape_and_range_of_pictures():
    prepared = data("digits.v1", DataSettings(roles={"digit": "ignore"}))
    net = network(prepared, Flatten(), Dense(units=64), Reshape(shape=(8, 8, 1)))
    found = predictions(net, prepared, "test", np.arange(4))
    assert found.task == "reconstruction" and found.values.shape == found.truth.shape == (4, 8, 8, 1)
    np.testing.assert_allclose(found.truth, prepared.dataset.column("image").values[found.rows], atol=1e-5)


def test_several_outputs_are_told_apart():
    prepared = data("iris.v1", DataSettings(roles={"petal width": "target"}))
    net = Network(drawing({
        "in": Input(), "a": Dense(units=3), "b": Dense(units=1), "classes": Output(target="target species"),
        "values": Output(target="target"),
    }, ["in>a", "in>b", "a>classes", "b>values"], prepared.signature.fields), Device("cpu"), 3)
    assert predictions(net, prepared, head="classes").probabilities.shape[1] == 3
    assert predictions(net, prepared, head="values").values.shape[1] == 1
    assert scatter(net, prepared, head="values").unit == "cm"
    with pytest.raises(ValueError, match="no such Output"):
        predictions(net, prepared, head="other")
    with pytest.raises(ValueError, match="predicts values"):
        scatter(net, prepared, head="classes")


def test_networks_that_diverged_have_no_class(digits):
    _, prepared = digits
    net = network(prepared, Flatten(), Dense(units=10))
    net.weights.views["n2/W"][:, 3] = np.nan
    found = predictions(net, prepared, "test")
    assert (found.predicted == -1).all() and not found.right.any()
    matrix = confusion(net, prepared, "test")
    assert matrix.failed == len(prepared.test) and matrix.counts.sum() == 0 and matrix.cells == {}
    assert matrix.accuracy == 0


def test_an_empty_part_has_no_answers(digits):
    net, _ = digits
    prepared = data("digits.v1", DataSettings(test=0))
    assert len(predictions(net, prepared, "test").positions) == 0
    matrix = confusion(net, prepared, "test")
    assert matrix.counts.sum() == 0 and np.isnan(matrix.accuracy)
    line = data("diabetes.v1", DataSettings(test=0))
    assert np.isnan(scatter(network(line, Dense(units=1)), line, "test").r2)


def test_ties_and_single_scores():
    assert list(most_likely(np.array([[0.5], [0.49], [np.nan]]))) == [1, 0, -1]
    assert list(most_likely(np.array([[0.5, 0.5], [0.1, 0.9], [np.inf, 0]]))) == [0, 1, -1]
    np.testing.assert_allclose(class_probabilities(np.array([[0.25]])), [[0.75, 0.25]])
