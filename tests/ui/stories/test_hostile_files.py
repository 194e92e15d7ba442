"""Files that are broken, hostile or from the future: a sentence, and nothing has changed."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from nndesigner.resources import resource
from tests.ui.stories.conftest import LEFT


def members() -> dict[str, bytes]:
    """What is in a good project file."""
    with zipfile.ZipFile(resource("examples/iris_table.nnd")) as file:
        return {name: file.read(name) for name in file.namelist()}


def zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return out.getvalue()


def with_manifest(**changes: object) -> bytes:
    parts = members()
    manifest = json.loads(parts["manifest.json"])
    return zipped({**parts, "manifest.json": json.dumps({**manifest, **changes}).encode()})


HOSTILE: dict[str, Callable[[], bytes]] = {
    "newer": lambda: with_manifest(schema_version=999, app_version="99.0"),
    "another format": lambda: with_manifest(format="something else"),
    "a changed part": lambda: zipped({n: c.replace(b"dense", b"denze") for n, c in members().items()}),
    "a missing part": lambda: zipped({n: c for n, c in members().items() if n == "manifest.json"}),
    "a path out of the folder": lambda: zipped({**members(), "../../evil.py": b"import os"}),
    "a pickle": lambda: zipped({**members(), "weights.pkl": b"cos\nsystem\n(S'true'\ntR."}),
    "deep brackets": lambda: zipped({"manifest.json": b"[" * 100_000}),
    "half of it": lambda: resource("examples/iris_table.nnd").read_bytes()[:700],
    "zeros": lambda: bytes(4096),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_told_and_changes_nothing(person, tmp_path: Path, name: str):
    person.open_example("iris_table", epochs=3)
    person.train()
    window, document = person.window, person.document
    before = (document.design, document.path, document.prepared, person.runner.session, window.windowTitle(),
              document.undo_stack.count(), person.runner.telemetry.step)
    document.undo_stack.setClean()
    person.window.files._saved_step = person.runner.telemetry.step  # nothing to be asked about
    before = (*before[:4], window.windowTitle(), *before[5:])
    path = tmp_path / "present.nnd"
    path.write_bytes(HOSTILE[name]())
    person.drop_files(path)
    assert window.banner.isVisible() and "present.nnd" in window.banner.words.text()
    assert window.banner.words.text().strip().endswith(".")
    assert before == (document.design, document.path, document.prepared, person.runner.session, window.windowTitle(),
                      document.undo_stack.count(), person.runner.telemetry.step)
    assert window.files.recent() == []
    assert not (tmp_path.parent / "evil.py").exists()


def test_a_newer_file_says_so(person, tmp_path: Path):
    path = tmp_path / "future.nnd"
    path.write_bytes(HOSTILE["newer"]())
    person.window.files.open(path)
    assert "newer" in person.window.banner.words.text()
    assert person.window.on_start_page and person.window.banner.isVisible()


def test_a_folder_and_a_huge_name_are_told(person, tmp_path: Path):
    for path in (tmp_path, tmp_path / ("x" * 300 + ".nnd"), tmp_path / "no" / "such.nnd"):
        person.window.files.open(path)
        assert person.window.banner.isVisible(), path
        person.window.banner.hide()


def test_recent_files_are_listed_opened_and_forgotten_when_gone(make_person, tmp_path: Path):
    person = make_person()
    paths = [tmp_path / f"{name}.nnd" for name in ("one", "two")]
    for path in paths:
        path.write_bytes(resource("examples/iris_table.nnd").read_bytes())
        person.window.files.open(path)
        assert person.document.path == path
    assert person.window.files.recent() == paths[::-1]
    person.window.menus.recent.aboutToShow.emit()
    assert [a.text() for a in person.window.menus.recent.actions()][:2] == ["two.nnd", "one.nnd"]
    assert person.document.wait_for_data()
    paths[1].unlink()
    other = make_person()
    rows = [b for b in other.window.start.findChildren(QPushButton) if b.accessibleName().startswith("Open ")]
    assert [b.accessibleName() for b in rows if b.accessibleName().endswith(".nnd")] == ["Open one.nnd"]
    QTest.mouseClick(next(b for b in rows if b.accessibleName() == "Open one.nnd"), LEFT)
    assert other.document.path == paths[0]
    assert other.document.wait_for_data()


@pytest.mark.parametrize("value", ["/no/such.nnd", ["", "\0", "/"], 17, {"a": 1}, [1, None], QByteArray(b"x")])
def test_broken_settings_do_no_harm(make_person, value):
    for key in ("recent", "palette/folded", "theme", "canvas/used_after", "window/own_layout", "window/state"):
        QSettings().setValue(key, value)
    person = make_person()
    assert person.window.files.recent() == []
    person.window.menus.recent.aboutToShow.emit()
    person.window.show_canvas()
    person.window.add_layer("dense.v1")


def test_one_folded_group_of_layers_stays_folded(make_person):
    person = make_person()
    person.window.show_canvas()
    person.rest(0.05)
    palette = person.window.palette_panel
    name, group = next(iter(palette._groups.items()))
    QTest.mouseClick(palette.tree.viewport(), LEFT, pos=palette.tree.visualItemRect(group).center())
    assert not group.isExpanded()
    QSettings().sync()
    stored = QSettings(QSettings().fileName(), QSettings.Format.IniFormat)  # as the next start reads it
    QSettings().setValue("palette/folded", stored.value("palette/folded"))
    assert not make_person().window.palette_panel._groups[name].isExpanded()


def test_saving_over_a_folder_without_rights_is_told_and_the_old_file_stays(person, tmp_path: Path, monkeypatch):
    person.open_example("iris_table", epochs=2)
    path = tmp_path / "kept.nnd"
    assert person.window.files._write(path)
    old = path.read_bytes()
    person.train()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert not person.window.files.save()
    assert person.window.banner.isVisible() and person.window.files.unsaved
    monkeypatch.undo()
    assert path.read_bytes() == old and [p.name for p in tmp_path.iterdir() if p.suffix == ".nnd"] == ["kept.nnd"]
