"""Layers on the clipboard: JSON as plain text, so that another window, a chat or a file can carry them."""

from __future__ import annotations

import json
import math
from typing import Any

from PySide6.QtCore import QRectF
from PySide6.QtGui import QGuiApplication

from nndesigner.graph.edit import CLIP
from nndesigner.graph.model import NODE_H, NODE_W, Graph
from nndesigner.ui.canvas.geometry import GRID, snap

#: longer texts are not looked at, larger drawings and places not taken
_LONGEST, _MOST, _FARTHEST = 8_000_000, 10_000, 90_000


def put(clip: dict[str, Any]) -> None:
    """Place what `edit.copy_part` gave on the clipboard."""
    QGuiApplication.clipboard().setText(json.dumps(clip))


def take() -> dict[str, Any] | None:
    """A part of a drawing from the clipboard, or None when it holds anything else, however strange."""
    return read(QGuiApplication.clipboard().text())


def read(text: str) -> dict[str, Any] | None:
    """The part of a drawing in a text, or None. The layers themselves are checked by `edit.paste`."""
    if len(text) > _LONGEST or CLIP not in text:
        return None
    try:
        clip = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(clip, dict) or clip.get("clip") != CLIP or not isinstance(clip.get("nodes"), list):
        return None
    nodes = clip["nodes"]
    return clip if nodes and len(nodes) <= _MOST and all(_placed(node) for node in nodes) else None


def offset(clip: dict[str, Any], graph: Graph, seen: QRectF) -> tuple[float, float]:
    """How far to move a pasted part: a little beside the original where that is seen, else to the view's middle."""
    xs, ys = [n["x"] for n in clip["nodes"]], [n["y"] for n in clip["nodes"]]
    area = QRectF(min(xs), min(ys), max(xs) - min(xs) + NODE_W, max(ys) - min(ys) + NODE_H)
    dx = dy = 0.0
    if not seen.intersects(area):
        dx, dy = snap(seen.center().x() - area.center().x()), snap(seen.center().y() - area.center().y())
    taken = {(n.x, n.y) for n in graph.nodes}
    while any((x + dx, y + dy) in taken for x, y in zip(xs, ys)):
        dx, dy = dx + 2 * GRID, dy + 2 * GRID
    return dx, dy


def _placed(node: Any) -> bool:
    """Whether a node has a place that the canvas can show."""
    if not isinstance(node, dict):
        return False
    return all(
        isinstance(v, (int, float)) and math.isfinite(v) and abs(v) < _FARTHEST for v in (node.get("x"), node.get("y"))
    )
