"""Settings to begin with for a drawing and its data, as `graph.templates.propose` draws a network to begin with.

Chosen by the validation part, means over eight splits and seeds of each built-in data set with the proposed networks
(three for pictures). Accuracy, or R² for curve and diabetes, with the defaults of TrainSettings -> with these:

    spirals 0.62 -> 1.00, moons 0.94 -> 1.00, iris 0.82 -> 0.94, wine 0.88 -> 0.98, curve 0.70 -> 0.99,
    diabetes 0.44 -> 0.51, XOR 0.95 -> 0.94; circles, blobs, plane, breast cancer, digits and drawn shapes: within 0.01

Shapes with masks, mean IoU over two splits: batches of 32 at rate 0.002 gave 0.65, of 16 at rate 0.005 give 0.86.
"""

from __future__ import annotations

from nndesigner.engine.optimizers import Adam
from nndesigner.engine.schedules import Cosine
from nndesigner.graph.check import Checked
from nndesigner.training.settings import TrainSettings

#: with fewer input values than this, networks bend borders instead of weighing columns, and want many fast steps
FEW_VALUES = 8
#: a run should take about so many seconds at most, and has so many epochs at least
SECONDS, FEWEST_EPOCHS = 60, 3
#: what a sample costs on one core of a laptop: always, and for each multiply-add of a forward pass, in seconds
PER_SAMPLE, PER_MULTIPLY_ADD = 3e-6, 1.5e-10
#: from so many samples on, larger batches still give enough steps
MANY_SAMPLES = 20_000


def propose_training(checked: Checked, samples: int, now: TrainSettings) -> TrainSettings:
    """Settings for a checked drawing and so many training samples; seed and device stay as they are `now`."""
    inputs = checked.signature.inputs
    early_stopping, batch = 0, 128 if samples >= MANY_SAMPLES else 32
    if not checked.signature.targets:
        epochs, rate = 100, 0.005
    elif any(field.shape.axes == "HWC" for field in checked.signature.targets):
        epochs, rate, batch = 40, 0.005, 16  # every picture is many samples
    elif any(field.shape.axes != "F" for field in inputs):
        epochs, rate = 40, 0.002
    elif sum(field.shape.size for field in inputs) < FEW_VALUES:
        epochs, rate = 200, 0.01
    else:  # wide tables are soon learnt by heart
        epochs, rate, early_stopping = 200, 0.003, 30
    epoch = samples * (PER_SAMPLE + PER_MULTIPLY_ADD * sum(checked.multiply_adds.values()))
    return TrainSettings(
        epochs=max(FEWEST_EPOCHS, min(epochs, int(SECONDS / max(epoch, 1e-9)))),
        batch_size=batch,
        optimizer=Adam(learning_rate=rate), schedule=Cosine(), early_stopping=early_stopping,
        seed=now.seed, device=now.device,
    )
