"""Convolution and pooling against sums written out in plain loops, for odd sizes."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nndesigner.engine.gradcheck import check_layer
from nndesigner.layers.conv import Conv2D
from nndesigner.layers.pool import AvgPool2D, MaxPool2D
from nndesigner.spec import Set, Shape, ShapeError
from tests.layers.layer_cases import Case

pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
sizes = st.tuples(st.integers(1, 7), st.integers(1, 7))


def padded(x: np.ndarray, kernel, strides, dilation, padding, margin, value: float) -> np.ndarray:
    """x with `value` around it, as TensorFlow pads for "same"."""
    widths = [(0, 0)]
    for n, k, s, d, m in zip(x.shape[1:3], kernel, strides, dilation, margin):
        reach = (k - 1) * d + 1
        if padding == "same":
            total = max((-(-n // s) - 1) * s + reach - n, 0)
            widths.append((total // 2, total - total // 2))
        else:
            widths.append((m, m) if padding == "explicit" else (0, 0))
    return np.pad(x, [*widths, (0, 0)], constant_values=value)


def windows(x: np.ndarray, kernel, strides, dilation):
    """(output place, window [B, kh, kw, C]) for every place where a window fits."""
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    counts = [(n - r) // s + 1 for n, r, s in zip(x.shape[1:3], reach, strides)]
    for i, j in product(*(range(c) for c in counts)):
        rows = slice(i * strides[0], i * strides[0] + reach[0], dilation[0])
        columns = slice(j * strides[1], j * strides[1] + reach[1], dilation[1])
        yield (i, j), x[:, rows, columns]


@settings(max_examples=60, deadline=None)
@given(sizes, pair, pair, pair, st.sampled_from(["same", "valid", "explicit"]), pair, st.sampled_from([1, 2, 3]),
       st.integers(1, 3), st.integers(1, 3))
def test_convolution_is_the_sum_over_its_windows(size, kernel, strides, dilation, padding, margin, groups, deep, wide):
    layer = Conv2D(filters=groups * wide, kernel=kernel, strides=strides, dilation=dilation, padding=padding,
                   margin=margin, groups=groups)
    shape = Shape("HWC", (*size, groups * deep))
    try:
        layer.output_shape(shape)
    except ShapeError:
        assert padding != "same"
        return
    ctx = Case(layer, (shape,), batch=2).bind()
    layer.bind(ctx)[0]()
    x = padded(ctx.x[0], kernel, strides, dilation, padding, margin, 0.0)
    W, b = ctx.weights["W"], ctx.weights["b"]
    for (i, j), seen in windows(x, kernel, strides, dilation):
        for g in range(groups):
            filters = slice(g * wide, (g + 1) * wide)
            wanted = np.tensordot(seen[..., g * deep:(g + 1) * deep], W[..., filters], axes=3) + b[filters]
            np.testing.assert_allclose(ctx.y[:, i, j, filters], wanted, rtol=1e-9, atol=1e-9)
    assert ctx.y.shape[1:3] == (i + 1, j + 1)
    check_layer(layer, shape, batch=2)


@settings(max_examples=60, deadline=None)
@given(sizes, pair, pair, st.sampled_from(["same", "valid"]), st.booleans())
def test_pooling_looks_at_its_windows(size, kernel, strides, padding, maximum):
    layer = (MaxPool2D if maximum else AvgPool2D)(kernel=kernel, strides=strides, padding=padding)
    shape = Shape("HWC", (*size, 2))
    try:
        layer.output_shape(shape)
    except ShapeError:
        assert padding == "valid"
        return
    ctx = Case(layer, (shape,), batch=2).bind()
    layer.bind(ctx)[0]()
    x = padded(ctx.x[0], kernel, strides, (1, 1), padding, (0, 0), np.nan)
    for (i, j), seen in windows(x, kernel, strides, (1, 1)):
        wanted = (np.nanmax if maximum else np.nanmean)(seen, axis=(1, 2))
        np.testing.assert_allclose(ctx.y[:, i, j], wanted, rtol=1e-12)
    assert ctx.y.shape[1:3] == (i + 1, j + 1)
    check_layer(layer, shape, batch=2)


@pytest.mark.parametrize("layer", [MaxPool2D(), MaxPool2D(kernel=(3, 3), strides=(1, 1))])
def test_of_equal_values_only_the_first_gets_the_gradient(layer: MaxPool2D):
    ctx = Case(layer, (Shape("HWC", (4, 4, 1)),), batch=1).bind()
    ctx.x[0].fill(0.0)
    forward, backward = layer.bind(ctx)
    forward()
    ctx.dy.fill(1.0)
    backward()
    assert ctx.dx[0].sum() == ctx.y.size
    assert ctx.dx[0][0, 0, 0, 0] == 1.0 and ctx.dx[0][0, 3, 3, 0] == 0.0


def test_a_window_larger_than_the_picture_names_the_cure():
    with pytest.raises(ShapeError, match="at least 5 H") as caught:
        Conv2D(kernel=(5, 5), padding="valid").output_shape(Shape("HWC", (4, 8, 1)))
    assert caught.value.remedies == (Set({"padding": "same"}),)
    with pytest.raises(ShapeError) as caught:
        MaxPool2D(kernel=(3, 2)).output_shape(Shape("HWC", (2, 8, 1)))
    assert Set({"kernel": (2, 2)}) in caught.value.remedies


def test_one_image_is_worked_on_in_blocks_without_changing_the_result():
    shape = Shape("HWC", (20, 20, 16))
    layer = Conv2D(filters=4, activation="relu")
    whole = Case(layer, (shape,), batch=9).bind(dtype=np.float32)
    layer.bind(whole)[0]()
    single = Case(layer, (shape,), batch=1).bind(dtype=np.float32)
    single.weights.update(whole.weights)
    forward = layer.bind(single)[0]
    for i in range(9):
        single.x[0][...] = whole.x[0][i:i + 1]
        forward()
        np.testing.assert_allclose(single.y[0], whole.y[i], rtol=1e-5, atol=1e-5)
