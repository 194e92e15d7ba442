"""Data as they come out of a source, and as they go into a network."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from nndesigner.data.sample_keys import SampleKeys
    from nndesigner.data.sound import SoundForm
    from nndesigner.data.text import TextForm
    from nndesigner.data.windows import SeriesForm

#: "group": samples of the same value stay in one part; "time": earlier samples train, later ones test
Role = Literal["input", "target", "ignore", "group", "time"]
Form = Literal["points", "curve", "table", "images", "sounds", "texts"]
#: how a picture comes to the wanted proportions: its middle, the whole with an edge round it, or pulled out of shape
Fit = Literal["crop", "pad", "stretch"]
#: of columns of more bytes only this many samples are read for the fingerprint
LARGE, MARKED = 1 << 30, 1024


@dataclass(frozen=True)
class Column:
    """One raw quantity of every sample.

    kind "number": float array [N] (NaN = missing); "category": object array of str [N] (None = missing);
    "date": float array [N] of days since 1970 (NaN = missing);
    "image": uint8 or float array [N, H, W, C]; "array": float array [N, ...]. Pictures and arrays may lie in a mapped
    file, or be made when they are read (`rows.RawRows`).
    "mask": whole numbers [N, H, W], for each pixel of a picture the place of its class among the categories.
    "sound": float array [N, T] of waves in -1..1; "text": object array of str [N] (None = missing). `layout` is the
    form in which the network meets them.
    `categories` fixes the order of class names when the source knows it (else sorted, numbers by value).
    """

    name: str
    kind: Literal["number", "category", "date", "image", "array", "mask", "sound", "text"]
    role: Role
    values: np.ndarray
    categories: tuple[str, ...] = ()
    unit: str = ""
    #: pictures: the values that stand for black and white, when the source knows them (else found in the training part)
    limits: tuple[float, float] | None = None
    #: pictures: how they were brought to one size, so that new ones are treated alike
    fit: Fit = "pad"
    layout: SoundForm | TextForm | None = None
    #: windows over a series: the table that they move along
    series: SeriesForm | None = None


@dataclass(frozen=True)
class Dataset:
    """What a source loads: equally long columns, in the order of the file.

    `form` says how to show it: points in the plane with a class or a height, a curve y(x), a table, pictures.
    `notes` are sentences about what was left out or repaired while loading.
    """

    title: str
    form: Form
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()
    #: fixed parts given by the files ("train" / "test" of IDX): part name -> row numbers; empty: split by fractions
    parts: Mapping[str, np.ndarray] = field(default_factory=dict)
    #: samples that are in order of time and each look at this many moments, of which the next sample shares all but
    #: one; 0: samples without order
    span: int = 0
    #: name of each sample's file within its folder, where each has one
    names: tuple[str, ...] = ()
    #: its size in bytes, where that was looked at
    sizes: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.columns[0].values) if self.columns else 0

    def column(self, name: str) -> Column:
        """The column of this name. Raises KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @cached_property
    def keys(self) -> SampleKeys:
        """By what each sample is known again. Of raw data as loaded: roles and kinds do not matter, values do."""
        from nndesigner.data.sample_keys import SampleKeys

        return SampleKeys(self)

    @cached_property
    def marks(self) -> dict[str, str]:
        """sha256 of name, kind and contents of each column, as hexadecimal text, by name.

        Of columns larger than LARGE bytes only some samples count, spread evenly; of columns that are made when read
        and have files of their own, only the names of these.
        """
        return {column.name: self._mark(column) for column in self.columns}

    def _mark(self, column: Column) -> str:
        from nndesigner.data.rows import RawReader  # which knows the errors of this file

        values = column.values
        digest = hashlib.sha256(f"{column.name}\0{column.kind}\0{values.dtype.str}\0{values.shape}\0".encode())
        if not isinstance(values, np.ndarray):
            digest.update("\0".join(self.names).encode() if self.names else values.fingerprint.encode())
            return digest.hexdigest()
        if values.nbytes > LARGE:
            values = RawReader(values)(np.unique(np.linspace(0, len(values) - 1, MARKED).astype(np.int64)))
        for start in range(0, len(values), 4096):
            chunk = values[start:start + 4096]
            if chunk.dtype == object:
                digest.update("".join(f"{t}\1" if t is not None else "\2" for t in chunk).encode())
            else:
                digest.update(np.ascontiguousarray(chunk))
        return digest.hexdigest()

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over the marks of all columns, as hexadecimal text. Roles and notes do not count."""
        return hashlib.sha256("".join(self.marks.values()).encode()).hexdigest()


class DataError(ValueError):
    """Data cannot be used. The text names the file, the row or column, the reason and what to do."""
