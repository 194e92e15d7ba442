"""What a network thinks of each sample, and which labels are suspect (confident learning)."""

import numpy as np

from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import Source, quiet
from nndesigner.engine.device import Device
from nndesigner.engine.network import Network
from nndesigner.insight.answers import predictions
from nndesigner.insight.judging import Judged, gathered, judge
from nndesigner.layers.dense import Dense
from tests.networks import chain


def judged(part, rows, truth, probabilities):
    p = np.asarray(probabilities, dtype=np.float32)
    truth, answer, places = np.asarray(truth), p.argmax(axis=1), np.arange(len(p))
    return Judged(part, np.asarray(rows), -np.log(p[places, truth]), ("a", "b"), truth, answer, p[places, truth],
                  p[places, answer])


def test_suspects_are_contradicted_more_surely_than_their_class_is_usually_known():
    good = [[0.9, 0.1]] * 6 + [[0.2, 0.8]] * 6
    test = judged("test", range(12), [0] * 6 + [1] * 6, good)
    train = judged("train", [20, 21, 22, 23], [0, 0, 1, 0], [[0.1, 0.9], [0.3, 0.7], [0.03, 0.97], [0.02, 0.98]])
    found = gathered([train, test], 30)
    # Row 21 is contradicted, but less surely (0.7) than class b is usually known (0.8).
    assert found.suspects.tolist() == [23, 20]
    assert found.answer[21] == 1 and not found.right[21] and found.right[0]
    assert np.isnan(found.loss[15]) and found.answer[15] == -1
    np.testing.assert_allclose(found.doubt[[0, 23]], [0.1, 0.02], atol=1e-6)


def test_thresholds_come_from_training_samples_only_where_there_are_no_others():
    train = judged("train", range(8), [0] * 4 + [1] * 4, [[0.6, 0.4]] * 3 + [[0.3, 0.7]] + [[0.4, 0.6]] * 4)
    assert gathered([train], 8).suspects.tolist() == [3]


def test_values_have_a_loss_and_no_suspects():
    found = gathered([Judged("test", np.array([1, 2]), np.array([0.5, 0.1], np.float32))], 4)
    assert found.classes == () and not len(found.suspects)
    np.testing.assert_array_equal(found.loss, np.array([np.nan, 0.5, 0.1, np.nan], np.float32))


def data(kind):
    return prepare(Source.registry[kind]().load(quiet), DataSettings())


def test_the_samples_of_a_network_are_judged_piece_by_piece():
    prepared = data("iris.v1")
    network = Network(chain([Dense(units=3)], prepared.signature.fields), Device("cpu"), 3)
    pieces = [judge(network, prepared, "test", start, min(start + 5, len(prepared.test)))
              for start in range(0, len(prepared.test), 5)]
    found, whole = gathered(pieces, 150), predictions(network, prepared, "test")
    rows, places = prepared.test.rows, np.arange(len(prepared.test))
    np.testing.assert_array_equal(found.answer[rows], whole.predicted)
    np.testing.assert_allclose(found.loss[rows], -np.log(whole.probabilities[places, whole.truth]), rtol=1e-5)
    assert np.isnan(np.delete(found.loss, rows)).all()


def test_the_loss_of_values_is_their_squared_error_in_scaled_units():
    prepared = data("diabetes.v1")
    network = Network(chain([Dense(units=1)], prepared.signature.fields), Device("cpu"), 3)
    found = judge(network, prepared, "validation", 0, 10)
    arrays = prepared.validation.arrays
    answers = next(iter(network.predict({"features": arrays["features"][:10]}).values()))
    np.testing.assert_allclose(found.loss, np.square(answers - arrays["target"][:10])[:, 0], rtol=1e-3)
