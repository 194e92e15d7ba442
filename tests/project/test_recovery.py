"""Recovery: what a crashed window kept is offered once, what a living one keeps is not."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nndesigner.project.design import Design
from nndesigner.project.file import Project
from nndesigner.project.recovery import Autosave, pending


def project(**more):
    design = Design()
    return Project(replace(design, training=design.training.model_copy(update={"epochs": 11})), **more)


CRASH = """
import os, sys
from dataclasses import replace
from pathlib import Path
from nndesigner.project.design import Design
from nndesigner.project.file import Project
from nndesigner.project.recovery import Autosave
design = Design()
design = replace(design, training=design.training.model_copy(update={"epochs": 77}))
autosave = Autosave(Path(sys.argv[1]))
autosave.write(Project(design, meta={"title": "T"}), Path("/home/me/work.nnd"))
print("kept", flush=True)
sys.stdin.read()
"""


def crashing(folder):
    child = subprocess.Popen(
        [sys.executable, "-c", CRASH, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=os.getcwd())
    assert child.stdout.readline() == b"kept\n"
    return child


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_what_a_killed_window_kept_is_offered(tmp_path):
    child = crashing(tmp_path)
    assert pending(tmp_path) == []  # it lives
    child.kill()
    child.communicate()
    (found,) = pending(tmp_path)
    assert found.origin == Path("/home/me/work.nnd")
    assert found.title == "work"
    assert pending(tmp_path) == []  # held by this one, not offered twice
    kept = found.load()
    assert kept.design.training.epochs == 77
    assert kept.meta == {"title": "T"}
    found.release()
    (again,) = pending(tmp_path)
    again.discard()
    assert pending(tmp_path) == []
    assert os.listdir(tmp_path) == []


def test_orderly_end_leaves_nothing(tmp_path):
    first, second = Autosave(tmp_path), Autosave(tmp_path)
    first.write(project(), None)
    second.write(project(), None)
    first.clear()
    first.close()
    first.close()
    second.close()
    assert os.listdir(tmp_path) == []


def test_nothing_kept_and_no_folder(tmp_path):
    assert pending(tmp_path / "none") == []
    autosave = Autosave(tmp_path / "new" / "folder")
    assert pending(tmp_path / "new" / "folder") == []
    autosave.close()


def test_broken_leftovers_are_not_offered_and_not_removed(tmp_path):
    (tmp_path / "a.nnd").write_bytes(b"broken")
    (tmp_path / "a.lock").write_bytes(b"")
    (tmp_path / "b.lock").write_bytes(b"")
    assert pending(tmp_path) == []
    assert sorted(os.listdir(tmp_path)) == ["a.lock", "a.nnd"]
