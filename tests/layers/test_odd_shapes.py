"""Layers at the shapes that break things: one step, channel or sample, strides and margins beyond the size."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nndesigner.engine.gradcheck import check_layer
from nndesigner.layers import Layer
from nndesigner.spec import Shape, ShapeError

small = st.integers(1, 5)
windowed = st.fixed_dictionaries({"kernel": st.integers(1, 4), "strides": st.integers(1, 4)})
AXES = {"1": "TF", "2": "HWC", "3": "DHWC"}


def each(kind: str, values: dict[str, int]) -> dict[str, object]:
    """The same number along each axis of a layer of 1, 2 or 3 of them."""
    axes = int(kind[-5])
    return values if axes == 1 else {name: (value,) * axes for name, value in values.items()}


def check(layer: Layer, *shapes: Shape, batch: int) -> None:
    """Forward and backward agree, unless the shape is refused with a sentence."""
    try:
        found = layer.output_shape(*shapes)
    except ShapeError as error:
        assert error.todo
        return
    assert all(d >= 1 for d in found.dims)
    check_layer(layer, *shapes, batch=batch, tolerance=1e-5)


def shape_for(kind: str, sizes: list[int], channels: int) -> Shape:
    axes = AXES[kind[-5]]
    return Shape(axes, (*sizes[:len(axes) - 1], channels))


@pytest.mark.parametrize("kind", ["conv1d.v1", "conv2d.v1", "conv3d.v1"])
@settings(max_examples=25, deadline=None)
@given(windowed, st.lists(small, min_size=3, max_size=3), st.sampled_from(["same", "valid", "explicit"]),
       st.integers(1, 3), st.integers(0, 4), st.integers(1, 2), st.integers(1, 2))
def test_convolutions(kind, window, sizes, padding, dilation, margin, groups, batch):
    options = each(kind, {**window, "dilation": dilation, "margin": margin})
    layer = Layer.registry[kind](filters=groups, groups=groups, padding=padding, **options)
    check(layer, shape_for(kind, sizes, groups), batch=batch)


@pytest.mark.parametrize("kind", [f"{name}pool{axes}d.v1" for name in ("max", "avg") for axes in (1, 2, 3)])
@settings(max_examples=15, deadline=None)
@given(windowed, st.lists(small, min_size=3, max_size=3), st.sampled_from(["same", "valid"]), st.integers(1, 2))
def test_poolings(kind, window, sizes, padding, batch):
    check(Layer.registry[kind](padding=padding, **each(kind, window)), shape_for(kind, sizes, 1), batch=batch)


@pytest.mark.parametrize("kind", [f"adaptiveavgpool{axes}d.v1" for axes in (1, 2, 3)])
@settings(max_examples=15, deadline=None)
@given(st.integers(1, 6), st.lists(small, min_size=3, max_size=3), st.integers(1, 2), st.integers(1, 2))
def test_adaptive_means(kind, size, sizes, channels, batch):
    check(Layer.registry[kind](**each(kind, {"size": size})), shape_for(kind, sizes, channels), batch=batch)


@settings(max_examples=30, deadline=None)
@given(windowed, st.tuples(small, small), st.sampled_from(["same", "valid"]), st.integers(1, 2), st.integers(1, 3),
       st.sampled_from(["depthwiseconv2d.v1", "separableconv2d.v1", "convtranspose2d.v1"]))
def test_further_convolutions(window, sizes, padding, batch, channels, kind):
    layer = Layer.registry[kind](padding=padding, **{name: (value, value) for name, value in window.items()})
    if "filters" in type(layer).model_fields:
        layer = layer.replaced(filters=2)
    check(layer, Shape("HWC", (*sizes, channels)), batch=batch)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["simplernn.v1", "lstm.v1", "gru.v1"]), small, st.integers(1, 3), st.integers(1, 3),
       st.sampled_from(["last", "sequence"]), st.booleans(), st.integers(1, 2))
def test_recurrent_layers(kind, steps, features, units, output, bidirectional, batch):
    layer = Layer.registry[kind](units=units, output=output, bidirectional=bidirectional)
    check(layer, Shape("TF", (steps, features)), batch=batch)


@settings(max_examples=25, deadline=None)
@given(small, small, st.integers(1, 2), st.integers(1, 2), st.booleans(), st.integers(1, 2))
def test_attention(steps, others, heads, size, causal, batch):
    series, memory = (Shape("TF", (n, heads * size)) for n in (steps, others))
    check(Layer.registry["selfattention.v1"](heads=heads, causal=causal), series, batch=batch)
    check(Layer.registry["crossattention.v1"](heads=heads), series, memory, batch=batch)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["batchnorm.v1", "layernorm.v1", "rmsnorm.v1", "instancenorm.v1", "groupnorm.v1"]),
       st.tuples(small, small), st.integers(1, 4), st.integers(2, 3))
def test_normalisations(kind, sizes, channels, batch):
    layer = Layer.registry[kind](**({"groups": channels} if kind == "groupnorm.v1" else {}))
    check(layer, Shape("HWC", (*sizes, channels)), batch=batch)
