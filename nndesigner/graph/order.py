"""Order of calculation, circles, and which nodes lead where."""

from __future__ import annotations

from collections.abc import Collection

from nndesigner.graph.model import Edge, Graph


def topological(graph: Graph) -> tuple[str, ...]:
    """Nodes so that each stands after all that feed it; a function of the graph alone.

    Nodes on a circle, and what they feed, are left out. Source: Kahn 1962.
    """
    outgoing = graph.outgoing
    waiting: dict[str, int] = {}
    order: list[str] = []
    for node, edges in graph.incoming.items():
        if edges:
            waiting[node] = len(edges)
        else:
            order.append(node)
    for node in order:  # grows while it is walked
        for edge in outgoing[node]:
            waiting[edge.target] -= 1
            if not waiting[edge.target]:
                order.append(edge.target)
    return tuple(order)


def leading_to(graph: Graph, ends: Collection[str]) -> frozenset[str]:
    """The nodes from which a way along wires leads to one of `ends`, these included."""
    incoming = graph.incoming
    seen, todo = set(ends), list(ends)
    while todo:
        for edge in incoming[todo.pop()]:
            if edge.source not in seen:
                seen.add(edge.source)
                todo.append(edge.source)
    return frozenset(seen)


def circles(graph: Graph, left: Collection[str]) -> list[tuple[Edge, ...]]:
    """One circle of wires for each knot among the nodes that `topological` left out.

    Each circle is thought away at its last wire until the rest can be ordered, so removing these wires removes all.
    """
    ways = {n: [e for e in graph.outgoing[n] if e.target in left] for n in left}
    state: dict[str, int] = {}  # 1: on the present path, 2: done
    found: list[tuple[Edge, ...]] = []
    for start in left:
        if start in state:
            continue
        state[start] = 1
        path: list[Edge] = []
        stack = [(start, iter(ways[start]))]
        while stack:
            node, rest = stack[-1]
            edge = next(rest, None)
            if edge is None:
                state[node] = 2
                stack.pop()
                if path:
                    path.pop()
            elif state.get(edge.target) == 1:
                first = next((k for k, e in enumerate(path) if e.source == edge.target), len(path))
                found.append((*path[first:], edge))
            elif edge.target not in state:
                state[edge.target] = 1
                path.append(edge)
                stack.append((edge.target, iter(ways[edge.target])))
    return found
