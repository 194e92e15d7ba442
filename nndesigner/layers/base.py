"""What a layer is: one class that declares everything about it.

A layer knows array arithmetic through `ctx.xp` (NumPy or CuPy) and nothing of graphs, files, windows or devices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from nndesigner.spec import Declared, Shape
from nndesigner.spec.part import WHOLE, Part

Step = Callable[[], None]


def nothing() -> None:
    """A step that has nothing to do."""


def in_turn(steps: Sequence[Step]) -> Step:
    """One step that does several, as cheaply as possible."""
    steps = tuple(step for step in steps if step is not nothing)
    if not steps:
        return nothing
    if len(steps) == 1:
        return steps[0]

    def run() -> None:
        for step in steps:
            step()

    run.steps = steps  # a plan calls them itself, without this loop: for tiny networks each call counts
    return run


def parts_in(step: Step) -> tuple[Step, ...]:
    """What a step does in turn, where it says so."""
    parts = getattr(step, "steps", None)
    return (step,) if parts is None else tuple(inner for part in parts for inner in parts_in(part))


@dataclass(frozen=True)
class Penalty:
    """What keeps one array of weights small. The engine adds the slope of l1 · Σ|w| + l2 · Σw² to the gradient.

    `max_norm` is the longest vector of weights that may lead to one output (0: any); `outputs` are the axes of the
    array that count outputs.
    """

    l1: float = 0.0
    l2: float = 0.0
    max_norm: float = 0.0
    outputs: tuple[int, ...] = (-1,)


@dataclass(frozen=True)
class Weight:
    """Declares one array of a layer.

    `init` names an initialiser of `engine/init.py`; "auto" lets the engine choose by the activation that follows.
    `decay` says whether weight decay and penalties apply (not to biases and normalisation). A `joined` array lies right
    behind the one declared before it: a plan gives both as one, [n + 1, *shape], under the name "joined".
    """

    shape: tuple[int, ...]
    init: str = "auto"
    fan_in: int = 1
    fan_out: int = 1
    decay: bool = True
    penalty: Penalty | None = None
    joined: bool = False


@dataclass
class Bind:
    """Everything one layer works on in one plan. The engine makes it; `Layer.bind` takes from it what it needs.

    Arrays belong to array module `xp`, float32 (float64 in gradient checks; see `dtype`), batch first, channels last,
    contiguous.
    `dx[i]` is overwritten, never added to (the plan sums the gradients of several consumers); it is None where no
    gradient is wanted, and all of `dy`, `dx`, `grads` are unused when `training` is False. Input arrays must not be
    changed, except that backward may use `dy` as scratch space.
    """

    xp: Any
    dtype: Any
    batch: int
    training: bool
    #: input arrays and output array
    x: tuple[Any, ...]
    y: Any
    #: gradients
    dx: tuple[Any | None, ...]
    dy: Any
    #: trained arrays, their gradients, and running statistics, by the names that `weights` and `buffers` declare
    weights: dict[str, Any]
    grads: dict[str, Any]
    buffers: dict[str, Any]
    #: scratch(name, shape, dtype=None) -> contiguous array of this node alone, zero at first, that lives as long as the
    #: plan; the same name gives the same array and must be asked for in one shape
    scratch: Callable[..., Any]
    #: uniform(purpose, out): fill `out` with numbers in [0, 1) that depend on (seed, step, node, purpose) only
    uniform: Callable[[str, Any], None]
    #: likewise standard normal numbers
    normal: Callable[[str, Any], None]
    #: one element for a layer that adds to the loss
    loss: Any | None = None
    #: leave out what `Layer.bind_end` does
    endless: bool = False
    #: what of the batch that is trained on this is; a layer that needs all of it adds up through `part.total`
    part: Part = WHOLE
    #: for each input which of its steps are real, [B, T] of 1 and 0 (padding); None where all are, or if the layer
    #: does not use masks. Ends of rows are padded as a rule, but any step may be.
    masks: tuple[Any | None, ...] = ()
    #: mask to be filled by a layer that makes one; None when nobody uses it
    made_mask: Any | None = None
    #: quicker(name, step, *arrays) -> the step, or a compiled kernel that does the same to the bit once it is ready
    quicker: Callable[..., Step] = lambda name, step, *arrays: step
    #: what makes the sums of products of a convolution by a library of the device; see `windows.correlation`
    convolve: Callable[..., Any] | None = None

    @property
    def mask(self) -> Any | None:
        """The mask of the first input."""
        return self.masks[0] if self.masks else None


class Layer(Declared):
    """A node of the network: its parameters are the fields of the class."""

    #: names of the input ports, in order
    ports: ClassVar[tuple[str, ...]] = ("in",)
    #: it adds a number to the loss: forward writes its mean over the batch to `Bind.loss`, and backward adds the slope
    #: of it, times `Bind.part.share`, to the gradients
    adds_loss: ClassVar[bool] = False
    #: the only port takes two or more wires (Add, Concatenate)
    many: ClassVar[bool] = False
    #: wires that a port for many needs at least
    fewest: ClassVar[int] = 2
    #: has an output port
    emits: ClassVar[bool] = True
    #: the output is the input seen with another shape; the plan makes a view and calls no bind
    view: ClassVar[bool] = False
    #: What it does with the mask of a padded series. "stop": its steps are not those of its input. "keep": step t of
    #: the output is made from step t of the inputs, so their mask holds for it. "use": it looks at several steps and
    #: passes over the padded ones of `Bind.masks`; its steps are those of the first input. A mask travels on only as
    #: long as the output has a time axis of its length.
    masking: ClassVar[Literal["stop", "keep", "use"]] = "stop"

    #: each output value is the largest of some input values, so a rising function does the same behind it as before it
    picks_largest: ClassVar[bool] = False

    def output_shape(self, *inputs: Shape) -> Shape:
        """Shape rule. Raises ShapeError with what was needed and what to do."""
        raise TypeError(f"{type(self).__name__} declares no shape rule.")

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        """Trained arrays for these input shapes."""
        return {}

    def buffers(self, *inputs: Shape) -> dict[str, Weight]:
        """Arrays kept with the model but not trained by gradients (running statistics)."""
        return {}

    def multiply_adds(self, *inputs: Shape) -> int:
        """Multiply-add operations of one forward pass of one sample."""
        return 0

    def makes_mask(self, *inputs: Shape) -> bool:
        """Whether it fills `Bind.made_mask`: which steps of its output are real."""
        return False

    @property
    def rising_end(self) -> bool:
        """Whether the layer ends in rising functions of each value, to the bit, which `bind_end` may do elsewhere."""
        return False

    def summary(self) -> str:
        """A few characters for the node's header, for example "32 · 3×3 · ReLU"."""
        return ""

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        """(forward, backward), two functions without arguments that work in place on the arrays of ctx.

        forward fills ctx.y from ctx.x; backward fills every ctx.dx that is not None and every ctx.grads from ctx.dy.
        Everything that can be prepared (views, scratch arrays, constants) is prepared here, once.
        """
        raise TypeError(f"{type(self).__name__} declares no bind.")

    def bind_end(self, ctx: Bind) -> Step:
        """The rising end of the layer when answering, in place on ctx.y, which may be smaller than its own output."""
        raise TypeError(f"{type(self).__name__} declares no end.")
