"""Saving: whatever fails, at whichever call, the old or the new file is there whole."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from nndesigner.project import atomic
from nndesigner.project.atomic import write_atomically


def verify(path):
    data = path.read_bytes()
    if data[:1] * len(data) != data:
        raise ValueError("mixed")


def save(path, letter, size=100_000):
    return write_atomically(path, lambda file: file.write(letter * size), verify)


def test_writes_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / "p.nnd"
    assert save(path, b"a") == path
    save(path, b"b")
    assert path.read_bytes() == b"b" * 100_000
    assert os.listdir(tmp_path) == ["p.nnd"]


def test_keeps_the_mode_and_writes_through_a_link(tmp_path):
    real, link = tmp_path / "real.nnd", tmp_path / "link.nnd"
    real.write_bytes(b"a")
    real.chmod(0o640)
    link.symlink_to(real)
    assert save(link, b"b") == real
    assert link.is_symlink()
    assert real.read_bytes()[:1] == b"b"
    assert real.stat().st_mode & 0o777 == 0o640


def test_what_verification_refuses_is_not_put_in_place(tmp_path):
    path = tmp_path / "p.nnd"
    save(path, b"a")
    with pytest.raises(ValueError):
        write_atomically(path, lambda file: file.write(b"xy"), verify)
    assert path.read_bytes()[:1] == b"a"
    assert os.listdir(tmp_path) == ["p.nnd"]


def test_a_failure_at_any_call_leaves_old_or_new(tmp_path, monkeypatch):
    """SQLite's loop: the n-th call to the system fails, n = 1, 2, ... until saving succeeds."""
    path = tmp_path / "p.nnd"
    save(path, b"a", 1000)
    calls = {"left": 0}

    def failing(name, original):
        def call(*args, **kwargs):
            calls["left"] -= 1
            if calls["left"] == 0:
                raise OSError(errno.ENOSPC, "No space left on device", name)
            return original(*args, **kwargs)
        return call

    class Thin:
        """The file object, with its calls counted."""

        def __init__(self, file):
            self.file = file
            for name in ("write", "flush"):
                setattr(self, name, failing(name, getattr(file, name)))
            self.fileno = file.fileno

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

    monkeypatch.setattr(atomic, "open", lambda *a: Thin(failing("open", open)(*a)), raising=False)
    for name in ("fsync", "replace", "chmod", "open"):
        monkeypatch.setattr(atomic.os, name, failing(name, getattr(os, name)))

    failures = 0
    for n in range(1, 100):
        calls["left"] = n
        new = b"bc"[n % 2:n % 2 + 1]
        before = path.read_bytes()
        try:
            save(path, new, 1000)
        except OSError as error:
            assert error.errno == errno.ENOSPC
            failures += 1
            assert path.read_bytes() in (before, new * 1000)
            assert os.listdir(tmp_path) == ["p.nnd"]
        else:
            break
    assert failures >= 7
    assert path.read_bytes() == new * 1000


def test_leftovers_of_dead_processes_are_removed(tmp_path):
    command = [sys.executable, "-S", "-c", "import os; print(os.getpid())"]
    child = subprocess.run(command, capture_output=True, check=True)
    dead, alive = tmp_path / f".p.nnd.{int(child.stdout)}.tmp", tmp_path / f".p.nnd.{os.getppid()}.tmp"
    other = tmp_path / ".p.nnd.notes.tmp"
    for path in (dead, alive, other):
        path.write_bytes(b"half")
    save(tmp_path / "p.nnd", b"a")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([alive.name, other.name, "p.nnd"])


KILLED = """
import sys
from pathlib import Path
from nndesigner.project.atomic import write_atomically
path = Path(sys.argv[1])
for n in range(1, 10**9):
    data = n.to_bytes(4, "big") * 200_000
    write_atomically(path, lambda file: file.write(data), lambda p: None)
    print(n, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killed_while_saving(tmp_path):
    """After SIGKILL at any moment the file is the last acknowledged state or the one after it."""
    path = tmp_path / "p.nnd"
    for round_ in range(6):
        child = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, cwd=os.getcwd())
        child.stdout.readline()
        time.sleep(0.01 + 0.013 * round_)
        child.kill()
        lines = child.stdout.read().split()
        child.wait()
        acknowledged = int(lines[-1]) if lines else 1
        data = path.read_bytes()
        n = int.from_bytes(data[:4], "big")
        assert data == n.to_bytes(4, "big") * 200_000
        assert n in (acknowledged, acknowledged + 1)
    save(path, b"z")
    assert os.listdir(tmp_path) == ["p.nnd"]
