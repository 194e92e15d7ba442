"""A killed process: what was unsaved is offered at the next start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from tests.ui.stories.conftest import LEFT

#: a window in which a network is drawn and trained; it is killed while it still trains
VICTIM = """
import sys, time
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QSettings
QSettings.setDefaultFormat(QSettings.Format.IniFormat)
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, sys.argv[2])
from nndesigner.project import recovery
recovery.state_folder = lambda: Path(sys.argv[1])
from nndesigner.resources import resource
from nndesigner.ui.app import application
app = application()
from nndesigner.ui.window import Window
window = Window()
window.show()
window.files.start_keeping()
window.open_example(resource("examples/iris_table.nnd"), train=False)
window.document.wait_for_data()
window.document.edit_training("Set Epochs", epochs=12345)
window.control.train.trigger()
print("trains", flush=True)
end = time.monotonic() + 60
told = False
while time.monotonic() < end:
    app.processEvents()
    time.sleep(0.005)
    if window.runner.telemetry.step > 20 and not told:
        window.files._keep()
        told = True
    if told and list(Path(sys.argv[1]).glob("*.nnd")):
        print("kept", flush=True)
        told = False
"""


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_a_killed_process_leaves_what_was_unsaved(make_person, state_folder: Path, tmp_path: Path):
    process = subprocess.Popen([sys.executable, "-c", VICTIM, str(state_folder), str(tmp_path)],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        lines = iter(process.stdout.readline, "")
        assert "kept" in [line.strip() for line, _ in zip(lines, range(2), strict=False)]
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        process.stdout.close()
    person = make_person()
    person.window.files.start_keeping()
    banner = person.window.banner
    assert banner.isVisible() and banner.answer_buttons() == ["Open it", "Discard"]
    QTest.mouseClick(next(b for b in banner.findChildren(QPushButton) if b.text() == "Open it"), LEFT)
    assert person.document.design.training.epochs == 12345
    person.wait(lambda: person.runner.trained)
    assert person.runner.telemetry.step > 20
    assert person.document.modified and person.window.files.unsaved
    another = make_person()
    another.window.files.start_keeping()
    assert not another.window.banner.isVisible(), "it was taken up by the first window"


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_what_a_killed_process_left_can_be_discarded(make_person, state_folder: Path, tmp_path: Path):
    code = VICTIM.replace("window.control.train.trigger()", "window.files._keep()")
    process = subprocess.Popen([sys.executable, "-c", code, str(state_folder), str(tmp_path)],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout.readline().strip() == "trains"
        person = make_person()
        person.wait(lambda: list(state_folder.glob("*.nnd")))
        person.window.files.start_keeping()
        assert not person.window.banner.isVisible(), "the other one still runs"
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()
    other = make_person()
    other.window.files.start_keeping()
    assert other.window.banner.isVisible()
    QTest.mouseClick(next(b for b in other.window.banner.findChildren(QPushButton) if b.text() == "Discard"), LEFT)
    assert not list(state_folder.glob("*.nnd"))
    assert not other.document.graph.nodes
