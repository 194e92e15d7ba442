"""Schedules: PyTorch's rates, step by step."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nndesigner.engine.schedules import Constant, Plateau, Schedule, SchedulePoint
from tests.golden_files import Golden, goldens

GOLDENS = goldens("schedules")


def test_every_schedule_but_the_constant_has_golden_values():
    assert {golden.declared["kind"] for golden in GOLDENS} == {cls.kind for cls in Schedule.all()} - {Constant.kind}


@pytest.mark.parametrize("golden", GOLDENS, ids=str)
def test_agrees_with_pytorch(golden: Golden):
    schedule = Schedule.from_json(golden.declared)
    losses = tuple(float(v) for v in golden.arrays.get("losses", ()))
    rates = golden["rates"]
    n = len(rates)
    # one step an epoch, so that schedules by step and by epoch can be asked alike
    ours = [schedule.rate(0.5, SchedulePoint(i, n, i, n, losses[:i])) for i in range(n)]
    np.testing.assert_allclose(ours, rates, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("schedule", [cls() for cls in Schedule.all()], ids=lambda s: s.kind)
def test_rates_are_positive_and_finite_all_the_way(schedule: Schedule):
    for steps in (1, 2, 7, 100):
        for step in range(steps + 1):
            rate = schedule.rate(0.1, SchedulePoint(step, steps, step, steps, (1.0,) * step))
            assert np.isfinite(rate) and 0 <= rate <= 1.0
    assert Schedule.from_json(json.loads(json.dumps(schedule.to_json()))) == schedule


def test_plateau_counts_only_epochs_without_improvement():
    schedule = Plateau(factor=0.5, patience=1)
    falling = tuple(1 / (i + 1) for i in range(10))
    assert schedule.rate(1.0, SchedulePoint(0, 1, 10, 20, falling)) == 1.0
    assert schedule.rate(1.0, SchedulePoint(0, 1, 3, 20, (1.0, 1.0, 1.0))) == 0.5
    assert schedule.rate(1.0, SchedulePoint(0, 1, 5, 20, (1.0,) * 5)) == 0.25
