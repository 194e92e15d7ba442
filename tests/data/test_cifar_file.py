"""Binary files of CIFAR-10 and CIFAR-100."""

import numpy as np
import pytest

from nndesigner.data import source_for
from nndesigner.data.dataset import DataError
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import quiet


def records(count, label_bytes, seed):
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 10)[:, None].repeat(label_bytes, axis=1).astype(np.uint8)
    return np.concatenate([labels, rng.integers(0, 256, (count, 3072), dtype=np.uint8)], axis=1)


def test_batches_are_read_together_and_the_test_batch_is_kept(tmp_path):
    first, second, test = (records(30, 1, seed) for seed in range(3))
    for name, values in (("data_batch_1", first), ("data_batch_2", second), ("test_batch", test)):
        (tmp_path / f"{name}.bin").write_bytes(values.tobytes())
    source = source_for(tmp_path / "data_batch_2.bin")
    data = source.load(quiet)
    assert source.kind == "cifar.v1" and len(data) == 90 and data.column("class").values[1] == "automobile"
    picture = data.column("image").values[31]
    np.testing.assert_array_equal(picture[..., 2], second[1, 1 + 2048:].reshape(32, 32))  # planes: red, green, blue
    prepared = prepare(data, DataSettings())
    np.testing.assert_array_equal(prepared.test.rows, np.arange(60, 90))
    (tmp_path / "batches.meta.txt").write_text("\n".join(f"kind {i}" for i in range(10)))
    assert source.load(quiet).column("class").values[1] == "kind 1"


def test_cifar_100_and_faults(tmp_path):
    (tmp_path / "train.bin").write_bytes(records(20, 2, 0).tobytes())
    assert source_for(tmp_path / "train.bin").load(quiet).column("class").values[3] == "3"
    (tmp_path / "odd.bin").write_bytes(bytes(5000))
    with pytest.raises(DataError, match="'odd.bin' has 5,000 bytes"):
        source_for(tmp_path / "odd.bin").load(quiet)
    (tmp_path / "high.bin").write_bytes(bytes([77]) + bytes(3072))
    with pytest.raises(DataError, match="label 77"):
        source_for(tmp_path / "high.bin").load(quiet)
