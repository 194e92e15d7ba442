"""In which order the quick menu offers layers: what fits, what was typed, and what this user puts after this layer."""

from __future__ import annotations

import json
from dataclasses import dataclass

from PySide6.QtCore import QSettings

from nndesigner.layers import Layer
from nndesigner.spec import Shape, ShapeError
from nndesigner.ui.palette import match

_KEY = "canvas/used_after"
#: what people usually put after a layer, for a user who has not drawn yet; "" is an empty canvas
_USUAL = {
    "": ("input.v1", "dense.v1", "conv2d.v1", "output.v1"),
    "input.v1": ("conv2d.v1", "dense.v1", "flatten.v1"),
    "conv2d.v1": ("conv2d.v1", "maxpool2d.v1", "batchnorm.v1", "flatten.v1", "globalavgpool2d.v1", "relu.v1"),
    "maxpool2d.v1": ("conv2d.v1", "flatten.v1", "dropout.v1", "globalavgpool2d.v1"),
    "avgpool2d.v1": ("conv2d.v1", "flatten.v1", "dropout.v1"),
    "globalavgpool2d.v1": ("dense.v1", "dropout.v1", "output.v1"),
    "batchnorm.v1": ("relu.v1", "conv2d.v1", "maxpool2d.v1", "dense.v1"),
    "layernorm.v1": ("dense.v1", "relu.v1"),
    "flatten.v1": ("dense.v1", "dropout.v1", "output.v1"),
    "dense.v1": ("dense.v1", "output.v1", "dropout.v1", "batchnorm.v1", "relu.v1"),
    "dropout.v1": ("dense.v1", "output.v1", "conv2d.v1", "flatten.v1"),
    "reshape.v1": ("conv2d.v1", "output.v1"),
    "add.v1": ("relu.v1", "conv2d.v1", "dense.v1"),
    "concatenate.v1": ("dense.v1", "conv2d.v1"),
}
_USUAL_AFTER_ACTIVATION = ("dense.v1", "conv2d.v1", "maxpool2d.v1", "dropout.v1", "output.v1")


@dataclass(frozen=True)
class Place:
    """Where a layer from the menu would go: what feeds it and what it must feed."""

    #: kind of the layer before it, "" for none
    after: str = ""
    #: what it would get, where that is known
    shape: Shape | None = None
    needs_input: bool = False
    needs_output: bool = False


@dataclass(frozen=True)
class Choice:
    """One row of the menu. `objection` says why the layer does not fit; empty when it does."""

    layer: type[Layer]
    objection: str = ""


def note_use(after: str, kind: str) -> None:
    """Remember that the user put a layer of `kind` after one of `after`."""
    counts = _counts()
    of_layer = counts.setdefault(after, {})
    of_layer[kind] = of_layer.get(kind, 0) + 1
    QSettings().setValue(_KEY, json.dumps(counts))


def choices(place: Place, text: str) -> list[Choice]:
    """Layers for a place, best first. Those that do not fit are offered only when the user typed for them."""
    words = text.lower().split()
    used = _counts().get(place.after, {})
    usual = _USUAL.get(place.after, _USUAL_AFTER_ACTIVATION)
    rows = []
    for number, layer in enumerate(Layer.all()):
        rank = match(layer, words)
        if rank is None:
            continue
        objection = _objection(layer, place)
        if objection and not words:
            continue
        usualness = usual.index(layer.kind) if layer.kind in usual else len(usual)
        rows.append(
            (
                (rank if words else 0, bool(objection), -used.get(layer.kind, 0), usualness, number),
                Choice(layer, objection),
            )
        )
    return [choice for _, choice in sorted(rows, key=lambda row: row[0])]


def _objection(layer: type[Layer], place: Place) -> str:
    if place.needs_input and not layer.ports:
        return "has no input"
    if place.needs_output and not layer.emits:
        return "has no output"
    if place.shape is not None and len(layer.ports) == 1 and not layer.many and layer.emits:
        try:
            layer().output_shape(place.shape)
        except ShapeError as error:
            return f"needs {error.needs}"
    return ""


def _counts() -> dict[str, dict[str, int]]:
    """What was noted. A settings file that was written by hand must not stop the canvas."""
    try:
        value = json.loads(str(QSettings().value(_KEY, "{}")))
    except json.JSONDecodeError:
        return {}
    if not isinstance(value, dict):
        return {}
    return {
        str(a): {str(k): n for k, n in of.items() if isinstance(n, int)}
        for a, of in value.items()
        if isinstance(of, dict)
    }
