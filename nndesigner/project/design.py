"""Everything of a project that the user designs and can undo, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nndesigner.data.preparing import DataSettings
from nndesigner.graph.model import Graph
from nndesigner.training.settings import TrainSettings


@dataclass(frozen=True)
class Design:
    """Drawing, choice of data, and training settings. Equal designs are equal values."""

    graph: Graph = field(default_factory=Graph)
    data: DataSettings = field(default_factory=DataSettings)
    training: TrainSettings = field(default_factory=TrainSettings)

    def with_graph(self, graph: Graph) -> Design:
        return replace(self, graph=graph)

    def to_json(self) -> dict[str, Any]:
        return {
            "graph": self.graph.to_json(),
            "data": self.data.model_dump(mode="json"),
            "training": self.training.model_dump(mode="json"),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Design:
        """Read what `to_json` wrote. Raises ValueError (pydantic.ValidationError is one) for anything else."""
        return cls(
            Graph.from_json(value["graph"]),
            DataSettings.model_validate(value["data"]),
            TrainSettings.model_validate(value["training"]),
        )
