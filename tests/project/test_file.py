"""The project file: what was saved comes back to the bit, and a foreign file can do nothing but be refused."""

import copy
import errno
import json
import os
import random
import signal
import struct
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

import nndesigner
from nndesigner.cli.running import load_data, train
from nndesigner.engine.device import Device
from nndesigner.graph.check import check
from nndesigner.graph.model import Graph, Placeholder
from nndesigner.project import atomic, file, migrations
from nndesigner.project.container import packed, read_container
from nndesigner.project.file import Project, ProjectError, load, peek, save
from nndesigner.training.averaging import ExponentialAverage
from nndesigner.training.checkpoint import Checkpoint
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer


def same(a, b):
    """Whether two projects are equal in everything that a file keeps."""
    return (
        a.design == b.design and a.trained_design == b.trained_design and a.meta == b.meta
        and same_arrays(flat(a.history), flat(b.history))
        and (a.checkpoint is None) == (b.checkpoint is None)
        and (a.checkpoint is None or (
            a.checkpoint.state == b.checkpoint.state and same_arrays(a.checkpoint.arrays, b.checkpoint.arrays)))
        and (a.preparation is None) == (b.preparation is None)
        and (a.preparation is None or (
            a.preparation.to_json() == b.preparation.to_json()
            and same_arrays(a.preparation.arrays(), b.preparation.arrays())))
    )


def flat(history):
    return {f"{name}{i}": array for name, pair in history.items() for i, array in enumerate(pair)}


def same_arrays(a, b):
    return a.keys() == b.keys() and all(
        a[n].dtype == b[n].dtype and a[n].shape == b[n].shape and a[n].tobytes() == b[n].tobytes() for n in a)


def parts_of(path):
    """The parts of a file, the JSON ones parsed."""
    members, _ = read_container(path, file._ALLOWED, 10**6)
    return {n: json.loads(m) if n.endswith(".json") else m for n, m in members.items()}


def write_parts(path, parts, version=migrations.SCHEMA_VERSION):
    """A file with proper hashes whatever the parts hold: what a hostile author would make."""
    path.write_bytes(packed(
        {n: json.dumps(p).encode() if n.endswith(".json") else p for n, p in parts.items()}, version))


# --- coming back ---


def test_empty_project_comes_back(tmp_path):
    path = tmp_path / "p.nnd"
    save(Project(), path)
    assert same(load(path), Project())


def test_trained_project_comes_back_to_the_bit(tmp_path, trained):
    path = tmp_path / "p.nnd"
    assert save(trained, path) == path
    found = load(path)
    assert same(found, trained)
    groups = {name.split("/")[0] for name in found.checkpoint.arrays}
    assert {"weights", "optimizer", "best", "curve"} <= groups
    assert found.history["loss"][1].size
    assert peek(path) == trained.meta


def test_equal_projects_give_equal_bytes(tmp_path, trained):
    first, second, third = (tmp_path / f"{n}.nnd" for n in "abc")
    save(trained, first)
    time.sleep(0.01)
    save(trained, second)
    save(load(first), third)
    assert first.read_bytes() == second.read_bytes() == third.read_bytes()


def test_training_goes_on_from_a_file_as_if_it_had_not_stopped(tmp_path, design):
    prepared = load_data(design)
    longer = replace(design, training=design.training.model_copy(update={"early_stopping": 0}))
    path = tmp_path / "p.nnd"
    save(train(Project(longer), prepared).project, path)
    resumed = train(load(path), prepared, resume=True, more_epochs=3).project
    whole = train(Project(longer), prepared, more_epochs=3).project
    assert same_arrays(resumed.checkpoint.part("weights"), whole.checkpoint.part("weights"))


def test_the_trained_design_is_kept_beside_the_current_one(tmp_path, trained):
    changed = replace(trained, design=replace(trained.design, graph=Graph()), trained_design=trained.design)
    path = tmp_path / "p.nnd"
    save(changed, path)
    found = load(path)
    assert found.design.graph == Graph()
    assert found.learned == trained.design
    assert same(found, changed)


