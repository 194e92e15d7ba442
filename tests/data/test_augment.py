"""Laws of augmentation, and that only training sees it."""

import json

import numpy as np
import pytest

from nndesigner.data.augment import About, Augmentation, Augmenter, Mixing, kinds_of
from nndesigner.data.augment.figures import Jitter
from nndesigner.data.augment.pictures import Colour, Erase, Flip, Noise, Rotate, Shift
from nndesigner.data.augment.sounds import Pitch, SpecAugment, Speed, TimeShift, transposed
from nndesigner.data.augment.texts import TokenDropout, TokenSwap
from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.generated_sound import Tones
from nndesigner.data.generated_text import Sentences
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.rows import EncodedRows
from nndesigner.data.samples import Digits, Iris
from nndesigner.data.series import Sines
from nndesigner.data.source import quiet
from nndesigner.spec import describe
from nndesigner.training.trainer import Trainer
from tests.data.test_rows import trainer

ALL = [step for step in Augmentation.all() if not issubclass(step, Mixing)]


def samples_for(step, count=6):
    """Samples [n, ...] of a kind that the step suits, and what it is told of them."""
    rng = np.random.default_rng(0)
    if step.suits == ("sound",):
        return rng.uniform(-0.5, 0.5, (count, 2000)).astype(np.float32), About(axes="TF", rate=8000)
    if step.suits == ("text",):
        texts = rng.integers(1, 50, (count, 30))
        texts[:, 22:] = 0
        return texts, About(axes="T")
    if step.suits == ("numbers",):
        return rng.normal(size=(count, 7)).astype(np.float32), About(axes="F")
    return rng.uniform(0, 1, (count, 12, 10, 3)).astype(np.float32), About()


@pytest.mark.parametrize("step", ALL, ids=lambda s: s.kind)
def test_laws(step):
    assert step.summary_line().endswith(".") and step.icon and all(i.help for i in describe(step))
    assert "chance" in step.model_fields and step.suits
    chosen = step()
    assert Augmentation.from_json(json.loads(json.dumps(chosen.to_json()))) == chosen
    original, about = samples_for(step, 20)
    given, _ = samples_for(step, 20)
    before = given.copy()
    for place, sample in enumerate(given):
        found = chosen.change(sample, np.random.default_rng(place), about)
        assert found.shape == sample.shape and found.dtype == sample.dtype
        if "picture" in step.suits or "colour" in step.suits:
            assert found.min() >= -1e-6 and found.max() <= 1 + 1e-6
    np.testing.assert_array_equal(given, before)
    one, two, other, rows = original.copy(), original.copy(), original.copy(), np.arange(20)
    augmenter = Augmenter([(0, chosen)], 5, about)
    augmenter.apply(one, rows, 3)
    for place in reversed(range(20)):  # the same for each sample, whatever is read with it
        augmenter.apply(two[place:place + 1], rows[place:place + 1], 3)
    augmenter.apply(other, rows, 4)
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, original) and not np.array_equal(one, other)
    never = original.copy()
    Augmenter([(0, chosen.replaced(chance=0.0))], 5, about).apply(never, rows, 3)
    np.testing.assert_array_equal(never, original)


@pytest.mark.parametrize("step", [s for s in ALL if "picture" in s.suits], ids=lambda s: s.kind)
@pytest.mark.parametrize("shape", [(8, 8, 1), (1, 5, 1), (9, 4, 2)])
def test_pictures_of_any_shape(step, shape):
    picture = np.random.default_rng(1).uniform(0, 1, shape).astype(np.float32)
    for seed in range(5):
        found = step().change(picture, np.random.default_rng(seed), About())
        assert found.shape == shape and found.dtype == np.float32


