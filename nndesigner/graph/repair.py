"""Cures for problems, as edits with a text. A cure is only proposed when a trial on the shapes shows that it helps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from nndesigner.graph import edit
from nndesigner.graph.checked import Repair
from nndesigner.graph.model import GAP_X, NODE_W, Edge, Graph, Node
from nndesigner.layers import Layer
from nndesigner.spec import Insert, Remedy, Shape, describe

#: more than this many proposals confuse
MOST = 3


def made(kind: str, params: Mapping[str, Any] | None = None) -> Layer | None:
    """A layer of this kind, or None where the kind or the parameters are unknown."""
    found = Layer.registry.get(kind)
    try:
        return None if found is None else found.model_validate(dict(params or {}))
    except ValueError:
        return None


def for_error(
    graph: Graph, node: Node, edges: Sequence[Edge], shapes: Sequence[Shape], remedies: Sequence[Remedy]
) -> tuple[Repair, ...]:
    """Cures for a shape error of `node`, whose wires `edges` bring `shapes`: its remedies, and more for merges."""
    repairs: list[Repair] = []
    for remedy in remedies:
        if isinstance(remedy, Insert):
            repairs += _insertion(graph, node, edges, shapes, remedy)
        elif _fits(node.layer, remedy.params, shapes):
            repairs.append(setting(node, remedy.params))
    if node.layer.many and len(shapes) > 1:
        repairs += _insertion(graph, node, edges, shapes, Insert("flatten.v1"))
        repairs += _matchings(graph, node, edges, shapes)
    return tuple(repairs[:MOST])


def setting(node: Node, params: Mapping[str, Any]) -> Repair:
    """Change parameters of a node."""
    titles = {info.name: info.title.lower() for info in describe(type(node.layer))}
    words = " and ".join(f"{titles.get(name, name)} of {node.title} to {_value(v)}" for name, v in params.items())
    return Repair(f"Set the {words}", partial(_set, node.id, dict(params)))


def removal(node: Node) -> Repair:
    """Take a node out and join what it stood between."""
    return Repair(f"Remove {node.title}", lambda graph: edit.remove_nodes(graph, [node.id], rejoin=True))


def unwiring(graph: Graph, edge: Edge) -> Repair:
    """Take a wire away."""
    text = f"Remove the wire from {graph.node(edge.source).title} to {graph.node(edge.target).title}"
    return Repair(text, lambda g: edit.disconnect(g, edge))


def keeping_one(graph: Graph, wires: Sequence[Edge]) -> tuple[Repair, ...]:
    """Of several wires on one port, take away all but one."""
    repairs = []
    for k, kept in enumerate(wires[:MOST], 1):
        text = f"Keep only wire {k}, from {graph.node(kept.source).title}"
        repairs.append(Repair(text, partial(_cut, [w for w in wires if w != kept])))
    return tuple(repairs)


def wiring(graph: Graph, source: str, target: str, port: str) -> Repair:
    """Draw a wire."""
    text = f"Connect {graph.node(source).title} to {graph.node(target).title}"
    return Repair(text, lambda g: edit.connect(g, source, target, port))


def insertion(text: str, edge: Edge, layers: Sequence[Layer]) -> Repair:
    """Put layers into a wire, in this order."""
    return Repair(text, partial(_insert, (edge,), tuple(layers)))


def for_shape(graph: Graph, node: Node, edge: Edge, got: Shape, want: tuple[int, ...]) -> tuple[Repair, ...]:
    """Ways to bring `want` values instead of `got` to a node that accepts any shape (an Output)."""
    repairs = []
    maker = _setting_maker(graph, edge, got, want)
    if maker is not None:
        repairs.append(maker)
    for layers in _plans(got, want):
        repairs.append(insertion(f"Insert {_list([_described(x) for x in layers])} before {node.title}", edge, layers))
    if got.axes == "TF" and len(want) == 1:
        repairs[1:1] = _last_states(graph, node, edge, want)
    return tuple(repairs[:MOST])


def _last_states(graph: Graph, node: Node, edge: Edge, want: tuple[int, ...]) -> list[Repair]:
    """Let a recurrent layer on the way to `node` give only what it remembers at the end, if that makes `want`."""
    behind: list[Layer] = []
    found = graph.node(edge.source)
    while getattr(found.layer, "output", "") != "sequence":
        wires = graph.incoming[found.id]
        if len(wires) != 1 or len(graph.outgoing[found.id]) != 1:
            return []
        behind.insert(0, found.layer)
        found = graph.node(wires[0].source)
    if len(graph.outgoing[found.id]) != 1:
        return []
    params = {"output": "last"}
    last = setting(found, params)
    width = found.layer.units * (2 if found.layer.bidirectional else 1)
    shape = _through(behind, Shape("F", (width,)))
    if shape is None or shape.dims == want:
        return [] if shape is None else [last]
    return [
        Repair(f"{last.text} and insert {_list([_described(x) for x in layers])} before {node.title}",
               partial(_in_turn, [last, insertion("", edge, layers)]))
        for layers in _plans(shape, want)[:1]]


# --- inside ---


def _plans(got: Shape, want: tuple[int, ...]) -> list[list[Layer]]:
    """Layers that turn one shape into another, the best way first."""
    size = math.prod(want)
    plans: list[list[tuple[str, dict[str, Any]]]] = []
    if len(want) == 1:
        dense = ("dense.v1", {"units": want[0]})
        if got.axes == "F":
            plans = [[dense]]
        elif got.axes == "HWC":
            plans = [[("globalavgpool2d.v1", {}), dense], [("flatten.v1", {}), dense]]
        elif got.axes == "TF":
            mean = ("globalavgpool1d.v1", {})
            plans = [[mean] if got.dims[-1] == want[0] else [mean, dense], [("gru.v1", {"units": 32}), dense]]
        else:
            plans = [[("flatten.v1", {}), dense]]
    else:
        reshape = ("reshape.v1", {"shape": want})
        if got.axes == "TF" and len(want) == 2 and got.dims[0] == want[0]:
            plans.append([("dense.v1", {"units": want[1]})])
        if got.axes == "HWC" and len(want) == 2 and got.dims[1] == want[0]:  # from left to right
            plans.append([("permute.v1", {"order": (2, 1, 3)}), ("reshape.v1", {"shape": (want[0], -1)}),
                          ("dense.v1", {"units": want[1]})])
        flat = [] if got.axes == "F" else [("flatten.v1", {})]
        if got.size == size:
            plans.append([reshape])
        if got.axes == "HWC" and len(want) == 3 and got.dims[:2] == want[:2]:
            plans.append([("conv2d.v1", {"filters": want[2], "kernel": (1, 1)})])
        plans.append([*flat, ("dense.v1", {"units": size}), reshape])
    found = []
    for plan in plans:
        layers = [made(kind, params) for kind, params in plan]
        shape = _through(layers, got)
        if shape is not None and shape.dims == want:
            found.append(layers)
    return found


def _setting_maker(graph: Graph, edge: Edge, got: Shape, want: tuple[int, ...]) -> Repair | None:
    """Change the units or filters of the layer that decides the last axis of what a wire brings."""
    maker = _maker(graph, edge.source, got)
    if maker is None or len(want) != len(got.dims) or want[:-1] != got.dims[:-1]:
        return None
    params = {"units" if "units" in type(maker.layer).model_fields else "filters": want[-1]}
    return setting(maker, params) if _valid(maker.layer, params) else None


def _matchings(graph: Graph, node: Node, edges: Sequence[Edge], shapes: Sequence[Shape]) -> list[Repair]:
    """Bring all wires of a merge to the shape of the first, or of the last."""
    repairs = []
    for like in (0, len(shapes) - 1):
        want = shapes[like]
        steps: list[Repair] = []
        for edge, got in zip(edges, shapes):
            if got == want:
                continue
            step = _setting_maker(graph, edge, got, want.dims)
            plans = _plans(got, want.dims)
            if step is None and plans:
                begin = graph.node(edge.source).title
                words = _list([_described(x) for x in plans[0]])
                step = insertion(f"Insert {words} between {begin} and {node.title}", edge, plans[0])
            if step is None:
                break
            steps.append(step)
        else:
            if _fits(node.layer, {}, [want] * len(shapes)):
                text = steps[0].text + "".join(f", {s.text[0].lower()}{s.text[1:]}" for s in steps[1:])
                repairs.append(Repair(text, partial(_in_turn, steps)))
    return repairs


def _in_turn(steps: Sequence[Repair], graph: Graph) -> Graph:
    for step in steps:
        graph = step.apply(graph)
    return graph


def _cut(edges: Sequence[Edge], graph: Graph) -> Graph:
    for edge in edges:
        graph = edit.disconnect(graph, edge)
    return graph


def _set(node_id: str, params: Mapping[str, Any], graph: Graph) -> Graph:
    return edit.set_params(graph, node_id, **params)


def _insert(edges: Sequence[Edge], layers: Sequence[Layer], graph: Graph) -> Graph:
    """Put the layers into each of the wires, pushing what follows to the right where the wire is short."""
    for edge in edges:
        for layer in layers:
            x, y, graph = _room(graph, edge)
            graph, new = edit.insert_on_edge(graph, edge, layer, x, y)
            edge = Edge(new, edge.target, edge.port)
    return graph


def _room(graph: Graph, edge: Edge) -> tuple[float, float, Graph]:
    """A place for a node within a wire; what leads on from there moves to the right when there is too little room."""
    begin, end = graph.node(edge.source), graph.node(edge.target)
    step = NODE_W + GAP_X
    if end.x <= begin.x:  # the wire runs backwards into another row: stand before the target and shift that row
        x, y, shift = end.x, end.y, float(step)
    else:
        x, y = begin.x + step, end.y
        shift = max(0.0, x + step - end.x)
    if shift:
        row = [n for n in graph.nodes if n.x >= end.x and abs(n.y - end.y) < 1]
        graph = edit.move(graph, {n.id: (n.x + shift, n.y) for n in row})
    return x, y, graph


def _insertion(
    graph: Graph, node: Node, edges: Sequence[Edge], shapes: Sequence[Shape], remedy: Insert
) -> list[Repair]:
    """Into the wires that need it: one of them, or all."""
    layer = made(remedy.kind, remedy.params)
    if layer is None:
        return []
    after = [_through([layer], shape) for shape in shapes]
    choices = [(k,) for k in range(len(shapes))]
    if len(shapes) > 1:
        choices.append(tuple(range(len(shapes))))
    repairs = []
    for choice in choices:
        trial = [after[k] if k in choice else shape for k, shape in enumerate(shapes)]
        if None not in trial and _fits(node.layer, {}, trial):
            if len(choice) == len(shapes):
                text = f"Insert {_described(layer)} before {node.title}"
            else:
                begin = graph.node(edges[choice[0]].source).title
                text = f"Insert {_described(layer)} between {begin} and {node.title}"
            repairs.append(Repair(text, partial(_insert, tuple(edges[k] for k in choice), (layer,))))
    return repairs


def _through(layers: Sequence[Layer | None], shape: Shape) -> Shape | None:
    """The shape behind the layers, or None where one of them refuses."""
    for layer in layers:
        if layer is None:
            return None
        try:
            shape = layer.output_shape(shape)
        except ValueError:
            return None
    return shape


def _fits(layer: Layer, params: Mapping[str, Any], shapes: Sequence[Shape]) -> bool:
    try:
        changed = layer.replaced(**params) if params else layer
        out = changed.output_shape(*shapes)
        changed.weights(*shapes)
    except ValueError:
        return False
    return all(d > 0 for d in out.dims)


def _valid(layer: Layer, params: Mapping[str, Any]) -> bool:
    try:
        layer.replaced(**params)
    except ValueError:
        return False
    return True


def _maker(graph: Graph, node_id: str, shape: Shape) -> Node | None:
    """The layer with units or filters that decides the last axis of a node's output, and feeds nothing else."""
    while True:
        node = graph.node(node_id)
        if len(graph.outgoing[node_id]) != 1:
            return None
        fields = getattr(type(node.layer), "model_fields", {})
        if "units" in fields or "filters" in fields:
            return node
        edges = graph.incoming[node_id]
        if len(edges) != 1 or _through([node.layer], shape) != shape:
            return None
        node_id = edges[0].source


def _described(layer: Layer) -> str:
    for name in ("units", "filters", "shape"):
        if name in type(layer).model_fields:
            value = getattr(layer, name)
            return f"{layer.title} ({_value(value)}{'' if name == 'shape' else ' ' + name})"
    return layer.title


def _value(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return " × ".join(map(str, value))
    return str(value).replace("_", " ")


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


