"""What the program promises to learn (issue: how it is checked), on the bundled examples as they are."""

import pytest

from scripts.measure import cases, measure


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_examples_learn_what_is_promised(case):
    outcome, prepared = measure(case.project())
    value = case.figure(outcome, prepared)
    assert case.kept(value), f"{case.words} {value:.4f}, promised {case.bound}"
    assert outcome.telemetry.seconds_run < case.seconds
