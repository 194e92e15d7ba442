"""Mixup and CutMix: what is mixed, with which labels, and that training sees it everywhere alike."""

import json

import numpy as np
import pytest

from nndesigner.cli.running import load_data, train
from nndesigner.data.augment import Augmentation, Mixer, SoftLabels
from nndesigner.data.augment.mixing import CutMix, Mixup
from nndesigner.data.augment.pictures import Shift
from nndesigner.data.dataset import DataError
from nndesigner.data.generated_sound import Tones
from nndesigner.data.generated_text import Sentences
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.samples import Diabetes, Digits
from nndesigner.data.source import quiet
from nndesigner.engine.device import Device
from nndesigner.engine.losses import BinaryCrossEntropy, Focal
from nndesigner.layers.dense import Dense
from nndesigner.layers.io import Output
from nndesigner.layers.regular import Dropout
from nndesigner.layers.reshape import Flatten
from nndesigner.project.design import Design
from nndesigner.project.file import Project
from nndesigner.spec.loss import LossBind
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer, TrainingFailure
from tests.networks import chain


def trainer(prepared, layers=None, output=None, threads=None, **settings):
    layers = layers or [Flatten(), Dense(units=16, activation="relu"), Dropout(rate=0.2), Dense(units=10)]
    return Trainer(chain(layers, prepared.signature.fields, output), prepared,
                   TrainSettings(**{"epochs": 2, "batch_size": 32, **settings}), Device("cpu"), threads=threads)


def digits(*steps):
    return prepare(Digits().load(quiet), DataSettings(augmentation=steps))


@pytest.mark.parametrize("step", [Mixup, CutMix])
def test_laws(step):
    chosen = step()
    assert Augmentation.from_json(json.loads(json.dumps(chosen.to_json()))) == chosen
    mixer = Mixer([chosen], 3, (8, 8))
    one, again, other = mixer.pairs(500, 2, 5), mixer.pairs(500, 2, 5), mixer.pairs(500, 2, 6)
    for name in ("partner", "share", "box"):
        np.testing.assert_array_equal(getattr(one, name), getattr(again, name))
    assert not np.array_equal(one.share, other.share)
    assert sorted(one.partner) == list(range(500)) and one.share.min() >= 0.5 and one.share.max() <= 1
    idle = Mixer([step(chance=0)], 3, (8, 8)).pairs(50, 0, 0)
    assert (idle.share == 1).all()


def test_shares_are_those_of_the_beta_distribution():
    shares = np.concatenate([Mixer([Mixup(alpha=0.4)], 0, (1, 1)).pairs(64, e, 0).share for e in range(100)])
    drawn = np.random.default_rng(0).beta(0.4, 0.4, 6400)
    wanted = np.maximum(drawn, 1 - drawn)
    np.testing.assert_allclose(np.quantile(shares, [0.1, 0.3, 0.5, 0.7]), np.quantile(wanted, [0.1, 0.3, 0.5, 0.7]),
                               atol=0.02)


def test_mixup_blends_values_and_labels_alike():
    pairs = Mixer([Mixup(alpha=1.0)], 1, (1, 1)).pairs(16, 0, 0)
    values = np.random.default_rng(0).normal(size=(16, 4, 4, 1)).astype(np.float32)
    labels = np.eye(16, dtype=np.float32)
    before = values.copy()
    pairs.mix({"x": values, "y": labels})
    np.testing.assert_allclose(values.reshape(16, -1), labels @ before.reshape(16, -1), atol=1e-5)
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)
    assert (labels.argmax(axis=1) == np.arange(16)).all() and (labels > 0).sum() > 20


def test_cutmix_shares_labels_by_area():
    pairs = Mixer([CutMix()], 1, (8, 6)).pairs(32, 0, 0)
    values = np.repeat(np.arange(32, dtype=np.float32), 48).reshape(32, 8, 6, 1)
    labels = np.eye(32, dtype=np.float32)
    pairs.mix({"x": values, "y": labels})
    for i in range(32):
        found = {int(v): n / 48 for v, n in zip(*np.unique(values[i], return_counts=True))}
        assert found == pytest.approx({int(k): float(labels[i, k]) for k in np.flatnonzero(labels[i])}, abs=1e-5)


def test_of_both_each_sample_draws_one():
    boxed = Mixer([Mixup(), CutMix()], 1, (8, 8)).pairs(400, 0, 0).boxed
    assert 150 < boxed.sum() < 250


def test_a_pair_alone_is_mixed_as_in_its_batch():
    for step in (Mixup(), CutMix()):
        pairs = Mixer([step], 1, (8, 8)).pairs(16, 0, 0)
        values = np.random.default_rng(0).normal(size=(16, 8, 8, 1)).astype(np.float32)
        whole = values.copy()
        pairs.mix({"x": whole})
        for place in range(16):
            two = values[[place, pairs.partner[place]]].copy()
            pairs.of(place).mix({"x": two})
            np.testing.assert_array_equal(two[0], whole[place])


