"""What a node shows of itself, as a value: the words on its body. Compared to see whether it must be painted anew."""

from __future__ import annotations

from dataclasses import dataclass

from nndesigner.graph.check import Checked, Problem
from nndesigner.graph.model import Group, Node
from nndesigner.ui import numbers, theme


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
    #: a folded group: a pile of layers
    stacked: bool = False


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
        words = f"{len(head.classes)} {'tokens' if head.task == 'transcription' else 'classes'}"
    else:
        words = str(shape) if shape is not None else numbers.NONE
    trained = checked.parameters.get(node.id)
    # the ends of the network have no numbers of their own; a layer between has, even when they are none
    silent = trained is None or not layer.ports or not layer.emits
    summary = layer.summary() or checked.inputs.get(node.id, "")
    if head is not None and head.loss is None:
        summary = "" if head.classes else head.task  # the footer tells the classes
    return Face(
        title=node.title,
        summary=summary if not node.name else " · ".join(filter(None, (layer.title, summary))),
        icon=layer.icon,
        group=layer.group,
        shape=words,
        parameters=numbers.NONE if silent else numbers.count(trained),
        severity=_worst(problems),
        problem="\n".join(p.text for p in problems),
    )


def box_facts(group: Group, shown: str, checked: Checked, problems: list[Problem]) -> tuple:
    """`facts` of a folded group that shows what its node `shown` gives."""
    trained = tuple(checked.parameters.get(i) for i in group.members)
    titles = [(p.node, checked.graph.by_id[p.node].title) for p in problems if p.node in checked.graph.by_id]
    return group, checked.shapes.get(shown), trained, [(p.severity, p.text) for p in problems], titles


def box_face(group: Group, shown: str, checked: Checked, problems: list[Problem]) -> Face:
    """The face of a folded group. `problems` are those of all its layers."""
    count = len(group.members)
    shape = checked.shapes.get(shown)
    known = [checked.parameters[i] for i in group.members if i in checked.parameters]
    titles = checked.graph.by_id
    return Face(
        title=group.title,
        summary=f"{count} layer" if count == 1 else f"{count} layers",
        icon="mdi6.group",
        group=theme.MARKS[group.colour or "grey"],
        shape=str(shape) if shape is not None else numbers.NONE,
        parameters=numbers.count(sum(known)) if known else numbers.NONE,
        severity=_worst(problems),
        problem="\n".join(f"{titles[p.node].title}: {p.text}" if p.node in titles else p.text for p in problems),
        stacked=True,
    )


def _worst(problems: list[Problem]) -> str:
    return "error" if any(p.severity == "error" for p in problems) else "warning" if problems else ""


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
