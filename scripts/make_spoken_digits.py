"""Speaks the ten digits with espeak-ng and writes them to resources/data/spoken_digits.npz.

Needs espeak-ng (Debian, Ubuntu: apt-get install espeak-ng). Forty-five speakers: English accents with voice variants,
each with a pitch and a speed of its own; every one says every digit once. 8 kHz mono, silence cut off, 8-bit mu-law
(ITU-T G.711) so that the file stays small.

    python scripts/make_spoken_digits.py
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ACCENTS = ("en-gb", "en-us", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan")
VARIANTS = ("m1", "m2", "m3", "m4", "m5", "f1", "f2", "f3", "f4")
RATE = 8000
#: softest part that still belongs to the word, as a share of its peak, and what is kept around it in seconds
QUIET, MARGIN = 0.02, 0.02
TARGET = Path(__file__).resolve().parent.parent / "resources" / "data" / "spoken_digits.npz"


def spoken(word: str, voice: str, pitch: int, speed: int) -> np.ndarray:
    """The word as a wave [n] at RATE with peak 0.9, without silence before and after."""
    command = ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(speed), "--stdout", word]
    out = subprocess.run(command, check=True, capture_output=True).stdout
    # espeak-ng cannot know the length when it writes to a pipe and states the largest
    wave, rate = soundfile.read(io.BytesIO(out), dtype="float64")
    divisor = np.gcd(RATE, rate)
    wave = resample_poly(wave, RATE // divisor, rate // divisor)
    loud = np.flatnonzero(np.abs(wave) > QUIET * np.abs(wave).max())
    margin = int(MARGIN * RATE)
    wave = wave[max(0, loud[0] - margin):loud[-1] + margin]
    return 0.9 * wave / np.abs(wave).max()


def mu_law(wave: np.ndarray) -> np.ndarray:
    """uint8: sign(x) ln(1 + 255 |x|) / ln 256, from -1..1 to 0..255."""
    return np.round(127.5 * (np.sign(wave) * np.log1p(255 * np.abs(wave)) / np.log(256) + 1)).astype(np.uint8)


def main() -> int:
    rng = np.random.default_rng(4)
    waves, digits, speakers, names = [], [], [], []
    for accent in ACCENTS:
        for variant in VARIANTS:
            pitch, speed = int(rng.integers(25, 76)), int(rng.integers(135, 211))
            names.append(f"{accent}+{variant} pitch {pitch} speed {speed}")
            for digit, word in enumerate(WORDS):
                waves.append(mu_law(spoken(word, f"{accent}+{variant}", pitch, speed)))
                digits.append(digit)
                speakers.append(len(names) - 1)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        TARGET, waves=np.concatenate(waves), lengths=np.array([len(w) for w in waves], np.int32),
        digits=np.array(digits, np.uint8), speakers=np.array(speakers, np.uint8), names=np.array(names), rate=RATE)
    print(f"{len(waves)} sounds, {sum(map(len, waves)) / RATE:.0f} s, {TARGET.stat().st_size:,} bytes: {TARGET.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
