"""The samples as a layer sees them: a plane of points, coloured by class or by groups found without labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from nndesigner.data.preparing import Part
from nndesigner.insight.latent import LatentMap, latent_map, latent_nodes, own_groups, usual_node
from nndesigner.ui import numbers, theme
from nndesigner.ui.document import Document
from nndesigner.ui.parts import label, margins
from nndesigner.ui.runner import Runner
from nndesigner.ui.views import questions
from nndesigner.ui.views.cards import CardContent, CardGrid
from nndesigner.ui.views.choice import Choice
from nndesigner.ui.views.class_colours import class_colour, marker
from nndesigner.ui.views.legend import Entry
from nndesigner.ui.views.regression_plots import PlotView
from nndesigner.ui.views.sample_content import lines_of, passage_of, picture_of

#: groups looked for where neither a Clustering layer nor classes say how many
_GROUPS = 5
#: samples beside the plane
_CARDS = 12
#: width and height of a card beside the plane: a picture with its class, or lines
_PICTURE, _LINES = (66, 82), (200, 72)


class LatentView(PlotView):
    """Latent space of one layer. A click on a point shows its sample in the network and its like beside the plane."""

    title = "Latent space"
    icon = "mdi6.scatter-plot-outline"
    sample_chosen = Signal(int)

    def __init__(self, document: Document, runner: Runner, parent: QWidget | None = None) -> None:
        super().__init__(document, runner, parent)
        self._map: LatentMap | None = None
        self._nearest: int | None = None
        self._chosen: int | None = None
        self.points = pg.ScatterPlotItem(size=7, pen=None, pxMode=True)
        self.mark = pg.ScatterPlotItem(size=13, brush=None, pxMode=True)
        for z, item in enumerate((self.points, self.mark)):
            item.setZValue(z)
            self.plot.getPlotItem().addItem(item, ignoreBounds=True)
        self.plot.cross.setOpacity(0)
        self.plot.pointed.connect(self._read)
        self.plot.scene().sigMouseClicked.connect(self._click)
        self.cards = CardGrid()
        self.cards.setFixedWidth(222)
        self.cards.chosen.connect(self.sample_chosen)
        self.beside = label("", "caption", wrap=True)
        side = QVBoxLayout()
        margins(side, 0, gap=4)
        side.addWidget(self.beside)
        side.addWidget(self.cards, 1)
        # the plane and the samples beside it share the place of the plot
        place = self.content.layout()
        place.removeWidget(self.plot)
        both = QHBoxLayout()
        margins(both, 0, gap=8)
        both.addWidget(self.plot, 1)
        both.addLayout(side)
        place.addLayout(both, 1)
        self.on_theme()

    def controls(self) -> tuple[QWidget, ...]:
        self.layer = Choice([], None)
        self.layer.setAccessibleName(self.tr("Layer"))
        self.layer.setToolTip(self.tr("The layer whose values are shown"))
        self.colours = Choice([(self.tr("by class"), "class"), (self.tr("by group"), "group")], "class")
        self.colours.setAccessibleName(self.tr("Colours"))
        self.colours.setToolTip(self.tr("Colour points by their true class, or by groups found without labels"))
        for choice in (self.layer, self.colours):
            choice.chosen.connect(self._other)
        return self.layer, self.colours

    @property
    def shown(self) -> LatentMap | None:
        return self._map

    def unsuited(self) -> str:
        checked = self.runner.checked
        if checked is not None and not latent_nodes(checked):
            return self.tr("This view needs a layer that gives a list of features, such as Dense behind Flatten.")
        return ""

    def question(self) -> Callable[[Any], Any] | None:
        checked = self.runner.checked
        if checked is None:
            return None
        self._offer()
        node, before = self.layer.value, self._map
        groups = 0
        if self.colours.value == "group":
            classes = before.classes if before is not None else ()
            own = own_groups(checked, node)
            groups = checked.graph.node(own).layer.clusters if own else len(classes) or _GROUPS
        return lambda trainer: latent_map(
            trainer.network, questions.shown_part(trainer.prepared), node, groups, before)

    def show_answer(self, found: LatentMap) -> None:
        new = self._map is None or self._map.node != found.node
        self._map = found
        if found.truth is None and self.colours.value == "class" and self.colours.values != ["group"]:
            self.colours.offer([(self.tr("by group"), "group")], "group")
            self.ask_anew()
        shapes = np.zeros(len(found.points), dtype=int) if found.truth is None else found.truth
        colours = shapes if found.groups is None else found.groups.groups
        brushes = [pg.mkBrush(theme.colour(class_colour(int(i)), 0.8)) for i in range(int(colours.max(initial=0)) + 1)]
        self.points.setData(found.points[:, 0], found.points[:, 1], symbol=[marker(int(i)) for i in shapes],
                            brush=[brushes[i] for i in colours])
        self._show_legend(found)
        self.plot.setAccessibleDescription(self.tr("{0} samples").format(len(found.points)))
        if new:
            self._zoomed = False
            self._chosen = None
            self._show_cards()
        self._fit_unless_zoomed()

    def session_is_new(self) -> None:
        super().session_is_new()
        self._map = self._chosen = None
        self.layer.offer([], None)
        self.colours.offer([(self.tr("by class"), "class"), (self.tr("by group"), "group")], self.colours.value)

    def fit(self) -> None:
        found = self._map
        if found is None or not len(found.points):
            return
        (left, bottom), (right, top) = found.points.min(axis=0), found.points.max(axis=0)
        gap_x, gap_y = 0.06 * (right - left) or 1.0, 0.08 * (top - bottom) or 1.0
        self.plot.set_range((float(left - gap_x), float(right + gap_x)), (float(bottom - gap_y), float(top + gap_y)))

    def csv(self) -> str:
        found = self._map
        truth = [""] * len(found.points) if found.truth is None else [found.classes[i] for i in found.truth]
        groups = [""] * len(found.points) if found.groups is None else (found.groups.groups + 1).tolist()
        rows = (f'{place},{x!r},{y!r},"{name}",{group}' for place, (x, y), name, group in zip(
            found.positions.tolist(), found.points.tolist(), truth, groups))
        return "\n".join(["test sample,x,y,class,group", *rows]) + "\n"

    def on_theme(self) -> None:
        self.plot.restyle()
        self.plot.bottom.label.setFont(theme.font(theme.CAPTION))
        self.plot.bottom.label.setDefaultTextColor(theme.colour(theme.current().muted))
        self.mark.setPen(pg.mkPen(theme.colour(theme.current().text), width=2))
        if self._map is not None:
            self.show_answer(self._map)

    # --- inside ---

    def _offer(self) -> None:
        checked = self.runner.checked
        nodes = latent_nodes(checked)
        if self.layer.values != list(nodes):
            wanted = self.layer.value if self.layer.value in nodes else usual_node(checked)
            graph = checked.graph
            self.layer.offer([(f"{graph.node(n).title} {checked.shapes[n]}", n) for n in nodes], wanted)

    def _other(self) -> None:
        self._chosen = None
        self.beside.setText("")
        self.ask_anew()

    def _show_legend(self, found: LatentMap) -> None:
        groups = found.groups
        if groups is None:
            entries = [Entry(name, "", shape=i) for i, name in enumerate(found.classes)]
        else:
            entries = [Entry(str(i + 1), shape=i, disc=True) for i in range(len(groups.sizes))]
        self.legend.set_entries(*entries)
        words = self.tr("shows {0} of the spread").format(numbers.percent(found.share))
        if groups is not None and groups.ari is not None:
            words = self.tr("Rand {0}, information {1}").format(
                f"{groups.ari:.2f}", f"{groups.nmi:.2f}")
            self.plot.setToolTip(self.tr(
                "Colours are groups, shapes true classes. Adjusted Rand index and normalised mutual information: "
                "1 the same groups as the classes, 0 no better than chance."))
        else:
            self.plot.setToolTip("")
        self.plot.bottom.setLabel(words)

    def _read(self, x: float | None, y: float | None) -> None:
        """Name the sample nearest to the cursor."""
        found, self._nearest = self._map, None
        if x is None or y is None or found is None or not len(found.points):
            self._say_at(None, "")
            self._mark()
            return
        width, height = self.plot.getPlotItem().getViewBox().viewPixelSize()
        distance = np.hypot((found.points[:, 0] - x) / width, (found.points[:, 1] - y) / height)
        self._nearest = int(distance.argmin())
        self._mark()
        self._say_at(QPointF(*map(float, found.points[self._nearest])), self._name(self._nearest))

    def _name(self, i: int) -> str:
        found = self._map
        words = [self.tr("sample {0}").format(int(found.positions[i]) + 1)]
        if found.truth is not None:
            words.insert(0, found.classes[found.truth[i]])
        if found.groups is not None:
            words.append(self.tr("group {0}").format(int(found.groups.groups[i]) + 1))
        return ", ".join(words)

    def _mark(self) -> None:
        i = self._nearest if self._nearest is not None else self._chosen
        spot = self._map.points[i:i + 1] if self._map is not None and i is not None else np.zeros((0, 2))
        self.mark.setData(spot[:, 0], spot[:, 1])

    def _click(self, event: Any) -> None:
        if self._nearest is not None and event.button() == Qt.MouseButton.LeftButton and not event.double():
            self._chosen = self._nearest
            self._show_cards()
            self.sample_chosen.emit(int(self._map.positions[self._chosen]))

    def _show_cards(self) -> None:
        """The chosen sample and the most typical of its group, or else its neighbours in the plane."""
        found, chosen = self._map, self._chosen
        if chosen is None:
            self.beside.setText(self.tr("Click a point to see its sample and what lies near."))
            self.cards.show_cards([])
            return
        if found.groups is not None:
            group = int(found.groups.groups[chosen])
            places = [int(p) for p in found.groups.typical[group] if p >= 0]
            words = self.tr("Group {0}: {1} samples").format(group + 1, numbers.exact(int(found.groups.sizes[group])))
            if found.groups.counts is not None:
                most = int(found.groups.counts[group].argmax())
                share = found.groups.counts[group][most] / found.groups.sizes[group]
                words += self.tr(", {0} of them {1}").format(numbers.percent(float(share)), found.classes[most])
            self.beside.setText(words + self.tr(". Nearest to its centre:"))
        else:
            order = np.square(found.points - found.points[chosen]).sum(axis=1).argsort()
            places = [int(found.positions[i]) for i in order[:_CARDS]]
            self.beside.setText(self.tr("{0}, and what lies near it").format(self._name(chosen)))
        prepared = self.runner.prepared
        part = questions.shown_part(prepared)
        truth = dict(zip(found.positions.tolist(), [] if found.truth is None else found.truth.tolist()))
        cards = [self._card(part, place, truth.get(place)) for place in places[:_CARDS]]
        self.cards.set_card_size(*(_PICTURE if cards and cards[0].strip else _LINES))
        self.cards.show_cards(cards)

    def _card(self, part: Part, place: int, truth: int | None) -> CardContent:
        prepared = self.runner.prepared
        known = "" if truth is None else self._map.classes[truth]
        name = f"{known}, sample {place + 1}" if known else f"sample {place + 1}"
        picture = picture_of(prepared, part, place)
        if picture is not None:
            return CardContent(place, name, strip=((picture, known or str(place + 1)),))
        return CardContent(place, name, None, None, lines_of(prepared, part, place), (), "", None,
                           passage_of(prepared, part, place))
