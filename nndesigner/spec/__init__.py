"""What a thing IS: declarations, shapes and the signature of the data. Knows no layer, no file and no window."""

from nndesigner.spec.declared import Declared, ParamInfo, UnknownKind, choice_of, describe, param
from nndesigner.spec.shape import Insert, Remedy, Set, Shape, ShapeError
from nndesigner.spec.signature import DataField, Signature

__all__ = [
    "DataField", "Declared", "Insert", "ParamInfo", "Remedy", "Set", "Shape", "ShapeError", "Signature",
    "UnknownKind", "choice_of", "describe", "param",
]
