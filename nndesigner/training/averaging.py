"""Averages of the weights over many steps: they often generalise better than the last weights.

While a run trains, the network computes with the trained weights; whatever looks at it between steps (validation,
predictions, pictures, files) meets the averaged ones. Running statistics of normalisation layers are averaged in the
same way instead of being measured anew.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nndesigner.engine.weights import Weights
from nndesigner.spec import Declared, param


class Averaging(Declared):
    """Which weights are used: the last ones, or their average over many steps."""

    group = "Averaging"

    def share(self, count: int) -> float:
        """How much of the way to the present weights the average goes, after `count` earlier updates of it."""
        raise TypeError(f"{type(self).__name__} declares no share.")

    def due(self, epoch_done: bool, progress: float) -> bool:
        """Whether the average is to be updated after this step. `progress` is the part of the run that is done."""
        raise TypeError(f"{type(self).__name__} declares no times.")


class NoAveraging(Averaging):
    """The weights after the last step are used."""

    kind = "none.v1"
    title = "none"
    icon = "mdi6.minus"

    def share(self, count: int) -> float:
        return 1.0

    def due(self, epoch_done: bool, progress: float) -> bool:
        return False


class ExponentialAverage(Averaging):
    """After each step the average moves a little towards the present weights (EMA).

    average ← average + (1 − d) · (weights − average), d = min(decay, (1 + n) / (10 + n)) after n steps

    Smooths the last steps of a noisy run. Running statistics of BatchNorm are averaged likewise. Sources: Polyak and
    Juditsky 1992; the beginning as in TensorFlow's ExponentialMovingAverage.
    """

    kind = "ema.v1"
    title = "exponential (EMA)"
    icon = "mdi6.chart-bell-curve-cumulative"
    keywords = ("polyak", "moving average")

    decay: float = param(0.999, "Decay", "Share of the average that stays at each step. Higher: smoother and slower to "
                         "follow.", ge=0, lt=1, step=0.001)

    def share(self, count: int) -> float:
        return 1.0 - min(self.decay, (1 + count) / (10 + count))

    def due(self, epoch_done: bool, progress: float) -> bool:
        return True


class StochasticAverage(Averaging):
    """The plain mean of the weights after each epoch of the last part of the run (SWA).

    average ← average + (weights − average) / (n + 1)

    Works best with a constant, rather high learning rate. Running statistics of BatchNorm are averaged likewise.
    Source: Izmailov et al. 2018, arXiv:1803.05407.
    """

    kind = "swa.v1"
    title = "mean of the last epochs (SWA)"
    icon = "mdi6.sigma"
    keywords = ("stochastic weight averaging",)

    start: float = param(0.75, "Start", "Part of the run after which averaging begins. Higher: fewer, better trained "
                         "weights are averaged.", ge=0, lt=1, step=0.05)

    def share(self, count: int) -> float:
        return 1.0 / (count + 1)

    def due(self, epoch_done: bool, progress: float) -> bool:
        return epoch_done and progress > self.start


class Averager:
    """The averaged weights of a run, and the exchange of them with those that are trained."""

    def __init__(self, weights: Weights, rule: Averaging) -> None:
        self._weights, self._rule = weights, rule
        #: values and running statistics: of the average while training, of the trained weights while it is shown
        self._other = weights.copy()
        self._spare = weights.copy()
        #: updates of the average so far; without any the trained weights are shown
        self.count = 0
        self._shown = False

    def update(self, epoch_done: bool, progress: float) -> None:
        """After a step: move the average towards the trained weights when that is due."""
        if not self._rule.due(epoch_done, progress):
            return
        xp, share = self._weights.device.xp, self._rule.share(self.count)
        for average, spare, now in zip(self._other, self._spare, (self._weights.values, self._weights.running)):
            if not self.count:
                xp.copyto(average, now)
                continue
            xp.subtract(now, average, out=spare)
            xp.multiply(spare, average.dtype.type(share), out=spare)
            xp.add(average, spare, out=average)
        self.count += 1

    def show(self, averaged: bool) -> None:
        """Let the network hold the average (True) or the trained weights (False)."""
        if averaged == self._shown or not self.count:
            return
        self._weights.copy(self._spare)
        self._weights.paste(self._other)
        self._other, self._spare = self._spare, self._other
        self._shown = averaged

    def restart(self) -> None:
        """Forget the average: what the network holds now is what is trained on."""
        self.count, self._shown = 0, False

    def trained(self) -> dict[str, np.ndarray]:
        """Host copies of the trained weights by name while the average is shown; none while there is no average."""
        return self._weights.state_dict(self._other) if self._shown else {}

    def restore(self, trained: Mapping[str, np.ndarray], count: int) -> None:
        """Go on from the average that the network holds and from what `trained` gave."""
        averaged = self._weights.copy()
        self._weights.load(trained)
        self._weights.copy(self._other)
        self._weights.paste(averaged)
        self.count, self._shown = count, True


def averager(weights: Weights, rule: Averaging) -> Averager | None:
    """None when nothing is averaged."""
    return None if isinstance(rule, NoAveraging) else Averager(weights, rule)
