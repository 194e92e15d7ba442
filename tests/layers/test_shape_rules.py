"""Shape rules: what a layer refuses, and what it proposes instead."""

from __future__ import annotations

import pytest

from nndesigner.layers.conv import Conv2D
from nndesigner.layers.dense import Dense
from nndesigner.layers.embedding import Embedding
from nndesigner.layers.globalpool import GlobalAvgPool2D
from nndesigner.layers.groupnorm import GroupNorm
from nndesigner.layers.merge import Add, Concatenate, Multiply
from nndesigner.layers.pool import MaxPool2D
from nndesigner.layers.regular import AlphaDropout, Dropout, GaussianDropout
from nndesigner.layers.reshape import Flatten, Reshape
from nndesigner.spec import Insert, Set, Shape, ShapeError
from tests.layers.layer_cases import Case

F, TF, HWC = Shape("F", (64,)), Shape("TF", (5, 3)), Shape("HWC", (8, 8, 3))


def test_dense_works_on_the_last_axis_and_asks_for_a_flatten_before_pictures():
    assert Dense(units=7).output_shape(F) == Shape("F", (7,))
    assert Dense(units=7).output_shape(TF) == Shape("TF", (5, 7))
    with pytest.raises(ShapeError, match="put a Flatten before it") as caught:
        Dense().output_shape(HWC)
    assert caught.value.remedies == (Insert("flatten.v1"),)
    with pytest.raises(ShapeError, match="Embedding"):
        Dense().output_shape(Shape("TF", (5, 1), integer=True))


@pytest.mark.parametrize("layer", [Conv2D(), MaxPool2D(), GlobalAvgPool2D()])
def test_picture_layers_propose_a_reshape_of_rows_of_numbers(layer):
    with pytest.raises(ShapeError, match="Reshape to 8 × 8 × 1") as caught:
        layer.output_shape(F)
    assert caught.value.remedies == (Insert("reshape.v1", {"shape": (8, 8, 1)}),)
    with pytest.raises(ShapeError, match="H × W × C, got 5 T × 3 F"):
        layer.output_shape(TF)


def test_groups_must_divide_channels_and_filters():
    assert Conv2D(filters=6, groups=3).output_shape(HWC).dims == (8, 8, 6)
    with pytest.raises(ShapeError, match="3 channels") as caught:
        Conv2D(filters=4, groups=2).output_shape(HWC)
    assert caught.value.remedies == (Set({"groups": 1}),)
    with pytest.raises(ShapeError, match="4 filters"):
        Conv2D(filters=4, groups=3).output_shape(HWC)


@pytest.mark.parametrize(("stride", "padding", "wanted"), [
    (1, "same", 8), (2, "same", 4), (3, "same", 3), (1, "valid", 6), (2, "valid", 3), (3, "valid", 2)])
def test_sizes_of_convolution(stride: int, padding: str, wanted: int):
    shape = Conv2D(strides=(stride, stride), padding=padding).output_shape(HWC)
    assert shape == Shape("HWC", (wanted, wanted, 32))


def test_weights_and_multiply_adds_of_convolution():
    layer = Conv2D(filters=10, kernel=(3, 5))
    assert layer.weights(HWC)["W"].shape == (3, 5, 3, 10)
    assert layer.weights(HWC)["W"].fan_in == 45
    assert layer.multiply_adds(HWC) == 8 * 8 * 45 * 10


def test_flatten_and_reshape_keep_the_number_of_values():
    assert Flatten().output_shape(HWC) == Shape("F", (192,))
    assert Reshape(shape=(4, 4, -1)).output_shape(HWC) == Shape("HWC", (4, 4, 12))
    assert Reshape(shape=(-1, 3)).output_shape(HWC) == Shape("TF", (64, 3))
    for bad in ((5, -1), (10, 10), (-1, -1), (0, 192), ()):
        with pytest.raises(ShapeError):
            Reshape(shape=bad).output_shape(HWC)


def test_merging_wants_fitting_branches():
    assert Add().output_shape(HWC, HWC) == HWC
    for inputs in ((HWC,), (HWC, F), (HWC, Shape("HWC", (8, 8, 4)))):
        with pytest.raises(ShapeError):
            Add().output_shape(*inputs)
    assert Concatenate().output_shape(HWC, Shape("HWC", (8, 8, 4))).dims == (8, 8, 7)
    with pytest.raises(ShapeError, match="8 H × 8 W"):
        Concatenate().output_shape(HWC, Shape("HWC", (4, 8, 4)))


def test_embedding_wants_tokens_and_names_the_one_it_does_not_know():
    layer = Embedding(vocabulary=4, units=3)
    tokens = Shape("T", (5,), integer=True)
    assert layer.output_shape(tokens) == Shape("TF", (5, 3))
    with pytest.raises(ShapeError, match="whole numbers"):
        layer.output_shape(F)
    ctx = Case(layer, (tokens,), batch=1).bind()
    ctx.x[0][0, 2] = 4
    with pytest.raises(ValueError, match="Token 4 is not in the vocabulary of 4"):
        layer.bind(ctx)[0]()


def test_merging_repeats_an_input_along_axes_of_length_one():
    gate = Shape("HWC", (1, 1, 3))
    assert Multiply().output_shape(HWC, gate) == Multiply().output_shape(gate, HWC) == HWC
    with pytest.raises(ShapeError, match="or 1 along an axis"):
        Multiply().output_shape(HWC, Shape("HWC", (1, 2, 3)))
    assert Concatenate(axis="W").output_shape(HWC, Shape("HWC", (8, 2, 3))).dims == (8, 10, 3)
    with pytest.raises(ShapeError, match="choose another axis"):
        Concatenate(axis="T").output_shape(HWC, HWC)


def test_group_norm_proposes_groups_that_divide_the_channels():
    with pytest.raises(ShapeError, match="set the groups to 4") as caught:
        GroupNorm(groups=8).output_shape(Shape("HWC", (3, 3, 12)))
    assert caught.value.remedies == (Set({"groups": 4}),)


@pytest.mark.parametrize("layer", [AlphaDropout(rate=0.3), GaussianDropout(rate=0.3), Dropout(rate=0.3)])
def test_noise_keeps_the_mean(layer):
    ctx = Case(layer, (F,), batch=2000).bind()
    layer.bind(ctx)[0]()
    assert ctx.y.mean() == pytest.approx(ctx.x[0].mean(), abs=0.02)
    if isinstance(layer, AlphaDropout):
        assert ctx.y.var() == pytest.approx(1.0, abs=0.03)
