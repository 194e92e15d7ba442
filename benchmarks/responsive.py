"""How late a timer of the real window fires while a network trains in it, against the budget of 50 ms (p99).

    python benchmarks/responsive.py [seconds]

Each example is opened and trained in the main window at 1280 x 800 with its panels on show: plots, predictions and the
pictures on the nodes follow the run. In the second half a node is dragged, which is when a user notices lateness. A
tick that is due while another handler runs is late by that handler: so this measures the longest blocks of the window.
The first line is the window without training: what the machine itself adds.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QSettings, Qt, QTimer
from PySide6.QtTest import QTest

from nndesigner.resources import examples
from nndesigner.ui.app import Collector, application, settle
from nndesigner.ui.window import Window

PERIOD_MS = 16
BUDGET_MS = 50.0


class Ticks:
    """A timer that notes how late it is."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._tick)
        self._go()

    def _go(self) -> None:
        self._due = time.perf_counter() + PERIOD_MS / 1000
        self._timer.start(PERIOD_MS)

    def _tick(self) -> None:
        self.late.append(1000 * max(0.0, time.perf_counter() - self._due))
        self._go()

    def stop(self) -> np.ndarray:
        """Lateness of all ticks in milliseconds."""
        self._timer.stop()
        return np.array(self.late)


def drag(window: Window, seconds: float) -> None:
    """Move the second node to and fro, a step for each tick of the event loop."""
    canvas = window.canvas
    node = window.document.graph.nodes[1].id
    x, y = canvas.board.place(node)
    at = canvas.viewportTransform().map(QPointF(x + 80, y + 60)).toPoint()
    QTest.mousePress(canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    end, turn = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        turn += 1
        QTest.mouseMove(canvas.viewport(), at + QPoint(turn % 60, turn % 40))
        settle(0.012)
    QTest.mouseRelease(canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)


def show(name: str, what: str, late: np.ndarray, rate: float) -> None:
    """Print one line."""
    p50, p99 = np.percentile(late, [50, 99])
    print(f"{name:20} {what:9} late p50 {p50:6.2f} p99 {p99:6.2f} max {late.max():6.2f} ms "
          f"({len(late)} ticks, {rate:.0f} steps/s){'' if p99 <= BUDGET_MS else '  OVER'}", flush=True)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    with tempfile.TemporaryDirectory() as folder:
        QSettings.setDefaultFormat(QSettings.Format.IniFormat)
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
        app = application()
        collector = Collector(app)
        window = Window()
        window.resize(1280, 800)
        window.show()
        window.show_canvas()
        collector.freeze()
        settle(1.0)
        ticks = Ticks()
        settle(seconds / 2)
        show("nothing", "watching", ticks.stop(), 0.0)
        for path in examples():
            window.files.open_now(path, template=True)
            window.document.wait_for_data()
            window.document.edit_training("long", epochs=100_000, early_stopping=0)
            for name in ("metric", "predictions", "inspector"):
                window.docks.show(name)
            settle(1.0)
            window.control.train.trigger()
            settle(0.5, until=lambda: window.runner.telemetry.step > 3)
            for what in ("watching", "dragging"):
                ticks = Ticks()
                first, began = window.runner.telemetry.step, time.perf_counter()
                if what == "dragging":
                    drag(window, seconds / 2)
                else:
                    settle(seconds / 2)
                late = ticks.stop()
                rate = (window.runner.telemetry.step - first) / (time.perf_counter() - began)
                show(path.stem, what, late, rate)
            window.control.stop.trigger()
            window.document.undo_stack.setClean()
        window.end()
        collector.stop()
        gc.collect()


if __name__ == "__main__":
    main()
