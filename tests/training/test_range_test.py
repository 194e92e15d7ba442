"""The range test sees where learning begins and where it diverges, proposes a rate between, and touches nothing."""

import numpy as np
import pytest

from nndesigner.engine import optimizers
from nndesigner.engine.device import Device
from nndesigner.layers.dense import Dense
from nndesigner.training.range_test import HIGHEST, LOWEST, RangeTestJob, run_range_test
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer
from tests.networks import chain, classes, features, prepared, random_arrays, values
from tests.training.test_trainer import separable


def task():
    checked = chain([Dense(units=16, activation="tanh"), Dense(units=2)], [features(2), classes(2)])
    return checked, prepared(checked, separable(checked, 1000), validation=200)


@pytest.mark.parametrize("optimizer", [optimizers.Adam(), optimizers.Momentum()])
def test_the_proposed_rate_learns_much_faster_than_a_small_one(optimizer):
    checked, data = task()
    settings = TrainSettings(epochs=5, optimizer=optimizer)
    found = run_range_test(checked, data, settings, Device("cpu"))
    assert LOWEST < found.proposal < HIGHEST
    assert np.allclose(np.diff(np.log(found.rates)), np.log(found.rates[1] / found.rates[0]))
    ends = []
    for rate in (found.proposal, found.proposal / 100):
        trainer = Trainer(checked, data, settings.model_copy(update={
            "optimizer": optimizer.replaced(learning_rate=rate)}), Device("cpu"))
        trainer.run()
        ends.append(trainer.evaluate("validation")["loss"])
    assert ends[0] < 0.7 * ends[1]


def test_it_stops_where_the_loss_grows_without_end():
    checked = chain([Dense(units=1)], [features(3), values()])
    arrays = random_arrays(checked, 200)
    arrays["target"] = arrays["features"] @ np.array([[1.0], [2.0], [-1.0]], dtype=np.float32)
    found = run_range_test(checked, prepared(checked, arrays), TrainSettings(optimizer=optimizers.SGD()), Device("cpu"))
    assert found.diverged and found.rates[-1] < HIGHEST
    assert found.proposal <= found.rates[-1] / 10


def test_it_repeats():
    checked, data = task()
    first, second = (run_range_test(checked, data, TrainSettings(), Device("cpu")) for _ in range(2))
    np.testing.assert_array_equal(first.losses, second.losses)
    assert first.proposal == second.proposal


def test_a_job_can_be_followed_and_cancelled():
    checked, data = task()
    job = RangeTestJob(checked, data, TrainSettings())
    job.cancel()
    assert job.wait(20) and not job.error and job.found.proposal is None
    whole = RangeTestJob(checked, data, TrainSettings())
    assert whole.wait(60) and whole.found.proposal
    broken = RangeTestJob(checked, prepared(checked, separable(checked, 5), validation=5), TrainSettings())
    assert broken.wait(20) and "no training samples" in broken.error
