"""Data that are not in memory: the same bits as those that are, little memory, sentences when files go."""

import os
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from nndesigner.data import preparing
from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.npz_file import Npz
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.rows import EncodedRows, RawReader, mapped, sampled
from nndesigner.data.source import quiet
from nndesigner.engine.device import Device
from nndesigner.graph.check import check
from nndesigner.graph.model import Edge, Graph, Node
from nndesigner.insight.answers import confusion, predictions
from nndesigner.layers.dense import Dense
from nndesigner.layers.io import Input, Output
from nndesigner.layers.regular import Dropout
from nndesigner.layers.reshape import Flatten
from nndesigner.training.session import Session
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer

COUNT = 300


@pytest.fixture
def file(tmp_path):
    """Pictures of two classes in a mapped .npy file."""
    values = np.random.default_rng(0).integers(0, 256, (COUNT, 8, 8, 1), dtype=np.uint8)
    values[::2, :4] //= 2
    path = tmp_path / "pictures.npy"
    np.save(path, values)
    return path


def dataset(path):
    labels = np.array(["dim", "bright"] * (COUNT // 2), dtype=object)
    return Dataset("pictures", "images", (
        Column("image", "image", "input", np.load(path, mmap_mode="r"), limits=(0, 255)),
        Column("class", "category", "target", labels)))


def kept(path, monkeypatch, scaling="auto"):
    """(prepared in memory, prepared on reading)."""
    settings = DataSettings(scaling=scaling)
    inside = prepare(dataset(path), settings)
    monkeypatch.setattr(preparing, "IN_MEMORY", 1000)
    return inside, prepare(dataset(path), settings)


def trainer(data, **settings):
    layers = [Input(), Flatten(), Dense(units=16, activation="relu"), Dropout(rate=0.2), Dense(units=2), Output()]
    graph = Graph(tuple(Node(f"n{i}", layer) for i, layer in enumerate(layers)),
                  tuple(Edge(f"n{i}", f"n{i + 1}") for i in range(len(layers) - 1)), len(layers))
    return Trainer(check(graph, data.signature), data, TrainSettings(**{"epochs": 3, "batch_size": 32, **settings}),
                   Device("cpu"))


@pytest.mark.parametrize("scaling", ["auto", "standardise"])
def test_samples_read_later_are_the_same_bits(file, monkeypatch, scaling):
    inside, outside = kept(file, monkeypatch, scaling)
    for part in ("train", "validation", "test"):
        here, there = inside.part(part).arrays["image"], outside.part(part).arrays["image"]
        assert isinstance(here, np.ndarray) and isinstance(there, EncodedRows)
        assert there.shape == here.shape and there.dtype == here.dtype and len(there) == len(here)
        for index in (slice(None), slice(3, 9), 5, np.array([7, 2, 2]), slice(None, None, 7)):
            np.testing.assert_array_equal(there[index], here[index])
        np.testing.assert_array_equal(there.at(np.array([4, 1]))[:], here[[4, 1]])
        out = np.empty((2, 8, 8, 1), dtype=np.float32)
        there.read(np.array([9, 3]), out)
        np.testing.assert_array_equal(out, here[[9, 3]])


def test_a_run_that_reads_ahead_is_the_run_in_memory(file, monkeypatch):
    inside, outside = (trainer(data) for data in kept(file, monkeypatch))
    for _ in range(9):
        outside.step()
    half = outside.checkpoint()
    inside.run()
    outside.run()
    resumed = Trainer(outside.checked, outside.prepared, outside.settings, Device("cpu"), half)
    resumed.run()
    expected = inside.checkpoint().arrays
    for other in (outside, resumed):
        found = other.checkpoint().arrays
        assert found.keys() == expected.keys()
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
        assert other.evaluate("test") == inside.evaluate("test")
    mine, theirs = (confusion(t.network, t.prepared) for t in (inside, outside))
    np.testing.assert_array_equal(mine.counts, theirs.counts)
    np.testing.assert_array_equal(*(predictions(t.network, t.prepared, "train").probabilities
                                    for t in (inside, outside)))
    outside.extend(1)
    outside.step()
    for one in (outside, resumed):
        one.close()


def test_reading_threads_end_with_the_session(file, monkeypatch):
    import threading

    _, outside = kept(file, monkeypatch)
    session = Session(lambda: trainer(outside, epochs=1000))
    session.start()
    deadline = time.monotonic() + 10
    while session.poll()[0].step < 20 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert any(t.name.startswith("nndesigner reading") for t in threading.enumerate())
    assert session.close(5)
    while any(t.name.startswith("nndesigner reading") for t in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("fault,said", [
    (lambda path: path.unlink(), "'pictures.npy' has vanished"),
    (lambda path: os.truncate(path, 5000), "'pictures.npy' has become shorter"),
])
def test_a_file_that_goes_while_training_is_the_sentence_of_the_run(file, monkeypatch, fault, said):
    _, outside = kept(file, monkeypatch)
    session = Session(lambda: trainer(outside, epochs=100_000))
    session.start()
    deadline = time.monotonic() + 10
    while session.poll()[0].step < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    fault(file)
    while session.poll()[0].state == "running" and time.monotonic() < deadline:
        time.sleep(0.01)
    telemetry = session.poll()[0]
    session.close(5)
    assert telemetry.state == "failed" and telemetry.failure.text.startswith(said)


def test_a_sample_that_is_no_number_is_named(file, monkeypatch):
    values = np.ones((50, 8, 8, 1), dtype=np.float32)
    values[::3] = 0
    values[17, 2, 2, 0] = np.nan
    monkeypatch.setattr(preparing, "IN_MEMORY", 1000)
    data = prepare(Dataset("p", "images", (Column("image", "image", "input", values, limits=(0, 1)),)), DataSettings())
    assert any("too large to be looked through" in note for note in data.notes)
    everything = np.concatenate([p.rows for p in (data.train, data.validation, data.test)])
    assert 17 in everything
    with pytest.raises(DataError, match="Sample 18 of 'image'"):
        for part in (data.train, data.validation, data.test):
            part.arrays["image"][:]


@pytest.mark.parametrize("change", [
    lambda v: v, lambda v: np.moveaxis(v, 1, -1), lambda v: v[5:], lambda v: v.view(np.int8), lambda v: v[::3],
    lambda v: v[:, :2, 3:5], lambda v: v[:, ::-1]])
def test_views_of_mapped_files_are_read_as_they_are(tmp_path, change):
    values = np.random.default_rng(0).integers(0, 100, (50, 3, 7, 6), dtype=np.uint8)
    with open(tmp_path / "raw", "wb") as file:
        file.write(b"header that is no page long")
        file.write(values.tobytes())
    view = change(np.memmap(tmp_path / "raw", np.uint8, "r", 27, values.shape))
    read = RawReader(view)
    for index in (np.array([3, 9, 9, 10, 11, 2]), slice(2, 12), slice(None), np.array([], dtype=np.int64)):
        np.testing.assert_array_equal(read(index), np.array(change(values)[index]))


def test_samples_drawn_for_measuring():
    numbers = np.arange(1000) * 3
    assert sampled(numbers, 10, 20_000, (1,)) is numbers
    some = sampled(numbers, 10, 1000, (1,))
    assert 80 < len(some) <= 100 and (np.diff(some) > 0).all() and np.isin(some, numbers).all()
    np.testing.assert_array_equal(some, sampled(numbers, 10, 1000, (1,)))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_large_arrays_of_an_archive_stay_in_the_file(tmp_path, monkeypatch, save):
    from nndesigner.data import npz_file

    monkeypatch.setattr(npz_file, "MAP_FROM", 1000)
    x = np.random.default_rng(0).integers(0, 256, (40, 9, 9, 3), dtype=np.uint8)
    save(tmp_path / "a.npz", x=x, y=np.arange(40) % 2)
    values = Npz(path=str(tmp_path / "a.npz")).load(quiet).column("image").values
    assert (mapped(values) is not None) == (save is np.savez)
    np.testing.assert_array_equal(values, x)
    np.save(tmp_path / "b.npy", x)
    values = Npz(path=str(tmp_path / "b.npy")).load(quiet).column("image").values
    assert mapped(values) is not None
    np.testing.assert_array_equal(values, x)


CHILD = """
    import sys
    from dataclasses import replace
    import numpy as np
    from nndesigner.data.dataset import Column
    from nndesigner.data.npz_file import Npz
    from nndesigner.data.preparing import DataSettings, Part, prepare
    from nndesigner.data.source import quiet
    from tests.data.test_rows import trainer

    pictures = Npz(path=sys.argv[1]).load(quiet)
    labels = np.array(["a", "b"], dtype=object)[np.arange(len(pictures)) % 2]
    data = prepare(replace(pictures, columns=(*pictures.columns, Column("class", "category", "target", labels))),
                   DataSettings())
    assert len(data.train) > 200_000 and data.fingerprint
    run = trainer(data, batch_size=128)
    for _ in range(200):
        run.step()
    some = Part("some", data.test.rows[:500], {name: rows[:500] for name, rows in data.test.arrays.items()})
    assert np.isfinite(run.evaluate(some)["loss"])
    print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads the memory of a process from /proc")
def test_20_gigabytes_train_in_less_than_one(tmp_path):
    path = tmp_path / "large.npy"
    np.lib.format.open_memmap(path, "w+", np.float32, (407_000, 64, 64, 3))  # a sparse file: no byte is written
    status = path.stat()
    assert status.st_size > 20e9
    if status.st_blocks * 512 > 1e9:
        pytest.skip("the file system keeps no sparse files")
    found = subprocess.run([sys.executable, "-c", textwrap.dedent(CHILD), str(path)], capture_output=True, text=True,
                           timeout=120, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    assert found.returncode == 0, found.stderr
    assert int(found.stdout.split()[1]) < 1 << 20, found.stdout  # kB
