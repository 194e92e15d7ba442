"""Classes of pixels: from files of all forms to arrays, in step with their pictures."""

import numpy as np
import pytest
from PIL import Image

from nndesigner.data import mask_folder
from nndesigner.data.augment import About, Augmentation, Augmenter
from nndesigner.data.augment.pictures import Erase, Flip, Light, Noise
from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.encoding import Preparation
from nndesigner.data.image_folder import ImageFolder
from nndesigner.data.mask_folder import MaskFolder
from nndesigner.data.masks import UNSEEN, as_large_as, colour_map, nearest
from nndesigner.data.npz_file import Npz
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.rows import EncodedRows
from nndesigner.data.shape_masks import ShapeMasks
from nndesigner.data.source import quiet, source_for
from nndesigner.engine.device import Device
from nndesigner.engine.optimizers import Adam
from nndesigner.graph.check import check
from nndesigner.graph.edit import add_node, connect
from nndesigner.graph.model import Graph
from nndesigner.layers.conv import Conv2D
from nndesigner.layers.io import Input, Output
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer


def scene(number, height=40, width=60):
    """(colour picture, mask of classes 0, 1 and 2): a bright square on dark ground, half of it of class 2."""
    mask = np.zeros((height, width), dtype=np.uint8)
    top, left = 4 + number % 8, 6 + number % 16
    mask[top:top + 20, left:left + 10] = 1
    mask[top:top + 20, left + 10:left + 20] = 2
    return np.stack([60 * mask + 40] * 3, axis=-1).astype(np.uint8), mask


def save(folder, count=12, pictures="images/{}.png", masks="masks/{}.png", form="grey"):
    colours = np.array([[0, 0, 0], [255, 0, 0], [0, 0, 255]], dtype=np.uint8)
    for i in range(count):
        picture, mask = scene(i)
        for pattern in (pictures, masks):
            (folder / pattern.format(i)).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / pictures.format(i))
        if form == "palette":
            made = Image.fromarray(mask).convert("P")
            made = Image.frombytes("P", made.size, mask.tobytes())
            made.putpalette(colour_map(256).tobytes())
        else:
            made = Image.fromarray(colours[mask] if form == "colour" else mask)
        made.save(folder / masks.format(i))
    return folder


@pytest.mark.parametrize("form,names", [
    ("grey", ("0", "1", "2")), ("palette", ("0", "1", "2")), ("colour", ("#000000", "#0000FF", "#FF0000"))])
def test_all_kinds_of_mask_files(tmp_path, form, names):
    dataset = MaskFolder(path=str(save(tmp_path, form=form)), height=40, width=60).load(quiet)
    mask = dataset.column("mask")
    assert mask.categories == names and mask.values.shape == (12, 40, 60)
    expected = np.array([scene(int(n))[1] for n in sorted(map(str, range(12)))])
    if form == "colour":
        expected = np.array([0, 2, 1])[expected]
    np.testing.assert_array_equal(mask.values, expected)


@pytest.mark.parametrize("pictures,masks", [
    ("images/{}.jpg", "labels/{}.png"), ("{}.jpg", "{}_mask.png"), ("train/images/{}.png", "train/masks/{}.png"),
    ("JPEGImages/{}.jpg", "SegmentationClass/{}.png"), ("images/train/{}.jpg", "annotations/train/{}_seg.png"),
    ("photos/{}.png", "annotations/trimaps/{}.png"),
])
def test_layouts_of_folders(tmp_path, pictures, masks):
    source = source_for(save(tmp_path, pictures=pictures, masks=masks))
    assert isinstance(source, MaskFolder)
    dataset = source.load(quiet)
    assert len(dataset) == 12 and dataset.column("mask").values.max() == 2
    assert list(dataset.parts) == (["train"] if "train" in masks else [])


def test_classes_called_mask_are_no_masks(tmp_path):
    for name in ("mask", "no mask"):
        for i in range(5):
            (tmp_path / name).mkdir(exist_ok=True)
            Image.fromarray(scene(i)[0]).save(tmp_path / name / f"{i}.png")
    assert isinstance(source_for(tmp_path), ImageFolder)


def test_names_of_classes(tmp_path):
    folder = save(tmp_path)
    (folder / "classes.txt").write_text("sky\nroad\ncar\ntree\n")
    dataset = MaskFolder(path=str(folder)).load(quiet)
    assert dataset.column("mask").categories == ("sky", "road", "car", "tree")
    assert MaskFolder(path=str(folder), classes="a, b,c").load(quiet).column("mask").categories == ("a", "b", "c")
    with pytest.raises(DataError, match="3 different numbers .* but 2 classes are named"):
        MaskFolder(path=str(folder), classes="a, b").load(quiet)


