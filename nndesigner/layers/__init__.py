"""The catalogue of layers. Importing this package declares them all; adding a layer touches one file of the family."""

from nndesigner.layers import (
    activation,
    conv,
    dense,
    depthwise,
    embedding,
    globalpool,
    io,
    merge,
    norm,
    pool,
    regular,
    reshape,
    resize,
    squash,
)
from nndesigner.layers.base import Bind, Layer, Weight

__all__ = [
    "Bind", "Layer", "Weight", "activation", "conv", "dense", "depthwise", "embedding", "globalpool", "io", "merge",
    "norm",
    "pool", "regular", "reshape", "resize", "squash",
]
