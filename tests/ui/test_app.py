"""The application around the window: its garbage collection, its faults, and the picture without a display."""

from __future__ import annotations

import gc
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QSlider, QWidget

from nndesigner.project import recovery
from nndesigner.project.file import load, save
from nndesigner.resources import resource
from nndesigner.ui import app as application
from nndesigner.ui.window import Window


@pytest.fixture
def window(qtbot, themed, tmp_path, monkeypatch):
    monkeypatch.setattr(recovery, "state_folder", lambda: tmp_path / "state")
    made = Window()
    qtbot.addWidget(made)
    made.show()
    yield made
    assert made.end()


def test_garbage_is_collected_on_this_thread_only(qtbot):
    class Loop(QObject):
        def __init__(self) -> None:
            super().__init__()
            self.me = self

    ended: list[str] = []
    parent = QObject()
    collector = application.Collector(parent)
    try:
        assert not gc.isenabled()
        for _ in range(50):
            Loop().destroyed.connect(lambda: ended.append(threading.current_thread().name))
        worker = threading.Thread(target=lambda: [[] for _ in range(200_000)])
        worker.start()
        worker.join()
        assert not ended
        for _ in range(3):
            collector.look()
        gc.collect()
        assert set(ended) == {"MainThread"}
    finally:
        collector.stop()
    assert gc.isenabled()


def test_a_fault_is_shown_once_and_the_work_goes_on(qtbot, window):
    faults = application.Faults(window)
    faults.window = window
    try:
        for _ in range(3):
            try:
                raise ValueError("seven is not eight")
            except ValueError:
                sys.excepthook(*sys.exc_info())
        faults._show()
        assert faults._dialog.isVisible()
        texts = [label.text() for label in faults._dialog.findChildren(QLabel)]
        assert any("seven is not eight" in text and "3 errors" in text for text in texts)
        faults._show()
        faults._dialog.close()
        assert window.isVisible()
    finally:
        faults.stop()
    assert sys.excepthook is sys.__excepthook__


def test_errors_of_other_threads_are_shown_too(qtbot, window):
    faults = application.Faults(window)
    try:
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
        assert any("ZeroDivisionError" in text for text in faults._found)
        faults._found.clear()
    finally:
        faults.stop()


def test_every_control_has_a_name_for_screen_readers(window):
    window.open_example(resource("examples/iris_table.nnd"), train=False)
    assert window.document.wait_for_data()
    for name in window.docks.by_name:
        window.docks.show(name)
    window.document.select([window.document.graph.nodes[1].id])
    QApplication.processEvents()
    nameless = []
    for kind in (QAbstractButton, QComboBox, QLineEdit, QSlider):
        for widget in window.findChildren(kind):
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            inside = widget.objectName().startswith("qt_") or isinstance(widget.parent(), QComboBox)
            ours = type(widget.parentWidget()).__module__.startswith("nndesigner")
            seen = widget.isVisible() and not inside and ours
            if seen and not (text.strip() or widget.accessibleName()):
                nameless.append(f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}")
    assert not nameless


def test_nothing_is_wider_than_its_panel_at_the_smallest_size(window):
    window.resize(window.minimumSize())
    window.open_example(resource("examples/digits_convolution.nnd"), train=False)
    assert window.document.wait_for_data()
    window.document.select([window.document.graph.nodes[1].id])
    for name in ("data", "training", "inspector", "layers"):
        panel: QWidget = window.docks.show(name)
        for _ in range(5):
            QApplication.processEvents()
        assert panel.minimumSizeHint().width() <= 320, name
    assert window.width() <= 1000


def test_a_picture_of_a_trained_project_needs_no_display(qtbot, themed, tmp_path: Path):
    from nndesigner.cli.running import load_data, train

    project = load(resource("examples/iris_table.nnd"))
    short = project.design.training.model_copy(update={"epochs": 3})
    from dataclasses import replace

    project = replace(project, design=replace(project.design, training=short))
    outcome = train(project, load_data(project.design))
    path = save(outcome.project, tmp_path / "trained.nnd")
    png = tmp_path / "window.png"
    application.picture(path, png, size=(1280, 800))
    image = QImage(str(png))
    assert (image.width(), image.height()) == (1280, 800)
    colours = {image.pixelColor(x, y).name() for x in range(0, 1280, 16) for y in range(0, 800, 16)}
    assert len(colours) > 20