def test_soft_labels():
    rows = SoftLabels(np.array([2, 0, 1]), 3)
    out = np.full((2, 3), 7, dtype=np.float32)
    rows.read(np.array([2, 0]), out)
    np.testing.assert_array_equal(out, [[0, 1, 0], [0, 0, 1]])
    assert rows.shape == (3, 3) and len(rows) == 3


def checkpoints_equal(one, other):
    first, second = one.checkpoint().arrays, other.checkpoint().arrays
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(second[name], array, err_msg=name)


@pytest.mark.parametrize("extra", [{}, {"accumulate": 3}])
def test_a_run_repeats_and_resumes(extra):
    prepared = digits(Shift(), Mixup(), CutMix())
    one, two = trainer(prepared, epochs=2, **extra), trainer(prepared, epochs=2, **extra)
    while one.step_number < one.steps // 2 + 3:
        one.step()
    resumed = Trainer(one.checked, prepared, one.settings, one.device, one.checkpoint())
    for made in (one, two, resumed):
        made.run()
        made.close()
    checkpoints_equal(one, two)
    checkpoints_equal(one, resumed)


def test_the_loss_and_the_gradient_are_those_of_both_labels():
    """One step on a batch equals training on both labels, weighted by their shares."""
    prepared = digits(Mixup(alpha=1.0))
    made = trainer(prepared, [Flatten(), Dense(units=10)], batch_size=16)
    batch = made._feeder.take((0, 0))
    image, soft = batch["image"].copy(), batch["target"].copy()
    assert soft.shape == (16, 10) and ((soft > 0) & (soft < 1)).any()
    answers = made.network.predict({"image": image})["out"]
    made.step()
    wanted = -(soft * np.log(answers)).sum(axis=1).mean()
    assert made.history.curve("loss").arrays()[1][-1] == pytest.approx(wanted, rel=1e-5)
    made.close()


def test_threads_compute_the_same():
    prepared, losses = digits(Mixup(), CutMix()), []
    for threads in (1, 2):
        made = trainer(prepared, [Flatten(), Dense(units=10)], threads=threads, batch_size=64)
        made.step()
        losses.append(made.history.curve("loss").arrays()[1][-1])
        made.close()
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_two_classes_with_one_score_learn_from_mixtures():
    rng = np.random.default_rng(0)
    soft, x = rng.dirichlet([1, 1], 5).astype(np.float32), rng.normal(size=(5, 1)).astype(np.float32)
    scratch = lambda name, shape, dtype=np.float32: np.zeros(shape, dtype)  # noqa: E731
    value, dx = np.zeros(1, np.float32), np.zeros_like(x)
    forward, backward = BinaryCrossEntropy().bind(LossBind(np, x, soft, np.zeros_like(x), dx, value, 1.0, scratch))
    forward()
    backward()
    p = 1 / (1 + np.exp(-x[:, 0]))
    wanted = -(soft[:, 1] * np.log(p) + soft[:, 0] * np.log(1 - p)).mean()
    assert value[0] == pytest.approx(wanted, rel=1e-5)
    np.testing.assert_allclose(dx[:, 0], (p - soft[:, 1]) / 5, rtol=1e-5)


def test_the_command_line_trains_the_same():
    settings = DataSettings(source=Digits(), augmentation=(Shift(), Mixup()))
    here = trainer(prepare(Digits().load(quiet), settings), epochs=1)
    here.run()
    here.close()
    project = Project(Design(here.checked.graph, settings, here.settings))
    told = train(project, load_data(project.design)).project.checkpoint
    for name, array in here.checkpoint().part("weights").items():
        np.testing.assert_array_equal(told.part("weights")[name], array, err_msg=name)


def test_regression_mixes_values():
    prepared = prepare(Diabetes().load(quiet), DataSettings(augmentation=(Mixup(),)))
    made = trainer(prepared, [Dense(units=1)])
    made.run()
    assert np.isfinite(made.evaluate("validation")["loss"])
    made.close()


@pytest.mark.parametrize("source, step, words", [
    (Sentences(samples=100), Mixup(), "Mixup is for pictures and sounds and columns of numbers and series"),
    (Tones(samples=90), CutMix(), "CutMix is for pictures"),
])
def test_what_cannot_be_mixed_is_refused(source, step, words):
    with pytest.raises(DataError, match=words):
        prepare(source.load(quiet), DataSettings(augmentation=(step,)))


def test_a_loss_that_takes_no_soft_labels_is_refused():
    prepared = digits(Mixup())
    with pytest.raises(TrainingFailure, match="which the loss Focal cannot learn from. Choose cross-entropy"):
        trainer(prepared, output=Output(loss=Focal()))
