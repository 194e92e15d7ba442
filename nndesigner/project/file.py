"""The project file `.nnd`: what is in it and how it is written and read.

A zip (see `container.py`) of JSON and safetensors. It holds no code and no names of code, only registered kinds; what a
file claims of its weights is compared with what its drawing implies before anybody computes with them. Its parts:

manifest.json        format, schema version, version of the program, size and sha256 of the other parts
design.json          "current": drawing, data and training settings; "trained": those of the weights, null if the same;
                     "data": what is remembered of the data, perhaps left out
preparation.json     how raw data become inputs, fitted on the training part, or null
history.json         "curves" that are shown; "run": the state of the run beside its arrays, or null
meta.json            title, description, view
weights.safetensors  "checkpoint/...": weights, running statistics, optimiser moments, best weights, curves;
                     "preparation/...": means and scales
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from nndesigner.data.description import Description
from nndesigner.data.preparing import Preparation
from nndesigner.engine.weights import sources
from nndesigner.graph.check import Checked, check
from nndesigner.project.atomic import write_atomically
from nndesigner.project.container import (
    Damaged,
    ProjectError,
    dump_json,
    is_newer,
    load_json,
    read_container,
    write_container,
)
from nndesigner.project.design import Design
from nndesigner.project.migrations import SCHEMA_VERSION, migrate
from nndesigner.training.checkpoint import Checkpoint
from nndesigner.training.history import History

__all__ = ["Project", "ProjectError", "load", "peek", "save"]

_JSON = ("design.json", "history.json", "meta.json", "preparation.json")
_WEIGHTS = "weights.safetensors"
_ALLOWED = frozenset({*_JSON, _WEIGHTS})
#: prefixes of the arrays of weights.safetensors
_CHECKPOINT, _PREPARATION = "checkpoint/", "preparation/"
#: dtypes that arrays may have, by the names of safetensors
_DTYPES = {"F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U8": "|u1", "BOOL": "|b1"}

#: what the state of a run holds at least
_RUN = {
    "epoch": int, "epochs": int, "planned_epochs": int, "position": int, "updates": int, "optimizer_steps": int,
    "seed": int, "samples": int, "batch": int, "threads": int, "waited": int, "stopped_early": bool, "optimizer": str,
    "val_losses": list, "messages": list, "rate_factor": (int, float), "loss_sum": (int, float), "history": dict,
}
#: what later ones hold besides
_RUN_LATER = {"accumulate": int, "averaging": str, "averaged": int}
_MAX_THREADS = 256

Curves = Mapping[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Project:
    """Everything that a file keeps."""

    design: Design = field(default_factory=Design)
    #: what was learned, and all that training needs to go on
    checkpoint: Checkpoint | None = None
    #: the preparing of the data that the weights were trained with
    preparation: Preparation | None = None
    #: curves of the run: name -> (epochs, values)
    history: Curves = field(default_factory=dict)
    #: plain JSON beside the design: "title", "description", "view"
    meta: Mapping[str, Any] = field(default_factory=dict)
    #: the design that the weights belong to; None when it is `design`
    trained_design: Design | None = None
    #: the data as they were, to say what changed since
    described: Description | None = None

    @property
    def learned(self) -> Design:
        """The design that the weights belong to."""
        return self.trained_design or self.design


def _folder(path: Path) -> Path:
    """The folder from which relative places of data count: where the file itself lies, not a link to it."""
    return Path(os.path.realpath(path) if path.is_symlink() else os.path.abspath(path)).parent


# --- writing ---


def save(project: Project, path: Path) -> Path:
    """Write a project so that a crash at any moment leaves the old or the new file whole. Returns where it was written.

    Data files in the project's folder or below are kept by their place relative to it. Raises ProjectError; the old
    file is then unchanged.
    """
    path = Path(path)
    try:
        folder = _folder(path)
        members = _members(project, folder)

        def verify(written: Path) -> None:
            """What cannot be opened again was not saved."""
            found, manifest = read_container(written, _ALLOWED, SCHEMA_VERSION)
            if found != members:
                raise Damaged("the disk did not give back what was written to it.")
            _project(found, manifest, folder)

        return write_atomically(path, lambda file: write_container(file, members, SCHEMA_VERSION), verify)
    except OSError as error:
        raise ProjectError(f"{_why_not(error, path)} Nothing was changed.") from error
    except (Damaged, ProjectError) as error:
        raise ProjectError(f"'{path.name}' was not saved: {error} Nothing was changed.") from error


def _why_not(error: OSError, path: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"There is no room left on the disk to save '{path.name}'. Free some space, or save it elsewhere."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"You have no right to write into the folder '{path.parent}'. Save '{path.name}' elsewhere."
    if error.errno == errno.ENOENT:
        return f"The folder '{path.parent}' does not exist."
    if error.errno == errno.EISDIR:
        return f"'{path}' is a folder. Choose another name."
    return f"'{path.name}' could not be saved ({error.strerror or error})."


def _members(project: Project, folder: Path) -> dict[str, bytes]:
    """The parts of the file. Raises ProjectError for values that cannot be kept."""
    design = {"current": _design_json(project.design, folder), "trained": None}
    if project.trained_design is not None:
        design["trained"] = _design_json(project.trained_design, folder)
    if project.described is not None:
        design["data"] = project.described.to_json()
    parts = {
        "design.json": design,
        "history.json": {
            "curves": {name: [_numbers(x), _numbers(y)] for name, (x, y) in project.history.items()},
            "run": None if project.checkpoint is None else dict(project.checkpoint.state),
        },
        "meta.json": dict(project.meta),
        "preparation.json": None,
    }
    arrays: dict[str, np.ndarray] = {}
    if project.checkpoint is not None:
        arrays.update({_CHECKPOINT + name: array for name, array in project.checkpoint.arrays.items()})
    if project.preparation is not None:
        parts["preparation.json"] = project.preparation.to_json()
        arrays.update({_PREPARATION + name: array for name, array in project.preparation.arrays().items()})
    try:
        members = {name: dump_json(value) for name, value in parts.items()}
    except (ValueError, TypeError) as error:
        raise ProjectError(f"A value of the project cannot be written ({error}).") from error
    # safetensors 0.8.0 writes wrong values for arrays that are not contiguous (safetensors issue 825).
    tidy = {name: np.require(array, _written_dtype(name, array), "C") for name, array in arrays.items()}
    members[_WEIGHTS] = safetensors.numpy.save(tidy)
    return members


def _design_json(design: Design, folder: Path) -> dict[str, Any]:
    if design.data.source is not None:
        design = replace(design, data=design.data.model_copy(update={"source": design.data.source.relative_to(folder)}))
    return design.to_json()


def _written_dtype(name: str, array: np.ndarray) -> str:
    wanted = array.dtype.newbyteorder("<").str
    if wanted not in _DTYPES.values():
        raise ProjectError(f"The array '{name}' is of a kind that is not kept ({array.dtype}).")
    return wanted


def _numbers(values: np.ndarray) -> list[float | str]:
    """JSON knows no infinity; a diverged run has some."""
    return [value if np.isfinite(value) else str(value) for value in np.asarray(values, dtype=np.float64).tolist()]


# --- reading ---


def load(path: Path) -> Project:
    """Read a project. Relative places of data files become places relative to the project's folder.

    Raises ProjectError with a sentence for anything that is not a whole project of this or an older version.
    """
    path = Path(path)
    members, manifest = read_container(path, _ALLOWED, SCHEMA_VERSION)
    try:
        return _project(members, manifest, _folder(path))
    except Damaged as error:
        # Within a file version, layers may learn new parameters and sources may be added.
        newer = is_newer(manifest.get("app_version"))
        why = f" It was saved by nndesigner {manifest['app_version']}: update this program to open it." if newer else ""
        raise ProjectError(f"'{path.name}' cannot be opened: {error}{why}") from error
    except MemoryError as error:
        raise ProjectError(f"There is not enough memory to open '{path.name}'.") from error


def peek(path: Path) -> dict[str, Any]:
    """Only the meta part (title, description, view), for lists of projects. Raises ProjectError."""
    path = Path(path)
    members, _ = read_container(path, _ALLOWED, SCHEMA_VERSION, frozenset({"meta.json"}))
    try:
        return dict(_parsed("meta.json", lambda: load_json(members["meta.json"], "meta.json")))
    except Damaged as error:
        raise ProjectError(f"'{path.name}' cannot be opened: {error}") from error


def _project(members: Mapping[str, bytes], manifest: Mapping[str, Any], folder: Path) -> Project:
    missing = sorted(_ALLOWED - set(members))
    if missing:
        raise Damaged(f"its part '{missing[0]}' is missing.")
    parts = {name: load_json(members[name], name) for name in _JSON}
    parts = _parsed("manifest.json", lambda: migrate(parts, manifest["schema_version"]))
    design = _parsed("design.json", lambda: _design(parts["design.json"]["current"], folder))
    trained = _parsed(
        "design.json",
        lambda: None if parts["design.json"]["trained"] is None else _design(parts["design.json"]["trained"], folder))
    meta = _parsed("meta.json", lambda: dict(parts["meta.json"]))
    data = parts["design.json"].get("data")
    described = None if data is None else _parsed("design.json", lambda: Description.from_json(data))
    history = _parsed("history.json", lambda: _curves(parts["history.json"]["curves"]))
    run = _parsed("history.json", lambda: parts["history.json"]["run"])
    shapes = _shapes(members[_WEIGHTS])
    preparation, checkpoint = None, None
    if parts["preparation.json"] is not None:
        prepared = _arrays(members[_WEIGHTS], shapes, _PREPARATION)
        preparation = _parsed("preparation.json", lambda: Preparation.from_json(parts["preparation.json"], prepared))
    if run is not None:
        if preparation is None or not isinstance(run, dict):
            raise Damaged("it holds weights without the preparing of the data that belongs to them.")
        learned = trained or design
        checked = _parsed("design.json", lambda: check(learned.graph, preparation.signature))
        optimizer = learned.training.optimizer
        slots = optimizer.slots if run.get("optimizer") == optimizer.kind else ()
        arrays = {name[len(_CHECKPOINT):]: shape for name, shape in shapes.items() if name.startswith(_CHECKPOINT)}
        _check_shapes(arrays, checked, slots)
        checkpoint = Checkpoint(_arrays(members[_WEIGHTS], shapes, _CHECKPOINT), run)
        _parsed("history.json", lambda: _check_run(checkpoint))
    elif any(name.startswith(_CHECKPOINT) for name in shapes):
        raise Damaged("it holds weights without the run that they belong to.")
    return Project(design, checkpoint, preparation, history, meta, trained, described)


def _parsed(part: str, read: Callable[[], Any]) -> Any:
    """Whatever a part makes its reader raise is damage of that part."""
    try:
        return read()
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        errors = getattr(error, "errors", None)  # pydantic: only the first complaint is for people
        text = "{}: {}".format(".".join(map(str, errors()[0]["loc"])), errors()[0]["msg"]) if errors else str(error)
        raise Damaged(f"its part '{part}' cannot be understood ({text}).") from error


def _design(value: Mapping[str, Any], folder: Path) -> Design:
    design = Design.from_json(value)
    if design.data.source is None:
        return design
    return replace(design, data=design.data.model_copy(update={"source": design.data.source.resolve(folder)}))


def _curves(value: Mapping[str, Any]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    found = {}
    for name, (x, y) in value.items():
        points = np.array([[float(v) for v in x], [float(v) for v in y]])
        points.flags.writeable = False
        found[str(name)] = (points[0], points[1])
    return found


def _shapes(data: bytes) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every array, from the header, which is checked against the length of the data."""
    if len(data) < 8:
        raise Damaged("its weights are cut off.")
    length = struct.unpack("<Q", data[:8])[0]
    if length > len(data) - 8:
        raise Damaged("its weights are cut off.")
    header = load_json(data[8:8 + length], _WEIGHTS)

    def shapes() -> dict[str, tuple[int, ...]]:
        found = {}
        end = 0
        for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            shape, (start, stop) = tuple(entry["shape"]), entry["data_offsets"]
            if any(type(n) is not int or n < 0 for n in (*shape, start, stop)) or len(shape) > 32:
                raise ValueError(f"{name} has no proper shape")
            size = np.dtype(_DTYPES[entry["dtype"]]).itemsize
            for n in shape:
                size *= n
            if start != end or stop != start + size:
                raise ValueError(f"{name} does not fit its place")
            if not name.startswith((_CHECKPOINT, _PREPARATION)):
                raise ValueError(f"{name} does not belong into a project")
            found[name] = shape
            end = stop
        if end != len(data) - 8 - length:
            raise ValueError("there are bytes that belong to no array")
        return found

    return _parsed(_WEIGHTS, shapes)


