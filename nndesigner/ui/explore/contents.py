"""What a tile shows of a raw sample, made on threads of its own and kept while there is room.

The worker threads hold no QObject; what they made is taken up by a timer of the GUI thread.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.dates import text_of_days
from nndesigner.data.rows import RawReader
from nndesigner.data.text import text_of_sample
from nndesigner.ui import numbers
from nndesigner.ui.views.mask_picture import mask_image
from nndesigner.ui.views.sample_content import value_text
from nndesigner.ui.views.sample_picture import picture_image
from nndesigner.ui.views.sound_picture import sound_image

#: contents kept, and wishes that wait (the newest count: who scrolls on does not want the old ones)
KEPT, WAITING = 3000, 300
LOOK_MS = 25
#: curves of a series shown, and points of each
CURVES, POINTS = 6, 96
PASSAGE = 2000


@dataclass(frozen=True, eq=False)
class Content:
    """A picture, curves [n, points], a text, or (name, value) lines; `fault` where it cannot be read."""

    image: QImage | None = None
    curves: np.ndarray | None = None
    passage: str = ""
    lines: tuple[tuple[str, str], ...] = ()
    fault: str = ""


class Reader:
    """Reads single samples of a data set; from several threads."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        inputs = [c for c in dataset.columns if c.role == "input"]
        shown = ("image", "sound", "text", "array")
        self._main: Column | None = next((c for kind in shown for c in inputs if c.kind == kind), None)
        self._read = RawReader(self._main.values) if self._main is not None else None
        self._mask = next((c for c in dataset.columns if c.kind == "mask" and c.role == "target"), None)
        self._limits = self._limits_of(self._main) if self._main is not None and self._main.kind == "image" else None

    @property
    def kind(self) -> str:
        """Kind of the column that stands for a sample; "row" where all its columns do."""
        return "row" if self._main is None else self._main.kind

    @property
    def column(self) -> Column | None:
        """The column that stands for a sample."""
        return self._main

    def wave(self, row: int) -> np.ndarray:
        """The sound of a sample, float32 [n]."""
        return np.asarray(self._read(np.array([row]))[0], dtype=np.float32)

    def content(self, row: int) -> Content:
        """What stands for a sample. A fault of its file is told in it."""
        if self._main is None:
            return Content(lines=row_lines(self._dataset, row))
        try:
            value = self._read(np.array([row]))[0]
        except DataError as error:
            return Content(fault=str(error))
        if self._main.kind == "image" and self._mask is not None:
            low, high = self._limits
            mask = np.asarray(self._mask.values[row]).astype(np.int64)
            return Content(mask_image((value - low) / ((high - low) or 1.0), mask, self._mask.categories))
        if self._main.kind == "image":
            return Content(picture_image(value, *self._limits))
        if self._main.kind == "sound":
            return Content(sound_image(value, self._main.layout))
        if self._main.kind == "text":
            return Content(passage=" ".join(text_of_sample(value)[:PASSAGE].split()))
        return Content(curves=_curves(np.asarray(value)))

    @staticmethod
    def _limits_of(column: Column) -> tuple[float, float]:
        if column.limits is not None:
            return column.limits
        few = column.values[:64]
        high = float(np.nanmax(few)) if few.size else 1.0
        return min(0.0, float(np.nanmin(few))) if few.size else 0.0, high or 1.0


def row_lines(dataset: Dataset, row: int, most: int = 1000) -> tuple[tuple[str, str], ...]:
    """(name, value with unit) of the single values of a sample, targets left out."""
    found = []
    for column in dataset.columns:
        if column.role == "target" or column.kind not in ("number", "category", "date"):
            continue
        value = column.values[row]
        if column.kind == "date":
            text = numbers.NONE if value != value else text_of_days(float(value))
        else:
            text = value_text(value, column.unit)
        found.append((column.name, text))
        if len(found) == most:
            break
    return tuple(found)


def _curves(values: np.ndarray) -> np.ndarray:
    """Some rows of at most POINTS values each of a window of a series [T, F], or of any other array."""
    values = values.reshape(len(values), -1) if values.ndim > 1 else values[:, None]
    step = max(1, -(-len(values) // POINTS))
    return np.nan_to_num(values[::step, :CURVES].T.astype(np.float32))


class Contents(QObject):
    """Contents by row: what is there at once, what is not later."""

    #: rows whose content has come
    came = Signal(list)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._shop = _Workshop(None)
        self._made: dict[int, Content] = {}
        self._look = QTimer(self)
        self._look.setInterval(LOOK_MS)
        self._look.timeout.connect(self._take)

    @property
    def kind(self) -> str:
        """See `Reader.kind`."""
        return self._shop.reader.kind if self._shop.reader is not None else "row"

    @property
    def reader(self) -> Reader | None:
        return self._shop.reader

    def show(self, dataset: Dataset | None) -> None:
        """Contents of other data."""
        self._shop.close()
        self._made = {}
        self._shop = _Workshop(None if dataset is None else Reader(dataset))

    def forget(self) -> None:
        """Make all anew (colours changed)."""
        self._made = {}

    def of(self, row: int) -> Content | None:
        """The content of a row; None while it is being made."""
        found = self._made.get(row)
        if found is None and self._shop.reader is not None:
            self._shop.want(row)
            if not self._look.isActive():
                self._look.start()
        return found

    def close(self, seconds: float = 2.0) -> None:
        """End the threads."""
        self._look.stop()
        self._shop.close(seconds)

    def _take(self) -> None:
        made, done = self._shop.take()
        for row, content in made:
            self._made[row] = content
        while len(self._made) > KEPT:
            self._made.pop(next(iter(self._made)))
        if made:
            self.came.emit([row for row, _ in made])
        elif done:
            self._look.stop()


class _Workshop:
    """A stack of wishes and the threads that work on it; they end when it is empty."""

    def __init__(self, reader: Reader | None) -> None:
        self.reader = reader
        self._lock = threading.Lock()
        self._wanted: dict[int, None] = {}
        self._under_way: set[int] = set()
        self._made: list[tuple[int, Content]] = []
        self._threads: list[threading.Thread] = []

    def want(self, row: int) -> None:
        with self._lock:
            if row in self._under_way:
                return
            self._wanted.pop(row, None)
            self._wanted[row] = None
            while len(self._wanted) > WAITING:
                self._wanted.pop(next(iter(self._wanted)))
            self._threads = [t for t in self._threads if t.is_alive()]
            if len(self._threads) < min(4, os.cpu_count() or 1):
                thread = threading.Thread(target=self._work, name="nndesigner tiles", daemon=True)
                self._threads.append(thread)
                thread.start()

    def take(self) -> tuple[list[tuple[int, Content]], bool]:
        """(what was made since, whether nothing is wanted any more)."""
        with self._lock:
            made, self._made = self._made, []
            return made, not (self._wanted or self._under_way)

    def close(self, seconds: float = 0.0) -> None:
        with self._lock:
            self._wanted = {}
            threads = self._threads
        for thread in threads if seconds else ():
            thread.join(seconds)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._wanted:
                    self._threads = [t for t in self._threads if t is not threading.current_thread()]
                    return
                row, _ = self._wanted.popitem()
                self._under_way.add(row)
            try:
                content = self.reader.content(row)
            except Exception as error:  # a sample of any fault must not end the thread
                content = Content(fault=f"It cannot be shown ({error}).")
            with self._lock:
                self._under_way.discard(row)
                self._made.append((row, content))
