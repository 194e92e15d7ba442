"""A run on a thread of its own: commands go in, bounded telemetry and answers come out. Knows no Qt.

The thread never runs the cyclic garbage collector by itself and never switches it on or off: a window collects from
a timer on its own thread with automatic collection off (Qt objects must not die here), and a program without a window
leaves automatic collection on. For the same reason questions must not hold references to Qt objects.

A window stays responsive beside it without further help: NumPy lets go of the interpreter lock in larger operations,
and Python's own switching does the rest (benchmarks/ticks.py, figures in benchmarks/RESULTS.md; a shorter switch
interval gained nothing).
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nndesigner.data.dataset import DataError
from nndesigner.engine.accelerate import ACCELERATOR
from nndesigner.engine.device import DeviceError
from nndesigner.engine.plan import NodeError
from nndesigner.training.telemetry import Answer, Failure, State, Telemetry
from nndesigner.training.trainer import Trainer, TrainingFailure

#: Seconds between two snapshots while running; the window looks 10 to 20 times a second.
PUBLISH_SECONDS = 0.05
#: Seconds of running after which compiled kernels are made ready; a shorter run ends before they are.
WORTH_COMPILING = 1.0
Question = Callable[[Trainer], Any]


class Session:
    """One training run. The thread starts at once and prepares; training starts with `start`.

    `make` builds the Trainer on the session's thread. States: preparing -> ready -> running <-> paused -> finished |
    stopped | failed, and closed at the end. Questions are answered in every state but preparing and closed. All methods
    may be called from any thread and return at once, but for `close` with a timeout.
    """

    def __init__(self, make: Callable[[], Trainer]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._commands: deque[tuple[str, float]] = deque()
        self._questions: dict[str, tuple[int, Question]] = {}
        self._answers: list[Answer] = []
        self._ticket = 0
        self._closing = False
        self._telemetry = Telemetry()
        #: set by every command and question: the running loop looks at one name per step only
        self._attention = False
        self._seconds_run = 0.0
        self._speed = _Speed()
        self._thread = threading.Thread(target=self._main, name="nndesigner training", daemon=True)
        self._thread.start()

    # --- commands ---

    def start(self) -> None:
        """Train. Also goes on after pause and stop, and after the end when `extend` allowed more epochs."""
        self._command("run")

    def resume(self) -> None:
        """Go on after a pause."""
        self._command("run")

    def pause(self) -> None:
        """Stand still after the step under way."""
        self._command("pause")

    def single_step(self) -> None:
        """One step, then stand still."""
        self._command("step")

    def stop(self) -> None:
        """End the run after the step under way; questions are still answered, and `start` goes on."""
        self._command("stop")

    def set_learning_rate(self, rate: float) -> None:
        """Use this rate from the next step on. Raises ValueError for rates that are not above 0."""
        if not 0 < rate < float("inf"):
            raise ValueError(f"The learning rate must be above 0, got {rate}.")
        self._command("rate", rate)

    def extend(self, epochs: int) -> None:
        """Allow this many more epochs; `start` then goes on."""
        self._command("extend", epochs)

    def ask(self, key: str, fn: Question) -> int:
        """Have `fn(trainer)` run between two steps; its result is an Answer with the number returned here.

        The newest question of a key replaces an older one that has not been answered yet.
        """
        with self._lock:
            self._ticket += 1
            ticket = self._ticket
            self._questions.pop(key, None)
            self._questions[key] = ticket, fn
        self._notify()
        return ticket

    def request_checkpoint(self) -> int:
        """Ask for a Checkpoint under the key "checkpoint"."""
        return self.ask("checkpoint", lambda trainer: trainer.checkpoint())

    def poll(self) -> tuple[Telemetry, tuple[Answer, ...]]:
        """The newest telemetry (the same object while nothing changed) and the answers not handed out before."""
        with self._lock:
            answers, self._answers = tuple(self._answers), []
            return self._telemetry, answers

    def close(self, timeout: float) -> bool:
        """End the thread after the step under way, waiting at most `timeout` seconds; whether it has ended."""
        with self._lock:
            self._closing = True
        self._notify()
        if timeout > 0:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _command(self, name: str, value: float = 0.0) -> None:
        with self._lock:
            self._commands.append((name, value))
        self._notify()

    def _notify(self) -> None:
        self._attention = True
        self._wake.set()

    # --- the thread ---

    def _main(self) -> None:
        trainer: Trainer | None = None
        state: State = "failed"
        try:
            trainer = self._make()
            trainer.between_batches = self._check_closing
            state = "ready"
            self._publish(trainer, state)
        except BaseException as error:  # the last place where a failure can be told: nothing may be lost
            self._fail(None, error)
        while True:
            self._wake.clear()
            self._attention = False
            with self._lock:
                if self._closing:
                    self._telemetry = replace(self._telemetry, state="closed")
                    break
                commands = tuple(self._commands)
                self._commands.clear()
            try:
                if trainer is not None:
                    for name, value in commands:
                        state = self._obey(trainer, state, name, value)
                    if commands:
                        self._publish(trainer, state)
                self._answer(trainer)
                if state == "running":
                    self._run(trainer)
                    if trainer.finished:
                        state = "finished"
                        self._publish(trainer, state)
                else:
                    self._wake.wait()
            except _Closing:
                continue
            except BaseException as error:
                state = "failed"
                self._fail(trainer, error)
        if trainer is not None:
            trainer.close()

    def _obey(self, trainer: Trainer, state: State, name: str, value: float) -> State:
        """Carry out one command; the state after it."""
        if state == "failed":
            return state
        if name == "rate":
            trainer.learning_rate = value
        elif name == "extend":
            trainer.extend(int(value))
        elif name == "run":
            return "finished" if trainer.finished else "running"
        elif name == "step":
            trainer.step()
            return "finished" if trainer.finished else "paused"
        elif name == "pause" and state == "running":
            return "paused"
        elif name == "stop" and state in ("running", "paused"):
            return "stopped"
        return state

    def _run(self, trainer: Trainer) -> None:
        """Steps until something else is wanted or the run ends."""
        clock, step = time.perf_counter, trainer.inner_step
        began = clock()
        due = began + PUBLISH_SECONDS
        before = self._seconds_run
        self._speed.begin(began, trainer.samples_done)
        try:
            with trainer.working():
                while not (self._attention or trainer.finished):
                    step()
                    now = clock()
                    if now >= due:
                        due = now + PUBLISH_SECONDS
                        self._seconds_run = before + now - began
                        if self._seconds_run > WORTH_COMPILING:
                            ACCELERATOR.start()
                        trainer.catch_up()
                        self._speed.note(now, trainer.samples_done)
                        self._publish(trainer, "running")
        finally:
            self._seconds_run = before + clock() - began

    def _check_closing(self) -> None:
        if self._closing:
            raise _Closing

    def _answer(self, trainer: Trainer | None) -> None:
        with self._lock:
            questions, self._questions = self._questions, {}
        for key, (ticket, fn) in questions.items():
            value, error, step = None, "", 0
            if trainer is None:
                error = self._telemetry.failure.text if self._telemetry.failure else "There is no network."
            else:
                step = trainer.step_number
                try:
                    with trainer.device.use():
                        value = fn(trainer)
                except Exception as problem:  # a question must not end the run
                    error = str(problem) or type(problem).__name__
            with self._lock:
                self._answers.append(Answer(key, ticket, step, value, error))

    # --- telling ---

    def _publish(self, trainer: Trainer, state: State, failure: Failure | None = None) -> None:
        left = None
        if self._speed.value > 0 and not trainer.finished:
            left = (trainer.steps - trainer.step_number) * trainer.batch_size / self._speed.value
        history = trainer.history
        telemetry = Telemetry(
            state=state, epoch=trainer.epoch, epochs=trainer.epochs, step=trainer.step_number, steps=trainer.steps,
            samples_per_second=self._speed.value, seconds_left=left, seconds_run=self._seconds_run,
            learning_rate=trainer.learning_rate, curves=history.arrays(), curves_version=history.version,
            metrics=dict(history.metrics), best_epoch=trainer.best_epoch, failure=failure,
            messages=tuple(trainer.messages),
        )
        with self._lock:
            self._telemetry = telemetry

    def _fail(self, trainer: Trainer | None, error: BaseException) -> None:
        detail = "".join(traceback.format_exception(error))
        if isinstance(error, TrainingFailure):
            failure = replace(error.failure, detail=detail)
        elif isinstance(error, NodeError):
            failure = Failure(error.text, error.node, detail)
        elif isinstance(error, (DeviceError, DataError)):
            failure = Failure(str(error), None, detail)
        elif isinstance(error, MemoryError) or (trainer is not None and trainer.device.out_of_memory(error)):
            failure = Failure(_memory_text(trainer), None, detail)
            if trainer is not None:
                trainer.device.free()
        else:
            failure = Failure(f"Training failed: {str(error) or type(error).__name__}", None, detail)
        if trainer is not None:
            self._publish(trainer, "failed", failure)
        else:
            with self._lock:
                self._telemetry = replace(self._telemetry, state="failed", failure=failure)


class _Closing(BaseException):
    """Ends a long measurement because the session closes."""


def _memory_text(trainer: Trainer | None) -> str:
    if trainer is None:
        return "There is not enough memory for this network and data: use a smaller batch size, network or data set."
    half = max(1, trainer.batch_size // 2)
    return f"The memory is full with batches of {trainer.batch_size} samples: try a batch size of {half}."


class _Speed:
    """Samples per second over the last two seconds or so of running."""

    def __init__(self) -> None:
        self.value = 0.0
        self._notes: deque[tuple[float, int]] = deque(maxlen=40)

    def begin(self, now: float, samples: int) -> None:
        """Running begins (again): the time before it does not count."""
        self._notes.clear()
        self._notes.append((now, samples))

    def note(self, now: float, samples: int) -> None:
        then, before = self._notes[0]
        self._notes.append((now, samples))
        self.value = (samples - before) / (now - then)
