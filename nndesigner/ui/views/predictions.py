"""What the network answers for data it has not learned from: the pictures that fit its task and its data."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedLayout, QWidget

from nndesigner.data.preparing import Prepared
from nndesigner.graph.check import Head
from nndesigner.ui.document import Document
from nndesigner.ui.parts import margins
from nndesigner.ui.runner import Runner
from nndesigner.ui.views.choice import Choice
from nndesigner.ui.views.empty_state import EmptyState
from nndesigner.ui.views.live_view import LiveView
from nndesigner.ui.views.map_view import MapView
from nndesigner.ui.views.regression_plots import FitView, ScatterView
from nndesigner.ui.views.sample_cards import SampleCardsView


def fitting(head: Head, prepared: Prepared) -> tuple[type[LiveView], ...]:
    """The views for an output and its data, the most telling first."""
    inputs = prepared.preparation.inputs
    plain = all(column.kind == "number" for column in inputs)
    plane = (MapView,) if plain and len(inputs) == 2 else ()
    curve = (FitView,) if plain and len(inputs) == 1 else ()
    if head.task == "classification":
        return (*plane, *curve, SampleCardsView)
    if head.task == "regression":
        return (*plane, *curve, ScatterView)
    return (SampleCardsView,)


class PredictionsView(QWidget):
    """One of the fitting views at a time. `sample_chosen` gives a clicked sample's place in the test part."""

    title = "Predictions"
    icon = "mdi6.cards-outline"
    sample_chosen = Signal(int)

    def __init__(self, document: Document, runner: Runner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document, self.runner = document, runner
        self.setAccessibleName(self.title)
        self._pages: dict[type[LiveView], LiveView] = {}
        self.empty = EmptyState(self.icon)
        self.outputs = Choice([], None)
        self.outputs.setToolTip(self.tr("Which Output to show"))
        self.outputs.setAccessibleName(self.tr("Output"))
        self.kinds = Choice([], None)
        self.kinds.setToolTip(self.tr("How to show the answers"))
        self.kinds.setAccessibleName(self.tr("Picture"))
        self._stack = margins(QStackedLayout(self), 0, gap=0)
        self._stack.addWidget(self.empty)
        for choice in (self.kinds, self.outputs):
            choice.setParent(self)
            choice.hide()
        self.outputs.chosen.connect(self._offer_kinds)
        self.kinds.chosen.connect(self._show)
        runner.session_changed.connect(self._offer)
        document.checked_changed.connect(self._without_session)
        document.data_changed.connect(self._without_session)
        self._offer()

    @property
    def page(self) -> LiveView | None:
        """The view on show, None while there is nothing to show."""
        shown = self._stack.currentWidget()
        return shown if isinstance(shown, LiveView) else None

    def _without_session(self) -> None:
        if self.runner.session is None:
            self._offer()

    def _heads(self) -> dict[str, Head]:
        """Heads of the network that answers, by node."""
        return dict(self.runner.checked.heads) if self.runner.checked is not None else {}

    def _offer(self) -> None:
        """Another session: its outputs and fitting views."""
        heads = self._heads()
        if not heads or self.runner.prepared is None:
            text = self.runner.why_not() or self.tr("Press Train: answers for test samples are shown here.")
            self.empty.set_text(text)
            self._stack.setCurrentWidget(self.empty)
            return
        graph = self.runner.checked.graph
        titles = [(graph.node(node).title, node) for node in heads]
        self.outputs.offer(titles, self.outputs.value)
        self.outputs.setVisible(len(heads) > 1)
        self._offer_kinds()

    def _offer_kinds(self) -> None:
        head = self._heads()[self.outputs.value]
        kinds = fitting(head, self.runner.prepared)
        self.kinds.offer([(kind.title, kind) for kind in kinds], self.kinds.value)
        self.kinds.setVisible(len(kinds) > 1)
        self._show()

    def _show(self) -> None:
        kind = self.kinds.value
        if kind not in self._pages:
            page = self._pages[kind] = kind(self.document, self.runner)
            if hasattr(page, "sample_chosen"):
                page.sample_chosen.connect(self.sample_chosen)
            self._stack.addWidget(page)
        page = self._pages[kind]
        page.set_node(self.outputs.value)
        # the choosers stand in the head line of the page on show, so that no line of their own is needed
        page.head.insertWidget(0, self.outputs)
        page.head.insertWidget(0, self.kinds)
        self._stack.setCurrentWidget(page)