def test_unknown_layers_are_kept(tmp_path, trained):
    path = tmp_path / "p.nnd"
    save(replace(trained, checkpoint=None, preparation=None), path)
    parts = parts_of(path)
    strange = {"kind": "warp.v9", "power": 3, "list": [1, {"a": None}]}
    parts["design.json"]["current"]["graph"]["nodes"][1]["layer"] = strange
    write_parts(path, parts)
    found = load(path)
    assert isinstance(found.design.graph.nodes[1].layer, Placeholder)
    save(found, path)
    assert parts_of(path)["design.json"]["current"]["graph"]["nodes"][1]["layer"] == strange


def test_arrays_of_every_memory_order_are_written_right(tmp_path, trained):
    """safetensors 0.8.0 writes wrong values for arrays that are not contiguous."""
    path = tmp_path / "p.nnd"
    arrays = {n: a if a.ndim < 2 else np.asfortranarray(a) for n, a in trained.checkpoint.arrays.items()}
    arrays = {n: np.repeat(a, 2, axis=0)[::2] if a.ndim == 1 else a for n, a in arrays.items()}
    assert any(not a.flags.c_contiguous for a in arrays.values())
    odd = replace(trained, checkpoint=Checkpoint(arrays, trained.checkpoint.state))
    save(odd, path)
    assert same(load(path), odd)


def test_curves_of_a_diverged_run(tmp_path):
    path = tmp_path / "p.nnd"
    curve = (np.array([0.0, 1.0, 2.0]), np.array([np.inf, -np.inf, np.nan]))
    save(Project(history={"loss": curve}), path)
    assert same_arrays(flat(load(path).history), flat({"loss": curve}))


def test_values_that_cannot_be_kept_are_told(tmp_path, trained):
    path = tmp_path / "p.nnd"
    save(trained, path)
    before = path.read_bytes()
    with pytest.raises(ProjectError, match="not saved.*Nothing was changed"):
        save(replace(trained, meta={"view": float("nan")}), path)
    arrays = {**trained.checkpoint.arrays, "curve/x": np.array([None])}
    with pytest.raises(ProjectError, match="kind that is not kept"):
        save(replace(trained, checkpoint=Checkpoint(arrays, trained.checkpoint.state)), path)
    arrays = {**trained.checkpoint.arrays, "weights/n2/W": np.zeros((2, 2), np.float32)}
    with pytest.raises(ProjectError, match="do not fit its drawing"):
        save(replace(trained, checkpoint=Checkpoint(arrays, trained.checkpoint.state)), path)
    assert path.read_bytes() == before


# --- versions ---


def test_newer_version_is_refused_and_unchanged(tmp_path, trained):
    path = tmp_path / "p.nnd"
    save(trained, path)
    write_parts(path, parts_of(path), migrations.SCHEMA_VERSION + 1)
    before = path.read_bytes()
    with pytest.raises(ProjectError, match="newer nndesigner.*Update nndesigner"):
        load(path)
    assert path.read_bytes() == before


def test_a_newer_program_is_named_when_its_file_cannot_be_understood(tmp_path, trained, monkeypatch):
    path = tmp_path / "p.nnd"
    save(trained, path)
    parts = parts_of(path)
    parts["design.json"]["current"]["training"]["telepathy"] = True
    for version, newer in (("99.1", True), (nndesigner.__version__, False), ("0.0.9", False)):
        monkeypatch.setattr(nndesigner, "__version__", version)
        write_parts(path, parts)
        monkeypatch.undo()
        with pytest.raises(ProjectError, match="cannot be understood") as error:
            load(path)
        assert ("saved by nndesigner 99.1: update" in str(error.value)) == newer


