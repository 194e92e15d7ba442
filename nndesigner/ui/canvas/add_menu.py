"""Opens the quick menu with what fits at a place, and adds the layer that was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QPointF

from nndesigner.graph.model import NODE_W, Edge
from nndesigner.layers import Layer
from nndesigner.ui.canvas import adding, ranking
from nndesigner.ui.canvas.quick_menu import QuickMenu

if TYPE_CHECKING:
    from nndesigner.ui.canvas.view import CanvasView


class AddMenu(QObject):
    """Remembers for what the menu was opened."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view)
        self._view, self._document = view, view.document
        self.menu = QuickMenu(view)
        self.menu.chosen.connect(self._chosen)
        self.menu.closed.connect(view.setFocus)
        self._at = QPointF()
        self._source: str | None = None
        self._target: tuple[str, str] | None = None
        self._edge: Edge | None = None

    def open(
        self, at: QPointF, source: str | None = None, target: tuple[str, str] | None = None, edge: Edge | None = None
    ) -> None:
        """Offer layers at a point of the scene: fed by `source`, feeding `target`, within the wire `edge`, or loose."""
        graph, checked = self._view.board.graph, self._document.checked
        self._at, self._source, self._target, self._edge = at, source, target, edge
        feeder = edge.source if edge is not None else source
        place = ranking.Place(
            after=graph.node(feeder).layer.kind if feeder is not None else "",
            shape=checked.shapes.get(self._view.board.drawn.out(feeder)) if feeder is not None else None,
            needs_input=feeder is not None,
            needs_output=target is not None or edge is not None,
        )
        self.menu.open(place, self._view.viewportTransform().map(at).toPoint() + QPoint(4, 4))

    def open_by_key(self) -> None:
        """Offer layers to follow the selected node or go into the selected wire; at the cursor without a selection."""
        view, graph = self._view, self._view.board.graph
        chosen = view.board.drawn.items(self._document.selection)
        if len(view.board.selected_edges) == 1:
            edge = next(iter(view.board.selected_edges))
            begin, end = view.board.port_place(edge.source, ""), view.board.port_place(edge.target, edge.port)
            self.open((begin + end) / 2, edge=edge)
        elif len(chosen) == 1 and graph.node(chosen[0]).layer.emits:
            landing = adding.behind(graph, Layer, chosen[0])
            self.open(QPointF(landing.x, landing.y), source=chosen[0])
        else:
            self.open(view.cursor_in_scene())

    def usual_landing(self, layer: type[Layer]) -> adding.Landing:
        """Where a layer without a place goes: into the selected wire, behind the selected node, or in view."""
        view, graph = self._view, self._view.board.graph
        chosen = view.board.drawn.items(self._document.selection)
        if len(view.board.selected_edges) == 1 and layer.ports and layer.emits:
            return adding.into_wire(graph, next(iter(view.board.selected_edges)))
        if len(chosen) == 1:
            return adding.behind(graph, layer, chosen[0])
        centre = view.visible_area().center()
        return adding.dropped(graph, layer, centre.x(), centre.y(), None)

    def _chosen(self, kind: str) -> None:
        layer, graph, at = Layer.registry[kind], self._view.board.graph, self._at
        self._view.setFocus()
        # the drawing may have changed while the menu was open
        if self._edge is not None and self._edge in graph.incoming.get(self._edge.target, ()):
            landing = adding.into_wire(graph, self._edge)
        elif self._source is not None and self._source in graph.by_id:
            landing = adding.at_cursor(graph, layer, at, source=self._source)
        elif self._target is not None and self._target[0] in graph.by_id:
            landing = adding.at_cursor(graph, layer, at, target=self._target)
        else:
            landing = adding.dropped(graph, layer, at.x() + NODE_W / 2, at.y() + 20, None)
        self._view.add_layer(layer(), landing)
