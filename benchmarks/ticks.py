"""How late a window's timer fires while a network trains on the session's thread, against the budget of 50 ms (p99).

    python benchmarks/ticks.py [seconds]

The window stands in for the real one: offscreen, a timer of 16 ms, at each tick some hundred drawing calls (some let go
of the interpreter lock and have to win it back) and a poll of the session at 15 Hz. Printed for each network:
lateness of the ticks, what drawing took, and the training speed beside that of the same network without a window.
"""

from __future__ import annotations

import gc
import os
import sys
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from _ours import build
from cpu import CASES
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from nndesigner.training.session import Session

CALLS = 300
PERIOD_MS = 16
NAMES = ("tiny 2-8-8-1, batch 10", "MLP 784-256-128-10, batch 64", "LeNet")


def draw(image: QImage) -> None:
    """A repaint of a modest canvas: rectangles, lines and texts."""
    painter = QPainter(image)
    for i in range(CALLS // 3):
        painter.setPen(QColor(i % 255, 80, 120))
        painter.drawRoundedRect(i, i, 40, 20, 4, 4)
        painter.drawText(i, i + 12, "Dense 32")
    painter.end()


def watch(session: Session | None, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """(lateness of each tick, time of each drawing) in milliseconds."""
    app = QApplication.instance()
    image = QImage(900, 500, QImage.Format.Format_RGB32)
    late, drawing = [], []
    state = {"due": time.perf_counter() + PERIOD_MS / 1000, "poll": 0.0}
    end = time.perf_counter() + seconds

    def tick() -> None:
        now = time.perf_counter()
        late.append(1000 * max(0.0, now - state["due"]))
        draw(image)
        if session is not None and now - state["poll"] > 1 / 15:
            state["poll"] = now
            session.poll()
        after = time.perf_counter()
        drawing.append(1000 * (after - now))
        state["due"] = after + PERIOD_MS / 1000
        if after > end:
            app.quit()
        else:
            timer.start(PERIOD_MS)

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setSingleShot(True)
    timer.timeout.connect(tick)
    timer.start(PERIOD_MS)
    app.exec()
    return np.array(late), np.array(drawing)


def speed_alone(session: Session, seconds: float) -> float:
    """Samples per second with nothing else going on."""
    first, began = session.poll()[0].step, time.perf_counter()
    time.sleep(seconds)
    return (session.poll()[0].step - first) / (time.perf_counter() - began)


def show(name: str, late: np.ndarray, drawing: np.ndarray, more: str = "") -> None:
    p50, p99 = np.percentile(late, [50, 99])
    d50, d99 = np.percentile(drawing, [50, 99])
    print(f"{name:32} late p50 {p50:6.2f} p99 {p99:6.2f} max {late.max():6.2f} ms   "
          f"drawing p50 {d50:6.2f} p99 {d99:6.2f} ms{more}", flush=True)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    app = QApplication(sys.argv)
    gc.disable()  # as the window does: it collects from a timer of its own
    watch(None, 1.0)
    show("nothing else", *watch(None, seconds))
    for one in CASES:
        if not any(part in one["name"] for part in NAMES):
            continue
        session = Session(lambda one=one: build(one))
        while session.poll()[0].state == "preparing":
            time.sleep(0.01)
        session.start()
        time.sleep(0.5)
        alone = speed_alone(session, seconds / 2)
        first, began = session.poll()[0].step, time.perf_counter()
        late, drawing = watch(session, seconds)
        with_window = (session.poll()[0].step - first) / (time.perf_counter() - began)
        session.close(10)
        show(one["name"], late, drawing, f"   speed {100 * with_window / alone:.0f} % of that without a window")
        gc.collect()
    app.quit()


if __name__ == "__main__":
    main()