def test_older_versions_go_through_the_migrations(tmp_path, trained, monkeypatch):
    path = tmp_path / "p.nnd"
    save(trained, path)
    parts = parts_of(path)
    parts["meta.json"] = {"name": "Old"}
    write_parts(path, parts)

    def rename(parts):
        return {**parts, "meta.json": {"title": parts["meta.json"]["name"]}}

    for module in (migrations, file):
        monkeypatch.setattr(module, "SCHEMA_VERSION", 2)
    monkeypatch.setitem(migrations.MIGRATIONS, 1, rename)
    assert load(path).meta == {"title": "Old"}


def test_every_step_between_versions_has_a_migration():
    assert sorted(migrations.MIGRATIONS) == list(range(1, migrations.SCHEMA_VERSION))


# --- broken and hostile files ---


def test_flipped_bytes(tmp_path, trained):
    """A changed byte is refused with a sentence or changes nothing (test_container.py does it for every byte)."""
    path = tmp_path / "p.nnd"
    save(trained, path)
    data = path.read_bytes()
    # Every byte of the zip's directory at the end, where most of the traps are, and every third of the rest.
    places = [*range(0, len(data) - 420, 3), *range(len(data) - 420, len(data))]
    refused = 0
    for place in places:
        broken = bytearray(data)
        broken[place] ^= 0xFF
        path.write_bytes(broken)
        try:
            found = load(path)
        except ProjectError as error:
            refused += 1
            assert str(error).startswith("'p.nnd' cannot be opened: ")
        else:
            assert same(found, trained)
    assert refused > len(data) // 4


def mutated(value, rng):
    """The value with one place in it removed, or replaced by something that does not belong there."""
    places = []

    def walk(node, path):
        if path:
            places.append(path)
        for key, child in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
            walk(child, (*path, key))

    value = copy.deepcopy(value)
    walk(value, ())
    *path, key = rng.choice(places)
    holder = value
    for step in path:
        holder = holder[step]
    if rng.random() < 0.2:
        del holder[key]
    else:
        holder[key] = rng.choice([
            None, -1, 0, 1, 3, 2**63, 10**400, 1e300, True, "", "x", "relu.v1", "input.v1", "n1", [], [1], {}, {"a": 1},
            [[]], {"kind": "dense.v1"}, "\ud800", -0.5, [[1, 2], [3]], "../../etc/passwd",
        ])
    return value


def test_hostile_values_with_proper_hashes(tmp_path, trained):
    """Whatever stands in the JSON parts, loading gives a project or a sentence."""
    path = tmp_path / "p.nnd"
    save(replace(trained, trained_design=trained.design), path)
    parts = parts_of(path)
    rng = random.Random(2)
    refused = 0
    for _ in range(600):
        name = rng.choice(["design.json", "design.json", "preparation.json", "history.json", "meta.json"])
        write_parts(path, {**parts, name: mutated(parts[name], rng)})
        try:
            load(path)
        except ProjectError:
            refused += 1
    assert refused > 200


