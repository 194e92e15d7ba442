"""Sound as a network meets it: reading and fitting to one length, the wave and its pictures of frequencies.

Frames and windows: A. V. Oppenheim, R. W. Schafer, Discrete-Time Signal Processing, chapter 10 (short-time Fourier
transform). Mel scale and cepstral coefficients: S. B. Davis, P. Mermelstein, Comparison of parametric representations
for monosyllabic word recognition, IEEE Trans. ASSP 28 (4), 1980, with m = 2595 log10(1 + f / 700 Hz) (D. O'Shaughnessy,
Speech Communication, 1987).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nndesigner.data.dataset import DataError
from nndesigner.data.files import checked_file, reading

Representation = Literal["wave", "spectrogram", "log_mel", "mfcc"]
Place = Literal["start", "middle", "loudest"]

#: endings of sound files that soundfile reads
SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".w64")
MAX_BYTES = 1 << 30
#: longest sound that is decoded, in seconds: a file's header can promise more than there is memory
MAX_SECONDS = 3600
#: power below which all counts as silence: -80 dB of a sine at full level
FLOOR = 1e-8
#: peak to which sounds are levelled, and below which there is nothing to level
LOUD, SILENT = 0.9, 1e-4
AXES: dict[str, str] = {"wave": "TF", "spectrogram": "HWC", "log_mel": "HWC", "mfcc": "TF"}


@dataclass(frozen=True)
class SoundForm:
    """How sounds are brought to one form. Lengths count samples at `rate` (Hz).

    `place` tells which part of a longer sound is kept; `level` brings all to one loudness. `window` and `hop` are those
    of the short-time Fourier transform, `bands` the mel bands, `coefficients` those that MFCC keeps. Raises ValueError
    for what cannot be.
    """

    rate: int = 8000
    length: int = 8000
    representation: Representation = "log_mel"
    window: int = 256
    hop: int = 128
    bands: int = 40
    coefficients: int = 13
    place: Place = "loudest"
    level: bool = True

    def __post_init__(self) -> None:
        if self.representation not in AXES or self.place not in ("start", "middle", "loudest"):
            raise ValueError("the form of the sounds is unknown")
        if min(self.rate, self.length, self.hop, self.bands, self.coefficients) < 1 or self.window < 4:
            raise ValueError("the form of the sounds has a size below 1")
        if self.representation == "wave":
            return
        if self.window > self.length:
            raise ValueError(f"a window of {1000 * self.window / self.rate:.0f} ms is longer than the sounds")
        if self.representation == "mfcc" and self.coefficients > self.bands:
            raise ValueError(f"{self.coefficients} coefficients cannot come from {self.bands} bands")
        if self.representation != "spectrogram" and self.bands > self.window // 4:
            raise ValueError(f"{self.bands} bands are too many for a window of {self.window} samples (at most "
                             f"{self.window // 4})")

    @property
    def frames(self) -> int:
        """Windows that lie wholly in a sound."""
        return 1 + (self.length - self.window) // self.hop

    @property
    def axes(self) -> str:
        return AXES[self.representation]

    @property
    def shape(self) -> tuple[int, ...]:
        """Time x 1 for waves, frequency x time x 1 for pictures, time x coefficients for MFCC."""
        if self.representation == "wave":
            return self.length, 1
        if self.representation == "mfcc":
            return self.frames, self.coefficients
        return (self.bands if self.representation == "log_mel" else self.window // 2 + 1), self.frames, 1

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SoundForm:
        """Raises KeyError, TypeError and ValueError for anything that `to_json` did not write."""
        sizes = {n: int(value[n]) for n in ("rate", "length", "window", "hop", "bands", "coefficients")}
        if max(sizes.values()) > 1 << 28:
            raise ValueError("the form of the sounds has a size that is too large")
        return cls(**sizes, representation=value["representation"], place=value["place"],
                   level=bool(value["level"]))


# --- from a wave to what the network sees ---


def represented(wave: np.ndarray, form: SoundForm) -> np.ndarray:
    """One wave [length] as float64 of form.shape: the wave itself, log power in dB (frequency up), or MFCC.

    The bits depend on this wave alone: nothing is computed over several sounds at once.
    """
    wave = np.ascontiguousarray(wave, dtype=np.float64)
    if form.representation == "wave":
        return wave[:, None]
    power = _power(wave, form)
    if form.representation == "spectrogram":
        return np.ascontiguousarray(_decibels(power).T[::-1, :, None])
    # never by BLAS, whose last bits depend on the number of threads
    places, weights, starts = _filter_values(form.rate, form.window, form.bands)
    mel = _decibels(np.add.reduceat(power[:, places] * weights, starts, axis=1))
    if form.representation == "log_mel":
        return np.ascontiguousarray(mel.T[::-1, :, None])
    return np.einsum("tm,cm->tc", mel, cosines(form.bands, form.coefficients))


def _power(wave: np.ndarray, form: SoundForm) -> np.ndarray:
    """Power [frames, window // 2 + 1] by |STFT|^2; a sine at full level has 1 at its frequency."""
    window = hann(form.window)
    frames = np.lib.stride_tricks.sliding_window_view(wave, form.window)[::form.hop] * window
    spectrum = np.fft.rfft(frames, axis=1) / (0.5 * window.sum())
    return spectrum.real**2 + spectrum.imag**2


def _decibels(power: np.ndarray) -> np.ndarray:
    return 10.0 * np.log10(np.maximum(power, FLOOR))


@lru_cache(maxsize=16)
def hann(size: int) -> np.ndarray:
    """Periodic Hann window [size]: w[n] = 0.5 - 0.5 cos(2 pi n / size)."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)


def mel(hertz: np.ndarray | float) -> np.ndarray | float:
    """m = 2595 log10(1 + f / 700 Hz)."""
    return 2595.0 * np.log10(1.0 + np.asarray(hertz) / 700.0)


@lru_cache(maxsize=16)
def mel_filters(rate: int, window: int, bands: int) -> np.ndarray:
    """Triangles [bands, window // 2 + 1] of height 1 whose corners lie evenly on the mel scale from 0 to rate / 2.

    Narrow triangles between two frequencies of the transform take both by their distance, so that none is empty.
    """
    frequencies = np.arange(window // 2 + 1) * (rate / window)
    corners = 700.0 * (10.0 ** (np.linspace(0.0, mel(rate / 2), bands + 2) / 2595.0) - 1.0)
    low, middle, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    filters = np.minimum((frequencies - low) / (middle - low), (high - frequencies) / (high - middle)).clip(0.0)
    step = rate / window
    for band in np.flatnonzero(filters.max(axis=1) < 0.5):
        near = (1.0 - np.abs(frequencies - corners[band + 1]) / step).clip(0.0)
        filters[band] = np.maximum(filters[band], near)
    return filters


@lru_cache(maxsize=16)
def _filter_values(rate: int, window: int, bands: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What of the filters is not zero, band after band: (frequency numbers, values, where each band begins)."""
    filters = mel_filters(rate, window, bands)
    band, places = np.nonzero(filters)
    return places, filters[band, places], np.searchsorted(band, np.arange(bands))


@lru_cache(maxsize=16)
def cosines(bands: int, coefficients: int) -> np.ndarray:
    """Orthonormal DCT-II [coefficients, bands]: c[k] = s[k] sum_m x[m] cos(pi k (m + 1/2) / M)."""
    k, m = np.arange(coefficients)[:, None], np.arange(bands)[None]
    matrix = np.sqrt(2.0 / bands) * np.cos(np.pi * k * (m + 0.5) / bands)
    matrix[0] /= math.sqrt(2.0)
    return matrix


# --- from a file to a wave ---


def load_sound(path: str) -> tuple[np.ndarray, int]:
    """(mono wave float32 [n], rate in Hz) of a sound file; channels are averaged. Raises DataError."""
    import soundfile  # loads a shared library, and is needed only here

    found, _ = checked_file(path, "sound file", MAX_BYTES)
    try:
        with reading(found), soundfile.SoundFile(str(found)) as file:
            if file.frames > MAX_SECONDS * file.samplerate or file.frames * file.channels > MAX_BYTES // 4:
                raise DataError(f"'{found.name}' lasts longer than an hour. Cut it into parts.")
            wave, rate = file.read(dtype="float32", always_2d=True), file.samplerate
    except soundfile.SoundFileError as error:
        reason = str(getattr(error, "error_string", error)).strip().rstrip(".")
        raise DataError(f"'{found.name}' cannot be read as sound: {reason}. Use WAV, FLAC, OGG or MP3.") from error
    if not len(wave):
        raise DataError(f"'{found.name}' holds no sound.")
    if not np.isfinite(wave).all():
        raise DataError(f"'{found.name}' holds values that are no finite numbers.")
    return wave.mean(axis=1), rate


def fitted(wave: np.ndarray, rate: int, form: SoundForm) -> np.ndarray:
    """A mono wave [n] at `rate` as float32 [form.length] at form.rate: resampled, cropped or padded with zeros."""
    if rate != form.rate:
        from scipy.signal import resample_poly  # slow to import

        common = math.gcd(rate, form.rate)
        up, down = form.rate // common, rate // common
        wave = resample_poly(wave.astype(np.float64), up, down)
    spare = len(wave) - form.length
    start = 0 if form.place == "start" else spare // 2 if form.place == "middle" else _loudest(wave, form.length)
    inside = wave[max(start, 0):max(start + form.length, 0)]
    found = np.zeros(form.length, dtype=np.float32)
    before = max(-start, 0)
    found[before:before + len(inside)] = inside
    return levelled(found) if form.level else found


def _loudest(wave: np.ndarray, length: int) -> int:
    """Where the stretch of this length begins that has the middle of the energy of the loudest stretch in its middle.

    It may reach over the ends of the wave.
    """
    energy = np.concatenate([[0.0], np.cumsum(np.square(wave, dtype=np.float64))])
    spare = max(len(wave) - length, 0)
    start = int(np.argmax(energy[len(wave) - spare:] - energy[:spare + 1]))
    end = min(start + length, len(wave))
    return int(np.searchsorted(energy, (energy[start] + energy[end]) / 2)) - length // 2


def levelled(wave: np.ndarray) -> np.ndarray:
    """The wave with its peak at LOUD; near silence stays as it is."""
    peak = float(np.abs(wave).max())
    return wave if peak < SILENT else (wave * (LOUD / peak)).astype(np.float32)


def read_sound(path: str, form: SoundForm) -> np.ndarray:
    """A sound file as the raw value of one sample, float32 [1, form.length]. Raises DataError."""
    return fitted(*load_sound(path), form)[None]


def is_sound(path: Path) -> bool:
    """Whether a file is a sound, by its name."""
    return path.suffix.lower() in SUFFIXES
