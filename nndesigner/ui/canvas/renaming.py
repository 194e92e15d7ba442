"""The field in which a node's title is edited in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit

from nndesigner.graph import edit

if TYPE_CHECKING:
    from nndesigner.ui.canvas.view import CanvasView

_LONGEST = 60


class TitleEditor(QLineEdit):
    """Lies over the header. Enter or a click elsewhere takes the name, Esc does not; empty means the layer's own."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view)
        self._view = view
        self._node: str | None = None
        self.setMaxLength(_LONGEST)
        self.setAccessibleName("Name of the layer")
        self.hide()
        # no focusOutEvent of our own: Qt calls it while it destroys a focused field, and Python may be gone by then
        self.editingFinished.connect(self._take)
        view.looked_elsewhere.connect(self._take)  # the node does not stand beneath any more
        view.document.changed.connect(self._follow)

    def open(self, node_id: str) -> None:
        node = self._view.document.graph.by_id.get(node_id)
        if node is None:
            return
        self._node = node_id
        self.setText(node.title)
        self.setPlaceholderText(node.layer.title)
        place = self._view.viewportTransform().mapRect(QRectF(node.x, node.y, 160, 36))
        self.setGeometry(round(place.left()) + 4, round(place.top()) + 3, max(round(place.width()) - 8, 120), 28)
        self.show()
        self.raise_()
        self.setFocus()
        self.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)

    def _take(self) -> None:
        node_id, name = self._node, self.text().strip()
        if node_id is None:
            return
        self.leave()
        node = self._view.document.graph.by_id.get(node_id)
        if node is not None:
            name = "" if name == node.layer.title else name
            self._view.document.edit_graph(f"Rename {node.title}", lambda graph: edit.rename(graph, node_id, name))

    def leave(self) -> None:
        """Stop editing, without taking the name."""
        self._node = None
        if self.isVisible():
            self.hide()
            self._view.setFocus()

    def _follow(self, *_: object) -> None:
        if self._node is not None and self._node not in self._view.document.graph.by_id:
            self.leave()
