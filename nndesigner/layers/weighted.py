"""What Dense and the convolutions share: the choice of activation, bias and initialiser."""

from __future__ import annotations

from typing import Any, Literal

from nndesigner.layers.activation import ELU, LeakyReLU, ReLU
from nndesigner.layers.base import Layer, Penalty
from nndesigner.layers.elementwise import Elementwise
from nndesigner.layers.smooth import GELU, SiLU
from nndesigner.layers.squash import Sigmoid, Tanh
from nndesigner.spec import param

ActivationName = Literal["none", "relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh"]
InitialiserName = Literal[
    "auto", "he_normal", "he_uniform", "glorot_normal", "glorot_uniform", "lecun_normal", "lecun_uniform", "orthogonal",
    "small_normal", "truncated_normal", "constant", "zeros",
]

_ACTIVATION_TITLES = {
    "none": "none (linear)", "relu": "ReLU", "leaky_relu": "Leaky ReLU", "elu": "ELU", "gelu": "GELU", "silu": "SiLU",
    "sigmoid": "Sigmoid", "tanh": "Tanh",
}
_INITIALISER_TITLES = {
    "auto": "auto (by the activation)", "he_normal": "He normal", "he_uniform": "He uniform",
    "glorot_normal": "Glorot normal", "glorot_uniform": "Glorot uniform", "lecun_normal": "LeCun normal",
    "lecun_uniform": "LeCun uniform", "orthogonal": "orthogonal", "small_normal": "small normal (0.05)",
    "truncated_normal": "small normal, truncated", "constant": "constant (0.1)", "zeros": "zeros",
}


#: activations that Dense and the convolutions apply themselves, by the name of their parameter
FUSED: dict[str, Elementwise] = {
    "relu": ReLU(), "leaky_relu": LeakyReLU(), "elu": ELU(), "gelu": GELU(), "silu": SiLU(), "sigmoid": Sigmoid(),
    "tanh": Tanh(),
}


class Penalised(Layer):
    """Shared by the layers whose weights can be kept small."""

    l1: float = param(
        0.0, "L1 penalty", "Adds the size of the weights to what training makes small. Higher: more weights become "
        "zero; too high cannot learn. The curves show the loss without it.", ge=0, le=100, advanced=True)
    l2: float = param(
        0.0, "L2 penalty", "Adds the squares of the weights to what training makes small. Higher: smoother functions "
        "that generalise better; too high cannot learn. The curves show the loss without it.", ge=0, le=100,
        advanced=True)
    max_norm: float = param(
        0.0, "Largest norm", "Longest allowed vector of weights that lead to one output; longer ones are shortened "
        "after each step. Lower: steadier, but slower to learn. 0: off.", ge=0, le=1e6, advanced=True)

    def penalty(self, outputs: tuple[int, ...] = (-1,)) -> Penalty | None:
        """For an array of weights whose axes `outputs` count outputs."""
        if self.l1 == self.l2 == self.max_norm == 0:
            return None
        return Penalty(self.l1, self.l2, self.max_norm, outputs)


def activation_param() -> Any:
    """Field for the function that follows the weighted sum at once."""
    return param(
        "none", "Activation", "Function applied to every result. Without one, several layers in a row can do no more "
        "than a single one; ReLU is a good first choice.", labels=_ACTIVATION_TITLES)


def bias_param() -> Any:
    """Field that says whether a bias is added."""
    return param(
        True, "Bias", "Adds one learnt number to every output. Off: fewer weights; right in front of a BatchNorm, "
        "which has its own.", advanced=True)


def initialiser_param() -> Any:
    """Field for the distribution that the weights start from."""
    return param(
        "auto", "Initialiser", "Random numbers the weights start with. Auto: He where a rectifier follows, else "
        "Glorot.",
        labels=_INITIALISER_TITLES, advanced=True)


def fused(name: ActivationName) -> Elementwise | None:
    """The activation of this name; None for "none"."""
    return None if name == "none" else FUSED[name]


def activation_title(name: ActivationName) -> str:
    """What a node's header shows; empty for "none"."""
    return "" if name == "none" else _ACTIVATION_TITLES[name]
