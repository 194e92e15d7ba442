"""What the network answers for every point of the plane, while it learns: areas of classes, or heights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from nndesigner.data.preparing import Part
from nndesigner.insight.probe import DecisionMap, decision_map
from nndesigner.ui import numbers, theme
from nndesigner.ui.document import Document
from nndesigner.ui.parts import line, margins
from nndesigner.ui.runner import Runner
from nndesigner.ui.stylesheet import role
from nndesigner.ui.views.choice import Choice
from nndesigner.ui.views.legend import Entry, Legend
from nndesigner.ui.views.live_view import LiveView
from nndesigner.ui.views.map_picture import MapPicture, class_image, value_image
from nndesigner.ui.views.plot_export import ExportButton
from nndesigner.ui.views.questions import known_head
from nndesigner.ui.views.tool import tool

#: cells of the map along each side
SIZE = 100
#: points of one part that are drawn; more would hide the map
MOST_POINTS = 1000


class MapView(LiveView):
    """The decision map of two inputs with the data as points."""

    title = "Map"
    icon = "mdi6.map-outline"

    def __init__(self, document: Document, runner: Runner, parent: QWidget | None = None) -> None:
        super().__init__(document, runner, parent)
        self.node = ""
        self._map: DecisionMap | None = None
        self.legend = Legend()
        self.points = Choice([(self.tr("training points"), "train"), (self.tr("test points"), "test"),
                              (self.tr("all points"), "all"), (self.tr("no points"), "none")], "train")
        self.points.setToolTip(self.tr("Which data are drawn on the map"))
        self.points.setAccessibleName(self.tr("Points"))
        self.areas = tool("", self.tr("Colour by the answer alone, not by how sure the network is"),
                          self.tr("discretise"), True)
        self.picture = MapPicture()
        self.picture.setAccessibleName(self.tr("Map of the answers"))
        self.readout = QLabel(self.picture)
        self.readout.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        role(self.readout, "caption")
        self.readout.hide()
        export = ExportButton((self.legend, self.picture), lambda: "map", self.csv)
        layout = margins(QVBoxLayout(self.content), 12, 4, 8, 4, gap=2)
        self.head = line(self.legend, self.points, self.areas, export, gap=2)
        layout.addLayout(self.head)
        layout.addWidget(self.picture, 1)
        self.points.chosen.connect(self._show_points)
        self.areas.toggled.connect(self._paint)
        self.picture.pointed.connect(self._read)

    def set_node(self, node: str) -> None:
        """Show the answers of this Output node."""
        if node != self.node:
            self.node = node
            self.ask_anew()

    @property
    def map(self) -> DecisionMap | None:
        """What is shown."""
        return self._map

    def question(self) -> Callable[[Any], Any] | None:
        node = self.node
        return lambda trainer: decision_map(trainer.network, trainer.prepared, SIZE, known_head(trainer.network, node))

    def show_answer(self, found: DecisionMap) -> None:
        before, self._map = self._map, found
        self._paint()
        if before is None or before.classes != found.classes:
            if found.task == "classification":
                self.legend.set_entries(*(Entry(name, shape=i) for i, name in enumerate(found.classes)))
            else:
                low, high = self._span()
                self.legend.set_entries(Entry(numbers.measure(low), colour="negative"),
                                        Entry(numbers.measure(high), colour="positive"))
            self._show_points()

    def session_is_new(self) -> None:
        self._map = None

    def on_theme(self) -> None:
        self._paint()
        self._show_points()

    def csv(self) -> str:
        """The map as a table: both inputs and the answers at the middle of each cell."""
        found = self._map
        rows, columns = found.values.shape[:2]
        xs = found.x0 + (np.arange(columns) + 0.5) / columns * (found.x1 - found.x0)
        ys = found.y0 + (np.arange(rows) + 0.5) / rows * (found.y1 - found.y0)
        names = [f"probability of {c}" for c in found.classes] if found.task == "classification" else ["value"]
        lines = [",".join([*found.names, *names])]
        for i, y in enumerate(ys):
            lines += [",".join(f"{v:.6g}" for v in (x, y, *found.values[i, j])) for j, x in enumerate(xs)]
        return "\n".join(lines) + "\n"

    # --- inside ---

    def _span(self) -> tuple[float, float]:
        """Smallest and largest true value: the ends of the colours."""
        targets = self.runner.prepared.preparation.targets
        return (targets[0].low, targets[0].high) if targets else (-1.0, 1.0)

    def _paint(self) -> None:
        if self._map is None:
            return
        areas = self.areas.isChecked()
        span = self._span() if self._map.task != "classification" else (0.0, 1.0)
        image = (class_image(self._map.values, areas) if self._map.task == "classification"
                 else value_image(self._map.values[..., 0], *span, areas))
        self.picture.show_map(self._map, image, span)

    def _show_points(self) -> None:
        prepared = self.runner.prepared
        if self._map is None or prepared is None:
            return
        wanted = self.points.value
        parts = {"train": (prepared.train,), "test": (prepared.test,), "none": (),
                 "all": (prepared.train, prepared.validation, prepared.test)}[wanted]
        self.picture.show_points([point for part in parts for point in self._points_of(part)])

    def _points_of(self, part: Part) -> list[tuple[float, float, int | float]]:
        prepared = self.runner.prepared
        step = max(1, -(-len(part) // MOST_POINTS))
        rows = part.rows[::step]
        x, y = (prepared.dataset.column(name).values[rows].tolist() for name in self._map.names)
        field = next((f for f in prepared.signature.targets), None)
        if field is None:
            return []
        truth = part.arrays[field.name][::step]
        if field.kind == "real":
            truth = prepared.preparation.decode(field.name, truth).reshape(len(rows), -1)[:, 0]
        return list(zip(x, y, truth.tolist()))

    def _read(self, place: tuple[float, float] | None) -> None:
        found = self._map
        if place is None or found is None:
            self.readout.hide()
            return
        rows, columns = found.values.shape[:2]
        i = min(rows - 1, int((place[1] - found.y0) / (found.y1 - found.y0) * rows))
        j = min(columns - 1, int((place[0] - found.x0) / (found.x1 - found.x0) * columns))
        values = found.values[i, j]
        if found.task == "classification":
            best = int(np.argmax(values))
            answer = f"{found.classes[best]} {numbers.percent(float(values[best]))}"
        else:
            answer = numbers.measure(float(values[0]))
        text = f"{found.names[0]} {place[0]:.3g}, {found.names[1]} {place[1]:.3g}: {answer}"
        t = theme.current()
        self.readout.setStyleSheet(f"background: {t.raised}; border: 1px solid {t.line}; border-radius: 4px; "
                                   f"padding: 2px 6px; color: {t.text};")
        self.readout.setText(text)
        self.readout.adjustSize()
        at = self.picture.screen(*place)
        left = at.x() + 10 if at.x() + 14 + self.readout.width() < self.picture.width() else (
            at.x() - 10 - self.readout.width())
        top = at.y() - 26 if at.y() > 40 else at.y() + 10
        self.readout.move(round(max(0.0, left)), round(top))
        self.readout.show()
