"""Initial values of weights. Made on the host, so that every device starts from the same numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nndesigner.graph.check import Checked
from nndesigner.graph.model import Placeholder
from nndesigner.layers.base import Weight

Initialiser = Callable[[Weight, np.random.Generator], np.ndarray]


def _normal(variance: Callable[[Weight], float]) -> Initialiser:
    return lambda weight, rng: rng.standard_normal(weight.shape) * math.sqrt(variance(weight))


def _uniform(variance: Callable[[Weight], float]) -> Initialiser:
    def fill(weight: Weight, rng: np.random.Generator) -> np.ndarray:
        limit = math.sqrt(3 * variance(weight))
        return rng.uniform(-limit, limit, weight.shape)

    return fill


def _constant(value: float) -> Initialiser:
    return lambda weight, rng: np.full(weight.shape, value)


def _orthogonal(weight: Weight, rng: np.random.Generator) -> np.ndarray:
    """Rows or columns at right angles (Saxe et al. 2014)."""
    columns = weight.shape[-1] if weight.shape else 1
    rows = math.prod(weight.shape) // columns
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return (q if rows >= columns else q.T).reshape(weight.shape)


def _forget_open(weight: Weight, rng: np.random.Generator) -> np.ndarray:
    """Biases of an LSTM: 1 for the forget gates (the second quarter), else 0 (Jozefowicz et al. 2015)."""
    bias = np.zeros(weight.shape)
    bias[weight.shape[0] // 4:weight.shape[0] // 2] = 1.0
    return bias


# Variances: He et al. 2015, Glorot and Bengio 2010, LeCun et al. 1998.
def _he(weight: Weight) -> float:
    return 2 / weight.fan_in


def _glorot(weight: Weight) -> float:
    return 2 / (weight.fan_in + weight.fan_out)


def _lecun(weight: Weight) -> float:
    return 1 / weight.fan_in


def _truncated_normal(weight: Weight, rng: np.random.Generator) -> np.ndarray:
    """Spread 0.05 before values beyond two spreads are drawn anew."""
    values = rng.standard_normal(weight.shape)
    while (far := np.abs(values) > 2).any():
        values[far] = rng.standard_normal(int(far.sum()))
    return 0.05 * values


INITIALISERS: dict[str, Initialiser] = {
    "he_normal": _normal(_he),
    "he_uniform": _uniform(_he),
    "glorot_normal": _normal(_glorot),
    "glorot_uniform": _uniform(_glorot),
    "lecun_normal": _normal(_lecun),
    "lecun_uniform": _uniform(_lecun),
    "orthogonal": _orthogonal,
    "small_normal": _normal(lambda weight: 0.05**2),
    "truncated_normal": _truncated_normal,
    "constant": _constant(0.1),
    "zeros": _constant(0.0),
    "ones": _constant(1.0),
    "quarter": _constant(0.25),
    "forget_open": _forget_open,
}
#: What "auto" means, by the activation that follows: one-sided activations halve the variance, so they need He's.
_RECTIFIERS = {"relu", "leaky_relu", "leakyrelu", "elu", "gelu", "silu"}


def initial(weight: Weight, activation: str, rng: np.random.Generator) -> np.ndarray:
    """Initial values, float64. `activation` is the one that follows, for "auto". ValueError for an unknown name."""
    name = weight.init
    if name == "auto":
        name = "he_normal" if activation in _RECTIFIERS else "glorot_uniform"
    if name not in INITIALISERS:
        raise ValueError(f"There is no initialiser '{name}': choose one of {', '.join(INITIALISERS)}.")
    return np.asarray(INITIALISERS[name](weight, rng), dtype=np.float64)


def activation_after(checked: Checked, node_id: str) -> str:
    """Name of the activation that the values of a node meet first: its own or that of a layer behind it; "" for none.

    Looks through layers without an activation of their own and without trained weights of two or more axes (pooling,
    normalisation, dropout), as long as there is no branch.
    """
    seen: set[str] = set()
    while node_id not in seen:
        seen.add(node_id)
        layer = checked.graph.node(node_id).layer
        if isinstance(layer, Placeholder):
            return ""
        own = getattr(layer, "activation", "none")
        if own != "none":
            return str(own)
        if layer.group == "Activation":
            return layer.kind.rsplit(".", 1)[0]
        following = checked.graph.outgoing[node_id]
        if len(following) != 1:
            return ""
        node_id = following[0].target
        behind = checked.graph.node(node_id).layer
        if hasattr(behind, "initialiser") or not behind.emits:
            return ""
    return ""
