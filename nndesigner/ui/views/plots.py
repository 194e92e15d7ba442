"""Loss and metrics of the run against epochs: training raw and smoothed, and validation."""

from __future__ import annotations

import time

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLabel, QStackedLayout, QVBoxLayout, QWidget

from nndesigner.engine.metrics import Metric
from nndesigner.training.telemetry import Telemetry
from nndesigner.ui import numbers, theme
from nndesigner.ui.document import Document
from nndesigner.ui.parts import label, line, margins
from nndesigner.ui.runner import Runner
from nndesigner.ui.stylesheet import role
from nndesigner.ui.views.choice import Choice
from nndesigner.ui.views.curve_data import CurvePair, smoothed, thinned, value_at
from nndesigner.ui.views.empty_state import EmptyState
from nndesigner.ui.views.legend import Entry, Legend
from nndesigner.ui.views.plot_base import Plot, nice_top, short
from nndesigner.ui.views.plot_export import ExportButton
from nndesigner.ui.views.tool import tool

#: shortest time between two redraws while training runs, in seconds
INTERVAL = 0.25
#: time between two fits of the height while training runs, in seconds
FIT_INTERVAL = 1.0
#: points of a smoothed curve; it is two pixels wide and antialiased, so each point costs
SMOOTH_POINTS = 400

_NOTHING = np.empty(0)


