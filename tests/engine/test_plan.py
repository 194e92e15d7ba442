"""A plan computes what the drawing says, with the right gradients, and allocates nothing in a steady step."""

import tracemalloc

import numpy as np
import pytest

from nndesigner.engine.device import Device
from nndesigner.engine.network import Network
from nndesigner.engine.order import postponed_ends
from nndesigner.engine.plan import NodeError, Plan
from nndesigner.engine.random import generator
from nndesigner.engine.weights import ALIGN
from nndesigner.layers.activation import ReLU
from nndesigner.layers.base import Bind, Layer, Step
from nndesigner.layers.conv import Conv2D
from nndesigner.layers.dense import FEW, Dense
from nndesigner.layers.globalpool import GlobalAvgPool2D
from nndesigner.layers.io import Input, Output
from nndesigner.layers.merge import Add, Concatenate
from nndesigner.layers.norm import BatchNorm
from nndesigner.layers.pool import AvgPool2D, MaxPool2D
from nndesigner.layers.regular import Dropout
from nndesigner.layers.reshape import Flatten
from nndesigner.layers.squash import Tanh
from nndesigner.spec import Shape
from tests.networks import chain, classes, drawing, features, image, random_arrays, values


class _Sum(Layer):
    """Sum of all inputs."""

    title = "Sum"
    many = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        def forward() -> None:
            ctx.y[...] = sum(ctx.x)

        def backward() -> None:
            for dx in ctx.dx:
                if dx is not None:
                    dx[...] = ctx.dy

        return forward, backward


class _Difference(_Sum):
    """First minus twice the second input."""

    title = "Difference"
    many = False
    ports = ("a", "b")

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        def forward() -> None:
            ctx.y[...] = ctx.x[0] - 2 * ctx.x[1]

        def backward() -> None:
            if ctx.dx[0] is not None:
                ctx.dx[0][...] = ctx.dy
            if ctx.dx[1] is not None:
                ctx.dx[1][...] = -2 * ctx.dy

        return forward, backward


class _View(Layer):
    """The same values as a column of time steps or as features."""

    title = "View"
    view = True

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        return Shape("TF", (shape.size, 1)) if shape.axes == "F" else Shape("F", (shape.size,))


def network_of(checked, dtype=np.float64, seed=3) -> Network:
    return Network(checked, Device("cpu"), seed, dtype)


def load(plan: Plan, arrays, rows=slice(None)) -> None:
    for feed in plan.feeds:
        feed.buffer[...] = arrays[feed.field][rows].reshape(feed.buffer.shape)


def total_loss(network: Network, plan: Plan) -> float:
    plan.forward()
    return sum(network.heads[n].weight * float(plan.losses[i]) for i, n in enumerate(plan.predictions))


def check_gradient(checked, batch=5) -> None:
    """The slope along a random direction in all weights equals the plan's gradient times the direction."""
    network = network_of(checked)
    plan = network.plan(batch, training=True)
    load(plan, random_arrays(checked, batch))
    weights = network.weights
    rng = generator(1, "test")
    for view in weights.views.values():
        view[...] = rng.standard_normal(view.shape) * 0.5
    base = weights.values.copy()
    direction = rng.standard_normal(base.shape) / np.sqrt(base.size)
    direction[weights.values == 0] = 0
    ends = []
    for step in (1e-5, -1e-5):
        weights.values[...] = base + step * direction
        ends.append(total_loss(network, plan))
    weights.values[...] = base
    total_loss(network, plan)
    weights.grads[...] = np.nan  # every gradient must be written
    for view in weights.gradients.views.values():
        assert np.isnan(view).all()
    weights.grads[...] = 0
    plan.backward()
    assert weights.grads.dot(direction) == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6, abs=1e-9)


