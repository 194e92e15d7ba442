"""How the learning rate changes during a run. A schedule is a pure function of progress, so resuming needs no state."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from nndesigner.spec import Declared, choice_of, param


@dataclass(frozen=True, slots=True)
class SchedulePoint:
    """Where a run stands when a step is about to be made."""

    #: steps already done, and steps of the whole run
    step: int
    steps: int
    #: epochs already done, and epochs of the whole run
    epoch: int
    epochs: int
    #: validation loss after each epoch already done
    val_losses: tuple[float, ...] = ()


class Schedule(Declared):
    """How the learning rate changes during the run."""

    group = "Schedule"

    #: the rate changes from step to step, not only from epoch to epoch
    within_epoch: ClassVar[bool] = False

    def rate(self, base: float, progress: SchedulePoint) -> float:
        """Learning rate of the next step, from the rate that the optimizer states."""
        raise TypeError(f"{type(self).__name__} declares no rate.")


class Constant(Schedule):
    """The learning rate stays as it is.

    Simple, and right for short runs with Adam.
    """

    kind = "constant.v1"
    title = "Constant"
    icon = "mdi6.minus"
    keywords = ("fixed", "none")

    def rate(self, base: float, progress: SchedulePoint) -> float:
        return base


class StepDecay(Schedule):
    """The learning rate drops by a factor every few epochs.

    rate = base · factor ^ ⌊epoch / every⌋

    The classic for image networks trained with momentum. PyTorch: StepLR.
    """

    kind = "step.v1"
    title = "Step"
    icon = "mdi6.stairs-down"
    keywords = ("decay", "drop", "staircase")

    every: int = param(10, "Every", "Epochs between two drops. Higher: stays fast for longer.", ge=1, le=1_000_000,
                       unit="epochs")
    factor: float = param(0.1, "Factor", "What the rate is multiplied with at a drop. Lower: harder drops; 1: no drop.",
                          gt=0, le=1, step=0.05)

    def rate(self, base: float, progress: SchedulePoint) -> float:
        return base * self.factor ** (progress.epoch // self.every)


class Cosine(Schedule):
    """The learning rate glides down like half a wave to nearly nothing at the end.

    rate = low + (base − low) · (1 + cos(π · step / steps)) / 2, where low = final · base

    A safe choice when the number of epochs is known. Source: Loshchilov and Hutter 2017, arXiv:1608.03983. PyTorch:
    CosineAnnealingLR over steps.
    """

    kind = "cosine.v1"
    title = "Cosine"
    icon = "mdi6.cosine-wave"
    keywords = ("annealing", "decay")
    within_epoch = True

    final: float = param(0.0, "Final share", "Rate at the end as a share of the rate at the start. Higher: keeps "
                         "moving to the end.", ge=0, le=1, step=0.01)

    def rate(self, base: float, progress: SchedulePoint) -> float:
        done = min(progress.step / max(progress.steps, 1), 1.0)
        low = self.final * base
        return low + (base - low) * (1.0 + math.cos(math.pi * done)) / 2.0


class OneCycle(Schedule):
    """The learning rate warms up from low to its peak, then glides down far below its start.

    The optimizer's learning rate is the peak. Both ways follow half a cosine wave.

    Trains fast with a high peak; choose the peak near the highest rate that does not diverge. Source: Smith and Topin
    2018, arXiv:1708.07120. PyTorch: OneCycleLR.
    """

    kind = "one_cycle.v1"
    title = "One cycle"
    icon = "mdi6.chart-bell-curve"
    keywords = ("warm-up", "super-convergence", "1cycle")
    within_epoch = True

    warm_up: float = param(0.3, "Warm-up", "Share of the run spent rising to the peak. Higher: gentler start.", gt=0,
                           lt=1, step=0.05)
    start_divisor: float = param(25.0, "Start divisor", "The rate starts at the peak divided by this. Higher: gentler "
                                 "start.",
                                 ge=1, le=1e6)
    final_divisor: float = param(1e4, "Final divisor", "The rate ends at the start divided by this. Higher: finer last "
                                 "steps.", ge=1, le=1e12, advanced=True)

    def rate(self, base: float, progress: SchedulePoint) -> float:
        start = base / self.start_divisor
        end = start / self.final_divisor
        last = max(progress.steps - 1, 1)
        peak = max(self.warm_up * progress.steps - 1.0, 0.0)
        step = min(progress.step, last)
        if step <= peak and peak > 0:
            return _cosine_between(start, base, step / peak)
        return _cosine_between(base, end, (step - peak) / max(last - peak, 1e-12))


def _cosine_between(a: float, b: float, share: float) -> float:
    return b + (a - b) * (1.0 + math.cos(math.pi * min(share, 1.0))) / 2.0


class Plateau(Schedule):
    """The learning rate drops when the validation loss stops getting better.

    Each time the loss has not improved on its best by a ten-thousandth for more than `patience` epochs, the rate is
    multiplied by `factor` and the waiting begins anew.

    Needs validation data. PyTorch: ReduceLROnPlateau.
    """

    kind = "plateau.v1"
    title = "Reduce on plateau"
    icon = "mdi6.chart-line-variant"
    keywords = ("patience", "adaptive", "decay")

    factor: float = param(0.1, "Factor", "What the rate is multiplied with at a drop. Lower: harder drops.", gt=0, lt=1,
                          step=0.05)
    patience: int = param(10, "Patience", "Epochs without improvement that are put up with. Higher: waits longer.",
                          ge=0, le=1_000_000, unit="epochs")
    lowest: float = param(0.0, "Lowest share", "The rate never falls below this share of its start. Higher: keeps "
                          "moving.", ge=0, le=1, advanced=True)

    def rate(self, base: float, progress: SchedulePoint) -> float:
        rate, best, waited = base, math.inf, 0
        for loss in progress.val_losses:
            if loss < best * (1.0 - 1e-4):
                best, waited = loss, 0
            else:
                waited += 1
            if waited > self.patience:
                rate, waited = max(rate * self.factor, self.lowest * base), 0
        return rate


class Exponential(Schedule):
    """The learning rate shrinks by the same factor in every epoch.

    rate = base · factor ^ epoch

    Smooth and simple; the factor must suit the number of epochs. PyTorch: ExponentialLR.
    """

    kind = "exponential.v1"
    title = "Exponential"
    icon = "mdi6.chart-bell-curve"
    keywords = ("decay", "geometric")

    factor: float = param(0.95, "Factor", "What the rate is multiplied with after each epoch. Lower: falls faster; 1: "
                          "constant.", gt=0, le=1, step=0.01)

    def rate(self, base: float, progress: SchedulePoint) -> float:
        return base * self.factor**progress.epoch


class Polynomial(Schedule):
    """The learning rate falls to zero at the end of the run, along a line or a curve.

    rate = base · (1 − step / steps) ^ power

    Used to train language models (power 1) and to segment pictures (power 0.9). PyTorch: PolynomialLR over steps.
    """

    kind = "polynomial.v1"
    title = "Polynomial"
    icon = "mdi6.vector-line"
    keywords = ("linear", "decay", "power")
    within_epoch = True

    power: float = param(1.0, "Power", "Shape of the curve: 1 is a line. Higher: falls fast at first; lower: late.",
                         gt=0, le=10, step=0.1)

    def rate(self, base: float, progress: SchedulePoint) -> float:
        done = min(progress.step / max(progress.steps, 1), 1.0)
        return base * (1.0 - done) ** self.power


class CosineRestarts(Schedule):
    """The learning rate glides down like half a wave and jumps back up, again and again.

    rate = low + (base − low) · (1 + cos(π · t / T)) / 2 with t epochs since the last restart; every period T is
    `growth` times as long as the one before.

    A restart can free training from a poor solution. Source: Loshchilov and Hutter 2017, arXiv:1608.03983. PyTorch:
    CosineAnnealingWarmRestarts.
    """

    kind = "cosine_restarts.v1"
    title = "Cosine with restarts"
    icon = "mdi6.sawtooth-wave"
    keywords = ("annealing", "warm restarts", "sgdr", "cycle")
    within_epoch = True

    period: int = param(10, "Period", "Epochs until the first restart. Higher: fewer restarts.", ge=1, le=1_000_000,
                        unit="epochs")
    growth: int = param(1, "Growth", "How many times longer each period is than the one before. Higher: restarts "
                        "become rarer.", ge=1, le=10)
    final: float = param(0.0, "Final share", "Rate before a restart as a share of the rate at the start. Higher: keeps "
                         "moving.", ge=0, le=1, step=0.01)

    def rate(self, base: float, progress: SchedulePoint) -> float:
        since = progress.step / max(progress.steps, 1) * progress.epochs
        period = self.period
        while since >= period:
            since -= period
            period *= self.growth
        low = self.final * base
        return low + (base - low) * (1.0 + math.cos(math.pi * since / period)) / 2.0


class WarmUp(Schedule):
    """The learning rate rises from nearly nothing in the first epochs, then follows another schedule.

    rate = rate of the other schedule · min(1, (step + 1) / steps of the warm-up)

    For large batches, high learning rates and transformers, whose first steps are easily too long. Source: Goyal et al.
    2017, arXiv:1706.02677.
    """

    kind = "warm_up.v1"
    title = "Warm-up"
    icon = "mdi6.chart-line"
    keywords = ("ramp", "linear", "gradual", "transformer")
    within_epoch = True

    epochs: float = param(1.0, "Warm-up", "How long the rate rises. Higher: a gentler start.", gt=0, le=1_000_000,
                          unit="epochs", step=0.5)
    then: choice_of(Schedule) = param(Cosine(), "Then", "The schedule that goes on under and behind the warm-up.")

    def rate(self, base: float, progress: SchedulePoint) -> float:
        rising = self.epochs * progress.steps / max(progress.epochs, 1)
        return self.then.rate(base, progress) * min(1.0, (progress.step + 1) / max(rising, 1e-12))
