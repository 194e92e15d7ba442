"""For all tests."""

from __future__ import annotations

import pytest

from nndesigner.engine.accelerate import ACCELERATOR


@pytest.fixture(autouse=True)
def _no_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training compiles nothing beside other tests; tests/engine/test_accelerate.py does it on purpose."""
    monkeypatch.setattr(ACCELERATOR, "start", lambda: None)
