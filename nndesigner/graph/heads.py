"""What an Output compares with what, and whether what arrives fits."""

from __future__ import annotations

from collections.abc import Collection

from nndesigner.graph import edit, repair
from nndesigner.graph.checked import Head, Problem, Repair
from nndesigner.graph.model import Graph, Node
from nndesigner.layers.io import Output
from nndesigner.spec import DataField, Shape, ShapeError, Signature
from nndesigner.spec.loss import Task


def head_of(
    graph: Graph, node: Node, shape: Shape | None, signature: Signature, used: Collection[str]
) -> tuple[Head | None, list[Problem]]:
    """The head of an Output at which `shape` arrives. `used` are the targets that earlier Outputs took."""
    layer: Output = node.layer
    if not signature.fields:
        if layer.task == "auto":
            return None, []
        head = Head(node.id, layer.task, "", (), layer.loss, layer.weight)
        return head, _last_layer_problems(graph, node, layer.task)
    field, problems = _target(node, shape, signature, used)
    if field is None:
        return None, problems
    task, problems = _task(node, field)
    if task is None:
        return None, problems
    classes = field.classes if task in ("classification", "transcription") else ()
    head = Head(node.id, task, field.name, classes, layer.loss, layer.weight)
    problems += _last_layer_problems(graph, node, task)
    want, faults = _wanted(node, task, field)
    problems += faults
    if want is not None and task == "transcription" and shape is not None and shape.axes in ("TF", "HWC"):
        # as many steps as there are, of pictures from left to right: when a token comes is for the network to find out
        want = max(want[0], shape.dims[shape.axes == "HWC"]), want[1]
    if want is not None and shape is not None and shape.dims != want:
        problems.append(_misfit(graph, node, shape, want, task, field))
    return head, problems


def _target(
    node: Node, shape: Shape | None, signature: Signature, used: Collection[str]
) -> tuple[DataField | None, list[Problem]]:
    layer: Output = node.layer
    if layer.target:
        field = signature.get(layer.target)
        if field is not None:
            return field, []
        names = ", ".join(f"'{f.name}'" for f in signature.fields)
        text = f"{node.title} compares with the field '{layer.target}', but the data have {names}: choose one of them."
        cures = (Repair(f"Let {node.title} choose its target", lambda g: edit.set_params(g, node.id, target="")),)
        return None, [Problem("error", text, node.id, repairs=cures)]
    targets, inputs = signature.targets, signature.inputs
    if targets and layer.task != "reconstruction":
        return next((f for f in targets if f.name not in used), targets[0]), []
    if inputs and layer.task in ("auto", "reconstruction"):
        if shape is None:
            return inputs[0], []
        same = [f for f in inputs if f.shape.dims == shape.dims] or [f for f in inputs if f.shape.size == shape.size]
        return (same or inputs)[0], []
    text = (f"{node.title} is set to {layer.task}, but the data have no target: choose a target column in the data, "
            "or let it repeat its input.")
    cures = (_task_repair(node, "reconstruction"),) if inputs else ()
    return None, [Problem("error", text, node.id, repairs=cures)]


def _task(node: Node, field: DataField) -> tuple[Task | None, list[Problem]]:
    layer: Output = node.layer
    if field.role == "input":
        natural: Task = "reconstruction"
    else:
        natural = {"class": "classification", "text": "transcription", "real": "regression"}[field.kind]
    if layer.task in ("auto", natural):
        return natural, []
    holds = {"reconstruction": "is an input", "classification": "holds classes", "regression": "holds numbers",
             "transcription": "holds texts"}[natural]
    text = f"{node.title} is set to {layer.task}, but its target '{field.name}' {holds}: set its task to {natural}."
    return None, [Problem("error", text, node.id, repairs=(_task_repair(node, natural),))]


def _task_repair(node: Node, task: Task) -> Repair:
    return Repair(f"Set the task of {node.title} to {task}", lambda graph: edit.set_params(graph, node.id, task=task))


def _wanted(node: Node, task: Task, field: DataField) -> tuple[tuple[int, ...] | None, list[Problem]]:
    """Shape of the raw output that the loss wants."""
    loss = node.layer.loss
    if loss is None:
        return field.shape.dims, []
    drop = Repair(f"Let {node.title} choose its loss", lambda graph: edit.set_params(graph, node.id, loss=None))
    if task not in loss.tasks:
        text = (f"{node.title} does {task}, but its loss {loss.title} is for {' and '.join(loss.tasks)}: choose "
                "another loss, or none to have it chosen.")
        return None, [Problem("error", text, node.id, repairs=(drop,))]
    try:
        return loss.scores(field), []
    except ShapeError as error:
        return None, [Problem("error", f"{loss.title} {error}", node.id, repairs=(drop,))]


def _misfit(graph: Graph, node: Node, got: Shape, want: tuple[int, ...], task: Task, field: DataField) -> Problem:
    edge = graph.incoming[node.id][0]
    short = task == "transcription" and got.axes == "TF" and got.dims[0] < want[0]
    cures = () if short else repair.for_shape(graph, node, edge, got, want)
    todo = cures[0].text[0].lower() + cures[0].text[1:] if cures else "change the layer before it"
    if got.axes == "TF" and len(want) == 1:
        todo = f"a series needs a read-out, so {todo}"
    if short:
        todo = "let the layers before it keep more steps, with fewer strides and smaller pools"
    if len(want) == 1:
        word = "score" if task == "classification" else "value"
        needs = f"{want[0]} {word}{'s' if want[0] > 1 else ''}"
    else:
        needs = " × ".join(map(str, want)) + " values"
    if task == "classification":
        needs += f" for {field.shape.dims[-1]} classes" if want == (1,) else ", one for each class"
    elif task == "transcription":
        length, tokens = field.shape.dims
        needs = f"at least {length} T × {tokens} F, at each step a score for each of the {tokens} tokens"
    elif task == "reconstruction":
        needs += f" to repeat '{field.name}'"
    else:
        needs += f" to predict '{field.name}'"
    return Problem("error", f"{node.title} needs {needs}, got {got.lettered}: {todo}.", node.id, edge, cures)


def _last_layer_problems(graph: Graph, node: Node, task: Task) -> list[Problem]:
    """An activation right before the Output that the loss applies itself, or that cuts off half of all answers."""
    loss = node.layer.loss
    scored = task in ("classification", "transcription")
    link = loss.link if loss is not None else ("softmax" if scored else "identity")
    edges = graph.incoming[node.id]
    if len(edges) != 1:
        return []
    before = graph.node(edges[0].source)
    alone = before.layer.kind in ("softmax.v1", "sigmoid.v1", "relu.v1")
    activation = before.layer.kind.partition(".")[0] if alone else getattr(before.layer, "activation", "none")
    name = before.title if alone else f"the {activation} of {before.title}"
    if link != "identity" and activation in ("softmax", "sigmoid"):
        text = f"{node.title} applies {link} itself, so with {name} before it learning slows down"
    elif task != "reconstruction" and activation == "relu":
        what = "scores" if scored else "values"
        text = f"{node.title} needs {what} of either sign, but {name} before it cuts off all below zero"
    else:
        return []
    cure = repair.removal(before) if alone else repair.setting(before, {"activation": "none"})
    return [Problem("warning", f"{text}: {cure.text[0].lower() + cure.text[1:]}.", node.id, edges[0], (cure,))]
