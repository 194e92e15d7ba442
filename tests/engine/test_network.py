"""Networks answer questions in batches, and take over the weights of another."""

import numpy as np
import pytest

from nndesigner.engine.device import Device
from nndesigner.engine.network import Network
from nndesigner.layers.dense import Dense
from tests.networks import chain, classes, features, random_arrays, values


def make(seed=1, units=8):
    checked = chain([Dense(units=units, activation="tanh"), Dense(units=3)], [features(4), classes(3)])
    return Network(checked, Device("cpu"), seed)


def by_hand(network: Network, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    w = network.weights.views
    hidden = np.tanh(x @ w["n1/W"] + w["n1/b"])
    scores = hidden @ w["n2/W"] + w["n2/b"]
    exp = np.exp(scores - scores.max(axis=1, keepdims=True))
    return hidden, exp / exp.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("count", [1, 2, 5, 1023, 1024, 1025, 2500])
def test_predictions_for_any_number_of_samples(count):
    network = make()
    x = random_arrays(network.checked, count)["features"]
    hidden, probabilities = by_hand(network, x)
    found = network.predict({"features": x})
    assert set(found) == {"out"} and found["out"].shape == (count, 3)
    np.testing.assert_allclose(found["out"], probabilities, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(network.activations({"features": x}, ["n1"])["n1"], hidden, rtol=1e-5, atol=1e-6)


def test_answers_are_copies_and_no_samples_give_no_answers():
    network = make()
    x = random_arrays(network.checked, 4)["features"]
    first = network.predict({"features": x})["out"]
    kept = first.copy()
    network.predict({"features": x + 1})
    np.testing.assert_array_equal(first, kept)
    assert network.predict({"features": x[:0]})["out"].shape == (0, 3)
    assert set(network.activations({"features": x})) == {"in", "n1", "n2"}
    np.testing.assert_array_equal(network.activations({"features": x}, ["out"])["out"], first)


def test_missing_inputs_are_named():
    with pytest.raises(ValueError, match="features"):
        make().predict({})


def test_values_are_answered_as_they_are():
    checked = chain([Dense(units=2)], [features(3), values(2)])
    network = Network(checked, Device("cpu"), 1)
    x = random_arrays(checked, 5)["features"]
    w = network.weights.views
    np.testing.assert_allclose(network.predict({"features": x})["out"], x @ w["n1/W"] + w["n1/b"], rtol=1e-6)


def test_the_seed_decides_the_weights():
    a, b, c = make(1).weights.state_dict(), make(1).weights.state_dict(), make(2).weights.state_dict()
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert not np.array_equal(a["n1/W"], c["n1/W"])


def test_weights_travel():
    first, second = make(1), make(2)
    x = random_arrays(first.checked, 10)["features"]
    second.weights.load(first.weights.state_dict())
    np.testing.assert_array_equal(first.predict({"features": x})["out"], second.predict({"features": x})["out"])


def test_weights_of_another_network_are_refused_and_change_nothing():
    network, other = make(), make(units=9)
    before = network.weights.state_dict()
    with pytest.raises(ValueError, match="n1/W has shape"):
        network.weights.load(other.weights.state_dict())
    with pytest.raises(ValueError, match="missing"):
        network.weights.load({})
    after = network.weights.state_dict()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_flat_buffers_hold_every_array_and_decay_spares_biases():
    weights = make().weights
    assert weights.count == 4 * 8 + 8 + 8 * 3 + 3
    mask = weights.decay_mask()
    by_name = weights.unflatten(mask)
    assert all((by_name[name] == name.endswith("W")).all() for name in by_name)
    weights.values[...] = 0
    assert not any(view.any() for view in weights.views.values())
    copied = weights.zeros_like()
    weights.views["n1/W"][...] = 2
    weights.flatten(weights.unflatten(weights.values), copied)
    np.testing.assert_array_equal(copied, weights.values)


@pytest.mark.parametrize("training", [True, False])
def test_an_empty_batch_is_refused_with_a_sentence(training):
    with pytest.raises(ValueError, match="at least one sample, got 0"):
        make().plan(0, training)
