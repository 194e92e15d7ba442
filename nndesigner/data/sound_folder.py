"""Sounds of your own from folders: one folder a class, decoded by several threads and brought to one length."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.files import reading
from nndesigner.data.folders import classed_files, holds, names_in, sizes_of
from nndesigner.data.sound import SUFFIXES, Place, Representation, SoundForm, fitted, load_sound
from nndesigner.data.source import Progress, Source
from nndesigner.spec import param

MAX_FILES = 1_000_000
MAX_BYTES = 4 << 30
#: sounds that wait for a thread at a time, so that cancelling is quick
WAITING = 64


class Sounds(Source):
    """Shared by the sources of sounds: which form the network sees."""

    form = "sounds"

    representation: Representation = param(
        "log_mel", "Seen as", "What the network sees. The wave itself needs many data; log-mel pictures "
        "make speech and music easy to tell apart; MFCC is the smallest.", labels={
            "wave": "wave", "spectrogram": "spectrogram", "log_mel": "log-mel", "mfcc": "MFCC"})
    level: bool = param(True, "Equal loudness", "Brings all sounds to the same peak, so that how loud a recording is "
                        "tells nothing.", advanced=True)
    frame: float = param(32.0, "Window", "Stretch of sound in one column of a spectrogram. Longer: tells tones apart "
                         "more finely, moments less.", ge=4, le=200, unit="ms", advanced=True)
    hop: float = param(16.0, "Hop", "From one window to the next. Shorter: more columns, slower training.", ge=1,
                       le=200, unit="ms", advanced=True)
    bands: int = param(32, "Mel bands", "Rows of a log-mel spectrogram. More: finer frequencies, slower training.",
                       ge=4, le=256, advanced=True)
    coefficients: int = param(13, "Coefficients", "How many numbers MFCC keeps of each window. More: finer detail.",
                              ge=2, le=64, advanced=True)

    def sound_form(self, rate: int, seconds: float, place: Place) -> SoundForm:
        """The form of the sounds. Raises DataError for sizes that do not go together."""
        try:
            return SoundForm(rate, max(1, round(seconds * rate)), self.representation,
                             max(4, round(self.frame * rate / 1000)), max(1, round(self.hop * rate / 1000)),
                             self.bands, self.coefficients, place, self.level)
        except ValueError as error:
            raise DataError(f"These sounds cannot be made: {error}. Change the settings of the sound.") from error


class _InFolder(Source):
    """Only here so that the folder is the first field of the form."""

    form = "sounds"

    path: str = param("", "Folder", "The folder with one folder for each class.", editor="folder")


class SoundFolder(Sounds, _InFolder):
    """Sounds of your own: a folder with one folder for each class.

    The names of the folders are the classes. Folders named train, val and test above them are kept as parts. Sounds
    (WAV, FLAC, OGG, MP3, AIFF) are mixed to one channel, resampled and brought to one length. Without class folders
    there are only sounds, as for an autoencoder.
    """

    kind = "sound_folder.v1"
    title = "Folder of sounds"
    group = "Files"
    icon = "mdi6.folder-music-outline"
    keywords = ("audio", "music", "speech", "own data", "wav", "flac", "mp3", "ogg", "classes", "directory")

    seconds: float = param(1.0, "Length", "Length to which sounds are cut or padded with silence. Longer: hears more, "
                           "slower training.", ge=0.05, le=60, unit="s", step=0.25)
    place: Place = param("loudest", "Part kept", "Which part of longer sounds is kept.", labels={
        "start": "start", "middle": "middle", "loudest": "loudest"})
    rate: Literal[8000, 11025, 16000, 22050, 44100] = param(
        16000, "Sample rate", "Samples in a second. Half of it is the highest frequency that is heard: 8 kHz is a "
        "telephone, 16 kHz is enough for speech.", labels={
            8000: "8 kHz", 11025: "11 kHz", 16000: "16 kHz", 22050: "22 kHz", 44100: "44 kHz"})

    @classmethod
    def reads(cls, path: Path) -> bool:
        return path.is_dir() and holds(path, SUFFIXES)

    def load(self, progress: Progress) -> Dataset:
        if not self.path:
            raise DataError("Choose a folder of sounds.")
        form = self.sound_form(self.rate, self.seconds, self.place)
        folder = Path(self.path).expanduser()
        progress(None, f"Looking through {folder.name}")
        with reading(folder):
            if not folder.is_dir():
                raise DataError(f"'{folder}' is not a folder. Choose the folder that holds a folder for each class.")
            found = list(islice(classed_files(folder, SUFFIXES), MAX_FILES + 1))
        if not found:
            raise DataError(f"'{folder.name}' holds no sounds ({', '.join(SUFFIXES)}). Put the sounds of each class "
                            "into a folder of its own below it.")
        size = 4 * len(found) * form.length
        if len(found) > MAX_FILES or size > MAX_BYTES:
            raise DataError(f"'{folder.name}' holds {len(found):,} sounds, which would take {size / (1 << 30):.3g} GB. "
                            f"Choose a shorter length, a lower sample rate, or fewer sounds (at most {MAX_BYTES >> 30} "
                            "GB).")
        values = np.empty((len(found), form.length), dtype=np.float32)
        faults = _decode([path for path, _, _ in found], values, form, progress)
        good = [i for i in range(len(found)) if i not in faults]
        if not good:
            raise DataError(f"No sound of '{folder.name}' can be read. The first fault: {faults[min(faults)]}")
        notes = []
        if faults:
            count = "1 sound" if len(faults) == 1 else f"{len(faults):,} sounds"
            notes.append(f"{count} left out. The first fault: {faults[min(faults)]}")
            values = values[good]
        columns = [Column("sound", "sound", "input", values, layout=form)]
        labels = np.empty(len(good), dtype=object)
        labels[:] = [found[i][1] for i in good]
        if any(label is not None for label in labels):
            columns.append(Column("class", "category", "target", labels))
        parts = {}
        for name in ("train", "validation", "test"):
            rows = [row for row, i in enumerate(good) if found[i][2] == name]
            if rows:
                parts[name] = np.array(rows)
        kept = [found[i][0] for i in good]
        names, sizes = names_in(folder, kept), sizes_of(kept)
        return Dataset(folder.name, "sounds", tuple(columns), tuple(notes), parts, names=names, sizes=sizes)


def _decode(paths: list[Path], values: np.ndarray, form: SoundForm, progress: Progress) -> dict[int, str]:
    """Fill `values` [n, length]; returns number of the sound -> fault for those that cannot be read."""
    faults: dict[int, str] = {}

    def one(i: int) -> str:
        try:
            values[i] = fitted(*load_sound(str(paths[i])), form)
        except DataError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1), "sounds") as pool:
        for start in range(0, len(paths), WAITING):
            progress(start / len(paths), f"Reading sound {start:,} of {len(paths):,}")
            for i, fault in enumerate(pool.map(one, range(start, min(start + WAITING, len(paths)))), start):
                if fault:
                    faults[i] = fault
    return faults
