"""Smooth relatives of the rectifiers. They find their slope on the way forward."""

from __future__ import annotations

import math
from typing import Any, Literal

from nndesigner.layers.base import Step
from nndesigner.layers.elementwise import Sloped, Temporary, bind_positive, number, sign_bits
from nndesigner.spec import param

#: Φ(u) = (1 + tanh(u·P(u²))) / 2 for |u| ≤ 6, by bytes of a number: own minimax fits with errors below 7e-8, the last
#: bit of single precision, and 4e-9. NumPy has no erf, and SciPy's takes 11 ns for a value where this takes 2.
_NORMAL_FIT = {
    4: (
        7.978844928e-01, 3.633391084e-02, -3.295441089e-05, -5.527803873e-05, 3.973125584e-06,
        -1.336475857e-07, 1.809378465e-09,
    ),
    8: (
        7.978846069e-01, 3.633528922e-02, -3.641502883e-05, -5.258499799e-05, 3.005287261e-06, 5.158536099e-08,
        -1.829170608e-08, 1.260851729e-09, -4.487685261e-11, 8.407246705e-13, -6.526717130e-15,
    ),
}


class GELU(Sloped):
    """A smooth ReLU that weighs each value by how likely a normal random number lies below it.

    y = x · Φ(x); the tanh form is y = x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))

    The usual activation of transformers. Source: Hendrycks and Gimpel 2016, arXiv:1606.08415.
    """

    kind = "gelu.v1"
    title = "GELU"
    icon = "mdi6.chart-bell-curve-cumulative"
    keywords = ("gaussian error linear unit", "activation", "transformer")

    form: Literal["exact", "tanh"] = param(
        "exact", "Form", "Exact uses the normal distribution; tanh is the approximation of BERT and GPT-2, a little "
        "faster.", advanced=True)

    def summary(self) -> str:
        return "tanh" if self.form == "tanh" else ""

    def bind_value(self, xp: Any, x: Any, y: Any, slope: Any | None, temporary: Temporary) -> Step:
        bind = self._bind_tanh if self.form == "tanh" else self._bind_exact
        return bind(xp, x, y, slope, temporary)

    def _bind_exact(self, xp: Any, x: Any, y: Any, slope: Any | None, temporary: Temporary) -> Step:
        # Beyond 6 tanh is 1 whatever follows, so it is enough to keep the polynomial of x² from growing.
        most = xp.full_like(x, 36.0)
        half, density, minus_half = (number(x, v, xp) for v in (0.5, (2 * math.pi) ** -0.5, -0.5))
        first, *others = (number(x, c, xp) for c in reversed(_NORMAL_FIT[x.dtype.itemsize]))
        u, p, square = temporary("u"), temporary("p"), temporary("square")

        def forward() -> None:
            xp.multiply(x, x, out=square)
            xp.minimum(square, most, out=u)
            xp.multiply(u, first, out=p)
            xp.add(p, others[0], out=p)
            for c in others[1:]:
                xp.multiply(p, u, out=p)
                xp.add(p, c, out=p)
            xp.multiply(p, x, out=p)
            xp.tanh(p, out=p)
            xp.multiply(p, half, out=p)
            xp.add(p, half, out=p)  # Φ(x)
            if slope is not None:  # Φ(x) + x · φ(x)
                xp.multiply(square, minus_half, out=square)
                xp.exp(square, out=square)
                xp.multiply(square, density, out=square)
                xp.multiply(square, x, out=square)
                xp.add(square, p, out=slope)
            xp.multiply(x, p, out=y)

        return forward

    def _bind_tanh(self, xp: Any, x: Any, y: Any, slope: Any | None, temporary: Temporary) -> Step:
        root = (2 / math.pi) ** 0.5
        a, b, three_b = (number(x, v, xp) for v in (root, root * 0.044715, root * 3 * 0.044715))
        half, one = number(x, 0.5, xp), number(x, 1.0, xp)
        square, p, q = temporary("square"), temporary("p"), temporary("u")

        def forward() -> None:
            xp.multiply(x, x, out=square)
            xp.multiply(square, b, out=p)
            xp.add(p, a, out=p)
            xp.multiply(p, x, out=p)
            xp.tanh(p, out=p)
            if slope is not None:  # (1 + t)/2 + x/2 · (1 − t²) · (a + 3b x²)
                xp.multiply(square, three_b, out=square)
                xp.add(square, a, out=square)
                xp.multiply(square, x, out=square)
                xp.multiply(p, p, out=q)
                xp.subtract(one, q, out=q)
                xp.multiply(q, square, out=q)
                xp.add(q, p, out=q)
                xp.add(q, one, out=q)
                xp.multiply(q, half, out=slope)
            xp.add(p, one, out=p)
            xp.multiply(p, half, out=p)
            xp.multiply(x, p, out=y)

        return forward


