"""Make the example projects of the start page anew: resources/examples/*.nnd, untrained. Run by `make examples`."""

from __future__ import annotations

from pathlib import Path

from nndesigner.data.generated import Curve, Spirals
from nndesigner.data.generated_sound import SpokenDigits, SpokenNumbers
from nndesigner.data.generated_text import RunningText, Sentences
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.samples import Digits, Iris
from nndesigner.data.series import SunspotsLike
from nndesigner.data.shape_masks import ShapeMasks
from nndesigner.data.source import Source, quiet
from nndesigner.engine.optimizers import Adam
from nndesigner.engine.schedules import Constant, Cosine
from nndesigner.graph import templates
from nndesigner.graph.check import check
from nndesigner.graph.templates import propose
from nndesigner.project.design import Design
from nndesigner.project.file import Project, save
from nndesigner.training.proposing import propose_training
from nndesigner.training.settings import TrainSettings

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "examples"


def examples() -> dict[str, Project]:
    """File name without ending -> project. The settings were chosen by the validation part, never by the test part."""
    return {
        "two_d_classifier": _project(
            "Two spirals", "Watch a small network bend its border around two arms of points.",
            Design(
                templates.two_d_classifier(), DataSettings(source=Spirals()),
                TrainSettings(epochs=300, optimizer=Adam(learning_rate=0.01), schedule=Cosine()),
            )),
        "digits_dense": _project(
            "Digits with dense layers", "Tell handwritten digits apart with layers that see all pixels at once.",
            Design(
                templates.digits_dense(), DataSettings(source=Digits()),
                TrainSettings(epochs=40, optimizer=Adam(learning_rate=0.003), schedule=Cosine()),
            )),
        "digits_convolution": _project(
            "Digits with convolutions", "Filters look for small strokes anywhere: fewer mistakes than dense layers.",
            Design(
                templates.digits_convolution(), DataSettings(source=Digits()),
                TrainSettings(epochs=30, optimizer=Adam(learning_rate=0.002), schedule=Cosine()),
            )),
        "curve_regression": _project(
            "Follow a curve", "One number in, one number out: a network learns a noisy wave.",
            Design(
                templates.curve_regression(), DataSettings(source=Curve()),
                TrainSettings(epochs=400, optimizer=Adam(learning_rate=0.005), schedule=Cosine()),
            )),
        "iris_table": _project(
            "Iris flowers", "Three species told apart by four measures: a small table.",
            Design(
                templates.iris_table(), DataSettings(source=Iris()),
                TrainSettings(epochs=60, batch_size=16, optimizer=Adam(learning_rate=0.01), schedule=Constant()),
            )),
        "digits_autoencoder": _project(
            "Digits autoencoder", "Squeeze 64 pixels into 12 numbers and draw the digit again from them.",
            Design(
                templates.digits_autoencoder(), DataSettings(source=Digits()),
                TrainSettings(epochs=100, optimizer=Adam(learning_rate=0.005), schedule=Cosine()),
            )),
        "digits_vae": _project(
            "Digits from noise", "A variational autoencoder: train it, then draw digits that nobody wrote.",
            Design(
                templates.digits_vae(), DataSettings(source=Digits()),
                TrainSettings(epochs=150, optimizer=Adam(learning_rate=0.003), schedule=Cosine()),
            )),
        "spoken_digits": _project(
            "Spoken digits", "Hear which digit is said: sounds become pictures of their pitches over time.",
            _proposed(SpokenDigits())),
        "spoken_numbers": _project(
            "Spoken numbers", "Write down what is said, without being told where in the sound a digit lies.",
            _proposed(SpokenNumbers())),
        "moods_of_sentences": _project(
            "Moods of sentences", "Read words in order: “not bad at all” is happy, “not great at all” is not.",
            _proposed(Sentences())),
        "writing_letters": _project(
            "Writing letter by letter", "Predict the next letter, then write on alone: a language model in small.",
            _proposed(RunningText(), epochs=30, batch_size=64)),
        "sunspots_ahead": _project(
            "Sunspots ahead", "Forecast a restless cycle: the next month from the four years before it.",
            _proposed(SunspotsLike())),
        "shapes_by_pixel": _project(
            "Shapes, pixel by pixel", "Tell where each shape is: a U-Net gives every pixel its class.",
            _proposed(ShapeMasks())),
    }


def _proposed(source: Source, **changes: object) -> Design:
    """The drawing and settings that the window proposes for these data, some of the settings changed."""
    data = DataSettings(source=source)
    prepared = prepare(source.load(quiet), data)
    graph = propose(prepared.signature)
    training = propose_training(check(graph, prepared.signature), len(prepared.train), TrainSettings())
    return Design(graph, data, training.model_copy(update=changes))


def _project(title: str, description: str, design: Design) -> Project:
    return Project(design, meta={"title": title, "description": description})


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, project in examples().items():
        path = save(project, FOLDER / f"{name}.nnd")
        print(f"{path.relative_to(FOLDER.parent.parent)}  {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
