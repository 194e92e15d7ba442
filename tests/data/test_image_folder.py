"""Pictures of the user's own in folders."""

import numpy as np
import pytest
from PIL import Image

from nndesigner.data import source_for
from nndesigner.data.dataset import DataError
from nndesigner.data.image_folder import ImageFolder
from nndesigner.data.pictures import read_picture
from nndesigner.data.preparing import DataSettings, prepare
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


def test_too_many_pictures_are_refused_before_memory_is_taken(folder, monkeypatch):
    monkeypatch.setattr("nndesigner.data.image_folder.MAX_BYTES", 16 * 100 * 100 * 3 - 1)
    with pytest.raises(DataError, match="16 pictures, which would take"):
        ImageFolder(path=str(folder), height=100, width=100).load(quiet)


def test_loading_tells_its_progress_and_can_be_cancelled(folder):
    def stop(fraction, text):
        if fraction is not None:
            raise Cancelled

    with pytest.raises(Cancelled):
        ImageFolder(path=str(folder)).load(stop)
