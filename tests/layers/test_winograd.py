"""Winograd's convolution does what the plain one does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nndesigner.layers import conv
from nndesigner.layers.conv import Conv2D
from nndesigner.layers.winograd import suits
from nndesigner.spec import Shape
from tests.layers.layer_cases import Case

sizes = st.tuples(st.integers(1, 11), st.integers(1, 11), st.integers(1, 5))


def both_ways(layer: Conv2D, shape: Shape, batch: int, dtype: type) -> list[dict[str, np.ndarray]]:
    """Output and gradients by Winograd and by plain products."""
    found = []
    for choice in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(conv, "suits", lambda *_, choice=choice: choice)
            ctx = Case(layer, (shape,), batch=batch).bind(dtype=dtype)
            forward, backward = layer.bind(ctx)
        for _ in range(2):  # twice: nothing of the first step may be left over
            ctx.dy[...] = np.random.default_rng(1).standard_normal(ctx.dy.shape)
            forward()
            backward()
        found.append({"y": ctx.y, "dx": ctx.dx[0], **ctx.grads})
    return found


@settings(max_examples=40, deadline=None)
@given(sizes, st.integers(1, 4), st.sampled_from(["same", "valid", "explicit"]),
       st.tuples(st.integers(0, 4), st.integers(0, 4)), st.integers(1, 3))
def test_both_ways_agree_in_double_precision(size, filters, padding, margin, batch):
    layer = Conv2D(filters=filters, padding=padding, margin=margin, activation="tanh")
    if padding == "valid" and min(size[:2]) < 3 or padding == "explicit" and min(np.add(size[:2], margin)) < 3:
        return
    ours, plain = both_ways(layer, Shape("HWC", size), batch, np.float64)
    for name in plain:
        np.testing.assert_allclose(ours[name], plain[name], rtol=1e-9, atol=1e-9, err_msg=name)


def test_single_precision_loses_little():
    ours, plain = both_ways(Conv2D(filters=64, activation="none"), Shape("HWC", (16, 16, 64)), 9, np.float32)
    for name in plain:
        error = np.abs(ours[name] - plain[name]).max() / np.abs(plain[name]).max()
        assert error < 6e-6, f"{name}: {error:.1e}"


@pytest.mark.parametrize(("layer", "shape", "wanted"), [
    (Conv2D(filters=64), (32, 32, 64), True),
    (Conv2D(filters=64), (32, 32, 3), False),
    (Conv2D(filters=64), (2, 2, 64), False),
    (Conv2D(filters=64, kernel=(5, 5)), (32, 32, 64), False),
    (Conv2D(filters=64, strides=(2, 2)), (32, 32, 64), False),
    (Conv2D(filters=64, dilation=(2, 2)), (32, 32, 64), False),
    (Conv2D(filters=64, groups=2), (32, 32, 64), False),
])
def test_it_is_chosen_where_it_pays(layer: Conv2D, shape: tuple[int, ...], wanted: bool):
    windows = layer.windows(Shape("HWC", shape))
    assert suits(windows, shape[-1], layer.filters, layer.groups, batch=64, training=True) == wanted


def test_single_pictures_of_many_channels_take_the_plain_way():
    windows = Conv2D(filters=256).windows(Shape("HWC", (8, 8, 256)))
    assert not suits(windows, 256, 256, 1, batch=1, training=False)
    assert suits(windows, 256, 256, 1, batch=32, training=False)
