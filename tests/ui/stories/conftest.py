"""The whole window, as a person meets it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from nndesigner.project import recovery
from nndesigner.resources import resource
from nndesigner.ui.window import Window


class Person:
    """Uses a window."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.document, self.runner = window.document, window.runner

    def wait(self, until: Callable[[], object], seconds: float = 30.0) -> None:
        """Let the window work until something is so."""
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, f"waited {seconds:g} s in vain ({self.runner.state})"
            QApplication.processEvents()
            time.sleep(0.003)

    def rest(self, seconds: float = 0.1) -> None:
        """Let the window work for a moment."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.003)

    def open_example(self, name: str, **training: object) -> None:
        """Open a bundled example; training settings may be changed."""
        self.window.open_example(resource(f"examples/{name}.nnd"), train=False)
        assert self.document.wait_for_data()
        if training:
            self.document.edit_training("test", **training)
        self.rest(0.05)

    def train(self) -> None:
        """Press Train and wait for the end."""
        self.window.control.train.trigger()
        self.wait(lambda: self.runner.state in ("finished", "failed"))

    def answer(self, name: str) -> None:
        """Press a button of the question on the screen."""
        self.window.files.question.buttons[name].click()


@pytest.fixture
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where unsaved work is kept during a test."""
    monkeypatch.setattr(recovery, "state_folder", lambda: tmp_path / "state")
    return tmp_path / "state"


@pytest.fixture
def make_person(qtbot, themed, state_folder) -> Iterator[Callable[[], Person]]:
    """Opens windows; all are closed at the end."""
    people: list[Person] = []

    def make() -> Person:
        window = Window()
        qtbot.addWidget(window)
        window.resize(1280, 800)
        window.show()
        people.append(Person(window))
        return people[-1]

    yield make
    for person in people:
        assert person.window.end()


@pytest.fixture
def person(make_person) -> Person:
    return make_person()
