"""The one table of layers and input shapes that every law runs over. A layer that is not in it fails the tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nndesigner.engine.gradcheck import bind_layer
from nndesigner.layers import Layer
from nndesigner.layers.activation import CELU, ELU, SELU, LeakyReLU, PReLU, ReLU, ReLU6
from nndesigner.layers.attention import CrossAttention, SelfAttention
from nndesigner.layers.base import Bind
from nndesigner.layers.conv import Conv1D, Conv2D, Conv3D, ConvTranspose2D
from nndesigner.layers.dense import Dense
from nndesigner.layers.depthwise import DepthwiseConv2D, SeparableConv2D
from nndesigner.layers.embedding import Embedding, PositionalEncoding
from nndesigner.layers.formula import Formula
from nndesigner.layers.gated import GRU, LSTM
from nndesigner.layers.generative import Clustering, Sampling
from nndesigner.layers.globalpool import (
    AdaptiveAvgPool1D,
    AdaptiveAvgPool2D,
    AdaptiveAvgPool3D,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalAvgPool3D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPool3D,
)
from nndesigner.layers.groupnorm import GroupNorm, InstanceNorm
from nndesigner.layers.io import Input, Output
from nndesigner.layers.merge import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract
from nndesigner.layers.norm import BatchNorm, LayerNorm, RMSNorm
from nndesigner.layers.pool import AvgPool1D, AvgPool2D, AvgPool3D, MaxPool1D, MaxPool2D, MaxPool3D
from nndesigner.layers.recurrent import SimpleRNN
from nndesigner.layers.regular import AlphaDropout, Dropout, GaussianDropout, GaussianNoise, SpatialDropout
from nndesigner.layers.reshape import Flatten, Permute, RepeatVector, Reshape
from nndesigner.layers.resize import Cropping2D, UpSampling2D, ZeroPadding2D
from nndesigner.layers.smooth import GELU, HardSwish, Mish, SiLU, Softplus
from nndesigner.layers.squash import GLU, HardSigmoid, LogSoftmax, Sigmoid, Softmax, Softsign, Tanh
from nndesigner.layers.weighted import FUSED
from nndesigner.spec import Shape


@dataclass(frozen=True)
class Case:
    """A layer and the shapes of its inputs. Whole-number inputs are drawn below `numbers`."""

    layer: Layer
    shapes: tuple[Shape, ...]
    batch: int = 4
    numbers: int = 2

    def __str__(self) -> str:
        changed = {n: v for n, v in self.layer if v != type(self.layer).model_fields[n].default}
        words = ",".join(f"{name}={value}" for name, value in changed.items())
        return f"{self.layer.kind}({words})-{'-'.join(str(s).replace(' × ', 'x') for s in self.shapes)}"

    def bind(self, *, training: bool = True, dtype: Any = np.float64, batch: int | None = None, seed: int = 0) -> Bind:
        """Arrays of random numbers for the layer, with scratch as strict as the plan's."""
        ctx = bind_layer(self.layer, self.shapes, batch or self.batch, dtype=dtype, training=training, seed=seed)
        for x, shape in zip(ctx.x, self.shapes):
            if shape.integer:
                x[...] = np.random.default_rng(seed).integers(0, self.numbers, x.shape)
        arrays: dict[str, Any] = {}

        def scratch(name: str, shape: tuple[int, ...], dtype: Any = dtype) -> Any:
            array = arrays.setdefault(name, np.zeros(shape, dtype=dtype))
            assert array.shape == tuple(shape), f"scratch array {name!r} is wanted in two shapes"
            return array

        ctx = replace(ctx, scratch=scratch)
        if not training:
            ctx = replace(ctx, dy=None, dx=tuple(None for _ in ctx.x), grads={})
        return ctx


def _f(n: int) -> Shape:
    return Shape("F", (n,))


def _tf(t: int, f: int) -> Shape:
    return Shape("TF", (t, f))


def _hwc(h: int, w: int, c: int) -> Shape:
    return Shape("HWC", (h, w, c))


def _dhwc(d: int, h: int, w: int, c: int) -> Shape:
    return Shape("DHWC", (d, h, w, c))


