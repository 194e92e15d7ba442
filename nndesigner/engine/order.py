"""Which nodes of a drawing take part in training."""

from __future__ import annotations

from nndesigner.engine.weights import sources
from nndesigner.graph.check import Checked


def backward_order(checked: Checked) -> tuple[list[str], set[str]]:
    """(nodes that lead to a part of the loss, in order; those of them whose output needs a gradient)."""
    leading: set[str] = set()
    waiting = [*checked.heads, *(n for n in checked.order if checked.graph.node(n).layer.adds_loss)]
    while waiting:
        node_id = waiting.pop()
        if node_id not in leading:
            leading.add(node_id)
            waiting.extend(sources(checked, node_id))
    order = [node_id for node_id in checked.order if node_id in leading]
    wanting: set[str] = set()
    for node_id in order:
        if checked.parameters.get(node_id, 0) or any(source in wanting for source in sources(checked, node_id)):
            wanting.add(node_id)
    return order, wanting


def postponed_ends(checked: Checked) -> dict[str, str]:
    """Layer that picks the largest values -> the layer before it whose rising end (bias, ReLU) may come behind instead.

    max(relu(x + b)) = relu(max(x) + b) to the bit, on a quarter of the values.
    """
    graph, found = checked.graph, {}
    for node_id in checked.order:
        if graph.node(node_id).layer.picks_largest:
            (before,) = sources(checked, node_id)
            if graph.node(before).layer.rising_end and len(graph.outgoing[before]) == 1:
                found[node_id] = before
    return found
