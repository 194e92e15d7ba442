"""Optimizers: PyTorch's steps, chunks, weight decay by mask, resuming."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from nndesigner.engine.optimizers import Optimizer, OptimizerBind
from nndesigner.spec import describe
from tests.golden_files import Golden, assert_agrees, goldens

GOLDENS = goldens("optimizers")
OPTIMIZERS = pytest.mark.parametrize("optimizer", [cls() for cls in Optimizer.all()], ids=lambda o: o.kind)


def bind(optimizer: Optimizer, weights: np.ndarray, segments: Any = None, decay: np.ndarray | None = None,
         slots: dict[str, np.ndarray] | None = None) -> OptimizerBind:
    n, arrays = len(weights), {}

    def scratch(name: str, shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
        array = arrays.setdefault(name, np.full(shape, np.nan, dtype=dtype or weights.dtype))
        assert array.shape == tuple(shape)
        return array

    if slots is None:
        slots = {name: np.zeros_like(weights) for name in optimizer.slots}
    return OptimizerBind(np, weights.dtype, weights, np.zeros_like(weights), slots, decay,
                         segments or (("n1/W", 0, n, (n,), True),), scratch)


def test_every_optimizer_has_golden_values():
    assert {golden.declared["kind"] for golden in GOLDENS} == {cls.kind for cls in Optimizer.all()}


@pytest.mark.parametrize("golden", GOLDENS, ids=str)
def test_agrees_with_pytorch(golden: Golden):
    optimizer = Optimizer.from_json(golden.declared)
    shapes = golden.group("shape/")
    segments = tuple((f"n{i}/W", int(start), int(stop), tuple(map(int, shapes.get(str(i), (stop - start,)))), True)
                     for i, (start, stop) in enumerate(golden.arrays.get("segments", ())))
    ctx = bind(optimizer, golden["start"].copy(), segments or None)
    update = optimizer.bind(ctx)
    for i in range(10):
        ctx.grads[...] = golden["grads"][i]
        update(optimizer.learning_rate, i + 1)
        if i in (0, 9):
            assert_agrees(ctx.weights, golden[f"after{i + 1}"], f"weights after {i + 1} steps")


@OPTIMIZERS
def test_finds_the_bottom_of_a_bowl(optimizer: Optimizer):
    ctx = bind(optimizer, np.array([1.0, -2.0, 0.5, 3.0]), (("W", 0, 4, (2, 2), True),))
    update = optimizer.bind(ctx)
    start = np.sum(ctx.weights**2)
    rate = 0.5 if optimizer.kind == "adagrad.v1" else max(optimizer.learning_rate, 0.05)
    for step in range(1, 801):
        ctx.grads[...] = ctx.weights
        update(rate * (1 - step / 800) + 1e-6, step)
    assert np.sum(ctx.weights**2) < 0.1 * start


@OPTIMIZERS
def test_long_buffers_are_done_in_chunks_with_the_same_result(optimizer: Optimizer):
    rng = np.random.default_rng(0)
    n = 150_000
    start, grads = rng.standard_normal((2, n)).astype(np.float32)
    segments = (("a", 0, 100_000, (250, 400), True), ("b", 100_000, n, (n - 100_000,), True))
    whole = bind(optimizer, start.copy(), segments)
    update = optimizer.bind(whole)
    for step in (1, 2):
        whole.grads[...] = grads
        update(0.01, step)
    part = bind(optimizer, start[100_000:].copy())
    update = optimizer.bind(part)
    for step in (1, 2):
        part.grads[...] = grads[100_000:]
        update(0.01, step)
    np.testing.assert_array_equal(whole.weights[100_000:], part.weights)


@OPTIMIZERS
def test_weight_decay_leaves_masked_weights_alone(optimizer: Optimizer):
    decaying = optimizer.replaced(weight_decay=0.5)
    plain = optimizer.replaced(weight_decay=0.0)
    mask = np.repeat([1.0, 0.0], 4)
    start, grads = np.random.default_rng(2).standard_normal((2, 8))
    found = []
    for each in (decaying, plain):
        segments = (("W", 0, 4, (2, 2), True), ("b", 4, 8, (2, 2), False))
        ctx = bind(each, start.copy(), segments, decay=mask)
        update = each.bind(ctx)
        for step in (1, 2):
            ctx.grads[...] = grads
            update(0.1, step)
        found.append(ctx.weights)
    same = found[0] == found[1]
    np.testing.assert_array_equal(same[4:], True)
    assert not same[:4].any()


@OPTIMIZERS
def test_resuming_from_the_slots_gives_the_same_bits(optimizer: Optimizer):
    rng = np.random.default_rng(1)
    grads = rng.standard_normal((6, 10)).astype(np.float32)
    through = bind(optimizer, np.ones(10, np.float32))
    update = optimizer.bind(through)
    for i in range(6):
        if i == 3:
            saved = through.weights.copy(), {name: slot.copy() for name, slot in through.slots.items()}
        through.grads[...] = grads[i]
        update(0.01, i + 1)
    resumed = bind(optimizer, saved[0], slots=saved[1])
    update = optimizer.bind(resumed)
    for i in range(3, 6):
        resumed.grads[...] = grads[i]
        update(0.01, i + 1)
    np.testing.assert_array_equal(resumed.weights, through.weights)


@OPTIMIZERS
def test_declaration(optimizer: Optimizer):
    assert Optimizer.from_json(json.loads(json.dumps(optimizer.to_json()))) == optimizer
    assert optimizer.title and optimizer.icon and optimizer.keywords
    for info in describe(type(optimizer)):
        assert info.help.endswith(".") and info.low is not None or info.editor == "bool"
