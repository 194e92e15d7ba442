"""Laws of augmentation, and that only training sees it."""

import json
import time

import numpy as np
import pytest

from nndesigner.data.augment import Augmentation, Augmenter, Erase, Flip, Noise, Rotate, Shift
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.rows import EncodedRows
from nndesigner.data.samples import Digits, Iris
from nndesigner.data.source import quiet
from nndesigner.spec import describe
from nndesigner.training.trainer import Trainer
from tests.data.test_rows import trainer

ALL = Augmentation.all()


def pictures(count=6, shape=(12, 10, 3)):
    return np.random.default_rng(0).uniform(0, 1, (count, *shape)).astype(np.float32)


@pytest.mark.parametrize("step", ALL, ids=lambda s: s.kind)
def test_laws(step):
    assert step.summary_line().endswith(".") and step.icon and all(i.help for i in describe(step))
    chosen = step()
    assert Augmentation.from_json(json.loads(json.dumps(chosen.to_json()))) == chosen
    original = pictures()
    for shape in ((12, 10, 3), (8, 8, 1), (1, 5, 1)):
        given = pictures(20, shape)
        before = given.copy()
        for place, picture in enumerate(given):
            found = chosen.change(picture, np.random.default_rng(place), (0.0, 1.0))
            assert found.shape == shape and found.dtype == np.float32
            assert found.min() >= -1e-6 and found.max() <= 1 + 1e-6
        np.testing.assert_array_equal(given, before)
    one, two, other = original.copy(), original.copy(), original.copy()
    augmenter, rows = Augmenter([chosen], 5, (0.0, 1.0)), np.arange(6)
    augmenter.apply(one, rows, 3)
    for place in reversed(range(6)):  # the same for each sample, whatever is read with it
        augmenter.apply(two[place:place + 1], rows[place:place + 1], 3)
    augmenter.apply(other, rows, 4)
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, original) and not np.array_equal(one, other)


@pytest.mark.parametrize("step", ALL, ids=lambda s: s.kind)
def test_it_is_quick(step):
    many = pictures(200, (32, 32, 3))
    start = time.perf_counter()
    Augmenter([step()], 0, (0.0, 1.0)).apply(many, np.arange(200), 0)
    assert time.perf_counter() - start < 0.5


def test_known_changes():
    picture = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    flipped = {Flip().change(picture, np.random.default_rng(i), (0, 1)).tobytes() for i in range(20)}
    assert flipped == {picture.tobytes(), picture[:, ::-1].tobytes()}
    turned = Rotate(degrees=180).change(picture, _Fixed(180.0), (0, 1))
    np.testing.assert_allclose(turned, picture[::-1, ::-1], atol=1e-4)
    np.testing.assert_array_equal(Shift(share=0.5).change(picture, _Fixed(0.5), (0, 1))[0, :, 0], [5, 6, 7, 7])
    erased = [Erase().change(np.zeros((9, 9, 1), np.float32) - 1, np.random.default_rng(i), (0, 1)) for i in range(40)]
    assert 8 < sum((e == -1).all() for e in erased) < 32


class _Fixed:
    def __init__(self, value):
        self.value = value

    def uniform(self, low, high):
        return self.value


def test_only_training_sees_it_and_a_run_repeats_and_resumes():
    plain = prepare(Digits().load(quiet), DataSettings())
    settings = DataSettings(augmentation=(Shift(), Noise(deviation=0.1)))
    assert DataSettings.model_validate(json.loads(json.dumps(settings.model_dump(mode="json")))) == settings
    found = prepare(Digits().load(quiet), settings)
    assert isinstance(found.train.arrays["image"], EncodedRows) and found.notes == plain.notes
    for part in ("validation", "test"):
        np.testing.assert_array_equal(found.part(part).arrays["image"], plain.part(part).arrays["image"])
    np.testing.assert_array_equal(found.train.arrays["image"][:], plain.train.arrays["image"])  # to look at: unchanged
    read = np.empty((2, 3, 8, 8, 1), dtype=np.float32)
    for epoch in (0, 1):
        found.train.arrays["image"].read(np.arange(3), read[epoch], epoch)
    assert not np.array_equal(read[0], read[1])
    one, two = trainer(found, epochs=2), trainer(found, epochs=2)
    half = None
    while not one.finished:
        one.step()
        if one.step_number == 50:
            half = one.checkpoint()
    two.run()
    resumed = Trainer(one.checked, found, one.settings, one.device, half)
    resumed.run()
    for other in (two, resumed):
        for name, array in one.checkpoint().arrays.items():
            np.testing.assert_array_equal(other.checkpoint().arrays[name], array, err_msg=name)
    assert one.evaluate("train") == two.evaluate("train")


def test_data_without_pictures_say_so():
    found = prepare(Iris().load(quiet), DataSettings(augmentation=(Flip(),)))
    assert found.notes[-1] == "Augmentation changes pictures only; these data have none."
