"""Sounds that come with the program: tones by formula, digits spoken by a synthesiser, and numbers of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.sound import fitted, levelled
from nndesigner.data.sound_folder import Sounds
from nndesigner.data.source import Progress
from nndesigner.data.text import TextForm
from nndesigner.resources import resource
from nndesigner.spec import param

RATE = 8000
TONE_SECONDS, DIGIT_SECONDS, NUMBER_SECONDS = 0.5, 0.75, 2.6
#: longest silence between two digits of a number, in seconds
MOST_PAUSE = 0.15
#: strongest partials that a tone is made of; those above half the rate are left out
PARTIALS = 12


def _loudness(t: np.ndarray, rise: float, fade: float) -> np.ndarray:
    """Envelope over time t in s: rises within `rise` s, then falls to 1/e within `fade` s."""
    return np.minimum(t / rise, 1.0) * np.exp(-t / fade)


#: name -> (strength of partial k = 1, 2, ..., frequency of it as a multiple, envelope)
TIMBRES: dict[str, tuple[Callable, Callable, Callable]] = {
    "flute": (lambda k: 1.0 / k**3.0, lambda k: k, lambda t, k: _loudness(t, 0.08, 5.0)),
    "clarinet": (lambda k: (k % 2) / k, lambda k: k, lambda t, k: _loudness(t, 0.04, 5.0)),
    "trumpet": (lambda k: 1.0 / k**0.5, lambda k: k, lambda t, k: _loudness(t, 0.02 + 0.01 * k, 3.0)),
    "plucked string": (lambda k: 1.0 / k, lambda k: k, lambda t, k: _loudness(t, 0.002, 0.35 / k**0.7)),
    # partials of a struck bar, free at both ends: (2 k + 1)^2 / 9
    "bell": (lambda k: 1.0 / k**0.7, lambda k: (2 * k + 1) ** 2 / 9, lambda t, k: _loudness(t, 0.002, 0.6 / k)),
}


class Tones(Sounds):
    """Musical tones like those of five instruments, at any pitch: which instrument is it?

    Sums of sines with the partials and the rise and fall of a flute, a clarinet, a trumpet, a plucked string and a
    bell, from A2 to A5, over noise. Pitch tells nothing; the network must hear the timbre. Made by formula.
    """

    kind = "tones.v1"
    title = "Musical tones"
    group = "Built in"
    icon = "mdi6.music-note"
    keywords = ("sound", "audio", "instrument", "timbre", "synthesis", "classification")

    samples: int = param(1000, "Samples", "How many tones. More: more reliable learning, but slower.", ge=10, le=20_000,
                         step=100)
    noise: float = param(0.05, "Noise", "Loudness of hiss beside the tone. Higher: timbres drown in it.", ge=0, le=2,
                         step=0.05)
    seed: int = param(7, "Seed of the data", "The same seed gives the same tones.", ge=0, le=2**31 - 1, advanced=True)

    def load(self, progress: Progress) -> Dataset:
        form = self.sound_form(RATE, TONE_SECONDS, "start")
        rng = np.random.default_rng(self.seed)
        names = tuple(TIMBRES)
        kinds = np.arange(self.samples) % len(names)
        pitches = 110.0 * 2.0 ** rng.uniform(0, 3, self.samples)
        t = np.arange(form.length) / RATE
        values = np.empty((self.samples, form.length), dtype=np.float32)
        for i, (kind, pitch) in enumerate(zip(kinds, pitches, strict=True)):
            if i % 100 == 0:
                progress(i / self.samples, f"Making tone {i:,} of {self.samples:,}")
            wave = _tone(TIMBRES[names[kind]], float(pitch), t, rng)
            wave *= rng.uniform(0.2, 0.9) / np.abs(wave).max()
            values[i] = wave + 0.1 * self.noise * rng.standard_normal(len(t))
            if form.level:
                values[i] = levelled(values[i])
        labels = Column("instrument", "category", "target", np.array(names, dtype=object)[kinds], names)
        return Dataset(self.title, "sounds", (Column("sound", "sound", "input", values, layout=form), labels))


def _tone(timbre: tuple[Callable, Callable, Callable], pitch: float, t: np.ndarray, rng: np.random.Generator
          ) -> np.ndarray:
    """A wave [n] of this timbre; strengths and phases of partials are shaken a little, as no two tones are alike."""
    strength, multiple, envelope = timbre
    delay = rng.uniform(0, 0.08)
    since = np.maximum(t - delay, 0.0)
    wave = np.zeros(len(t))
    for k in range(1, PARTIALS + 1):
        frequency = pitch * multiple(k)
        if frequency < 0.45 * RATE:
            loud = strength(k) * rng.uniform(0.7, 1.3)
            wave += loud * envelope(since, k) * np.sin(2 * np.pi * frequency * since + rng.uniform(0, 2 * np.pi))
    return wave * (t >= delay)


class SpokenDigits(Sounds):
    """450 spoken English digits, zero to nine, by 45 synthetic speakers.

    Each speaker, an accent and voice of the speech synthesiser eSpeak NG with its own pitch and speed, says every digit
    once. Synthetic speech is more even than that of people, so it is easier. Made by scripts/make_spoken_digits.py.
    """

    kind = "spoken_digits.v1"
    title = "Spoken digits"
    group = "Built in"
    icon = "mdi6.account-voice"
    keywords = ("sound", "audio", "speech", "voice", "numbers", "words", "commands", "classification")

    def load(self, progress: Progress) -> Dataset:
        form = self.sound_form(RATE, DIGIT_SECONDS, "loudest")
        progress(None, "Reading spoken digits")
        waves, digits, _ = _spoken_digits()
        values = np.stack([fitted(wave, RATE, form) for wave in waves])
        names = tuple(str(i) for i in range(10))
        labels = Column("digit", "category", "target", np.array(names, dtype=object)[digits], names)
        return Dataset(self.title, "sounds", (Column("sound", "sound", "input", values, layout=form), labels))


class SpokenNumbers(Sounds):
    """Two to four digits spoken in a row, and the number as a text: which digits are heard, and in which order?

    Nobody tells the network when a digit begins: the loss CTC finds that out by itself. The digits are those of
    "Spoken digits", with short pauses between them; a number is spoken by one speaker, and each speaker lies in one
    part, so the test speakers are new. With the proposed network and settings the character error rate of the test part
    is 0 to 1.4 % (three splits and seeds) after 26 s of processor time, about 30 s on two busy cores.
    """

    kind = "spoken_numbers.v1"
    title = "Spoken numbers"
    group = "Built in"
    icon = "mdi6.closed-caption-outline"
    keywords = ("sound", "audio", "speech", "recognition", "transcription", "text", "ctc", "digits", "sequence")

    samples: int = param(600, "Samples", "How many numbers. More: more reliable learning, but slower.", ge=45,
                         le=20_000, step=50)
    seed: int = param(7, "Seed of the data", "The same seed gives the same numbers.", ge=0, le=2**31 - 1, advanced=True)

    def load(self, progress: Progress) -> Dataset:
        form = self.sound_form(RATE, NUMBER_SECONDS, "loudest")
        progress(None, "Speaking numbers")
        waves, digits, speakers = _spoken_digits()
        rng = np.random.default_rng(self.seed)
        who = np.arange(self.samples) % (speakers.max() + 1)
        values = np.empty((self.samples, form.length), dtype=np.float32)
        texts = np.empty(self.samples, dtype=object)
        for i, speaker in enumerate(who):
            if i % 100 == 0:
                progress(i / self.samples, f"Speaking number {i:,} of {self.samples:,}")
            chosen = rng.choice(np.flatnonzero(speakers == speaker), rng.integers(2, 5))
            pauses = [np.zeros(rng.integers(0, RATE * MOST_PAUSE)) for _ in chosen]
            spoken = [piece for pair in zip(pauses, (waves[k] for k in chosen)) for piece in pair]
            values[i] = fitted(np.concatenate(spoken[1:]), RATE, form)
            texts[i] = "".join(str(digits[k]) for k in chosen)
        columns = (
            Column("sound", "sound", "input", values, layout=form),
            Column("number", "text", "target", texts, layout=TextForm("character")),
            Column("speaker", "category", "group", np.array([f"speaker {n + 1}" for n in who], dtype=object)))
        return Dataset(self.title, "sounds", columns)


def _spoken_digits() -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """(waves at RATE in -1..1, what is said in each [n], number of its speaker [n]). Raises DataError."""
    try:
        with np.load(resource("data/spoken_digits.npz"), allow_pickle=False) as file:
            coded, lengths, digits, speakers = (file[name] for name in ("waves", "lengths", "digits", "speakers"))
    except (OSError, ValueError, KeyError) as error:
        raise DataError("The spoken digits that come with nndesigner cannot be read: install it again.") from error
    level = coded / 127.5 - 1.0
    waves = np.sign(level) * np.expm1(np.abs(level) * np.log(256)) / 255
    return np.split(waves, np.cumsum(lengths)[:-1]), digits, speakers
