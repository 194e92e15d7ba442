"""What a project holds, as plain values for a table or JSON."""

from __future__ import annotations

from typing import Any

from nndesigner.cli.running import PARTS, load_data
from nndesigner.data.dataset import DataError
from nndesigner.graph.check import check
from nndesigner.project.file import Project
from nndesigner.spec import Signature


def facts(project: Project) -> dict[str, Any]:
    """Name -> text, number, or another such mapping; all of it goes into JSON as it is.

    The data are loaded to tell their shapes; data that are missing are told, and no fault.
    """
    design = project.design
    found: dict[str, Any] = {"title": project.meta.get("title", ""), "description": project.meta.get("description", "")}
    signature = project.preparation.signature if project.preparation else Signature()
    if design.data.source is None:
        found["data"] = "none chosen"
    else:
        found["data"] = design.data.source.title
        try:
            prepared = load_data(design)
        except DataError as error:
            found["samples"] = f"not readable: {error}"
        else:
            signature = prepared.signature
            found["samples"] = {part: len(prepared.part(part)) for part in PARTS}
    for role, fields in (("inputs", signature.inputs), ("targets", signature.targets)):
        found[role] = {f.name: f"{len(f.classes)} classes" if f.classes else f.shape.lettered for f in fields}
    checked = check(design.graph, signature)
    kinds = [node.title for node in design.graph.nodes]
    found["layers"] = {title: kinds.count(title) for title in dict.fromkeys(kinds)}
    found["wires"] = len(design.graph.edges)
    found["trained_values"] = sum(checked.parameters.values())
    found["multiply_adds"] = sum(checked.multiply_adds.values())
    found["problems"] = {
        severity: sum(p.severity == severity for p in checked.problems) for severity in ("error", "warning")}
    training = design.training
    found["training"] = {
        "epochs": training.epochs, "batch_size": training.batch_size, "optimizer": training.optimizer.title,
        "learning_rate": training.optimizer.learning_rate, "schedule": training.schedule.title, "seed": training.seed,
        "device": training.device,
    }
    found["trained"] = "no"
    if project.checkpoint is not None:
        state, learned = project.checkpoint.state, project.learned
        found["trained"] = {"epoch": state["epoch"], "of": state["epochs"], "seed": learned.training.seed}
        found["weights_are_of_this_drawing"] = learned.graph == design.graph and learned.data == design.data
        last = {name: float(y[-1]) for name, (_, y) in project.history.items() if len(y) and name != "learning_rate"}
        found["last_values"] = {name: round(value, 6) for name, value in last.items()}
    return found