def _arrays(data: bytes, shapes: Mapping[str, tuple[int, ...]], prefix: str) -> dict[str, np.ndarray]:
    """The arrays below a prefix, without it."""
    try:
        arrays = safetensors.numpy.load(data)
    except SafetensorError as error:
        raise Damaged(f"its part '{_WEIGHTS}' cannot be understood ({error}).") from error
    return {name[len(prefix):]: arrays[name] for name in shapes if name.startswith(prefix)}


def _check_run(checkpoint: Checkpoint) -> None:
    """Raises when the state of a run lacks something that goes on with it."""
    later = {name: kind for name, kind in _RUN_LATER.items() if name in checkpoint.state}
    for name, kind in {**_RUN, **later}.items():
        value = checkpoint.state[name]
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
            raise ValueError(f"{name} is {value!r}")
        if kind is int and value < 0:
            raise ValueError(f"{name} is {value}")
    if not 1 <= checkpoint.state["threads"] <= _MAX_THREADS:
        raise ValueError(f"threads is {checkpoint.state['threads']}")
    History.from_state(checkpoint.part("curve"), checkpoint.state["history"])


def _check_shapes(found: Mapping[str, tuple[int, ...]], checked: Checked, slots: tuple[str, ...]) -> None:
    """Compare the arrays of a checkpoint with what drawing and optimiser imply, before anybody computes with them."""
    trained: dict[str, tuple[int, ...]] = {}
    running: dict[str, tuple[int, ...]] = {}
    for node_id in checked.order:
        layer = checked.graph.node(node_id).layer
        inputs = [checked.shapes[source] for source in sources(checked, node_id)]
        trained.update({f"{node_id}/{name}": weight.shape for name, weight in layer.weights(*inputs).items()})
        running.update({f"{node_id}/{name}": weight.shape for name, weight in layer.buffers(*inputs).items()})
    groups: dict[str, dict[str, tuple[int, ...]]] = {"weights": {}}
    groups.update({f"optimizer/{slot}": {} for slot in slots})
    for name, shape in found.items():
        kind, _, rest = name.partition("/")
        if kind == "optimizer":
            slot, _, rest = rest.partition("/")
            kind = f"optimizer/{slot}"
        groups.setdefault(kind, {})[rest] = shape
    whole = trained | running
    wanted = {"weights": whole, "best": whole, "trained": whole, "gathered": trained}
    for kind, arrays in groups.items():
        expected = trained if kind.startswith("optimizer/") else wanted.get(kind)
        if expected is not None and arrays != expected:
            odd = next(n for n in sorted(arrays.keys() | expected.keys()) if arrays.get(n) != expected.get(n))
            raise Damaged(
                f"its weights do not fit its drawing ({kind}/{odd}: {arrays.get(odd)}, not {expected.get(odd)}).")
        if expected is None and kind not in ("running", "curve"):
            raise Damaged(f"its weights hold something that does not belong there ({kind!r}).")
