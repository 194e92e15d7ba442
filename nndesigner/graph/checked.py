"""What `check` says of a drawing: order, shapes, costs, heads, and problems with their proposed cures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nndesigner.graph.model import Edge, Graph
from nndesigner.spec import Shape, Signature
from nndesigner.spec.loss import Loss, Task


@dataclass(frozen=True)
class Repair:
    """A proposed cure: what it does in words ("Insert Flatten before Dense") and the edit, a pure function."""

    text: str
    apply: Callable[[Graph], Graph]


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the drawing. An "error" prevents training, a "warning" does not.

    `text` is a whole sentence: what it got, what it needs, what to do. `node` is None for a problem of the whole
    drawing. `repairs` are up to three, the best first.
    """

    severity: Literal["error", "warning"]
    text: str
    node: str | None = None
    edge: Edge | None = None
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True)
class Head:
    """What an Output node compares with what. `loss` None: the engine's choice for the task."""

    node: str
    task: Task
    #: name of the data field that is the truth; empty while no data are chosen
    target: str
    classes: tuple[str, ...]
    loss: Loss | None
    weight: float


@dataclass(frozen=True)
class Checked:
    """Result of `check`. Mappings hold the nodes for which the value could be worked out."""

    graph: Graph
    signature: Signature
    #: topological order of all nodes with a shape
    order: tuple[str, ...]
    #: output shape of a node (for Output: the shape of its input)
    shapes: Mapping[str, Shape]
    #: trained values of a node
    parameters: Mapping[str, int]
    #: multiply-adds of one forward pass of one sample
    multiply_adds: Mapping[str, int]
    #: Input node -> name of the data field that feeds it
    inputs: Mapping[str, str]
    heads: Mapping[str, Head]
    #: node -> the node that made the mask of its steps (`Layer.masking`), for nodes whose padded steps are known
    masks: Mapping[str, str]
    problems: tuple[Problem, ...]
    #: what the next `check` takes over; of no use to others
    memo: Any = field(default=None, repr=False, compare=False)

    @property
    def trainable(self) -> bool:
        """No errors and something to train towards."""
        return bool(self.heads) and not any(p.severity == "error" for p in self.problems)
