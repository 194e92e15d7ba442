"""A document with a runner, a small network and real data, trained for a moment."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from nndesigner.data.preparing import DataSettings
from nndesigner.data.source import Source
from nndesigner.graph.edit import add_node, connect
from nndesigner.graph.model import Graph
from nndesigner.layers import Layer
from nndesigner.layers.io import Input, Output
from nndesigner.project.design import Design
from nndesigner.training.settings import TrainSettings
from nndesigner.ui import theme
from nndesigner.ui.document import Document
from nndesigner.ui.runner import Runner
from nndesigner.ui.views.live_view import LiveView
from nndesigner.ui.views.plots import CurveView
from nndesigner.ui.views.predictions import PredictionsView


class Studio:
    """The open project of a test."""

    def __init__(self, app: QApplication) -> None:
        self.app = app
        self.document = Document()
        self.runner = Runner(self.document)
        self.views: list[QWidget] = []

    def open(self, source: Source | None, *layers: Layer, **settings) -> None:
        """Open a project with these layers in a chain between Input and Output."""
        graph, before = Graph(), None
        for layer in (Input(), *layers, Output()):
            graph, node = add_node(graph, layer, 0, 0)
            graph = connect(graph, before, node) if before else graph
            before = node
        self.document.open(Design(graph, DataSettings(source=source), TrainSettings(**settings)))
        assert self.document.wait_for_data()

    def until(self, done: Callable[[], object], seconds: float = 20.0) -> None:
        """Let the window work until something is so."""
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, f"waited {seconds:g} s in vain, session {self.runner.state}: " \
                                           f"{self.runner.telemetry.failure}"
            self.app.processEvents()
            time.sleep(0.003)

    def keep(self, view: QWidget) -> QWidget:
        """Keep a view alive until the test ends."""
        self.views.append(view)
        return view

    def train(self) -> None:
        """Train to the end."""
        assert self.runner.why_not() == ""
        assert self.runner.train()
        self.until(lambda: self.runner.state in ("finished", "failed"))
        assert self.runner.state == "finished", self.runner.telemetry.failure

    def ask(self, question):
        """The session's own answer to a question, to compare with what a view shows."""
        found = []
        ticket = self.runner.ask("test", question)

        def take(answer) -> None:
            if answer.ticket == ticket:
                found.append(answer)

        self.runner.answered.connect(take)
        self.until(lambda: found)
        self.runner.answered.disconnect(take)
        assert not found[0].error, found[0].error
        return found[0].value

    def move_mouse(self, widget: QWidget, position: QPointF, pressed: bool = False) -> None:
        """Move the mouse over a widget, with the left button down or not."""
        buttons = Qt.MouseButton.LeftButton if pressed else Qt.MouseButton.NoButton
        self.app.sendEvent(widget, QMouseEvent(
            QEvent.Type.MouseMove, position, widget.mapToGlobal(position), Qt.MouseButton.NoButton, buttons,
            Qt.KeyboardModifier.NoModifier))

    def settle(self, seconds: float = 0.15) -> None:
        """Let the window work for a moment."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.app.processEvents()
            time.sleep(0.003)


@pytest.fixture
def studio(qapp):
    if theme.current() is not theme.DARK or qapp.style().objectName() != "fusion":
        theme.apply(qapp, theme.DARK)
    made = Studio(qapp)
    yield made
    assert made.runner.close()
    made.document.close()
    # only the views: pyqtgraph's menus and their widgets are windows too, but belong to the plots
    for widget in [w for w in qapp.topLevelWidgets() if isinstance(w, (LiveView, CurveView, PredictionsView))]:
        widget.close()
        widget.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
