"""The container: what is equal looks equal, and a hostile or broken file is a sentence, never another exception."""

import io
import json
import os
import struct
import zipfile

import pytest

from nndesigner.project import container
from nndesigner.project.container import ProjectError, packed, read_container

ALLOWED = frozenset({"design.json", "weights.safetensors"})
MEMBERS = {"design.json": b'{"a": [1, 2.5, "x"]}', "weights.safetensors": bytes(range(200))}


def read(path, **more):
    return read_container(path, ALLOWED, 1, **more)


def written(tmp_path, data, name="p.nnd"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def zipped(entries, compression=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as zf:
        for name, data in entries:
            zf.writestr(name, data)
    return out.getvalue()


def manifest(**changes):
    return json.dumps({"format": container.FORMAT, "schema_version": 1, "members": {}, **changes})


def test_comes_back_and_is_byte_identical(tmp_path):
    data = packed(MEMBERS, 1)
    members, found = read(written(tmp_path, data))
    assert members == MEMBERS
    assert found["schema_version"] == 1
    assert packed(dict(reversed(MEMBERS.items())), 1) == data


def test_only_reads_what_is_asked_for(tmp_path):
    members, _ = read(written(tmp_path, packed(MEMBERS, 1)), only=frozenset({"design.json"}))
    assert set(members) == {"design.json"}


def test_every_flipped_bit_is_noticed_or_harmless(tmp_path):
    data = packed(MEMBERS, 1)
    path = tmp_path / "p.nnd"
    noticed = 0
    for at in range(len(data)):
        for mask in (0x01, 0xFF):
            broken = bytearray(data)
            broken[at] ^= mask
            path.write_bytes(broken)
            try:
                members, _ = read(path)
            except ProjectError:
                noticed += 1
            else:
                assert members == MEMBERS
    assert noticed > len(data)


def test_every_truncation_is_an_error(tmp_path):
    data = packed(MEMBERS, 1)
    for length in range(len(data)):
        with pytest.raises(ProjectError):
            read(written(tmp_path, data[:length]))


@pytest.mark.parametrize("data", [b"", b"PK", b"hello", b"\0" * 1000, b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_zip(tmp_path, data):
    with pytest.raises(ProjectError, match="cannot be opened"):
        read(written(tmp_path, data))


def test_newer_version_says_so(tmp_path):
    with pytest.raises(ProjectError, match="newer nndesigner.*Update"):
        read(written(tmp_path, packed(MEMBERS, 2)))


@pytest.mark.parametrize(
    "name", ["../evil.json", "/etc/passwd", "a\\b.json", "folder/", "design.json\n", "Design.JSON", "con/x.json"])
def test_forbidden_names(tmp_path, name):
    with pytest.raises(ProjectError, match="forbidden name"):
        read(written(tmp_path, zipped([("manifest.json", manifest()), (name, b"x")])))


def test_members_beside_the_allowed_ones(tmp_path):
    data = packed({"code.py": b"print()"}, 1)
    with pytest.raises(ProjectError, match="does not belong"):
        read(written(tmp_path, data))
    with pytest.raises(ProjectError, match="list of contents"):
        read(written(tmp_path, zipped([("manifest.json", manifest()), ("design.json", b"{}")])))


def test_too_many_members(tmp_path):
    with pytest.raises(ProjectError, match="65 parts"):
        read(written(tmp_path, zipped([(f"p{i}.json", b"") for i in range(65)])))


def test_bomb_is_refused_before_it_is_unpacked(tmp_path):
    data = zipped([("manifest.json", manifest()), ("weights.safetensors", b"\0" * (20 << 20))], zipfile.ZIP_DEFLATED)
    assert len(data) < 100_000
    with pytest.raises(ProjectError, match="would unpack to 20 MB"):
        read(written(tmp_path, data))


def test_wrong_size_in_the_directory(tmp_path):
    data = bytearray(packed(MEMBERS, 1))
    at = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 1 << 30)
    with pytest.raises(ProjectError):
        read(written(tmp_path, bytes(data)))


def test_overlapping_members(tmp_path):
    data = bytearray(zipped([("manifest.json", manifest()), ("design.json", b"x" * 300)]))
    at = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 42, 0)
    with pytest.raises(ProjectError, match="overlap"):
        read(written(tmp_path, bytes(data)))


def test_two_of_a_name(tmp_path):
    with pytest.warns(UserWarning):
        data = zipped([("manifest.json", manifest()), ("manifest.json", manifest())])
    with pytest.raises(ProjectError, match="same name"):
        read(written(tmp_path, data))


@pytest.mark.parametrize("text", [
    "[" * 100 + "]" * 100, '{"a": 1, "a": 2}', '{"a": NaN}', '{"a": 1e999}', "{", '{"a": ' + "9" * 5000 + "}",
    "\ud800".encode("utf-8", "surrogatepass"),
])
def test_improper_json(text):
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(container.Damaged):
        container.load_json(data, "design.json")


def test_brackets_in_strings_are_no_nesting():
    assert container.load_json(json.dumps({"a": "[" * 100 + '\\"{'}).encode(), "x") == {"a": "[" * 100 + '\\"{'}


def test_what_is_not_a_file(tmp_path):
    with pytest.raises(ProjectError, match="not a file"):
        read(tmp_path)
    with pytest.raises(ProjectError, match="does not exist"):
        read(tmp_path / "nothing.nnd")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.nnd")
        with pytest.raises(ProjectError, match="not a file"):
            read(tmp_path / "pipe.nnd")
