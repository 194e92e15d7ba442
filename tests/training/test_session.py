"""The thread boundary: commands, questions, failures, and an end in every state."""

import gc
import threading
import time

import numpy as np
import pytest

from nndesigner.engine.device import Device
from nndesigner.layers.dense import Dense
from nndesigner.layers.norm import BatchNorm
from nndesigner.training.session import Session
from nndesigner.training.settings import TrainSettings
from nndesigner.training.telemetry import Answer, Telemetry
from nndesigner.training.trainer import Trainer
from tests.networks import chain, classes, features, prepared, random_arrays

SECONDS = 10.0


def make_trainer(checkpoint=None, arrays=None, **settings) -> Trainer:
    checked = chain([Dense(units=8, activation="tanh"), Dense(units=3)], [features(2), classes(3)])
    data = prepared(checked, arrays or random_arrays(checked, 200), validation=40)
    return Trainer(checked, data, TrainSettings(**{"epochs": 5, **settings}), Device("cpu"), checkpoint)


@pytest.fixture
def open_session():
    """Makes sessions and ends them all; a thread that stays alive fails the test."""
    sessions = []
    KEPT.clear()

    def start(make=make_trainer, **settings) -> Session:
        sessions.append(Session(lambda: make(**settings)))
        return sessions[-1]

    yield start
    for session in sessions:
        assert session.close(SECONDS), "the training thread did not end"


