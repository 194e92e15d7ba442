"""Predicted numbers against the truth: a scatter with its diagonal; for one input the fitted curve over the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from nndesigner.insight.answers import Scatter
from nndesigner.insight.probe import CurveMap, curve_map
from nndesigner.ui import numbers, theme
from nndesigner.ui.document import Document
from nndesigner.ui.parts import line, margins
from nndesigner.ui.runner import Runner
from nndesigner.ui.views import questions
from nndesigner.ui.views.choice import Choice
from nndesigner.ui.views.class_colours import class_colour
from nndesigner.ui.views.legend import Entry, Legend
from nndesigner.ui.views.live_view import LiveView
from nndesigner.ui.views.plot_base import Plot
from nndesigner.ui.views.plot_export import ExportButton
from nndesigner.ui.views.sample_content import value_text

#: data points drawn below a fitted curve
MOST_POINTS = 1000


class PlotView(LiveView):
    """A live view that is one plot with a legend and an export menu."""

    def __init__(self, document: Document, runner: Runner, parent: QWidget | None = None) -> None:
        super().__init__(document, runner, parent)
        self.node = ""
        self._zoomed = False
        self.legend = Legend()
        self.plot = Plot()
        self.plot.setAccessibleName(self.title)
        self.readout = QLabel(self.plot)
        self.readout.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.readout.hide()
        self.export = ExportButton((self.legend, self.plot), lambda: self.title.lower().replace(" ", "_"), self.csv)
        layout = margins(QVBoxLayout(self.content), 12, 4, 8, 6, gap=2)
        self.head = line(self.legend, *self.controls(), self.export, gap=2)
        layout.addLayout(self.head)
        layout.addWidget(self.plot, 1)
        self.plot.zoomed.connect(self._on_zoom)
        self.plot.whole_wanted.connect(self._on_whole)

    def controls(self) -> tuple[QWidget, ...]:
        return ()

    def set_node(self, node: str) -> None:
        """Show the answers of this Output node."""
        if node != self.node:
            self.node = node
            self.ask_anew()

    def csv(self) -> str:
        """The numbers shown, as a table."""
        raise NotImplementedError

    def fit(self) -> None:
        """Set the ranges so that everything is seen."""
        raise NotImplementedError

    def session_is_new(self) -> None:
        self._zoomed = False

    def _on_zoom(self) -> None:
        self._zoomed = True

    def _on_whole(self) -> None:
        self._zoomed = False
        self.fit()

    def _fit_unless_zoomed(self) -> None:
        if not self._zoomed:
            self.fit()

    def _say_at(self, place: QPointF | None, text: str) -> None:
        """Show a text beside a place of the plane."""
        if place is None:
            self.readout.hide()
            return
        t = theme.current()
        self.readout.setStyleSheet(f"background: {t.raised}; border: 1px solid {t.line}; border-radius: 4px; "
                                   f"padding: 2px 6px; color: {t.text}; font-size: {theme.CAPTION}px;")
        self.readout.setText(text)
        self.readout.adjustSize()
        at = self.plot.mapFromScene(self.plot.getPlotItem().getViewBox().mapViewToScene(place))
        left = at.x() + 10 if at.x() + 14 + self.readout.width() < self.plot.width() else (
            at.x() - 10 - self.readout.width())
        self.readout.move(max(0, left), at.y() - 26 if at.y() > 34 else at.y() + 10)
        self.readout.show()


class ScatterView(PlotView):
    """True against predicted values; on the diagonal a prediction is right. A click chooses the sample."""

    title = "True against predicted"
    icon = "mdi6.chart-scatter-plot"
    sample_chosen = Signal(int)

    def __init__(self, document: Document, runner: Runner, parent: QWidget | None = None) -> None:
        super().__init__(document, runner, parent)
        self._scatter: Scatter | None = None
        self._nearest: int | None = None
        self.points = pg.ScatterPlotItem(size=6, pen=None, pxMode=True)
        self.diagonal = pg.PlotDataItem()
        self.mark = pg.ScatterPlotItem(size=11, brush=None, pxMode=True)
        for z, item in enumerate((self.diagonal, self.points, self.mark)):
            item.setZValue(z)
            self.plot.getPlotItem().addItem(item, ignoreBounds=True)
        self.plot.cross.setOpacity(0)
        self.plot.pointed.connect(self._read)
        self.plot.scene().sigMouseClicked.connect(self._click)
        self.on_theme()

    def controls(self) -> tuple[QWidget, ...]:
        self.target = Choice([], None)
        self.target.setAccessibleName(self.tr("Target"))
        self.target.setToolTip(self.tr("Which target column to show"))
        self.target.chosen.connect(self.ask_anew)
        self.target.hide()
        return (self.target,)

    @property
    def shown(self) -> Scatter | None:
        return self._scatter

    def question(self) -> Callable[[Any], Any] | None:
        return questions.scatter_of(self.node, self.target.value or 0)

    def show_answer(self, found: Scatter) -> None:
        new = self._scatter is None
        self._scatter = found
        self.points.setData(found.truth, found.predicted)
        r2 = numbers.NONE if np.isnan(found.r2) else f"{found.r2:.3f}"
        unit = f" ({found.unit})" if found.unit else ""
        self.legend.set_entries(Entry(self.tr("samples, R²"), r2, "training"),
                                Entry(self.tr("right"), "", "muted", dashed=True))
        self.plot.setAccessibleDescription(self.tr("R² {0}").format(r2))
        self.plot.bottom.setLabel(self.tr("true {0}").format(found.name + unit))
        self.plot.left.setLabel(self.tr("predicted"))
        if new:
            self._offer()
        self._fit_unless_zoomed()

    def session_is_new(self) -> None:
        super().session_is_new()
        self._scatter = None

    def fit(self) -> None:
        found = self._scatter
        if found is None or not len(found.truth):
            return
        low, high = float(found.truth.min()), float(found.truth.max())
        gap = 0.06 * (high - low) or 1.0
        low, high = low - gap, high + gap
        self.plot.set_range((low, high), (low, high))
        self.diagonal.setData([low - 9 * gap, high + 9 * gap], [low - 9 * gap, high + 9 * gap])

    def csv(self) -> str:
        found = self._scatter
        rows = (f"{place},{truth!r},{value!r}" for place, truth, value in zip(
            found.positions.tolist(), found.truth.tolist(), found.predicted.tolist()))
        return "\n".join(["test sample,true,predicted", *rows]) + "\n"

    def on_theme(self) -> None:
        t = theme.current()
        self.plot.restyle()
        for axis in (self.plot.bottom, self.plot.left):
            axis.label.setFont(theme.font(theme.CAPTION))
            axis.label.setDefaultTextColor(theme.colour(t.muted))
        self.points.setBrush(theme.colour(t.training, 0.65))
        self.diagonal.setPen(pg.mkPen(theme.colour(t.muted), width=1, style=Qt.PenStyle.DashLine))
        self.mark.setPen(pg.mkPen(theme.colour(t.text), width=2))

    def _offer(self) -> None:
        prepared = self.runner.prepared
        targets = prepared.preparation.targets
        self.target.offer([(column.column, i) for i, column in enumerate(targets)], self.target.value)
        self.target.setVisible(len(targets) > 1)

    def _read(self, x: float | None, y: float | None) -> None:
        """Name the sample nearest to the cursor, with the keyboard to the diagonal."""
        found = self._scatter
        self._nearest = None
        if x is None or found is None or not len(found.truth):
            self.mark.setData([], [])
            self._say_at(None, "")
            return
        box = self.plot.getPlotItem().getViewBox()
        y = x if y is None else y
        width, height = box.viewPixelSize()
        distance = np.hypot((found.truth - x) / width, (found.predicted - y) / height)
        i = int(np.nanargmin(distance)) if np.isfinite(distance).any() else 0
        self._nearest = int(found.positions[i])
        truth, value = float(found.truth[i]), float(found.predicted[i])
        self.mark.setData([truth], [value])
        self._say_at(QPointF(truth, value), self.tr("true {0}, predicted {1}").format(
            value_text(truth, found.unit), value_text(value, found.unit)))

    def _click(self, event: Any) -> None:
        if self._nearest is not None and event.button() == Qt.MouseButton.LeftButton and not event.double():
            self.sample_chosen.emit(self._nearest)


class FitView(PlotView):
    """For one input: the data as points, the network's answer as a line over them."""

    title = "Curve"
    icon = "mdi6.chart-bell-curve"

    def __init__(self, document: Document, runner: Runner, parent: QWidget | None = None) -> None:
        super().__init__(document, runner, parent)
        self._curve: CurveMap | None = None
        self.train_points = pg.ScatterPlotItem(size=4, pen=None, pxMode=True)
        self.test_points = pg.ScatterPlotItem(size=5, pen=None, pxMode=True, symbol="s")
        self.lines: list[pg.PlotDataItem] = []
        for item in (self.train_points, self.test_points):
            self.plot.getPlotItem().addItem(item, ignoreBounds=True)
        self.plot.pointed.connect(self._read)
        self.on_theme()

    @property
    def shown(self) -> CurveMap | None:
        return self._curve

    def question(self) -> Callable[[Any], Any] | None:
        node = self.node
        return lambda trainer: curve_map(
            trainer.network, trainer.prepared, head=questions.known_head(trainer.network, node))

    def show_answer(self, found: CurveMap) -> None:
        new = self._curve is None
        self._curve = found
        while len(self.lines) < found.values.shape[1]:
            self.lines.append(pg.PlotDataItem(antialias=True))
            self.lines[-1].setZValue(5)
            self.plot.getPlotItem().addItem(self.lines[-1], ignoreBounds=True)
            new = True
        for i, curve in enumerate(self.lines):
            curve.setVisible(i < found.values.shape[1])
            if i < found.values.shape[1]:
                curve.setData(found.x, found.values[:, i])
        if new:
            self._show_data()
            self.on_theme()
            self._fit_unless_zoomed()

    def session_is_new(self) -> None:
        super().session_is_new()
        self._curve = None

    def fit(self) -> None:
        found = self._curve
        if found is None:
            return
        if found.task == "classification":
            low, high = 0.0, 1.0
        else:
            target = self.runner.prepared.preparation.targets[0]
            low, high = target.low, target.high
        gap = 0.08 * (high - low) or 1.0
        self.plot.set_range((float(found.x[0]), float(found.x[-1])), (low - gap, high + gap))

    def csv(self) -> str:
        found = self._curve
        names = found.classes or tuple(c.column for c in self.runner.prepared.preparation.targets)
        rows = (",".join(f"{v:.7g}" for v in (x, *values)) for x, values in zip(found.x, found.values))
        return "\n".join([",".join((found.name, *names)), *rows]) + "\n"

    def on_theme(self) -> None:
        t = theme.current()
        self.plot.restyle()
        self.plot.bottom.label.setFont(theme.font(theme.CAPTION))
        self.plot.bottom.label.setDefaultTextColor(theme.colour(t.muted))
        self.train_points.setBrush(theme.colour(t.muted, 0.6))
        self.test_points.setBrush(theme.colour(t.validation, 0.8))
        classes = self._curve is not None and self._curve.task == "classification"
        for i, curve in enumerate(self.lines):
            curve.setPen(pg.mkPen(theme.colour(class_colour(i) if classes else t.training), width=2))

    def _show_data(self) -> None:
        """Points of the training and test part, and the legend."""
        prepared, found = self.runner.prepared, self._curve
        self.plot.bottom.setLabel(found.name)
        if found.task == "classification":
            self.legend.set_entries(*(Entry(name, shape=i) for i, name in enumerate(found.classes)))
            self.train_points.setData([], [])
            self.test_points.setData([], [])
            return
        target = prepared.preparation.targets[0].column
        for item, part in ((self.train_points, prepared.train), (self.test_points, prepared.test)):
            rows = part.rows[::max(1, -(-len(part) // MOST_POINTS))]
            item.setData(prepared.dataset.column(found.name).values[rows], prepared.dataset.column(target).values[rows])
        self.legend.set_entries(Entry(self.tr("network"), "", "training"), Entry(self.tr("training data"), "", "muted"),
                                Entry(self.tr("test data"), "", "validation"))

    def _read(self, x: float | None, height: float | None) -> None:
        found = self._curve
        if x is None or found is None:
            self._say_at(None, "")
            return
        i = int(np.clip(np.searchsorted(found.x, x), 0, len(found.x) - 1))
        if found.task == "classification":
            best = int(np.argmax(found.values[i]))
            answer, y = f"{found.classes[best]} {numbers.percent(float(found.values[i, best]))}", found.values[i, best]
        else:
            answer, y = numbers.measure(float(found.values[i, 0])), found.values[i, 0]
        self._say_at(QPointF(x, float(y)), f"{found.name} {x:.3g}: {answer}")
