"""Learning-rate range test: a short run whose rate grows from step to step shows which rates learn and which diverge.

Source: Smith 2017, arXiv:1506.01186. The run is on a network of its own; the one being trained is not touched.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from nndesigner.data.preparing import Part, Prepared
from nndesigner.engine.device import Device
from nndesigner.engine.schedules import Constant
from nndesigner.graph.check import Checked
from nndesigner.training.averaging import NoAveraging
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer, TrainingFailure

LOWEST, HIGHEST, STEPS = 1e-6, 10.0, 140
#: share of the earlier steps in the smoothed loss
SMOOTHING = 0.9
#: the test ends when the smoothed loss is so many times the smallest one
DIVERGED = 4.0
#: steps at the beginning that are too noisy to judge by
UNSURE = 10
#: the fall of the loss is measured over so many steps to both sides
SPAN = 6


@dataclass(frozen=True, eq=False)
class RangeTest:
    """Rates [n], the loss of each step [n] and the smoothed loss [n]. `proposal` is None when no rate learned."""

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    proposal: float | None = None
    #: whether a rate was reached at which the loss grew without end
    diverged: bool = False


def run_range_test(
    checked: Checked, prepared: Prepared, settings: TrainSettings, device: Device,
    follow: Callable[[RangeTest], bool] = lambda found: True,
) -> RangeTest:
    """Sweep the rate from LOWEST to HIGHEST. `follow` sees the test after each step and says whether to go on.

    Raises what making a Trainer raises.
    """
    settings = settings.model_copy(update={
        "optimizer": settings.optimizer.replaced(learning_rate=LOWEST), "schedule": Constant(), "early_stopping": 0,
        "averaging": NoAveraging(), "epochs": 1_000_000, "accumulate": 1})
    nothing = Part("validation", prepared.validation.rows[:0], {
        name: rows[:0] for name, rows in prepared.validation.arrays.items()})
    trainer = Trainer(checked, replace(prepared, validation=nothing), settings, device)
    rates: list[float] = []
    losses: list[float] = []
    smoothed: list[float] = []
    mean, diverged = 0.0, False
    found = RangeTest(*(np.empty(0) for _ in range(3)))
    for step in range(STEPS):
        rate = LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1))
        trainer.learning_rate = rate
        try:
            trainer.step()
        except TrainingFailure:
            diverged = True
            break
        loss = float(trainer.history.curve("loss").arrays()[1][-1])
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        rates.append(rate)
        losses.append(loss)
        smoothed.append(mean / (1 - SMOOTHING ** (step + 1)))
        found = RangeTest(np.array(rates), np.array(losses), np.array(smoothed))
        if not follow(found):
            return found
        if step > UNSURE and smoothed[-1] > DIVERGED * min(smoothed):
            diverged = True
            break
    return replace(found, diverged=diverged, proposal=_proposal(found))


def _proposal(found: RangeTest) -> float | None:
    """The rate of the steepest fall of the smoothed loss, at most a tenth of the one where it was smallest.

    The smoothed loss lags behind: where it still falls, longer training may already diverge.
    """
    if len(found.rates) <= UNSURE:
        return None
    best = UNSURE + int(found.smoothed[UNSURE:].argmin())
    if found.smoothed[best] > 0.98 * found.smoothed[UNSURE]:
        return None
    middles = np.arange(UNSURE, best + 1)
    ends = np.minimum(middles + SPAN, best), np.maximum(middles - SPAN, UNSURE)
    fall = found.smoothed[ends[1]] - found.smoothed[ends[0]]
    rate = float(found.rates[int(middles[fall.argmax()])])
    rate = min(rate, float(found.rates[best]) / 10)
    digits = 1 - math.floor(math.log10(rate))
    return round(rate, digits)


class RangeTestJob:
    """A range test on a thread of its own. Starts at once."""

    def __init__(self, checked: Checked, prepared: Prepared, settings: TrainSettings) -> None:
        self._given = checked, prepared, settings
        self._stop = threading.Event()
        #: the test so far, and the whole one when done
        self.found: RangeTest | None = None
        self.error = ""
        self.done = False
        self._thread = threading.Thread(target=self._run, name="nndesigner range test", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """End it after the step under way."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the end; whether it has come."""
        self._thread.join(seconds)
        return self.done

    def _follow(self, found: RangeTest) -> bool:
        self.found = found
        return not self._stop.is_set()

    def _run(self) -> None:
        checked, prepared, settings = self._given
        try:
            self.found = run_range_test(checked, prepared, settings, Device(settings.device), self._follow)
        except Exception as error:  # told in the window
            self.error = str(error) or type(error).__name__
        self.done = True
