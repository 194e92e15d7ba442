"""What the open live views cost: training steps per second with all views open against none, in one run.

A convolutional network learns the digits while the views are shown and hidden in turn; the turns are compared, so that
a machine that becomes slower in between does not matter. Budget: at most 10 % (ratio at least 0.90).

    python benchmarks/live_views.py [--seconds 3] [--turns 4]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication, QGridLayout, QWidget

from nndesigner.data.preparing import DataSettings
from nndesigner.data.samples import Digits
from nndesigner.graph.edit import add_node, connect
from nndesigner.graph.model import Graph
from nndesigner.layers.conv import Conv2D
from nndesigner.layers.dense import Dense
from nndesigner.layers.io import Input, Output
from nndesigner.layers.pool import MaxPool2D
from nndesigner.layers.reshape import Flatten
from nndesigner.project.design import Design
from nndesigner.training.settings import TrainSettings
from nndesigner.ui import theme
from nndesigner.ui.document import Document
from nndesigner.ui.runner import Runner
from nndesigner.ui.views.confusion import ConfusionView
from nndesigner.ui.views.latent_view import LatentView
from nndesigner.ui.views.plots import LossView, MetricView
from nndesigner.ui.views.predictions import PredictionsView
from nndesigner.ui.views.try_view import TryView

VIEWS = (LossView, MetricView, PredictionsView, ConfusionView, TryView, LatentView)


def network() -> Graph:
    """The convolutional digits network of the examples' kind."""
    graph, before = Graph(), None
    layers = (Input(), Conv2D(filters=32, activation="relu"), Conv2D(filters=64, activation="relu"), MaxPool2D(),
              Flatten(), Dense(units=128, activation="relu"), Dense(units=10), Output())
    for layer in layers:
        graph, node = add_node(graph, layer, 0, 0)
        graph = connect(graph, before, node) if before else graph
        before = node
    return graph


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a turn")
    parser.add_argument("--turns", type=int, default=4, help="turns with and without views")
    asked = parser.parse_args()
    app = QApplication([])
    theme.apply(app, theme.DARK)
    document = Document()
    runner = Runner(document)
    document.open(Design(network(), DataSettings(source=Digits()), TrainSettings(epochs=100_000)))
    document.wait_for_data()

    def work(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            app.processEvents()
            time.sleep(0.002)

    def speed(seconds: float) -> float:
        """Steps per second over a turn."""
        step, begin = runner.telemetry.step, time.monotonic()
        work(seconds)
        return (runner.telemetry.step - step) / (time.monotonic() - begin)

    window = QWidget()
    grid = QGridLayout(window)
    views = [kind(document, runner) for kind in VIEWS]
    for i, view in enumerate(views):
        grid.addWidget(view, i // 3, i % 3)
    window.resize(1590, 520)
    if not runner.train():
        raise SystemExit(runner.why_not())
    while runner.state != "running":
        work(0.05)
    work(1.0)
    speeds: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(2 * asked.turns):
        shown = turn % 2 == 0
        window.setVisible(shown)
        work(0.5)
        speeds[shown].append(speed(asked.seconds))
        print(f"{'all views open' if shown else 'no view open  '}  {speeds[shown][-1]:8.1f} steps/s", flush=True)
    ratio = statistics.median(a / b for a, b in zip(speeds[True], speeds[False]))
    print(f"views {len(views)}, median ratio open / none: {ratio:.3f} (budget 0.90)")
    runner.close()
    document.close()


if __name__ == "__main__":
    main()
