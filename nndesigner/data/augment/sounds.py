"""Changed sounds: moved in time, higher or lower, faster or slower, louder or softer, with noise; covered spectrums.

All but SpecAugment change the wave, before it becomes a picture of frequencies.
"""

from __future__ import annotations

import math

import numpy as np

from nndesigner.data.augment.step import About, Augmentation, how_often
from nndesigner.data.sound import hann
from nndesigner.spec import param


class _SoundStep(Augmentation):
    suits = ("sound",)


class TimeShift(_SoundStep):
    """Begins sounds earlier or later; what comes in is silence."""

    kind = "time_shift.v1"
    title = "Shift in time"
    icon = "mdi6.arrow-left-right"
    keywords = ("roll", "delay", "translate")

    share: float = param(0.1, "Farthest", "Farthest way, as a share of the length. More: the moment matters less.",
                         gt=0, le=0.5, step=0.05)
    chance: float = how_often()

    def change(self, sample: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        way = round(float(rng.uniform(-1, 1)) * self.share * len(sample))
        moved = np.zeros_like(sample)
        if way >= 0:
            moved[way:] = sample[:len(sample) - way]
        else:
            moved[:way] = sample[-way:]
        return moved


class Pitch(_SoundStep):
    """Makes sounds higher or lower at the same speed, as another voice would be.

    The sound is stretched in time by a phase vocoder, then resampled to its length.
    """

    kind = "pitch.v1"
    title = "Pitch"
    icon = "mdi6.music-accidental-sharp"
    keywords = ("semitones", "frequency", "transpose", "voice")

    semitones: float = param(2.0, "Farthest", "Largest way up or down; 12 semitones are an octave. More: the height of "
                             "a sound matters less.", gt=0, le=12, step=0.5, unit="semitones")
    chance: float = how_often(0.5)

    def change(self, sample: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        return transposed(sample, float(rng.uniform(-1, 1)) * self.semitones, about.rate)


class Speed(_SoundStep):
    """Plays sounds faster or slower, as a tape would: faster is higher, too (Ko et al., 2015)."""

    kind = "speed.v1"
    title = "Speed"
    icon = "mdi6.play-speed"
    keywords = ("tempo", "stretch", "rate", "resample")

    share: float = param(0.1, "Strongest", "Largest change of the speed. More: the speed matters less.", gt=0, le=0.5,
                         step=0.05)
    chance: float = how_often()

    def change(self, sample: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        speed = math.exp(float(rng.uniform(-1, 1)) * math.log1p(self.share))
        played = _resampled(sample, max(1, round(len(sample) / speed)))
        spare = len(played) - len(sample)
        if spare >= 0:
            return played[spare // 2:spare // 2 + len(sample)]
        changed = np.zeros_like(sample)
        changed[-spare // 2:-spare // 2 + len(played)] = played
        return changed


class Loudness(_SoundStep):
    """Makes sounds louder or softer; what would be too loud is cut off, as microphones do."""

    kind = "loudness.v1"
    title = "Loudness"
    icon = "mdi6.volume-medium"
    keywords = ("gain", "volume", "level")

    decibels: float = param(6.0, "Farthest", "Largest change up or down; 6 dB double the wave. More: the level "
                            "matters less.", gt=0, le=40, step=1, unit="dB")
    chance: float = how_often()

    def change(self, sample: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        factor = 10.0 ** (float(rng.uniform(-1, 1)) * self.decibels / 20.0)
        return np.clip(sample * np.float32(factor), -1.0, 1.0)


class Hiss(_SoundStep):
    """Adds white noise, as a poor microphone does."""

    kind = "hiss.v1"
    title = "Noise in sounds"
    icon = "mdi6.waveform"
    keywords = ("white noise", "hiss", "snr", "signal to noise")

    decibels: float = param(20.0, "Below the sound", "How far the loudest noise lies below the sound; it is drawn from "
                            "there to 20 dB less. Lower: more noise.", ge=0, le=60, step=1, unit="dB")
    chance: float = how_often(0.5)

    def change(self, sample: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        below = self.decibels + 20.0 * float(rng.random())
        level = math.sqrt(float(np.square(sample, dtype=np.float64).mean())) * 10.0 ** (-below / 20.0)
        changed = rng.standard_normal(sample.shape, dtype=np.float32)
        changed *= np.float32(level)
        changed += sample
        return np.clip(changed, -1.0, 1.0, out=changed)


class SpecAugment(Augmentation):
    """Covers some frequencies and some moments of a spectrogram with its mean (Park et al., 2019, arXiv:1904.08779)."""

    kind = "spec_augment.v1"
    title = "SpecAugment"
    icon = "mdi6.view-grid-plus-outline"
    keywords = ("spectrogram", "mask", "frequency", "time", "cover")
    suits = ("spectrum",)

    frequency: float = param(0.2, "Widest band", "Widest band of frequencies, as a share of all. More: no band decides "
                             "alone; 0: none.", ge=0, le=0.9, step=0.05)
    time: float = param(0.2, "Longest moment", "Longest moment, as a share of the length. More: no moment decides "
                        "alone; 0: none.", ge=0, le=0.9, step=0.05)
    count: int = param(1, "Of each", "How many bands and how many moments. More: more is covered.", ge=1, le=5)
    chance: float = how_often()

    def change(self, sample: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        changed = sample.copy()
        along_time = about.axes.startswith("T")  # MFCC are time x coefficients, the others frequency x time x 1
        mean = sample.mean(axis=0) if along_time else sample.mean()
        shares = (self.time, self.frequency) if along_time else (self.frequency, self.time)
        for _ in range(self.count):
            for axis, share in enumerate(shares):
                width, start = rng.random(2)
                size = sample.shape[axis]
                covered = round(width * share * size)
                first = int(start * (size - covered + 1))
                place = (slice(None),) * axis + (slice(first, first + covered),)
                changed[place] = mean[place[1]] if along_time and axis == 1 else mean
        return changed


def transposed(wave: np.ndarray, semitones: float, rate: int) -> np.ndarray:
    """A wave [n], float32, higher by so many semitones (lower when negative), as long as it was."""
    longer = _stretched(wave, 2.0 ** (semitones / 12.0), rate)
    return _resampled(longer, len(wave))


def _resampled(wave: np.ndarray, length: int) -> np.ndarray:
    """A wave at another number of samples, without the frequencies that do not fit into it, float32."""
    from scipy.signal import resample  # slow to import

    return resample(wave, length).astype(np.float32)


def _stretched(wave: np.ndarray, factor: float, rate: int) -> np.ndarray:
    """A wave that lasts `factor` times as long at the same height, by a phase vocoder (Flanagan and Golden, 1966).

    Of each frame of the result the phase goes on by what the wave does in one hop at that place: that is measured with
    a second frame one hop earlier, so no frequency has to be guessed (Laroche and Dolson, 1999).
    """
    window = 1 << max(6, round(math.log2(0.05 * rate)))  # about 50 ms
    hop, length = window // 4, max(1, round(factor * len(wave)))
    frames = length // hop + 1 + window // hop
    starts = np.rint(np.arange(frames) * (hop / factor)).astype(np.intp)
    padded = np.zeros(int(starts[-1]) + hop + 2 * window + len(wave))
    padded[window // 2 + hop:window // 2 + hop + len(wave)] = wave
    shape = hann(window)
    before, now = (np.fft.rfft(padded[starts[:, None] + (ahead + np.arange(window))] * shape, axis=1)
                   for ahead in (0, hop))
    angles = np.angle(now * before.conj())
    angles[0] = np.angle(now[0])
    np.cumsum(angles, axis=0, out=angles)
    pieces = np.fft.irfft(np.abs(now) * np.exp(1j * angles), window, axis=1) * shape
    total = np.zeros((frames + 3, hop))
    for quarter in range(4):
        total[quarter:quarter + frames] += pieces[:, quarter * hop:(quarter + 1) * hop]
    whole = total.reshape(-1)[window // 2:window // 2 + length]
    return whole / 1.5  # what four squared windows add up to