@pytest.mark.parametrize("step", [s for s in ALL if s.moves], ids=lambda s: s.kind)
def test_masks_move_with_their_pictures(step):
    mask = np.zeros((12, 12), dtype=np.int64)
    mask[2:6, 3:8] = 2
    pictures, masks = mask[None, :, :, None].astype(np.float32).repeat(8, 0), mask[None].repeat(8, 0)
    Augmenter([(0, Noise(deviation=1e-6)), (1, step())], 3, About((0, 2))).apply(pictures, np.arange(8), 1)
    Augmenter([(1, step())], 3, About()).apply(masks, np.arange(8), 1)
    assert set(np.unique(masks)) == {0, 2} and not (masks == mask).all()
    far = np.abs(pictures[..., 0] - masks) > 1.51  # only pixels on the edge are blends
    assert not far.any()


def test_known_changes_of_pictures():
    picture = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    about = About((0, 20))
    flipped = {Flip(upright=True).change(picture, np.random.default_rng(i), about).tobytes() for i in range(20)}
    assert flipped == {picture[:, ::-1].tobytes(), picture[::-1].tobytes(), picture[::-1, ::-1].tobytes()}
    assert Flip(sideways=False).change(picture, np.random.default_rng(0), about) is picture
    turned = Rotate(degrees=180).change(picture, _Fixed(180.0), about)
    np.testing.assert_allclose(turned, picture[::-1, ::-1], atol=1e-4)
    np.testing.assert_array_equal(Shift(share=0.5).change(picture, _Fixed(0.5), about)[0, :, 0], [5, 6, 7, 7])
    covered = Erase().change(np.zeros((9, 9, 1), np.float32) - 1, np.random.default_rng(0), About())
    assert 0 < (covered != -1).sum() <= 9


def test_colour_turns_hues_and_keeps_grey_and_light():
    picture = np.array([[[1, 0, 0], [0.5, 0.5, 0.5], [0.2, 0.4, 0.6]]], dtype=np.float32)
    about, light = About((-9.0, 9.0)), np.array([0.299, 0.587, 0.114])
    turned = Colour(hue=120, saturation=0).change(picture, _Fixed([1.0, 0.0]), about)
    assert turned[0, 0].argmax() != 0
    np.testing.assert_allclose(turned[0, 1], 0.5, atol=1e-5)
    np.testing.assert_allclose(turned @ light, picture @ light, atol=1e-5)
    grey = Colour(hue=0, saturation=1).change(picture, _Fixed([0.0, -1.0]), about)
    np.testing.assert_allclose(grey, np.repeat((picture @ light)[..., None], 3, 2), atol=1e-5)


class _Fixed:
    def __init__(self, value):
        self.value = value

    def uniform(self, low, high, size=None):
        return np.asarray(self.value) if size else self.value


def peak(wave, rate):
    """The frequency of the strongest tone, between the places of a long transform by a parabola through its log."""
    power = np.log(np.abs(np.fft.rfft(wave * np.hanning(len(wave)), 1 << 18)) + 1e-12)
    top = int(power.argmax())
    a, b, c = power[top - 1:top + 2]
    return (top + 0.5 * (a - c) / (a - 2 * b + c)) * rate / (1 << 18)


@pytest.mark.parametrize("rate, semitones", [(8000, 2), (8000, -3), (16000, 2), (44100, 7), (8000, 0.5)])
def test_pitch_moves_a_tone_to_the_cent(rate, semitones):
    wave = (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32)
    found = transposed(wave, semitones, rate)
    wanted = 440 * 2 ** (semitones / 12)  # 493.9 Hz for two semitones
    assert abs(1200 * np.log2(peak(found, rate) / wanted)) < 1
    inside = slice(rate // 4, 3 * rate // 4)
    assert found.shape == wave.shape and found.dtype == np.float32
    assert 0.9 < found[inside].std() / wave[inside].std() < 1.1


def test_pitch_keeps_the_time_and_speed_changes_both():
    rate = 8000
    wave = np.zeros(rate, dtype=np.float32)
    wave[3000:4000] = 0.5 * np.sin(2 * np.pi * 440 * np.arange(1000) / rate)
    loud = np.flatnonzero(np.abs(transposed(wave, 4, rate)) > 0.1)
    assert abs(loud[0] - 3000) < 250 and abs(loud[-1] - 4000) < 250
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32)
    faster = Speed(share=0.5).change(tone, _Fixed(1.0), About(rate=rate))
    assert abs(peak(faster[1500:-1500], rate) - 660) < 0.7 and not faster[:1000].any() and not faster[-1000:].any()
    slower = Speed(share=0.5).change(tone, _Fixed(-1.0), About(rate=rate))
    assert abs(peak(slower, rate) - 440 / 1.5) < 0.5


