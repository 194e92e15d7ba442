"""Pictures of users: reading them safely, and bringing them to the form that training saw."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.encoding import RawInput
from nndesigner.data.pictures import fit_picture, ground_of, load_picture, read_picture, wants_inversion
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.samples import Digits
from nndesigner.data.source import quiet

MNIST = RawInput("image", "image", shape=(28, 28, 1), low=0, high=255, ground="dark", box=20 / 28)
COLOUR = RawInput("image", "image", shape=(8, 12, 3), low=0, high=255)


@pytest.fixture(scope="module")
def digits():
    return prepare(Digits().load(quiet), DataSettings())


def saved(tmp_path, image, name="a.png", **options):
    image.save(tmp_path / name, **options)
    return str(tmp_path / name)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.gif", "a.webp", "a.tiff"])
def test_formats(tmp_path, name):
    values = np.zeros((20, 30, 3), dtype=np.uint8)
    values[:, 15:] = 255
    path = saved(tmp_path, Image.fromarray(values), name)
    grey, colour = load_picture(path), load_picture(path, colour=True)
    assert grey.shape == (20, 30, 1) and colour.shape == (20, 30, 3) and grey.dtype == np.float32
    assert grey[:, :12].max() < 0.05 and colour[:, 18:].min() > 0.95


def test_camera_turn_transparency_and_deep_grey(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rows are columns
    assert load_picture(saved(tmp_path, Image.new("L", (30, 20)), "t.jpg", exif=exif)).shape == (30, 20, 1)
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    clear.putpixel((1, 1), (0, 0, 0, 255))
    found = load_picture(saved(tmp_path, clear))[..., 0]
    assert found[0, 0] == 1 and found[1, 1] == 0
    deep = Image.fromarray(np.array([[0, 65535], [32768, 1000]], dtype=np.uint16))
    np.testing.assert_allclose(load_picture(saved(tmp_path, deep))[..., 0], [[0, 1], [0.5, 0.015]], atol=1e-3)


def test_faults_are_sentences(tmp_path):
    good = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 50), dtype=np.uint8)).save(good)
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:300])
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4")
    Image.new("L", (5, 5)).save(tmp_path / "odd.ppm")
    for name, said in [("cut.png", "damaged"), ("text.png", "no picture"), ("odd.ppm", "no picture"),
                       ("a.pdf", "no picture"), ("no.png", "does not exist")]:
        with pytest.raises(DataError, match=said) as caught:
            load_picture(str(tmp_path / name))
        assert name in str(caught.value)


@pytest.mark.parametrize("side", [9000, 30000])
def test_a_picture_bomb_is_refused_before_it_is_unpacked(tmp_path, side):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    (tmp_path / "bomb.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))
    with pytest.raises(DataError, match="pixels"):
        load_picture(str(tmp_path / "bomb.png"))


def test_the_ground_of_training_pictures_is_recognised(digits):
    (found,) = digits.preparation.inputs
    assert (found.ground, found.box, found.low, found.high) == ("dark", 1.0, 0.0, 16.0)
    mnist = np.zeros((50, 28, 28, 1), dtype=np.uint8)
    mnist[:, 4:24, 9:19] = 200
    assert ground_of(mnist, 0, 255).ground == "dark" and ground_of(mnist, 0, 255).box == pytest.approx(20 / 28)
    assert ground_of(255 - mnist, 0, 255).ground == "bright"
    noise = np.random.default_rng(0).integers(0, 256, (50, 16, 16, 1))
    assert ground_of(noise, 0, 255).ground == ""
    assert ground_of(np.zeros((9, 8, 8, 3)), 0, 1).ground == "" and ground_of(np.zeros((9, 8, 8, 1)), 0, 0).ground == ""


@pytest.mark.parametrize("paper,pen", [(1.0, 0.1), (0.0, 0.9), (0.8, 0.3)])
def test_a_drawn_digit_comes_to_the_form_of_the_training_pictures(digits, paper, pen):
    """Test digits, drawn large and off the middle on paper of any colour, give what training would have seen."""
    (wanted,) = digits.preparation.inputs
    errors = []
    for row in digits.test.rows[:40]:
        digit = digits.dataset.column("image").values[row, ..., 0] / 16
        canvas = np.full((300, 420), paper)
        canvas[60:220, 130:290] += (pen - paper) * np.kron(digit, np.ones((20, 20)))
        found = fit_picture(canvas, wanted)
        assert found.shape == (1, 8, 8, 1) and found.dtype == np.float32
        assert found.min() >= 0 and found.max() <= 16.001
        errors.append(np.abs(found[0, ..., 0] / 16 - digit).mean())
    assert np.mean(errors) < 0.05


def test_mnist_form_is_a_box_of_20_with_its_mass_in_the_middle():
    drawing = np.zeros((280, 280))
    drawing[30:230, 40:60] = 1  # an L: its mass is not in the middle of its box
    drawing[210:230, 40:140] = 1
    found = fit_picture(drawing, MNIST)[0, ..., 0]
    rows, columns = np.flatnonzero(found.max(axis=1) > 1), np.flatnonzero(found.max(axis=0) > 1)
    assert 20 <= rows[-1] - rows[0] + 1 <= 21 and 10 <= columns[-1] - columns[0] + 1 <= 11
    for axis in (0, 1):
        mass = found.sum(axis=1 - axis)
        assert abs((np.arange(28) + 0.5) @ mass / mass.sum() - 14) < 0.3
    assert 250 < found.max() <= 255.1
    on_paper = RawInput("image", "image", shape=(28, 28, 1), high=255, ground="bright", box=20 / 28)
    bright = fit_picture(1 - drawing, on_paper)
    np.testing.assert_allclose(bright[0, ..., 0], 255 - found, atol=0.1)


@pytest.mark.parametrize("shape", [(5, 200), (200, 5), (1, 1), (28, 28), (1000, 3)])
def test_drawings_of_any_size_stay_in_the_frame(shape):
    drawing = np.zeros((shape[0] + 8, shape[1] + 8))
    drawing[4:-4, 4:-4] = 1
    found = fit_picture(drawing, MNIST)[0, ..., 0]
    assert found.shape == (28, 28) and found.max() > 0 and np.isfinite(found).all()
    assert found[0].max() == found[-1].max() == 0


def test_other_pictures_are_fitted_in_whole(tmp_path):
    values = np.zeros((40, 90, 3), dtype=np.uint8)
    values[:] = (255, 128, 0)
    values[10:30, 20:70] = (0, 0, 255)
    found = read_picture(saved(tmp_path, Image.fromarray(values)), COLOUR)
    assert found.shape == (1, 8, 12, 3)
    for row, column in ((0, 0), (7, 11), (1, 5), (6, 5)):  # what is left over looks like the edge
        np.testing.assert_allclose(found[0, row, column], [255, 128, 0], atol=0.5)
    np.testing.assert_allclose(found[0, 4, 6], [0, 0, 255], atol=0.5)
    grey = fit_picture(np.linspace(0, 1, 64).reshape(8, 8), COLOUR)
    assert grey.shape == (1, 8, 12, 3) and np.ptp(grey[0], axis=-1).max() < 1e-3
    inverted = fit_picture(np.linspace(0, 1, 64).reshape(8, 8), COLOUR, invert=True)
    np.testing.assert_allclose(grey + inverted, 255, atol=0.01)


def test_inversion_can_be_asked_for_and_chosen():
    drawing = np.zeros((50, 50))
    drawing[10:40, 22:28] = 1
    assert not wants_inversion(drawing, MNIST) and wants_inversion(1 - drawing, MNIST)
    assert not wants_inversion(drawing, COLOUR)
    np.testing.assert_array_equal(fit_picture(drawing, MNIST), fit_picture(drawing, MNIST, invert=False))
    np.testing.assert_allclose(fit_picture(1 - drawing, MNIST, invert=True), fit_picture(drawing, MNIST), atol=0.01)
    with pytest.raises(DataError, match="nothing in it stands out"):
        fit_picture(1 - drawing, MNIST, invert=False)


@pytest.mark.parametrize("picture", [
    np.zeros((20, 20)), np.full((20, 20), 0.7), np.full((4, 4), np.nan), np.zeros((0, 5))])
def test_empty_drawings_are_sentences(picture):
    with pytest.raises(DataError, match="picture is empty"):
        fit_picture(picture, MNIST)
    with pytest.raises(DataError, match="not trained on pictures"):
        fit_picture(np.ones((5, 5)), RawInput("age", "number"))


def test_the_form_travels_with_the_model():
    values = np.zeros((30, 10, 10, 1), dtype=np.uint8)
    values[:, 2:8, 3:7] = 255
    labels = np.array(["a", "b", "c"] * 10, dtype=object)
    found = prepare(Dataset("t", "images", (
        Column("image", "image", "input", values), Column("k", "category", "target", labels))), DataSettings())
    (wanted,) = type(found.preparation).from_json(found.preparation.to_json(), found.preparation.arrays()).inputs
    assert wanted == found.preparation.inputs[0] and (wanted.ground, wanted.box) == ("dark", 0.6)
