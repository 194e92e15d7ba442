"""Sounds: formulas against plain ones, one form for all files, statistics of the training part, the same bits again."""

import json

import numpy as np
import pytest
import scipy.fft
import soundfile

from nndesigner.data import source_for
from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.encoding import Preparation
from nndesigner.data.generated_sound import TIMBRES, SpokenDigits, Tones
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.sound import (
    LOUD,
    SoundForm,
    cosines,
    fitted,
    hann,
    levelled,
    load_sound,
    mel,
    mel_filters,
    read_sound,
    represented,
)
from nndesigner.data.sound_folder import SoundFolder
from nndesigner.data.source import Cancelled, quiet

FORMS = ("wave", "spectrogram", "log_mel", "mfcc")


def sine(hertz, seconds=1.0, rate=8000, peak=0.5):
    return (peak * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


# --- formulas ---


def test_mel_scale_has_its_fixed_points():
    assert mel(0) == 0 and abs(mel(1000) - 1000) < 0.1 and abs(mel(700) - 2595 * np.log10(2)) < 1e-9


def test_power_of_a_sine_at_full_level_is_0_decibels():
    form = SoundForm(length=1024, representation="spectrogram", window=256, hop=64)
    picture = represented(sine(1000, 0.128, peak=1.0), form)[..., 0]
    assert picture.shape == (129, 13) == form.shape[:2]
    row = 128 - 1000 * 256 // 8000  # frequency goes up
    assert (picture.argmax(axis=0) == row).all()
    np.testing.assert_allclose(picture[row], 0, atol=0.01)
    np.testing.assert_allclose(picture[0], -80, atol=1e-9)


def test_log_mel_and_mfcc_equal_their_sums():
    wave = np.random.default_rng(3).standard_normal(400)
    form = SoundForm(length=400, representation="log_mel", window=64, hop=32, bands=12)
    n, k = np.arange(64), np.arange(33)[:, None]
    filters = mel_filters(8000, 64, 12)
    expected = np.empty((form.frames, 12))
    for t in range(form.frames):
        framed = wave[32 * t:32 * t + 64] * (0.5 - 0.5 * np.cos(2 * np.pi * n / 64))
        power = np.abs((framed * np.exp(-2j * np.pi * k * n / 64)).sum(axis=1) / 16) ** 2
        expected[t] = 10 * np.log10(np.maximum(filters @ power, 1e-8))
    np.testing.assert_allclose(represented(wave, form)[::-1, :, 0].T, expected, atol=1e-9)
    mfcc = represented(wave, SoundForm(length=400, representation="mfcc", window=64, hop=32, bands=12, coefficients=7))
    np.testing.assert_allclose(mfcc, scipy.fft.dct(expected, norm="ortho", axis=1)[:, :7], atol=1e-9)


def test_filters_and_cosines():
    assert hann(8).sum() == pytest.approx(4)
    filters = mel_filters(16000, 512, 40)
    assert filters.shape == (40, 257) and (filters.max(axis=1) >= 0.5).all() and (filters <= 1).all()
    assert (np.diff(filters.argmax(axis=1)) >= 0).all()
    np.testing.assert_allclose(cosines(20, 20) @ cosines(20, 20).T, np.eye(20), atol=1e-12)


@pytest.mark.parametrize("wrong", [
    {"window": 9000}, {"representation": "mfcc", "coefficients": 50}, {"bands": 200}, {"hop": 0}, {"place": "end"},
    {"representation": "chroma"},
])
def test_a_form_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError):
        SoundForm(**wrong)


# --- one form for all ---


def test_resampling_keeps_the_tone():
    form = SoundForm(rate=8000, length=8000, level=False)
    for rate in (8000, 11025, 16000, 44100):
        spectrum = np.abs(np.fft.rfft(fitted(sine(440, 1.0, rate), rate, form)))
        assert spectrum.argmax() == 440
        assert spectrum.max() / 4000 == pytest.approx(0.5, abs=0.02)


def test_place_and_padding():
    wave = np.zeros(1000, np.float32)
    wave[700:720] = 1
    for place, at in (("start", None), ("middle", None), ("loudest", 90)):
        found = fitted(wave, 8000, SoundForm(length=200, representation="wave", place=place, level=False))
        assert found.shape == (200,) and found.dtype == np.float32
        assert (found.any() and np.flatnonzero(found)[0] == at) if at else not found.any()
    short = {p: fitted(np.ones(100), 8000, SoundForm(length=200, representation="wave", place=p, level=False))
             for p in ("start", "middle", "loudest")}
    assert short["start"][:100].all() and not short["start"][100:].any()
    for place in ("middle", "loudest"):
        assert short[place][50:150].all() and short[place].sum() == 100


