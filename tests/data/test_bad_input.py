"""Bad input of every kind in every source that can meet it: a sentence that names file, place and remedy.

The rest of the data stay usable, with a count of what was left out.

`told` is what the user reads: the notes of the data that are left, or the error.
"""

import io
import pickle
import struct
import wave
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nndesigner.data import image_folder, mask_folder, npz_file
from nndesigner.data.cifar_file import Cifar
from nndesigner.data.csv_file import Csv
from nndesigner.data.dataset import DataError
from nndesigner.data.image_folder import ImageFolder
from nndesigner.data.mask_folder import MaskFolder
from nndesigner.data.npz_file import Npz
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.sound_folder import SoundFolder
from nndesigner.data.source import quiet, source_for
from nndesigner.data.table_file import TableFile
from nndesigner.data.text_folder import TextColumn, TextFolder
from nndesigner.engine.device import Device
from nndesigner.graph.check import check
from nndesigner.graph.templates import propose
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer

RNG = np.random.default_rng(5)


def told(source, settings=None):
    """(samples that are left, what the user reads)."""
    try:
        prepared = prepare(source.load(quiet), settings or DataSettings())
    except DataError as error:
        return 0, str(error)
    return sum(map(len, (prepared.train, prepared.validation, prepared.test))), " ".join(prepared.notes)


def photo(path, size=(12, 10)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (*size[::-1], 3), dtype=np.uint8)).save(path)
    return path


def photos(folder, count=12, ending="png"):
    for i in range(count):
        photo(folder / "ab"[i % 2] / f"{i:04}.{ending}")
    return folder


def masked(folder, count=12):
    for i in range(count):
        photo(folder / "images" / f"{i:04}.png")
        (folder / "masks").mkdir(exist_ok=True)
        Image.fromarray((RNG.random((10, 12)) < 0.4).astype(np.uint8)).save(folder / "masks" / f"{i:04}.png")
    return folder


def tone(path, samples=800):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes((8000 * np.sin(np.arange(samples) / 5)).astype("<i2").tobytes())
    return path


def tones(folder, count=12):
    for i in range(count):
        tone(folder / "ab"[i % 2] / f"{i:04}.wav")
    return folder


def words(folder, count=12):
    for i in range(count):
        path = folder / "ab"[i % 2] / f"{i:04}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"some words number {i % 5}")
    return folder


FOLDERS = {"pictures": (ImageFolder, photos), "masks": (MaskFolder, masked), "sounds": (SoundFolder, tones),
           "texts": (TextFolder, words)}


# --- wrong encodings ---


@pytest.mark.parametrize("encoding,said", [("cp1252", "read as Windows-1252"), ("utf-16", "read as UTF-16")])
def test_encodings_of_tables(tmp_path, encoding, said):
    (tmp_path / "a.csv").write_bytes(("größe,wort\n" + "1,naïve\n2,schön\n" * 20).encode(encoding))
    left, text = told(Csv(path=str(tmp_path / "a.csv")))
    assert left == 40 and "'a.csv'" in text and said in text


def test_encodings_of_texts(tmp_path):
    (words(tmp_path) / "a" / "0000.txt").write_bytes("schön und größer".encode("cp1252"))
    (tmp_path / "b" / "0001.txt").write_bytes(b"\x00\x01\x02 binary \x00")
    left, text = told(TextFolder(path=str(tmp_path)))
    assert left == 11 and "0001.txt" in text and "0000.txt" in text


def test_encodings_of_json_lines(tmp_path):
    rows = [f'{{"text": "some words {i % 4}", "label": "{"ab"[i % 2]}"}}' for i in range(20)]
    (tmp_path / "a.jsonl").write_bytes("\n".join(rows).encode() + b'\n{"text": "sch\xf6n", "label": "a"}\n')
    left, text = told(TableFile(path=str(tmp_path / "a.jsonl")))
    assert left == 20 and "1 lines left out. The first fault: line 21" in text
    left, text = told(TextColumn(path=str(tmp_path / "a.jsonl")))
    assert left == 21 and "not UTF-8 and was read as Windows-1252 (first: 'a.jsonl')" in text


