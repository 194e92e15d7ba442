"""Pictures of the user's own in folders."""

import numpy as np
import pytest
from PIL import Image

from nndesigner.data import image_folder, picture_cache, source_for
from nndesigner.data.dataset import DataError
from nndesigner.data.image_folder import ImageFolder
from nndesigner.data.picture_cache import Pictures
from nndesigner.data.pictures import read_picture
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.rows import EncodedRows
from nndesigner.data.source import Cancelled, quiet

COLOURS = {"blue": (0, 0, 255), "red": (250, 10, 10)}


@pytest.fixture
def folder(tmp_path):
    """Eight pictures of each of two colours, of several sizes and formats."""
    root = tmp_path / "colours"
    for name, colour in COLOURS.items():
        (root / name / "deeper").mkdir(parents=True)
        for i in range(8):
            place = root / name / ("deeper" if i == 7 else "") / f"{i}.{['png', 'bmp', 'webp'][i % 3]}"
            Image.new("RGB", (20 + i, 30 - i), colour).save(place)
    return root


def test_folders_are_classes(folder):
    source = source_for(folder)
    assert isinstance(source, ImageFolder)
    data = source.replaced(height=8, width=12).load(quiet)
    assert data.title == "colours" and data.form == "images" and data.notes == ()
    values, labels = data.column("image").values, data.column("class").values
    assert values.shape == (16, 8, 12, 3) and values.dtype == np.uint8
    assert list(labels) == ["blue"] * 8 + ["red"] * 8
    for label, colour in COLOURS.items():
        assert np.abs(values[labels == label].astype(int) - colour).max() < 12
    prepared = prepare(data, DataSettings(source=source))
    assert prepared.signature.get("target").classes == ("blue", "red")
    assert prepared.preparation.inputs[0].high == 255


def test_grey_and_pictures_without_classes(folder):
    for deeper in folder.rglob("deeper"):
        for path in deeper.iterdir():
            path.unlink()
        deeper.rmdir()
    data = ImageFolder(path=str(folder / "blue"), colour="grey", height=4, width=4).load(quiet)
    assert [c.name for c in data.columns] == ["image"] and data.column("image").values.shape == (7, 4, 4, 1)
    assert prepare(data, DataSettings()).signature.targets == ()


def test_parts_named_by_folders_are_kept(folder, tmp_path):
    root = tmp_path / "set"
    for part, count in (("train", 6), ("val", 2), ("test", 3)):
        for name, colour in COLOURS.items():
            (root / part / name).mkdir(parents=True)
            for i in range(count):
                Image.new("RGB", (9, 9), colour).save(root / part / name / f"{i}.png")
    prepared = prepare(ImageFolder(path=str(root)).load(quiet), DataSettings())
    assert [len(prepared.part(p)) for p in ("train", "validation", "test")] == [12, 4, 6]


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_a_new_picture_is_treated_like_those_of_the_training(folder, fit):
    odd = np.random.default_rng(0).integers(0, 256, (40, 25, 3), dtype=np.uint8)
    Image.fromarray(odd).save(folder / "red" / "odd.png")
    prepared = prepare(ImageFolder(path=str(folder), height=10, width=14, fit=fit).load(quiet), DataSettings())
    row = next(i for i in range(17) if np.ptp(prepared.dataset.column("image").values[i, ..., 1]) > 50)
    new = read_picture(str(folder / "red" / "odd.png"), prepared.preparation.inputs[0])
    assert np.abs(new[0] - prepared.dataset.column("image").values[row]).max() <= 0.51


