"""Proposes a network for data that meet an empty canvas, and says what it is and why it fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nndesigner.data.preparing import Prepared
from nndesigner.graph.check import check
from nndesigner.graph.model import Graph
from nndesigner.graph.templates import propose
from nndesigner.project.design import Design
from nndesigner.spec import DataField
from nndesigner.training.proposing import propose_training
from nndesigner.ui import numbers
from nndesigner.ui.banner import Banner
from nndesigner.ui.document import Document

#: layers that decide what a network is, in words, the most telling first: (start of the kind, what, why)
_WORDS = (
    ("embedding.", "An embedding and layers behind it", "tokens get a place by their meaning, then their order counts"),
    ("upsampling", "A U-Net", "every pixel needs an answer that knows what is around it"),
    ("conv2d.", "Convolutions", "they find small patterns wherever these are in a picture"),
    ("conv1d.", "Convolutions along time", "they find patterns wherever these are"),
    ("gru.", "A recurrent layer", "it reads the moments in their order"),
    ("dense.", "Dense layers", "every value may count together with every other"),
)


class Proposal:
    """The offer in the banner."""

    def __init__(self, document: Document, banner: Banner) -> None:
        self._document, self._banner = document, banner
        self._offered: Prepared | None = None

    def forget(self) -> None:
        """Another project: its data may be offered a network again."""
        self._offered = None

    def take_back(self) -> None:
        self._banner.take_back("propose")

    def offer(self, draw: Callable[[], object]) -> bool:
        """Offer a network for data that are ready, unless something is drawn. Returns whether it was offered now."""
        document, prepared = self._document, self._document.prepared
        if document.graph.nodes:
            self.take_back()
            return False
        if prepared is self._offered or not prepared.signature.inputs:
            return False
        again = self._offered is not None and self._offered.signature == prepared.signature
        self._offered = prepared
        if again and not self._banner.isVisible():
            return False  # it was declined for the same data; a corrected label is no news
        self._banner.say("offer", words(prepared), ("Draw a network", draw), subject="propose")
        return True

    def draw(self) -> None:
        """Draw it, with training settings that fit both."""
        prepared = self._document.prepared

        def change(design: Design) -> Design:
            graph = propose(prepared.signature)
            training = propose_training(check(graph, prepared.signature), len(prepared.train), design.training)
            return replace(design, graph=graph, training=training)

        self._document.edit("Draw a network that fits the data", change)


def words(prepared: Prepared) -> str:
    """What the data are, and which network fits them why."""
    signature = prepared.signature
    given = " and ".join(_input_words(field) for field in signature.inputs)
    aim = " and ".join(_target_words(field) for field in signature.targets) or "be squeezed into a code and made again"
    samples = numbers.exact(len(prepared.train))
    return (f"{prepared.dataset.title}: {samples} training samples of {given}, to {aim}. "
            f"{_network_words(propose(signature), bool(signature.targets))}")


def _input_words(field: DataField) -> str:
    dims = field.shape.dims
    size = f"{numbers.GAP}×{numbers.GAP}".join(map(str, dims[:2]))
    if field.shape.axes == "HWC":
        return f"{size} {'grey pictures' if dims[2] == 1 else 'pictures'}"
    if field.shape.integer:
        return f"texts of up to {dims[0]} tokens"
    if field.shape.axes == "TF":
        return f"{dims[0]} moments"
    return "1 value" if field.shape.size == 1 else f"{numbers.exact(field.shape.size)} values"


def _target_words(field: DataField) -> str:
    if field.kind == "class" and field.sample_dims:
        return f"tell {len(field.classes)} classes apart in every pixel"
    if field.kind == "class":
        return f"tell {len(field.classes)} classes apart"
    if field.shape.axes == "HWC":
        return "make a picture of each"
    return "predict 1 number" if field.shape.size == 1 else f"predict {numbers.exact(field.shape.size)} numbers"


def _network_words(graph: Graph, has_target: bool) -> str:
    kinds = [node.layer.kind for node in graph.nodes]
    if not kinds:
        return "There is no ready-made network for these data: draw one from Input to Output."
    if not has_target:
        return "An autoencoder would fit: without a target it learns what the samples have in common."
    for start, what, why in _WORDS:
        if any(kind.startswith(start) for kind in kinds):
            return f"{what} would fit: {why}."
    return "Start with a network that fits?"
