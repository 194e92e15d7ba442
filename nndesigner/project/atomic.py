"""Write a file so that at every moment, also after a power cut, the old or the new one is there whole."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


def write_atomically(path: Path, write: Callable[[BinaryIO], None], verify: Callable[[Path], None]) -> Path:
    """Put what `write` writes at `path`; returns the place written to, which differs when `path` is a symbolic link.

    A temporary file in the same folder is written, brought to the disk, read again by `verify` (which raises when it is
    not what it should be), and only then takes the place of the old one. When anything raises, the old file is
    untouched (only when the folder itself cannot be brought to the disk, the new one may already be in place).
    Raises OSError and whatever `write` and `verify` raise.
    """
    path = Path(os.path.realpath(path))
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    _remove_leftovers(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with suppress(FileNotFoundError):
        os.unlink(temporary)
    try:
        with open(temporary, "xb") as file:
            write(file)
            file.flush()
            with suppress(FileNotFoundError):
                os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
            os.fsync(file.fileno())
        verify(temporary)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(path.parent)
    return path


def _sync_folder(folder: Path) -> None:
    """Bring the new name to the disk. Windows has no such call, and some network drives refuse it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _remove_leftovers(path: Path) -> None:
    """Remove the temporary files of savings that were killed."""
    pattern = re.compile(re.escape(f".{path.name}.") + r"(\d+)\.tmp")
    with suppress(OSError):
        for name in os.listdir(path.parent):
            found = pattern.fullmatch(name)
            if found and not is_running(int(found[1])):
                with suppress(OSError):
                    os.unlink(path.parent / name)


def is_running(pid: int) -> bool:
    """Whether a process of this number lives (on Windows: yes when that cannot be told)."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
