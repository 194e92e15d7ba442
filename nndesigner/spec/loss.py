"""What a loss is. The losses themselves are in `engine/losses.py`; an Output layer holds one as a parameter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from nndesigner.spec.declared import Declared
from nndesigner.spec.part import WHOLE, Part
from nndesigner.spec.signature import DataField

Task = Literal["classification", "regression", "reconstruction", "transcription"]


@dataclass
class LossBind:
    """Arrays that a loss works on. All belong to array module `xp` and have the batch first."""

    xp: Any
    #: raw output of the network, [B, ...]
    x: Any
    #: class numbers int64 [B], their probabilities [B, K], tokens int64 [B, L], or values of the shape of x
    target: Any
    #: prediction shown to the user: the link function of x, [B, ...]
    y: Any
    #: gradient of the loss with respect to x, to be overwritten by backward; None when not training
    dx: Any
    #: one element, float32: forward writes the mean loss of the batch here
    value: Any
    #: factor on the gradient (weight of this output among several)
    weight: float
    #: scratch(name, shape, dtype=None) -> array, planned once
    scratch: Callable[..., Any]
    #: which steps of x [B, T, ...] are real, [B, T] of 1 and 0 (padding); None where all are
    mask: Any | None = None
    #: what of the batch this is; `weight` already holds its share
    part: Part = WHOLE


class Loss(Declared):
    """How far a prediction is from its target."""

    group: ClassVar[str] = "Loss"
    #: tasks for which it makes sense
    tasks: ClassVar[tuple[Task, ...]]
    #: can learn from probabilities of classes [B, K], as mixed samples have them, in the place of class numbers
    soft_labels: ClassVar[bool] = False
    #: function that turns raw outputs into what is shown: probabilities or values
    link: ClassVar[Literal["identity", "softmax", "sigmoid", "exp"]] = "identity"

    def scores(self, field: DataField) -> tuple[int, ...]:
        """Shape of the raw output, without batch, that this loss wants for a target; for texts at least so many steps.
        """
        return field.shape.dims

    def bind(self, ctx: LossBind) -> tuple[Callable[[], None], Callable[[], None]]:
        """(forward, backward) over the arrays of ctx. forward fills ctx.y and ctx.value, backward fills ctx.dx.

        The loss of a batch is the mean over samples; for values also the mean over the elements of a sample.
        """
        raise TypeError(f"{type(self).__name__} declares no bind.")
