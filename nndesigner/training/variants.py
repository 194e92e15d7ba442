"""What augmentation makes of one training sample in some epochs: by the code and the seeds that feed the training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from nndesigner.data.augment import ChangedSounds
from nndesigner.data.preparing import Prepared
from nndesigner.training.feeding import Orders, fields_to_read, read_batch
from nndesigner.training.settings import TrainSettings


@dataclass(frozen=True, eq=False)
class Variant:
    """One training sample as training meets it in `epoch` (from 0).

    `values` are its encoded fields, `labels` (class, share) with the largest share first, `wave` a changed sound.
    `partner` is the place in the training part of the sample that was mixed in.
    """

    epoch: int
    values: Mapping[str, np.ndarray]
    labels: tuple[tuple[str, float], ...] = ()
    wave: np.ndarray | None = None
    partner: int | None = None


def original(prepared: Prepared, place: int) -> Variant:
    """The sample at a place of the training part as it is."""
    return Variant(-1, {name: np.asarray(rows[place]) for name, rows in prepared.train.arrays.items()},
                   _labels(prepared, {n: rows[place] for n, rows in prepared.train.arrays.items()}),
                   _wave(prepared, place, None))


def variants(prepared: Prepared, settings: TrainSettings, place: int, epochs: Iterable[int]) -> list[Variant]:
    """What training is fed for the sample at a place of the training part in these epochs. Raises DataError."""
    sources, found = fields_to_read(prepared, prepared.train.arrays), []
    samples = len(prepared.train)
    orders = Orders(settings.seed, samples, min(settings.batch_size, samples))
    for epoch in epochs:
        rows, pairs = np.array([place]), None
        if prepared.mixer is not None:
            position, within = divmod(int(np.flatnonzero(orders.of(epoch) == place)[0]), orders.batch)
            batch = orders.rows_at((epoch, position))
            pairs = prepared.mixer.pairs(len(batch), epoch, position)
            rows = batch[[within, pairs.partner[within]]]
        buffers = {n: np.empty((len(rows), *s.shape[1:]), dtype=s.dtype) for n, s in sources.items()}
        read_batch(sources, rows, epoch, buffers)
        mixed = pairs is not None and pairs.share[within] < 1
        if mixed:
            pairs.of(within).mix(buffers)
        values = {name: buffers[name][0] if name in buffers else np.asarray(array[place])
                  for name, array in prepared.train.arrays.items()}
        found.append(Variant(epoch, values, _labels(prepared, values), _wave(prepared, place, epoch),
                             int(rows[1]) if mixed else None))
    return found


def _labels(prepared: Prepared, values: Mapping[str, np.ndarray]) -> tuple[tuple[str, float], ...]:
    """The classes of the first target that has one for the whole sample."""
    field = next((f for f in prepared.signature.targets if f.kind == "class" and len(f.shape.dims) == 1), None)
    if field is None:
        return ()
    shares = np.asarray(values[field.name])
    if shares.ndim == 0:
        return ((field.classes[int(shares)], 1.0),)
    return tuple((field.classes[i], float(shares[i])) for i in np.argsort(-shares, kind="stable") if shares[i] > 0)


def _wave(prepared: Prepared, place: int, epoch: int | None) -> np.ndarray | None:
    """The sound of a sample in an epoch, None: as it is; None where the data are no sounds."""
    for rows in prepared.train.arrays.values():
        if isinstance(rows, ChangedSounds) and epoch is not None:
            return rows.waves(np.array([place]), epoch)[0]
    sound = next((c for c in prepared.dataset.columns if c.kind == "sound" and c.role == "input"), None)
    return None if sound is None else np.asarray(sound.values[int(prepared.train.rows[place])], dtype=np.float32)
