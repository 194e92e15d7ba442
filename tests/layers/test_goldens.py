"""Forward, every gradient and running statistics agree with PyTorch's values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nndesigner.engine.gradcheck import bind_layer
from nndesigner.layers import Layer
from nndesigner.layers.base import Bind
from nndesigner.layers.io import Input, Output
from nndesigner.spec import Shape
from tests.golden_files import Golden, assert_agrees, goldens
from tests.layers.layer_cases import CASES, VIEWS

GOLDENS = goldens("layers")


def bind(golden: Golden, training: bool) -> tuple[Layer, Bind]:
    layer = Layer.from_json(golden.declared)
    x = [golden[f"x{i}"] for i in range(sum(name[0] == "x" for name in golden.arrays))]
    shapes = []
    for i, array in enumerate(x):
        axes = str(golden.arrays.get(f"axes/{i}", {2: "F", 3: "TF", 4: "HWC", 5: "DHWC"}.get(array.ndim, "F")))
        shapes.append(Shape(axes, array.shape[1:], integer=array.dtype.kind == "i"))
    ctx = bind_layer(layer, shapes, len(x[0]), dtype=np.float32, training=training)
    draws = golden.group("extra/")
    ctx = replace(ctx, uniform=lambda purpose, out: np.copyto(out, draws["uniform"]),
                  normal=lambda purpose, out: np.copyto(out, draws["normal"]))
    masks = tuple(golden.arrays.get(f"mask{i}") for i in range(len(x)))
    if any(mask is not None for mask in masks):
        ctx = replace(ctx, masks=masks)
    for target, source in zip(ctx.x, x):
        target[...] = source
    for name, target in ctx.weights.items():
        target[...] = golden[f"weight/{name}"]
    for name, target in ctx.buffers.items():
        target[...] = golden[f"buffer/{name}"]
    return layer, ctx


def test_every_layer_has_golden_values():
    found = {golden.declared["kind"] for golden in GOLDENS}
    needed = {case.layer.kind for case in CASES if case not in VIEWS} - {Input.kind, Output.kind}
    assert found == needed


@pytest.mark.parametrize("golden", GOLDENS, ids=str)
def test_agrees_with_pytorch(golden: Golden):
    layer, ctx = bind(golden, training=True)
    forward, backward = layer.bind(ctx)
    forward()
    assert_agrees(ctx.y, golden["y"], "y")
    for name, theirs in golden.group("after/").items():
        assert_agrees(ctx.buffers[name], theirs, name)
    ctx.dy[...] = golden["dy"]
    backward()
    for i, dx in enumerate(ctx.dx):
        if dx is not None:
            assert_agrees(dx, golden[f"dx{i}"], f"dx{i}")
    if "loss" in golden.arrays:
        assert_agrees(ctx.loss[0], golden["loss"], "loss")
    assert set(golden.group("grad/")) == set(ctx.grads)
    for name, grad in ctx.grads.items():
        assert_agrees(grad, golden[f"grad/{name}"], f"gradient of {name}")


@pytest.mark.parametrize("golden", [g for g in GOLDENS if "y_inference" in g.arrays], ids=str)
def test_inference_uses_the_running_statistics(golden: Golden):
    layer, ctx = bind(golden, training=False)
    layer.bind(ctx)[0]()
    assert_agrees(ctx.y, golden["y_inference"])
