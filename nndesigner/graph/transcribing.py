"""Networks that write a text: what is seen or heard from left to right becomes scores for tokens at each step."""

from __future__ import annotations

from nndesigner.layers import Layer
from nndesigner.layers.activation import ReLU
from nndesigner.layers.conv import Conv1D, Conv2D
from nndesigner.layers.dense import Dense
from nndesigner.layers.embedding import Embedding
from nndesigner.layers.gated import GRU
from nndesigner.layers.norm import BatchNorm
from nndesigner.layers.pool import MaxPool2D
from nndesigner.layers.regular import Dropout
from nndesigner.layers.reshape import Permute, Reshape
from nndesigner.spec import DataField

#: steps that are kept for each token of the longest text: room for what is said between the tokens, and for repeats
STEPS_PER_TOKEN = 4
#: series are shortened to fewer steps than this where the texts allow it
MANY_STEPS = 64


def writing(field: DataField, target: DataField) -> list[Layer] | None:
    """Layers from an input to scores T × F for the tokens of a text; None where the input has too few steps.

    Convolutions that shorten series and pictures, from left to right, as far as the texts allow, then a recurrent layer
    that reads both ways. Spoken numbers: see data.generated_sound.
    """
    shape, (length, tokens) = field.shape, target.shape.dims
    fewest = STEPS_PER_TOKEN * length
    if shape.axes == "HWC" and min(shape.dims) >= 1 and shape.dims[1] > length:
        layers = _columns(*shape.dims[:2], fewest)
    elif shape.axes == "TF" and shape.dims[0] > length:
        layers = _moments(shape.dims[0], fewest)
    elif shape.integer and shape.dims[0] > length:
        layers = [Embedding(vocabulary=max(1, field.tokens), units=32)]
    else:
        return None
    return [*layers, GRU(units=64, output="sequence", bidirectional=True), Dropout(rate=0.2), Dense(units=tokens)]


def _columns(height: int, width: int, fewest: int) -> list[Layer]:
    """Pictures become a series of their columns."""
    layers: list[Layer] = []
    for filters in (16, 32, 32):
        layers += [Conv2D(filters=filters, kernel=(3, 3), padding="same"), BatchNorm(), ReLU()]
        pool = (2 if height >= 8 else 1, 2 if width // 2 >= fewest else 1)
        if pool != (1, 1):
            layers.append(MaxPool2D(kernel=pool))
        height, width = height // pool[0], width // pool[1]
    return [*layers, Permute(order=(2, 1, 3)), Reshape(shape=(width, -1))]


def _moments(steps: int, fewest: int) -> list[Layer]:
    """Long series become shorter ones of richer moments."""
    layers: list[Layer] = []
    while steps > MANY_STEPS and steps // 2 >= fewest:
        strides = next(s for s in (8, 4, 2) if s == 2 or steps // s >= max(fewest, MANY_STEPS // 2))
        kernel = 8 * strides if strides == 8 else 2 * strides + 1
        layers += [Conv1D(filters=64, kernel=kernel, strides=strides), BatchNorm(), ReLU()]
        steps = -(-steps // strides)
    return layers or [Conv1D(filters=64, kernel=5, activation="relu")]
