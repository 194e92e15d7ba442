"""Applies the chosen steps to the samples of training.

Each change is a function of (seed, epoch, sample, step) alone, so a run repeats and resumes to the bit, whichever
thread reads the sample. Validation and test samples stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nndesigner.data.augment.mixing import Mixing
from nndesigner.data.augment.step import About, Augmentation, Kind, kinds_of, refuse_misfits
from nndesigner.data.encoding import FieldEncoding, Preparation
from nndesigner.data.rows import EncodedRows, RawReader, Rows, samples_at

#: values whose spread is measured, or of at least so many samples
MEASURED, FEWEST = 1 << 20, 64
#: steps with their number among all that were chosen
Numbered = Sequence[tuple[int, Augmentation]]


class Augmenter:
    """Some of the chosen steps, applied to samples of one field. May be used from several threads."""

    def __init__(self, steps: Numbered, seed: int, about: About) -> None:
        self._steps, self._seed, self._about = tuple(steps), seed, about

    def __bool__(self) -> bool:
        return bool(self._steps)

    def apply(self, samples: np.ndarray, rows: np.ndarray, epoch: int) -> None:
        """Change samples [n, ...] of these rows of the data set in place, as this epoch wants it.

        Every step has random numbers of its own for each sample, so a mask moves as its picture does, though fewer
        steps change it, and what one step draws does not depend on the settings of another.
        """
        if not self._steps:
            return
        bits = np.random.Philox(key=[self._seed, 0])
        rng, state = np.random.Generator(bits), bits.state  # setting the state is ten times as fast as a new one
        key, counter = state["state"]["key"], state["state"]["counter"]
        masks = samples.dtype.kind == "i" and samples.ndim == 3
        for place, row in enumerate(rows.tolist()):
            sample = samples[place][..., None] if masks else samples[place]
            key[1] = epoch << 40 | row
            for number, step in self._steps:
                counter[3] = number
                bits.state = state
                if rng.random() < step.chance:
                    sample = step.change(sample, rng, self._about)
            samples[place] = sample[..., 0] if masks else sample


class ChangedRows(EncodedRows):
    """Training samples that are changed anew in each epoch when a batch is read. Indexed, they are as they were."""

    def __init__(self, rows: Rows, numbers: np.ndarray, after: Augmenter) -> None:
        """`plain` are then the samples as they were; `numbers` are their row numbers in the data set."""
        self.plain, self._rows, self._after = rows, numbers, after
        self.shape, self.dtype = rows.shape, rows.dtype

    def read(self, places: np.ndarray, out: np.ndarray, epoch: int = 0) -> None:
        """Fill `out` [n, ...] with the samples at these places as this epoch wants them."""
        if isinstance(self.plain, EncodedRows):
            self.plain.read(places, out, epoch)
        else:
            np.take(self.plain, places, axis=0, out=out)
        self._after.apply(out, self._rows[places], epoch)

    def at(self, places: np.ndarray | slice) -> Any:
        """The samples at these places as they were."""
        return samples_at(self.plain, places)

    def __getitem__(self, index: Any) -> np.ndarray:
        return self.plain[index]


class ChangedSounds(ChangedRows):
    """Training sounds whose waves are changed before they become what the network sees."""

    def __init__(self, rows: Rows, numbers: np.ndarray, after: Augmenter, before: Augmenter, encoding: FieldEncoding,
                 raw: Any) -> None:
        super().__init__(rows, numbers, after)
        self._before, self._encoding, self._raw = before, encoding, RawReader(raw)

    def waves(self, places: np.ndarray, epoch: int) -> np.ndarray:
        """The changed waves [n, T] of this epoch, float32."""
        numbers = self._rows[places]
        waves = np.array(self._raw(numbers), dtype=np.float32)
        self._before.apply(waves, numbers, epoch)
        return waves

    def read(self, places: np.ndarray, out: np.ndarray, epoch: int = 0) -> None:
        """Fill `out` [n, ...] with the samples at these places as this epoch wants them."""
        out[...] = self._encoding.encode({self._encoding.columns[0].column: self.waves(places, epoch)})
        self._after.apply(out, self._rows[places], epoch)


def changed_rows(
    steps: Sequence[Augmentation], seed: int, preparation: Preparation, rows: Mapping[str, Rows], numbers: np.ndarray,
    raw: Mapping[str, Any],
) -> dict[str, Rows]:
    """The fields of the training part, those that a step changes as ChangedRows; what changed them before is forgotten.

    `numbers` are the row numbers of the samples, `raw` the raw columns. Raises DataError for a step that changes
    nothing of these data.
    """
    refuse_misfits(steps, kinds_of(c for f in preparation.fields if f.field.role == "input" for c in f.columns))
    numbered = [(i, step) for i, step in enumerate(steps) if not isinstance(step, Mixing)]
    found = {name: given.plain if isinstance(given, ChangedRows) else given for name, given in rows.items()}
    for encoding in preparation.fields:
        name, column = encoding.field.name, encoding.columns[0]
        kinds = kinds_of(encoding.columns)
        chosen = [(i, step) for i, step in numbered if kinds.intersection(step.suits)]
        if encoding.field.role == "target":  # a picture or mask to be told from the picture moves along with it
            visible = column.kind in ("image", "mask")
            chosen = [(i, step) for i, step in numbered if step.moves and visible]
        if not chosen:
            continue
        about = _about(encoding, kinds, found[name])
        waves = [(i, step) for i, step in chosen if column.kind == "sound" and step.suits == ("sound",)]
        after = Augmenter([pair for pair in chosen if pair not in waves], seed, about)
        if waves:
            before = Augmenter(waves, seed, about)
            found[name] = ChangedSounds(found[name], numbers, after, before, encoding, raw[column.column])
        else:
            found[name] = ChangedRows(found[name], numbers, after)
    return found


def _about(encoding: FieldEncoding, kinds: frozenset[Kind], rows: Rows) -> About:
    column, axes = encoding.columns[0], encoding.field.shape.axes
    if column.kind == "image":
        black, white = ((v - float(encoding.offset)) / float(encoding.scale) for v in (column.low, column.high))
        return About((black, white), axes)
    if column.kind == "sound":
        return About(axes=axes, rate=column.layout.rate)
    if "numbers" in kinds:
        count = max(FEWEST, MEASURED // encoding.field.shape.size)
        sample = rows[:count].reshape(-1, encoding.field.shape.dims[-1])
        spread = np.asarray(sample.std(axis=0) if axes in ("F", "TF") else sample.std(), dtype=np.float32)
        if column.kind != "array":
            spread = spread * np.concatenate([np.full(c.width, c.kind == "number") for c in encoding.columns])
        return About(axes=axes, spread=spread)
    return About(axes=axes)