def test_time_shift_fills_with_silence_and_specaugment_covers_with_the_mean():
    wave = np.arange(1, 101, dtype=np.float32)
    later = TimeShift(share=0.5).change(wave, _Fixed(0.4), About())
    assert not later[:20].any() and later[20] == 1 and later[-1] == 80
    earlier = TimeShift(share=0.5).change(wave, _Fixed(-0.4), About())
    assert earlier[0] == 21 and not earlier[-20:].any()
    spectrum = np.random.default_rng(0).normal(size=(40, 60, 1)).astype(np.float32)
    found = SpecAugment(frequency=0.5, time=0.0).change(spectrum, np.random.default_rng(3), About())
    rows = (found == spectrum.mean()).all(axis=(1, 2))
    assert 0 < rows.sum() <= 20 and np.ptp(np.flatnonzero(rows)) == rows.sum() - 1
    np.testing.assert_array_equal(found[~rows], spectrum[~rows])
    cepstrum = np.random.default_rng(0).normal(size=(60, 13)).astype(np.float32)
    found = SpecAugment(frequency=0.0, time=0.5).change(cepstrum, np.random.default_rng(3), About(axes="TF"))
    covered = (found == cepstrum.mean(axis=0)).all(axis=1)
    assert 0 < covered.sum() <= 30


def test_tokens_are_hidden_and_swapped_and_padding_stays():
    text = np.array([5, 6, 7, 8, 9, 10, 0, 0])
    for seed in range(20):
        hidden = TokenDropout(share=0.5).change(text, np.random.default_rng(seed), About())
        assert ((hidden == text) | ((hidden == 1) & (text != 0))).all()
        shorter = TokenDropout(share=0.5, how="gone").change(text, np.random.default_rng(seed), About())
        kept = shorter[shorter != 0]
        assert len(kept) and not shorter[len(kept):].any() and list(kept) == sorted(kept)
        swapped = TokenSwap(share=0.5).change(text, np.random.default_rng(seed), About())
        assert sorted(swapped[:6]) == list(text[:6]) and not swapped[6:].any()
    assert TokenDropout(share=0.9, how="gone").change(np.array([3, 0]), np.random.default_rng(0), About())[0] == 3


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
    _repeats_and_resumes(found)


def _repeats_and_resumes(prepared):
    one, two = trainer(prepared, epochs=2), trainer(prepared, epochs=2)
    half = None
    while not one.finished:
        one.step()
        if one.step_number == one.steps // 2 - 1:
            half = one.checkpoint()
    two.run()
    resumed = Trainer(one.checked, prepared, one.settings, one.device, half)
    resumed.run()
    for other in (two, resumed):
        for name, array in one.checkpoint().arrays.items():
            np.testing.assert_array_equal(other.checkpoint().arrays[name], array, err_msg=name)
    assert one.evaluate("train") == two.evaluate("train")
    for made in (one, two, resumed):
        made.close()


def read(prepared, field, epoch, count=4):
    rows = prepared.train.arrays[field]
    out = np.empty((count, *rows.shape[1:]), dtype=rows.dtype)
    rows.read(np.arange(count), out, epoch)
    return out


