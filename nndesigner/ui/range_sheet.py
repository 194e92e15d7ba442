"""The learning-rate range test as a small window: loss against rate, the proposed rate, and a button to use it."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from nndesigner.training.range_test import HIGHEST, LOWEST, STEPS, RangeTest, RangeTestJob
from nndesigner.ui import theme
from nndesigner.ui.document import Document
from nndesigner.ui.parts import button, label, line, margins
from nndesigner.ui.views.plot_base import Plot

LOOK_MS = 80


class RangeSheet(QDialog):
    """Runs the test while it is open. Nothing of the project changes until "Use it"."""

    def __init__(self, parent: QWidget, document: Document) -> None:
        super().__init__(parent)
        self._document = document
        self.setWindowTitle("Find the learning rate")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(560, 420)
        layout = QVBoxLayout(self)
        margins(layout, 16, gap=8)
        layout.addWidget(label("Find the learning rate", "title"))
        layout.addWidget(label("A copy of the network is trained for a few steps while the rate grows. A good one lies "
                               "where the loss falls steepest.", "caption", wrap=True))
        self.plot = Plot(self)
        self.plot.setAccessibleName("Loss against learning rate")
        self.plot.bottom.logarithmic = True
        t = theme.current()
        self._raw = self.plot.plot(pen=pg.mkPen(theme.colour(t.line), width=1))
        self._smooth = self.plot.plot(pen=pg.mkPen(theme.colour(t.accent), width=2))
        self._mark = pg.InfiniteLine(angle=90, movable=False, pen=pg.mkPen(
            theme.colour(t.text), width=1, style=Qt.PenStyle.DashLine))
        self._mark.hide()
        self.plot.addItem(self._mark)
        layout.addWidget(self.plot, 1)
        self.words = label("", wrap=True)
        layout.addWidget(self.words)
        self.use = button("Use it", "primary", clicked=self._use)
        self.use.setEnabled(False)
        self.stop = button("Close", clicked=self.close)
        layout.addLayout(line(1, self.stop, self.use))
        self._job = RangeTestJob(document.checked, document.prepared, document.design.training)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Show how far the test has come."""
        job = self._job
        done = job.done  # before the result is read: it is whole then
        if job.found is not None and len(job.found.rates):
            self._show(job.found)
        if not done:
            count = 0 if job.found is None else len(job.found.rates)
            self.words.setText(f"Step {count} of at most {STEPS} …")
            return
        self._timer.stop()
        if job.error:
            self.words.setText(job.error)
        elif job.found.proposal is None:
            self.words.setText("No rate made the loss fall clearly. Try another drawing, larger batches or other data.")
        else:
            why = f" From {job.found.rates[-1]:.2g} on the loss grows without end." if job.found.diverged else ""
            self.words.setText(f"Proposed learning rate: {job.found.proposal:g}.{why}")
            self._mark.setPos(math.log10(job.found.proposal))
            self._mark.show()
            self.use.setEnabled(True)
            self.use.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show(self, found: RangeTest) -> None:
        x = np.log10(found.rates)
        self._raw.setData(x, found.losses)
        self._smooth.setData(x, found.smoothed)
        low, high = float(found.smoothed.min()), float(np.nanmax(found.smoothed[: max(len(x) // 2, 2)]))
        room = max(high - low, 1e-3 * max(abs(high), 1e-9))
        self.plot.set_range((math.log10(LOWEST), math.log10(HIGHEST)), (low - 0.1 * room, high + 0.3 * room))

    def _use(self) -> None:
        optimizer = self._document.design.training.optimizer
        self._document.edit_training(
            "Use the proposed learning rate", optimizer=optimizer.replaced(learning_rate=self._job.found.proposal))
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._timer.stop()
        self._job.cancel()
        super().closeEvent(event)
