"""What a session tells the outside: immutable snapshots, bounded in size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

State = Literal["preparing", "ready", "running", "paused", "finished", "stopped", "failed", "closed"]


@dataclass(frozen=True)
class Failure:
    """Why a run stopped. `node` is the layer that failed where one is known; `text` says what to do."""

    text: str
    node: str | None = None
    detail: str = ""


@dataclass(frozen=True)
class Answer:
    """Result of a question put to the session. Exactly one of value and error is meaningful."""

    key: str
    #: number that `Session.ask` returned
    ticket: int
    step: int
    value: Any = None
    error: str = ""


@dataclass(frozen=True, eq=False)
class Telemetry:
    """State of a run at one moment. `curves` are read-only arrays, at most about 2,000 points each.

    Compared by identity: the session hands out the same object while nothing has changed.
    """

    state: State = "preparing"
    epoch: int = 0
    epochs: int = 0
    #: steps done and to do in the whole run
    step: int = 0
    steps: int = 0
    samples_per_second: float = 0.0
    seconds_left: float | None = None
    seconds_run: float = 0.0
    learning_rate: float = 0.0
    #: name -> (epochs as float x [n], values y [n]); names "loss", "val_loss", "accuracy", "val_accuracy", "r2",
    #: "val_r2", "learning_rate"
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    #: grows whenever the curves changed
    curves_version: int = 0
    #: last value of each metric of each part: ("val", "accuracy") -> 0.97
    metrics: Mapping[tuple[str, str], float] = field(default_factory=dict)
    best_epoch: int | None = None
    failure: Failure | None = None
    #: sentences worth telling (early stopping, learning rate reduced)
    messages: tuple[str, ...] = ()