def test_sounds_are_changed_as_waves_and_as_spectrums():
    source = Tones(samples=90)
    plain = prepare(source.load(quiet), DataSettings())
    name = plain.signature.inputs[0].name
    for steps in ((TimeShift(chance=1),), (SpecAugment(),), (Pitch(chance=1), SpecAugment())):
        found = prepare(source.load(quiet), DataSettings(augmentation=steps))
        one, again, other = read(found, name, 0), read(found, name, 0), read(found, name, 1)
        np.testing.assert_array_equal(one, again)
        assert not np.array_equal(one, other) and one.shape == plain.train.arrays[name][:4].shape
        np.testing.assert_array_equal(found.train.arrays[name][:], plain.train.arrays[name])
        np.testing.assert_array_equal(found.validation.arrays[name], plain.validation.arrays[name])
        assert not np.array_equal(one, plain.train.arrays[name][:4])


def test_texts_numbers_and_series():
    texts = prepare(Sentences(samples=200).load(quiet), DataSettings(augmentation=(TokenDropout(share=0.3),)))
    name = texts.signature.inputs[0].name
    before, after = texts.train.arrays[name][:4], read(texts, name, 0)
    assert ((after == before) | (after == 1)).all() and (after != before).any() and after.dtype == np.int64
    rng = np.random.default_rng(0)
    colour = np.array(["red", "blue"], dtype=object)[rng.integers(0, 2, 200)]
    table = Dataset("t", "table", (Column("a", "number", "input", rng.normal(5, 3, 200)),
                                   Column("colour", "category", "input", colour),
                                   Column("y", "category", "target", colour[::-1].copy())))
    for scaling in ("auto", "range"):
        found = prepare(table, DataSettings(scaling=scaling, augmentation=(Jitter(strength=0.5),)))
        rows = found.train.arrays["features"]
        out = np.empty(rows.shape, np.float32)
        rows.read(np.arange(len(rows)), out, 0)
        moved = out - rows[:]
        assert abs(moved[:, 0].std() / rows[:][:, 0].std() - 0.5) < 0.1 and not moved[:, 1:].any()
    series = prepare(Sines(moments=300).load(quiet), DataSettings(augmentation=(Jitter(),)))
    assert not np.array_equal(read(series, "window", 0), series.train.arrays["window"][:4])
    _repeats_and_resumes(found)


@pytest.mark.parametrize("source, step, words", [
    (Iris(), Flip(), "Flip is for pictures; these data have none. Take it out of the augmentation."),
    (Digits(), Colour(), "Colour is for pictures in colour; these data have none."),
    (Tones(samples=90, representation="wave"), SpecAugment(), "SpecAugment is for sounds that the network sees as"),
    (Digits(), TokenSwap(), "Token swap is for texts; these data have none."),
])
def test_a_step_that_does_not_suit_is_refused(source, step, words):
    with pytest.raises(DataError) as caught:
        prepare(source.load(quiet), DataSettings(augmentation=(step,)))
    assert str(caught.value).startswith(words)


def test_a_target_picture_moves_along():
    rng = np.random.default_rng(0)
    clean = rng.uniform(0, 1, (40, 6, 6, 1)).astype(np.float32)
    data = Dataset("d", "images", (Column("image", "image", "input", clean, limits=(0, 1)),
                                   Column("clean", "image", "target", clean.copy(), limits=(0, 1))))
    found = prepare(data, DataSettings(augmentation=(Noise(), Flip(chance=1))))
    noisy, target = read(found, "image", 2), read(found, "target", 2)
    np.testing.assert_array_equal(target, found.train.arrays["target"][:4][:, :, ::-1])
    assert 0 < np.abs(noisy - target).max() < 0.4


def test_kinds():
    assert kinds_of(prepare(Digits().load(quiet), DataSettings()).preparation.inputs) == {"picture"}
    assert kinds_of(Digits().load(quiet).columns[:1]) == {"picture"}