class SiLU(Sloped):
    """A smooth ReLU: each value times its sigmoid.

    y = x · sigmoid(x)

    Also called swish; common in newer image networks. Source: Elfwing et al. 2017; Ramachandran et al. 2017,
    arXiv:1710.05941.
    """

    kind = "silu.v1"
    title = "SiLU"
    icon = "mdi6.chart-bell-curve-cumulative"
    keywords = ("swish", "sigmoid linear unit", "activation")

    def bind_value(self, xp: Any, x: Any, y: Any, slope: Any | None, temporary: Temporary) -> Step:
        half, s, t = number(x, 0.5, xp), temporary("s"), temporary("t")

        def forward() -> None:
            xp.multiply(x, half, out=s)
            xp.tanh(s, out=s)
            xp.multiply(s, half, out=s)
            xp.add(s, half, out=s)
            xp.multiply(x, s, out=y)
            if slope is not None:  # s + y · (1 − s)
                xp.multiply(y, s, out=t)
                xp.subtract(y, t, out=t)
                xp.add(t, s, out=slope)

        return forward


class Mish(Sloped):
    """A smooth ReLU with a small dip below zero.

    y = x · tanh(log(1 + eˣ))

    Used by some object detectors. Source: Misra 2020, arXiv:1908.08681.
    """

    kind = "mish.v1"
    title = "Mish"
    icon = "mdi6.chart-bell-curve-cumulative"
    keywords = ("self-regularised", "activation")

    def bind_value(self, xp: Any, x: Any, y: Any, slope: Any | None, temporary: Temporary) -> Step:
        # tanh(log(1 + e)) = n / (n + 2) with e = eˣ, n = e · (e + 2); from x = 20 on it is 1 in any precision used here
        limit = xp.full_like(x, 20.0)
        one, two = number(x, 1.0, xp), number(x, 2.0, xp)
        e, w, t = temporary("e"), temporary("w"), temporary("t")

        def forward() -> None:
            xp.minimum(x, limit, out=e)
            xp.exp(e, out=e)
            xp.add(e, two, out=w)
            xp.multiply(w, e, out=w)
            xp.add(w, two, out=t)
            xp.divide(w, t, out=w)
            if slope is not None:  # w + x · (1 − w²) · e / (1 + e)
                xp.add(e, one, out=t)
                xp.divide(e, t, out=e)
                xp.multiply(w, w, out=t)
                xp.subtract(one, t, out=t)
                xp.multiply(t, e, out=t)
                xp.multiply(t, x, out=t)
                xp.add(t, w, out=slope)
            xp.multiply(x, w, out=y)

        return forward


class HardSwish(Sloped):
    """SiLU made of straight pieces and a parabola: nearly the same, and cheap on small machines.

    y = x · min(max(x + 3, 0), 6) / 6

    Source: Howard et al. 2019 (MobileNetV3), arXiv:1905.02244.
    """

    kind = "hardswish.v1"
    title = "Hard swish"
    icon = "mdi6.chart-line-variant"
    keywords = ("mobile", "piecewise", "activation", "hardswish")

    def bind_value(self, xp: Any, x: Any, y: Any, slope: Any | None, temporary: Temporary) -> Step:
        zeros, ones = xp.zeros_like(x), xp.ones_like(x)
        sixth, half, two = (number(x, v, xp) for v in (1 / 6, 0.5, 2.0))
        gate, inner = temporary("gate"), temporary("inner")
        mask, other = temporary("mask"), temporary("other")
        mask_bits, other_bits, inner_bits = (sign_bits(xp, array)[0] for array in (mask, other, inner))
        find, find_other = bind_positive(xp, gate, mask_bits), bind_positive(xp, other, other_bits)

        def forward() -> None:
            xp.multiply(x, sixth, out=inner)
            xp.add(inner, half, out=gate)
            xp.maximum(gate, zeros, out=gate)
            xp.minimum(gate, ones, out=gate)
            if slope is not None:  # gate + x / 6 where 0 < gate < 1
                find()
                xp.subtract(ones, gate, out=other)
                find_other()
                xp.bitwise_and(mask_bits, other_bits, out=mask_bits)
                xp.bitwise_and(mask_bits, inner_bits, out=inner_bits)
                xp.add(gate, inner, out=slope)
            xp.multiply(x, gate, out=y)

        return forward


class Softplus(Sloped):
    """A smooth ReLU whose values are always positive.

    y = log(1 + eˣ)

    For outputs that must be positive, such as a spread or a rate. Source: Dugas et al. 2001.
    """

    kind = "softplus.v1"
    title = "Softplus"
    icon = "mdi6.chart-bell-curve-cumulative"
    keywords = ("positive", "smooth relu", "activation")

    def bind_value(self, xp: Any, x: Any, y: Any, slope: Any | None, temporary: Temporary) -> Step:
        zeros, half, t = xp.zeros_like(x), number(x, 0.5, xp), temporary("t")

        def forward() -> None:
            if slope is not None:  # sigmoid(x)
                xp.multiply(x, half, out=t)
                xp.tanh(t, out=t)
                xp.multiply(t, half, out=t)
                xp.add(t, half, out=slope)
            # max(x, 0) + log(1 + exp(−|x|)) never overflows
            xp.absolute(x, out=t)
            xp.negative(t, out=t)
            xp.exp(t, out=t)
            xp.log1p(t, out=t)
            xp.maximum(x, zeros, out=y)
            xp.add(y, t, out=y)

        return forward
