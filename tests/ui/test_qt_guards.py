"""Faults of Qt bindings that once ended the process; a version that has them must not pass unseen."""

from __future__ import annotations

import sys

from PySide6.QtCore import QPointF


def test_calls_without_a_result_do_not_lose_references_to_none():
    point = QPointF()
    before = sys.getrefcount(None)
    for number in range(2000):
        point.setX(number)
    assert sys.getrefcount(None) > before - 1000
