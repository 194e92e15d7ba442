"""The catalogue of layers. Importing this package declares them all; adding a layer touches one file of the family."""

from nndesigner.layers import (
    activation,
    conv,
    dense,
    embedding,
    globalpool,
    io,
    merge,
    norm,
    pool,
    regular,
    reshape,
    squash,
)
from nndesigner.layers.base import Bind, Layer, Weight

__all__ = [
    "Bind", "Layer", "Weight", "activation", "conv", "dense", "embedding", "globalpool", "io", "merge", "norm", "pool",
    "regular", "reshape", "squash",
]
