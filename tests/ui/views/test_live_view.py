"""When a view asks the session, and what it does with answers."""

from __future__ import annotations

import gc
import time
import weakref

from PySide6.QtCore import QCoreApplication, QEvent

from nndesigner.data.generated import Moons
from nndesigner.layers.dense import Dense
from nndesigner.ui.views.live_view import LiveView


class Steps(LiveView):
    """Shows the number of steps that the session has done."""

    title = "Steps"

    def __init__(self, document, runner):
        super().__init__(document, runner)
        self.answers = []
        self.factor = 1

    def question(self):
        factor = self.factor
        return lambda trainer: factor * trainer.step_number if factor else 1 / 0

    def show_answer(self, value):
        self.answers.append(value)


def _shown(studio, epochs=3):
    studio.open(Moons(samples=100), Dense(units=4), Dense(units=2), epochs=epochs)
    view = studio.keep(Steps(studio.document, studio.runner))
    view.show()
    return view


def test_an_untrained_network_is_asked_once(studio):
    view = _shown(studio)
    studio.until(lambda: view.answers)
    studio.settle(0.3)
    assert view.answers == [0] and view.showing


def test_the_last_answer_is_that_of_the_finished_run(studio):
    view = _shown(studio)
    studio.train()
    studio.until(lambda: view.answers[-1] == studio.runner.telemetry.steps)


def test_another_question_is_asked_at_once_also_when_nothing_changed(studio):
    view = _shown(studio)
    studio.train()
    studio.until(lambda: view.answers and view.answers[-1] == studio.runner.telemetry.steps)
    view.factor = 2
    view.ask_anew()
    studio.until(lambda: view.answers[-1] == 2 * studio.runner.telemetry.steps, 1.0)


def test_a_failed_question_is_told_and_the_next_one_works(studio):
    view = _shown(studio)
    view.factor = 0
    studio.until(lambda: "division" in view.empty.text and not view.showing)
    view.factor = 1
    view.ask_anew()
    studio.until(lambda: view.showing)


def test_a_view_that_is_hidden_when_the_answer_comes_asks_again_when_shown(studio):
    view = _shown(studio)
    studio.until(lambda: view.answers)
    view.answers.clear()
    view.ask_anew()
    studio.settle(0.06)
    view.hide()
    studio.settle(0.3)
    view.show()
    studio.until(lambda: view.answers)


def test_costly_questions_are_asked_seldom(studio):
    view = _shown(studio, epochs=1_000_000)

    view.question = lambda: lambda trainer: time.sleep(0.02) or trainer.step_number
    studio.until(lambda: studio.runner.state == "ready")
    assert studio.runner.train()
    studio.until(lambda: len(view.answers) >= 2)
    view.answers.clear()
    studio.settle(2.0)
    assert len(view.answers) <= 2, "20 ms may be taken every 1.3 s at most"
    studio.runner.stop()


def test_a_question_holds_no_widget(studio):
    """The session's thread must never be the one that lets go of a Qt object."""
    view = _shown(studio)
    studio.until(lambda: view.answers)
    held = []
    ask = studio.runner.ask
    studio.runner.ask = lambda key, fn: held.append(fn) or ask(key, fn)
    view.ask_anew()
    studio.until(lambda: held)
    seen, todo = set(), [held[0]]
    while todo:
        thing = todo.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        assert not isinstance(thing, LiveView)
        for cell in getattr(thing, "__closure__", None) or ():
            todo.append(cell.cell_contents)
        if getattr(thing, "__self__", None) is not None:
            todo.append(thing.__self__)


def test_a_closed_view_is_let_go(studio):
    studio.open(Moons(samples=60), Dense(units=2), epochs=1)
    view = Steps(studio.document, studio.runner)
    view.show()
    answers = view.answers
    studio.until(lambda: answers)
    gone = weakref.ref(view)
    view.close()
    view.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    del view
    gc.collect()
    assert gone() is None
    studio.train()
