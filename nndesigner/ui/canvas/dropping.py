"""What is dragged onto the canvas: files, or a layer, whose ghost shows where it would land and its wires."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QPointF
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent

from nndesigner.layers import Layer
from nndesigner.ui.canvas import adding
from nndesigner.ui.canvas.edge_item import EdgeItem
from nndesigner.ui.canvas.geometry import NODE_H, NODE_W, path_of, plain_wire
from nndesigner.ui.canvas.overlay import GhostItem, WirePreview
from nndesigner.ui.palette import MIME

if TYPE_CHECKING:
    from nndesigner.ui.canvas.view import CanvasView


class Drops:
    """Takes the drag events of the view."""

    def __init__(self, view: CanvasView) -> None:
        self._view = view
        self._layer: LayerDrop | None = None

    def enter(self, event: QDragEnterEvent) -> None:
        kind = bytes(event.mimeData().data(MIME).data()).decode("utf-8", "replace")
        self.leave()
        if kind in Layer.registry:
            self._layer = LayerDrop(self._view, Layer.registry[kind])
            self._layer.move(self._view.scene_at(event.position()))
            event.acceptProposedAction()
        elif _files(event.mimeData()):
            event.acceptProposedAction()
        else:
            event.ignore()

    def move(self, event: QDragMoveEvent) -> None:
        if self._layer is not None:
            self._layer.move(self._view.scene_at(event.position()))
        event.acceptProposedAction()

    def leave(self) -> None:
        if self._layer is not None:
            self._layer.leave()
            self._layer = None

    def drop(self, event: QDropEvent) -> None:
        layer, self._layer = self._layer, None
        if layer is not None:
            self._view.setFocus()
            layer.drop(self._view.scene_at(event.position()))
            event.acceptProposedAction()
        elif files := _files(event.mimeData()):
            self._view.files_dropped.emit(files)
            event.acceptProposedAction()


class LayerDrop:
    """From entering the canvas to leaving it or letting go."""

    def __init__(self, view: CanvasView, layer: type[Layer]) -> None:
        self._view, self._board, self.layer = view, view.board, layer
        self._ghost = GhostItem(layer)
        self._board.addItem(self._ghost)
        self._wires: list[WirePreview] = []
        self._over: EdgeItem | None = None

    def move(self, at: QPointF) -> None:
        landing = self._landing(at)
        over = self._board.edges.get(landing.edge) if landing.edge is not None else None
        self._light(over)
        # over a wire the ghost stays under the cursor: the wire's accent says where the layer goes
        self._ghost.setPos(QPointF(at.x() - NODE_W / 2, at.y() - NODE_H / 2) if over else QPointF(landing.x, landing.y))
        self._ghost.setOpacity(0.6 if over else 1.0)
        self._clear_wires()
        left, right = QPointF(landing.x, landing.y + NODE_H / 2), QPointF(landing.x + NODE_W, landing.y + NODE_H / 2)
        if landing.source is not None:
            self._preview(self._board.port_place(landing.source, ""), left)
        if landing.target is not None:
            self._preview(right, self._board.port_place(*landing.target))

    def drop(self, at: QPointF) -> None:
        landing = self._landing(at)
        self.leave()
        self._view.add_layer(self.layer(), landing)

    def leave(self) -> None:
        """Leave no trace."""
        self._light(None)
        self._clear_wires()
        if self._ghost.scene() is not None:
            self._board.removeItem(self._ghost)

    def _landing(self, at: QPointF) -> adding.Landing:
        item = self._board.edge_at(at) if self._board.node_at(at) is None else None
        return adding.dropped(self._board.graph, self.layer, at.x(), at.y(), item.edge if item else None)

    def _light(self, over: EdgeItem | None) -> None:
        if over is not self._over:
            if self._over is not None and self._over.edge in self._board.edges:
                self._over.set_hovered(False)
            self._over = over
            if over is not None:
                over.set_hovered(True)

    def _preview(self, start: QPointF, end: QPointF) -> None:
        wire = WirePreview()
        wire.setPath(path_of(plain_wire(start, end)))
        self._board.addItem(wire)
        self._wires.append(wire)

    def _clear_wires(self) -> None:
        for wire in self._wires:
            self._board.removeItem(wire)
        self._wires.clear()


def _files(mime: QMimeData) -> list[Path]:
    """Local files that a drag carries."""
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()] if mime.hasUrls() else []