def test_loudness_is_equal_but_silence_stays():
    form = SoundForm(length=8000, representation="wave")
    for peak in (0.01, 0.5):
        assert np.abs(fitted(sine(300, peak=peak), 8000, form)).max() == pytest.approx(LOUD, rel=1e-4)
    assert not levelled(np.zeros(5)).any() and levelled(np.full(5, 1e-6)).max() == 1e-6


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_formats_and_channels(tmp_path, ending):
    left, right = sine(500, rate=16000), sine(500, rate=16000, peak=0.1)
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, np.stack([left, right], axis=1), 16000)
    wave, rate = load_sound(str(path))
    assert rate == 16000 and wave.ndim == 1 and abs(len(wave) - 16000) < 3000
    assert np.abs(wave[2000:-2000]).max() == pytest.approx(0.3, abs=0.03)


# --- a folder ---


@pytest.fixture
def folder(tmp_path):
    """Ten low and ten high tones of several rates and lengths."""
    root = tmp_path / "tones"
    for name, hertz in (("low", 200), ("high", 2500)):
        (root / name).mkdir(parents=True)
        for i in range(10):
            rate = (8000, 16000, 22050)[i % 3]
            path = root / name / f"{i}.{('wav', 'flac')[i % 2]}"
            soundfile.write(path, sine(hertz + 10 * i, 0.2 + 0.05 * i, rate), rate)
    return root


def test_folder_is_read_and_broken_sounds_are_counted(folder):
    (folder / "low" / "broken.wav").write_bytes(b"RIFF" + b"no sound" * 9)
    (folder / "low" / "empty.ogg").write_bytes(b"")
    (folder / "low" / "notes.pdf").write_bytes(b"x")
    source = source_for(folder)
    assert isinstance(source, SoundFolder)
    data = source.replaced(rate=8000, seconds=0.25).load(quiet)
    assert data.form == "sounds" and len(data) == 20
    assert data.column("sound").values.shape == (20, 2000)
    assert sorted(set(data.column("class").values)) == ["high", "low"]
    assert "2 sounds left out" in data.notes[0] and "broken.wav" in data.notes[0]


@pytest.mark.parametrize("representation,shape,axes", [
    ("wave", (2000, 1), "TF"), ("spectrogram", (129, 14, 1), "HWC"), ("log_mel", (32, 14, 1), "HWC"),
    ("mfcc", (14, 13), "TF"),
])
def test_fields(folder, representation, shape, axes):
    prepared = prepare(
        SoundFolder(path=str(folder), rate=8000, seconds=0.25, representation=representation).load(quiet),
        DataSettings())
    (field,) = prepared.signature.inputs
    assert (field.shape.dims, field.shape.axes) == (shape, axes)
    values = prepared.train.arrays["sound"]
    assert values.dtype == np.float32 and values.shape == (len(prepared.train), *shape)
    assert values.mean() == pytest.approx(0, abs=1e-4) and values.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("make,words", [
    (lambda p: SoundFolder(), "Choose a folder"),
    (lambda p: SoundFolder(path=str(p / "none")), "not a folder"),
    (lambda p: SoundFolder(path=str(p)), "holds no sounds"),
    (lambda p: SoundFolder(path=str(p), frame=200, seconds=0.05), "window of 200 ms is longer"),
    (lambda p: SoundFolder(path=str(p), representation="mfcc", coefficients=64), "64 coefficients"),
])
def test_what_cannot_be_is_told(tmp_path, make, words):
    with pytest.raises(DataError, match=words):
        make(tmp_path).load(quiet)