# --- rows and cells ---


def test_ragged_rows(tmp_path):
    rows = [f"{i},{i % 3},x" for i in range(30)]
    rows[7], rows[20] = "1,2", "1,2,3,4"
    (tmp_path / "a.csv").write_text("p,q,r\n" + "\n".join(rows))
    left, text = told(Csv(path=str(tmp_path / "a.csv")), DataSettings(roles={"q": "target", "r": "ignore"}))
    assert left == 28 and "2 rows left out: the number of cells differs from the other rows (line 9, 22)" in text


def test_text_in_a_column_of_numbers(tmp_path):
    rows = [f"{i * 1.5},{i % 2}" for i in range(40)]
    rows[12] = "about five,1"
    (tmp_path / "a.csv").write_text("size,kind\n" + "\n".join(rows))
    left, text = told(Csv(path=str(tmp_path / "a.csv")))
    assert left == 40 and "Column 'size': 1 value is no number and counts as missing (line 14: 'about five')" in text


@pytest.mark.parametrize("shape", [(40, 3), (40, 9, 9), (40, 200)])
def test_values_that_are_no_numbers(tmp_path, shape):
    x = RNG.normal(size=shape)
    x[5], x[8].flat[0] = np.nan, np.inf
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(40) % 2)
    left, text = told(Npz(path=str(tmp_path / "a.npz")))
    assert (left == 38 and "first in sample 6" in text) or "infinite" in text or "missing value" in text


# --- classes ---


@pytest.mark.parametrize("kind", FOLDERS.keys() - {"masks"})
def test_a_class_with_one_sample(tmp_path, kind):
    source, make = FOLDERS[kind]
    folder = make(tmp_path)
    first = sorted((folder / "a").iterdir())[0]
    (folder / "c").mkdir()
    first.rename(folder / "c" / first.name)
    left, text = told(source(path=str(folder)))
    assert left == 12 and "Class 'c' has only one sample; it stays in training" in text


@pytest.mark.parametrize("kind", FOLDERS)
def test_an_empty_folder(tmp_path, kind):
    source, _ = FOLDERS[kind]
    (tmp_path / "a").mkdir()
    left, text = told(source(path=str(tmp_path)))
    assert left == 0 and tmp_path.name in text and any(word in text for word in ("Put", "Choose"))
    left, text = told(source(path=str(tmp_path / "nowhere")))
    assert left == 0 and "nowhere" in text


def test_labels_out_of_range(tmp_path):
    content = bytearray(RNG.integers(0, 256, 20 * 3073, dtype=np.uint8).tobytes())
    for i in range(20):
        content[i * 3073] = i % 10
    content[7 * 3073] = 77
    (tmp_path / "data_batch_1.bin").write_bytes(content)
    left, text = told(Cifar(path=str(tmp_path / "data_batch_1.bin")))
    assert "77" in text and "data_batch_1.bin" in text
    masks = RNG.integers(0, 3, (20, 8, 8))
    masks[4, 2, 3] = -9
    np.savez(tmp_path / "a.npz", x=RNG.integers(0, 256, (20, 8, 8, 3), dtype=np.uint8), y=masks)
    assert "class number -9" in told(Npz(path=str(tmp_path / "a.npz")))[1]
    folder = masked(tmp_path / "m")
    (folder / "classes.txt").write_text("one\ntwo\n")
    Image.fromarray(np.full((10, 12), 9, dtype=np.uint8)).save(folder / "masks" / "0003.png")
    left, text = told(MaskFolder(path=str(folder)))
    assert left == 0 and "3 different numbers (0, 1, 9), but 2 classes are named" in text


# --- files ---


@pytest.mark.parametrize("lazily", [False, True])
def test_a_broken_jpeg_among_thousands(tmp_path, monkeypatch, lazily):
    folder = photos(tmp_path / "p", 200, "jpg")
    broken = folder / "b" / "0101.jpg"
    broken.write_bytes(broken.read_bytes()[:300])
    (folder / "a" / "0100.jpg").write_bytes(b"")
    if lazily:
        monkeypatch.setattr("nndesigner.data.picture_cache.cache_folder", lambda: tmp_path / "cache")
        monkeypatch.setattr(image_folder, "AT_ONCE", 0)
    left, text = told(ImageFolder(path=str(folder), height=8, width=8))
    assert left == 198 and "2 pictures left out. The first fault: '0100.jpg' is empty" in text


