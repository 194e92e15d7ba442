"""Ready-made drawings: those of the start page, and one proposed for given data.

The figures say what training reached on the test part with Adam, cosine schedule and batches of 32, over splits and
seeds that played no part in choosing the layers. The example projects hold such settings.
"""

from __future__ import annotations

from collections.abc import Sequence

from nndesigner.graph.edit import add_node, connect
from nndesigner.graph.layout import arrange
from nndesigner.graph.model import Graph
from nndesigner.graph.pixels import by_pixels
from nndesigner.graph.transcribing import writing
from nndesigner.layers import Layer
from nndesigner.layers.activation import ReLU
from nndesigner.layers.conv import Conv1D, Conv2D
from nndesigner.layers.dense import Dense
from nndesigner.layers.embedding import Embedding
from nndesigner.layers.gated import GRU
from nndesigner.layers.generative import Sampling
from nndesigner.layers.globalpool import GlobalAvgPool1D, GlobalAvgPool2D, GlobalMaxPool1D
from nndesigner.layers.io import Input, Output
from nndesigner.layers.merge import Concatenate
from nndesigner.layers.norm import BatchNorm
from nndesigner.layers.pool import MaxPool2D
from nndesigner.layers.regular import Dropout
from nndesigner.layers.reshape import Flatten, Reshape
from nndesigner.spec import DataField, Shape, Signature

#: a layer, or a layer and the name of its node
Step = Layer | tuple[Layer, str]
#: steps of a series from which order tells something, and above which reading it step by step is slow
FEW_STEPS, MANY_STEPS = 4, 100


def two_d_classifier() -> Graph:
    """Two numbers in, two classes out. Spirals: 98 to 100 % after 300 epochs at rate 0.01."""
    return _chain([
        Input(shape=(2,)),
        Dense(units=16, activation="relu"),
        Dense(units=16, activation="relu"),
        Dense(units=12, activation="relu"),
        Dense(units=2),
        Output(),
    ])


def digits_dense() -> Graph:
    """Handwritten digits, 8 × 8, with layers that see all pixels at once.

    Digits: 96.3 to 98.9 % after 40 epochs at rate 0.003.
    """
    return _chain([
        Input(shape=(8, 8, 1)),
        Flatten(),
        Dense(units=128, activation="relu"),
        Dropout(rate=0.3),
        Dense(units=64, activation="relu"),
        Dense(units=10),
        Output(),
    ])


def digits_convolution() -> Graph:
    """Handwritten digits, 8 × 8, with filters that look for small patterns anywhere.

    Digits: 98.2 to 99.6 % after 30 epochs at rate 0.002, in 6 s on 2 cores.
    """
    return _chain([
        Input(shape=(8, 8, 1)),
        Conv2D(filters=32, kernel=(3, 3), padding="same", activation="relu"),
        Conv2D(filters=64, kernel=(3, 3), padding="same", activation="relu"),
        MaxPool2D(),
        Flatten(),
        Dense(units=128, activation="relu"),
        Dropout(rate=0.3),
        Dense(units=10),
        Output(),
    ])


def curve_regression() -> Graph:
    """One number in, one number out. Sine: R² 0.98 after 200 epochs at rate 0.01."""
    return _chain([
        Input(shape=(1,)),
        Dense(units=32, activation="tanh"),
        Dense(units=32, activation="tanh"),
        Dense(units=1),
        Output(),
    ])


def iris_table() -> Graph:
    """Four measures of a flower in, three species out.

    Iris: 97 % on average after 60 epochs at rate 0.01, batches of 16.
    """
    return _chain([
        Input(shape=(4,)),
        Dense(units=8, activation="relu"),
        Dense(units=3),
        Output(),
    ])


def digits_autoencoder() -> Graph:
    """Squeezes a picture of 64 pixels into a code of 12 numbers and draws it again from them.

    Digits: error 14 % of the variance after 100 epochs at rate 0.005.
    """
    return _chain([
        Input(shape=(8, 8, 1)),
        Flatten(),
        (Dense(units=64, activation="relu"), "Encoder"),
        (Dense(units=12), "Code"),
        (Dense(units=64, activation="relu"), "Decoder"),
        Dense(units=64),
        Reshape(shape=(8, 8, 1)),
        Output(task="reconstruction"),
    ])


