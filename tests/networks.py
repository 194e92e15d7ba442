"""Small drawings and data for the tests of engine and training, made without files and windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nndesigner.data.preparing import Part, Prepared
from nndesigner.graph.check import Checked, check
from nndesigner.graph.model import Edge, Graph, Node
from nndesigner.layers.base import Layer
from nndesigner.layers.io import Input, Output
from nndesigner.spec import DataField, Shape, Signature


def drawing(nodes: dict[str, Layer], wires: Sequence[str], fields: Sequence[DataField]) -> Checked:
    """A checked drawing from {"id": layer} and wires "source>target" or "source>target:port"."""
    edges = []
    for wire in wires:
        source, target = wire.split(">")
        target, _, port = target.partition(":")
        edges.append(Edge(source, target, port or "in"))
    graph = Graph(tuple(Node(name, layer) for name, layer in nodes.items()), tuple(edges), len(nodes) + 1)
    checked = check(graph, Signature(tuple(fields)))
    errors = [p.text for p in checked.problems if p.severity == "error"]
    assert not errors, errors
    return checked


def chain(layers: Sequence[Layer], fields: Sequence[DataField], output: Layer | None = None) -> Checked:
    """Input, the layers in a row as n1, n2, ..., Output."""
    names = ["in", *(f"n{i + 1}" for i in range(len(layers))), "out"]
    nodes = dict(zip(names, [Input(), *layers, output or Output()]))
    return drawing(nodes, [f"{a}>{b}" for a, b in zip(names, names[1:])], fields)


def features(count: int, name: str = "features") -> DataField:
    return DataField(name, "input", Shape("F", (count,)))


def image(height: int, width: int, channels: int = 1) -> DataField:
    return DataField("image", "input", Shape("HWC", (height, width, channels)))


def classes(count: int, name: str = "target") -> DataField:
    return DataField(name, "target", Shape("F", (count,)), "class", tuple(str(i) for i in range(count)))


def values(count: int = 1, name: str = "target") -> DataField:
    return DataField(name, "target", Shape("F", (count,)))


def part(name: str, arrays: dict[str, np.ndarray], rows: np.ndarray) -> Part:
    return Part(name=name, rows=rows, arrays={field: array[rows] for field, array in arrays.items()})


def prepared(checked: Checked, arrays: dict[str, np.ndarray], validation: int = 0, test: int = 0) -> Prepared:
    """Data whose last rows are the validation and test parts."""
    count = len(next(iter(arrays.values())))
    rows = np.arange(count)
    ends = count - validation - test, count - test
    return Prepared(
        dataset=None, signature=checked.signature, preparation=None, train=part("train", arrays, rows[:ends[0]]),
        validation=part("validation", arrays, rows[ends[0]:ends[1]]), test=part("test", arrays, rows[ends[1]:]),
        notes=(), fingerprint="",
    )


def random_arrays(checked: Checked, count: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Random data for every field of the signature."""
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for field in checked.signature.fields:
        if field.kind == "class":
            found[field.name] = rng.integers(0, field.shape.dims[-1], count)
        else:
            found[field.name] = rng.standard_normal((count, *field.shape.dims)).astype(np.float32)
    return found
