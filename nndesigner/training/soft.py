"""Truth as probabilities of classes, where mixup or cutmix give a sample the labels of two."""

from __future__ import annotations

from nndesigner.engine.losses import default_loss
from nndesigner.graph.check import Checked
from nndesigner.training.telemetry import Failure


def soft_targets(checked: Checked) -> frozenset[str]:
    """The targets of classes."""
    return frozenset(head.target for head in checked.heads.values() if head.task == "classification")


def no_soft_labels(checked: Checked) -> Failure | None:
    """Why an Output cannot learn from the labels of two, or None."""
    for node, head in checked.heads.items():
        loss = head.loss if head.loss is not None else default_loss(head.task)
        if head.task == "classification" and not loss.soft_labels:
            return Failure(
                f"Mixup and CutMix give each sample the labels of two, which the loss {loss.title} cannot learn from. "
                "Choose cross-entropy in the Output, or take them out of the augmentation of the data.", node)
    return None
