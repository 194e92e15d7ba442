"""How to train: everything the user can choose that is neither drawing nor data."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from nndesigner.engine.metrics import Metric, named_metrics
from nndesigner.engine.optimizers import Adam, Optimizer
from nndesigner.engine.schedules import Constant, Schedule
from nndesigner.spec import choice_of, param
from nndesigner.training.averaging import Averaging, NoAveraging


class TrainSettings(BaseModel):
    """Settings of a training run."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    epochs: int = param(30, "Epochs", "How often training goes through all training samples. More: longer, and in the "
                        "end it learns them by heart.", ge=1, le=1_000_000)
    batch_size: int = param(32, "Batch size", "Samples for one step. Higher: smoother and faster through the data, but "
                            "fewer steps; lower: noisier, often generalises better.", ge=1, le=1_000_000)
    optimizer: choice_of(Optimizer) = param(Adam(), "Optimizer", "The rule by which a gradient changes the weights.")
    schedule: choice_of(Schedule) = param(Constant(), "Schedule", "How the learning rate changes during the run.")
    early_stopping: int = param(0, "Early stopping", "Stop when the validation loss has not improved for this many "
                                "epochs and keep the best weights. 0: never.", ge=0, le=100_000, unit="epochs")
    clip_norm: float = param(0.0, "Gradient clipping", "Longest allowed gradient; longer ones are shortened. Lower: "
                             "steadier, slower. 0: off.", ge=0)
    clip_value: float = param(0.0, "Clipping of values", "Largest allowed size of each single number of the gradient. "
                              "Lower: steadier, slower. 0: off.", ge=0, advanced=True)
    accumulate: int = param(1, "Batches per update", "Gradients of so many batches are averaged before the weights "
                            "change: like a larger batch, in the memory of a small one. Higher: smoother, but fewer "
                            "updates.", ge=1, le=100_000, advanced=True)
    averaging: choice_of(Averaging) = param(
        NoAveraging(), "Averaged weights", "Which weights are measured, used and saved: the last ones, or their "
        "average over many steps, which often generalises better.", advanced=True)
    metrics: tuple[choice_of(Metric), ...] = param(
        (), "Metrics", "Figures measured and drawn beside the loss. None: the usual ones for what the network "
        "predicts.", advanced=True)
    seed: int = param(7, "Seed", "The same seed gives the same initial weights, order of samples and dropout.", ge=0,
                      le=2**31 - 1)
    device: str = param("cpu", "Device", "Where to compute: cpu, or cuda:0 for the first GPU.", editor="device")

    @field_validator("metrics", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return named_metrics(value) if isinstance(value, str) else value
