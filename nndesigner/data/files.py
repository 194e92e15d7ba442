"""Opening files of users and strangers: sizes are looked at before anything is read, faults become sentences."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from pathlib import Path

from nndesigner.data.dataset import DataError


def checked_file(path: str, what: str, limit: int) -> tuple[Path, int]:
    """(path, size in bytes) of an ordinary file of at most `limit` bytes.

    `what` says which file is meant ("CSV file"). Raises DataError.
    """
    if not path:
        raise DataError(f"Choose a {what}.")
    found = Path(path).expanduser()
    with reading(found):
        status = found.stat()
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"'{found.name}' is not a file. Choose a {what}.")
    if status.st_size == 0:
        raise DataError(f"'{found.name}' is empty.")
    if status.st_size > limit:
        raise DataError(f"'{found.name}' has {_size(status.st_size)}; a {what} may have at most {_size(limit)}. Use a "
                        "part of it.")
    return found, status.st_size


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns the faults of the file system into DataErrors."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"'{path}' does not exist. Choose the file again.") from error
    except IsADirectoryError as error:
        raise DataError(f"'{path.name}' is a folder. Choose a file in it.") from error
    except PermissionError as error:
        raise DataError(f"You have no right to read '{path}'.") from error
    except MemoryError as error:
        raise DataError(f"There is not enough memory to load '{path.name}'. Use a part of it.") from error
    except OSError as error:
        raise DataError(f"'{path.name}' cannot be read: {error.strerror or error}.") from error


def _size(count: int) -> str:
    for unit, factor in (("GB", 1 << 30), ("MB", 1 << 20)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count:,} bytes"
