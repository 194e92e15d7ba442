"""Older versions of the project file, step by step: each function turns version n into n + 1 and never changes again.

A function takes the JSON parts of a file by their names ("design.json", ...) and returns new ones; it may not change
what it is given. A release that changes what a part means adds a function here, raises SCHEMA_VERSION and adds a golden
file to the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Parts = Mapping[str, Any]

SCHEMA_VERSION = 1

#: version -> function to the next one
MIGRATIONS: dict[int, Callable[[Parts], Parts]] = {}


def migrate(parts: Parts, version: int) -> Parts:
    """The parts of a file of `version` as the current version has them."""
    for step in range(version, SCHEMA_VERSION):
        parts = MIGRATIONS[step](parts)
    return parts
