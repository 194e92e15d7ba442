"""What a node shows of itself, as a value: the words on its body. Compared to see whether it must be painted anew."""

from __future__ import annotations

from dataclasses import dataclass

from nndesigner.graph.check import Checked, Problem
from nndesigner.graph.model import Node
from nndesigner.ui import numbers


@dataclass(frozen=True)
class Face:
    """The words and marks of one node."""

    title: str
    summary: str
    icon: str
    group: str
    #: output shape, or the number of classes of an Output
    shape: str
    #: trained values; a dash where the layer has nothing to train by its nature or nothing is known yet
    parameters: str
    #: "", "warning" or "error"
    severity: str = ""
    #: all problems, one sentence a line
    problem: str = ""


def facts(node: Node, checked: Checked, problems: list[Problem]) -> tuple:
    """All that a face is made of: as long as it is equal, the face is."""
    key = node.id
    return (
        node.layer,
        node.name,
        checked.shapes.get(key),
        checked.parameters.get(key),
        checked.inputs.get(key),
        checked.heads.get(key),
        [(p.severity, p.text) for p in problems],
    )


def face_of(node: Node, checked: Checked, problems: list[Problem]) -> Face:
    """The face of a node in a checked drawing. `problems` are those of this node."""
    layer = node.layer
    shape = checked.shapes.get(node.id)
    head = checked.heads.get(node.id)
    if head is not None and head.classes:
        words = f"{len(head.classes)} classes"
    else:
        words = str(shape) if shape is not None else numbers.NONE
    trained = checked.parameters.get(node.id)
    # the ends of the network have no numbers of their own; a layer between has, even when they are none
    silent = trained is None or not layer.ports or not layer.emits
    summary = layer.summary() or checked.inputs.get(node.id, "")
    if head is not None and head.loss is None:
        summary = "" if head.classes else head.task  # the footer tells the classes
    severity = "error" if any(p.severity == "error" for p in problems) else "warning" if problems else ""
    return Face(
        title=node.title,
        summary=summary if not node.name else " · ".join(filter(None, (layer.title, summary))),
        icon=layer.icon,
        group=layer.group,
        shape=words,
        parameters=numbers.NONE if silent else numbers.count(trained),
        severity=severity,
        problem="\n".join(p.text for p in problems),
    )


def description(face: Face) -> str:
    """The node in one sentence, for tooltips and screen readers."""
    parts = [face.title]
    if face.summary:
        parts.append(face.summary)
    if face.shape != numbers.NONE:
        parts.append(f"output {face.shape}")
    if face.parameters != numbers.NONE:
        parts.append(f"{face.parameters} parameters")
    return ", ".join(parts)
