"""Nothing is left behind: no thread, timer, session or data of a closed project; no Qt object dies elsewhere."""

from __future__ import annotations

import gc
import threading
import weakref

from PySide6.QtCore import QEvent, QObject, QTimer

from nndesigner.resources import resource
from nndesigner.ui.app import Collector

NAMES = ("iris_table", "digits_dense", "two_d_classifier", "curve_regression")


def live_threads() -> list[str]:
    return sorted(t.name for t in threading.enumerate())


def open_and_train(person, name: str) -> list[weakref.ref]:
    """Open an example, train it for a moment with all views on show, and return what must die with it."""
    person.window.files.open_now(resource(f"examples/{name}.nnd"), template=True)
    person.wait(lambda: person.document.data_state == "ready")
    person.window.control.train.trigger()
    person.wait(lambda: person.runner.telemetry.step > 3)
    for dock in ("predictions", "confusion", "try", "metric", "loss"):
        person.window.docks.show(dock).build()
        person.rest(0.05)
    network = []
    ticket = person.runner.ask("network", lambda trainer: weakref.ref(trainer.network))
    person.runner.answered.connect(take := (lambda a: network.append(a.value) if a.ticket == ticket else None))
    person.wait(lambda: network)
    person.runner.answered.disconnect(take)
    return [weakref.ref(person.runner.session), weakref.ref(person.document.prepared), network[0]]


def test_projects_opened_one_after_another_leave_nothing_behind(person, qapp):
    def count(kind: type[QObject]) -> int:
        person.window.files.open_now(resource("examples/iris_table.nnd"), template=True)
        person.wait(lambda: person.runner.state == "ready")
        for dock in ("predictions", "confusion", "try", "metric", "loss"):
            person.window.docks.show(dock)
            person.rest(0.1)
        qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        return len(person.window.findChildren(kind))

    for name in NAMES:  # what is made when it is first needed stays
        open_and_train(person, name)
    timers, objects, threads = count(QTimer), count(QObject), live_threads()
    gone = [ref for name in NAMES for ref in open_and_train(person, name)]
    assert count(QTimer) == timers
    assert count(QObject) <= objects + 5
    person.wait(lambda: live_threads() == threads)
    gc.collect()
    left = [ref() for ref in gone if ref() is not None]
    assert not left, f"{len(left)} of {len(gone)} still alive: {[type(x).__name__ for x in left]}"


def test_a_closed_window_ends_its_threads(make_person):
    before = live_threads()
    person = make_person()
    open_and_train(person, "iris_table")
    assert len(live_threads()) > len(before)
    assert person.window.end()
    person.wait(lambda: live_threads() == before)


class Mortal(QObject):
    """A Qt object in a circle of references, which only the garbage collector can free."""

    died: list[int] = []

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.timer = QTimer(self)
        self.me = self

    def __del__(self) -> None:
        Mortal.died.append(threading.get_ident())


def test_qt_objects_die_on_the_gui_thread_only(person, qapp):
    collector = Collector(qapp)
    try:
        assert not gc.isenabled()
        person.open_example("two_d_classifier", epochs=100_000)
        person.window.control.train.trigger()
        person.wait(lambda: person.runner.telemetry.step > 3)
        # The session's thread makes garbage too: enough of it that an automatic collection would run there.
        person.runner.ask("garbage", lambda trainer: [[[] for _ in range(100)] for _ in range(2000)] and None)
        Mortal.died.clear()
        made = 0
        while len(Mortal.died) < 300:
            for _ in range(200):
                Mortal()
            made += 200
            person.rest(0.02)
            collector.look()
            assert made < 40_000, "the collector never ran"
        assert set(Mortal.died) == {threading.main_thread().ident}
        assert not gc.isenabled()
        assert person.runner.state == "running"
    finally:
        collector.stop()
    assert gc.isenabled()
    gc.collect()
