"""Without a display the program trains the digits example and leaves a picture."""

from dataclasses import replace
from pathlib import Path

from nndesigner.cli import headless
from nndesigner.project.file import load


class Window:
    """Stands for nndesigner.ui.app."""

    def __init__(self):
        self.asked = []

    def picture(self, project, png):
        self.asked.append((load(project), png))
        Path(png).write_bytes(b"PNG")


def test_trains_and_leaves_project_and_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr(headless, "load", lambda path: short(load(path)))
    window = Window()
    assert headless.without_display(lambda: window) == 0
    out = capsys.readouterr().out
    assert "No display" in out and "Test: " in out and "accuracy" in out
    ((project, png),) = window.asked
    assert project.checkpoint.state["epoch"] == 1
    assert Path(png).resolve() == tmp_path / headless.FOLDER / "window.png"
    assert (tmp_path / headless.FOLDER / "digits.nnd").exists()


def short(project):
    training = project.design.training.model_copy(update={"epochs": 1})
    return replace(project, design=replace(project.design, training=training))
