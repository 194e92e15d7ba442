"""The application around the window: start, theme, garbage collection, faults; and a picture without a display."""

from __future__ import annotations

import faulthandler
import gc
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication

from nndesigner.resources import resource
from nndesigner.ui import theme

#: milliseconds between two looks at the garbage
GC_INTERVAL = 500
#: milliseconds after the start at which the plot libraries are loaded, so that the first project opens at once
IDLE = 700


def run(project: Path | None = None) -> int:
    """Open the window, with a project if one is named, and stay until it is closed. Returns the exit code."""
    if sys.stderr is not None:
        faulthandler.enable()
    app = application()
    collector = Collector(app)
    faults = Faults(app)
    from nndesigner.ui.window import Window

    window = Window()
    faults.window = window
    window.show()
    if project is not None:
        window.files.open_now(Path(project))
    QTimer.singleShot(0, window, lambda: _settle(window, collector))
    code = app.exec()
    collector.stop()
    faults.stop()
    return code


def application() -> QApplication:
    """The QApplication with its names, type and theme."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    QApplication.setApplicationName("nndesigner")
    QApplication.setOrganizationName("nndesigner")
    QApplication.setApplicationDisplayName("nndesigner")
    QGuiApplication.setDesktopFileName("nndesigner")
    app.setWindowIcon(QIcon(str(resource("icons/nndesigner.svg"))))
    theme.apply(app, theme.wanted(app))
    return app


def picture(project: Path, png: Path, size: tuple[int, int] = (1600, 1000), theme_name: str = "dark",
            seconds: float = 30.0) -> None:
    """Draw the window with a trained project into a PNG file, off the screen.

    Waits until data and weights are there and the views have had their answers. Raises OSError when the file cannot be
    written and ProjectError when the project cannot be read.
    """
    from nndesigner.project import file as project_file
    from nndesigner.ui.window import Window

    project_file.load(project)
    app = application()
    theme.apply(app, theme.THEMES[theme_name])
    window = Window()
    window.resize(*size)
    window.show()
    window.files.open_now(project)
    window.document.wait_for_data(seconds)
    settle(1.5, until=lambda: window.runner.trained, at_most=seconds)
    if not window.grab().save(str(png), "PNG"):
        raise OSError(f"The picture '{png}' could not be written.")
    window.end()
    window.deleteLater()
    settle(0.05)


def settle(seconds: float, until: object = None, at_most: float = 30.0) -> bool:
    """Let the event loop run: until something is so, then for some seconds more. False when it did not become so."""
    end = time.monotonic() + at_most
    happened = until is None
    while not happened and time.monotonic() < end:
        QApplication.processEvents()
        happened = bool(until())
        time.sleep(0.005)
    rest = time.monotonic() + seconds
    while time.monotonic() < rest:
        QApplication.processEvents()
        time.sleep(0.005)
    return happened


def _settle(window: object, collector: Collector) -> None:
    """What can wait until the window is on the screen."""
    window.devices.start()
    window.files.start_keeping()
    collector.freeze()
    for index, view in enumerate(window.later):
        QTimer.singleShot(IDLE + 100 * index, view, view.load)


class Collector(QObject):
    """Collects cyclic garbage on this thread only.

    Python's own collector may run on the training thread and destroy Qt objects there, which ends the process.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._thresholds = gc.get_threshold()
        self._timer = QTimer(self)
        self._timer.setInterval(GC_INTERVAL)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Collect the oldest generation that is due, as Python's collector would."""
        for generation in (2, 1, 0):
            if gc.get_count()[generation] > self._thresholds[generation]:
                gc.collect(generation)
                return

    def freeze(self) -> None:
        """What is there after the start stays: full collections need not look through it."""
        gc.collect()
        gc.freeze()

    def stop(self) -> None:
        """Leave collecting to Python again."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()


class Faults(QObject):
    """Shows errors of the program itself as a sentence with details, and the work goes on."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.window: object = None
        self._dialog: object = None
        self._found: list[str] = []
        sys.excepthook = self._hook
        threading.excepthook = self._thread_hook
        # Errors of other threads are shown by this one.
        self._poll = QTimer(self)
        self._poll.setInterval(500)
        self._poll.timeout.connect(self._show)
        self._poll.start()

    def stop(self) -> None:
        """Give errors back to Python."""
        self._poll.stop()
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__

    def _hook(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        if sys.stderr is not None:
            sys.stderr.write(details)
        self._found.append(details)

    def _thread_hook(self, arguments: threading.ExceptHookArgs) -> None:
        self._hook(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    def _show(self) -> None:
        if not self._found or (self._dialog is not None and self._dialog.isVisible()):
            return
        from nndesigner.ui.dialogs import Fault

        details, count = self._found[0], len(self._found)
        self._found.clear()
        last = details.strip().rsplit(os.linesep, 1)[-1]
        more = f" ({count} errors in a row; the first is shown.)" if count > 1 else ""
        self._dialog = Fault(self.window, f"What you just did may not have been finished. {last}{more}", details)
        self._dialog.show()