def test_broken_pictures_are_left_out_and_told(folder):
    (folder / "red" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no")
    (folder / "red" / "notes.txt").write_text("not a picture")
    (folder / "red" / ".hidden.png").write_bytes(b"")
    data = ImageFolder(path=str(folder)).load(quiet)
    assert len(data) == 16 and len(data.notes) == 1
    assert data.notes[0].startswith("1 picture left out") and "broken.jpg" in data.notes[0]


def test_unusable_folders_are_sentences(tmp_path):
    with pytest.raises(DataError, match="Choose a folder"):
        ImageFolder().load(quiet)
    with pytest.raises(DataError, match="is not a folder"):
        ImageFolder(path=str(tmp_path / "none")).load(quiet)
    with pytest.raises(DataError, match="holds no pictures"):
        ImageFolder(path=str(tmp_path)).load(quiet)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(b"no")
    with pytest.raises(DataError, match="No picture of .* can be read. The first fault: 'x.png'"):
        ImageFolder(path=str(tmp_path)).load(quiet)


def test_too_many_pictures_are_refused(folder, monkeypatch):
    monkeypatch.setattr("nndesigner.data.image_folder.MAX_FILES", 15)
    with pytest.raises(DataError, match="more than 15 pictures"):
        ImageFolder(path=str(folder)).load(quiet)


# --- decoded when they are wanted ---


@pytest.fixture
def later(monkeypatch, tmp_path):
    """Every folder counts as a large one; the cache is in a folder of the test."""
    monkeypatch.setattr(image_folder, "AT_ONCE", 3)
    monkeypatch.setattr(picture_cache, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(picture_cache, "FREE", 0)


def test_many_pictures_are_decoded_once_and_only_when_wanted(folder, later, monkeypatch, tmp_path):
    with monkeypatch.context() as inner:
        inner.setattr(image_folder, "AT_ONCE", 1000)
        expected = ImageFolder(path=str(folder), height=8, width=8).load(quiet).column("image").values
    calls = []
    real = picture_cache.decoded
    monkeypatch.setattr(picture_cache, "decoded", lambda *a: calls.append(a[0]) or real(*a))
    values = ImageFolder(path=str(folder), height=8, width=8).load(quiet).column("image").values
    assert isinstance(values, Pictures) and not calls and values.shape == expected.shape
    for index in (4, slice(2, 6), np.array([4, 4, 15]), slice(None)):
        np.testing.assert_array_equal(values[index], expected[index])
    assert len(calls) == 16 and values.complete
    again = ImageFolder(path=str(folder), height=8, width=8).load(quiet).column("image").values
    assert isinstance(again, np.ndarray) and len(calls) == 16  # all are there, and few bytes: in memory now
    np.testing.assert_array_equal(again, expected)
    assert picture_cache.cache_size() > 0
    picture_cache.clear_cache()
    assert picture_cache.cache_size() == 0
    np.testing.assert_array_equal(values[:], expected)


def test_training_on_pictures_decoded_later_gives_the_same_samples(folder, later, monkeypatch):
    lazy = prepare(ImageFolder(path=str(folder), height=8, width=8).load(quiet), DataSettings())
    monkeypatch.setattr(image_folder, "AT_ONCE", 1000)
    inside = prepare(ImageFolder(path=str(folder), height=8, width=8).load(quiet), DataSettings())
    assert isinstance(lazy.train.arrays["image"], EncodedRows)
    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(lazy.part(part).arrays["image"][:], inside.part(part).arrays["image"])


def test_the_oldest_decoded_pictures_go_first(folder, later, monkeypatch, tmp_path):
    sources = [ImageFolder(path=str(folder), height=h, width=64) for h in (64, 65, 66)]
    for source in sources[:2]:
        source.load(quiet).column("image").values[:]
    monkeypatch.setattr(picture_cache, "LIMIT", picture_cache.cache_size() + 50_000)
    first = min((tmp_path / "cache").glob("*.pixels"), key=lambda p: p.stat().st_mtime)
    sources[2].load(quiet)
    left = list((tmp_path / "cache").glob("*.pixels"))
    assert len(left) == 2 and first not in left
    monkeypatch.setattr(picture_cache, "LIMIT", 10)  # no room at all: decoded each time
    values = sources[0].replaced(height=20).load(quiet).column("image").values
    np.testing.assert_array_equal(values[3], values[:][3])


def test_pictures_cut_off_are_left_out_beforehand_others_end_the_run_with_a_sentence(folder, later):
    path = folder / "red" / "large.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])
    data = ImageFolder(path=str(folder)).load(quiet)
    assert len(data) == 16 and "large.jpg" in data.notes[0]
    pixels = folder / "red" / "odd.png"
    Image.fromarray(noise).save(pixels)
    broken = bytearray(pixels.read_bytes())
    broken[100:140] = bytes(40)  # its head and its end are good
    pixels.write_bytes(broken)
    data = ImageFolder(path=str(folder)).load(quiet)
    assert len(data) == 17
    with pytest.raises(DataError, match="'odd.png' is damaged.*Load the data again"):
        data.column("image").values[:]
    assert len(ImageFolder(path=str(folder)).load(quiet)) == 16


# --- labels in a table ---


def test_labels_beside_the_pictures(folder):
    flat = folder / "blue"
    (flat / "labels.csv").write_text("file,age,label\n0.png,3,cold\n1.bmp,4,warm\n3,5,cold\n9.png,1,warm\n")
    source = ImageFolder(path=str(flat), height=8, width=8)
    for deeper in (flat / "deeper").iterdir():
        deeper.unlink()
    (flat / "deeper").rmdir()
    data = source.load(quiet)
    assert len(data) == 3 and list(data.column("label").values) == ["cold", "warm", "cold"]
    assert any("1 rows of 'labels.csv' name files that are not there (first: '9.png', line 5)" in n for n in data.notes)
    assert any("4 pictures without a label" in note for note in data.notes)
    (flat / "labels.csv").write_text("a,b\nx,y\nz,w\n")
    with pytest.raises(DataError, match="No column of 'labels.csv' names the pictures"):
        source.load(quiet)


def test_loading_tells_its_progress_and_can_be_cancelled(folder):
    def stop(fraction, text):
        if fraction is not None:
            raise Cancelled

    with pytest.raises(Cancelled):
        ImageFolder(path=str(folder)).load(stop)
