"""A canvas with a document behind it, and the hands to use it: mouse, keys and drops as real events."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from nndesigner.graph import edit
from nndesigner.graph.model import Graph
from nndesigner.layers import Layer
from nndesigner.ui.canvas import CanvasView
from nndesigner.ui.document import Document
from nndesigner.ui.palette import MIME

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
NONE, CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


def layer(kind: str, **params: object) -> Layer:
    return Layer.registry[f"{kind}.v1"](**params)


def drawn(*rows: tuple[Layer, float, float], wires: tuple[tuple[int, int], ...] = ()) -> Graph:
    """A graph of layers at places; `wires` join them by their numbers from 1."""
    graph = Graph()
    for each, x, y in rows:
        graph, _ = edit.add_node(graph, each, x, y)
    for source, target in wires:
        graph = edit.connect(graph, f"n{source}", f"n{target}")
    return graph


def chain() -> Graph:
    """Input, two dense layers and an output in one row, wired, with gaps of 80."""
    return drawn(
        (layer("input", shape=(4,)), 0, 0),
        (layer("dense", units=8), 240, 0),
        (layer("dense", units=3), 480, 0),
        (layer("output", task="regression"), 720, 0),
        wires=((1, 2), (2, 3), (3, 4)),
    )


class Hands:
    """Uses the canvas as a person does. Points are in scene units."""

    def __init__(self, view: CanvasView) -> None:
        self.view, self.document = view, view.document

    @property
    def graph(self) -> Graph:
        return self.document.graph

    def show(self, graph: Graph) -> None:
        """Open a drawing and look at it at 100 %."""
        self.document.open(self.document.design.with_graph(graph))
        self.view.set_zoom(1.0)
        self.view.centerOn(self.view.board.extent().center())
        QApplication.processEvents()

    def pixel(self, x: float, y: float) -> QPoint:
        return self.view.viewportTransform().map(QPointF(x, y)).toPoint()

    def output(self, node_id: str) -> tuple[float, float]:
        return self.view.board.port_place(node_id, "").toTuple()

    def input(self, node_id: str, port: str = "in") -> tuple[float, float]:
        return self.view.board.port_place(node_id, port).toTuple()

    def middle(self, node_id: str) -> tuple[float, float]:
        x, y = self.view.board.place(node_id)
        return x + 80, y + 60

    def press(self, at: tuple[float, float], button=LEFT, keys=NONE) -> None:
        QTest.mousePress(self.view.viewport(), button, keys, self.pixel(*at))

    def move(self, at: tuple[float, float], keys=NONE) -> None:
        """Move the pointer; the view handles moves a few milliseconds later, so it is asked to do it now."""
        QTest.mouseMove(self.view.viewport(), self.pixel(*at))
        self.view.flush_moves()

    def release(self, at: tuple[float, float], button=LEFT, keys=NONE) -> None:
        QTest.mouseRelease(self.view.viewport(), button, keys, self.pixel(*at))

    def click(self, at: tuple[float, float], button=LEFT, keys=NONE) -> None:
        self.press(at, button, keys)
        self.release(at, button, keys)

    def drag(self, start: tuple[float, float], end: tuple[float, float], button=LEFT, keys=NONE) -> None:
        self.press(start, button, keys)
        self.move(((start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
        self.move(end)
        self.release(end, button, keys)

    def double_click(self, at: tuple[float, float]) -> None:
        QTest.mouseDClick(self.view.viewport(), LEFT, NONE, self.pixel(*at))
        QTest.mouseRelease(self.view.viewport(), LEFT, NONE, self.pixel(*at))

    def key(self, key: Qt.Key, keys=NONE) -> None:
        QTest.keyClick(QApplication.focusWidget() or self.view, key, keys)

    def type(self, text: str) -> None:
        QTest.keyClicks(QApplication.focusWidget(), text)

    def drop(self, kind: str, at: tuple[float, float]) -> None:
        """Drag a layer from the palette and let it go."""
        mime = QMimeData()
        mime.setData(MIME, kind.encode())
        self.drag_in(mime, at)
        point = QPointF(self.pixel(*at))
        QApplication.sendEvent(self.view.viewport(), QDropEvent(point, Qt.DropAction.CopyAction, mime, LEFT, NONE))

    def drag_in(self, mime: QMimeData, at: tuple[float, float]) -> None:
        point = self.pixel(*at)
        for make in (QDragEnterEvent, QDragMoveEvent):
            event = make(point, Qt.DropAction.CopyAction, mime, LEFT, NONE)
            QApplication.sendEvent(self.view.viewport(), event)


@pytest.fixture
def hands(qtbot, themed) -> Iterator[Hands]:
    document = Document()
    view = CanvasView(document)
    qtbot.addWidget(view)
    view.resize(1200, 700)
    view.show()
    view.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is view)
    view.setFocus()
    yield Hands(view)
    document.close()
