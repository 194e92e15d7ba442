"""What the whole window costs the training: steps per second with it on the screen against hidden, in one run.

The digits are learned by convolutions while the window, live pictures on the canvas included, is shown and hidden in
turn. Budget: at most 10 % (ratio at least 0.90).

    python benchmarks/live_window.py [--seconds 2.5] [--turns 4]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSettings

from nndesigner.resources import resource
from nndesigner.ui import app, theme
from nndesigner.ui.runner import Runner
from nndesigner.ui.window import Window


def rate(runner: Runner, seconds: float) -> float:
    """Steps per second over a while, the event loop running as it does in the program."""
    app.settle(0.2)
    first, began = runner.telemetry.step, time.monotonic()
    app.settle(seconds)
    return (runner.telemetry.step - first) / (time.monotonic() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.5)
    parser.add_argument("--turns", type=int, default=4)
    arguments = parser.parse_args()
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    with tempfile.TemporaryDirectory() as settings:
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, settings)
        application = app.application()
        theme.apply(application, theme.THEMES["dark"])
        collector = app.Collector(application)
        window = Window()
        window.resize(1600, 1000)
        window.show()
        window.open_example(resource("examples/digits_convolution.nnd"), train=False)
        window.document.wait_for_data()
        app.settle(1.0)
        window.document.edit_training("Train on", epochs=100_000)
        window.runner.train()
        app.settle(1.0, until=lambda: window.runner.telemetry.step > 0)
        ratios = []
        for _ in range(arguments.turns):
            window.show()
            shown = rate(window.runner, arguments.seconds)
            window.hide()
            hidden = rate(window.runner, arguments.seconds)
            ratios.append(shown / hidden)
            print(f"shown {shown:7.1f}   hidden {hidden:7.1f} steps/s   ratio {ratios[-1]:.3f}", flush=True)
        print(f"whole window, median ratio shown / hidden: {statistics.median(ratios):.3f} (budget 0.90)")
        window.end()
        collector.stop()


if __name__ == "__main__":
    main()
