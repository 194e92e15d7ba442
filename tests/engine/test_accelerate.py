"""The accelerator: its kernels have the bits of NumPy, a run does not show when they came, and nobody waits."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nndesigner.engine import accelerate
from nndesigner.engine.accelerate import ACCELERATOR, Accelerator, plain, quicker_on
from nndesigner.engine.device import Device
from nndesigner.engine.gradcheck import bind_layer
from nndesigner.engine.optimizers import Adam, AdamW, Momentum, Nesterov, Optimizer, OptimizerBind, RMSprop
from nndesigner.layers.conv import Conv2D
from nndesigner.layers.dense import Dense
from nndesigner.layers.pool import MaxPool2D
from nndesigner.layers.reshape import Flatten
from nndesigner.spec import Shape
from nndesigner.training import session
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer
from tests import networks

needs_numba = pytest.mark.skipif(
    importlib.util.find_spec("numba") is None, reason="numba is not installed (extra fast): nothing to compare")
#: length that is no multiple of a vector's, and has more than one chunk
ODD = 70_001


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Callable[..., None]]:
    """Compiled once for all tests of this file, into a cache of their own."""
    from nndesigner.engine.kernels import compiled

    return dict(compiled(tmp_path_factory.mktemp("kernels")))


def bits(array: np.ndarray) -> bytes:
    return array.tobytes()


def using(kernels: dict[str, Callable[..., None]], used: list[str]) -> Callable:
    """Like `Accelerator.quicker` with these kernels, noting which were offered to."""
    ready = Accelerator()
    ready.kernels.update(kernels)

    def quicker(name: str, slow: accelerate.Step, *arrays: np.ndarray) -> accelerate.Step:
        used.append(name)
        return ready.quicker(name, slow, *arrays)

    return quicker


@needs_numba
@pytest.mark.parametrize("optimizer", [
    Adam(), Adam(weight_decay=0.1), AdamW(), Momentum(), Nesterov(momentum=0.5), RMSprop()], ids=repr)
def test_optimizers_step_to_the_bit(optimizer: Optimizer, kernels: dict[str, Callable[..., None]]):
    rng, used = np.random.default_rng(0), []
    start = rng.standard_normal(ODD, dtype=np.float32)
    gradients = rng.standard_normal((4, ODD), dtype=np.float32) * np.float32(10.0) ** rng.integers(-30, 5, ODD)
    gradients = gradients.astype(np.float32)
    gradients[:, ::7] = 0

    def steps(quicker: Callable) -> list[bytes]:
        arrays: dict[tuple, np.ndarray] = {}
        slots = {name: np.zeros_like(start) for name in optimizer.slots}
        w, g = start.copy(), np.zeros_like(start)
        update = optimizer.bind(OptimizerBind(
            np, w.dtype, w, g, slots, None, (("n1/W", 0, ODD, (ODD,), True),),
            lambda name, shape, dtype=None: arrays.setdefault((name, shape), np.zeros(shape, dtype or w.dtype)),
            quicker))
        for number, gradient in enumerate(gradients, 1):
            g[...] = gradient
            update(0.01, number)
        return [bits(w), *(bits(slot) for slot in slots.values())]

    assert steps(using(kernels, used)) == steps(plain)
    assert set(used) <= kernels.keys() and used


@needs_numba
@pytest.mark.parametrize("shape", [(4, 6, 1), (6, 4, 5), (2, 2, 40)])
def test_max_pooling_goes_back_to_the_bit(shape: tuple[int, int, int], kernels: dict[str, Callable[..., None]]):
    rng, used, found = np.random.default_rng(0), [], []
    # many ties, zeros of both signs, and what a diverging run brings
    values = rng.choice(np.array([-2.0, -0.0, 0.0, 0.5, 2.0, np.inf, -np.inf], np.float32), (3, *shape))
    for quicker in (plain, using(kernels, used)):
        layer = MaxPool2D()
        ctx = bind_layer(layer, (Shape("HWC", shape),), 3, dtype=np.float32)
        ctx.quicker = quicker
        forward, backward = layer.bind(ctx)
        ctx.x[0][...] = values
        with np.errstate(invalid="ignore"):
            forward()
            backward()
        found.append(bits(ctx.dx[0]))
    assert found[0] == found[1]
    assert used == ["max_pool_back"]


@needs_numba
@pytest.mark.parametrize("optimizer", [Adam(), RMSprop(learning_rate=0.001)], ids=repr)
def test_a_run_does_not_show_when_the_kernels_came(optimizer: Optimizer, kernels: dict[str, Callable[..., None]],
                                                   monkeypatch: pytest.MonkeyPatch):
    checked = networks.chain(
        [Conv2D(filters=8, activation="relu"), MaxPool2D(), Flatten(), Dense(units=3)],
        [networks.image(8, 8), networks.classes(3)])
    data = networks.prepared(checked, networks.random_arrays(checked, 40))
    settings = TrainSettings(epochs=3, batch_size=16, optimizer=optimizer)

    def weights(switch: int | None, threads: int = 1) -> bytes:
        ready: dict[str, Callable[..., None]] = {}
        monkeypatch.setattr(ACCELERATOR, "kernels", ready)
        trainer = Trainer(checked, data, settings, Device("cpu"), threads=threads)
        with trainer.working():
            while not trainer.finished:
                if trainer.step_number == switch:
                    ready.update(kernels)
                trainer.inner_step()
        return bits(trainer.network.weights.values)

    never = weights(None)
    assert weights(4) == never
    assert weights(0) == never
    assert weights(3, threads=2) == weights(None, threads=2)


@needs_numba
def test_gets_ready_in_the_background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(accelerate, "user_cache_path", lambda name: tmp_path)
    own = Accelerator()
    assert own.state == "waiting"
    assert not own.wait(0)
    own.start()
    thread = own._thread
    own.start()
    assert own._thread is thread and thread is not threading.current_thread()
    assert own.wait()
    assert "active" in own.words()
    assert {"adam", "max_pool_back"} <= own.kernels.keys()
    assert list((tmp_path / "kernels").rglob("*.nbi")), "nothing was kept for the next start"


def test_without_numba_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    own = Accelerator()
    own.start()
    assert own.state == "missing" and not own.wait(0)
    assert "nndesigner[fast]" in own.words()


def test_a_broken_installation_is_told_and_not_raised(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setitem(__import__("sys").modules, "nndesigner.engine.kernels", None)
    own = Accelerator()
    own.start()
    assert not own.wait()
    assert own.state == "failed" and "cannot be used: " in own.words()


def test_only_float32_on_the_processor_is_accelerated():
    assert quicker_on(Device("cpu"), np.float32) == ACCELERATOR.quicker
    assert quicker_on(Device("cpu"), np.float64) is plain
    assert quicker_on(Device("cuda:0"), np.float32) is plain


@pytest.mark.parametrize(("worth", "asked"), [(0.0, True), (1000.0, False)])
def test_only_a_run_that_lasts_asks_for_it(worth: float, asked: bool, monkeypatch: pytest.MonkeyPatch):
    begun = threading.Event()
    monkeypatch.setattr(ACCELERATOR, "start", begun.set)
    monkeypatch.setattr(session, "WORTH_COMPILING", worth)
    checked = networks.chain([Dense(units=3)], [networks.features(4), networks.classes(3)])
    data = networks.prepared(checked, networks.random_arrays(checked, 40))
    run = session.Session(lambda: Trainer(checked, data, TrainSettings(epochs=1_000_000), Device("cpu")))
    run.start()
    try:
        while run.poll()[0].seconds_run < 0.1:
            begun.wait(0.01)
        assert begun.is_set() == asked
    finally:
        assert run.close(10)
