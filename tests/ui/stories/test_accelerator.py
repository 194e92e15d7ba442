"""Where a user sees whether the accelerator works."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel, QWidgetAction

from nndesigner.engine.accelerate import ACCELERATOR
from tests.ui.stories.conftest import Person


@pytest.mark.parametrize(("state", "words"), [("ready", "is active"), ("missing", "nndesigner[fast]")])
def test_the_device_menu_tells_of_the_accelerator(person: Person, monkeypatch: pytest.MonkeyPatch, state: str,
                                                      words: str):
    monkeypatch.setattr(ACCELERATOR, "state", state)
    menu = person.window.bar.device.menu()
    menu.aboutToShow.emit()
    lines = [a.defaultWidget().text() for a in menu.actions() if isinstance(a, QWidgetAction)
             and isinstance(a.defaultWidget(), QLabel)]
    assert any(words in line for line in lines)
