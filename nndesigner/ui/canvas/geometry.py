"""Where things are on the canvas: sizes, ports, the grid and the way of a wire. Pure functions; knows no item."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

from nndesigner.graph.model import NODE_H, NODE_W, Node

#: distance of the dots; nodes snap to them
GRID = 20

#: top of the live picture and its height
PICTURE_Y, PICTURE_H = 34, 60
#: top of the footer with shape and parameter count
FOOTER_Y = 97
CORNER = 10
PORT = 11
#: how near the pointer must come to a port to take it, in pixels of the screen
PORT_REACH = 13
#: width of the strip in which a wire can be grasped, in pixels of the screen
WIRE_REACH = 12
#: below this zoom a node is a flat rectangle
FAR = 0.4

#: distance that a wire keeps from nodes it passes
_CLEAR = 6.0
#: distance of a wire that goes around from the node it rounds: half the gap between two rows of an arranged drawing
_AROUND = 34.0
#: how far the bends of a wire reach out, wide where there is room, narrow in the gap between two columns
_BENDS = (52.0, 18.0)
#: shortest distance between two ports that a plain curve can bridge
_FORWARD = 16.0

#: weights of the four points of a cubic curve at 25 places along it
_BASIS = [((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3) for t in (n / 24 for n in range(25))]

Point = tuple[float, float]
#: start, two control points, end
Cubic = tuple[Point, Point, Point, Point]


def snap(value: float) -> float:
    """The nearest line of the grid."""
    return round(value / GRID) * GRID


def node_rect(x: float, y: float) -> QRectF:
    """The body of a node whose top left corner is at (x, y)."""
    return QRectF(x, y, NODE_W, NODE_H)


def in_port(node: Node, port: str, x: float | None = None, y: float | None = None) -> QPointF:
    """Place of an input port. `x`, `y` stand in for the node's own place while it is dragged."""
    ports = node.layer.ports
    index = ports.index(port) if port in ports else 0
    x, y = node.x if x is None else x, node.y if y is None else y
    return QPointF(x, y + NODE_H * (index + 1) / (max(len(ports), 1) + 1))


def out_port(node: Node, x: float | None = None, y: float | None = None) -> QPointF:
    """Place of the output port."""
    return QPointF((node.x if x is None else x) + NODE_W, (node.y if y is None else y) + NODE_H / 2)


class Boxes:
    """The bodies of all nodes, for the question what is in the way. Ids and corners stand in the same order."""

    def __init__(self, places: Iterable[tuple[str, float, float]] = ()) -> None:
        rows = list(places)
        self.ids = [row[0] for row in rows]
        self._rows = {node_id: row for row, node_id in enumerate(self.ids)}
        self.corners = np.array([row[1:] for row in rows], dtype=float).reshape(-1, 2)

    def place(self, node_id: str, x: float, y: float) -> None:
        """A node stands elsewhere now."""
        self.corners[self._rows[node_id]] = x, y

    def within(self, left: float, top: float, right: float, bottom: float) -> list[tuple[str, float, float]]:
        """Nodes (id, x, y) whose body touches the region."""
        if not self.ids:
            return []
        x, y = self.corners[:, 0], self.corners[:, 1]
        found = np.flatnonzero((x < right) & (x + NODE_W > left) & (y < bottom) & (y + NODE_H > top))
        return [(self.ids[i], float(x[i]), float(y[i])) for i in found]


def wire(start: QPointF, end: QPointF, source: str, target: str, boxes: Boxes) -> list[Cubic]:
    """The way of a wire from an output port to an input port: cubic curves joined end to end.

    A plain curve where it runs forward and meets no node; otherwise into a free channel, along it, and back.
    Where every way is blocked, the shortest is taken.
    """
    sx, sy, ex, ey = start.x(), start.y(), end.x(), end.y()
    forward = ex - sx >= _FORWARD
    if forward:
        plain = plain_wire(start, end)
        blocks = [
            b for b in boxes.within(sx, min(sy, ey) - _CLEAR, ex, max(sy, ey) + _CLEAR) if b[0] not in (source, target)
        ]
        if not blocks or not _hits(plain, blocks):
            return plain
    best: list[Cubic] | None = None
    for channel in _channels(sx, sy, ex, ey, source, target, boxes):
        for bend in _BENDS:
            way = _around(sx, sy, ex, ey, channel, bend, forward)
            best = best or way
            left, right = min(sx, ex) - bend, max(sx, ex) + bend
            blocks = boxes.within(left, min(sy, ey, channel) - _CLEAR, right, max(sy, ey, channel) + _CLEAR)
            if not _hits(way, blocks):
                return way
    return best or plain_wire(start, end)