CASES: list[Case] = [
    Case(Input(shape=(3,)), ()),
    Case(Output(), (_f(3),)),
    Case(Dense(units=5), (_f(7),)),
    Case(Dense(units=5, bias=False), (_tf(6, 3),)),
    *(Case(Dense(units=5, activation=name), (_f(4),)) for name in FUSED),
    Case(Flatten(), (_hwc(3, 4, 2),)),
    Case(Reshape(shape=(4, -1)), (_f(12),)),
    Case(Reshape(shape=(3, 4, 1)), (_tf(3, 4),)),
    Case(Permute(), (_tf(3, 4),)),
    Case(Permute(order=(3, 1, 2)), (_hwc(2, 3, 4),)),
    Case(RepeatVector(times=3), (_f(5),)),
    Case(Embedding(vocabulary=7, units=3), (Shape("T", (6,), integer=True),), numbers=7),
    Case(PositionalEncoding(), (_tf(6, 5),)),
    Case(PositionalEncoding(form="learned"), (_tf(6, 4),)),
    Case(Formula(), (_f(7),)),
    Case(Sampling(weight=0.7), (_f(5), _f(5))),
    Case(Clustering(clusters=3, weight=0.0), (_f(4),)),  # the target of its loss counts as given: see the golden values
    Case(Formula(formula="a"), (_f(3),)),
    Case(Formula(formula="-a * tanh(b) / (2 + abs(b)) - 0.5 * a"), (_hwc(3, 4, 2), _hwc(1, 1, 2))),
    Case(Formula(formula="exp(-a ** 2 / 2) + sqrt(a * a + 1) ** 1.5 + log(3 + sin(a) * cos(b))"), (_f(5), _f(5))),
    Case(Formula(formula="max(a, b, 0.1) ** 2 + min(a * b, 1) + 2 ** a + (1 + b * b) ** a"), (_tf(4, 3), _tf(4, 1))),
    # convolution
    Case(Conv2D(filters=5), (_hwc(7, 6, 6),)),
    Case(Conv2D(filters=3, padding="valid"), (_hwc(7, 6, 1),)),
    Case(Conv2D(filters=3, activation="relu"), (_hwc(1, 1, 3),)),
    Case(Conv2D(filters=4, kernel=(1, 1), activation="gelu"), (_hwc(5, 4, 6),)),
    Case(Conv2D(filters=4, kernel=(1, 1), strides=(2, 2), bias=False), (_hwc(5, 6, 7),)),
    Case(Conv2D(filters=6, kernel=(2, 5), strides=(2, 3)), (_hwc(7, 11, 5),)),
    Case(Conv2D(filters=6, kernel=(3, 3), dilation=(2, 2), groups=2), (_hwc(6, 7, 6),)),
    Case(Conv2D(filters=6, kernel=(3, 2), strides=(2, 1), groups=3, activation="tanh"), (_hwc(6, 7, 6),)),
    Case(Conv2D(filters=3, padding="explicit", margin=(3, 2)), (_hwc(5, 4, 5),)),
    Case(Conv2D(filters=3, padding="explicit", margin=(2, 1), strides=(3, 2)), (_hwc(5, 4, 5),)),
    Case(Conv2D(filters=8, activation="silu"), (_hwc(24, 24, 24),), batch=5),  # several blocks, the last one shorter
    Case(Conv2D(filters=8, strides=(2, 2), groups=2), (_hwc(48, 48, 24),), batch=3),
    Case(Conv2D(filters=32, activation="relu"), (_hwc(16, 15, 32),), batch=3),  # large enough for Winograd
    Case(Conv2D(filters=32, padding="valid", bias=False), (_hwc(14, 18, 32),), batch=2),
    Case(Conv1D(filters=4), (_tf(9, 5),)),
    Case(Conv1D(filters=4, kernel=4, strides=3, padding="valid", activation="elu"), (_tf(11, 6),)),
    Case(Conv1D(filters=4, kernel=3, dilation=2, groups=2, padding="explicit", margin=3), (_tf(8, 6),)),
    Case(Conv3D(filters=3), (_dhwc(3, 4, 5, 2),)),
    Case(Conv3D(filters=4, kernel=(2, 3, 1), strides=(1, 2, 2), groups=2, activation="relu"), (_dhwc(4, 5, 4, 6),)),
    Case(ConvTranspose2D(filters=3), (_hwc(4, 3, 5),)),
    Case(ConvTranspose2D(filters=3, padding="valid", activation="tanh"), (_hwc(3, 4, 6),)),
    Case(ConvTranspose2D(filters=4, kernel=(4, 4), strides=(2, 2), activation="relu"), (_hwc(5, 4, 5),)),
    Case(ConvTranspose2D(filters=3, kernel=(2, 2), strides=(3, 3), bias=False), (_hwc(3, 4, 5),)),
    Case(ConvTranspose2D(filters=5, strides=(1, 1)), (_hwc(4, 5, 6),)),
    Case(ConvTranspose2D(filters=16), (_hwc(24, 24, 8),), batch=5),
    Case(DepthwiseConv2D(), (_hwc(6, 5, 4),)),
    Case(DepthwiseConv2D(multiplier=3, kernel=(2, 3), strides=(2, 1), activation="gelu"), (_hwc(6, 5, 4),)),
    Case(DepthwiseConv2D(padding="valid", dilation=(2, 1), bias=False), (_hwc(6, 5, 4),)),
    Case(DepthwiseConv2D(), (_hwc(48, 48, 20),), batch=5),
    Case(DepthwiseConv2D(padding="explicit", margin=(2, 1)), (_hwc(3, 5, 2),)),
    Case(SeparableConv2D(filters=5, padding="explicit", margin=(0, 3)), (_hwc(4, 3, 2),)),
    Case(SeparableConv2D(filters=5), (_hwc(6, 5, 4),)),
    Case(SeparableConv2D(filters=5, strides=(2, 2), multiplier=2, activation="silu"), (_hwc(7, 6, 3),)),
    Case(SeparableConv2D(filters=8, activation="relu"), (_hwc(48, 48, 12),), batch=5),
    Case(UpSampling2D(), (_hwc(3, 4, 2),)),
    Case(UpSampling2D(factor=(3, 2), interpolation="bilinear"), (_hwc(3, 4, 2),)),
    Case(ZeroPadding2D(rows=(1, 2), columns=(0, 3)), (_hwc(3, 4, 2),)),
    Case(Cropping2D(rows=(1, 2), columns=(0, 1)), (_hwc(6, 4, 2),)),
    # pooling
    Case(MaxPool2D(), (_hwc(6, 8, 3),)),
    Case(MaxPool2D(), (_hwc(7, 5, 3),)),
    Case(MaxPool2D(padding="same"), (_hwc(7, 5, 3),)),
    Case(MaxPool2D(kernel=(3, 2), strides=(1, 2)), (_hwc(7, 6, 2),)),
    Case(MaxPool2D(kernel=(3, 3), strides=(2, 2), padding="same"), (_hwc(6, 7, 2),)),
    Case(MaxPool2D(), (_hwc(64, 64, 12),), batch=5),
    Case(AvgPool2D(), (_hwc(6, 8, 3),)),
    Case(AvgPool2D(padding="same"), (_hwc(7, 5, 3),)),
    Case(AvgPool2D(kernel=(3, 3), strides=(2, 1), padding="same"), (_hwc(6, 7, 2),)),
    Case(AvgPool2D(kernel=(3, 2), strides=(1, 2)), (_hwc(7, 6, 2),)),
    Case(GlobalAvgPool2D(), (_hwc(5, 4, 6),)),
    *(Case(layer, (_tf(7, 3),)) for layer in (
        MaxPool1D(), MaxPool1D(kernel=3, strides=2, padding="same"), AvgPool1D(), AvgPool1D(kernel=3, strides=1),
        GlobalAvgPool1D(), GlobalMaxPool1D())),
    *(Case(layer, (_dhwc(3, 4, 5, 2),)) for layer in (
        MaxPool3D(), MaxPool3D(kernel=(3, 2, 2), strides=(1, 2, 1)), AvgPool3D(), AvgPool3D(padding="same"),
        GlobalAvgPool3D(), GlobalMaxPool3D())),
    Case(GlobalMaxPool2D(), (_hwc(5, 4, 6),)),
    Case(AdaptiveAvgPool1D(size=3), (_tf(7, 4),)),
    Case(AdaptiveAvgPool1D(size=5), (_tf(3, 2),)),
    Case(AdaptiveAvgPool3D(size=(2, 3, 2)), (_dhwc(3, 4, 5, 2),)),
    Case(AdaptiveAvgPool2D(size=(3, 2)), (_hwc(7, 5, 4),)),
    Case(AdaptiveAvgPool2D(size=(4, 6)), (_hwc(3, 5, 2),)),
    # normalisation
    Case(BatchNorm(), (_f(6),), batch=16),
    Case(BatchNorm(momentum=0.4, epsilon=0.01), (_hwc(5, 4, 3),)),
    Case(BatchNorm(), (_hwc(40, 40, 12),), batch=5),
    Case(LayerNorm(), (_f(6),)),
    Case(LayerNorm(), (_tf(5, 8),)),
    Case(RMSNorm(), (_tf(5, 8),)),
    Case(RMSNorm(epsilon=0.1), (_f(6),)),
    Case(GroupNorm(groups=3), (_hwc(3, 4, 6),)),
    Case(GroupNorm(groups=2), (_f(6),)),
    Case(InstanceNorm(), (_hwc(3, 4, 5),)),
    Case(InstanceNorm(), (_tf(5, 3),)),
    # activation
    *(Case(layer, (_f(9),)) for layer in (
        ReLU(), ReLU6(), LeakyReLU(), LeakyReLU(slope=0.3), PReLU(), ELU(), ELU(alpha=0.4), CELU(alpha=0.7), SELU(),
        GELU(), GELU(form="tanh"), SiLU(), Mish(), HardSwish(), Softplus(), Sigmoid(), HardSigmoid(), Tanh(),
        Softsign(), Softmax(), LogSoftmax())),
    Case(PReLU(), (_hwc(3, 4, 5),)),
    Case(GLU(), (_tf(4, 6),)),
    Case(LogSoftmax(), (_tf(5, 7),)),
    Case(GELU(), (_hwc(64, 64, 5),)),  # several parts
    Case(Softmax(), (_tf(5, 7),)),
    # recurrent and attention
    *(Case(layer(units=4, **params), (_tf(5, 3),), batch=3) for layer in (SimpleRNN, LSTM, GRU) for params in (
        {}, {"output": "sequence"}, {"bidirectional": True}, {"bidirectional": True, "output": "sequence"})),
    Case(LSTM(units=3), (_tf(1, 2),)),
    Case(SelfAttention(heads=2), (_tf(5, 6),)),
    Case(SelfAttention(heads=3, causal=True), (_tf(4, 6),)),
    Case(CrossAttention(heads=2), (_tf(4, 6), _tf(3, 5))),
    # regularisation and merging
    Case(Dropout(), (_hwc(4, 5, 6),)),
    Case(Dropout(rate=0.0), (_f(5),)),
    *(Case(layer, (_hwc(4, 5, 6),)) for layer in (
        SpatialDropout(), AlphaDropout(), GaussianNoise(), GaussianDropout())),
    Case(SpatialDropout(), (_tf(4, 5),)),
    Case(Add(), (_f(5), _f(5), _f(5))),
    Case(Concatenate(), (_hwc(3, 4, 2), _hwc(3, 4, 5))),
    Case(Concatenate(), (_f(2), _f(1), _f(4))),
    Case(Concatenate(axis="T"), (_tf(2, 3), _tf(4, 3))),
    Case(Concatenate(axis="W"), (_hwc(2, 3, 2), _hwc(2, 1, 2))),
    *(Case(layer, (_hwc(3, 4, 2),) * 3) for layer in (Average(), Multiply(), Maximum(), Minimum())),
    *(Case(layer, (_hwc(3, 4, 2), _hwc(1, 1, 2))) for layer in (
        Add(), Subtract(), Average(), Multiply(), Maximum(), Minimum())),
    Case(Subtract(), (_f(5), _f(5))),
    Case(Dot(), (_f(5), _f(5))),
    Case(Dot(), (_tf(4, 3), _tf(4, 3))),
]
#: cases with arithmetic of their own: views are made by the plan, Input and Output have none
BOUND = [case for case in CASES if not case.layer.view and not isinstance(case.layer, (Input, Output))]
VIEWS = [case for case in CASES if case.layer.view]
