"""The preview of augmentation shows what training is fed, to the bit."""

import numpy as np
import pytest

from nndesigner.data.augment.figures import Jitter
from nndesigner.data.augment.mixing import CutMix, Mixup
from nndesigner.data.augment.pictures import Rotate, Shift
from nndesigner.data.augment.sounds import SpecAugment, TimeShift
from nndesigner.data.augment.texts import TokenDropout
from nndesigner.data.generated_sound import Tones
from nndesigner.data.generated_text import Sentences
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.samples import Digits, Iris
from nndesigner.data.source import quiet
from nndesigner.training.feeding import Feeder, Orders, fields_to_read
from nndesigner.training.settings import TrainSettings
from nndesigner.training.variants import original, variants

CASES = [
    (Digits(), (Rotate(), Shift())), (Digits(), (Shift(), Mixup(), CutMix())), (Iris(), (Jitter(), Mixup(alpha=1.0))),
    (Tones(samples=60), (TimeShift(), SpecAugment())), (Sentences(samples=100), (TokenDropout(),)),
]


@pytest.mark.parametrize("source, steps", CASES, ids=lambda v: v.kind if hasattr(v, "kind") else "")
def test_a_variant_is_what_training_is_fed(source, steps):
    prepared = prepare(source.load(quiet), DataSettings(augmentation=steps))
    settings = TrainSettings(batch_size=16)
    orders = Orders(settings.seed, len(prepared.train), 16)
    feeder = Feeder(fields_to_read(prepared, prepared.train.arrays), orders, mixer=prepared.mixer)
    try:
        for epoch in (0, 3):
            for position in (0, (len(prepared.train) - 1) // 16):
                rows = orders.rows_at((epoch, position)).copy()
                fed = {name: array.copy() for name, array in feeder.take((epoch, position)).items()}
                for within, place in enumerate(rows[:4].tolist()):
                    found = variants(prepared, settings, place, [epoch])[0]
                    for name, array in fed.items():
                        np.testing.assert_array_equal(found.values[name], array[within], err_msg=name)
    finally:
        feeder.close()


def test_labels_of_mixtures_and_of_the_original():
    prepared = prepare(Digits().load(quiet), DataSettings(augmentation=(Mixup(alpha=4.0),)))
    before = original(prepared, 5)
    found = variants(prepared, TrainSettings(), 5, range(8))
    assert before.labels[0][1] == 1.0 and before.partner is None
    assert all(v.labels[0][0] == before.labels[0][0] for v in found)
    assert all(abs(sum(share for _, share in v.labels) - 1) < 1e-5 for v in found)
    assert any(len(v.labels) == 2 for v in found) and all(v.partner is not None for v in found)


def test_sounds_can_be_heard():
    prepared = prepare(Tones(samples=60).load(quiet), DataSettings(augmentation=(TimeShift(chance=1.0),)))
    before, (after,) = original(prepared, 0), variants(prepared, TrainSettings(), 0, [0])
    assert before.wave.shape == after.wave.shape and not np.array_equal(before.wave, after.wave)
