"""Files from the network: kept in the user's cache folder, with progress, a way out, and a plain word when offline."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_cache_path

from nndesigner.data.dataset import DataError
from nndesigner.data.source import Progress

if TYPE_CHECKING:
    import http.client

#: bytes of one file, of an answer that is no file, and that must stay free on the disk
MAX_BYTES, MAX_ANSWER, FREE = 8 << 30, 16 << 20, 1 << 30
#: seconds without a byte after which a server counts as gone
PATIENCE = 20
CHUNK = 1 << 16


def download_folder() -> Path:
    """Where fetched files are kept. Everything in it may be deleted at any time."""
    return user_cache_path("nndesigner") / "downloads"


def fetched(address: str, progress: Progress, name: str = "") -> Path:
    """The file at an address, from the cache or the network. `name` is what it shall be called.

    A file that was fetched before is not asked for again. Raises DataError, LookupError where the server has no such
    file, and Cancelled when `progress` does; what was fetched by then is thrown away.
    """
    parts = _checked(address)
    folder = download_folder() / hashlib.sha256(address.encode()).hexdigest()[:16]
    path = folder / (name or _file_name(parts))
    if path.is_file():
        os.utime(folder)
        return path
    label = f"{path.name} from {parts.hostname}"
    progress(None, f"Asking for {label}")
    part = path.with_name(path.name + ".part")
    try:
        with _opened(address) as answer:
            size = int(answer.headers.get("Content-Length") or 0)
            _check_size(size, path.name)
            folder.mkdir(parents=True, exist_ok=True)
            if shutil.disk_usage(folder).free < size + FREE:
                raise DataError(f"The disk has no room for '{path.name}' ({size / (1 << 20):,.0f} MB). Make room, then "
                                "read again.")
            done = 0
            with part.open("wb") as file:
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
                    done += len(chunk)
                    _check_size(done, path.name)
                    progress(done / size if size else None, f"Fetching {label}: {done / (1 << 20):,.1f} MB")
        if size and done != size:
            raise DataError(f"'{path.name}' broke off after {done:,} of {size:,} bytes. Read again.")
        os.replace(part, path)
    except OSError as error:
        raise DataError(f"'{path.name}' cannot be kept in '{folder}' ({error.strerror}).") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def asked(address: str, progress: Progress) -> Any:
    """The JSON answer of a service, kept as files are. Raises DataError, and LookupError as `fetched` does."""
    path = fetched(address, progress, "answer.json")
    try:
        if path.stat().st_size > MAX_ANSWER:
            raise ValueError("it is too long")
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        path.unlink(missing_ok=True)
        host = urllib.parse.urlsplit(address).hostname
        raise DataError(f"The answer of {host} cannot be understood ({error}). Try again later.") from error


def _checked(address: str) -> urllib.parse.SplitResult:
    try:
        parts = urllib.parse.urlsplit(address.strip())
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        known = False
    if not known:
        raise DataError(f"'{address}' is no address of a file. It begins with https:// or http://.")
    return parts


def _file_name(parts: urllib.parse.SplitResult) -> str:
    """The last part of the address as a name that every file system takes."""
    last = urllib.parse.unquote(parts.path).rstrip("/").rsplit("/", 1)[-1]
    kept = "".join(c if c.isalnum() or c in "._- " else "_" for c in last).strip(". ")
    return kept[-100:] or "data"


def _check_size(size: int, name: str) -> None:
    if size > MAX_BYTES:
        raise DataError(f"'{name}' has more than {MAX_BYTES >> 30} GB, the most that is fetched. Fetch it yourself, "
                        "and open the file.")


@contextlib.contextmanager
def _opened(address: str) -> Iterator[http.client.HTTPResponse]:
    """The answer to an address. What goes wrong with the network, also while it is read, becomes a DataError.

    Raises LookupError when the server has no such file.
    """
    import http.client  # with ssl they would delay the start of a window that fetches nothing
    import urllib.error
    import urllib.request

    host = _checked(address).hostname
    request = urllib.request.Request(address, headers={"User-Agent": "nndesigner"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            yield answer
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (404, 410, 412):  # OpenML says 412 of what it does not know
            raise LookupError(address) from error
        reason = f"error {error.code}: {error.reason}"
        raise DataError(f"{host} refuses to give the data ({reason}). Try again later.") from error
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        cause = getattr(error, "reason", error)
        cause = getattr(cause, "strerror", None) or cause
        raise DataError(
            f"This needs a network, but {host} was not reached ({cause}). Connect to the internet and read again, or "
            "open a file of your own. What was fetched before needs no network.") from error
