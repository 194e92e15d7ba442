"""IDX and NumPy files: good ones in all their forms, and broken or hostile ones."""

import gzip
import io
import struct
import zipfile

import numpy as np
import pytest

from nndesigner.data.dataset import DataError
from nndesigner.data.idx_file import Idx, read_idx
from nndesigner.data.npz_file import Npz
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import quiet


def idx_bytes(values, code=0x08, shape=None):
    values = np.asarray(values)
    shape = values.shape if shape is None else shape
    types = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
    head = struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape)
    return head + values.astype(types[code]).tobytes()


@pytest.fixture
def mnist(tmp_path):
    """Four files named like MNIST's, packed: 30 pictures to train on and 10 to test."""
    rng = np.random.default_rng(0)
    made = {}
    for name, n in (("train", 30), ("t10k", 10)):
        made[name] = rng.integers(0, 256, (n, 6, 5)), np.arange(n) % 3
        for kind, values in zip(("images-idx3", "labels-idx1"), made[name]):
            (tmp_path / f"{name}-{kind}-ubyte.gz").write_bytes(gzip.compress(idx_bytes(values)))
    return tmp_path, made


def test_a_set_like_mnist_finds_its_files_and_keeps_its_parts(mnist):
    folder, made = mnist
    source = Idx.for_file(folder / "train-images-idx3-ubyte.gz")
    assert source.test_labels.endswith("t10k-labels-idx1-ubyte.gz")
    assert Idx.for_file(folder / "train-labels-idx1-ubyte.gz") == source
    data = source.load(quiet)
    assert len(data) == 40 and data.form == "images" and data.column("image").values.dtype == np.uint8
    np.testing.assert_array_equal(data.column("image").values[:30, ..., 0], made["train"][0])
    prepared = prepare(data, DataSettings(source=source))
    np.testing.assert_array_equal(prepared.test.rows, np.arange(30, 40))
    assert prepared.signature.get("image").shape.dims == (6, 5, 1)
    assert prepared.signature.get("target").classes == ("0", "1", "2")
    moved = source.relative_to(folder)
    assert moved.images == "train-images-idx3-ubyte.gz" and moved.resolve(folder) == source


