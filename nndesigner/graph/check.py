"""What is right and wrong with a drawing: order, shapes, costs, problems. Never raises; the valid part keeps shapes.

Given the last result, only what an edit touched is worked out again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from nndesigner.graph import repair
from nndesigner.graph.checked import Checked, Head, Problem, Repair
from nndesigner.graph.edit import add_node, connect
from nndesigner.graph.heads import head_of
from nndesigner.graph.layout import free_spot
from nndesigner.graph.model import GAP_X, NODE_W, Edge, Graph, Node
from nndesigner.graph.order import circles, leading_to, topological
from nndesigner.graph.rules import Facts, feeds, look, look_at_input, mask_of, open_port_problems, vocabulary_problems
from nndesigner.layers import Layer
from nndesigner.layers.io import Input, Output
from nndesigner.spec import Shape, Signature

__all__ = ["Checked", "Head", "Problem", "Repair", "check"]

#: so many unwired nodes get a proposal for a wire; a search for each of a thousand would take too long
_PROPOSALS = 12

_UNKNOWN = Facts()


@dataclass(frozen=True)
class _Memo:
    """What the next check may take over."""

    facts: Mapping[str, Facts]
    #: the last facts with a shape of each node, beside the layer, wires and shapes from which they follow: a wire that
    #: is cut and joined again costs little
    sound: Mapping[str, tuple[Layer, tuple[Edge, ...], list[Shape], Facts]]
    #: all nodes that can be ordered, and those that cannot (on a circle or behind one)
    ordered: tuple[str, ...]
    knotted: tuple[str, ...]
    #: nodes that make a part of the loss, and all that lead to them
    ends: tuple[str, ...]
    leading: frozenset[str]


def check(graph: Graph, signature: Signature, previous: Checked | None = None) -> Checked:
    """Order, shapes, costs and problems of a drawing for these data. `previous` makes it quick after a small edit."""
    if previous is not None and previous.signature != signature:
        previous = None
    if previous is not None and previous.graph is graph:
        return previous
    old: _Memo | None = previous.memo if previous is not None else None
    wires_kept = previous is not None and previous.graph.incoming is graph.incoming

    if wires_kept:
        ordered, knotted = old.ordered, old.knotted
    else:
        ordered = topological(graph)
        placed = set(ordered)
        knotted = tuple(n.id for n in graph.nodes if n.id not in placed) if len(ordered) < len(graph.nodes) else ()
    fields = feeds(graph, signature)

    if previous is None:
        stale = touched = set(graph.by_id)
        facts: dict[str, Facts] = {}
        sound = {}
    else:
        touched = _touched(previous.graph, graph)
        touched.update(i for i, field in fields.items() if i not in old.facts or old.facts[i].field != field)
        touched.update(i for i in old.knotted if i in graph.by_id)
        stale = set(touched)
        facts, sound = dict(old.facts), dict(old.sound)
        for gone in facts.keys() - graph.by_id.keys():
            del facts[gone]
            sound.pop(gone, None)
    stale.update(knotted)
    for node_id in knotted:
        facts[node_id] = _UNKNOWN
    shapes = {} if previous is None else previous.shapes.copy()
    parameters = {} if previous is None else previous.parameters.copy()
    costs = {} if previous is None else previous.multiply_adds.copy()
    masks = {} if previous is None else previous.masks.copy()
    for gone in shapes.keys() - graph.by_id.keys():
        del shapes[gone], parameters[gone], costs[gone]
        masks.pop(gone, None)

    for node_id in (*ordered, *knotted):
        if node_id not in stale:
            continue
        node, before = graph.node(node_id), facts.get(node_id)
        wires = graph.incoming[node_id]
        arriving = [facts[e.source].shape for e in wires]
        known = sound.get(node_id)
        if isinstance(node.layer, Input) and not arriving:
            found = look_at_input(node, fields[node_id], signature)
        elif before is not None and before.shape is not None and node_id not in touched and None in arriving:
            found = _UNKNOWN  # it was right before, and only what feeds it lost its shape
        elif known is not None and known[0] is node.layer and known[1] == wires and known[2] == arriving:
            found = known[3]
        else:
            found = look(graph, node, arriving)
            if found.shape is not None:
                sound[node_id] = node.layer, wires, arriving, found
        mask = mask_of(node, wires, arriving, found.shape, masks)
        if before is None or before.shape != found.shape or mask != masks.get(node_id):
            stale.update(e.target for e in graph.outgoing[node_id])
        if mask is not None:
            masks[node_id] = mask
        else:
            masks.pop(node_id, None)
        facts[node_id] = found
        if found.shape is not None:
            shapes[node_id], parameters[node_id], costs[node_id] = found.shape, found.parameters, found.multiply_adds
        elif node_id in shapes:
            del shapes[node_id], parameters[node_id], costs[node_id]

    outputs = tuple(n.id for n in graph.nodes if isinstance(n.layer, Output))
    ends = (*outputs, *(n.id for n in graph.nodes if n.layer.adds_loss))
    if wires_kept and ends == old.ends:
        leading = old.leading
    else:
        leading = leading_to(graph, ends)
    heads, head_problems = _heads(graph, outputs, shapes, signature)
    problems = _drawing_problems(graph, signature, fields, outputs, ordered)
    problems += _circle_problems(graph, knotted)
    problems += _node_problems(graph, facts, leading, head_problems, bool(outputs))
    order = ordered if len(shapes) == len(ordered) else tuple(i for i in ordered if i in shapes)
    return Checked(
        graph, signature, order, MappingProxyType(shapes), MappingProxyType(parameters), MappingProxyType(costs),
        MappingProxyType({i: field.name for i, field in fields.items() if field is not None and i in shapes}),
        MappingProxyType(heads), MappingProxyType(masks), tuple(problems),
        _Memo(facts, sound, ordered, knotted, ends, leading),
    )


def _touched(before: Graph, after: Graph) -> set[str]:
    """Nodes that are new or have another layer, name or other wires than before."""
    known = before.by_id
    found = set()
    for node in after.nodes:
        old = known.get(node.id)
        if old is not node and (old is None or old.layer is not node.layer or old.name != node.name):
            found.add(node.id)
            found.update(e.target for e in after.outgoing[node.id])  # their sentences may name this node
    if before.incoming is not after.incoming:
        wires = before.incoming
        for node_id, edges in after.incoming.items():
            old_edges = wires.get(node_id)
            if old_edges is not edges and old_edges != edges:
                found.add(node_id)
    return found


def _heads(
    graph: Graph, outputs: tuple[str, ...], shapes: Mapping, signature: Signature
) -> tuple[dict[str, Head], dict[str, list[Problem]]]:
    heads: dict[str, Head] = {}
    problems: dict[str, list[Problem]] = {}
    used: set[str] = set()
    for node_id in outputs:
        head, problems[node_id] = head_of(graph, graph.node(node_id), shapes.get(node_id), signature, used)
        if head is not None:
            used.add(head.target)
            if node_id in shapes:
                heads[node_id] = head
    return heads, problems


def _drawing_problems(
    graph: Graph, signature: Signature, inputs: Mapping, outputs: tuple[str, ...], ordered: tuple[str, ...]
) -> list[Problem]:
    """What is wrong with the drawing as a whole."""
    problems = []
    if not graph.nodes:
        add = Repair("Add an Input", lambda g: add_node(g, Input(), 0, 0)[0])
        problems.append(Problem("error", "The drawing is empty: drag an Input onto it, then layers.", repairs=(add,)))
    elif not inputs:
        text = "The drawing has no Input: add one, so that data can enter."
        problems.append(Problem("error", text, repairs=(_first(graph),)))
    if graph.nodes and not outputs:
        cures = _last(graph, ordered)
        text = "The drawing has no Output: add one behind the last layer, so that there is something to learn."
        problems.append(Problem("error", text, repairs=cures))
    if not signature.fields:
        problems.append(Problem("error", "Choose data to train on."))
    return problems + vocabulary_problems(graph, inputs)


def _first(graph: Graph) -> Repair:
    """An Input before the leftmost node that lacks one."""
    lacking = [n for n in graph.nodes if n.layer.ports and not graph.incoming[n.id]]
    node = min(lacking or graph.nodes, key=lambda n: (n.x, n.y))

    def apply(g: Graph) -> Graph:
        g, new = add_node(g, Input(), *free_spot(g, node.x - NODE_W - GAP_X, node.y))
        return connect(g, new, node.id, node.layer.ports[0]) if lacking else g

    return Repair(f"Add an Input before {node.title}" if lacking else "Add an Input", apply)


def _last(graph: Graph, ordered: tuple[str, ...]) -> tuple[Repair, ...]:
    """An Output behind the last node whose output goes nowhere."""
    ends = [i for i in ordered if graph.node(i).layer.emits and not graph.outgoing[i]]
    if not ends:
        return ()
    node = graph.node(ends[-1])

    def apply(g: Graph) -> Graph:
        g, new = add_node(g, Output(), *free_spot(g, node.x + NODE_W + GAP_X, node.y))
        return connect(g, node.id, new)

    return (Repair(f"Add an Output behind {node.title}", apply),)


def _circle_problems(graph: Graph, knotted: tuple[str, ...]) -> list[Problem]:
    problems = []
    for circle in circles(graph, knotted) if knotted else ():
        edge = circle[-1]
        names = [graph.node(e.source).title for e in circle]
        way = " → ".join((*names[:4], "…") if len(names) > 5 else names) + f" → {names[0]}"
        text = f"These wires form a circle ({way}), so no layer can begin: remove one of them."
        problems.append(Problem("error", text, edge.target, edge, (repair.unwiring(graph, edge),)))
    return problems


def _node_problems(
    graph: Graph, facts: Mapping[str, Facts], leading: frozenset[str], heads: Mapping[str, list[Problem]], outputs: bool
) -> list[Problem]:
    """Problems of single nodes, in the order of the drawing.

    What is wrong with a node that leads to no Output is a warning: the rest of the drawing can be trained without it.
    """
    problems: list[Problem] = []
    loose: list[Node] | None = None
    proposals = _PROPOSALS
    for node in graph.nodes:
        found = facts[node.id]
        before = len(problems)
        if found.open_ports:
            if loose is None:
                loose = [n for n in graph.nodes if n.layer.emits and not graph.outgoing[n.id]]
            proposals -= 1
            problems += open_port_problems(graph, node, found.open_ports, loose if proposals >= 0 else ())
        problems += found.problems
        if node.id in heads:
            problems += heads[node.id]
        elif outputs and node.id not in leading and not found.open_ports and not graph.outgoing[node.id]:
            text = f"{node.title} leads to no Output, so it has no effect: draw a wire from it, or remove it."
            problems.append(Problem("warning", text, node.id, repairs=(repair.removal(node),)))
        if outputs and node.id not in leading:
            problems[before:] = [replace(problem, severity="warning") for problem in problems[before:]]
    return problems
