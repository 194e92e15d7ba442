"""Pictures of what a network computes: for one sample on every node, and over the whole plane or line of inputs.

All functions read the network and return small frozen values of host arrays; they are asked through the session, so the
window never touches arrays that training changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nndesigner.data.encoding import Preparation, RawInput
from nndesigner.data.preparing import Part, Prepared
from nndesigner.engine.network import Network
from nndesigner.engine.weights import sources
from nndesigner.graph.check import Head
from nndesigner.insight.answers import (
    Confusion,
    Predictions,
    Scatter,
    chosen_head,
    class_probabilities,
    confusion,
    in_units,
    most_likely,
    predictions,
    scatter,
    texts_written,
)
from nndesigner.layers.io import Input
from nndesigner.spec.loss import Task

__all__ = [
    "Confusion", "CurveMap", "DecisionMap", "LayerStatistics", "NodePicture", "Predictions", "Scatter", "confusion",
    "curve_map", "decision_map", "filters", "layer_statistics", "node_pictures", "predictions", "sample_of", "scatter",
]

#: limits of a picture on a node
MAX_CHANNELS = 16
MAX_SIDE = 64
MAX_BARS = 512
#: units of a layer that get a map of their own, and the points of such a map along each side
MAX_UNITS = 12
NEURON_SIDE = 25
#: how far a map reaches beyond the training samples, as a share of their range
MARGIN = 0.1


@dataclass(frozen=True, eq=False)
class NodePicture:
    """What a node computes for one sample.

    "image": grey values [C, h, w] of input or reconstruction; "maps": signed values [C, h, w]; "bars": signed values
    [n]; "text": the words of `label`; "class": the answer in words, `label` with its `probability` (None for a number
    or a text).
    """

    kind: Literal["image", "maps", "bars", "text", "class"]
    data: np.ndarray
    label: str = ""
    probability: float | None = None


@dataclass(frozen=True, eq=False)
class DecisionMap:
    """Answers over the plane of two inputs, in raw units: `values[i, j]` belongs to the middle of cell (j, i).

    x grows with the column j from x0 to x1, y with the row i from y0 to y1 (row 0 is the bottom). `values` [size,
    size, K] are probabilities of the classes, or predicted values in original units. `neurons` holds the outputs of
    the first units of each layer, [units, 25, 25], over the same square.
    """

    x0: float
    x1: float
    y0: float
    y1: float
    values: np.ndarray
    neurons: Mapping[str, np.ndarray]
    head: str
    task: Task
    classes: tuple[str, ...]
    #: names of the two inputs
    names: tuple[str, str]


@dataclass(frozen=True, eq=False)
class CurveMap:
    """Answers along one input: `x` [n] in raw units, `values` [n, K] probabilities or values in original units.

    `neurons` holds the outputs of the first units of each layer, [units, n].
    """

    x: np.ndarray
    values: np.ndarray
    neurons: Mapping[str, np.ndarray]
    head: str
    task: Task
    classes: tuple[str, ...]
    name: str


@dataclass(frozen=True)
class LayerStatistics:
    """How the outputs of a node are spread over a batch, over finite values. `dead`: share of units that give the same
    value for every sample, `unusable`: share of values that are not finite."""

    mean: float
    std: float
    low: float
    high: float
    dead: float
    unusable: float


def sample_of(part: Part, position: int) -> dict[str, np.ndarray]:
    """All fields of one sample of a part, [1, ...]."""
    return {name: array[position:position + 1] for name, array in part.arrays.items()}


def node_pictures(
    network: Network, sample: Mapping[str, np.ndarray], preparation: Preparation | None = None
) -> dict[str, NodePicture]:
    """A picture for every node, for one sample {field: [1, ...]}; with `preparation` numbers have their units."""
    checked = network.checked
    found: dict[str, NodePicture] = {}
    for node_id, values in network.activations(sample, checked.order).items():
        axes = checked.shapes[node_id].axes
        if node_id in checked.heads:
            found[node_id] = _answer_picture(checked.heads[node_id], values, axes, preparation)
        elif checked.shapes[node_id].integer and axes == "T" and node_id in checked.inputs and preparation is not None:
            text = preparation.decode(checked.inputs[node_id], values)[0]
            found[node_id] = NodePicture("text", values[0], text)
        else:
            image = isinstance(checked.graph.node(node_id).layer, Input) and axes == "HWC"
            found[node_id] = _value_picture(values[0], axes, "image" if image else "maps")
    return found


def _answer_picture(head: Head, values: np.ndarray, axes: str, preparation: Preparation | None) -> NodePicture:
    if head.task == "classification" and values.ndim > 2:  # a map for each class
        return _value_picture(class_probabilities(values)[0], axes, "maps")
    if head.task == "classification":
        number = int(most_likely(values)[0])
        probabilities = class_probabilities(values)[0]
        if number < 0:
            return NodePicture("class", probabilities, "not a number")
        label = head.classes[number] if number < len(head.classes) else str(number)
        return NodePicture("class", probabilities, label, float(probabilities[number]))
    if head.task == "transcription":
        text = None if preparation is None else texts_written(preparation, head, values)[0]
        label = "not a number" if text is None and preparation is not None else text or "…"
        return NodePicture("class", values[0].max(axis=-1), label)
    if head.task == "reconstruction":
        return _value_picture(values[0], axes, "image" if axes == "HWC" else "maps")
    shown = in_units(preparation, head, values) if preparation is not None else values
    if shown.size == 1:
        return NodePicture("class", shown.reshape(1), f"{float(shown.reshape(-1)[0]):.4g}")
    return _value_picture(shown[0], axes, "maps")


def _value_picture(values: np.ndarray, axes: str, kind: Literal["image", "maps"]) -> NodePicture:
    """Channels of a picture, time by features as one map, or bars."""
    if axes == "HWC":
        return NodePicture(kind, _shrunk(np.moveaxis(values[..., :MAX_CHANNELS], -1, 0)))
    if axes == "TF" and values.shape[1] > 1:  # time to the right
        return NodePicture("maps", _shrunk(values.T[None]))
    if axes == "DHWC":
        return NodePicture("maps", _shrunk(np.moveaxis(values[len(values) // 2, ..., :MAX_CHANNELS], -1, 0)))
    flat = values.reshape(-1)
    if flat.size > MAX_BARS:  # the strongest of each group of neighbours stands for it
        edges = np.linspace(0, flat.size, MAX_BARS + 1).astype(int)[:-1]
        high, low = np.maximum.reduceat(flat, edges), np.minimum.reduceat(flat, edges)
        flat = np.where(high >= -low, high, low)
    return NodePicture("bars", flat)


def _shrunk(maps: np.ndarray) -> np.ndarray:
    """Maps [C, h, w] of at most MAX_SIDE each way, by picking points evenly."""
    rows, columns = (_picked(n, min(n, MAX_SIDE)) for n in maps.shape[1:])
    return np.ascontiguousarray(maps[:, rows][:, :, columns])


def _picked(n: int, count: int) -> np.ndarray:
    """`count` of the numbers 0..n-1, evenly: the middles of equal stretches."""
    return ((np.arange(count) + 0.5) * n / count).astype(np.int64)


def decision_map(network: Network, prepared: Prepared, size: int = 100, head: str | None = None) -> DecisionMap:
    """Answers of one head over the square that the training samples cover, and maps of the neurons, from one pass.

    Raises ValueError unless the data have exactly two inputs, both numbers.
    """
    chosen = chosen_head(network, head)
    horizontal, vertical = _number_inputs(prepared, 2)
    (x0, x1), (y0, y1) = _reach(horizontal), _reach(vertical)
    middles = (np.arange(size) + 0.5) / size
    xs, ys = np.meshgrid(x0 + (x1 - x0) * middles, y0 + (y1 - y0) * middles)
    raw = {horizontal.column: xs.reshape(-1), vertical.column: ys.reshape(-1)}
    answers, hidden = _answers_and_units(network, prepared, chosen, raw)
    picked = _picked(size, min(size, NEURON_SIDE))
    neurons = {}
    for node_id, values in hidden.items():
        grid = values.reshape(size, size, -1)[picked][:, picked, :MAX_UNITS]
        neurons[node_id] = np.ascontiguousarray(np.moveaxis(grid, -1, 0))
    return DecisionMap(
        x0, x1, y0, y1, answers.reshape(size, size, -1), neurons, chosen.node, chosen.task, chosen.classes,
        (horizontal.column, vertical.column))


def curve_map(network: Network, prepared: Prepared, size: int = 300, head: str | None = None) -> CurveMap:
    """Answers of one head along the range of the only input. Raises ValueError unless the data have one, a number."""
    chosen = chosen_head(network, head)
    (only,) = _number_inputs(prepared, 1)
    low, high = _reach(only)
    x = np.linspace(low, high, size)
    answers, hidden = _answers_and_units(network, prepared, chosen, {only.column: x})
    neurons = {node_id: np.ascontiguousarray(values[:, :MAX_UNITS].T) for node_id, values in hidden.items()}
    return CurveMap(x, answers.reshape(size, -1), neurons, chosen.node, chosen.task, chosen.classes, only.column)


def _number_inputs(prepared: Prepared, count: int) -> tuple[RawInput, ...]:
    inputs = prepared.preparation.inputs
    if len(inputs) != count or any(column.kind != "number" for column in inputs):
        raise ValueError(f"This picture needs data with {count} {'number' if count == 1 else 'numbers'} as input.")
    return inputs


def _reach(column: RawInput) -> tuple[float, float]:
    """The range of the training samples and a margin."""
    margin = MARGIN * (column.high - column.low) or 1.0
    return column.low - margin, column.high + margin


def _answers_and_units(
    network: Network, prepared: Prepared, head: Head, raw: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """(probabilities or values in original units [n, ...], outputs [n, units] of every layer of features)."""
    checked = network.checked
    layers = [n for n in checked.order if n not in checked.heads and checked.shapes[n].axes == "F"]
    found = network.activations(prepared.preparation.encode(raw), [*layers, head.node])
    answers = found.pop(head.node)
    if head.task == "classification":
        return class_probabilities(answers), found
    return in_units(prepared.preparation, head, answers), found


def filters(network: Network, node_id: str) -> np.ndarray:
    """What a layer has learned to look for, [n, kh, kw] signed; empty for layers without such weights.

    A convolution gives the kernel of each filter (mean over its input channels). A dense layer after a picture gives
    each unit's weights in the shape of the picture (mean over channels), else its matrix of weights [1, features,
    units].
    """
    weights = network.weights.views.get(f"{node_id}/W")
    if weights is None:
        return np.zeros((0, 1, 1), dtype=np.float32)
    values = np.array(network.device.host(weights))
    if values.ndim == 4:
        return np.ascontiguousarray(np.moveaxis(values.mean(axis=2), -1, 0))
    if values.ndim == 2:
        picture = _picture_before(network, node_id)
        if picture is None:
            return values[None]
        return np.ascontiguousarray(np.moveaxis(values.reshape(*picture, -1).mean(axis=2), -1, 0))
    return np.zeros((0, 1, 1), dtype=np.float32)


def _picture_before(network: Network, node_id: str) -> tuple[int, int, int] | None:
    """Shape of the picture that a node sees as features, through layers that only change the shape."""
    checked = network.checked
    found = sources(checked, node_id)
    while len(found) == 1:
        shape = checked.shapes[found[0]]
        if shape.axes == "HWC":
            return shape.dims
        if not checked.graph.node(found[0]).layer.view:
            return None
        found = sources(checked, found[0])
    return None


def layer_statistics(network: Network, inputs: Mapping[str, np.ndarray]) -> dict[str, LayerStatistics]:
    """Spread of the outputs of every node for a batch {field: [n, ...]}. Channels or features count as units."""
    found = {}
    for node_id, values in network.activations(inputs).items():
        units = values.reshape(-1, values.shape[-1]).astype(np.float64)
        finite = np.isfinite(units)
        good = units[finite]
        if not good.size:
            found[node_id] = LayerStatistics(*[float("nan")] * 5, 1.0 if units.size else 0.0)
            continue
        same = (units == units[:1]).all(axis=0)
        found[node_id] = LayerStatistics(
            float(good.mean()), float(good.std()), float(good.min()), float(good.max()), float(same.mean()),
            1.0 - good.size / units.size)
    return found