def test_pictures_alone(mnist):
    folder, _ = mnist
    data = Idx(images=str(folder / "t10k-images-idx3-ubyte.gz")).load(quiet)
    assert [c.name for c in data.columns] == ["image"] and len(data) == 10
    for name in ("train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
        (folder / name).unlink()
    alone = Idx.for_file(folder / "train-images-idx3-ubyte.gz")
    assert (alone.labels, alone.test_images, alone.test_labels) == ("", "", "")


@pytest.mark.parametrize("code", [0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E])
@pytest.mark.parametrize("pack", [lambda b: b, gzip.compress])
def test_all_types_of_idx(tmp_path, code, pack):
    values = np.arange(24).reshape(2, 3, 4)
    (tmp_path / "a").write_bytes(pack(idx_bytes(values, code)))
    found = read_idx(str(tmp_path / "a"), "file", quiet)
    np.testing.assert_array_equal(found, values)
    assert found.dtype.isnative


good = idx_bytes(np.ones((4, 3, 3)))


@pytest.mark.parametrize("content,said", [
    (b"hello world", "no IDX file"), (b"\0\0\x07\x01\0\0\0\1x", "no IDX file"),
    (b"\0\0\x08\x03\0\0", "header is cut off"),
    (good[:-5], "cut off or damaged: its header promises"), (good + b"x", "more than its header"),
    (idx_bytes([], shape=(2**31, 2**31, 4)), "would take"), (idx_bytes([], shape=(2**30,)), "cut off or damaged"),
    (gzip.compress(idx_bytes([], shape=(2**30,))), "cut off or damaged"),
    (idx_bytes([], shape=(0, 3, 3)), "no data"),
    (gzip.compress(good)[:-12], "damaged: it cannot be unpacked"), (gzip.compress(good[:-5]), "cut off: it ends after"),
    (gzip.compress(good + b"x"), "more than its header"), (idx_bytes(np.ones(5)), "seems to be the file of labels"),
])
def test_broken_idx_files_are_sentences(tmp_path, content, said):
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        Idx(images=str(tmp_path / "bad")).load(quiet)
    assert "'bad'" in str(caught.value)


def test_idx_files_that_do_not_belong_together(mnist):
    folder, _ = mnist
    images, labels = str(folder / "train-images-idx3-ubyte.gz"), str(folder / "t10k-labels-idx1-ubyte.gz")
    with pytest.raises(DataError, match="30 pictures .* but 10 labels"):
        Idx(images=images, labels=labels).load(quiet)
    with pytest.raises(DataError, match="Only one of"):
        Idx(images=images, test_images=str(folder / "t10k-images-idx3-ubyte.gz"), test_labels=labels).load(quiet)
    with pytest.raises(DataError, match="test labels but no test pictures"):
        Idx(images=images, test_labels=labels).load(quiet)
    (folder / "small").write_bytes(idx_bytes(np.ones((2, 3, 3))))
    with pytest.raises(DataError, match="test pictures are 3 × 3, the training pictures 6 × 5"):
        Idx(images=images, test_images=str(folder / "small")).load(quiet)
    with pytest.raises(DataError, match="holds no labels"):
        Idx(images=images, labels=images).load(quiet)


# --- NumPy ---


@pytest.fixture
def npz(tmp_path):
    def loaded(params=None, **arrays):
        np.savez_compressed(tmp_path / "a.npz", **arrays)
        return Npz(path=str(tmp_path / "a.npz"), **(params or {})).load(quiet)

    return loaded


def test_arrays_of_keras_mnist(npz):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (40, 9, 9)).astype(np.uint8)
    y = (np.arange(40) % 4).astype(np.uint8)
    data = npz(x_train=x[:30], y_train=y[:30], x_test=x[30:], y_test=y[30:])
    assert data.form == "images" and data.column("image").values.shape == (40, 9, 9, 1)
    assert data.column("y_train").categories == ("0", "1", "2", "3")
    prepared = prepare(data, DataSettings())
    assert list(prepared.test.rows) == list(range(30, 40)) and "10 test samples" in prepared.notes[0]


@pytest.mark.parametrize("shape,dtype,kinds,dims", [
    ((20,), float, ["number"], (1,)), ((20, 3), float, ["number"] * 3, (3,)), ((20, 100), float, ["array"], (100,)),
    ((20, 12, 10), np.uint8, ["image"], (12, 10, 1)), ((20, 5, 3), float, ["array"], (5, 3)),
    ((20, 8, 6, 3), float, ["image"], (8, 6, 3)), ((20, 3, 8, 6), float, ["image"], (8, 6, 3)),
    ((20, 2, 8, 6, 2), float, ["array"], (2, 8, 6, 2)), ((20, 4), bool, ["number"] * 4, (4,)),
])
def test_samples_by_their_shape(npz, shape, dtype, kinds, dims):
    x = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    data = npz(x=x, y=np.arange(20) % 2)
    assert [c.kind for c in data.columns] == [*kinds, "category"]
    assert prepare(data, DataSettings()).signature.inputs[0].shape.dims == dims


@pytest.mark.parametrize("y,kind,classes", [
    (np.arange(20) % 2, "category", ("0", "1")), (np.array(["b", "a"] * 10), "category", ("a", "b")),
    (np.array([b"b", b"a"] * 10), "category", ("a", "b")), (np.eye(4)[np.arange(20) % 4], "category", tuple("0123")),
    (np.linspace(0, 1, 20), "number", ()), (np.random.default_rng(0).normal(size=(20, 2)), "array", ()),
    ((np.arange(20) % 2)[:, None], "category", ("0", "1")), (np.arange(20) % 2 == 0, "category", ("0", "1")),
])
def test_targets_by_their_values(npz, y, kind, classes):
    data = npz(X=np.random.default_rng(0).normal(size=(20, 2)), Y=y)
    target = data.columns[-1]
    assert (target.kind, target.role, target.categories) == (kind, "target", classes)
    assert len(prepare(data, DataSettings()).signature.targets) == 1


