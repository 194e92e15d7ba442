"""What the pointer is told: the sentence of a problem, the name of a port, what a node or a wire cannot show whole."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from nndesigner.ui.canvas.edge_item import EdgeItem
from nndesigner.ui.canvas.face import description
from nndesigner.ui.canvas.node_parts import is_elided
from nndesigner.ui.canvas.scene import CanvasScene

#: below this zoom the words on a node are small, so a tooltip repeats them
_SMALL = 0.7


def text_at(board: CanvasScene, at: QPointF) -> str:
    """The tooltip for a point of the scene; empty for none."""
    port, item = board.port_at(at), board.node_at(at)
    if item is not None and item.face.problem:
        return item.face.problem
    if port is not None:
        return _port_text(board, *port)
    if item is not None:
        return description(item.face) if is_elided(item.face) or board.zoom < _SMALL else ""
    wire = board.edge_at(at)
    return _wire_text(board, wire) if wire is not None else ""


def _port_text(board: CanvasScene, node_id: str, port: str) -> str:
    if port == "":
        return "Output: drag a wire from here"
    layer = board.graph.node(node_id).layer
    if node_id in board.drawn.boxes:
        real = board.document.graph
        names = dict.fromkeys(real.node(node).title for node, _ in board.drawn.into(node_id, port))
        return f"Input of {', '.join(names)}"
    if layer.many:
        return "Input, takes several wires"
    return f"Input “{port}”" if len(layer.ports) > 1 else "Input"


def _wire_text(board: CanvasScene, wire: EdgeItem) -> str:
    graph, checked = board.graph, board.document.checked
    shape = checked.shapes.get(board.drawn.out(wire.edge.source))
    names = f"{graph.node(wire.edge.source).title} to {graph.node(wire.edge.target).title}"
    problems = [p.text for p in checked.problems if p.edge in board.drawn.behind(wire.edge)]
    return "\n".join([f"{names}: {shape.lettered}" if shape is not None else names, *problems])
