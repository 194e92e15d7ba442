"""What must hold for every layer of the catalogue."""

from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from nndesigner.engine.gradcheck import check_layer
from nndesigner.engine.pool import Meeting, Pool
from nndesigner.layers import Layer
from nndesigner.layers.generative import Sampling
from nndesigner.layers.io import Input, Output
from nndesigner.layers.regular import Noise
from tests.layers.layer_cases import BOUND, CASES, VIEWS, Case

bound = pytest.mark.parametrize("case", BOUND, ids=str)


def fill(rng: np.random.Generator, *arrays: np.ndarray) -> None:
    for array in arrays:
        array[...] = rng.standard_normal(array.shape)


def poison(*arrays: np.ndarray | None) -> None:
    for array in arrays:
        if array is not None:
            array.fill(np.nan)


def test_every_layer_is_in_the_table_of_cases():
    missing = {layer.kind for layer in Layer.all()} - {case.layer.kind for case in CASES}
    assert not missing, f"add these layers to tests/layers/layer_cases.py: {sorted(missing)}"


def test_only_input_and_output_have_no_arithmetic():
    unbound = {case.layer.kind for case in CASES if case not in BOUND and case not in VIEWS}
    assert unbound == {Input.kind, Output.kind}


@bound
def test_forward_fills_the_output_that_the_shape_rule_states(case: Case):
    for training in (True, False):
        ctx = case.bind(training=training)
        assert ctx.y.shape == (case.batch, *case.layer.output_shape(*case.shapes).dims)
        poison(ctx.y)
        before = [x.copy() for x in ctx.x]
        case.layer.bind(ctx)[0]()
        assert np.isfinite(ctx.y).all()
        assert all(np.array_equal(x, old) for x, old in zip(ctx.x, before)), "forward changed its input"


@pytest.mark.parametrize("case", VIEWS, ids=str)
def test_views_keep_the_values(case: Case):
    assert case.layer.output_shape(*case.shapes).size == case.shapes[0].size


@bound
def test_backward_is_the_derivative_of_forward(case: Case):
    if any(shape.integer for shape in case.shapes):
        check_integer_layer(case)
    else:
        check_layer(case.layer, *case.shapes, batch=case.batch)


def check_integer_layer(case: Case) -> None:
    """Slope along one direction of all weights, for layers whose inputs cannot be varied."""
    ctx = case.bind()
    forward, backward = case.layer.bind(ctx)
    rng = np.random.default_rng(1)
    directions = {name: rng.standard_normal(w.shape) for name, w in ctx.weights.items()}
    coefficients = rng.standard_normal(ctx.y.shape)
    ends = []
    for sign in (1, -1):
        for name, w in ctx.weights.items():
            w += sign * 1e-4 * directions[name]
        forward()
        ends.append(np.sum(ctx.y * coefficients))
        for name, w in ctx.weights.items():
            w -= sign * 1e-4 * directions[name]
    forward()
    ctx.dy[...] = coefficients
    backward()
    found = sum(np.sum(ctx.grads[name] * directions[name]) for name in directions)
    assert found == pytest.approx((ends[0] - ends[1]) / 2e-4, rel=1e-6)


@bound
def test_a_sample_alone_equals_it_in_a_batch(case: Case):
    together = case.bind(training=False)
    case.layer.bind(together)[0]()
    for i in range(case.batch):
        alone = case.bind(training=False, batch=1)
        alone = replace(alone, weights=together.weights, buffers=together.buffers)
        for x, whole in zip(alone.x, together.x):
            x[...] = whole[i:i + 1]
        case.layer.bind(alone)[0]()
        np.testing.assert_allclose(alone.y[0], together.y[i], rtol=1e-10, atol=1e-12)


@bound
def test_parts_of_a_batch_on_threads_make_up_the_whole(case: Case):
    """What a layer needs of the whole batch it must add up through `Part.total`."""
    whole = case.bind(batch=5)
    if isinstance(case.layer, (Noise, Sampling)):
        return  # each part draws numbers of its own
    meeting, slices, parts = Meeting(2), (slice(0, 2), slice(2, 5)), []
    for array in whole.buffers.values():
        array.fill(1)
    for number, rows in enumerate(slices):
        ctx = case.bind(batch=rows.stop - rows.start)
        buffers = {name: array.copy() for name, array in whole.buffers.items()}
        ctx = replace(ctx, weights=whole.weights, buffers=buffers, part=meeting.part(number, ctx.batch / whole.batch))
        for mine, all_of in zip((*ctx.x, ctx.dy), (*whole.x, whole.dy)):
            mine[...] = all_of[rows]
        parts.append(ctx)
    steps, pool = case.layer.bind(whole), Pool()
    steps_of_parts = [case.layer.bind(ctx) for ctx in parts]
    for i in (0, 1):  # forward, backward
        steps[i]()
        pool.run([both[i] for both in steps_of_parts])
    pool.close()

    def check(found: np.ndarray, wanted: np.ndarray) -> None:
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-11)

    for i, rows in enumerate(slices):
        check(parts[i].y, whole.y[rows])
        for mine, all_of in zip(parts[i].dx, whole.dx):
            if all_of is not None:
                check(mine, all_of[rows])
    for name, grad in whole.grads.items():
        check(parts[0].grads[name] + parts[1].grads[name], grad)
    for name, array in whole.buffers.items():
        check(parts[0].buffers[name], array)
        check(parts[1].buffers[name], 1)
    if whole.loss is not None:
        check(sum(ctx.loss * ctx.part.share for ctx in parts), whole.loss)


