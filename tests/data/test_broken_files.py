"""Files with random faults: every one of them is either read or refused with a sentence."""

import gzip
import io
import random
import struct
import warnings

import numpy as np
import pytest
from PIL import Image

from nndesigner.data.csv_file import Csv
from nndesigner.data.dataset import DataError
from nndesigner.data.encoding import RawInput
from nndesigner.data.idx_file import Idx
from nndesigner.data.npz_file import Npz
from nndesigner.data.pictures import read_picture
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import quiet
from nndesigner.data.statistics import correlation, statistics

ROUNDS = 150
RNG = np.random.default_rng(0)


def spoiled(content: bytes, rng: random.Random) -> bytes:
    """The content with a few bytes changed, cut out or put in, or cut off."""
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 5, 30])):
        if not data:
            break
        at, kind = rng.randrange(len(data)), rng.random()
        if kind < 0.5:
            data[at] = rng.randrange(256)
        elif kind < 0.7:
            del data[at:at + rng.randrange(1, 20)]
        elif kind < 0.9:
            data[at:at] = rng.randbytes(rng.randrange(1, 5))
        else:
            del data[at:]
    return bytes(data)


def stored(write, *arguments, **named):
    out = io.BytesIO()
    write(out, *arguments, **named)
    return out.getvalue()


def use(source):
    """Everything the window does with a data set."""
    dataset = prepare(source.load(quiet), DataSettings(source=source)).dataset
    statistics(dataset)
    correlation(dataset)


IMAGE = Image.fromarray(RNG.integers(0, 256, (24, 30, 3), dtype=np.uint8))
IDX = struct.pack(">BBBBIII", 0, 0, 8, 3, 20, 9, 9) + RNG.integers(0, 256, 20 * 81, dtype=np.uint8).tobytes()
ARRAYS = {"x": RNG.normal(size=(20, 4)), "y": np.arange(20) % 3}
CASES = {
    "csv": ([
        ("a,b,label\n" + "".join(f"{i * 0.3},{i % 4},{'xyz'[i % 3]}\n" for i in range(40))).encode(),
        ("a;b;c\n" + "".join(f'{i},5;"q{i}";{i % 2}\n' for i in range(30))).encode(), b'"x y"\t"z"\n"1""2"\t3\n' * 5,
    ], lambda path: use(Csv(path=path))),
    "idx": ([IDX, gzip.compress(IDX)], lambda path: use(Idx(images=path))),
    "npz": ([stored(np.savez, **ARRAYS), stored(np.savez_compressed, **ARRAYS)], lambda path: use(Npz(path=path))),
    "npy": ([stored(np.save, ARRAYS["x"])], lambda path: use(Npz(path=path))),
    "png": ([stored(IMAGE.save, kind) for kind in ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")],
            lambda path: read_picture(path, RawInput("image", "image", shape=(8, 8, 1), ground="dark"))),
}


@pytest.mark.parametrize("kind", CASES)
def test_broken_files_are_read_or_refused(tmp_path, kind):
    goods, read = CASES[kind]
    rng = random.Random(7)
    path = tmp_path / f"broken.{kind}"
    refused = 0
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=RuntimeWarning)
        warnings.filterwarnings("ignore", category=UserWarning)  # Pillow tells of each odd tag
        for content in goods:
            path.write_bytes(content)
            read(str(path))
            for _ in range(ROUNDS):
                path.write_bytes(spoiled(content, rng))
                try:
                    read(str(path))
                except DataError:
                    refused += 1
    assert refused > 0


@pytest.mark.parametrize("content,said", [
    (b'""\n', "is empty"), (b"a,b\n" + b"1e300,1\n-1e300,2\n1e301,3\n" * 9, "too large to calculate with"),
])
def test_faults_that_chance_has_found(tmp_path, content, said):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=said):
        use(Csv(path=str(tmp_path / "a.csv")))