def test_names_with_colours(tmp_path):
    folder = save(tmp_path, form="colour")
    (folder / "class_dict.csv").write_text("name,r,g,b\nvoid,0,0,0\nleft,255,0,0\nright,0,0,255\nnever,1,2,3\n")
    mask = MaskFolder(path=str(folder), height=40, width=60).load(quiet).column("mask")
    assert mask.categories == ("void", "left", "right", "never")
    np.testing.assert_array_equal(mask.values[0], scene(0)[1])


def test_what_cannot_be_used_is_left_out_and_named(tmp_path):
    folder = save(tmp_path)
    (folder / "masks" / "3.png").write_bytes((folder / "masks" / "3.png").read_bytes()[:40])
    (folder / "masks" / "4.png").unlink()
    Image.fromarray(scene(0)[1]).save(folder / "masks" / "99.png")
    Image.fromarray(scene(5)[1][:, :30]).save(folder / "masks" / "5.png")
    Image.fromarray(scene(6)[1]).save(folder / "masks" / "6.jpg")
    (folder / "masks" / "6.png").unlink()
    dataset = MaskFolder(path=str(folder)).load(quiet)
    assert len(dataset) == 8
    told = " ".join(dataset.notes)
    assert "1 pictures without a mask left out (first: '4.png')" in told
    assert "1 masks without a picture left out (first: '99.png')" in told
    assert "3 pictures left out. The first fault: '3.png'" in told


@pytest.mark.parametrize("spoil,said", [
    (lambda folder: [f.unlink() for f in (folder / "masks").iterdir()], "has a mask. Put the pictures"),
    (lambda folder: [Image.fromarray(scene(0)[1]).save(f.with_suffix(".jpg")) or f.unlink()
                     for f in (folder / "masks").iterdir()], "is a JPEG file, which changes pixels"),
])
def test_nothing_to_use(tmp_path, spoil, said):
    folder = save(tmp_path)
    spoil(folder)
    with pytest.raises(DataError, match=said):
        MaskFolder(path=str(folder)).load(quiet)


def test_numbers_that_name_no_class_say_so(tmp_path):
    folder = save(tmp_path)
    (folder / "classes.txt").write_text("a\nb\n")
    with pytest.raises(DataError, match="3 different numbers"):
        MaskFolder(path=str(folder)).load(quiet)
    wrong = Column("mask", "mask", "target", np.full((9, 8, 8), 3, dtype=np.uint8), ("a", "b"))
    image = Column("image", "image", "input", np.zeros((9, 8, 8, 1), dtype=np.uint8))
    with pytest.raises(DataError, match=r"Sample \d of 'mask' holds the class number 3 .* only the classes 0 to 1"):
        prepare(Dataset("d", "images", (image, wrong)), DataSettings())


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_masks_go_with_their_pictures(tmp_path, fit):
    """The picture tells the class of each of its pixels, so that both can be compared when they were made smaller."""
    dataset = MaskFolder(path=str(save(tmp_path)), height=24, width=24, fit=fit).load(quiet)
    shown = np.rint((dataset.column("image").values[..., 0].astype(float) - 40) / 60)
    differ = shown != dataset.column("mask").values
    assert differ.mean() < 0.06  # pixels on a border are of two classes


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_the_way_back(fit):
    mask = scene(2, 64, 96)[1]
    small = nearest(mask, 32, 32, fit)
    again = as_large_as(small, 64, 96, fit)
    assert again.shape == mask.shape
    seen = again != UNSEEN
    assert seen.all() == (fit != "crop")
    assert (again == mask)[seen].mean() > 0.93


