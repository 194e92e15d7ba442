"""The catalogue that was promised, item by item: it is there with its options, found by its usual names, compared with
PyTorch, and its help says which way to turn it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from nndesigner.engine.init import INITIALISERS
from nndesigner.engine.losses import default_loss
from nndesigner.engine.metrics import Metric
from nndesigner.engine.optimizers import Optimizer
from nndesigner.engine.schedules import Schedule
from nndesigner.graph.blocks import BLOCKS
from nndesigner.layers import Layer
from nndesigner.layers.weighted import Penalised
from nndesigner.spec import ShapeError, describe
from nndesigner.spec.loss import Loss
from nndesigner.training.averaging import Averaging
from nndesigner.training.settings import TrainSettings
from nndesigner.ui.palette import match
from tests.engine.test_losses import CASES as LOSS_CASES
from tests.golden_files import goldens
from tests.layers.layer_cases import CASES

#: (what people type, kind, options that must be taken)
LAYERS: list[tuple[str, str, dict[str, Any]]] = [
    ("dense", "dense", {"units": 3}), ("fully connected", "dense", {}), ("linear", "dense", {}),
    ("embedding", "embedding", {}), ("positional encoding", "positionalencoding", {"form": "sine"}),
    ("positional encoding", "positionalencoding", {"form": "learned"}), ("flatten", "flatten", {}),
    ("reshape", "reshape", {}), ("permute", "permute", {}), ("transpose", "permute", {}),
    ("repeat vector", "repeatvector", {}), ("formula", "formula", {"formula": "a * b"}), ("lambda", "formula", {}),
    *((name, kind, {"groups": 2, "dilation": dilation, "padding": "explicit"}) for name, kind, dilation in (
        ("conv1d", "conv1d", 2), ("conv2d", "conv2d", (2, 2)), ("conv3d", "conv3d", (2, 2, 2)))),
    ("convolution", "conv2d", {"padding": "same"}), ("conv2d", "conv2d", {"padding": "valid"}),
    *((name, f"{name}conv2d", {"dilation": (2, 2), "padding": "explicit", "margin": (2, 1)})
      for name in ("depthwise", "separable")),
    ("transposed", "convtranspose2d", {}), ("deconvolution", "convtranspose2d", {}),
    ("upsampling", "upsampling2d", {"interpolation": "nearest"}),
    ("upsampling", "upsampling2d", {"interpolation": "bilinear"}),
    ("zero padding", "zeropadding2d", {}), ("crop", "cropping2d", {}),
    *((f"{word} pool", f"{short}pool{axes}d", {}) for word, short in (("max", "max"), ("average", "avg"))
      for axes in (1, 2, 3)),
    *((f"global {word}", f"global{short}pool{axes}d", {}) for word, short in (("max", "max"), ("average", "avg"))
      for axes in (1, 2, 3)),
    *(("adaptive average", f"adaptiveavgpool{axes}d", {}) for axes in (1, 2, 3)),
    ("batch norm", "batchnorm", {}), ("layer norm", "layernorm", {}), ("group norm", "groupnorm", {}),
    ("instance norm", "instancenorm", {}), ("rms norm", "rmsnorm", {}),
    ("relu", "relu", {}), ("relu6", "relu6", {}), ("leaky relu", "leakyrelu", {}), ("prelu", "prelu", {}),
    ("elu", "elu", {}), ("selu", "selu", {}), ("celu", "celu", {}), ("gelu", "gelu", {"form": "exact"}),
    ("gelu", "gelu", {"form": "tanh"}), ("silu", "silu", {}), ("swish", "silu", {}), ("mish", "mish", {}),
    ("hard swish", "hardswish", {}), ("hard sigmoid", "hardsigmoid", {}), ("sigmoid", "sigmoid", {}),
    ("tanh", "tanh", {}), ("softplus", "softplus", {}), ("softsign", "softsign", {}), ("softmax", "softmax", {}),
    ("log softmax", "logsoftmax", {}), ("glu", "glu", {}),
    ("dropout", "dropout", {}), ("spatial dropout", "spatialdropout", {}), ("alpha dropout", "alphadropout", {}),
    ("gaussian noise", "gaussiannoise", {}), ("gaussian dropout", "gaussiandropout", {}),
    ("add", "add", {}), ("residual", "add", {}), ("skip", "add", {}), ("subtract", "subtract", {}),
    ("multiply", "multiply", {}), ("average", "average", {}), ("maximum", "maximum", {}), ("minimum", "minimum", {}),
    *(("concatenate", "concatenate", {"axis": axis}) for axis in ("last", "T", "D", "H", "W")),
    ("dot", "dot", {}),
    *((name, kind, {"output": output, "bidirectional": True}) for name, kind in (
        ("rnn", "simplernn"), ("lstm", "lstm"), ("gru", "gru")) for output in ("last", "sequence")),
    ("bidirectional", "lstm", {}), ("mean", "globalavgpool1d", {}),
    ("attention", "selfattention", {"causal": True}), ("multi-head", "selfattention", {}),
    ("cross attention", "crossattention", {}), ("sampling", "sampling", {}), ("reparameterisation", "sampling", {}),
    ("clustering", "clustering", {}), ("k-means", "clustering", {}),
]
LOSSES: list[tuple[str, dict[str, Any]]] = [
    ("mse", {}), ("mae", {}), ("huber", {"delta": 0.5}), ("log_cosh", {}),
    ("cross_entropy", {"label_smoothing": 0.1, "class_weights": (1.0, 2.0)}), ("binary_cross_entropy", {}),
    ("focal", {"gamma": 1.0}), ("hinge", {}), ("kullback_leibler", {}), ("cosine_distance", {}), ("poisson", {}),
    ("ctc", {}),
]
METRICS = ("accuracy", "top_k", "precision", "recall", "f1", "mean_iou", "auc", "mae", "rmse", "r2", "perplexity",
           "cer", "whole_texts")
OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adadelta", "adam", "adamw", "adamax", "nadam",
              "radam", "lion", "lamb", "muon")
SCHEDULES = ("constant", "step", "exponential", "cosine", "cosine_restarts", "one_cycle", "polynomial", "warm_up",
             "plateau")
#: PyTorch has nothing to compare with, or nothing is computed
NO_GOLDEN = {"input.v1", "output.v1", "flatten.v1", "reshape.v1", "constant.v1"}


@pytest.mark.parametrize(("typed", "kind", "options"), LAYERS, ids=lambda value: str(value))
def test_a_layer_is_there_under_its_usual_name(typed: str, kind: str, options: dict[str, Any]):
    layer = Layer.registry[f"{kind}.v1"]
    assert layer(**options)
    assert match(layer, typed.split()) is not None, f"typing '{typed}' does not find {layer.title}"


def test_every_layer_of_the_registry_is_listed_run_through_the_laws_and_compared():
    kinds = {cls.kind for cls in Layer.all()}
    assert kinds == {f"{kind}.v1" for _, kind, _ in LAYERS} | {"input.v1", "output.v1"}
    assert kinds == {case.layer.kind for case in CASES}
    assert {golden.declared["kind"] for golden in goldens("layers")} == kinds - NO_GOLDEN


@pytest.mark.parametrize(("kind", "options"), LOSSES, ids=lambda value: str(value))
def test_a_loss_is_there_with_its_options(kind: str, options: dict[str, Any]):
    assert Loss.registry[f"{kind}.v1"](**options)


def test_all_of_a_family_is_listed_and_compared():
    for family, names, golden in ((Loss, [kind for kind, _ in LOSSES], "losses"), (Optimizer, OPTIMIZERS, "optimizers"),
                                  (Schedule, SCHEDULES, "schedules")):
        kinds = {f"{name}.v1" for name in names}
        assert {cls.kind for cls in family.all()} == kinds
        assert {case.declared["kind"] for case in goldens(golden)} == kinds - NO_GOLDEN
    assert {metric.name for metric in Metric.all()} == set(METRICS)
    assert {"ema.v1", "swa.v1"} <= {cls.kind for cls in Averaging.all()}
    assert {"block:transformer_encoder", "block:transformer_decoder"} <= set(BLOCKS)


def test_targets_of_every_form_are_among_the_cases_of_cross_entropy():
    targets = [target for loss, _, target in LOSS_CASES if loss.kind == "cross_entropy.v1"]
    assert {target.dtype.kind for target in targets} == {"i", "f"}, "class numbers and soft labels"
    assert max(target.ndim for target in targets if target.dtype.kind == "i") > 1, "a class at each place"


def test_settings_of_a_run():
    settings = TrainSettings(clip_norm=1.0, clip_value=1.0, accumulate=4)
    for schedule in Schedule.all():
        if schedule.kind != "warm_up.v1":
            assert Schedule.registry["warm_up.v1"](then=schedule()).then == schedule()
    for optimizer in Optimizer.all():
        assert settings.model_copy(update={"optimizer": optimizer(weight_decay=0.1)}).optimizer.weight_decay == 0.1
    for task in ("classification", "regression", "reconstruction"):
        assert default_loss(task)


def test_weights_can_be_penalised_and_started_in_every_way():
    named = {"glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "lecun_normal", "lecun_uniform",
             "orthogonal", "truncated_normal", "constant"}
    assert named <= set(INITIALISERS)
    with_weights = set()
    for case in CASES:
        weights = case.layer.weights(*case.shapes)
        if any(weight.decay for weight in weights.values()):
            with_weights.add(type(case.layer))
        if isinstance(case.layer, Penalised):
            found = case.layer.replaced(l1=0.1, l2=0.2, max_norm=1.0).weights(*case.shapes)
            assert all((weight.penalty is not None) == weight.decay for weight in found.values()), case
    assert with_weights and all(issubclass(cls, Penalised) for cls in with_weights)
    for cls in with_weights - {Layer.registry["embedding.v1"]}:
        choices = next(info.choices for info in describe(cls) if info.name == "initialiser")
        assert named | {"auto"} <= {value for value, _ in choices}


def test_merging_says_how_shapes_are_stretched():
    from nndesigner.layers.merge import Add
    from nndesigner.spec import Shape

    assert Add().output_shape(Shape("HWC", (4, 5, 3)), Shape("HWC", (1, 1, 3))).dims == (4, 5, 3)
    with pytest.raises(ShapeError, match="1"):
        Add().output_shape(Shape("F", (4,)), Shape("F", (3,)))


WAYS = re.compile(r"\b(higher|lower|more|fewer|less|larger|smaller|longer|shorter|harder|gentler|0:|off:)", re.I)


@pytest.mark.parametrize("cls", [*Layer.all(), *Loss.all(), *Metric.all(), *Optimizer.all(), *Schedule.all()],
                         ids=lambda cls: cls.kind)
def test_help_says_what_higher_and_lower_do(cls: type):
    for info in describe(cls):
        if info.editor in ("int", "float"):
            assert WAYS.search(info.help), f"{info.name}: {info.help}"
