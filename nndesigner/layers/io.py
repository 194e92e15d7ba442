"""Where data enters the network and where it is compared with the truth."""

from __future__ import annotations

from typing import Literal

from nndesigner.layers.base import Layer
from nndesigner.spec import Shape, ShapeError, choice_of, param
from nndesigner.spec.loss import Loss


class Input(Layer):
    """Brings one field of the data into the network.

    The shape comes from the data. Without data, the shape typed here is used, so that a network can be drawn first.
    """

    kind = "input.v1"
    title = "Input"
    group = "Input / Output"
    icon = "mdi6.import"
    keywords = ("data", "source", "features", "image")
    ports = ()

    field: str = param("", "Field", "Which field of the data enters here. Empty: the first one not yet used.",
                       editor="field")
    shape: tuple[int, ...] = param(
        (), "Shape without data", "Height, width, channels for pictures; one number for features. Used only while no "
        "data are chosen.", ge=None,
    )

    def output_shape(self, *inputs: Shape) -> Shape:
        if not self.shape:
            raise ShapeError("data", "none", "choose a data set, or type a shape")
        axes = {1: "F", 2: "TF", 3: "HWC", 4: "DHWC"}.get(len(self.shape))
        if axes is None or min(self.shape) < 1:
            raise ShapeError("one to four whole numbers of at least 1", "×".join(map(str, self.shape)),
                             "correct the shape")
        return Shape(axes, self.shape)


class Output(Layer):
    """Compares the network's answer with the target and turns it into probabilities or values.

    Classification applies softmax (or sigmoid) itself, so the layer before it gives plain scores, one for each class.
    """

    kind = "output.v1"
    title = "Output"
    group = "Input / Output"
    icon = "mdi6.bullseye"
    keywords = ("target", "loss", "prediction", "classification", "regression", "reconstruction", "transcription",
                "softmax")
    emits = False

    task: Literal["auto", "classification", "regression", "reconstruction", "transcription"] = param(
        "auto", "Task", "Classification gives a probability for each class, regression a number, reconstruction "
        "repeats the input (autoencoder), transcription writes a text. Auto chooses by the target.",
        labels={"auto": "auto (by the target)"},
    )
    target: str = param("", "Target", "Which field of the data is the truth. Empty: chosen by the task.",
                        editor="field")
    loss: choice_of(Loss) | None = param(
        None, "Loss", "What training makes small. Empty: cross-entropy for classes, mean squared error for values, "
        "CTC for texts.")
    weight: float = param(
        1.0, "Weight", "How much this output counts among several. Higher: training cares more about it.", gt=0,
        le=1000)

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def summary(self) -> str:
        return self.loss.title if self.loss is not None else ("" if self.task == "auto" else self.task)
