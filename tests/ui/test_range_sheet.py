"""The range test in the window: it draws while it runs, its proposal is one undoable edit."""

from PySide6.QtWidgets import QWidget

from nndesigner.data.generated import Moons
from nndesigner.data.preparing import DataSettings
from nndesigner.graph import templates
from nndesigner.project.design import Design
from nndesigner.training.settings import TrainSettings
from nndesigner.ui.document import Document
from nndesigner.ui.range_sheet import RangeSheet


def test_the_proposed_rate_can_be_used_and_undone(qtbot):
    document = Document()
    document.open(Design(templates.two_d_classifier(), DataSettings(source=Moons()), TrainSettings()))
    assert document.wait_for_data()
    parent = QWidget()
    qtbot.addWidget(parent)
    sheet = RangeSheet(parent, document)
    sheet.show()
    assert not sheet.use.isEnabled()
    qtbot.waitUntil(lambda: not sheet._timer.isActive(), timeout=20_000)
    assert "Proposed learning rate" in sheet.words.text() and sheet.use.isEnabled()
    before = document.design.training.optimizer.learning_rate
    proposal = sheet._job.found.proposal
    sheet.use.click()
    assert document.design.training.optimizer.learning_rate == proposal != before
    assert 1e-3 < proposal < 1
    document.undo_stack.undo()
    assert document.design.training.optimizer.learning_rate == before
    document.close()