def weights_with(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize("weights", [
    b"", b"1234567", struct.pack("<Q", 2**63) + b"{}", weights_with(b"[]"), weights_with(b"{"), weights_with(b"\xff"),
    weights_with({"checkpoint/a": 1}), weights_with({"checkpoint/a": {"dtype": "F32"}}),
    weights_with({"checkpoint/a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}}, bytes(4)),
    weights_with({"checkpoint/a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, bytes(4)),
    weights_with({"checkpoint/a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}, bytes(4)),
    weights_with({"checkpoint/a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(8)),
    weights_with({"checkpoint/a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, bytes(8)),
    weights_with({"checkpoint/a": {"dtype": "F32", "shape": [1] * 40, "data_offsets": [0, 4]}}, bytes(4)),
    weights_with({"other/a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
    weights_with({"checkpoint/a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
    weights_with({"__metadata__": {"a": "b"}}), weights_with(b"{}" + b" " * 7 + b"\0"),
])
def test_hostile_weights(tmp_path, trained, weights):
    path = tmp_path / "p.nnd"
    save(trained, path)
    write_parts(path, {**parts_of(path), "weights.safetensors": weights})
    with pytest.raises(ProjectError, match="cannot be opened"):
        load(path)


def test_weights_that_belong_to_another_drawing(tmp_path, trained):
    path = tmp_path / "p.nnd"
    save(trained, path)
    parts = parts_of(path)
    parts["design.json"]["current"]["graph"]["nodes"][1]["layer"]["units"] = 4
    write_parts(path, parts)
    with pytest.raises(ProjectError, match="do not fit its drawing"):
        load(path)


@pytest.mark.parametrize("change", [
    {"epoch": None}, {"epoch": -1}, {"threads": 10**6}, {"epochs": 2.5}, {"stopped_early": 1}, {"val_losses": 3},
    {"history": {}}, {"history": {"curves": {"x": {}}, "metrics": []}}, {"history": {"curves": {}, "metrics": [["a"]]}},
])
def test_a_run_that_cannot_go_on(tmp_path, trained, change):
    path = tmp_path / "p.nnd"
    save(trained, path)
    parts = parts_of(path)
    parts["history.json"]["run"].update(change)
    write_parts(path, parts)
    with pytest.raises(ProjectError, match="history.json"):
        load(path)
    parts["history.json"]["run"].pop(next(iter(change)))
    write_parts(path, parts)
    with pytest.raises(ProjectError, match="history.json"):
        load(path)


def test_a_part_that_is_missing(tmp_path, trained):
    path = tmp_path / "p.nnd"
    save(trained, path)
    for name in parts_of(path):
        save(trained, path)
        parts = parts_of(path)
        del parts[name]
        write_parts(path, parts)
        with pytest.raises(ProjectError, match="is missing"):
            load(path)


# --- saving that fails ---


def test_a_full_disk_leaves_the_old_file(tmp_path, trained, monkeypatch):
    path = tmp_path / "p.nnd"
    save(Project(), path)
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(ProjectError, match="no room left on the disk.*Nothing was changed"):
        save(trained, path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["p.nnd"]


def test_places_that_cannot_be_written(tmp_path, trained):
    with pytest.raises(ProjectError, match="does not exist"):
        save(trained, tmp_path / "none" / "p.nnd")
    with pytest.raises(ProjectError, match="is a folder"):
        save(trained, tmp_path)


SAVING = """
import sys
from dataclasses import replace
from nndesigner.project.file import load, save
path = sys.argv[1]
project = load(path)
for n in range(1, 10**9):
    save(replace(project, meta={"n": n}), path)
    print(n, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killed_while_saving(tmp_path, trained):
    path = tmp_path / "p.nnd"
    save(trained, path)
    for round_ in range(3):
        child = subprocess.Popen([sys.executable, "-c", SAVING, str(path)], stdout=subprocess.PIPE, cwd=os.getcwd())
        child.stdout.readline()
        time.sleep(0.05 + 0.031 * round_)
        child.kill()
        lines = child.stdout.read().split()
        child.wait()
        acknowledged = int(lines[-1]) if lines else 1
        found = load(path)
        assert found.meta["n"] in (acknowledged, acknowledged + 1)
        assert same(replace(found, meta=trained.meta), trained)


def test_keeps_a_run_that_averages_weights_and_gathers_gradients(tmp_path, design):
    settings = TrainSettings(epochs=2, batch_size=8, accumulate=3, averaging=ExponentialAverage())
    design = replace(design, training=settings)
    data = load_data(design)
    trainer = Trainer(check(design.graph, data.signature), data, settings, Device("cpu"))
    for _ in range(trainer.steps_per_epoch + 2):
        trainer.step()
    checkpoint = trainer.checkpoint()
    assert checkpoint.part("trained") and checkpoint.part("gathered")
    read = load(save(Project(design, checkpoint, data.preparation), tmp_path / "p.nnd")).checkpoint
    assert read.arrays.keys() == checkpoint.arrays.keys() and read.state == checkpoint.state
    assert all(np.array_equal(read.arrays[name], array) for name, array in checkpoint.arrays.items())
