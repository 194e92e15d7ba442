"""A run is a function of its settings: it repeats, resumes, stops and fails in a defined way."""

import dataclasses
import json
import math

import numpy as np
import pytest

from nndesigner.engine import optimizers, schedules
from nndesigner.engine.device import Device
from nndesigner.engine.metrics import MeanAbsoluteError
from nndesigner.layers.dense import Dense
from nndesigner.layers.embedding import Embedding
from nndesigner.layers.io import Input, Output
from nndesigner.layers.norm import BatchNorm
from nndesigner.layers.regular import Dropout
from nndesigner.spec import DataField, Shape
from nndesigner.training.checkpoint import Checkpoint
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer, TrainingFailure
from tests.networks import chain, classes, drawing, features, prepared, random_arrays, values


def separable(checked, count=203, seed=0):
    """Points in the plane, the class the sign of the product of their coordinates."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, 2)).astype(np.float32)
    return {"features": x, "target": (x[:, 0] * x[:, 1] > 0).astype(np.int64)}


def noisy():
    """Dropout draws random numbers at each step, batch norm keeps running statistics."""
    return chain(
        [Dense(units=12, activation="tanh"), BatchNorm(), Dropout(rate=0.3), Dense(units=8, activation="relu"),
         Dense(units=2)], [features(2), classes(2)])


def make(checked=None, checkpoint=None, validation=40, arrays=None, **settings) -> Trainer:
    checked = checked or noisy()
    data = prepared(checked, arrays or separable(checked), validation=validation, test=20)
    settings = {"epochs": 4, "batch_size": 16, **settings}
    return Trainer(checked, data, TrainSettings(**settings), Device("cpu"), checkpoint)


def state_of(trainer: Trainer) -> dict[str, np.ndarray]:
    """Every number of a run: weights, moments, curves."""
    return dict(trainer.checkpoint().arrays)


def assert_same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> None:
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def through_json(checkpoint: Checkpoint) -> Checkpoint:
    return Checkpoint(dict(checkpoint.arrays), json.loads(json.dumps(checkpoint.state, allow_nan=False)))


def test_a_network_that_cannot_fit_into_memory_is_refused_before_it_takes_any():
    checked = chain([Dense(units=1_000_000), Dense(units=1_000_000), Dense(units=2)], [features(2), classes(2)])
    arrays = {"features": np.zeros((80, 2), np.float32), "target": np.arange(80) % 2}
    with pytest.raises(TrainingFailure, match="GB of memory") as caught:
        make(checked, arrays=arrays)
    largest = max(checked.parameters, key=checked.parameters.get)
    assert caught.value.failure.node == largest


# --- learning ---

def test_it_learns_and_measures():
    checked = chain([Dense(units=16, activation="tanh"), Dense(units=2)], [features(2), classes(2)])
    trainer = make(checked, arrays=separable(checked, 1000), validation=200, epochs=30,
                   optimizer=optimizers.Adam(learning_rate=0.01))
    before = trainer.evaluate("test")
    trainer.run()
    after = trainer.evaluate("test")
    assert trainer.finished and trainer.epoch == 30 and trainer.step_number == trainer.steps
    assert after["accuracy"] > 0.93 > before["accuracy"] and after["loss"] < 0.5 * before["loss"]
    curves = trainer.history.arrays()
    assert set(curves) == {"loss", "val_loss", "accuracy", "val_accuracy", "learning_rate"}
    assert len(curves["val_loss"][0]) == 30 and curves["loss"][0][-1] == pytest.approx(30)
    assert trainer.history.metrics["val", "accuracy"] == curves["val_accuracy"][1][-1]
    assert trainer.evaluate(trainer.prepared.test) == after


def test_every_sample_is_used_once_an_epoch_and_the_loss_is_its_mean():
    checked = chain([Dense(units=2)], [features(2), values(2)])
    arrays = random_arrays(checked, 103)
    tiny = optimizers.SGD(learning_rate=1e-30)
    trainer = make(checked, arrays=arrays, validation=0, epochs=1, batch_size=16, optimizer=tiny)
    train = trainer.prepared.train
    prediction = trainer.network.predict({"features": train.arrays["features"]})["out"]
    trainer.run()
    expected = np.mean((prediction - train.arrays["target"]) ** 2)
    assert trainer.history.metrics["train", "loss"] == pytest.approx(expected, rel=1e-5)
    assert trainer.history.metrics["train", "rmse"] == pytest.approx(math.sqrt(expected), rel=1e-5)
    assert trainer.evaluate("train")["loss"] == pytest.approx(expected, rel=1e-5)


def test_sgd_on_one_batch_is_the_formula():
    checked = chain([Dense(units=1)], [features(3), values()])
    trainer = make(checked, arrays=random_arrays(checked, 28), validation=0, epochs=1, batch_size=100,
                   optimizer=optimizers.SGD(learning_rate=0.1))
    x, t = (trainer.prepared.train.arrays[k].astype(np.float64) for k in ("features", "target"))
    start = trainer.network.weights.state_dict()
    trainer.step()
    slope = 2 * (x @ start["n1/W"] + start["n1/b"] - t) / len(x)
    end = trainer.network.weights.state_dict()
    np.testing.assert_allclose(end["n1/W"], start["n1/W"] - 0.1 * x.T @ slope, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(end["n1/b"], start["n1/b"] - 0.1 * slope.sum(axis=0), rtol=1e-5, atol=1e-7)


def test_several_outputs_are_measured_apart():
    checked = drawing(
        {"in": Input(), "d": Dense(units=8, activation="tanh"), "a": Dense(units=2), "b": Dense(units=1),
         "out": Output(target="colour", weight=0.5), "out2": Output(target="height")},
        ["in>d", "d>a", "d>b", "a>out", "b>out2"], [features(2), classes(2, "colour"), values(1, "height")])
    trainer = make(checked, arrays=random_arrays(checked, 200), epochs=2)
    trainer.run()
    names = set(trainer.history.arrays())
    assert "accuracy (Output out)" in names and "val_r2 (Output out2)" in names


def test_chosen_metrics_are_measured_and_drawn():
    trainer = make(metrics="f1, auc  recall r2", epochs=2)
    trainer.run()
    names = set(trainer.history.arrays())
    assert names == {"loss", "val_loss", "learning_rate", "f1", "auc", "recall", "val_f1", "val_auc", "val_recall"}
    assert set(trainer.evaluate("test")) == {"loss", "f1", "auc", "recall"}
    with pytest.raises(ValueError, match="no metric 'speed'"):
        TrainSettings(metrics="speed")


def test_padded_steps_count_in_no_metric():
    field = DataField("tokens", "input", Shape("T", (6,), integer=True), tokens=9)
    each = DataField("target", "target", Shape("TF", (6, 3)))
    checked = chain([Embedding(vocabulary=9, units=4), Dense(units=3)], [field, each])
    tokens = np.random.default_rng(0).integers(1, 9, (60, 6))
    tokens[:, 2:] *= np.random.default_rng(1).integers(0, 2, (60, 1))
    real = tokens > 0
    targets = np.where(real[..., None], 1.0, 1e6).astype(np.float32) * np.ones(3, np.float32)
    trainer = make(checked, arrays={"tokens": tokens, "target": targets}, validation=20, epochs=2, batch_size=7,
                   metrics=(MeanAbsoluteError(),))
    trainer.run()
    answers = trainer.network.predict({"tokens": tokens[20:40]})["out"]
    assert trainer.evaluate("validation")["mae"] == pytest.approx(np.abs(answers - 1)[real[20:40]].mean(), rel=1e-5)
    assert trainer.history.metrics["train", "mae"] < 10


def test_nothing_to_train_on_is_a_sentence():
    checked = noisy()
    with pytest.raises(TrainingFailure, match="no training samples"):
        make(checked, arrays={k: v[:20] for k, v in separable(checked).items()}, validation=0)


def test_clipping_shortens_the_gradient():
    checked = chain([Dense(units=1)], [features(3), values()])
    arrays = {k: 100 * v for k, v in random_arrays(checked, 64).items()}
    trainer = make(checked, arrays=arrays, clip_norm=0.5, optimizer=optimizers.SGD(learning_rate=1.0), validation=0)
    before = trainer.network.weights.values.copy()
    trainer.step()
    assert np.linalg.norm(trainer.network.weights.values - before) == pytest.approx(0.5, rel=1e-4)


# --- repeating and resuming ---

def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    first, second, other = make(), make(), make(seed=8)
    for trainer in (first, second, other):
        trainer.run()
    assert_same(state_of(first), state_of(second))
    assert not np.array_equal(state_of(first)["curve/loss"], state_of(other)["curve/loss"])


@pytest.mark.parametrize(("optimizer", "schedule"), [
    (optimizers.Adam(), schedules.OneCycle()), (optimizers.Nesterov(), schedules.Constant()),
    (optimizers.RMSprop(), schedules.Plateau(patience=0)),
])
@pytest.mark.parametrize("steps", [0, 1, 9, 13, 22, 36])
def test_a_resumed_run_is_the_uninterrupted_one(steps, optimizer, schedule):
    """143 training samples in batches of 16: 9 steps an epoch, the last of 15 samples."""
    settings = dict(optimizer=optimizer, schedule=schedule, early_stopping=3, clip_norm=1.0)
    whole = make(**settings)
    whole.run()
    part = make(**settings)
    for _ in range(steps):
        part.step()
    saved = through_json(part.checkpoint())
    for _ in range(5):  # whatever happens to the first trainer afterwards
        part.step()
    resumed = make(checkpoint=saved, **settings)
    assert resumed.step_number == steps
    resumed.run()
    assert_same(state_of(whole), state_of(resumed))
    assert whole.checkpoint().state == resumed.checkpoint().state


def test_evaluating_and_answering_between_steps_changes_nothing():
    quiet, asked = make(), make()
    quiet.run()
    while not asked.finished:
        asked.step()
        asked.evaluate("test")
        asked.network.activations({"features": np.ones((3, 2), dtype=np.float32)})
    assert_same(state_of(quiet), state_of(asked))


def test_a_checkpoint_of_another_network_is_refused():
    other = make(chain([Dense(units=2)], [features(2), classes(2)]))
    with pytest.raises(ValueError, match="another network"):
        make(checkpoint=other.checkpoint())


def test_resuming_with_another_batch_size_or_optimizer_begins_the_epoch_anew():
    first = make()
    for _ in range(12):
        first.step()
    second = make(checkpoint=first.checkpoint(), batch_size=50, optimizer=optimizers.SGD())
    assert second.epoch == 1 and second.step_number == second.steps_per_epoch
    second.run()
    assert second.finished


# --- rates ---

def test_schedules_set_the_rate_of_every_step():
    trainer = make(schedule=schedules.Cosine(), optimizer=optimizers.Adam(learning_rate=0.02))
    assert trainer.learning_rate == pytest.approx(0.02)
    trainer.run()
    rates = trainer.history.arrays()["learning_rate"][1]
    assert len(rates) == trainer.steps and (np.diff(rates) < 0).all()
    assert rates[len(rates) // 2] == pytest.approx(0.01, rel=1e-6)


def test_the_rate_can_be_changed_while_running_and_survives_a_checkpoint():
    trainer = make(schedule=schedules.StepDecay(every=2, factor=0.1), optimizer=optimizers.SGD(learning_rate=0.1))
    trainer.step()
    trainer.learning_rate = 0.03
    assert trainer.learning_rate == pytest.approx(0.03)
    resumed = make(schedule=schedules.StepDecay(every=2, factor=0.1), optimizer=optimizers.SGD(learning_rate=0.1),
                   checkpoint=trainer.checkpoint())
    assert resumed.learning_rate == trainer.learning_rate
    while trainer.epoch < 2:
        trainer.step()
    assert trainer.learning_rate == pytest.approx(0.003)
    with pytest.raises(ValueError, match="above 0"):
        trainer.learning_rate = 0


def test_a_changed_rate_acts_on_the_next_step():
    checked = chain([Dense(units=1)], [features(3), values()])
    arrays = random_arrays(checked, 64)
    moves = []
    for rate in (None, 0.2):
        trainer = make(checked, arrays=arrays, validation=0, optimizer=optimizers.SGD(learning_rate=0.1))
        if rate:
            trainer.learning_rate = rate
        before = trainer.network.weights.values.copy()
        trainer.step()
        moves.append(trainer.network.weights.values - before)
    np.testing.assert_allclose(moves[1], 2 * moves[0], rtol=1e-4, atol=1e-7)


def test_plateau_reduces_the_rate_and_says_so():
    trainer = make(epochs=12, schedule=schedules.Plateau(patience=0, factor=0.5),
                   optimizer=optimizers.SGD(learning_rate=1e-7))
    trainer.run()
    rates = trainer.history.arrays()["learning_rate"][1]
    assert rates[-1] < rates[0] and any("learning rate reduced" in m for m in trainer.messages)


def test_what_needs_validation_data_says_so_without_them():
    trainer = make(validation=0, early_stopping=2, schedule=schedules.Plateau())
    assert len(trainer.messages) == 2
    trainer.run()
    assert trainer.finished and trainer.epoch == 4 and trainer.best_epoch is None


# --- the end ---

def test_early_stopping_keeps_the_best_weights():
    checked = chain([Dense(units=64, activation="relu"), Dense(units=2)], [features(2), classes(2)])
    arrays = random_arrays(checked, 120)  # pure noise: learning it by heart makes validation worse
    trainer = make(checked, arrays=arrays, epochs=200, early_stopping=3, optimizer=optimizers.Adam(learning_rate=0.02))
    trainer.run()
    losses = trainer.history.arrays()["val_loss"][1]
    assert trainer.finished and trainer.epoch < 200
    assert trainer.best_epoch == int(np.argmin(losses)) + 1 == trainer.epoch - 3
    assert trainer.evaluate("validation")["loss"] == pytest.approx(losses.min(), rel=1e-12)
    assert any("Stopped after epoch" in m for m in trainer.messages)


def test_more_epochs_can_be_allowed():
    trainer = make(epochs=2)
    trainer.run()
    steps = trainer.step_number
    trainer.step()
    assert trainer.step_number == steps
    trainer.extend(3)
    assert not trainer.finished
    trainer.run()
    assert trainer.epoch == trainer.epochs == 5


def test_a_continued_run_follows_epochs_that_were_changed_since():
    first = make(epochs=2)
    first.run()
    assert make(checkpoint=first.checkpoint(), epochs=2).finished
    longer = make(checkpoint=first.checkpoint(), epochs=5)
    longer.run()
    assert longer.epoch == 5
    first.extend(1)
    assert make(checkpoint=first.checkpoint(), epochs=2).epochs == 3


def test_extending_equals_planning_longer_when_the_rate_is_constant():
    short, long = make(epochs=2), make(epochs=4)
    short.run()
    short.extend(2)
    short.run()
    long.run()
    assert_same(state_of(short), state_of(long))


# --- failing ---

def test_divergence_names_the_layer_and_keeps_the_last_good_weights():
    checked = chain([Dense(units=8, activation="relu"), Dense(units=1)], [features(3), values()])
    arrays = {k: 50 * v for k, v in random_arrays(checked, 200).items()}
    trainer = make(checked, arrays=arrays, optimizer=optimizers.SGD(learning_rate=1000.0), validation=0, epochs=50)
    start = trainer.network.weights.state_dict()
    with pytest.raises(TrainingFailure) as caught:
        trainer.run()
    failure = caught.value.failure
    assert failure.node in ("n1", "n2", "out")
    assert "Lower the learning rate" in failure.text and "Dense" in failure.text
    after = trainer.network.weights.state_dict()
    assert all(np.isfinite(a).all() for a in after.values())
    if trainer.epoch == 0:
        assert all(np.array_equal(start[name], after[name]) for name in start)
    for array in trainer.history.arrays().values():
        assert np.isfinite(array[1]).all()


def test_bad_data_are_blamed_on_the_data():
    checked = noisy()
    arrays = separable(checked)
    arrays["features"][7, 1] = np.nan
    trainer = make(checked, arrays=arrays, validation=0)
    with pytest.raises(TrainingFailure) as caught:
        trainer.run()
    assert caught.value.failure.node == "in" and "data" in caught.value.failure.text


def test_settings_are_frozen_and_know_their_limits():
    with pytest.raises(ValueError):
        TrainSettings(epochs=0)
    assert dataclasses.is_dataclass(Checkpoint)
