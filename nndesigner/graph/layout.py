"""Places on the canvas: where a new node fits, and how a whole drawing is arranged.

`arrange` is a layered layout after Sugiyama, Tagawa and Toda 1981: columns by the longest way from the start, order
within a column by barycentre sweeps, heights by weighted medians kept apart. Long networks are folded into rows.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from nndesigner.graph.edit import move
from nndesigner.graph.folding import HEAD, PAD, Drawn, drawn
from nndesigner.graph.model import GAP_X, GAP_Y, NODE_H, NODE_W, Edge, Graph
from nndesigner.graph.order import circles, topological

__all__ = ["GAP_X", "GAP_Y", "GRID", "NODE_H", "NODE_W", "arrange", "free_spot"]

GRID = 20
#: a drawing with up to so many columns stays in one row
ROW = 6
#: a row may be so much longer where that avoids cutting through a shortcut
SLACK = 2
#: width by height that the folding of a long network aims at
ASPECT = 1.6
#: wires longer than this altogether, in columns, get no lanes of their own
MOST_LANES = 4000

_STEP = NODE_W + GAP_X
#: distance between two wires that pass a column
_LANES_APART = 24.0

Places = dict[str, tuple[float, float]]
#: width and height of what is larger than a node
Sizes = Mapping[str, tuple[float, float]]
#: how much a passing wire weighs against a node when heights are chosen
_LANE_WEIGHT = 0.001


def free_spot(graph: Graph, x: float, y: float) -> tuple[float, float]:
    """The place on the grid nearest to (x, y) where a node overlaps no other."""
    column, row = round(x / GRID), round(y / GRID)
    best: tuple[float, float, float] | None = None
    radius = 0
    while best is None or radius * GRID <= best[0] + GRID:
        reach_x, reach_y = radius * GRID + NODE_W + GRID, radius * GRID + NODE_H + GRID
        near = [(n.x, n.y) for n in graph.nodes if abs(n.x - x) < reach_x and abs(n.y - y) < reach_y]
        for i in range(-radius, radius + 1):
            for j in range(-radius, radius + 1) if abs(i) == radius else {-radius, radius}:
                px, py = float((column + i) * GRID), float((row + j) * GRID)
                found = (math.hypot(px - x, py - y), px, py)
                if (best is None or found < best) and not any(
                    abs(px - a) < NODE_W and abs(py - b) < NODE_H for a, b in near
                ):
                    best = found
        radius += 1
    return best[1], best[2]


def arrange(graph: Graph) -> Graph:
    """Place all nodes anew, left to right in the order of calculation, in rows; the top left corner stays where it is.

    A group is placed as one thing, and its nodes within it. The result depends on nodes, wires and groups only, not on
    where the nodes were.
    """
    if not graph.nodes:
        return graph
    boxes = drawn(graph, graph.groups) if graph.groups else Drawn(graph)
    inner: dict[str, Places] = {}
    sizes: dict[str, tuple[float, float]] = {}
    for group in graph.groups:
        members = set(group.members)
        inner[group.id] = found = _placed(Graph(
            tuple(n for n in graph.nodes if n.id in members),
            tuple(e for e in graph.edges if e.source in members and e.target in members)), {})
        if not group.folded:
            sizes[group.id] = (max(x for x, _ in found.values()) + NODE_W + 2 * PAD,
                               max(y for _, y in found.values()) + NODE_H + HEAD + PAD)
    shown = boxes.graph.nodes
    left, top = min(n.x for n in shown), min(n.y for n in shown)
    places = {i: (left + x, top + y) for i, (x, y) in _placed(boxes.graph, sizes).items()}
    for group_id, within in inner.items():
        x, y = places.pop(group_id)
        places.update((i, (x + PAD + px, y + HEAD + py)) for i, (px, py) in within.items())
    return move(graph, places)


def _placed(graph: Graph, sizes: Sizes) -> Places:
    """Places of all nodes from (0, 0) on. `sizes` of those that are larger than a node."""
    places: Places = {}
    edges = _without_circles(graph)
    single: list[str] = []
    y = 0.0
    for part in _parts(graph):
        if len(part) == 1 and part[0] not in sizes:
            single.append(part[0])
            continue
        members = set(part)
        found, height = _place_part(part, [e for e in edges if e.source in members], sizes)
        places.update((i, (px, py + y)) for i, (px, py) in found.items())
        y += height + GAP_Y
    width = max(ROW, round(math.sqrt(len(single) * ASPECT)))
    for k, node_id in enumerate(single):
        places[node_id] = (k % width * _STEP, y + k // width * (NODE_H + GAP_Y))
    return places


# --- structure ---


def _without_circles(graph: Graph) -> list[Edge]:
    placed = set(topological(graph))
    cut: set[Edge] = set()
    if len(placed) < len(graph.nodes):
        cut = {circle[-1] for circle in circles(graph, [n.id for n in graph.nodes if n.id not in placed])}
    return [e for e in graph.edges if e not in cut]


def _parts(graph: Graph) -> list[list[str]]:
    """Nodes that hang together by wires, in the order of the drawing."""
    seen: set[str] = set()
    parts = []
    for node in graph.nodes:
        if node.id in seen:
            continue
        seen.add(node.id)
        part = [node.id]
        for node_id in part:  # grows while it is walked
            near = [e.source for e in graph.incoming[node_id]] + [e.target for e in graph.outgoing[node_id]]
            for other in near:
                if other not in seen:
                    seen.add(other)
                    part.append(other)
        parts.append(part)
    place = {n.id: k for k, n in enumerate(graph.nodes)}
    return [sorted(part, key=place.__getitem__) for part in parts]


@dataclass(eq=False)
class _Item:
    """A node, or a wire that passes a column (lane; it has no id)."""

    column: int
    id: str = ""
    before: list[_Item] = field(default_factory=list)
    after: list[_Item] = field(default_factory=list)
    #: place within the column, and height of its middle
    rank: int = 0
    y: float = 0.0
    width: float = NODE_W
    height: float = NODE_H

    @property
    def lane(self) -> bool:
        return not self.id


def _place_part(part: Sequence[str], edges: Sequence[Edge], sizes: Sizes) -> tuple[Places, float]:
    """Places relative to the top left corner of one connected part, and its height."""
    columns = _columns(part, edges)
    for item in (item for column in columns for item in column):
        item.width, item.height = sizes.get(item.id, (NODE_W, NODE_H))
    _untangle(columns)
    _set_heights(columns)
    places: Places = {}
    top = 0.0
    for row, (start, end) in enumerate(_rows(columns)):
        items = [item for column in columns[start:end] for item in column if not item.lane]
        low, high = min(i.y - i.height / 2 for i in items), max(i.y + i.height / 2 for i in items)
        x = float(_STEP if row else 0)  # leaves room on the left for the wire that comes from the row above
        for column in columns[start:end]:
            for item in column:
                if not item.lane:
                    places[item.id] = (x, float(round(item.y - item.height / 2 - low)) + top)
            x += _width(column) + GAP_X
        top += round(high - low) + GAP_Y
    return places, top - GAP_Y


def _columns(part: Sequence[str], edges: Sequence[Edge]) -> list[list[_Item]]:
    """Items by column, wires cut into pieces from one column to the next."""
    items = {i: _Item(0, i) for i in part}
    waiting = dict.fromkeys(part, 0)
    following: dict[str, list[str]] = {i: [] for i in part}
    for edge in edges:
        waiting[edge.target] += 1
        following[edge.source].append(edge.target)
    order = [i for i in part if not waiting[i]]
    starts = set(order)
    for node_id in order:  # grows while it is walked
        for target in following[node_id]:
            items[target].column = max(items[target].column, items[node_id].column + 1)
            waiting[target] -= 1
            if not waiting[target]:
                order.append(target)
    for node_id in starts:  # an Input that enters late stands near where it enters
        if following[node_id]:
            items[node_id].column = min(items[t].column for t in following[node_id]) - 1
    columns: list[list[_Item]] = [[] for _ in range(max(i.column for i in items.values()) + 1)]
    for node_id in order:
        columns[items[node_id].column].append(items[node_id])
    pairs = dict.fromkeys((e.source, e.target) for e in edges)
    lanes = sum(items[t].column - items[s].column - 1 for s, t in pairs) <= MOST_LANES
    for source, target in pairs:
        last = items[source]
        if lanes:
            for column in range(last.column + 1, items[target].column):
                lane = _Item(column)
                columns[column].append(lane)
                _link(last, lane)
                last = lane
        _link(last, items[target])
    for column in columns:
        _rank(column)
    return columns


def _link(first: _Item, second: _Item) -> None:
    first.after.append(second)
    second.before.append(first)


def _rank(column: Sequence[_Item]) -> None:
    for rank, item in enumerate(column):
        item.rank = rank


# --- order within columns ---


def _untangle(columns: list[list[_Item]], sweeps: int = 8) -> None:
    """Reorder columns so that few wires cross: barycentre sweeps to and fro, the best order seen is kept."""
    best, order = _crossings(columns), [list(c) for c in columns]
    for sweep in range(sweeps):
        if best == 0:
            break
        forth = sweep % 2 == 0
        for column in columns if forth else reversed(columns):
            column.sort(key=lambda item: _barycentre(item, item.before if forth else item.after))
            _rank(column)
        count = _crossings(columns)
        if count < best:
            best, order = count, [list(c) for c in columns]
    for column, kept in zip(columns, order):
        column[:] = kept
        _rank(column)


def _barycentre(item: _Item, neighbours: Sequence[_Item]) -> float:
    return sum(n.rank for n in neighbours) / len(neighbours) if neighbours else float(item.rank)


def _crossings(columns: Sequence[Sequence[_Item]]) -> int:
    """How often wires between neighbouring columns cross."""
    total = 0
    for column in columns:
        ends: list[int] = []
        for item in column:
            ranks = sorted(n.rank for n in item.after)
            total += sum(len(ends) - bisect_right(ends, rank) for rank in ranks)
            for rank in ranks:
                insort(ends, rank)
    return total


# --- heights ---


def _set_heights(columns: Sequence[Sequence[_Item]], sweeps: int = 7) -> None:
    """Bring each item to the height of its neighbours, in order and apart."""
    for column in columns:
        _spread(column, [0.0] * len(column))
        middle = sum(i.y for i in column) / len(column)
        for item in column:
            item.y -= middle
    for sweep in range(sweeps):
        forth = sweep % 2 == 0
        for column in columns if forth else reversed(columns):
            _spread(column, [_median(i, i.before if forth else i.after) for i in column])


def _median(item: _Item, neighbours: Sequence[_Item]) -> float:
    """Height of the neighbours: the middle one, or between the two in the middle."""
    if not neighbours:
        return item.y
    rows = sorted((n.y, _LANE_WEIGHT if n.lane else 1.0) for n in neighbours)
    half = sum(w for _, w in rows) / 2
    passed = 0.0
    for k, (y, weight) in enumerate(rows):
        passed += weight
        if abs(passed - half) < 1e-9:
            return (y + rows[k + 1][0]) / 2
        if passed > half:
            return y
    return rows[-1][0]


def _spread(column: Sequence[_Item], wanted: Sequence[float]) -> None:
    """The heights nearest to the wanted ones (least squares) that keep order and distance.

    With the least distances taken off, that is isotonic regression: neighbours in the wrong order are pooled.
    """
    offsets, total = [], 0.0
    for k, item in enumerate(column):
        if k:
            total += _apart(column[k - 1], item)
        offsets.append(total)
    pools: list[tuple[float, float, int]] = []  # weighted sum, weight, number of items
    for item, want, offset in zip(column, wanted, offsets):
        weight = _LANE_WEIGHT if item.lane else 1.0
        pool = ((want - offset) * weight, weight, 1)
        while pools and pools[-1][0] / pools[-1][1] > pool[0] / pool[1]:
            last = pools.pop()
            pool = (last[0] + pool[0], last[1] + pool[1], last[2] + pool[2])
        pools.append(pool)
    k = 0
    for value, weight, count in pools:
        for _ in range(count):
            column[k].y = value / weight + offsets[k]
            k += 1


def _apart(upper: _Item, lower: _Item) -> float:
    """Least distance between the middles of two neighbours of a column."""
    if upper.lane and lower.lane:
        return _LANES_APART
    return sum((i.height + GAP_Y) / 2 for i in (upper, lower) if not i.lane)


# --- rows ---


def _width(column: Sequence[_Item]) -> float:
    return max((i.width for i in column if not i.lane), default=NODE_W)


def _rows(columns: Sequence[Sequence[_Item]]) -> list[tuple[int, int]]:
    """Where to fold: ranges of columns, of even length, cut where few wires pass."""
    n = len(columns)
    # where the columns begin, in widths of a column of nodes
    begins = list(accumulate(((_width(column) + GAP_X) / _STEP for column in columns), initial=0.0))
    tall = max(sum(i.height + GAP_Y for i in column if not i.lane) for column in columns)
    most = max(ROW, round(math.sqrt(begins[n] * tall * ASPECT / _STEP)))
    if begins[n] <= most:
        return [(0, n)]
    count = math.ceil((begins[n] - 1) / (most - 1))
    even = (begins[n] - 1) / count
    passing = [sum(len(i.after) for i in column) for column in columns]
    best = [math.inf] * (n + 1)
    start_of = [0] * (n + 1)
    best[0] = 0.0
    for end in range(1, n + 1):
        cut = 0 if end == n else 4 * (passing[end - 1] - 1) ** 2
        for start in range(end - 1, -1, -1):
            if start < end - 1 and begins[end] - begins[start] > most + SLACK:
                break
            # the first row is not indented and holds one more
            length = begins[end] - begins[start] - (1 if start == 0 else 0)
            cost = best[start] + (length - even) ** 2 + cut
            if cost <= best[end]:
                best[end], start_of[end] = cost, start
    rows = []
    end = n
    while end:
        rows.append((start_of[end], end))
        end = start_of[end]
    return rows[::-1]
