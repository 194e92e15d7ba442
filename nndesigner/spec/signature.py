"""What a network needs to know of the data it is drawn for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nndesigner.spec.shape import Shape


@dataclass(frozen=True, slots=True)
class DataField:
    """One array of the prepared data, as the network meets it.

    role "input" feeds Input nodes, "target" is what an Output node is compared with. kind "class" means whole numbers
    that index `classes`; `shape` is then the shape of the scores a network must give, F = number of classes. kind
    "text" are targets of tokens in a row: whole numbers that index `classes` (the vocabulary), 0 behind the end of a
    text; `shape` is T × F, the longest text by the number of tokens, and a network may give scores for more steps.
    """

    name: str
    role: Literal["input", "target"]
    shape: Shape
    kind: Literal["real", "class", "text"] = "real"
    classes: tuple[str, ...] = ()
    #: whole-number inputs: how many different numbers there are, from 0
    tokens: int = 0

    @property
    def sample_dims(self) -> tuple[int, ...]:
        """Shape of one sample in the arrays: of classes and texts without the axis of the scores."""
        return self.shape.dims if self.kind == "real" else self.shape.dims[:-1]

    @property
    def dtype(self) -> Literal["float32", "int64"]:
        """Type of the values in the arrays."""
        return "int64" if self.kind != "real" or self.shape.integer else "float32"


@dataclass(frozen=True, slots=True)
class Signature:
    """All fields of the prepared data."""

    fields: tuple[DataField, ...] = ()

    @property
    def inputs(self) -> tuple[DataField, ...]:
        return tuple(f for f in self.fields if f.role == "input")

    @property
    def targets(self) -> tuple[DataField, ...]:
        return tuple(f for f in self.fields if f.role == "target")

    def get(self, name: str) -> DataField | None:
        return next((f for f in self.fields if f.name == name), None)