def test_only_broken_sounds_are_an_error(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.wav").write_bytes(b"nothing")
    with pytest.raises(DataError, match="No sound of .*x.wav"):
        SoundFolder(path=str(tmp_path)).load(quiet)


def test_parts_of_folders_are_kept_and_loading_can_be_cancelled(folder, tmp_path):
    (tmp_path / "whole").mkdir()
    folder.rename(tmp_path / "whole" / "train")
    (tmp_path / "whole" / "test" / "low").mkdir(parents=True)
    soundfile.write(tmp_path / "whole" / "test" / "low" / "t.wav", sine(200), 8000)
    source = SoundFolder(path=str(tmp_path / "whole"), rate=8000)
    assert len(source.load(quiet).parts["test"]) == 1

    def stop(fraction, text):
        if fraction is not None:
            raise Cancelled

    with pytest.raises(Cancelled):
        source.load(stop)


# --- preparing ---


def dataset(waves, representation="log_mel", **form):
    labels = np.array(["a", "b"] * (len(waves) // 2), dtype=object)
    layout = SoundForm(length=waves.shape[1], representation=representation, **form)
    return Dataset("x", "sounds", (Column("sound", "sound", "input", waves, layout=layout),
                                   Column("class", "category", "target", labels)))


@pytest.mark.parametrize("representation", FORMS)
def test_statistics_come_from_the_training_part_only(representation):
    waves = np.random.default_rng(0).standard_normal((40, 1000)).astype(np.float32) * 0.1
    first = prepare(dataset(waves, representation), DataSettings())
    louder = waves.copy()
    louder[first.test.rows] *= 9
    second = prepare(dataset(louder, representation), DataSettings())
    one, two = (p.preparation.field("sound") for p in (first, second))
    assert np.array_equal(one.offset, two.offset) and np.array_equal(one.scale, two.scale)
    assert not np.array_equal(first.test.arrays["sound"], second.test.arrays["sound"])


@pytest.mark.parametrize("representation", FORMS)
def test_a_sound_alone_and_after_saving_has_the_bits_of_training(representation):
    prepared = prepare(Tones(samples=40, representation=representation).load(quiet), DataSettings())
    text = json.dumps(prepared.preparation.to_json())
    again = Preparation.from_json(json.loads(text), prepared.preparation.arrays())
    assert again.signature == prepared.signature and again.inputs == prepared.preparation.inputs
    raw = prepared.dataset.column("sound").values
    for place in (0, 3):
        row = int(prepared.train.rows[place])
        alone = again.encode({"sound": raw[row:row + 1]})["sound"]
        assert alone.tobytes() == prepared.train.arrays["sound"][place:place + 1].tobytes()


@pytest.mark.parametrize("change", [
    {"layout": None}, {"layout": {}}, {"shape": [3]}, {"kind": "text"},
    {"layout": {**SoundForm().to_json(), "length": 99999}}, {"layout": {**SoundForm().to_json(), "window": "x"}},
])
def test_a_damaged_preparation_is_refused(change):
    preparation = prepare(Tones(samples=20).load(quiet), DataSettings()).preparation
    value = json.loads(json.dumps(preparation.to_json()))
    value["fields"][0]["columns"][0].update(change)
    with pytest.raises(ValueError, match="cannot be read"):
        Preparation.from_json(value, preparation.arrays())


def test_wrong_raw_values_are_told():
    preparation = prepare(Tones(samples=20).load(quiet), DataSettings()).preparation
    with pytest.raises(DataError, match="4,000 samples at 8,000 Hz"):
        preparation.encode({"sound": np.zeros((1, 7))})
    with pytest.raises(DataError, match="no finite"):
        preparation.encode({"sound": np.full((1, 4000), np.nan)})


def test_silence_can_be_encoded():
    preparation = prepare(Tones(samples=20).load(quiet), DataSettings()).preparation
    assert np.isfinite(preparation.encode({"sound": np.zeros((1, 4000))})["sound"]).all()


# --- built in ---


def test_tones_and_digits_are_whole_and_repeatable():
    tones = Tones(samples=50).load(quiet)
    assert tones.fingerprint == Tones(samples=50).load(quiet).fingerprint
    assert tones.fingerprint != Tones(samples=50, seed=8).load(quiet).fingerprint
    assert tones.column("instrument").categories == tuple(TIMBRES)
    digits = SpokenDigits().load(quiet)
    values = digits.column("sound").values
    assert values.shape == (450, 6000) and np.isfinite(values).all()
    assert np.abs(values).max(axis=1) == pytest.approx(np.full(450, LOUD), rel=1e-4)
    assert [int((digits.column("digit").values == str(d)).sum()) for d in range(10)] == [45] * 10


def test_a_saved_sound_is_read_back_as_it_was_prepared(tmp_path):
    data = SpokenDigits().load(quiet)
    column = data.column("sound")
    soundfile.write(tmp_path / "x.wav", column.values[3], 8000, subtype="FLOAT")
    np.testing.assert_allclose(read_sound(str(tmp_path / "x.wav"), column.layout)[0], column.values[3], atol=1e-6)
