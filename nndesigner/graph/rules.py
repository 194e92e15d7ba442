"""What is right and wrong with one node, given what its wires bring."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nndesigner.graph import edit, repair
from nndesigner.graph.checked import Problem, Repair
from nndesigner.graph.model import Edge, Graph, Node, Placeholder
from nndesigner.layers.embedding import Embedding
from nndesigner.layers.io import Input
from nndesigner.spec import DataField, Shape, ShapeError, Signature


@dataclass(frozen=True, slots=True)
class Facts:
    """What could be worked out of one node. `open_ports` are ports that lack a wire."""

    shape: Shape | None = None
    parameters: int = 0
    multiply_adds: int = 0
    problems: tuple[Problem, ...] = ()
    open_ports: tuple[str, ...] = ()
    field: DataField | None = None


def look(graph: Graph, node: Node, arriving: Sequence[Shape | None]) -> Facts:
    """Facts of any node but an Input. `arriving` are the shapes that its wires bring, None where unknown."""
    layer = node.layer
    edges = graph.incoming[node.id]
    if isinstance(layer, Placeholder):
        text = f"This version does not know the layer '{layer.kind}': update nndesigner, or remove it."
        return Facts(problems=(Problem("error", text, node.id, repairs=(repair.removal(node),)),))
    problems = _wire_problems(graph, node, edges)
    if layer.many:
        used = [
            (e, s) for e, s in zip(edges, arriving) if e.port == layer.ports[0] and graph.node(e.source).layer.emits
        ]
        open_ports = () if len(used) >= layer.fewest else layer.ports
    else:
        first: dict[str, tuple[Edge, Shape | None]] = {}
        for edge, shape in zip(edges, arriving):
            if graph.node(edge.source).layer.emits:
                first.setdefault(edge.port, (edge, shape))
        open_ports = tuple(p for p in layer.ports if p not in first)
        used = [first[p] for p in layer.ports if p in first]
    shapes = [s for _, s in used if s is not None]
    if open_ports or problems or len(shapes) != len(used):
        return Facts(problems=problems, open_ports=open_ports)
    try:
        out = layer.output_shape(*shapes)
        weights = layer.weights(*shapes)
        cost = layer.multiply_adds(*shapes)
    except ShapeError as error:
        cures = repair.for_error(graph, node, [e for e, _ in used], shapes, error.remedies)
        edge = used[0][0] if len(used) == 1 else None
        return Facts(problems=(Problem("error", f"{node.title} {error}", node.id, edge, cures),))
    except Exception as error:  # a fault of one layer's rule must not take the other problems from the user's eyes
        text = f"{node.title} cannot work with {_shapes(shapes)}: its rule fails with {type(error).__name__}: {error}."
        return Facts(problems=(Problem("error", text, node.id),))
    return Facts(out, sum(math.prod(w.shape) for w in weights.values()), cost)


def look_at_input(node: Node, field: DataField | None, signature: Signature) -> Facts:
    """Facts of an Input that reads `field`, or found none in the data."""
    layer = node.layer
    if field is not None:
        return Facts(field.shape, field=field)
    if signature.inputs:
        names = [f.name for f in signature.inputs]
        if layer.field:
            text = (f"{node.title} wants the field '{layer.field}', but the inputs of the data are {_names(names)}: "
                    "choose one of them.")
        else:
            text = (f"{node.title} finds no field left, because other inputs read {_names(names)} already: choose a "
                    "field, or remove it.")
        cures = [_reading(node, name) for name in names[: repair.MOST - 1]]
        return Facts(problems=(Problem("error", text, node.id, repairs=(*cures, repair.removal(node))),))
    try:
        return Facts(layer.output_shape())
    except ShapeError as error:
        return Facts(problems=(Problem("error", f"{node.title} {error}", node.id),))


def mask_of(
    node: Node, edges: Sequence[Edge], arriving: Sequence[Shape | None], shape: Shape | None, masks: Mapping[str, str]
) -> str | None:
    """The node whose mask holds for the steps of `node`'s output `shape`, or None; `masks` has those of earlier nodes.

    Where several inputs have masks, that of the first port (or wire) counts.
    """
    layer = node.layer
    if shape is None or isinstance(layer, Placeholder):
        return None
    if layer.makes_mask(*(s for s in arriving if s is not None)):
        return node.id
    if not masks or layer.masking == "stop":
        return None
    wires = [(e, s) for e, s in zip(edges, arriving) if e.port in layer.ports]
    wires.sort(key=lambda wire: layer.ports.index(wire[0].port))
    if layer.masking == "use":
        wires = wires[:1]
    for edge, before in wires:
        if edge.source in masks and "T" in shape.axes and before.dims[:1] == shape.dims[:1]:
            return masks[edge.source]
    return None


def feeds(graph: Graph, signature: Signature) -> dict[str, DataField | None]:
    """Which field of the data enters at which Input: the one it names, or the first not used by an Input before it."""
    found: dict[str, DataField | None] = {}
    used: set[str] = set()
    for node in graph.nodes:
        if isinstance(node.layer, Input):
            wanted = node.layer.field
            choice = next((f for f in signature.inputs if (f.name == wanted if wanted else f.name not in used)), None)
            found[node.id] = choice
            if choice is not None:
                used.add(choice.name)
    return found


def vocabulary_problems(graph: Graph, inputs: Mapping[str, DataField | None]) -> list[Problem]:
    """Embeddings with fewer rows than their data have tokens; `inputs` are the fields that enter at Input nodes."""
    problems = []
    for input_id, field in inputs.items():
        if field is None or not field.tokens:
            continue
        for edge in graph.outgoing[input_id]:
            node = graph.node(edge.target)
            rows = node.layer.vocabulary if isinstance(node.layer, Embedding) else field.tokens
            if rows < field.tokens:
                text = (f"{node.title} has a vocabulary of {rows:,}, but '{field.name}' has {field.tokens:,} tokens: "
                        f"set its vocabulary to {field.tokens}.")
                cure = repair.setting(node, {"vocabulary": field.tokens})
                problems.append(Problem("error", text, node.id, edge, (cure,)))
    return problems


def open_port_problems(graph: Graph, node: Node, ports: Sequence[str], loose: Sequence[Node]) -> list[Problem]:
    """Ports without a wire. `loose` are nodes whose output goes nowhere: the nearest that may is proposed."""
    layer = node.layer
    problems = []
    for port in ports:
        if layer.many:
            count = len(graph.incoming[node.id])
            todo = "draw another" if count else "draw one" if layer.fewest == 1 else "draw them"
            needed = "two or more wires" if layer.fewest == 2 else "one or more wires"
            text = f"{node.title} needs {needed}, got {count}: {todo}, or remove it."
        elif len(layer.ports) == 1:
            text = f"{node.title} has no input: draw a wire to it from an earlier layer."
        else:
            text = f"{node.title} has nothing at its port '{port}': draw a wire to it from an earlier layer."
        cures = [repair.removal(node)]
        if not layer.many or len(graph.incoming[node.id]) == 1:
            near = sorted(loose, key=lambda n: (n.x > node.x, math.hypot(n.x - node.x, n.y - node.y)))
            begin = next((n for n in near if not edit.why_not(graph, n.id, node.id, port)), None)
            if begin is not None:
                cures.insert(0, repair.wiring(graph, begin.id, node.id, port))
        problems.append(Problem("error", text, node.id, repairs=tuple(cures)))
    return problems


def _wire_problems(graph: Graph, node: Node, edges: Sequence[Edge]) -> tuple[Problem, ...]:
    """Wires that cannot be: only a damaged or foreign file has them, because no edit draws them."""
    layer = node.layer
    problems = []
    ports: dict[str, list[Edge]] = {}
    for edge in edges:
        source = graph.node(edge.source)
        if source.layer.emits and edge.port in layer.ports:
            ports.setdefault(edge.port, []).append(edge)
            continue
        if not source.layer.emits:
            text = f"{node.title} gets a wire from {source.title}, which has no output: remove the wire."
        elif not layer.ports:
            text = f"{node.title} gets a wire from {source.title}, but takes none: remove the wire."
        else:
            text = (f"{node.title} gets a wire from {source.title} at port '{edge.port}', but has "
                    f"{_names(layer.ports)}: remove the wire.")
        problems.append(Problem("error", text, node.id, edge, (repair.unwiring(graph, edge),)))
    for wires in ports.values():
        if len(wires) > 1 and not layer.many:
            text = f"{node.title} takes one wire, got {len(wires)}: keep one of them."
            problems.append(Problem("error", text, node.id, wires[1], repair.keeping_one(graph, wires)))
    return tuple(problems)


def _reading(node: Node, name: str) -> Repair:
    return Repair(f"Let {node.title} read '{name}'", lambda graph: edit.set_params(graph, node.id, field=name))


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"'{n}'" for n in names)


def _shapes(shapes: Sequence[Shape]) -> str:
    return " and ".join(s.lettered for s in shapes) or "no input"