@bound
def test_backward_overwrites_and_repeats(case: Case):
    ctx = case.bind()
    forward, backward = case.layer.bind(ctx)
    targets = [array for array in (*ctx.dx, *ctx.grads.values()) if array is not None]
    dy = ctx.dy.copy()
    inputs = [x.copy() for x in ctx.x]
    forward()
    poison(*targets)
    backward()
    first = [array.copy() for array in targets]
    assert all(np.isfinite(array).all() for array in first)
    assert all(np.array_equal(x, old) for x, old in zip(ctx.x, inputs)), "backward changed its input"
    ctx.dy[...] = dy
    forward()
    poison(*targets)
    backward()
    for array, old in zip(targets, first):
        np.testing.assert_array_equal(array, old)


@bound
def test_gradients_of_weights_do_not_depend_on_whether_the_input_wants_one(case: Case):
    ctx, other = case.bind(), case.bind()
    other = replace(other, dx=tuple(None for _ in other.dx))
    for each in (ctx, other):
        forward, backward = case.layer.bind(each)
        forward()
        backward()
    for name in ctx.grads:
        np.testing.assert_array_equal(ctx.grads[name], other.grads[name])


class Watched(dict):
    """A dict that remembers which of its entries were asked for."""

    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.used = Counter()

    def __getitem__(self, key):
        self.used[key] += 1
        return super().__getitem__(key)


@bound
def test_declared_arrays_are_the_used_ones(case: Case):
    ctx = case.bind()
    ctx = replace(ctx, weights=Watched(ctx.weights), grads=Watched(ctx.grads), buffers=Watched(ctx.buffers))
    forward, backward = case.layer.bind(ctx)
    forward()
    backward()
    assert set(ctx.weights.used) == set(ctx.grads.used) == set(case.layer.weights(*case.shapes))
    assert set(ctx.buffers.used) == set(case.layer.buffers(*case.shapes))


@bound
def test_single_precision_agrees_with_double(case: Case):
    wide, narrow = case.bind(), case.bind(dtype=np.float32)
    for target, source in ((narrow.weights, wide.weights), (narrow.buffers, wide.buffers)):
        for name in source:
            target[name][...] = source[name]
    for x, value in zip(narrow.x, wide.x):
        x[...] = value
    narrow.dy[...] = wide.dy

    def draw(purpose: str, out: np.ndarray) -> None:
        out[...] = np.random.default_rng(len(purpose)).random(out.shape)

    wide, narrow = replace(wide, uniform=draw, normal=draw), replace(narrow, uniform=draw, normal=draw)
    for ctx in (wide, narrow):
        forward, backward = case.layer.bind(ctx)
        forward()
        backward()
    pairs = [(narrow.y, wide.y), *zip(narrow.dx, wide.dx), *((narrow.grads[n], wide.grads[n]) for n in wide.grads)]
    for small, large in pairs:
        if large is not None:
            assert small.dtype == np.float32
            np.testing.assert_allclose(small, large, rtol=1e-4, atol=1e-4 * max(1.0, np.abs(large).max()))


@bound
def test_random_numbers_repeat_with_the_seed(case: Case):
    outputs = []
    for _ in range(2):
        ctx = case.bind()
        case.layer.bind(ctx)[0]()
        outputs.append(ctx.y)
    np.testing.assert_array_equal(*outputs)


@bound
def test_a_steady_step_allocates_nothing_large(case: Case):
    ctx = case.bind(dtype=np.float32, batch=32)
    ctx = replace(ctx, uniform=lambda purpose, out: out.fill(0.5), normal=lambda purpose, out: out.fill(0.5))
    forward, backward = case.layer.bind(ctx)
    forward()
    backward()
    size = max(a.nbytes for a in (*ctx.x, ctx.y))
    tracemalloc.start()
    try:
        forward()
        backward()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # NumPy casts and reduces through buffers of 8,192 values; everything else is planned.
    assert peak < 80_000 + size // 50, f"{peak} bytes allocated in a step over arrays of {size} bytes"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_json_round_trip(case: Case):
    text = json.dumps(case.layer.to_json())
    again = Layer.from_json(json.loads(text))
    assert again == case.layer and type(again) is type(case.layer)


@pytest.mark.parametrize("case", [case for case in BOUND if isinstance(case.layer, Noise)], ids=str)
def test_noise_passes_its_input_on_when_not_training(case: Case):
    ctx = case.bind(training=False)
    case.layer.bind(ctx)[0]()
    np.testing.assert_array_equal(ctx.y, ctx.x[0])
