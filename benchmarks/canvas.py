"""How quick the canvas is with 1,000 nodes: panning and zooming against 16 ms a frame, dragging against 4 ms.

A frame is the event handled and the view painted, offscreen at 1600 x 900, in processor time.
"""

from __future__ import annotations

import os
import sys
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from nndesigner.graph import edit, grouping, layout
from nndesigner.graph.model import Edge, Graph, Node
from nndesigner.layers import Layer
from nndesigner.ui import theme
from nndesigner.ui.canvas import CanvasView
from nndesigner.ui.document import Document

NODES = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
FRAMES = 60


def big_graph(count: int) -> Graph:
    """Residual blocks of dense layers: a chain with branches that merge again."""
    kinds = ("dense.v1", "batchnorm.v1", "relu.v1", "dropout.v1", "add.v1")
    nodes = [Node("n1", Layer.registry["input.v1"](shape=(64,)))]
    edges = []
    for number in range(2, count):
        kind = kinds[(number - 2) % 5]
        layer = Layer.registry[kind](units=64) if kind == "dense.v1" else Layer.registry[kind]()
        nodes.append(Node(f"n{number}", layer))
        edges.append(Edge(f"n{number - 1}", f"n{number}"))
        if kind == "add.v1" and number > 6:
            edges.append(Edge(f"n{number - 5}", f"n{number}"))
    nodes.append(Node(f"n{count}", Layer.registry["output.v1"]()))
    edges.append(Edge(f"n{count - 1}", f"n{count}"))
    return layout.arrange(Graph(tuple(nodes), tuple(edges), count + 1))


def timed(app: QApplication, frames: int, do: object) -> np.ndarray:
    """Milliseconds of processor time of each frame: all of it is on one thread, and other work does not disturb."""
    found = []
    for number in range(frames):
        start = time.process_time()
        do(number)
        app.processEvents()
        found.append(1000 * (time.process_time() - start))
    return np.array(found)


def report(name: str, times: np.ndarray, budget: float | None = None) -> None:
    middle, high = np.percentile(times, [50, 95])
    ratio = f"  {high / budget:5.2f} of {budget:g} ms" if budget else ""
    print(f"{name:44} median {middle:7.2f} ms   95 % {high:7.2f} ms{ratio}")


def main() -> None:
    app = QApplication([])
    theme.apply(app, theme.DARK)
    document = Document()
    view = CanvasView(document)
    view.resize(1600, 900)
    view.show()
    app.processEvents()
    graph = big_graph(NODES)
    start = time.perf_counter()
    document.edit_graph("Draw", lambda _: graph)
    app.processEvents()
    print(
        f"{len(graph.nodes)} nodes, {len(graph.edges)} wires; shown after {1000 * (time.perf_counter() - start):.0f} ms"
    )
    for zoom in (1.0, 0.42, 0.35, None):
        if zoom is None:
            view.fit()
        else:
            view.set_zoom(zoom)
            view.centerOn(view.board.extent().center())
        view.settle()
        app.processEvents()
        name = f"{round(100 * view.zoom)} %"
        report(f"pan at {name}", timed(app, FRAMES, lambda n: view.pan(QPointF(37 if n % 20 < 10 else -37, 11))), 16)
        view.fit() if zoom is None else view.centerOn(view.board.extent().center())
        view.settle()
        report(f"repaint all at {name}", timed(app, FRAMES, lambda n: view.viewport().update()), 16)
    view.set_zoom(1.0)
    view.centerOn(view.board.extent().center())
    app.processEvents()
    middle = QPointF(800, 450)
    report(
        "zoom, 100 to 10 % and back",
        timed(app, 2 * FRAMES, lambda n: view.zoom_at(middle, 0.96 if n < FRAMES else 1 / 0.96)),
        16,
    )
    for zoom, count in ((1.0, 1), (0.42, 1), (1.0, 200)):
        view.set_zoom(zoom)
        view.settle()
        ids = [n.id for n in graph.nodes][500 : 500 + count]
        document.select(ids)
        view.centerOn(view.board.extent(ids[:1]).center())
        app.processEvents()
        at = view.viewportTransform().map(view.board.extent(ids[:1]).center()).toPoint()
        QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)

        def drag(number: int, at: QPoint = at) -> None:
            QTest.mouseMove(view.viewport(), at + QPoint(5 * (number % 40), 3 * (number % 30)))
            view.flush_moves()

        report(f"drag {count} at {round(100 * zoom)} %", timed(app, FRAMES, drag), 4 if count == 1 else None)
        QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
        view.board.put_back()
    last = document.graph.nodes[700].id
    report(
        "edit one node (model, check, canvas)",
        timed(app, 20, lambda n: document.edit_graph("x", lambda g: edit.set_params(g, _dense(g, last), units=32 + n))),
    )
    few = layout.arrange(grouped(graph, 25))
    document.edit_graph("Group", lambda _: few)
    shown = next(g.members[0] for g in few.groups if not g.folded)
    report(
        "edit one node, 78 groups, half folded",
        timed(app, 20, lambda n: document.edit_graph("x", lambda g: edit.set_params(g, _dense(g, last), units=32 + n))),
    )
    view.fit()
    view.settle()
    app.processEvents()
    name = f"{round(100 * view.zoom)} %"
    report(f"repaint all at {name}, 78 groups", timed(app, FRAMES, lambda n: view.viewport().update()), 16)
    view.set_zoom(1.0)
    view.centerOn(view.board.extent([shown]).center())
    app.processEvents()
    x, y = view.board.place(shown)
    report(
        "drag 1 at 100 % within a group",
        timed(app, FRAMES, lambda n: view.board.displace({shown: (x + 5 * (n % 40), y + 3 * (n % 30))})),
        4,
    )
    document.close()


def grouped(graph: Graph, every: int) -> Graph:
    """Blocks of five layers as groups, half of them folded; every so-many nodes two groups and the rest loose."""
    ids = [n.id for n in graph.nodes]
    for start in range(1, len(ids) - every, every):
        for k in (0, 5):
            graph, _ = grouping.group(graph, ids[start + k : start + k + 5], f"Block {start}", folded=bool(k))
    return graph


def _dense(graph: Graph, near: str) -> str:
    start = [n.id for n in graph.nodes].index(near)
    return next(n.id for n in graph.nodes[start:] if n.layer.kind == "dense.v1")


if __name__ == "__main__":
    main()