NETWORKS = {
    "chain": lambda: chain([Dense(units=4, activation="tanh"), Dense(units=3)], [features(3), classes(3)]),
    "views": lambda: chain(
        [Dense(units=4), _View(), Dense(units=2, activation="tanh"), _View(), Dense(units=1)], [features(3), values()]),
    "fan-out": lambda: drawing(
        {"in": Input(), "d": Dense(units=4), "t": Tanh(), "r": Dense(units=4), "s": _Sum(), "o": Dense(units=1),
         "out": Output()},
        ["in>d", "d>t", "t>r", "t>s", "r>s", "d>s", "s>o", "o>out"], [features(3), values()]),
    "one source on two ports": lambda: drawing(
        {"in": Input(), "d": Dense(units=4), "m": _Difference(), "t": Tanh(), "o": Dense(units=1), "out": Output()},
        ["in>d", "d>m:b", "d>m:a", "m>t", "t>o", "o>out"], [features(3), values()]),
    "fan-out through views": lambda: drawing(
        {"in": Input(), "d": Dense(units=4), "v": _View(), "w": _View(), "t": Tanh(), "s": _Sum(), "o": Dense(units=1),
         "out": Output()},
        ["in>d", "d>v", "v>t", "t>w", "w>s", "d>s", "s>o", "o>out"], [features(3), values()]),
    "several inputs and outputs": lambda: drawing(
        {"a": Input(field="left"), "b": Input(field="right"), "d": Dense(units=4), "e": Dense(units=4), "s": _Sum(),
         "t": Tanh(), "o": Dense(units=1), "p": Dense(units=3), "out": Output(target="height", weight=0.3),
         "out2": Output(target="colour", weight=2.0)},
        ["a>d", "b>e", "d>s", "e>s", "s>t", "t>o", "t>p", "o>out", "p>out2"],
        [features(3, "left"), features(2, "right"), values(1, "height"), classes(3, "colour")]),
    "reconstruction": lambda: chain([Dense(units=2, activation="tanh"), Dense(units=5)], [features(5)]),
    "convolution": lambda: chain(
        [Conv2D(filters=3, kernel=(3, 3), activation="tanh"), BatchNorm(), AvgPool2D(), Flatten(), Dense(units=3)],
        [image(6, 6, 2), classes(3)]),
    "residual": lambda: drawing(
        {"in": Input(), "d": Dense(units=4), "b": BatchNorm(), "t": Tanh(), "e": Dense(units=4), "s": Add(),
         "c": Concatenate(), "o": Dense(units=3), "out": Output()},
        ["in>d", "d>b", "b>t", "t>e", "e>s", "d>s", "s>c", "t>c", "c>o", "o>out"], [features(3), classes(3)]),
    "no weights before the first": lambda: chain([Tanh(), Dense(units=2)], [features(3), values(2)]),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_of_the_whole_drawing(name):
    check_gradient(NETWORKS[name]())


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_are_written_everywhere(name):
    checked = NETWORKS[name]()
    network = network_of(checked)
    plan = network.plan(4, training=True)
    load(plan, random_arrays(checked, 4))
    network.weights.grads[...] = np.nan
    plan.forward()
    plan.backward()
    for key, view in network.weights.gradients.views.items():
        assert np.isfinite(view).all(), key


def test_layers_on_the_data_compute_no_input_gradient():
    seen = {}

    class _Spy(_Sum):
        def bind(self, ctx: Bind) -> tuple[Step, Step]:
            seen["dx"], seen["dy"] = ctx.dx, ctx.dy
            return super().bind(ctx)

    checked = drawing({"in": Input(), "d": Dense(units=3), "s": _Spy(), "o": Dense(units=1), "out": Output()},
                      ["in>s", "in>d", "d>s", "s>o", "o>out"], [features(3), values()])
    network_of(checked).plan(2, training=True)
    assert seen["dx"][0] is None and seen["dx"][1] is not None and seen["dy"].shape == (2, 3)
    network_of(checked).plan(2, training=False)
    assert seen["dx"] == (None, None)


def test_a_branch_that_leads_nowhere_is_left_out_of_training():
    checked = drawing({"in": Input(), "d": Dense(units=2), "dead": Dense(units=7), "out": Output()},
                      ["in>d", "in>dead", "d>out"], [features(3), values(2)])
    network = network_of(checked)
    plan = network.plan(4, training=True)
    assert "dead" not in plan.order
    plan.forward()
    plan.backward()
    assert not network.weights.gradients.views["dead/W"].any()
    assert network.activations({"features": np.ones((4, 3))}, ["dead"])["dead"].shape == (4, 7)


#: NumPy's own working space while it broadcasts: 8192 elements for each operand, given back at once.
NUMPY_BYTES = 200_000


def test_a_steady_step_allocates_nothing():
    checked = chain([Dense(units=64, activation="relu"), Dense(units=64, activation="tanh"), Dense(units=64)],
                    [features(100), classes(64)])
    assert_no_allocation(checked, 2048)


def test_a_steady_step_of_a_convolutional_network_allocates_nothing():
    checked = chain(
        [Conv2D(filters=8, kernel=(3, 3), activation="relu"), BatchNorm(), MaxPool2D(),
         Conv2D(filters=16, kernel=(3, 3), activation="relu"), MaxPool2D(), Flatten(), Dropout(rate=0.25),
         Dense(units=256, activation="relu"), Dense(units=256)],
        [image(16, 16, 4), classes(256)])
    assert_no_allocation(checked, 512)


def assert_no_allocation(checked, batch: int) -> None:
    """Nothing as large as the values of a node comes and goes, and nothing stays."""
    network = network_of(checked, np.float32)
    plan = network.plan(batch, training=True)
    load(plan, random_arrays(checked, batch))
    assert min(plan.values[n].nbytes for n in plan.values) > 2 * NUMPY_BYTES

    def steps() -> None:
        for _ in range(3):
            plan.forward()
            plan.backward()

    steps()
    tracemalloc.start()
    steps()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    steps()
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - before < NUMPY_BYTES, f"{peak - before} bytes were allocated in a step"
    assert after - before < 16_384  # Python keeps some small objects (tuples) to use them again, up to a limit


def test_training_needs_less_memory_than_all_buffers_together():
    layers = [layer for _ in range(6) for layer in (Dense(units=256), ReLU())]
    checked = chain([*layers, Dense(units=1)], [features(256), values()])
    network = network_of(checked, np.float32)
    plan = network.plan(64, training=True)
    every = sum(plan.values[n].nbytes for n in plan.order if n in plan.values) * 2
    assert network._arenas[0]._block.nbytes < 0.65 * every
    answering = network_of(checked, np.float32)
    answering.plan(64, training=False)
    assert answering._arenas[0]._block.nbytes < 0.3 * every


def test_plans_of_other_sizes_share_memory_and_do_no_harm():
    checked = NETWORKS["fan-out"]()
    arrays = random_arrays(checked, 8)

    def gradient(between: bool) -> np.ndarray:
        network = network_of(checked)
        plan = network.plan(8, training=True)
        if between:
            other = network.plan(3, training=True)
            load(other, arrays, slice(0, 3))
            other.forward()
            other.backward()
            network.activations({"features": arrays["features"]})
        load(plan, arrays)
        plan.forward()
        plan.backward()
        return network.weights.grads.copy()

    np.testing.assert_array_equal(gradient(False), gradient(True))


def test_a_partial_batch_gives_the_gradient_of_its_samples():
    checked = NETWORKS["chain"]()
    arrays = random_arrays(checked, 3)
    network = network_of(checked)
    gradients = []
    for rows in ([0, 1, 2], [0], [1], [2]):
        plan = network.plan(len(rows), training=True)
        load(plan, {k: v[rows] for k, v in arrays.items()})
        plan.forward()
        plan.backward()
        gradients.append(network.weights.grads.copy())
    np.testing.assert_allclose(gradients[0], np.mean(gradients[1:], axis=0), rtol=1e-12, atol=1e-15)


class _Broken(_Sum):
    """Fails when told."""

    title = "Broken"
    many = False
    at: str = "run"

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        if self.at == "bind":
            raise ValueError("the numbers do not fit")

        def forward() -> None:
            raise ZeroDivisionError("division by zero")

        return forward, forward


@pytest.mark.parametrize(("at", "words"), [("bind", "could not be prepared: the numbers do not fit"),
                                           ("run", "failed while it was computed: division by zero")])
def test_a_failing_layer_is_named(at, words):
    checked = chain([Dense(units=2), _Broken(at=at), Dense(units=1)], [features(2), values()])
    with pytest.raises(NodeError, match=words) as caught:
        network_of(checked).plan(2, training=True).forward()
    assert caught.value.node == "n2"


@pytest.mark.parametrize("batch", [1, 7])
def test_weights_and_bias_in_one_product_give_what_they_give_apart(batch, monkeypatch):
    checked = chain([Dense(units=5, activation="tanh"), Dense(units=4, bias=False), Dense(units=3)],
                    [features(3), classes(3)])
    arrays, found = random_arrays(checked, batch), []
    for few in (FEW, 0):
        monkeypatch.setattr("nndesigner.layers.dense.FEW", few)
        network = network_of(checked)
        for view in network.weights.views.values():
            view[...] = generator(1, "test").standard_normal(view.shape)
        plan = network.plan(batch, training=True)
        load(plan, arrays)
        plan.forward()
        plan.backward()
        found.append((plan.predictions["out"].copy(), network.weights.grads.copy()))
        assert [s.start % ALIGN for s in network.weights.segments if not s.name.endswith("/b")] == [0, 0, 0]
    for together, apart in zip(*found, strict=True):
        assert together.any()
        np.testing.assert_allclose(together, apart, rtol=1e-12, atol=1e-14)


def test_the_first_value_that_is_not_finite_is_found():
    checked = chain([Dense(units=2), Dense(units=2), Dense(units=1)], [features(2), values()])
    network = network_of(checked)
    plan = network.plan(2, training=True)
    load(plan, random_arrays(checked, 2))
    assert plan.first_not_finite() is None
    network.weights.views["n2/b"][0] = np.inf
    assert plan.first_not_finite() == "n2"
    plan.feeds[0].buffer[0] = np.nan
    assert plan.first_not_finite() == "in"


@pytest.mark.parametrize("activation", ["none", "relu", "tanh"])
@pytest.mark.parametrize("channels", [1, 40])  # by windows, and by Winograd
def test_bias_and_activation_behind_a_max_pool_answer_the_same_bits(activation, channels):
    nodes = {"in": Input(), "a": Conv2D(filters=40, activation=activation), "pool": MaxPool2D(padding="same"),
             "b": Conv2D(filters=40, activation=activation), "pool2": MaxPool2D(), "seen": GlobalAvgPool2D(),
             "flat": Flatten(), "both": Concatenate(), "d": Dense(units=3), "out": Output()}
    checked = drawing(nodes, ["in>a", "a>pool", "pool>b", "b>pool2", "b>seen", "pool2>flat", "flat>both", "seen>both",
                              "both>d", "d>out"], [image(9, 9, channels), classes(3)])
    # the second convolution is read twice, so it must not be left unfinished
    assert postponed_ends(checked) == ({} if activation == "tanh" else {"pool": "a"})
    network = network_of(checked, np.float32)
    rng = np.random.default_rng(0)
    for name in ("a/b", "b/b"):
        network.weights.views[name][...] = rng.standard_normal(40)
    inputs = {"image": rng.standard_normal((5, 9, 9, channels)).astype(np.float32)}
    wanted = network.activations(inputs, ["out"])["out"]
    np.testing.assert_array_equal(network.predict(inputs)["out"], wanted)
