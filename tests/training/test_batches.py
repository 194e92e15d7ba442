"""Steps on several threads: the same gradients, the same bits again, and only where they are allowed."""

import gc
import weakref

import numpy as np
import pytest

from nndesigner.engine import optimizers, pool
from nndesigner.engine.device import Device
from nndesigner.engine.losses.classes import CrossEntropy
from nndesigner.engine.network import Network
from nndesigner.engine.pool import parts_of
from nndesigner.layers.activation import ReLU
from nndesigner.layers.dense import Dense
from nndesigner.layers.io import Input, Output
from nndesigner.layers.norm import BatchNorm
from nndesigner.layers.regular import Dropout
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer
from tests.networks import chain, classes, drawing, features, prepared, random_arrays, values


def two_heads():
    return drawing(
        {"in": Input(), "d": Dense(units=20, activation="tanh"), "a": Dense(units=3), "b": Dense(units=1),
         "out": Output(target="colour", weight=0.5), "out2": Output(target="height")},
        ["in>d", "d>a", "d>b", "a>out", "b>out2"], [features(6), classes(3, "colour"), values(1, "height")])


def with_dropout():
    return chain([Dense(units=20, activation="relu"), Dropout(rate=0.3), Dense(units=3)], [features(6), classes(3)])


def make(checked, threads, checkpoint=None, **settings) -> Trainer:
    data = prepared(checked, random_arrays(checked, 203), validation=40)
    settings = TrainSettings(**{"epochs": 3, "batch_size": 37, **settings})
    return Trainer(checked, data, settings, Device("cpu"), checkpoint, threads)


@pytest.mark.parametrize(("threads", "batch"), [(2, 37), (3, 37), (3, 54)])
@pytest.mark.parametrize("optimizer", [optimizers.Adam(weight_decay=0.1), optimizers.Nesterov()])
def test_threads_compute_the_same_run_but_for_rounding(threads, batch, optimizer):
    """163 samples: the last batch has 15, or one, fewer than threads."""
    settings = dict(optimizer=optimizer, clip_norm=0.5, batch_size=batch)
    one, several = (make(two_heads(), n, **settings) for n in (1, threads))
    one.run()
    several.run()
    a, b = one.checkpoint().arrays, several.checkpoint().arrays
    for name in a:
        np.testing.assert_allclose(b[name], a[name], rtol=2e-3, atol=2e-4, err_msg=name)
    assert one.history.metrics.keys() == several.history.metrics.keys()


def with_batch_norm(weights=()):
    loss = CrossEntropy(class_weights=weights)
    return chain([Dense(units=20), BatchNorm(), ReLU(), Dense(units=9), BatchNorm(), Dense(units=3)],
                 [features(6), classes(3)], Output(loss=loss))


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("weights", [(), (1.0, 2.0, 5.0)])
def test_layers_and_losses_that_need_the_whole_batch_get_it(threads, weights):
    one, several = (make(with_batch_norm(weights), n, epochs=2, batch_size=41, optimizer=optimizers.Nesterov())
                    for n in (1, threads))
    one.run()
    several.run()
    a, b = one.checkpoint().arrays, several.checkpoint().arrays
    for name in a:
        np.testing.assert_allclose(b[name], a[name], rtol=5e-3, atol=5e-4, err_msg=name)


def test_a_layer_that_fails_in_one_part_leaves_no_other_waiting(monkeypatch):
    trainer = make(with_batch_norm(), 2)
    wanted = make(with_batch_norm(), 2)
    wanted.step()
    second = trainer._full.plans[1]
    good = list(second._forward)

    def fail():
        raise MemoryError("full")

    second._forward[0] = fail
    before = trainer.network.weights.values.copy()
    with pytest.raises(MemoryError, match="full"):
        trainer.step()
    np.testing.assert_array_equal(trainer.network.weights.values, before)
    second._forward[:] = good
    trainer.network.weights.running[...] = make(with_batch_norm(), 2).network.weights.running
    trainer.step()
    np.testing.assert_array_equal(trainer.network.weights.values, wanted.network.weights.values)


@pytest.mark.parametrize("steps", [0, 3, 8])
@pytest.mark.parametrize("drawn", ["with_dropout", "with_batch_norm"])
def test_a_run_on_threads_repeats_and_resumes_to_the_bit(steps, drawn):
    drawn = globals()[drawn]()
    first, again, part = (make(drawn, 2) for _ in range(3))
    first.run()
    again.run()
    for _ in range(steps):
        part.step()
    resumed = make(drawn, None, part.checkpoint())
    assert resumed.threads == 2
    resumed.run()
    for name, array in first.checkpoint().arrays.items():
        np.testing.assert_array_equal(again.checkpoint().arrays[name], array, err_msg=name)
        np.testing.assert_array_equal(resumed.checkpoint().arrays[name], array, err_msg=name)


