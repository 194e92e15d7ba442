"""Places on the canvas: where a new node fits, and how a whole drawing is arranged."""

from __future__ import annotations

from nndesigner.graph.model import GAP_X, GAP_Y, NODE_H, NODE_W, Graph

__all__ = ["GAP_X", "GAP_Y", "GRID", "NODE_H", "NODE_W", "free_spot"]

GRID = 20


def free_spot(graph: Graph, x: float, y: float) -> tuple[float, float]:
    """The place on the grid nearest to (x, y) where a node overlaps no other."""
    column, row = round(x / GRID), round(y / GRID)
    others = [(n.x, n.y) for n in graph.nodes]
    radius = 0
    while True:
        ring = [
            (i, j)
            for i in range(-radius, radius + 1)
            for j in range(-radius, radius + 1)
            if max(abs(i), abs(j)) == radius
        ]
        for i, j in sorted(ring, key=lambda p: (p[0] * p[0] + p[1] * p[1], p)):
            px, py = (column + i) * GRID, (row + j) * GRID
            if all(abs(px - ox) >= NODE_W or abs(py - oy) >= NODE_H for ox, oy in others):
                return float(px), float(py)
        radius += 1
