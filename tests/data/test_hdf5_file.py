"""HDF5 files: what is in them, what stays in them, and what must not lead out of them."""

import numpy as np
import pytest

from nndesigner.data import hdf5_file
from nndesigner.data.dataset import DataError
from nndesigner.data.hdf5_file import Hdf5
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.rows import EncodedRows, mapped
from nndesigner.data.source import quiet, source_for

h5py = pytest.importorskip("h5py")
PICTURES = np.random.default_rng(0).integers(0, 256, (40, 9, 9, 3), dtype=np.uint8)


def write(path, **arrays):
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file.create_dataset(name.replace("__", "/"), data=values)
    return str(path)


def test_names_are_guessed_in_groups(tmp_path):
    path = write(tmp_path / "a.h5", train__images=PICTURES, train__labels=np.arange(40) % 3, other=np.zeros(5))
    assert isinstance(source_for(tmp_path / "a.h5"), Hdf5)
    dataset = Hdf5(path=path).load(quiet)
    np.testing.assert_array_equal(dataset.column("image").values, PICTURES)
    target = next(c for c in dataset.columns if c.role == "target")
    assert target.kind == "category" and target.categories == ("0", "1", "2")


def test_parts_texts_and_chosen_names(tmp_path):
    x = np.random.default_rng(1).normal(size=(30, 4))
    path = write(tmp_path / "a.h5", x_train=x, y_train=np.arange(30) % 2, x_test=x[:6], y_test=np.arange(6) % 2,
                 names=np.array([f"kind {i % 2}" for i in range(30)], dtype="S8"))
    dataset = Hdf5(path=path).load(quiet)
    assert len(dataset) == 36 and len(dataset.parts["test"]) == 6
    with h5py.File(path, "a") as file:
        del file["x_test"]
        file["words"] = [f"kind {i % 2}" for i in range(30)]
    for name in ("names", "/words"):
        target = Hdf5(path=path, x="x_train", y=name).load(quiet).columns[-1]
        assert target.categories == ("kind 0", "kind 1")
    with pytest.raises(DataError, match=r"no array 'nothing'.*x_train \(30 × 4\)"):
        Hdf5(path=path, x="nothing").load(quiet)
    with pytest.raises(DataError, match="30 samples, y_test has 6 targets|has 30 samples"):
        Hdf5(path=path, x="x_train", y="y_test").load(quiet)


@pytest.mark.parametrize("form", ["plain", "packed", "channels first", "grey"])
def test_large_arrays_stay_in_the_file(tmp_path, monkeypatch, form):
    given = {"channels first": np.moveaxis(PICTURES, -1, 1), "grey": PICTURES[..., 0]}.get(form, PICTURES)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        packing = {} if form == "plain" else {"chunks": (7, *given.shape[1:]), "compression": "gzip"}
        file.create_dataset("x", data=given, **packing)
        file["y"] = np.arange(40) % 4
    at_once = Hdf5(path=str(tmp_path / "a.h5")).load(quiet)
    monkeypatch.setattr(hdf5_file, "MAP_FROM", 100)
    later = Hdf5(path=str(tmp_path / "a.h5")).load(quiet)
    values = later.column("image").values
    assert (mapped(values) is not None) == (form == "plain") and values.shape == at_once.column("image").values.shape
    one, two = prepare(at_once, DataSettings()), prepare(later, DataSettings())
    np.testing.assert_array_equal(one.train.arrays["image"], two.train.arrays["image"][:])
    np.testing.assert_array_equal(values[3], at_once.column("image").values[3])
    if form == "packed":
        assert isinstance(two.train.arrays["image"], EncodedRows) and len(later.fingerprint) == 64
        (tmp_path / "a.h5").unlink()
        with pytest.raises(DataError, match="'a.h5' has vanished or changed"):
            two.train.arrays["image"][:]


def test_nothing_leads_out_of_the_file(tmp_path):
    write(tmp_path / "secret.h5", x=np.ones((20, 2)))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = h5py.ExternalLink("secret.h5", "x")
    with pytest.raises(DataError, match="no arrays of its own. Links to other files are not followed"):
        Hdf5(path=str(tmp_path / "a.h5")).load(quiet)
    (tmp_path / "raw.bin").write_bytes(bytes(320))
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_dataset("x", (20, 2), "f8", external=[(str(tmp_path / "raw.bin"), 0, 320)])
    with pytest.raises(DataError, match="keeps its values in other files"):
        Hdf5(path=str(tmp_path / "b.h5")).load(quiet)
    layout = h5py.VirtualLayout((20, 2), "f8")
    layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "x", (20, 2))
    with h5py.File(tmp_path / "c.h5", "w") as file:
        file.create_virtual_dataset("x", layout)
    with pytest.raises(DataError, match="keeps its values in other files"):
        Hdf5(path=str(tmp_path / "c.h5")).load(quiet)


@pytest.mark.parametrize("make,said", [
    (lambda f: f.create_dataset("x", (5,), h5py.vlen_dtype(np.int32)), "lists of different lengths"),
    (lambda f: f.create_dataset("x", data=np.zeros(5, dtype=[("a", "f4"), ("b", "i4")])), "numbers or texts"),
    (lambda f: f.create_dataset("x", data=np.zeros(5, dtype=complex)), "numbers or texts"),
    (lambda f: f.create_dataset("x", (1 << 20, 1 << 20), "f8", chunks=(8, 1024), compression="gzip"),
     None),
    (lambda f: [f.create_dataset(n, data=np.zeros(5)) for n in "pq"], "It is not clear which array"),
])
def test_what_cannot_be_used(tmp_path, make, said):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        make(file)
    source = Hdf5(path=str(tmp_path / "a.h5"))
    if said is None:  # promises 8 TB in a few bytes: nothing is taken for it before it is read
        assert source.load(quiet).columns[0].values.nbytes == 8 << 40
        return
    with pytest.raises(DataError, match=said):
        source.load(quiet)


def test_damaged_files(tmp_path):
    good = write(tmp_path / "a.h5", x=np.random.default_rng(0).normal(size=(200, 4)), y=np.arange(200) % 2)
    content = (tmp_path / "a.h5").read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(60):
        data = bytearray(content)
        for at in rng.integers(0, 2000, 4):
            data[at] = rng.integers(256)
        (tmp_path / "a.h5").write_bytes(bytes(data[:len(data) - int(rng.integers(0, 2)) * 3000]))
        try:
            prepare(Hdf5(path=good).load(quiet), DataSettings())
        except DataError:
            refused += 1
    assert refused > 0
    (tmp_path / "b.h5").write_text("no such file")
    with pytest.raises(DataError, match="is no HDF5 file"):
        Hdf5(path=str(tmp_path / "b.h5")).load(quiet)


def test_the_library_is_named_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5_file.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"needs? the library h5py.*pip install \"nndesigner\[data\]\""):
        Hdf5(path=write(tmp_path / "a.h5", x=np.zeros((5, 2)))).load(quiet)