class CurveView(QWidget):
    """A plot of one quantity: pale raw training curve, smoothed training curve, validation, marks and readout."""

    title = ""
    icon = "mdi6.chart-line"
    default_smoothing = 0.9
    #: where the best epoch is named, as a share of the height: away from the curves
    mark_height = 0.94

    def __init__(self, document: Document, runner: Runner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document, self.runner = document, runner
        self.setAccessibleName(self.title)
        self._version = -1
        self._drawn_at = self._fitted_at = 0.0
        self._zoomed = False
        self._pair = CurvePair("", _NOTHING, _NOTHING, _NOTHING, _NOTHING)
        self._smooth = _NOTHING
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.timeout.connect(self._draw)

        self.legend = Legend()
        self.log = tool("", self.tr("Logarithmic scale: equal factors are equally high, so small values stay legible"),
                        self.tr("log"), True)
        weights = [(self.tr("smooth {0}").format(f"{weight:g}"), weight) for weight in (0.5, 0.8, 0.9, 0.95, 0.99)]
        self.smooth = Choice([(self.tr("raw"), 0.0), *weights], self.default_smoothing)
        self.smooth.setToolTip(self.tr(
            "Smoothing of the training curve: a higher number is smoother. The pale curve is always the raw one."))
        self.smooth.setAccessibleName(self.tr("Smoothing"))

        self.plot = Plot()
        self.plot.setAccessibleName(self.tr("{0} plot").format(self.title))
        self.plot.setToolTip(self.tr("Wheel: zoom · drag: move · double-click: show all · arrow keys: read values"))
        self.plot.bottom.write = lambda value, last: f"{value:g}"
        item = self.plot.getPlotItem()
        self.raw_curve = pg.PlotDataItem(antialias=False)
        self.train_curve = pg.PlotDataItem(antialias=True)
        self.val_curve = pg.PlotDataItem(antialias=True)
        self.ends = pg.ScatterPlotItem(size=8, pen=None, pxMode=True)
        self.now = pg.InfiniteLine(angle=90, movable=False)
        self.best = pg.InfiniteLine(angle=90, movable=False, label="", labelOpts={"position": self.mark_height})
        for z, part in enumerate((self.raw_curve, self.best, self.now, self.val_curve, self.train_curve, self.ends)):
            part.setZValue(z)
            item.addItem(part, ignoreBounds=True)
        self.readout = QLabel(self.plot)
        self.readout.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.readout.setTextFormat(Qt.TextFormat.RichText)
        self.readout.hide()
        role(self.readout, "readout")

        self.export = ExportButton((self.legend, self.plot), lambda: self._pair.name.replace(" ", "_"), self.csv)
        self.empty = EmptyState(self.icon)
        content = QWidget()
        inner = margins(QVBoxLayout(content), 12, 4, 8, 6, gap=2)
        unit = label(self.tr("epochs"), "caption")
        inner.addLayout(line(self.legend, unit, *self.controls(), self.log, self.smooth, self.export, gap=4))
        inner.addWidget(self.plot, 1)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(content)

        self.log.toggled.connect(self._set_log)
        self.smooth.chosen.connect(self._draw_now)
        self.plot.pointed.connect(self._read)
        self.plot.zoomed.connect(self._on_zoom)
        self.plot.whole_wanted.connect(self.show_all)
        runner.telemetry_changed.connect(self._on_telemetry)
        runner.session_changed.connect(self._on_session)
        document.checked_changed.connect(self._say)
        document.data_changed.connect(self._say)
        theme.notifier.changed.connect(self._restyle)
        self._restyle()
        self._say()

    # --- what a subclass gives ---

    def controls(self) -> tuple[QWidget, ...]:
        """Further controls in the head line."""
        return ()

    def pair(self, telemetry: Telemetry) -> CurvePair:
        """The curves to show."""
        raise NotImplementedError

    def write(self, value: float) -> str:
        """A value for the legend and the readout."""
        return numbers.measure(value)

    def limits(self, least: float, most: float) -> tuple[float, float]:
        """Range of the linear scale for values from `least` to `most`."""
        return (0.0 if least >= 0 else -nice_top(-least)), (nice_top(most) if most > 0 else 0.0)

    # --- for users of the view ---

    def csv(self) -> str:
        """The numbers shown, as a table."""
        return self._pair.to_csv(self.smooth.value)

    def show_all(self) -> None:
        """Undo zooming by hand."""
        self._zoomed = False
        self._fit()

    # --- inside ---

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._on_telemetry(self.runner.telemetry)

    def _on_session(self) -> None:
        self._version = -1
        self._zoomed = False
        self._pair = CurvePair(self._pair.name, _NOTHING, _NOTHING, _NOTHING, _NOTHING)
        self._say()

    def _say(self) -> None:
        text = self.runner.why_not() or self.tr("Press Train: curves of training and validation are drawn here.")
        self.empty.set_text(text)
        if self._pair.empty:
            self._stack.setCurrentWidget(self.empty)

    def _on_telemetry(self, telemetry: Telemetry) -> None:
        if not self.isVisible() or telemetry.curves_version == self._version or self._due.isActive():
            return
        wait = INTERVAL - (time.monotonic() - self._drawn_at) if telemetry.state == "running" else 0.0
        if wait > 0:
            self._due.start(round(wait * 1000))
        else:
            self._draw()

    def _draw_now(self) -> None:
        self._version = -1
        self._draw()

    def _draw(self) -> None:
        telemetry = self.runner.telemetry
        if not self.isVisible() or telemetry.curves_version == self._version:
            return
        self._version = telemetry.curves_version
        self._drawn_at = time.monotonic()
        self._pair = pair = self.pair(telemetry)
        self._stack.setCurrentIndex(0 if pair.empty else 1)
        if pair.empty:
            return
        self._smooth = smoothed(pair.train_y, self.smooth.value)
        self.raw_curve.setData(pair.train_x, self._scaled(pair.train_y))
        x, y = thinned(pair.train_x, self._smooth, SMOOTH_POINTS)
        self.train_curve.setData(x, self._scaled(y))
        x, y = thinned(pair.val_x, pair.val_y, SMOOTH_POINTS)
        self.val_curve.setData(x, self._scaled(y))
        t = theme.current()
        ends = [(curve_x[-1], self._scaled(curve_y[-1:])[0], colour) for curve_x, curve_y, colour in (
            (pair.train_x, self._smooth, t.training), (pair.val_x, pair.val_y, t.validation)) if len(curve_x)]
        ends = [end for end in ends if np.isfinite(end[1])]
        self.ends.setData([e[0] for e in ends], [e[1] for e in ends], brush=[theme.colour(e[2]) for e in ends])
        last = max((float(curve[-1]) for curve in (pair.train_x, pair.val_x) if len(curve)), default=0.0)
        self.now.setPos(last)
        self.now.setVisible(telemetry.state in ("running", "paused"))
        self._mark_best(telemetry)
        self._name_values()
        running = telemetry.state == "running"
        if not self._zoomed and not (running and time.monotonic() - self._fitted_at < FIT_INTERVAL):
            self._fit()
        if self.plot.cross.isVisible():
            self._read(self.plot.cross.value())

    def _scaled(self, y: np.ndarray) -> np.ndarray:
        """Values as the plot holds them: on the log scale their logarithm, with gaps where there is none."""
        if not self.log.isChecked():
            return y
        return np.log10(np.where(y > 0, y, np.nan))

    def _mark_best(self, telemetry: Telemetry) -> None:
        best = telemetry.best_epoch
        self.best.setVisible(best is not None)
        if best is not None:
            self.best.setPos(best)
            self.best.label.setFormat(self.tr("best {0}").format(best))

    def _name_values(self) -> None:
        pair = self._pair
        entries = []
        if len(pair.train_x):
            entries.append(Entry(self.tr("training"), self.write(float(self._smooth[-1])), "training"))
        if len(pair.val_x):
            entries.append(Entry(self.tr("validation"), self.write(float(pair.val_y[-1])), "validation"))
        self.legend.set_entries(*entries)
        self.plot.setAccessibleDescription(", ".join(entry.text for entry in entries))

    def _fit(self) -> None:
        """Ranges in which everything is seen; only changed when they have to."""
        pair, telemetry = self._pair, self.runner.telemetry
        self._fitted_at = time.monotonic()
        if pair.empty:
            return
        ends = [float(curve[-1]) for curve in (pair.train_x, pair.val_x) if len(curve)]
        self.plot.set_range(x=(0.0, max(float(telemetry.epochs), 1.0, *ends) * 1.02))
        shown = np.concatenate([pair.train_y, self._smooth, pair.val_y])
        shown = shown[np.isfinite(shown)]
        if self.log.isChecked():
            shown = np.log10(shown[shown > 0])
            if len(shown):
                low, high = float(shown.min()), float(shown.max())
                gap = max(0.05, 0.04 * (high - low))
                self.plot.set_range(y=(low - gap, high + gap))
        elif len(shown):
            # single outliers of the raw curve (the first batches) may not flatten all the rest
            most = max(float(np.quantile(shown, 0.995)), *(float(np.nanmax(c)) for c in (self._smooth, pair.val_y)
                                                           if len(c) and np.isfinite(c).any()))
            low, high = self.limits(float(shown.min()), most)
            if high > low:
                gap = 0.025 * (high - low)  # for the discs at the ends of the curves
                self.plot.set_range(y=(low - gap, high + gap))

    def _set_log(self, on: bool) -> None:
        self.plot.left.logarithmic = on
        self._zoomed = False
        self._fitted_at = 0.0
        self._draw_now()

    def _on_zoom(self) -> None:
        self._zoomed = True

    def _read(self, at: float | None, height: float | None = None) -> None:
        """Show the values of all curves at an epoch."""
        pair = self._pair
        if at is None or pair.empty:
            self.readout.hide()
            return
        t = theme.current()
        rows = []
        raw, smooth = value_at(pair.train_x, pair.train_y, at), value_at(pair.train_x, self._smooth, at)
        if raw is not None and smooth is not None:
            more = self.tr("raw {0}").format(self.write(raw)) if self.smooth.value else ""
            rows.append((self.tr("training"), t.training, self.write(smooth), more))
        val = value_at(pair.val_x, pair.val_y, at)
        if val is not None:
            rows.append((self.tr("validation"), t.validation, self.write(val), ""))
        cells = "".join(f"<tr><td style='color:{colour}'>■&nbsp;</td><td>{name}&nbsp;&nbsp;</td>"
                        f"<td align='right'><b>{value}</b>&nbsp;</td><td style='color:{t.muted}'>{more}</td></tr>"
                        for name, colour, value, more in rows)
        head = f"<span style='color:{t.muted}'>{self.tr('epoch')} {max(0.0, at):.1f}</span>"
        self.readout.setText(f"{head}<table>{cells}</table>")
        self.readout.adjustSize()
        box = self.plot.getPlotItem().getViewBox()
        x = self.plot.mapFromScene(box.mapViewToScene(pg.Point(at, 0))).x()
        left = x + 12 if x + 14 + self.readout.width() < self.plot.width() else x - 12 - self.readout.width()
        self.readout.move(round(max(0, left)), 6)
        self.readout.show()
        self.readout.raise_()
        self.readout.setAccessibleName(", ".join(f"{name} {value}" for name, _, value, _ in rows))

    def _restyle(self) -> None:
        t = theme.current()
        self.plot.restyle()
        self.raw_curve.setPen(pg.mkPen(theme.colour(t.training, 0.28), width=1))
        self.train_curve.setPen(pg.mkPen(theme.colour(t.training), width=2))
        self.val_curve.setPen(pg.mkPen(theme.colour(t.validation), width=2))
        self.now.setPen(pg.mkPen(theme.colour(t.faint), width=1, style=Qt.PenStyle.DashLine))
        self.best.setPen(pg.mkPen(theme.colour(t.right), width=1, style=Qt.PenStyle.DotLine))
        self.best.label.setFont(theme.font(theme.CAPTION))
        self.best.label.setColor(theme.colour(t.right_text))
        self.best.label.fill = pg.mkBrush(theme.colour(t.panel, 0.8))
        self.readout.setStyleSheet(f"background: {t.raised}; border: 1px solid {t.line}; border-radius: 6px; "
                                   f"padding: 4px 8px; font-size: {theme.CAPTION}px; color: {t.text};")
        self._draw_now()


class LossView(CurveView):
    """The loss: what training makes small."""

    title = "Loss"

    def pair(self, telemetry: Telemetry) -> CurvePair:
        return _pair(telemetry, "loss")


class MetricView(CurveView):
    """Accuracy, R² and other figures that people read; a chooser appears where there are several."""

    title = "Metrics"
    icon = "mdi6.chart-line-variant"
    # one point an epoch, the mean over all its samples: smoothing would only lag behind
    default_smoothing = 0.0
    mark_height = 0.08

    def __init__(self, document: Document, runner: Runner, parent: QWidget | None = None) -> None:
        self._percent = True
        super().__init__(document, runner, parent)

    def controls(self) -> tuple[QWidget, ...]:
        self.chooser = Choice([], None)
        self.chooser.setAccessibleName(self.tr("Metric"))
        self.chooser.setToolTip(self.tr("Which figure to show"))
        self.chooser.hide()
        self.chooser.chosen.connect(self._choose)
        return (self.chooser,)

    @property
    def name(self) -> str:
        """Name of the metric shown, as in the telemetry."""
        return self.chooser.value or ""

    def pair(self, telemetry: Telemetry) -> CurvePair:
        self._offer(telemetry)
        self._percent = self.name.startswith("accuracy")
        self.plot.left.write = _percent_tick if self._percent else lambda value, last: short(value)
        return _pair(telemetry, self.name)

    def write(self, value: float) -> str:
        return numbers.percent(value, 1) if self._percent else numbers.measure(value)

    def limits(self, least: float, most: float) -> tuple[float, float]:
        if self._percent:
            return 0.0, 1.0
        if self.name.startswith("r2"):
            return (max(-1.0, -nice_top(-least)) if least < 0 else 0.0), 1.0
        return super().limits(least, most)

    def _choose(self) -> None:
        self._zoomed = False
        self._fitted_at = 0.0
        self._draw_now()

    def _offer(self, telemetry: Telemetry) -> None:
        """Fill the chooser when other metrics are there; keep the choice where it still exists."""
        names = _metric_names(telemetry)
        if names == self.chooser.values:
            return
        self.chooser.offer([(metric_title(name), name) for name in names], self.name or None)
        self.chooser.setVisible(len(names) > 1)


def _metric_names(telemetry: Telemetry) -> list[str]:
    """Metrics that have curves, in the order of the telemetry."""
    names = dict.fromkeys(name.removeprefix("val_") for name in telemetry.curves)
    return [name for name in names if name not in ("loss", "learning_rate")]


def metric_title(name: str) -> str:
    """Title of a metric by its name in the telemetry; what follows the name (which output) stays."""
    first, _, rest = name.partition(" ")
    titles = {metric.name: metric.title for metric in Metric.all()} | {"mae": "MAE", "rmse": "RMSE"}
    return f"{titles.get(first, first)} {rest}".strip()


def _pair(telemetry: Telemetry, name: str) -> CurvePair:
    train = telemetry.curves.get(name, (_NOTHING, _NOTHING))
    val = telemetry.curves.get(f"val_{name}", (_NOTHING, _NOTHING))
    return CurvePair(metric_title(name) if name != "loss" else "loss", *train, *val)


def _percent_tick(value: float, last: bool) -> str:
    return numbers.percent(value) if last else f"{100 * value:.3g}"
