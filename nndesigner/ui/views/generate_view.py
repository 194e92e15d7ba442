"""New samples from an autoencoder's decoder: random, between two samples, over two values of the code."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QSlider, QVBoxLayout, QWidget

from nndesigner.data.preparing import Prepared
from nndesigner.graph.checked import Checked
from nndesigner.insight.drawing import Decoder, Drawn, codes_at, decoder_of, draw_samples, spread_of
from nndesigner.training.trainer import Trainer
from nndesigner.ui.document import Document
from nndesigner.ui.parts import clear, label, line, margins
from nndesigner.ui.runner import Runner
from nndesigner.ui.views import questions
from nndesigner.ui.views.choice import Choice
from nndesigner.ui.views.live_view import LiveView
from nndesigner.ui.views.picture_grid import PictureGrid, image_of
from nndesigner.ui.views.tool import tool

#: random samples, steps between two samples, side of the plane, and sliders at most
_RANDOM, _STEPS, _SIDE, _SLIDERS = 24, 10, 8, 24
#: real samples from which the range of values is taken
_SEEN = 32
#: how far codes reach, in spreads of the prior
_REACH = 2.5


@dataclass(frozen=True)
class Wish:
    """What is to be drawn. `kind` is "random", "between", "plane" or "sliders"; `code` are offsets in spreads."""

    kind: str
    seed: int
    across: int = 0
    down: int = 1
    code: tuple[float, ...] = ()


def draw(wish: Wish) -> Callable[[Trainer], Drawn]:
    """Question for samples."""

    def make(trainer: Trainer) -> Drawn:
        network, part = trainer.network, questions.shown_part(trainer.prepared)
        mean, spread = spread_of(network, part)
        chance = np.random.default_rng(wish.seed)
        if wish.kind == "between":
            ends = codes_at(network, part, chance.choice(len(part), 2, replace=len(part) < 2))
            share = np.linspace(0, 1, _STEPS, dtype=np.float32)[:, None]
            codes = ends[:1] * (1 - share) + ends[1:] * share
        elif wish.kind == "plane":
            steps = np.linspace(-_REACH, _REACH, _SIDE)
            codes = np.zeros((_SIDE * _SIDE, len(mean)))
            codes[:, wish.down] = -np.repeat(steps, _SIDE)
            codes[:, wish.across] = np.tile(steps, _SIDE)
            codes = mean + spread * codes
        elif wish.kind == "sliders":
            offsets = np.zeros(len(mean))
            offsets[:len(wish.code)] = wish.code[:len(mean)]
            codes = (mean + spread * offsets)[None]
        else:
            codes = mean + spread * chance.standard_normal((_RANDOM, len(mean)))
        return draw_samples(network, codes=codes.astype(np.float32))

    return make


def _range(prepared: Prepared, field: str) -> tuple[float, float]:
    part = questions.shown_part(prepared)
    some = np.asarray(part.arrays[field][:_SEEN], dtype=np.float32)
    return (float(some.min()), float(some.max())) if some.size else (0.0, 1.0)


class GenerateView(LiveView):
    """What the decoder makes of codes, while it learns as well."""

    title = "Generate"
    icon = "mdi6.dice-5-outline"

    def __init__(self, document: Document, runner: Runner, parent: QWidget | None = None) -> None:
        super().__init__(document, runner, parent)
        self._seed = 1
        self._drawn: Drawn | None = None
        #: a network and its decoder
        self._found: tuple[Checked | None, Decoder | None] = (None, None)
        #: least and largest value of some real samples: what black and white stand for
        self._range = (0.0, 1.0)
        self.kind = Choice([
            (self.tr("random samples"), "random"), (self.tr("between two samples"), "between"),
            (self.tr("over two values"), "plane"), (self.tr("by sliders"), "sliders")], "random")
        self.kind.setAccessibleName(self.tr("What to draw"))
        self.kind.setToolTip(self.tr("Where the codes come from that the decoder turns into samples"))
        self.across, self.down = Choice([], None), Choice([], None)
        self.across.setToolTip(self.tr("Value of the code that grows to the right"))
        self.down.setToolTip(self.tr("Value of the code that grows upwards"))
        self.other = tool("mdi6.shuffle-variant", self.tr("Draw others"))
        self.middle = tool("mdi6.backup-restore", self.tr("Put all sliders to the middle"))
        self.about = label("", "caption")
        self.grid = PictureGrid()
        self.sliders: list[QSlider] = []
        self._rows = QWidget()
        self._row_grid = QGridLayout(self._rows)
        margins(self._row_grid, 0, gap=2)
        self.panel = QScrollArea()
        self.panel.setWidget(self._rows)
        self.panel.setWidgetResizable(True)
        self.panel.setFrameShape(QScrollArea.Shape.NoFrame)
        self.panel.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.panel.setFixedWidth(210)
        layout = margins(QVBoxLayout(self.content), 12, 4, 12, 8, gap=4)
        self.head = line(self.kind, self.across, self.down, self.other, self.middle, 1, self.about, gap=2)
        layout.addLayout(self.head)
        both = QHBoxLayout()
        margins(both, 0, gap=8)
        both.addWidget(self.panel)
        both.addWidget(self.grid, 1)
        layout.addLayout(both, 1)
        for choice in (self.kind, self.across, self.down):
            choice.chosen.connect(self._other_kind)
        self.other.clicked.connect(self._others)
        self.middle.clicked.connect(self._to_middle)
        self._show_controls()

    @property
    def shown(self) -> Drawn | None:
        return self._drawn

    def unsuited(self) -> str:
        if self.runner.checked is None or self._decoder() is not None:
            return ""
        return self.tr("This view needs an autoencoder: a network whose Output repeats its input, "
                       "best with a Sampling layer in the middle.")

    def question(self) -> Callable[[Any], Any] | None:
        checked, decoder = self.runner.checked, self._decoder()
        if decoder is None:
            return None
        if self._drawn is None:
            self._offer(checked.shapes[decoder.code].size)
            self._range = _range(self.runner.prepared, checked.heads[decoder.head].target)
        offsets = tuple(slider.value() / 100 for slider in self.sliders)
        return draw(Wish(self.kind.value, self._seed, self.across.value, self.down.value, offsets))

    def show_answer(self, found: Drawn) -> None:
        self._drawn = found
        checked = self.runner.checked
        axes = checked.shapes[found.node].axes
        low, high = self._range
        columns = {"plane": _SIDE, "sliders": 1}.get(self.kind.value, 0)
        self.grid.show_pictures([image_of(v, axes, low, high) for v in found.values], columns)
        self.grid.setAccessibleName(self.tr("{0} generated samples").format(len(found.values)))
        title = checked.graph.node(self._decoder().code).title
        self.about.setText(self.tr("code of {0} values from {1}").format(found.codes.shape[1], title))

    def session_is_new(self) -> None:
        self._drawn = None
        self.grid.show_pictures([])

    def on_theme(self) -> None:
        if self._drawn is not None and self.runner.checked is not None:
            self.show_answer(self._drawn)

    # --- inside ---

    def _decoder(self) -> Decoder | None:
        """Of the network that answers; looked for once."""
        checked = self.runner.checked
        if self._found[0] is not checked:
            try:
                self._found = checked, None if checked is None else decoder_of(checked)
            except ValueError:
                self._found = checked, None
        return self._found[1]

    def _offer(self, size: int) -> None:
        """Choices and sliders for a code of this size."""
        values = list(range(size))
        if self.across.values != values:
            items = [(self.tr("value {0}").format(i + 1), i) for i in values]
            self.across.offer(items, 0)
            self.down.offer(items, min(1, size - 1))
            clear(self._row_grid)
            self.sliders = []
            for i in values[:_SLIDERS]:
                slider = QSlider(Qt.Orientation.Horizontal)
                slider.setRange(round(-100 * _REACH), round(100 * _REACH))
                slider.setPageStep(50)
                slider.setAccessibleName(self.tr("Value {0} of the code").format(i + 1))
                slider.setToolTip(self.tr("From −{0} to {0} times the usual spread").format(_REACH))
                slider.valueChanged.connect(self.ask_soon)
                self._row_grid.addWidget(label(str(i + 1), "caption"), i, 0)
                self._row_grid.addWidget(slider, i, 1)
                self.sliders.append(slider)
            self._row_grid.setRowStretch(_SLIDERS, 1)

    def _show_controls(self) -> None:
        kind = self.kind.value
        for choice in (self.across, self.down):
            choice.setVisible(kind == "plane")
        self.other.setVisible(kind in ("random", "between"))
        self.middle.setVisible(kind == "sliders")
        self.panel.setVisible(kind == "sliders")

    def _other_kind(self) -> None:
        self._show_controls()
        self.ask_anew()

    def _others(self) -> None:
        self._seed = random.randrange(1, 2**31)
        self.ask_anew()

    def _to_middle(self) -> None:
        for slider in self.sliders:
            with QSignalBlocker(slider):
                slider.setValue(0)
        self.ask_anew()