def test_names_can_be_given_and_npy_is_read(npz, tmp_path):
    x = np.random.default_rng(0).normal(size=(20, 2))
    data = npz({"x": "mine", "y": "yours"}, mine=x, yours=np.arange(20) % 2, other=np.ones(3))
    np.testing.assert_array_equal(data.column("mine1").values, x[:, 0])
    assert npz(only=x).columns[0].name == "only1"
    np.save(tmp_path / "a.npy", np.asfortranarray(x.astype(">f4")))
    found = Npz(path=str(tmp_path / "a.npy")).load(quiet)
    np.testing.assert_allclose(found.column("x2").values, x[:, 1], rtol=1e-6)


def test_a_pickle_is_refused_and_never_run(npz, tmp_path):
    class Trap:
        def __reduce__(self):
            return open, (str(tmp_path / "sprung"), "w")

    with pytest.raises(DataError, match="Python objects .pickle., which could run any program"):
        npz(x=np.array([Trap(), Trap()], dtype=object))
    assert not (tmp_path / "sprung").exists()


def header(shape, dtype="<f8"):
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": dtype, "fortran_order": False, "shape": shape})
    return out.getvalue()


def test_hostile_archives_are_refused(tmp_path):
    def archive(members, method=zipfile.ZIP_STORED):
        with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as zf:
            for name, data in members.items():
                zf.writestr(name, data)
        return Npz(path=str(tmp_path / "a.npz"))

    with pytest.raises(DataError, match="header promises"):
        archive({"x.npy": header((10**6, 10**6))}).load(quiet)
    with pytest.raises(DataError, match="like a zip bomb"):
        archive({"x.npy": header((2**20, 9)) + bytes(9 << 23)}, zipfile.ZIP_DEFLATED).load(quiet)
    with pytest.raises(DataError, match="at most 1,000"):
        archive({f"{i}.npy": b"" for i in range(1001)}).load(quiet)
    with pytest.raises(DataError, match="no NumPy array"):
        archive({"x.npy": b"\x80\x04pickle"}).load(quiet)
    with pytest.raises(DataError, match="holds "):
        archive({"x.npy": header((3,), "<M8[s]") + bytes(24)}).load(quiet)
    (tmp_path / "b.npz").write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(DataError, match="is no NumPy file"):
        Npz(path=str(tmp_path / "b.npz")).load(quiet)
    whole = archive({"x.npy": header((50,)) + bytes(range(200)) * 2}, zipfile.ZIP_DEFLATED)
    raw = bytearray((tmp_path / "a.npz").read_bytes())
    raw[120:160] = bytes(40)
    (tmp_path / "a.npz").write_bytes(raw)
    with pytest.raises(DataError, match="damaged"):
        whole.load(quiet)


@pytest.mark.parametrize("arrays,params,said", [
    ({"x": np.ones((5, 2)), "y": np.ones(4)}, {}, "5 samples, y has 4 targets"),
    ({"a": np.ones(3), "b": np.ones(3)}, {}, "not clear which array .* a, b"),
    ({"x": np.ones(3)}, {"x": "z"}, "holds no array 'z'. Its arrays: x"),
    ({"x": np.float64(3)}, {}, "holds no samples"), ({"x": np.array(["a", "b"])}, {}, "holds no samples"),
    ({"x": np.ones((0, 3))}, {}, "has no samples"),
    ({"x_train": np.ones((4, 2)), "x_test": np.ones((4, 3))}, {}, "test samples"),
    ({"x": np.ones((4, 2)), "y": np.array([["a", "b"]] * 4)}, {}, "one for each sample"),
])
def test_arrays_that_do_not_fit_are_sentences(npz, arrays, params, said):
    with pytest.raises(DataError, match=said):
        npz(params, **arrays)