def digits_vae() -> Graph:
    """A variational autoencoder: pictures become random codes of 8 numbers, and random codes become new pictures.

    Digits: pictures are repeated with an error of 29 % of the variance after 150 epochs at rate 0.003, in 2 s;
    drawn ones lie 1.21 from the nearest real one, unseen real ones 1.06, pixels mixed among pictures 2.16.
    """
    graph, body = _add_chain(Graph(), [
        Input(shape=(8, 8, 1)), Flatten(), (Dense(units=128, activation="relu"), "Encoder")])
    graph, mean = add_node(graph, Dense(units=8), 0, 0, "Mean")
    graph, spread = add_node(graph, Dense(units=8, initialiser="small_normal"), 0, 0, "Log variance")
    graph, code = add_node(graph, Sampling(), 0, 0, "Code")
    for node, port in ((mean, "mean"), (spread, "log variance")):
        graph = connect(connect(graph, body, node), node, code, port)
    graph, _ = _add_chain(graph, [
        (Dense(units=128, activation="relu"), "Decoder"), Dense(units=64), Reshape(shape=(8, 8, 1)),
        Output(task="reconstruction"),
    ], code)
    return arrange(graph)


def propose(signature: Signature) -> Graph:
    """A network that fits these data, as a start: one branch for each input, one head for each target.

    Data without a target get an autoencoder of their first input. Without inputs the drawing is empty, also for
    texts without a target.
    """
    inputs, targets = signature.inputs, signature.targets
    if not inputs or (not targets and inputs[0].shape.integer):  # tokens cannot be repeated as values
        return Graph()
    if not targets:
        return _chain([_entry(inputs[0], inputs), *_autoencoder(inputs[0].shape), Output(task="reconstruction")])
    shapes = [f.shape for f in (*inputs, *targets)]
    if len(inputs) == len(targets) == 1 and all(s.axes == "HWC" for s in shapes) and (
            shapes[0].dims[:2] == shapes[1].dims[:2]):
        return by_pixels(shapes[0], shapes[1].dims[-1])
    if len(inputs) == len(targets) == 1 and targets[0].kind == "text":
        written = writing(inputs[0], targets[0])
        if written is not None:
            return _chain([_entry(inputs[0], inputs), *written, Output()])
    graph = Graph()
    ends = []
    for field in inputs:
        graph, node = _add_chain(graph, [_entry(field, inputs), *_features(field)])
        ends.append(node)
    body = ends[0]
    if len(ends) > 1:
        graph, body = add_node(graph, Concatenate(), 0, 0)
        for end in ends:
            graph = connect(graph, end, body)
        graph, body = _add_chain(graph, [Dense(units=64, activation="relu")], body)
    for field in targets:
        output = Output(target=field.name if len(targets) > 1 else "")
        graph, _ = _add_chain(graph, [*_head(_scored(field)), output], body)
    return arrange(graph)


# --- inside ---


def _entry(field: DataField, inputs: Sequence[DataField]) -> Input:
    """The field is named only where there are several, so that the drawing also suits other data."""
    return Input(field=field.name if len(inputs) > 1 else "", shape=field.shape.dims)


