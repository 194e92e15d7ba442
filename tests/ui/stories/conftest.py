"""The whole window, as a person meets it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from nndesigner.project import recovery
from nndesigner.resources import resource
from nndesigner.training.trainer import Trainer
from nndesigner.ui.palette import KIND, MIME
from nndesigner.ui.window import Window

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


class Person:
    """Uses a window."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.document, self.runner = window.document, window.runner

    def wait(self, until: Callable[[], object], seconds: float = 30.0) -> None:
        """Let the window work until something is so."""
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, f"waited {seconds:g} s in vain ({self.runner.state})"
            QApplication.processEvents()
            time.sleep(0.003)

    def rest(self, seconds: float = 0.1) -> None:
        """Let the window work for a moment."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.003)

    def open_example(self, name: str, **training: object) -> None:
        """Open a bundled example; training settings may be changed."""
        self.window.open_example(resource(f"examples/{name}.nnd"), train=False)
        assert self.document.wait_for_data()
        if training:
            self.document.edit_training("test", **training)
        self.rest(0.05)

    def train(self) -> None:
        """Press Train and wait for the end."""
        self.window.control.train.trigger()
        self.wait(lambda: self.runner.state in ("finished", "failed"))

    def predictions(self) -> np.ndarray:
        """What the session's network says of the first test samples."""
        found = []

        def ask(trainer: Trainer) -> np.ndarray:
            arrays = trainer.prepared.test.arrays
            inputs = {f.name: arrays[f.name][:9] for f in trainer.prepared.signature.inputs}
            return next(iter(trainer.network.predict(inputs).values())).copy()

        ticket = self.runner.ask("test", ask)
        self.runner.answered.connect(take := (lambda a: found.append(a) if a.ticket == ticket else None))
        self.wait(lambda: found)
        self.runner.answered.disconnect(take)
        assert not found[0].error
        return found[0].value

    def answer(self, name: str) -> None:
        """Press a button of the question on the screen."""
        self.window.files.question.buttons[name].click()

    # --- the hands ---

    def choose_data(self, kind: str) -> None:
        """Click the card of a source in the data panel, and wait for the data."""
        panel = self.window.docks.show("data")
        self.rest(0.05)
        QTest.mouseClick(panel._sources.cards[kind], LEFT)
        self.wait(lambda: self.document.data_state in ("ready", "failed"))

    def double_click_in_palette(self, kind: str) -> None:
        """Double-click a layer in the list at the left."""
        tree, item = self.window.palette_panel.tree, self._palette_item(kind)
        tree.scrollToItem(item)
        at = tree.visualItemRect(item).center()
        for click in (QTest.mouseClick, QTest.mouseDClick):
            click(tree.viewport(), LEFT, NONE, at)

    def drop_layer(self, kind: str, at: tuple[float, float]) -> None:
        """Drag a layer from the palette to a point of the canvas (scene units) and let it go.

        The system's part of a drag cannot be driven off the screen: its events are sent instead.
        """
        mime = QMimeData()
        mime.setData(MIME, self._palette_item(kind).data(0, KIND).encode())
        self.drop(self.window.canvas.viewport(), mime, self.pixel(at))

    def drop_files(self, *paths: Path) -> None:
        """Let files go over the middle of the canvas, or of the start page."""
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        over = self.window if self.window.on_start_page else self.window.canvas.viewport()
        self.drop(over, mime, QPointF(over.rect().center()))

    def drop(self, widget: QWidget, mime: QMimeData, at: QPointF) -> None:
        for make in (QDragEnterEvent, QDragMoveEvent):
            event = make(at.toPoint(), Qt.DropAction.CopyAction, mime, LEFT, NONE)
            QApplication.sendEvent(widget, event)
        QApplication.sendEvent(widget, QDropEvent(at, Qt.DropAction.CopyAction, mime, LEFT, NONE))

    def wire(self, source: str, target: str, port: str = "in") -> None:
        """Drag from a node's output to another one's input."""
        canvas, board = self.window.canvas, self.window.canvas.board
        start, end = board.port_place(source, ""), board.port_place(target, port)
        self.drag(canvas.viewport(), *(self.pixel(p.toTuple()) for p in (start, (start + end) / 2, end)))

    def drag(self, widget: QWidget, *way: QPointF) -> None:
        """Press at the first point of a widget, move over the others, release at the last one."""
        QTest.mousePress(widget, LEFT, NONE, way[0].toPoint())
        for point in way[1:]:
            QTest.mouseMove(widget, point.toPoint())
            if widget is self.window.canvas.viewport():
                self.window.canvas.flush_moves()
        QTest.mouseRelease(widget, LEFT, NONE, way[-1].toPoint())

    def pixel(self, at: tuple[float, float]) -> QPointF:
        """A point of the scene as one of the canvas."""
        return QPointF(self.window.canvas.viewportTransform().map(QPointF(*at)))

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
        """Press a key where the keyboard is."""
        QTest.keyClick(QApplication.focusWidget() or self.window, key, modifiers)

    def type(self, text: str) -> None:
        QTest.keyClicks(QApplication.focusWidget(), text)

    def _palette_item(self, kind: str):
        return next(i for i in self.window.palette_panel._items() if i.data(0, KIND) == kind)


@pytest.fixture
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where unsaved work is kept during a test."""
    monkeypatch.setattr(recovery, "state_folder", lambda: tmp_path / "state")
    return tmp_path / "state"


@pytest.fixture
def make_person(qtbot, themed, state_folder) -> Iterator[Callable[[], Person]]:
    """Opens windows; all are closed at the end."""
    people: list[Person] = []

    def make() -> Person:
        window = Window()
        qtbot.addWidget(window)
        window.resize(1280, 800)
        window.show()
        window.activateWindow()
        people.append(Person(window))
        return people[-1]

    yield make
    for person in people:
        assert person.window.end()


@pytest.fixture
def person(make_person) -> Person:
    return make_person()