def huge_png(path, side=30_000):
    """A picture of 900 million pixels in a few bytes: only its header is true."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))


@pytest.mark.parametrize("kind,place", [("pictures", "a/0000.png"), ("masks", "images/0000.png"),
                                        ("masks", "masks/0000.png")])
def test_a_picture_of_30000_pixels_each_way(tmp_path, kind, place):
    source, make = FOLDERS[kind]
    huge_png(make(tmp_path) / place)
    left, text = told(source(path=str(tmp_path), height=8, width=8))
    assert left == 11
    assert "'0000.png' has 900,000,000 pixels; at most 67,108,864 can be loaded. Make it smaller." in text


def test_a_zip_bomb(tmp_path):
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": "|u1", "fortran_order": False, "shape": (1 << 28,)})
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as file:
        file.write(out.getvalue())
        for _ in range(256):
            file.write(bytes(1 << 20))
    left, text = told(Npz(path=str(tmp_path / "a.npz")))
    assert left == 0 and "'a.npz'" in text and "zip bomb" in text


class Evil:
    def __reduce__(self):
        return (Path.touch, (Path("/tmp/nndesigner-was-here"),))


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.pkl", "a.npy from pickle"])
def test_a_pickle(tmp_path, name):
    path = tmp_path / name.split()[0]
    if name in ("a.pkl", "a.npy from pickle"):
        path.write_bytes(pickle.dumps(Evil()))
    elif name == "a.npy":
        np.save(path, np.array([Evil(), 3], dtype=object), allow_pickle=True)
    else:
        np.savez(path, x=np.array([Evil(), 3], dtype=object))
    source = source_for(path)
    if name == "a.pkl":
        assert source is None  # the window says that it reads no such files
        return
    left, text = told(source)
    assert left == 0 and "a.np" in text and ("pickle" in text or "no NumPy array" in text)
    assert not Path("/tmp/nndesigner-was-here").exists()


# --- a file that vanishes while it is used ---


def vanishing(tmp_path, monkeypatch, kind):
    """(source of data that stay on the disk, the file that is to vanish)."""
    monkeypatch.setattr("nndesigner.data.picture_cache.cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr("nndesigner.data.picture_cache.LIMIT", 0)
    if kind == "array":
        np.save(tmp_path / "x.npy", RNG.integers(0, 256, (40, 9, 9, 1), dtype=np.uint8))
        monkeypatch.setattr(npz_file, "MAP_FROM", 10)
        monkeypatch.setattr("nndesigner.data.preparing.IN_MEMORY", 0)
        return Npz(path=str(tmp_path / "x.npy")), tmp_path / "x.npy"
    module, (source, make) = (image_folder if kind == "pictures" else mask_folder), FOLDERS[kind]
    monkeypatch.setattr(module, "AT_ONCE", 0)
    folder = make(tmp_path / "data", 30)
    place = "a/0002.png" if kind == "pictures" else "masks/0002.png"
    return source(path=str(folder), height=8, width=8), folder / place


@pytest.mark.parametrize("kind", ["array", "pictures", "masks"])
def test_a_file_that_vanishes_while_training(tmp_path, monkeypatch, kind):
    source, path = vanishing(tmp_path, monkeypatch, kind)
    prepared = prepare(source.load(quiet), DataSettings(source=source, validation=0, test=0))
    checked = check(propose(prepared.signature), prepared.signature)
    trainer = Trainer(checked, prepared, TrainSettings(epochs=3, batch_size=4), Device("cpu"))
    trainer.step()
    path.unlink()
    with pytest.raises(DataError, match=rf"'?{path.name}'? .*(vanished|does not exist)|does not exist.*"):
        trainer.run()
    trainer.close()