def wait(session: Session, condition) -> Telemetry:
    """Poll until the condition holds for the telemetry."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        telemetry, answers = session.poll()
        KEPT.extend(answers)
        if condition(telemetry):
            return telemetry
        time.sleep(0.002)
    raise AssertionError(f"waited in vain; the state is {telemetry.state}, {telemetry.failure}")


def wait_state(session: Session, *states: str) -> Telemetry:
    return wait(session, lambda t: t.state in states)


#: answers that polling handed out in this test
KEPT: list[Answer] = []


def ask(session: Session, fn, key="key") -> Answer:
    ticket = session.ask(key, fn)
    wait(session, lambda t: any(a.ticket == ticket for a in KEPT))
    return next(a for a in KEPT if a.ticket == ticket)


def test_a_run_from_preparing_to_finished(open_session):
    session = open_session()
    wait_state(session, "ready")
    session.start()
    telemetry = wait_state(session, "finished")
    assert telemetry.epoch == telemetry.epochs == 5 and telemetry.step == telemetry.steps == 25
    assert telemetry.failure is None and telemetry.seconds_run > 0
    assert len(telemetry.curves["loss"][0]) == 25 and len(telemetry.curves["val_accuracy"][0]) == 5
    assert ("val", "accuracy") in telemetry.metrics and ("train", "loss") in telemetry.metrics
    assert not telemetry.curves["loss"][1].flags.writeable
    assert session.poll()[0] is telemetry  # nothing changed, nothing new
    assert session.close(SECONDS) and session.poll()[0].state == "closed"


def test_start_before_it_is_ready_is_not_lost(open_session):
    def slowly(**settings):
        time.sleep(0.1)
        return make_trainer(**settings)

    session = open_session(slowly)
    assert session.poll()[0].state == "preparing"
    session.start()
    wait_state(session, "finished")


def test_pause_resume_stop_and_go_on(open_session):
    session = open_session(epochs=1_000_000)
    session.start()
    wait(session, lambda t: t.step > 50)
    session.pause()
    paused = wait_state(session, "paused")
    time.sleep(0.05)
    assert session.poll()[0].step == paused.step
    session.resume()
    running = wait(session, lambda t: t.state == "running" and t.step > paused.step + 50)
    assert running.samples_per_second > 0 and running.seconds_left > 0
    session.stop()
    stopped = wait_state(session, "stopped")
    assert ask(session, lambda trainer: trainer.step_number).value == stopped.step
    session.start()
    wait(session, lambda t: t.state == "running" and t.step > stopped.step)


def test_threads_that_meet_obey_commands_and_fail_together(open_session):
    """With batch norm the parts of a batch wait for each other: nothing may leave one of them waiting."""
    def make(**settings) -> Trainer:
        checked = chain([Dense(units=8), BatchNorm(), Dense(units=3)], [features(2), classes(3)])
        data = prepared(checked, random_arrays(checked, 200), validation=40)
        return Trainer(checked, data, TrainSettings(**settings), Device("cpu"), threads=2)

    before = set(threading.enumerate())
    session = open_session(make, epochs=1_000_000)
    session.start()
    running = wait(session, lambda t: t.step > 50)
    session.pause()
    paused = wait_state(session, "paused")
    assert paused.step >= running.step
    session.resume()
    wait(session, lambda t: t.step > paused.step + 50)

    def spoil(trainer: Trainer) -> None:
        trainer.prepared.train.arrays["features"][100:] = np.nan

    ask(session, spoil)
    failed = wait_state(session, "failed")
    assert "data hold such values" in failed.failure.text
    assert ask(session, lambda trainer: trainer.network.weights.finite()).value
    assert session.close(SECONDS)
    del session
    end = time.monotonic() + SECONDS
    while left := set(threading.enumerate()) - before:
        assert time.monotonic() < end, f"{left} are still there"
        time.sleep(0.005)


def test_single_steps(open_session):
    session = open_session()
    for _ in range(3):
        session.single_step()
    telemetry = wait(session, lambda t: t.step == 3)
    assert telemetry.state == "paused"
    session.start()
    assert wait_state(session, "finished").step == 25
    session.single_step()
    time.sleep(0.02)
    assert session.poll()[0].state == "finished"


def test_commands_are_obeyed_in_order(open_session):
    session = open_session(epochs=1_000_000)
    session.start()
    session.pause()
    session.single_step()
    telemetry = wait(session, lambda t: t.step == 1)
    assert telemetry.state == "paused"


def test_more_epochs_after_the_end(open_session):
    session = open_session()
    session.start()
    wait_state(session, "finished")
    session.extend(2)
    session.start()
    assert wait(session, lambda t: t.state == "finished" and t.epochs == 7).epoch == 7


def test_the_learning_rate_changes_while_running(open_session):
    session = open_session(epochs=1_000_000)
    session.start()
    wait(session, lambda t: t.step > 10)
    session.set_learning_rate(0.5)
    wait(session, lambda t: t.learning_rate == 0.5 and t.state == "running")
    with pytest.raises(ValueError, match="above 0"):
        session.set_learning_rate(-1)


@pytest.mark.parametrize("state", ["ready", "running", "paused", "finished", "stopped"])
def test_questions_are_answered_in_every_state(open_session, state):
    session = open_session(epochs=1 if state == "finished" else 1_000_000)
    wait_state(session, "ready")
    if state != "ready":
        session.start()
    if state in ("paused", "stopped"):
        wait_state(session, "running")
        session.pause() if state == "paused" else session.stop()
    wait_state(session, state)
    x = np.zeros((2, 2), dtype=np.float32)
    answer = ask(session, lambda trainer: trainer.network.predict({"features": x})["out"])
    assert answer.error == "" and answer.value.shape == (2, 3)


def test_a_question_that_raises_is_an_answer_and_the_run_goes_on(open_session):
    session = open_session(epochs=1_000_000)
    session.start()

    def raising(trainer):
        raise KeyError("no such layer")

    assert "no such layer" in ask(session, raising).error
    step = session.poll()[0].step
    wait(session, lambda t: t.state == "running" and t.step > step)


def test_the_newest_question_of_a_key_replaces_an_older_one(open_session):
    session = open_session(epochs=1_000_000)
    wait_state(session, "ready")
    gate = threading.Event()
    blocked = session.ask("gate", lambda trainer: gate.wait(SECONDS))
    time.sleep(0.02)
    old = session.ask("picture", lambda trainer: "old")
    new = session.ask("picture", lambda trainer: "new")
    other = session.ask("other", lambda trainer: "other")
    gate.set()
    wait(session, lambda t: {blocked, new, other} <= {a.ticket for a in KEPT})
    assert old not in {a.ticket for a in KEPT}
    assert session.poll()[1] == ()  # handed out once


def test_a_checkpoint_through_the_session_resumes_exactly(open_session):
    session = open_session()
    for _ in range(7):
        session.single_step()
    wait(session, lambda t: t.step == 7)
    ticket = session.request_checkpoint()
    wait(session, lambda t: any(a.ticket == ticket for a in KEPT))
    checkpoint = next(a for a in KEPT if a.ticket == ticket).value
    resumed, whole = make_trainer(checkpoint), make_trainer()
    resumed.run()
    whole.run()
    for name, array in whole.checkpoint().arrays.items():
        np.testing.assert_array_equal(array, resumed.checkpoint().arrays[name])


def test_a_failure_names_the_layer_and_answers_still_come(open_session):
    arrays = {"features": np.full((200, 2), np.nan, dtype=np.float32), "target": np.arange(200) % 3}
    session = open_session(arrays=arrays)
    session.start()
    telemetry = wait_state(session, "failed")
    assert telemetry.failure.node == "in" and "data" in telemetry.failure.text
    weights = ask(session, lambda trainer: trainer.network.weights.state_dict()).value
    assert all(np.isfinite(a).all() for a in weights.values())
    session.start()
    time.sleep(0.02)
    assert session.poll()[0].state == "failed"


@pytest.mark.parametrize("error", [RuntimeError("the drawing is odd"), MemoryError(), SystemExit(3)])
def test_whatever_happens_while_preparing_is_a_failure(open_session, error):
    def failing(**settings):
        raise error

    session = open_session(failing)
    telemetry = wait_state(session, "failed")
    assert telemetry.failure.text and "Traceback" in telemetry.failure.detail
    assert ask(session, lambda trainer: 1).error == telemetry.failure.text


def test_an_exception_in_a_step_is_a_failure(open_session):
    session = open_session(epochs=1_000_000)
    session.start()

    def break_it(trainer):
        def fail(rate, step):
            raise OSError("the file vanished")

        trainer._update.run = fail

    ask(session, break_it)
    telemetry = wait_state(session, "failed")
    assert "the file vanished" in telemetry.failure.text and "Traceback" in telemetry.failure.detail


@pytest.mark.parametrize("state", ["preparing", "ready", "running", "paused", "finished"])
def test_close_ends_the_thread_in_every_state(state):
    gate = threading.Event()

    def make():
        if state == "preparing":
            gate.wait(0.1)
        return make_trainer(epochs=1 if state == "finished" else 1_000_000)

    session = Session(make)
    if state != "preparing":
        wait_state(session, "ready")
    if state in ("running", "paused", "finished"):
        session.start()
        wait_state(session, "running", "finished")
    if state == "paused":
        session.pause()
        wait_state(session, "paused")
    session.close(0.0)  # returns at once
    assert session.close(SECONDS)
    assert session.poll()[0].state == "closed"


def test_close_does_not_wait_for_a_long_measurement():
    checked = chain([Dense(units=2000), Dense(units=2000), Dense(units=3)], [features(2), classes(3)])
    data = prepared(checked, random_arrays(checked, 60_000), validation=59_900)
    session = Session(lambda: Trainer(checked, data, TrainSettings(batch_size=100), Device("cpu")))
    session.single_step()  # one step, and then the measurement, which takes seconds
    time.sleep(0.5)
    began = time.monotonic()
    assert session.close(SECONDS)
    assert time.monotonic() - began < 2


def test_the_thread_leaves_garbage_to_others(open_session):
    """With automatic collection off, as in the window, a run collects nothing; with it on, nobody switches it off."""
    collected = []

    def note(phase, info):
        if threading.current_thread().name == "nndesigner training":
            collected.append(phase)

    gc.disable()
    gc.callbacks.append(note)
    try:
        session = open_session(epochs=200)
        session.start()
        wait_state(session, "finished")
        assert not gc.isenabled()
    finally:
        gc.callbacks.remove(note)
        gc.enable()
    assert collected == []
