"""Fixtures for everything with a window: settings of its own, the theme, and nothing left running."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QSettings, QTimer
from PySide6.QtWidgets import QApplication

from nndesigner.ui import theme


@pytest.fixture(autouse=True)
def _own_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Settings go to a folder of the test's own; nothing of the user is read or written."""
    folder = str(tmp_path_factory.mktemp("settings"))
    QCoreApplication.setOrganizationName("nndesigner-test")
    QCoreApplication.setApplicationName("nndesigner-test")
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    for layout in (QSettings.Format.IniFormat, QSettings.Format.NativeFormat):
        QSettings.setPath(layout, QSettings.Scope.UserScope, folder)


@pytest.fixture
def themed(qapp: QApplication) -> QApplication:
    """The application in the dark theme."""
    if theme.current() is not theme.DARK or qapp.style().objectName() != "fusion":
        theme.apply(qapp, theme.DARK)
    return qapp


@pytest.fixture(autouse=True)
def _nothing_left_running(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test that leaves a thread behind, or a repeating QTimer that still runs when its widgets are closed."""
    before = set(threading.enumerate())
    started: weakref.WeakSet[QTimer] = weakref.WeakSet()
    start = QTimer.start

    def noted(timer: QTimer, *interval: int) -> None:
        started.add(timer)
        start(timer, *interval)

    monkeypatch.setattr(QTimer, "start", noted)
    yield
    app = QApplication.instance()
    if app is not None:
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    for thread in (threads := [t for t in threading.enumerate() if t not in before]):
        thread.join(2.0)
    left = [t.name for t in threads if t.is_alive()]
    assert not left, f"threads left behind: {left}"
    running = [t for t in started if shiboken6.isValid(t) and t.isActive() and not t.isSingleShot()]
    assert not running, f"timers left running: {[(t.parent(), t.interval()) for t in running]}"