def test_parts_of_a_batch_draw_different_random_numbers():
    checked = chain([Dropout(rate=0.5), Dense(units=1)], [features(50), values()])
    arrays = {"features": np.ones((40, 50), np.float32), "target": np.zeros((40, 1), np.float32)}
    trainer = Trainer(checked, prepared(checked, arrays), TrainSettings(batch_size=40), Device("cpu"), None, 2)
    trainer.step()
    first, second = (plan.values["n1"] for plan in trainer._full.plans)
    assert not np.array_equal(first, second) and set(np.unique(first)) == {0.0, 2.0}


@pytest.mark.parametrize("checked", [with_dropout(), with_batch_norm()])
def test_a_value_that_is_not_finite_is_found_in_any_part(checked):
    arrays = random_arrays(checked, 40)
    arrays["features"][20:, 0] = np.nan
    trainer = Trainer(checked, prepared(checked, arrays), TrainSettings(batch_size=40), Device("cpu"), None, 2)
    with pytest.raises(RuntimeError, match="data hold such values"):
        trainer.step()


def test_an_optimizer_that_needs_whole_arrays_updates_on_one_thread(monkeypatch):
    monkeypatch.setattr(optimizers.Adam, "elementwise", False)
    trainer = make(with_dropout(), 2)
    whole = make(with_dropout(), 2)
    trainer.run()
    monkeypatch.setattr(optimizers.Adam, "elementwise", True)
    whole.run()
    assert len(trainer._update._updates) == 1
    np.testing.assert_allclose(trainer.network.weights.values, whole.network.weights.values, rtol=1e-5, atol=1e-7)


def test_when_threads_pay(monkeypatch):
    monkeypatch.setattr(pool, "_cores", lambda: 4)
    fields = [features(1000), classes(10)]
    large = Network(chain([Dense(units=1000, activation="relu"), Dense(units=10)], fields), Device("cpu"), 1)
    assert large.useful_threads(512) == 4
    assert large.useful_threads(16) == 1  # too little work
    normed = Network(chain([Dense(units=1000), BatchNorm(), Dense(units=10)], fields), Device("cpu"), 1)
    assert normed.useful_threads(512) == 4
    huge = Network(chain([Dense(units=3000), Dense(units=3000), Dense(units=10)], fields), Device("cpu"), 1)
    assert huge.useful_threads(8) == 1
    assert huge.useful_threads(20) == 2  # parts of eight samples, or fewer that are worth a thread
    monkeypatch.setattr(pool, "_cores", lambda: 64)
    assert large.useful_threads(4096) == 8


def test_answers_on_threads_are_those_of_one(monkeypatch):
    """Also where the samples fill neither the threads nor the rooms of their plans, and for each by itself."""
    monkeypatch.setattr(pool, "_cores", lambda: 3)
    monkeypatch.setattr(pool, "WORTH", 3000)
    checked = with_batch_norm()
    network, alone = (Network(checked, Device("cpu"), 1, threads=n) for n in (None, 1))
    rows = np.random.default_rng(0).standard_normal((5000, 6)).astype(np.float32)
    for count in (1, 9, 45, 1000, 5000):
        assert len(network.answering(min(count, network.answer_batch))) == (1 if count < 16 else 2 if count < 24 else 3)
        inputs = {"features": rows[:count]}
        found, wanted = (n.activations(inputs, ["n2", "out"]) for n in (network, alone))
        for name in wanted:
            assert len(found[name]) == count
            np.testing.assert_allclose(found[name], wanted[name], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(network.predict(inputs)["out"], found["out"])
    several, one = (make(checked, n, batch_size=150) for n in (3, 1))
    several.run()
    one.network.weights.paste(several.network.weights.copy())
    assert len(several.network.answering(163)) == 3 and len(one.network.answering(163)) == 1
    for name, value in several.evaluate("train").items():
        assert value == pytest.approx(one.evaluate("train")[name], rel=1e-4)


def test_parts_cover_everything_once():
    for size in (1, 5, 16, 1000):
        for count in (1, 2, 3, 8):
            for grain in (1, 16):
                parts = parts_of(size, count, grain)
                assert [i for part in parts for i in range(size)[part]] == list(range(size))
                assert len(parts) <= count and all(part.start % grain == 0 for part in parts)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_forgotten_run_gives_its_memory_back_without_the_collector(threads):
    """Large buffers must not wait in reference circles: in the window the collector runs rarely."""
    gc.collect()
    gc.disable()
    try:
        trainer = make(with_dropout(), threads)
        trainer.run()
        trainer.evaluate("train")
        trainer.network.activations({"features": np.ones((5, 6), np.float32)})
        marks = [weakref.ref(a) for a in (trainer.network, trainer._full.plans[0], trainer.network.weights)]
        del trainer
        assert [mark() for mark in marks] == [None, None, None]
    finally:
        gc.enable()
