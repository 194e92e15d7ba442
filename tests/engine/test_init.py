"""Initial weights have the variance their name promises, and "auto" looks at the activation that follows."""

import numpy as np
import pytest

from nndesigner.engine.init import INITIALISERS, activation_after, initial
from nndesigner.engine.random import generator
from nndesigner.layers.activation import ReLU
from nndesigner.layers.base import Weight
from nndesigner.layers.dense import Dense
from nndesigner.layers.io import Input, Output
from nndesigner.layers.squash import Tanh
from tests.networks import chain, drawing, features, values

WEIGHT = Weight((200, 300), "auto", fan_in=200, fan_out=300)


@pytest.mark.parametrize(("name", "variance"), [
    ("he_normal", 2 / 200), ("he_uniform", 2 / 200), ("glorot_normal", 2 / 500), ("glorot_uniform", 2 / 500),
    ("lecun_normal", 1 / 200), ("lecun_uniform", 1 / 200), ("small_normal", 0.05**2), ("zeros", 0.0),
])
def test_variances(name, variance):
    weight = Weight(WEIGHT.shape, name, WEIGHT.fan_in, WEIGHT.fan_out)
    found = initial(weight, "", generator(1, "weights"))
    assert found.shape == weight.shape
    assert found.var() == pytest.approx(variance, rel=0.03)
    assert abs(found.mean()) < 1e-3 or name == "ones"


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 3, 2, 8)])
def test_orthogonal(shape):
    found = initial(Weight(shape, "orthogonal"), "", generator(1, "weights")).reshape(-1, shape[-1])
    square = found.T @ found if found.shape[0] >= found.shape[1] else found @ found.T
    np.testing.assert_allclose(square, np.eye(len(square)), atol=1e-12)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="he_normal"):
        initial(Weight((2,), "magic"), "", generator(1, "weights"))
    assert "ones" in INITIALISERS


def test_auto_follows_the_activation():
    rectified, plain = (initial(WEIGHT, a, generator(1, "weights")).var() for a in ("relu", "tanh"))
    assert rectified == pytest.approx(2 / 200, rel=0.03) and plain == pytest.approx(2 / 500, rel=0.03)


def test_activation_after_looks_at_own_next_and_stops_at_the_next_weights():
    checked = chain([Dense(units=4, activation="gelu"), Dense(units=4), ReLU(), Dense(units=4), Tanh(), Dense(units=1)],
                    [features(2), values()])
    found = [activation_after(checked, f"n{i}") for i in (1, 2, 4, 6)]
    assert found == ["gelu", "relu", "tanh", ""]
    # Two consumers: no single activation follows.
    checked = drawing(
        {"in": Input(), "d": Dense(units=3), "a": ReLU(), "b": Tanh(), "o": Dense(units=1), "p": Dense(units=1),
         "out": Output(), "out2": Output(target="second")},
        ["in>d", "d>a", "d>b", "a>o", "b>p", "o>out", "p>out2"], [features(2), values(), values(1, "second")])
    assert activation_after(checked, "d") == ""
