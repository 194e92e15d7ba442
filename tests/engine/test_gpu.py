"""The same numbers on the GPU as on the processor, for every layer, loss and optimizer, and for whole runs.

On a machine without a GPU the run is repeated with a stand-in for CuPy that refuses to mix host and device arrays.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from nndesigner.data.augment import Mixer
from nndesigner.data.augment.mixing import Mixup
from nndesigner.engine import cudnn
from nndesigner.engine.device import Device, available
from nndesigner.engine.gradcheck import bind_layer
from nndesigner.engine.network import Network
from nndesigner.engine.optimizers import SGD, Adam, Optimizer, OptimizerBind
from nndesigner.engine.random import Stream, generator, normal_from
from nndesigner.layers.base import Layer
from nndesigner.layers.conv import Conv1D, Conv2D, Conv3D, ConvTranspose2D
from nndesigner.layers.dense import Dense
from nndesigner.layers.elementwise import Elementwise
from nndesigner.layers.embedding import Embedding
from nndesigner.layers.norm import BatchNorm
from nndesigner.layers.pool import MaxPool2D
from nndesigner.layers.regular import Dropout
from nndesigner.layers.reshape import Flatten
from nndesigner.spec import Shape
from nndesigner.spec.loss import Loss, LossBind
from nndesigner.training import waiting
from nndesigner.training.session import Session
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer, TrainingFailure
from nndesigner.training.uploading import Uploader
from tests import fake_cudnn, fake_cupy
from tests.engine.test_losses import CASES as LOSSES
from tests.layers.layer_cases import BOUND, Case
from tests.networks import chain, classes, features, image, prepared, random_arrays

GPU = next((status for status in available() if status.name != "cpu"), None)
needs_gpu = [pytest.mark.gpu, pytest.mark.skipif(not GPU.usable, reason=GPU.reason)]

#: float32 sums in another order differ by this much
TOLERANCE = {"rtol": 2e-4, "atol": 2e-5}


@pytest.fixture(params=["stand-in", pytest.param("gpu", marks=needs_gpu)])
def gpu(request) -> Device:
    """A GPU, real or not."""
    if request.param == "gpu":
        return Device(GPU.name)
    return request.getfixturevalue("stand_in")


@pytest.fixture
def stand_in(monkeypatch) -> Device:
    """A GPU that is none."""
    return fake_cupy.install(monkeypatch)


@pytest.fixture
def with_cudnn(gpu: Device) -> Device:
    """A GPU with cuDNN."""
    if "modules" in vars(gpu.xp):
        gpu.xp.modules["cudnn"] = fake_cudnn.make()
    with gpu.use():
        if gpu.convolver() is None:
            pytest.skip("cuDNN or its frontend is not installed")
    return gpu


CPU = Device("cpu")


def filled(shape: tuple[int, ...], seed: int, device: Device) -> Any:
    return device.asarray(generator(seed, "test").standard_normal(shape, dtype=np.float32))


@pytest.mark.parametrize("case", BOUND, ids=str)
@pytest.mark.parametrize("training", [True, False])
def test_layers(case: Case, training: bool, gpu: Device):
    compare(case, training, gpu)


def compare(case: Case, training: bool, gpu: Device, by_library: bool = False) -> None:
    """Run a layer on both devices."""
    results = []
    for device in (CPU, gpu):
        with device.use():
            ctx = bind_layer(case.layer, case.shapes, case.batch, xp=device.xp, dtype=np.float32, training=training)
            if not training:
                ctx.dx, ctx.dy = tuple(None for _ in ctx.x), None
            if by_library:
                ctx.convolve = device.convolver()
            forward, backward = case.layer.bind(ctx)
            forward()
            if training:
                backward()
            arrays = {"y": ctx.y, **ctx.buffers}
            if training:
                arrays |= {f"dx{i}": dx for i, dx in enumerate(ctx.dx) if dx is not None} | ctx.grads
            results.append({name: np.array(device.host(array)) for name, array in arrays.items()})
    for name, array in results[0].items():
        # the error of a sum grows with its terms, not with itself
        atol = TOLERANCE["atol"] * max(1.0, float(np.abs(array).max()))
        np.testing.assert_allclose(results[1][name], array, TOLERANCE["rtol"], atol, err_msg=name)


@pytest.mark.parametrize("count", [1, 40])
def test_an_embedding_adds_up_its_gradients_in_one_order(count: int, gpu: Device):
    results = []
    for device in (CPU, gpu):
        with device.use():
            ctx = bind_layer(Embedding(vocabulary=7, units=3), [Shape("T", (count,), integer=True)], 2, xp=device.xp,
                             dtype=np.float32)
            ctx.x[0][...] = device.asarray(generator(1, "tokens").integers(0, 7, (2, count)))
            forward, backward = Embedding(vocabulary=7, units=3).bind(ctx)
            forward()
            backward()
            first = np.array(device.host(ctx.grads["table"]))
            backward()
            np.testing.assert_array_equal(device.host(ctx.grads["table"]), first)
            results.append(first)
    np.testing.assert_allclose(results[1], results[0], **TOLERANCE)


def test_no_layer_loss_or_optimizer_is_forgotten():
    """The tables of these tests hold all that the palettes offer but views, which compute nothing, inputs and
    outputs."""
    computed = {kind for kind, cls in Layer.registry.items() if not cls.view and kind not in ("input.v1", "output.v1")}
    assert {case.layer.kind for case in BOUND} == computed
    assert {loss.kind for loss, *_ in LOSSES} == set(Loss.registry)
    assert {cls.kind for cls in Optimizer.all()} == set(Optimizer.registry)


CONVOLUTIONS = [case for case in BOUND if case.layer.group == "Convolution" and case.layer.weights(*case.shapes)]


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("training", [True, False])
def test_convolutions_by_cudnn(case: Case, training: bool, with_cudnn: Device):
    compare(case, training, with_cudnn, by_library=True)
    if "modules" in vars(with_cudnn.xp):
        assert with_cudnn.xp.modules["cudnn"].pygraph.made == (3 if training else 1)


@pytest.mark.parametrize("layer", [
    Conv1D(filters=6, kernel=3, strides=2, padding="same", groups=2),
    Conv2D(filters=6, kernel=(3, 2), strides=(2, 3), dilation=(2, 1), padding="same", groups=3, activation="relu"),
    Conv2D(filters=4, kernel=(3, 3), padding="explicit", margin=(2, 0), bias=False),
    Conv2D(filters=4, kernel=(2, 2), strides=(3, 3), padding="valid"),
    Conv3D(filters=2, kernel=(2, 3, 1), padding="same"),
    ConvTranspose2D(filters=3, kernel=(3, 3), strides=(2, 2)),
], ids=str)
def test_cudnn_knows_every_geometry(layer: Layer, with_cudnn: Device):
    axes = {"conv1d.v1": Shape("TF", (11, 6)), "conv3d.v1": Shape("DHWC", (4, 5, 6, 6))}
    compare(Case(layer, (axes.get(layer.kind, Shape("HWC", (9, 11, 6))),), batch=3), True, with_cudnn, by_library=True)


def test_a_shape_that_cudnn_refuses_is_computed_by_products(stand_in: Device):
    stand_in.xp.modules["cudnn"] = library = fake_cudnn.make()
    library.pygraph.refused = True
    compare(CONVOLUTIONS[0], True, stand_in, by_library=True)
    assert library.pygraph.made


def test_graphs_are_made_once_for_a_shape(stand_in: Device):
    stand_in.xp.modules["cudnn"] = library = fake_cudnn.make()
    trainer = trainer_on(stand_in)
    made = library.pygraph.made
    assert made == 6  # three for each of two batch sizes
    trainer.run()
    answering = library.pygraph.made
    trainer.evaluate("validation")
    trainer_on(stand_in).run()
    assert library.pygraph.made == answering


@pytest.mark.parametrize(("setting", "notes"), [("", 4), ("0", 4), ("1", 1)])
def test_cudnn_rounds_as_cupy_does(setting: str, notes: int, monkeypatch):
    monkeypatch.setenv("CUPY_TF32", setting)
    assert len(cudnn._unwanted(fake_cudnn.make())) == notes


@pytest.mark.parametrize(("loss", "shape", "target"), LOSSES, ids=lambda value: getattr(value, "kind", None))
def test_losses(loss: Loss, shape: tuple[int, ...], target: np.ndarray | None, gpu: Device):
    if target is None:
        target = generator(2, "test").standard_normal(shape, dtype=np.float32)
    results = []
    for device in (CPU, gpu):
        xp = device.xp
        with device.use():
            x, y, dx, value = filled(shape, 1, device), xp.zeros(shape, np.float32), xp.zeros(shape, np.float32), None
            value = xp.zeros(1, np.float32)
            arrays: dict[str, Any] = {}

            def scratch(name: str, size: tuple[int, ...], dtype: Any = np.float32, xp=xp, arrays=arrays) -> Any:
                return arrays.setdefault(name, xp.zeros(size, dtype=dtype))

            dtype = np.int64 if target.dtype.kind == "i" else np.float32
            forward, backward = loss.bind(
                LossBind(xp, x, device.asarray(target.astype(dtype)), y, dx, value, 1.5, scratch))
            forward()
            backward()
            results.append([np.array(device.host(a)) for a in (value, y, dx)])
    for ours, theirs in zip(*results):
        np.testing.assert_allclose(theirs, ours, **TOLERANCE)


@pytest.mark.parametrize("optimizer", [cls(weight_decay=0.01) for cls in Optimizer.all()], ids=lambda o: o.kind)
def test_optimizers(optimizer: Optimizer, gpu: Device):
    size = 100
    results = []
    for device in (CPU, gpu):
        xp = device.xp
        with device.use():
            weights, grads = filled((size,), 1, device), xp.zeros(size, np.float32)
            arrays: dict[str, Any] = {}

            def scratch(name: str, shape: tuple[int, ...], dtype: Any = None, xp=xp, arrays=arrays) -> Any:
                return arrays.setdefault(name, xp.zeros(shape, dtype=dtype or np.float32))

            decay = device.asarray((np.arange(size) < 60).astype(np.float32))
            update = optimizer.bind(OptimizerBind(
                xp, np.dtype(np.float32), weights, grads,
                {name: xp.zeros(size, np.float32) for name in optimizer.slots}, decay,
                (("W", 0, 60, (12, 5), True), ("b", 60, size, (40,), False)), scratch))
            for step in range(1, 11):
                grads[...] = filled((size,), step, device)
                update(0.01, step)
            results.append(np.array(device.host(weights)))
    np.testing.assert_allclose(results[1], results[0], **TOLERANCE)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 7, 8, 9, 1000])
def test_random_numbers_are_the_same(size: int, dtype: type, gpu: Device):
    host, there = np.zeros(size, dtype), gpu.xp.zeros(size, dtype=dtype)
    for step in (0, 5, 2**40):
        Stream(3, "dropout", "n1", np).uniform(step, host)
        Stream(3, "dropout", "n1", gpu.xp).uniform(step, there)
        np.testing.assert_array_equal(gpu.host(there), host)
    normal_from(np, lambda a: Stream(3, "noise", "n1", np).uniform(0, a), host)()
    normal_from(gpu.xp, lambda a: Stream(3, "noise", "n1", gpu.xp).uniform(0, a), there)()
    np.testing.assert_allclose(gpu.host(there), host, rtol=1e-4, atol=1e-5)


def network():
    return chain(
        [Conv2D(filters=4, kernel=(3, 3), activation="relu"), BatchNorm(), MaxPool2D(), Flatten(), Dropout(rate=0.2),
         Dense(units=16, activation="tanh"), Dense(units=3)], [image(8, 8, 2), classes(3)])


def trainer_on(device: Device, **settings: Any) -> Trainer:
    checked = network()
    data = prepared(checked, random_arrays(checked, 203), validation=40)
    return Trainer(checked, data, TrainSettings(epochs=2, batch_size=32, clip_norm=1.0, **settings), device)


def test_a_run_gives_the_same_curves(gpu: Device):
    here, there = trainer_on(CPU), trainer_on(gpu)
    for trainer in (here, there):
        trainer.run()
    for name, (x, y) in here.history.arrays().items():
        other_x, other_y = there.history.arrays()[name]
        np.testing.assert_array_equal(other_x, x)
        # Steps add up: a changed last bit grows with each of them.
        np.testing.assert_allclose(other_y, y, rtol=2e-2, atol=2e-2, err_msg=name)
    assert here.evaluate("validation").keys() == there.evaluate("validation").keys()


def test_a_run_repeats_and_resumes_to_the_bit(gpu: Device):
    whole, part = trainer_on(gpu, optimizer=Adam()), trainer_on(gpu, optimizer=Adam())
    whole.run()
    for _ in range(8):
        part.step()
    checked = network()
    data = prepared(checked, random_arrays(checked, 203), validation=40)
    settings = TrainSettings(epochs=2, batch_size=32, clip_norm=1.0, optimizer=Adam())
    resumed = Trainer(checked, data, settings, gpu, part.checkpoint())
    resumed.run()
    for name, array in whole.checkpoint().arrays.items():
        assert isinstance(array, np.ndarray)
        np.testing.assert_array_equal(resumed.checkpoint().arrays[name], array, err_msg=name)


def test_weights_travel_between_devices(gpu: Device):
    checked = network()
    here, there = Network(checked, CPU, 1), Network(checked, gpu, 2)
    there.weights.load(here.weights.state_dict())
    x = random_arrays(checked, 37)["image"]
    for name, array in here.activations({"image": x}).items():
        found = there.activations({"image": x})[name]
        assert type(found) is np.ndarray
        np.testing.assert_allclose(found, array, **TOLERANCE, err_msg=name)
    np.testing.assert_allclose(there.predict({"image": x})["out"], here.predict({"image": x})["out"], **TOLERANCE)


def test_the_stand_in_refuses_to_mix():
    xp = fake_cupy.make()
    there, here = xp.zeros(3), np.zeros(3)
    for mix in (lambda: there + here, lambda: xp.add(there, here), lambda: np.add(here, there, out=here),
                lambda: np.concatenate([there, here]), lambda: there.dot(here), lambda: there[here > 1],
                lambda: xp.concatenate([there, here]), lambda: there.__setitem__(0, here)):
        with pytest.raises(TypeError):
            mix()


# --- chains as single kernels ---


def kernels_of(step: Any) -> int:
    """Elementwise kernels that a step starts."""
    step()  # what is made at the first time
    before = fake_cupy.counts.kernels
    step()
    return fake_cupy.counts.kernels - before


ACTIVATIONS = [case for case in BOUND if isinstance(case.layer, Elementwise)]


@pytest.mark.parametrize("case", ACTIVATIONS, ids=str)
def test_an_activation_is_one_kernel_each_way(case: Case, stand_in: Device):
    ctx = bind_layer(case.layer, case.shapes, case.batch, xp=stand_in.xp, dtype=np.float32)
    forward, backward = case.layer.bind(ctx)
    assert kernels_of(forward) == kernels_of(backward) == 1


@pytest.mark.parametrize("layer", [
    Dense(units=5, activation="gelu"), Conv2D(filters=4, activation="silu"), Conv2D(filters=4, activation="relu"),
], ids=str)
def test_bias_and_activation_are_one_kernel(layer: Layer, stand_in: Device):
    shape = Shape("F", (7,)) if isinstance(layer, Dense) else Shape("HWC", (5, 5, 3))
    ctx = bind_layer(layer, [shape], 4, xp=stand_in.xp, dtype=np.float32)
    forward, backward = layer.bind(ctx)
    # what remains of a convolution are copies, which the stand-in does not count
    assert kernels_of(forward) == kernels_of(backward) == 1


def test_dropout_is_one_kernel_beside_its_random_numbers(stand_in: Device):
    layer = Dropout(rate=0.3)
    ctx = bind_layer(layer, [Shape("F", (7,))], 4, xp=stand_in.xp, dtype=np.float32)
    forward, backward = layer.bind(ctx)
    assert kernels_of(forward) == 2 and kernels_of(backward) == 1


@pytest.mark.parametrize("optimizer", [cls(weight_decay=0.01) for cls in Optimizer.all() if cls.elementwise],
                         ids=lambda o: o.kind)
def test_an_update_is_one_kernel(optimizer: Optimizer, stand_in: Device):
    xp, size = stand_in.xp, 50
    update = optimizer.bind(OptimizerBind(
        xp, np.dtype(np.float32), *(xp.ones(size, np.float32) for _ in range(2)),
        {name: xp.zeros(size, np.float32) for name in optimizer.slots}, xp.ones(size, np.float32), (),
        lambda *_: pytest.fail("a kernel needs no scratch arrays")))
    assert kernels_of(lambda: update(0.01, 1)) == 1


def test_what_is_not_a_number_stays_so_in_kernels(gpu: Device):
    """As with NumPy: a broken run must not look healthy."""
    values = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0], dtype=np.float32)
    for case in ACTIVATIONS:
        found = []
        for device in (CPU, gpu):
            with device.use(), np.errstate(all="ignore"):
                x, y = device.asarray(values), device.xp.zeros(6, np.float32)
                scratch = partial(device.xp.zeros, dtype=np.float32)
                case.layer.bind_arrays(device.xp, lambda _, shape, s=scratch: s(shape), x, y, None, None)[0]()
                found.append(device.host(y))
        np.testing.assert_allclose(found[1], found[0], rtol=1e-5, atol=1e-6, err_msg=case.layer.kind)


# --- runs whose losses stay on the device ---


def test_steps_neither_wait_nor_allocate(stand_in: Device):
    trainer = trainer_on(stand_in, optimizer=Adam())
    with trainer.working():
        trainer.inner_step()  # compiles its kernels
        before = vars(fake_cupy.counts).copy()
        for _ in range(3):
            trainer.inner_step()
        after = vars(fake_cupy.counts)
        assert (after["waits"], after["allocations"]) == (before["waits"], before["allocations"])
        assert len(trainer.history.curve("loss")) == 0
    assert len(trainer.history.curve("loss")) == 4  # taken when the loop was left


def test_more_steps_than_there_is_room_for_waiting_losses(gpu: Device, monkeypatch):
    monkeypatch.setattr(waiting, "ROOM", 3)
    here, there = trainer_on(CPU), trainer_on(gpu)
    for trainer in (here, there):
        trainer.run()
    np.testing.assert_array_equal(
        there.history.curve("loss").arrays()[0], here.history.curve("loss").arrays()[0])


def test_a_loss_that_is_not_finite_is_noticed_late_but_blamed_rightly(gpu: Device):
    trainer = trainer_on(gpu)
    node = trainer.checked.order[-2]
    with trainer.working():
        trainer.inner_step()
    good = trainer.checkpoint().part("weights")
    with pytest.raises(TrainingFailure, match="no longer a finite number") as caught, trainer.working():
        trainer.network.weights.views[f"{node}/W"].fill(np.nan)
        for _ in range(3):
            trainer.inner_step()
    assert caught.value.failure.node == node
    kept = trainer.checkpoint().part("weights")
    assert all(np.isfinite(array).all() for array in kept.values()) and kept.keys() == good.keys()
    assert len(trainer.history.curve("loss")) == 1  # of the steps before


def test_the_good_weights_learn_on_after_a_bad_loss(gpu: Device):
    trainer = trainer_on(gpu, optimizer=SGD(learning_rate=0.1))
    weight = f"{trainer.checked.order[-2]}/W"
    with pytest.raises(TrainingFailure), trainer.working():
        trainer.network.weights.views[weight].fill(np.nan)
        trainer.inner_step()
    before = trainer.checkpoint().part("weights")[weight]
    with trainer.working():
        trainer.inner_step()
    assert not np.array_equal(trainer.checkpoint().part("weights")[weight], before)


def test_gradients_after_a_bad_loss_reach_no_weight(gpu: Device):
    trainer = trainer_on(gpu)
    with trainer.working():
        trainer.inner_step()
        feed = trainer.prepared.train.arrays["image"]
        assert np.isfinite(feed).all()
        trainer._full.plans[0].losses.fill(np.inf)
        trainer._waiting.note(trainer._full, 1)
        assert not gpu.host(trainer.network.weights.grads).any()
        trainer._waiting.take()


def test_a_bad_value_in_the_data_is_found_on_the_device(gpu: Device):
    checked = network()
    arrays = random_arrays(checked, 203)
    data = prepared(checked, arrays, validation=40)
    data.train.arrays["image"][70] = np.nan
    trainer = Trainer(checked, data, TrainSettings(epochs=1, batch_size=8), gpu)
    with pytest.raises(TrainingFailure, match="The data hold such values"):
        trainer.run()


# --- data that do not fit on the device ---


def streamed(device: Device, monkeypatch, **settings: Any) -> Trainer:
    monkeypatch.setattr(Device, "has_room", lambda self, nbytes: self.is_cpu)
    trainer = trainer_on(device, **settings)
    assert isinstance(trainer._feeder, Uploader)
    return trainer


def test_data_without_room_are_copied_batch_by_batch(gpu: Device, monkeypatch):
    with monkeypatch.context() as context:
        there = streamed(gpu, context)
    here = trainer_on(gpu)
    for trainer in (here, there):
        trainer.run()
        trainer.close()
    for name, array in here.checkpoint().arrays.items():
        np.testing.assert_array_equal(there.checkpoint().arrays[name], array, err_msg=name)
    assert here.evaluate("validation") == there.evaluate("validation")


def test_mixed_samples_give_the_same_curves(gpu: Device):
    """Mixup mixes on the host and copies ahead: both devices see the same batches and soft labels."""
    checked, curves = network(), []
    for device in (CPU, gpu):
        data = replace(prepared(checked, random_arrays(checked, 203), validation=40), mixer=Mixer([Mixup()], 3, (8, 8)))
        trainer = Trainer(checked, data, TrainSettings(epochs=1, batch_size=32), device)
        trainer.run()
        trainer.close()
        curves.append(trainer.history.arrays()["loss"][1])
    np.testing.assert_allclose(curves[1], curves[0], rtol=2e-2, atol=2e-2)


def test_a_run_whose_data_are_streamed_resumes_to_the_bit(gpu: Device, monkeypatch):
    with monkeypatch.context() as context:
        whole = streamed(gpu, context, optimizer=Adam())
    whole.run()
    with monkeypatch.context() as context:
        part = streamed(gpu, context, optimizer=Adam())
    for _ in range(8):
        part.step()
    monkeypatch.setattr(Device, "has_room", lambda self, nbytes: self.is_cpu)
    checked = network()
    data = prepared(checked, random_arrays(checked, 203), validation=40)
    settings = TrainSettings(epochs=2, batch_size=32, clip_norm=1.0, optimizer=Adam())
    resumed = Trainer(checked, data, settings, gpu, part.checkpoint())
    resumed.run()
    for trainer in (whole, part, resumed):
        trainer.close()
    for name, array in whole.checkpoint().arrays.items():
        np.testing.assert_array_equal(resumed.checkpoint().arrays[name], array, err_msg=name)


def test_half_of_the_free_memory_is_for_data(stand_in: Device):
    half = stand_in.free_bytes() // 2
    assert stand_in.has_room(half) and not stand_in.has_room(half + 1)
    assert CPU.has_room(1 << 60) and CPU.free_bytes() is None


# --- too little memory ---


def wide_trainer(device: Device, batch: int) -> Trainer:
    checked = chain([Dense(units=300, activation="tanh"), Dense(units=3)], [features(20), classes(3)])
    data = prepared(checked, random_arrays(checked, 4000))
    return Trainer(checked, data, TrainSettings(epochs=1, batch_size=batch), device)


def test_the_batch_size_that_is_said_to_fit_does(stand_in: Device):
    memory = stand_in.xp.memory
    memory.size = 3_000_000
    with pytest.raises(TrainingFailure, match="The memory of GPU 0 is full with batches of 2000 samples") as caught:
        wide_trainer(stand_in, 2000)
    assert memory.freed
    before = memory.used
    fitting = int(re.search(r"batches of up to (\d+) samples fit", caught.value.failure.text)[1])
    assert fitting > 250
    trainer = wide_trainer(stand_in, fitting)
    trainer.run()
    del trainer
    with pytest.raises(TrainingFailure, match="is full"):
        wide_trainer(stand_in, 2 * fitting)
    del caught
    assert memory.used <= before  # nothing holds on to what failed


def test_hardly_one_sample_fits(stand_in: Device):
    stand_in.xp.memory.size = 181_000
    with pytest.raises(TrainingFailure, match="Hardly one sample fits: make the network smaller"):
        wide_trainer(stand_in, 2000)


def test_weights_alone_that_do_not_fit(stand_in: Device):
    stand_in.xp.memory.size = 100_000
    with pytest.raises(TrainingFailure, match=r"the weights need about .* and GPU 0 has 0.0 GB free. Make Dense"):
        wide_trainer(stand_in, 2000)


def test_too_little_memory_reaches_the_window(stand_in: Device):
    stand_in.xp.memory.size = 3_000_000
    session = Session(lambda: wide_trainer(stand_in, 2000))
    try:
        deadline = time.monotonic() + 20
        while session.poll()[0].state == "preparing" and time.monotonic() < deadline:
            time.sleep(0.01)
        telemetry, _ = session.poll()
        assert telemetry.state == "failed" and "samples fit" in telemetry.failure.text
        assert "OutOfMemoryError" in telemetry.failure.detail
    finally:
        assert session.close(20)


def test_memory_that_runs_out_in_the_middle_of_a_run(stand_in: Device):
    trainer = trainer_on(stand_in)
    session = Session(lambda: trainer)
    try:
        def fill(_: Trainer) -> None:
            def full() -> None:
                raise fake_cupy.OutOfMemoryError("Out of memory allocating 512 bytes")

            trainer._full.plans[0]._forward.insert(1, full)

        session.ask("fill", fill)
        session.start()
        deadline = time.monotonic() + 20
        while session.poll()[0].state != "failed" and time.monotonic() < deadline:
            time.sleep(0.01)
        text = session.poll()[0].failure.text
        assert text == "The memory is full with batches of 32 samples: try a batch size of 16."
        assert stand_in.xp.memory.freed
    finally:
        assert session.close(20)
