"""The container of a project file: a zip of a few named members and a manifest with their hashes.

Knows nothing of what is in the members. Equal members give equal bytes. Reading is for files of strangers: names, sizes
and the nesting of JSON are looked at before anything is allocated, and every fault is a ProjectError with a sentence.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

import nndesigner

FORMAT = "nndesigner project"
MANIFEST = "manifest.json"

MAX_MEMBERS = 64
MAX_JSON = 32 << 20
MAX_DEPTH = 64
#: a member above FREE_SIZE may not unpack to more than this many times its packed size
MAX_RATIO = 100
FREE_SIZE = 1 << 20

_DAMAGE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError,
    ValueError, OverflowError, OSError,
)


class ProjectError(ValueError):
    """A project cannot be read or written. The text names the file, the reason and, where there is one, the way out."""


class Damaged(Exception):
    """What is wrong inside a file, as a sentence without the file's name. Becomes a ProjectError before it leaves."""


# --- writing ---


def write_container(out: BinaryIO, members: Mapping[str, bytes], schema_version: int) -> None:
    """Write the manifest and the members. Raises OSError."""
    entries = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in sorted(members.items())
    }
    manifest = {
        "app_version": nndesigner.__version__, "format": FORMAT, "members": entries, "schema_version": schema_version,
    }
    with zipfile.ZipFile(out, "w") as zf:
        for name, data in [(MANIFEST, dump_json(manifest)), *sorted(members.items())]:
            # Times and rights of the zip are fixed: what is the same must look the same, byte by byte.
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o644 << 16
            # Weights hardly get smaller; stored, they are read and written at the disk's speed.
            info.compress_type = zipfile.ZIP_DEFLATED if name.endswith(".json") else zipfile.ZIP_STORED
            zf.writestr(info, data)


def dump_json(value: Any) -> bytes:
    """Canonical JSON: sorted keys, fixed indent, no NaN. Raises ValueError for a value JSON does not know."""
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False).encode("utf-8")


# --- reading ---