def plain_wire(start: QPointF, end: QPointF) -> list[Cubic]:
    """One curve that leaves to the right and arrives from the left, whatever is in the way."""
    sx, sy, ex, ey = start.x(), start.y(), end.x(), end.y()
    reach = min(max(abs(ex - sx) / 2, min(24.0, abs(ey - sy))), 160.0)
    return [((sx, sy), (sx + reach, sy), (ex - reach, ey), (ex, ey))]


def path_of(curves: list[Cubic]) -> QPainterPath:
    """The curves as a path to be drawn."""
    path = QPainterPath()
    if curves:
        path.moveTo(*curves[0][0])
    for _, first, second, end in curves:
        if first[1] == second[1] == end[1] == path.currentPosition().y():
            path.lineTo(*end)
        else:
            path.cubicTo(*first, *second, *end)
    return path


def _channels(sx: float, sy: float, ex: float, ey: float, source: str, target: str, boxes: Boxes) -> list[float]:
    """Heights at which a wire could run along, those with the shortest detour first."""
    left, right = min(sx, ex) - _BENDS[0], max(sx, ex) + _BENDS[0]
    span = boxes.within(left, min(sy, ey) - 4 * NODE_H, right, max(sy, ey) + 4 * NODE_H)
    own = {box[0]: box[2] for box in span if box[0] in (source, target)}
    heights = {y - _AROUND for _, _, y in span} | {y + NODE_H + _AROUND for _, _, y in span}
    heights |= {
        sy - NODE_H / 2 - _AROUND,
        sy + NODE_H / 2 + _AROUND,
        ey - NODE_H / 2 - _AROUND,
        ey + NODE_H / 2 + _AROUND,
    }
    if len(own) == 2:
        upper, lower = sorted(own.values())
        if lower - upper - NODE_H >= 4 * _CLEAR:
            heights.add((upper + NODE_H + lower) / 2)
    middle = (sy + ey) / 2
    return sorted(heights, key=lambda y: (abs(y - sy) + abs(y - ey), abs(y - middle)))[:16]


def _around(sx: float, sy: float, ex: float, ey: float, channel: float, bend: float, forward: bool) -> list[Cubic]:
    if forward:
        # over or under what stands between: into the channel in the gap behind the source, out of it before the target
        turn = min(bend + 14, (ex - sx) / 3)
        return [
            ((sx, sy), (sx + turn * 0.7, sy), (sx + turn * 0.3, channel), (sx + turn, channel)),
            ((sx + turn, channel), (sx + turn, channel), (ex - turn, channel), (ex - turn, channel)),
            ((ex - turn, channel), (ex - turn * 0.3, channel), (ex - turn * 0.7, ey), (ex, ey)),
        ]
    length = max(sx - ex, 0.0)
    first, last = min(90.0, length / 3), min(20.0, length / 3)
    return [
        ((sx, sy), (sx + bend, sy), (sx + bend, channel), (sx - first, channel)),
        ((sx - first, channel), (sx - first, channel), (ex + last, channel), (ex + last, channel)),
        ((ex + last, channel), (ex - bend, channel), (ex - bend, ey), (ex, ey)),
    ]


def _hits(way: list[Cubic], blocks: list[tuple[str, float, float]]) -> bool:
    """Whether the way enters a body or comes too near. Its two ends touch their own nodes and do not count."""
    if not blocks:
        return False
    last = len(way) - 1
    # the straight part along the channel first: it is the quickest to test and the likeliest to hit
    for number in sorted(range(len(way)), key=lambda n: n != 1):
        a, b, c, d = way[number]
        low_x, high_x = min(a[0], b[0], c[0], d[0]), max(a[0], b[0], c[0], d[0])
        low_y, high_y = min(a[1], b[1], c[1], d[1]), max(a[1], b[1], c[1], d[1])
        near = [
            (x, y)
            for _, x, y in blocks
            if x - _CLEAR < high_x
            and x + NODE_W + _CLEAR > low_x
            and y - _CLEAR < high_y
            and y + NODE_H + _CLEAR > low_y
        ]
        if not near:
            continue
        if low_y == high_y:
            return True
        for step in range(0 if number else 2, 25 if number < last else 23):
            p, q, r, s = _BASIS[step]
            px, py = p * a[0] + q * b[0] + r * c[0] + s * d[0], p * a[1] + q * b[1] + r * c[1] + s * d[1]
            for x, y in near:
                if x - 2 < px < x + NODE_W + 2 and y - 2 < py < y + NODE_H + 2:
                    return True
    return False
