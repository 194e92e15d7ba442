"""Accumulation, clipping, penalties, largest norms and averaged weights do what their formulas say, and resume."""

import numpy as np
import pytest

from nndesigner.engine import optimizers, schedules
from nndesigner.engine.device import Device
from nndesigner.layers.conv import Conv2D, ConvTranspose2D
from nndesigner.layers.dense import Dense
from nndesigner.layers.depthwise import DepthwiseConv2D
from nndesigner.layers.norm import BatchNorm
from nndesigner.layers.regular import Dropout
from nndesigner.layers.reshape import Flatten
from nndesigner.training.averaging import ExponentialAverage, StochasticAverage
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer
from tests.networks import chain, classes, features, image, prepared, random_arrays, values
from tests.training.test_trainer import assert_same, make, state_of, through_json

SGD = optimizers.SGD(learning_rate=0.1)


def linear(layer=None):
    return chain([layer or Dense(units=1)], [features(3), values()])


def run_steps(trainer, count):
    before = trainer.network.weights.values.copy()
    for _ in range(count):
        trainer.step()
    return trainer.network.weights.values - before


@pytest.mark.parametrize("threads", [1, 2])
def test_gathered_batches_are_one_large_batch(threads):
    checked = linear()
    arrays = random_arrays(checked, 47)  # 4 batches of 10 and one of 7: updates after 3 batches and after 2
    data = prepared(checked, arrays)
    ends = []
    for batch, count in ((10, 3), (30, 1)):
        settings = TrainSettings(batch_size=batch, accumulate=count, epochs=1, optimizer=SGD)
        trainer = Trainer(checked, data, settings, Device("cpu"), threads=threads)
        trainer.run()
        ends.append(trainer.network.weights.values.copy())
    np.testing.assert_allclose(*ends, rtol=1e-5, atol=1e-7)


def test_weights_wait_until_enough_batches_came():
    checked = linear()
    trainer = make(checked, arrays=random_arrays(checked, 80), validation=0, batch_size=10, accumulate=3)
    assert not run_steps(trainer, 2).any()
    assert run_steps(trainer, 1).any()


def test_clipping_by_value_cuts_each_number():
    checked = linear()
    arrays = {k: 100 * v for k, v in random_arrays(checked, 64).items()}
    moved = run_steps(make(checked, arrays=arrays, validation=0, clip_value=0.5,
                           optimizer=optimizers.SGD(learning_rate=1.0)), 1)
    assert np.abs(moved).max() == pytest.approx(0.5, rel=1e-5)


def test_penalties_add_their_slope():
    moved = {}
    for name, layer in (("without", Dense(units=1)), ("with", Dense(units=1, l1=0.01, l2=0.2))):
        checked = linear(layer)
        trainer = make(checked, arrays=random_arrays(checked, 64), validation=0, optimizer=SGD)
        start = trainer.network.weights.state_dict()
        run_steps(trainer, 1)
        end = trainer.network.weights.state_dict()
        moved[name] = {key: end[key] - start[key] for key in end}
    expected = -0.1 * (0.01 * np.sign(start["n1/W"]) + 2 * 0.2 * start["n1/W"])
    np.testing.assert_allclose(moved["with"]["n1/W"] - moved["without"]["n1/W"], expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(moved["with"]["n1/b"], moved["without"]["n1/b"])


@pytest.mark.parametrize(("layer", "axes"), [
    (Dense(units=4, max_norm=0.3), (0,)), (Conv2D(filters=3, max_norm=0.3), (0, 1, 2)),
    (ConvTranspose2D(filters=3, max_norm=0.3), (0, 1, 3)), (DepthwiseConv2D(max_norm=0.3), (0, 1)),
], ids=lambda v: getattr(v, "kind", ""))
def test_no_vector_of_weights_is_longer_than_its_largest_norm(layer, axes):
    before = [Flatten()] if isinstance(layer, Dense) else []
    checked = chain([*before, layer, Flatten(), Dense(units=2)][:-2 if before else None] + (
        [Dense(units=2)] if before else []), [image(4, 4, 2), classes(2)])
    trainer = make(checked, arrays=random_arrays(checked, 64))
    trainer.step()
    name = next(s.name for s in trainer.network.weights.segments if s.penalty is not None)
    norms = np.sqrt(np.sum(np.square(trainer.network.weights.views[name]), axis=axes))
    assert norms.max() == pytest.approx(0.3, rel=1e-4) and (norms < 0.3 + 1e-4).all()


def test_the_exponential_average_is_its_formula():
    checked = linear()
    arrays = random_arrays(checked, 64)
    plain = make(checked, arrays=arrays, validation=0, epochs=4, optimizer=SGD)
    averaged = make(checked, arrays=arrays, validation=0, epochs=4, optimizer=SGD,
                    averaging=ExponentialAverage(decay=0.5))
    mean = None
    for count in range(6):
        plain.step()
        averaged.step()
        now = plain.network.weights.values.astype(np.float64)
        mean = now if mean is None else mean + (1 - min(0.5, (1 + count) / (10 + count))) * (now - mean)
        np.testing.assert_allclose(averaged.network.weights.values, mean, rtol=1e-5, atol=1e-7)
    with averaged.working():
        np.testing.assert_array_equal(averaged.network.weights.values, plain.network.weights.values)


def test_the_mean_of_the_last_epochs_is_used_measured_and_saved():
    checked = linear()
    arrays = random_arrays(checked, 100)
    plain = make(checked, arrays=arrays, epochs=4, optimizer=SGD)
    averaged = make(checked, arrays=arrays, epochs=4, optimizer=SGD, averaging=StochasticAverage(start=0.5))
    ends = []
    while not plain.finished:
        plain.step()
        if plain.step_number % plain.steps_per_epoch == 0:
            ends.append(plain.network.weights.values.copy())
    averaged.run()
    np.testing.assert_allclose(averaged.network.weights.values, (ends[2] + ends[3]) / 2, rtol=1e-5)
    assert averaged.evaluate("validation")["loss"] == averaged.history.metrics["val", "loss"]
    saved = averaged.checkpoint()
    np.testing.assert_array_equal(saved.part("weights")["n1/W"], averaged.network.weights.views["n1/W"])


@pytest.mark.parametrize("averaging", [ExponentialAverage(decay=0.9), StochasticAverage(start=0.3)])
@pytest.mark.parametrize("steps", [0, 1, 4, 13, 20, 22, 36])
def test_a_resumed_run_is_the_uninterrupted_one(averaging, steps):
    layers = [Dense(units=12, activation="tanh", l2=0.01, max_norm=2.0), BatchNorm(), Dropout(rate=0.3), Dense(units=2)]
    checked = chain(layers, [features(2), classes(2)])
    settings = dict(averaging=averaging, accumulate=4, clip_value=0.5, early_stopping=3, schedule=schedules.OneCycle())
    whole = make(checked, **settings)
    whole.run()
    part = make(checked, **settings)
    for _ in range(steps):
        part.step()
    resumed = make(checked, through_json(part.checkpoint()), **settings)
    resumed.run()
    assert_same(state_of(whole), state_of(resumed))
    assert whole.checkpoint().state == resumed.checkpoint().state
