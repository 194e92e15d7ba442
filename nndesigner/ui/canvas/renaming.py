"""The field in which the title of a node or a group is edited in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit

from nndesigner.graph import edit
from nndesigner.graph.grouping import set_group

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
        board = self._view.board
        node, frame = board.graph.by_id.get(node_id), board.frames.get(node_id)
        if node is None and frame is None:
            return
        self._node = node_id
        self.setText(node.title if node is not None else frame.group.title)
        self.setPlaceholderText(node.layer.title if node is not None else "Group")
        area = QRectF(node.x, node.y, 160, 36) if node is not None else frame.title_area
        place = self._view.viewportTransform().mapRect(area)
        place.setWidth(min(place.width(), 320))
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
        group = next((g for g in self._view.document.graph.groups if g.id == node_id), None)
        if group is not None:
            self._view.document.edit_graph(f"Rename {group.title}", lambda g: set_group(g, node_id, title=name))
            return
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
        board = self._view.board
        if self._node is not None and self._node not in board.nodes and self._node not in board.frames:
            self.leave()