def test_many_masks_are_read_when_they_are_wanted(tmp_path, monkeypatch):
    folder = save(tmp_path / "data")
    source = MaskFolder(path=str(folder), height=16, width=24)
    at_once = source.load(quiet)
    monkeypatch.setattr("nndesigner.data.picture_cache.cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(mask_folder, "AT_ONCE", 0)
    later = source.load(quiet)
    assert not isinstance(later.column("mask").values, np.ndarray)
    settings = DataSettings(augmentation=(Flip(),))
    one, two = prepare(at_once, settings), prepare(later, settings)
    for part in ("train", "test"):
        for field in ("image", "target"):
            np.testing.assert_array_equal(one.part(part).arrays[field][:], two.part(part).arrays[field][:])
    target = two.train.arrays["target"]
    assert isinstance(target, EncodedRows) and target.dtype == np.int64 and target.shape[1:] == (16, 24)


@pytest.mark.parametrize("step", [s for s in Augmentation.all() if s.moves], ids=lambda s: s.kind)
def test_a_mask_moves_as_its_picture(step):
    masks = np.array([scene(i)[1] for i in range(8)]).astype(np.int64)
    pictures = masks[..., None].astype(np.float32)
    steps, about = [(0, Noise(deviation=0.01)), (1, step())], About((0.0, 2.0))
    before, rows = masks.copy(), np.arange(8) + 5
    Augmenter(steps, 3, about).apply(pictures, rows, 2)
    Augmenter(steps[1:], 3, about).apply(masks, rows, 2)
    assert not np.array_equal(masks, before) and set(np.unique(masks)) <= {0, 1, 2}
    assert (np.rint(pictures[..., 0]) != masks).mean() < 0.05  # between two classes a picture has what lies between


def test_other_augmentation_leaves_masks():
    prepared = prepare(ShapeMasks(samples=20, size=16).load(quiet),
                       DataSettings(augmentation=(Light(), Noise(), Erase(chance=1.0))))
    assert isinstance(prepared.train.arrays["image"], EncodedRows)
    assert isinstance(prepared.train.arrays["target"], np.ndarray)


def test_drawn_shapes_have_exact_masks():
    dataset = ShapeMasks(samples=30, size=64, noise=0).load(quiet)
    image, mask = dataset.column("image").values.astype(float), dataset.column("mask")
    assert mask.categories == ("background", "disc", "square", "triangle")
    assert set(np.unique(mask.values)) == {0, 1, 2, 3}
    for picture, truth in zip(image, mask.values):
        bright = picture.max(axis=-1) > 255 * 0.4  # the ground is darker than every shape
        assert (bright != (truth > 0)).mean() < 0.04
    again = ShapeMasks(samples=40, size=64, noise=0).load(quiet)
    np.testing.assert_array_equal(again.column("mask").values[:30], mask.values)


def test_pairs_of_arrays(tmp_path):
    masks = np.array([scene(i)[1] for i in range(10)])
    images = np.stack([60 * masks] * 3, axis=-1)
    np.savez(tmp_path / "a.npz", x=images, y=masks[..., None])
    mask = Npz(path=str(tmp_path / "a.npz")).load(quiet).column("mask")
    assert mask.kind == "mask" and mask.categories == ("0", "1", "2")
    np.savez(tmp_path / "b.npz", images=images, labels=(255 * (masks > 0)).astype(np.uint8))
    mask = Npz(path=str(tmp_path / "b.npz")).load(quiet).column("mask")
    assert mask.categories == ("background", "object")
    np.testing.assert_array_equal(mask.values, masks > 0)
    np.savez(tmp_path / "c.npz", x=images, y=masks.astype(np.int16) - 1)
    with pytest.raises(DataError, match="class number -1"):
        Npz(path=str(tmp_path / "c.npz")).load(quiet)


def test_the_preparation_is_kept():
    prepared = prepare(ShapeMasks(samples=20, size=16).load(quiet), DataSettings())
    field = prepared.signature.targets[0]
    assert field.kind == "class" and field.shape.dims == (16, 16, 4) and field.sample_dims == (16, 16)
    assert prepared.train.arrays["target"].dtype == np.int64
    kept = prepared.preparation
    again = Preparation.from_json(kept.to_json(), kept.arrays())
    assert again.signature == kept.signature and again.targets == kept.targets
    spoiled = kept.to_json()
    spoiled["fields"][1]["dims"] = [16, 16, 5]
    with pytest.raises(ValueError, match="do not fit"):
        Preparation.from_json(spoiled, kept.arrays())


def test_training_is_judged_by_the_masks_that_it_saw():
    """A network that repeats the mask it is given is always right, also where pictures are turned."""
    masks = ShapeMasks(samples=40, size=16, noise=0).load(quiet).column("mask")
    values = np.eye(4, dtype=np.float32)[masks.values]
    dataset = Dataset("d", "images", (Column("image", "image", "input", values, limits=(0, 1)), masks))
    prepared = prepare(dataset, DataSettings(augmentation=(Flip(upright=True),)))
    graph, one = add_node(Graph(), Input(), 0, 0)
    graph, two = add_node(graph, Conv2D(filters=4, kernel=(1, 1)), 0, 0)
    graph, end = add_node(graph, Output(), 0, 0)
    graph = connect(connect(graph, one, two), two, end)
    settings = TrainSettings(epochs=12, batch_size=7, optimizer=Adam(learning_rate=0.2))
    trainer = Trainer(check(graph, prepared.signature), prepared, settings, Device("cpu"))
    trainer.run()
    trainer.close()
    assert trainer.history.metrics["train", "accuracy"] == 1.0
