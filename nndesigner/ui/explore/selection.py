"""What is known of all samples, and which of them are wanted in which order. Knows no Qt: it works on any thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from nndesigner.data.corrections import Correction
from nndesigner.data.dataset import Column, Dataset
from nndesigner.data.encoding import text_of, texts_of
from nndesigner.data.preparing import Prepared
from nndesigner.data.source import Progress
from nndesigner.insight.judging import Judgement

PARTS = ("train", "validation", "test")
#: part code of samples that no part has
NOWHERE = len(PARTS)
Show = Literal["all", "suspects", "corrected"]
Order = Literal["row", "loss", "doubt"]


@dataclass(frozen=True, eq=False)
class Samples:
    """The raw data set beside what preparing made of it; `part` int8 [N] numbers the parts, NOWHERE for none."""

    dataset: Dataset
    prepared: Prepared | None
    part: np.ndarray
    #: the column that is mended: the first target with classes or numbers
    target: Column | None
    #: texts of the target as the files have them, object [N]; None without a target
    labels: np.ndarray | None
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.dataset)


@dataclass(frozen=True)
class Wanted:
    """Which samples to show. Empty texts stand for all."""

    search: str = ""
    part: str = ""
    label: str = ""
    #: "right" or "wrong" in the eyes of the network
    answer: str = ""
    show: Show = "all"
    order: Order = "row"
    #: rows behind a bar or a cell, in their order, and what they are in words
    only: np.ndarray | None = field(default=None, compare=False)
    words: str = ""


@dataclass(frozen=True, eq=False)
class Opinion:
    """What is said of samples beside the data: by hand, and by the network."""

    corrections: Mapping[int, Correction] = field(default_factory=dict)
    judgement: Judgement | None = None


def known(dataset: Dataset, prepared: Prepared | None, before: Samples | None, progress: Progress) -> Samples:
    """Gather what the gallery needs; `before` is reused where it holds. Raises Cancelled when `progress` does."""
    progress(None, "Looking at the samples")
    part = np.full(len(dataset), NOWHERE, dtype=np.int8)
    shown = dataset if prepared is None else prepared.dataset
    if prepared is not None:
        for code, name in enumerate(PARTS):
            part[prepared.part(name).rows] = code
    targets = [c for c in shown.columns if c.role == "target" and c.kind in ("category", "number", "text")]
    target = next((c for c in targets if c.kind == "category"), targets[0] if targets else None)
    labels, classes = None, ()
    if target is not None:
        same = before is not None and before.dataset is dataset and before.target is not None
        same = same and (before.target.name, before.target.kind) == (target.name, target.kind)
        labels = before.labels if same else texts_of(dataset.column(target.name).values)
        progress(None, "Looking at the samples")
        if target.kind == "category":
            given = prepared.preparation.classes if prepared is not None else target.categories
            found = set(labels.tolist()) - {None}
            classes = (*(c for c in given if c in found), *sorted(found - set(given)))
    progress(None, "Marking the samples")
    dataset.keys.row("0")  # makes their marks now, on this thread
    return Samples(dataset, prepared, part, target, labels, classes)


def label_of(samples: Samples, row: int, corrections: Mapping[int, Correction]) -> str:
    """The label in force, empty where there is none."""
    if samples.labels is None:
        return ""
    correction = corrections.get(row)
    if correction is not None and correction.column == samples.target.name:
        return correction.value
    return samples.labels[row] or ""


def label_words(samples: Samples, label: str | None) -> str:
    """A label as people read it: numbers with as many digits as tell something."""
    return f"{float(label):.6g}" if label and samples.target.kind == "number" else label or ""


def chosen_rows(samples: Samples, wanted: Wanted, opinion: Opinion, progress: Progress) -> np.ndarray:
    """Row numbers of the wanted samples in their order. Raises Cancelled when `progress` does."""
    n, judgement, corrections = len(samples), opinion.judgement, opinion.corrections
    rows = np.arange(n) if wanted.only is None else wanted.only
    if wanted.show == "suspects":
        rows = _both(judgement.suspects if judgement is not None else np.zeros(0, np.int64), rows)
    elif wanted.show == "corrected":
        rows = _both(np.array(sorted(corrections), dtype=np.int64), rows)
    if wanted.part:
        code = PARTS.index(wanted.part) if wanted.part in PARTS else NOWHERE
        rows = rows[samples.part[rows] == code]
    if wanted.label and samples.labels is not None:
        mask = samples.labels == wanted.label
        for row in corrections:
            mask[row] = label_of(samples, row, corrections) == wanted.label
        rows = rows[mask[rows]]
    if wanted.answer and judgement is not None:
        rows = rows[judgement.answer[rows] >= 0]
        rows = rows[judgement.right[rows] == (wanted.answer == "right")]
    if wanted.search.strip():
        rows = rows[_found(samples, wanted.search.strip(), progress)[rows]]
    if wanted.order != "row" and judgement is not None and wanted.show != "suspects":
        by = judgement.loss if wanted.order == "loss" else judgement.doubt
        worst = np.where(np.isnan(by[rows]), -np.inf, by[rows])
        rows = rows[np.argsort(-worst, kind="stable")]
    return rows


def _both(order: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The rows of `order` that are also in `rows`."""
    return order[np.isin(order, rows)]


def _found(samples: Samples, text: str, progress: Progress) -> np.ndarray:
    """bool [N]: samples whose number, file name, texts or categories hold the text, whatever the letters' size."""
    n, wanted = len(samples), text.casefold()
    mask = np.zeros(n, dtype=bool)
    number = text.removeprefix("#")
    if number.isdecimal():
        if 1 <= int(number) <= n:
            mask[int(number) - 1] = True
        if text.startswith("#"):
            return mask
    if samples.dataset.names:
        mask |= np.fromiter((wanted in name.casefold() for name in samples.dataset.names), bool, n)
    for column in samples.dataset.columns:
        progress(None, f"Searching {column.name}")
        if not isinstance(column.values, np.ndarray) or column.values.dtype != object or column.values.ndim != 1:
            continue  # numbers, and tables that are read from the disk row by row
        hits: dict[object, bool] = {}
        for row, value in enumerate(column.values.tolist()):
            hit = hits.get(value)
            if hit is None:
                hit = hits[value] = value is not None and wanted in str(value).casefold()
            if hit:
                mask[row] = True
    return mask


def number_text(samples: Samples, text: str) -> str:
    """A label typed by hand as it is kept. Raises ValueError with a sentence where a number is needed."""
    text = text.strip()
    if samples.target.kind != "number":
        found = text_of(text)
        if found is None:
            raise ValueError("A label needs at least one letter.")
        return found
    try:
        float(text)
    except ValueError as error:
        raise ValueError(f"'{text}' is no number, and '{samples.target.name}' holds numbers.") from error
    return text
