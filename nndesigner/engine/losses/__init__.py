"""How far predictions are from targets.

The value is the mean over samples and over the elements of a sample, as in PyTorch with reduction="mean". Of a padded
series it is the mean over the real steps, so a sample counts the same however long it is.
"""

from nndesigner.engine.losses.classes import BinaryCrossEntropy, CrossEntropy, Focal, Hinge, KullbackLeibler
from nndesigner.engine.losses.sequences import ConnectionistTemporal
from nndesigner.engine.losses.values import (
    CosineDistance,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanSquaredError,
    Poisson,
)
from nndesigner.spec.loss import Loss, Task

__all__ = [
    "BinaryCrossEntropy", "ConnectionistTemporal", "CosineDistance", "CrossEntropy", "Focal", "Hinge", "Huber",
    "KullbackLeibler", "LogCosh", "MeanAbsoluteError", "MeanSquaredError", "Poisson", "default_loss",
]


def default_loss(task: Task) -> Loss:
    """The loss that is used where none is chosen."""
    usual = {"classification": CrossEntropy, "transcription": ConnectionistTemporal}
    return usual.get(task, MeanSquaredError)()
