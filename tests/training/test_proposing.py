"""Proposed settings: good enough at once on the built-in data, and a run that ends soon on large ones."""

import pytest

from nndesigner.data.preparing import DataSettings, Prepared, prepare
from nndesigner.data.source import Source, quiet
from nndesigner.engine.device import Device
from nndesigner.graph.check import Checked, check
from nndesigner.graph.model import Graph
from nndesigner.graph.templates import propose
from nndesigner.spec import DataField, Shape, Signature
from nndesigner.training.proposing import FEWEST_EPOCHS, propose_training
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer


def data_of(kind: str, seed: int) -> tuple[Checked, Prepared]:
    source = Source.registry[kind]()
    prepared = prepare(source.load(quiet), DataSettings(source=source, seed=seed))
    return check(propose(prepared.signature), prepared.signature), prepared


def fields(axes: str, *dims: int, target: bool = True) -> Signature:
    found = [DataField("x", "input", Shape(axes, dims))]
    if target:
        found.append(DataField("y", "target", Shape("F", (2,)), "class", ("a", "b")))
    return Signature(tuple(found))


def proposed(signature: Signature, samples: int, **now: object) -> TrainSettings:
    return propose_training(check(propose(signature), signature), samples, TrainSettings(**now))


@pytest.mark.parametrize(("kind", "metric", "least"), [
    ("spirals.v1", "accuracy", 0.95), ("moons.v1", "accuracy", 0.97), ("xor.v1", "accuracy", 0.88),
    ("iris.v1", "accuracy", 0.86), ("wine.v1", "accuracy", 0.9), ("curve.v1", "r2", 0.97), ("diabetes.v1", "r2", 0.3),
])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_proposed_network_learns_the_built_in_data(kind: str, metric: str, least: float, seed: int):
    checked, prepared = data_of(kind, seed)
    settings = propose_training(checked, len(prepared.train), TrainSettings(seed=seed))
    trainer = Trainer(checked, prepared, settings, Device("cpu"), threads=1)
    trainer.run()
    assert trainer.history.metrics["val", metric] >= least


def test_seed_and_device_of_the_user_stay():
    settings = proposed(fields("F", 2), 300, seed=99, device="cuda:0", epochs=5)
    assert (settings.seed, settings.device) == (99, "cuda:0") and settings.epochs > 5


def test_larger_data_and_networks_get_fewer_epochs():
    few, many = (proposed(fields("HWC", 64, 64, 3), n).epochs for n in (100, 5_000))
    assert few > many >= FEWEST_EPOCHS
    assert proposed(fields("HWC", 8, 8, 1), 60_000).epochs > proposed(fields("HWC", 96, 96, 1), 60_000).epochs
    assert proposed(fields("F", 20), 10_000_000).epochs >= FEWEST_EPOCHS


def test_only_wide_tables_stop_early():
    assert proposed(fields("F", 30), 300).early_stopping > 0
    assert proposed(fields("F", 2), 300).early_stopping == 0


@pytest.mark.parametrize("samples", [0, 1])
def test_nearly_no_data_and_no_network_give_valid_settings(samples: int):
    assert proposed(fields("F", 4, target=False), samples).epochs >= 1
    assert propose_training(check(Graph(), Signature()), samples, TrainSettings()).epochs >= 1