def _features(field: DataField) -> list[Layer]:
    """Layers that turn an input into a row of features."""
    shape = field.shape
    if shape.axes == "T" and shape.integer:
        return [Embedding(vocabulary=max(1, field.tokens), units=32), *_text(shape.dims[0])]
    if shape.axes == "TF" and shape.dims[0] >= FEW_STEPS:
        return _series(shape.dims[0])
    if shape.axes == "F":
        # few values make curved borders, which want depth; wide tables are learnt by heart without dropout
        if shape.size < 8:
            return [Dense(units=32 if shape.size <= 2 else 16, activation="relu") for _ in range(2)]
        return [Dense(units=_width(shape.size), activation="relu"), Dropout(rate=0.2)]
    if shape.axes != "HWC" or min(shape.dims[:2]) < 4:
        return [Flatten(), Dense(units=_width(shape.size), activation="relu")]
    layers: list[Layer] = []
    side, filters = min(shape.dims[:2]), 16 if min(shape.dims[:2]) >= 16 else 32
    while True:
        layers.append(Conv2D(filters=filters, kernel=(3, 3), padding="same", activation="relu"))
        if side <= 8:
            layers.append(Conv2D(filters=2 * filters, kernel=(3, 3), padding="same", activation="relu"))
        layers.append(MaxPool2D())
        side, filters = side // 2, min(2 * filters, 128)
        if side < 8:
            break
    # many pixels on one side only: their mean keeps the dense layer small
    after = [n // 2 ** sum(isinstance(x, MaxPool2D) for x in layers) for n in shape.dims[:2]]
    end: Layer = Flatten() if after[0] * after[1] <= 64 else GlobalAvgPool2D()
    return [*layers, end, Dense(units=128, activation="relu"), Dropout(rate=0.3)]


def _series(steps: int) -> list[Layer]:
    """Layers that turn a series into a row of features.

    Short ones are read in order; long ones, such as sound, are looked through for patterns. Spoken digits as waves: 94
    to 97 % with wide first windows, batch norm and means; 50 to 65 % with only some of them.
    """
    if steps <= MANY_STEPS:
        return [GRU(units=64), Dropout(rate=0.2)]
    layers: list[Layer] = []
    filters = 32
    while steps > MANY_STEPS:
        kernel, strides = (64, 8) if steps > 20 * MANY_STEPS else (9, 4)
        layers += [Conv1D(filters=filters, kernel=kernel, strides=strides), BatchNorm(), ReLU()]
        steps = -(-steps // strides)
        filters = 32 if kernel == 64 else 64
    return [*layers, Conv1D(filters=64, kernel=5, activation="relu"), GlobalAvgPool1D(), Dropout(rate=0.3)]


def _text(steps: int) -> list[Layer]:
    """Layers behind an Embedding: short texts are read in order, in long ones the strongest patterns count."""
    if steps <= MANY_STEPS:
        return _series(steps)
    return [Conv1D(filters=64, kernel=5, activation="relu"), GlobalMaxPool1D(), Dropout(rate=0.3)]


def _scored(field: DataField) -> Shape:
    """The shape of the scores or values for a target; of texts with a step to spare before and behind each token."""
    length, *rest = field.shape.dims
    return Shape("TF", (2 * length + 1, *rest)) if field.kind == "text" else field.shape


def _head(shape: Shape) -> list[Layer]:
    """Layers that give scores or values of the target's shape."""
    if len(shape.dims) == 1:
        return [Dense(units=shape.dims[0])]
    return [Dense(units=shape.size), Reshape(shape=shape.dims)]


def _autoencoder(shape: Shape) -> list[Step]:
    width = _width(shape.size)
    code = max(2, min(32, shape.size // 5))
    layers: list[Step] = [] if shape.axes == "F" else [Flatten()]
    layers += [
        (Dense(units=width, activation="relu"), "Encoder"),
        (Dense(units=code), "Code"),
        (Dense(units=width, activation="relu"), "Decoder"),
    ]
    return [*layers, *_head(shape)]


def _width(values: int) -> int:
    """Units for so many input values: a power of two from 32 to 128."""
    return min(128, max(32, 2 ** (values - 1).bit_length()))


def _chain(steps: Sequence[Step]) -> Graph:
    return arrange(_add_chain(Graph(), steps)[0])


def _add_chain(graph: Graph, steps: Sequence[Step], after: str = "") -> tuple[Graph, str]:
    """Add layers in a row behind node `after`, if any. Returns the graph and the last node."""
    for step in steps:
        layer, name = step if isinstance(step, tuple) else (step, "")
        graph, node = add_node(graph, layer, 0, 0, name)
        graph = connect(graph, after, node) if after else graph
        after = node
    return graph, after
