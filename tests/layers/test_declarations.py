"""Every layer is declared completely, for palette, inspector and documentation."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest
import qtawesome

from nndesigner.layers import Layer
from nndesigner.spec import describe

GROUPS = {
    "Input / Output", "Core", "Convolution", "Pooling", "Normalise", "Activation", "Regularise", "Merge",
    "Recurrent and attention", "Generative",
}
LAYERS = pytest.mark.parametrize("layer", Layer.all(), ids=lambda layer: layer.kind)


@pytest.fixture(scope="module")
def icons() -> set[str]:
    (table,) = (Path(qtawesome.__file__).parent / "fonts").glob("materialdesignicons6*charmap*.json")
    return set(json.loads(table.read_text()))


@LAYERS
def test_words_and_icon(layer: type[Layer], icons: set[str]):
    assert layer.group in GROUPS
    assert layer.icon.startswith("mdi6.") and layer.icon.removeprefix("mdi6.") in icons
    assert layer.keywords
    first, blank, *rest = inspect.getdoc(layer).split("\n")
    assert first.endswith(".") and not blank, "the first line is the tooltip, one sentence"
    assert " ".join(rest).strip(), "formula, shapes and use are missing"


@LAYERS
def test_parameters_have_help_and_range(layer: type[Layer]):
    for info in describe(layer):
        assert info.title[0].isupper() and info.help.endswith("."), info.name
        if info.editor in ("int", "float"):
            assert info.low is not None and info.high is not None, f"{info.name} has no range"


@LAYERS
def test_titles_are_unique(layer: type[Layer]):
    assert sum(other.title == layer.title for other in Layer.all()) == 1