def read_container(
    path: Path, allowed: frozenset[str], newest_version: int, only: frozenset[str] | None = None
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """(members, manifest) of the file at `path`; with `only`, just the members of those names.

    Raises ProjectError for anything that is not a whole, unchanged file of a version up to `newest_version`.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ProjectError(f"'{path.name}' is not a file.")
        with path.open("rb") as file:
            return _read(file, status.st_size, allowed, newest_version, only)
    except FileNotFoundError as error:
        raise ProjectError(f"'{path}' does not exist.") from error
    except PermissionError as error:
        raise ProjectError(f"You have no right to read '{path}'.") from error
    except Damaged as error:
        raise ProjectError(f"'{path.name}' cannot be opened: {error}") from error
    except _DAMAGE as error:
        if isinstance(error, ProjectError):
            raise
        raise ProjectError(
            f"'{path.name}' cannot be opened: it is no nndesigner project, or it is damaged ({error}).") from error
    except MemoryError as error:
        raise ProjectError(f"There is not enough memory to open '{path.name}'.") from error


def _read(
    file: BinaryIO, file_size: int, allowed: frozenset[str], newest_version: int, only: frozenset[str] | None
) -> tuple[dict[str, bytes], dict[str, Any]]:
    with zipfile.ZipFile(file) as zf:
        infos = zf.infolist()
        _check_entries(infos, file_size, zf.start_dir)
        by_name = {info.filename: info for info in infos}
        if MANIFEST not in by_name:
            raise Damaged("it is no nndesigner project (it has no manifest).")
        manifest = load_json(_member(zf, by_name[MANIFEST]), MANIFEST)
        entries = _check_manifest(manifest, newest_version)
        if set(by_name) != {MANIFEST, *entries}:
            raise Damaged("its list of contents does not fit its contents.")
        strange = sorted(set(entries) - allowed)
        if strange:
            raise Damaged(f"it holds something that does not belong into a project ({strange[0]!r}).")
        members = {}
        for name in sorted(entries):
            if only is None or name in only:
                data = _member(zf, by_name[name])
                if len(data) != entries[name]["size"] or hashlib.sha256(data).hexdigest() != entries[name]["sha256"]:
                    raise Damaged(f"its part '{name}' was changed or is damaged.")
                members[name] = data
    return members, manifest


def _check_entries(infos: list[zipfile.ZipInfo], file_size: int, directory: int) -> None:
    """Everything that can be known of the members without unpacking one."""
    if len(infos) > MAX_MEMBERS:
        raise Damaged(f"it holds {len(infos)} parts, more than a project can have.")
    if len({info.filename for info in infos}) != len(infos):
        raise Damaged("it holds two parts of the same name.")
    total = 0
    for info in infos:
        name = info.filename
        if not re.fullmatch(r"[a-z0-9_]+\.[a-z]+", name):
            raise Damaged(f"it holds a part with a forbidden name ({name[:60]!r}).")
        if info.flag_bits & 0x1:
            raise Damaged("it is encrypted.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Damaged("it is packed in a way that projects do not use.")
        if info.file_size > FREE_SIZE and info.file_size > MAX_RATIO * info.compress_size:
            raise Damaged(f"its part '{name}' would unpack to {info.file_size >> 20} MB.")
        if name.endswith(".json") and info.file_size > MAX_JSON:
            raise Damaged(f"its part '{name}' is larger than {MAX_JSON >> 20} MB.")
        total += info.file_size
    if total > 4 * file_size + (64 << 20):
        raise Damaged(f"it would unpack to {total >> 20} MB.")
    # Overlapping members let a small file unpack to a large one (CVE-2024-0450), and Python 3.11.7 does not look.
    ordered = sorted(infos, key=lambda info: info.header_offset)
    ends = [info.header_offset + 30 + len(info.filename) + info.compress_size for info in ordered]
    if any(end > begin for end, begin in zip(ends, [*(i.header_offset for i in ordered[1:]), directory])):
        raise Damaged("its parts overlap.")


def _check_manifest(manifest: Any, newest_version: int) -> dict[str, dict[str, Any]]:
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise Damaged("it is no nndesigner project.")
    version, entries = manifest.get("schema_version"), manifest.get("members")
    if type(version) is not int or version < 1:
        raise Damaged("its manifest gives no version.")
    if version > newest_version:
        raise Damaged(
            f"it was saved by a newer nndesigner (file version {version}, this program reads up to {newest_version}). "
            "Update nndesigner to open it. The file was not changed.")
    if not isinstance(entries, dict) or not all(
        isinstance(entry, dict) and isinstance(entry.get("sha256"), str) and type(entry.get("size")) is int
        for entry in entries.values()
    ):
        raise Damaged("its manifest does not list its parts.")
    return entries


def is_newer(version: Any) -> bool:
    """Whether a version of the program, as a manifest gives it, is newer than this one."""
    if not isinstance(version, str) or not re.fullmatch(r"\d{1,4}(\.\d{1,4}){0,3}", version):
        return False
    return [*map(int, version.split("."))] > [*map(int, nndesigner.__version__.split("."))]


def _member(zf: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with zf.open(info) as member:
        data = member.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise Damaged(f"its part '{info.filename}' is not of the size that it claims.")
    return data


def load_json(data: bytes, name: str) -> Any:
    """Strict JSON: UTF-8, bounded size and depth, finite numbers, no key twice. Raises Damaged."""
    if len(data) > MAX_JSON:
        raise Damaged(f"its part '{name}' is larger than {MAX_JSON >> 20} MB.")
    try:
        text = data.decode("utf-8")
        brackets = re.findall(r"[\[\]{}]", re.sub(r'"(?:[^"\\]|\\.)*"', "", text))
        if max(accumulate(1 if b in "[{" else -1 for b in brackets), default=0) > MAX_DEPTH:
            raise Damaged(f"its part '{name}' is nested deeper than {MAX_DEPTH} levels.")
        return json.loads(text, object_pairs_hook=_pairs, parse_float=_finite, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise Damaged(f"its part '{name}' is no proper JSON ({error}).") from error


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name appears twice")
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text} is too large")
    return value


def _constant(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def packed(members: Mapping[str, bytes], schema_version: int) -> bytes:
    """`write_container` into memory."""
    out = io.BytesIO()
    write_container(out, members, schema_version)
    return out.getvalue()
