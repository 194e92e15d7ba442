"""Every example of the start page opens and trains with one click, and what it shows fits it."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtTest import QTest

from nndesigner.project.file import load
from nndesigner.resources import resource
from tests.ui.stories.conftest import LEFT

EXAMPLES = sorted(path.stem for path in resource("examples").glob("*.nnd"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_trains_from_the_start_page(person, name: str):
    window = person.window
    person.wait(lambda: window.start.cards)
    card = next(c for c in window.start.cards if c.path.stem == name)
    QTest.mouseClick(card.start, LEFT)
    person.wait(lambda: person.runner.telemetry.epoch >= 1)
    loss = window.docks.show("loss").build()
    predictions = window.docks.show("predictions").build()
    person.wait(lambda: len(loss.train_curve.getData()[0] if loss.train_curve.getData()[0] is not None else ()) > 1)
    person.wait(lambda: predictions.page is not None and predictions.page.showing)
    window.control.stop.trigger()
    person.wait(lambda: person.runner.state in ("stopped", "finished"))
    curve = person.runner.telemetry.curves["loss"][1]
    assert np.isfinite(curve).all() and curve[-1] < curve[0]
    assert not [p for p in person.document.checked.problems if p.severity == "error"]
    assert person.document.path is None and not person.document.modified
    assert np.isfinite(person.predictions()).all()


def test_there_is_one_for_every_kind_of_data():
    forms = {load(resource(f"examples/{name}.nnd")).design.data.source.form for name in EXAMPLES}
    assert forms >= {"points", "curve", "table", "images", "sounds", "texts"}
