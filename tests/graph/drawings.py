"""Drawings for the tests of the graph: short to write, and random ones for Hypothesis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from nndesigner.graph import edit
from nndesigner.graph.check import Checked
from nndesigner.graph.model import Edge, Graph, Node, Placeholder
from nndesigner.graph.order import topological
from nndesigner.layers import Layer
from nndesigner.layers.activation import ReLU
from nndesigner.layers.conv import Conv2D
from nndesigner.layers.dense import Dense
from nndesigner.layers.io import Input, Output
from nndesigner.layers.merge import Add, Concatenate
from nndesigner.layers.pool import MaxPool2D
from nndesigner.layers.regular import Dropout
from nndesigner.layers.reshape import Flatten, Reshape
from nndesigner.layers.squash import Softmax
from nndesigner.spec import DataField, Shape, Signature

FEATURES = DataField("features", "input", Shape("F", (4,)))
MORE = DataField("more", "input", Shape("F", (3,)))
IMAGE = DataField("image", "input", Shape("HWC", (8, 8, 1)))
SERIES = DataField("series", "input", Shape("TF", (6, 4)))
CLASSES = DataField("target", "target", Shape("F", (3,)), "class", ("a", "b", "c"))
YES_NO = DataField("target", "target", Shape("F", (2,)), "class", ("no", "yes"))
TEXT = DataField("target", "target", Shape("TF", (2, 5)), "text", ("<pad>", "<unk>", "a", "b", "c"))
NUMBER = DataField("target", "target", Shape("F", (1,)))


def data(*fields: DataField) -> Signature:
    return Signature(fields)


def drawing(layers: Sequence[Layer | Placeholder], wires: str = "") -> Graph:
    """Nodes n1, n2, ... in a row and wires "1>2 2>3", or "1>2:port"; nothing is checked. No wires: a chain."""
    nodes = tuple(Node(f"n{k}", layer, 192.0 * k, 0.0) for k, layer in enumerate(layers, 1))
    if not wires:
        wires = " ".join(f"{k}>{k + 1}" for k in range(1, len(layers)))
    edges = []
    for wire in wires.split():
        ends, _, port = wire.partition(":")
        source, target = ends.split(">")
        edges.append(Edge(f"n{source}", f"n{target}", port or "in"))
    return Graph(nodes, tuple(edges), len(nodes) + 1)


def unknown(kind: str = "wavelet.v7") -> Placeholder:
    return Placeholder({"kind": kind, "strength": 3})


def words(checked: Checked) -> Any:
    """All that a result says, as a value that can be compared."""
    return (
        checked.order, dict(checked.shapes), dict(checked.parameters), dict(checked.multiply_adds),
        dict(checked.inputs), dict(checked.heads),
        [(p.severity, p.text, p.node, p.edge, tuple(r.text for r in p.repairs)) for p in checked.problems],
    )


def texts(checked: Checked, severity: str | None = None) -> list[str]:
    return [p.text for p in checked.problems if severity in (None, p.severity)]


def assert_sound(graph: Graph) -> None:
    """What every edit keeps true, and that look-up tables that were taken over say the truth."""
    ids = [n.id for n in graph.nodes]
    assert len(set(ids)) == len(ids)
    assert all(int(i[1:]) < graph.next_id for i in ids)
    assert len(set(graph.edges)) == len(graph.edges)
    for edge in graph.edges:
        assert graph.node(edge.source).layer.emits
        assert edge.port in graph.node(edge.target).layer.ports
    taken = Counter((e.target, e.port) for e in graph.edges if not graph.node(e.target).layer.many)
    assert all(count == 1 for count in taken.values())
    assert len(topological(graph)) == len(graph.nodes), "a circle"
    fresh = Graph(graph.nodes, graph.edges, graph.next_id)
    for table in ("by_id", "incoming", "outgoing"):
        assert list(getattr(graph, table).items()) == list(getattr(fresh, table).items()), table


def layers() -> st.SearchStrategy[Layer | Placeholder]:
    """Mostly those with much to go wrong, now and then any of the catalogue as it comes."""
    return st.one_of([st.sampled_from(_USUAL), st.sampled_from(_USUAL), st.sampled_from([c() for c in Layer.all()])])


_USUAL = [
    Input(), Input(shape=(8, 8, 1)), Input(field="features"), Dense(units=3), Dense(units=5, activation="relu"),
    Conv2D(filters=2), MaxPool2D(), MaxPool2D(kernel=(9, 9)), Flatten(), Reshape(shape=(2, 2, 1)), ReLU(),
    Softmax(), Dropout(), Add(), Concatenate(), Output(), Output(task="regression"), Output(task="reconstruction"),
    unknown(),
]


@st.composite
def random_edits(draw: st.DrawFn, most: int = 25) -> list[tuple[str, int, int, Layer | Placeholder]]:
    names = st.sampled_from([
        "add", "add", "add", "connect", "connect", "connect", "remove", "rejoin", "disconnect", "insert", "move",
        "rename", "set", "paste", "source", "target",
    ])
    number = st.integers(0, 1000)
    return draw(st.lists(st.tuples(names, number, number, layers()), max_size=most))


def perform(graph: Graph, name: str, a: int, b: int, layer: Layer | Placeholder) -> Graph:
    """One random edit. Raises EditError when it is impossible."""
    if name == "add" or not graph.nodes:
        return edit.add_node(graph, layer, a, b)[0]
    first, second = graph.nodes[a % len(graph.nodes)], graph.nodes[b % len(graph.nodes)]
    if name == "connect":
        ports = second.layer.ports or ("in",)
        return edit.connect(graph, first.id, second.id, ports[a % len(ports)])
    if name == "remove":
        return edit.remove_nodes(graph, [first.id])
    if name == "rejoin":
        return edit.remove_nodes(graph, {first.id, second.id}, rejoin=True)
    if name == "move":
        return edit.move(graph, {first.id: (b, a)})
    if name == "rename":
        return edit.rename(graph, first.id, f"name {b}")
    if name == "set" and isinstance(layer, Layer):
        return edit.set_layer(graph, first.id, layer)
    if name == "paste":
        return edit.duplicate(graph, {first.id, second.id}, 20, 20)[0]
    if not graph.edges:
        return graph
    wire = graph.edges[a % len(graph.edges)]
    if name == "disconnect":
        return edit.disconnect(graph, wire)
    if name == "insert":
        return edit.insert_on_edge(graph, wire, layer, a, b)[0]
    if name == "source":
        return edit.replace_source(graph, wire, second.id)
    return edit.replace_target(graph, wire, second.id)


@st.composite
def graphs(draw: st.DrawFn, most: int = 25) -> Graph:
    """Sound drawings, as edits make them."""
    graph = Graph()
    for step in draw(random_edits(most)):
        try:
            graph = perform(graph, *step)
        except edit.EditError:
            continue
    return graph


@st.composite
def broken_graphs(draw: st.DrawFn, most: int = 8) -> Graph:
    """Whatever a foreign file may hold: any wires between any nodes, circles and unknown layers included."""
    kinds = draw(st.lists(layers(), min_size=1, max_size=most))
    nodes = tuple(Node(f"n{k}", layer, 200.0 * k, 0.0) for k, layer in enumerate(kinds))
    ids = st.sampled_from([n.id for n in nodes])
    wires = st.builds(Edge, ids, ids, st.sampled_from(["in", "in", "in", "other"]))
    edges = draw(st.lists(wires, max_size=12, unique=True))
    return Graph(nodes, tuple(edges), len(nodes))


@st.composite
def dags(draw: st.DrawFn, most: int = 30) -> Graph:
    """Drawings of any form without circles, of layers with many wires."""
    n = draw(st.integers(1, most))
    nodes = tuple(Node(f"n{k}", Add()) for k in range(n))
    pairs = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=2 * n))
    edges = dict.fromkeys(Edge(f"n{min(p)}", f"n{max(p)}") for p in pairs if p[0] != p[1])
    return Graph(nodes, tuple(edges), n)


def signatures() -> st.SearchStrategy[Signature]:
    return st.sampled_from([
        data(), data(FEATURES), data(IMAGE), data(FEATURES, CLASSES), data(FEATURES, NUMBER), data(IMAGE, CLASSES),
        data(FEATURES, MORE, YES_NO), data(IMAGE, FEATURES, NUMBER), data(IMAGE, TEXT), data(SERIES, TEXT),
    ])
