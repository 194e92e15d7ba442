"""Time from a cold interpreter to a window that can be used, against the goal of 1.5 s and against an empty window.

    python benchmarks/window.py

Each measurement is a process of its own. "Usable" means: shown, painted, and the event loop has answered once. The
empty window is what any program with PySide6 and pyqtgraph has to pay.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TIMES = 7
ROOT = Path(__file__).resolve().parent.parent
SETTINGS = """
from PySide6.QtCore import QSettings
QSettings.setDefaultFormat(QSettings.Format.IniFormat)
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, {folder!r})
"""
OURS = """
import time
begin = time.perf_counter()
{settings}
from nndesigner.ui.app import application
app = application()
from nndesigner.ui.window import Window
window = Window()
window.show()
app.processEvents()
window.grab()
print(time.perf_counter() - begin)
window.end()
"""
EMPTY = """
import time
begin = time.perf_counter()
from PySide6.QtWidgets import QApplication, QMainWindow
import pyqtgraph
app = QApplication([])
window = QMainWindow()
window.setCentralWidget(pyqtgraph.PlotWidget())
window.resize(1440, 900)
window.show()
app.processEvents()
window.grab()
print(time.perf_counter() - begin)
"""


def seconds(code: str) -> list[float]:
    """What the code prints last, several times over."""
    # Python keeps what it compiled, as it does for a user: the first start after an installation is not meant.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPATH": str(ROOT),
                   "QT_QPA_PLATFORM": "offscreen", "LC_ALL": "C.UTF-8"}
    found = []
    for _ in range(TIMES):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
        found.append(float(done.stdout.strip().rsplit("\n", 1)[-1]))
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ours = seconds(OURS.format(settings=SETTINGS.format(folder=folder)))
    empty = seconds(EMPTY)
    for name, times in (("nndesigner", ours), ("empty PySide6 + pyqtgraph", empty)):
        print(f"{name:28} {1000 * statistics.median(times):7.0f} ms  (fastest {1000 * min(times):.0f}, "
              f"slowest {1000 * max(times):.0f})")
    print(f"{'ratio':28} {statistics.median(ours) / statistics.median(empty):7.2f}     (goal: 2.5 or less)")


if __name__ == "__main__":
    main()
