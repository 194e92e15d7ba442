"""The catalogue of layers. Importing this package declares them all; adding a layer touches one file of the family."""

from nndesigner.layers import (
    activation,
    attention,
    conv,
    dense,
    depthwise,
    embedding,
    formula,
    gated,
    generative,
    globalpool,
    groupnorm,
    io,
    merge,
    norm,
    pool,
    recurrent,
    regular,
    reshape,
    resize,
    smooth,
    squash,
)
from nndesigner.layers.base import Bind, Layer, Weight

__all__ = [
    "Bind", "Layer", "Weight", "activation", "attention", "conv", "dense", "depthwise", "embedding", "formula", "gated",
    "generative", "globalpool", "groupnorm", "io", "merge", "norm", "pool", "recurrent", "regular", "reshape", "resize",
    "smooth", "squash",
]
