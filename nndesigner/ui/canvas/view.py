"""The canvas widget: shows the scene, turns mouse and keys into gestures and edits, and keeps zoom and place."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QHelpEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPixmap,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGestureEvent, QGraphicsView, QPinchGesture, QToolTip, QWidget

from nndesigner.graph import edit
from nndesigner.graph.model import Edge, Graph
from nndesigner.layers import Layer
from nndesigner.ui import theme
from nndesigner.ui.canvas import adding, ranking
from nndesigner.ui.canvas.actions import make_actions
from nndesigner.ui.canvas.dropping import LayerDrop
from nndesigner.ui.canvas.edge_item import EdgeItem
from nndesigner.ui.canvas.empty import EmptyState
from nndesigner.ui.canvas.face import description
from nndesigner.ui.canvas.geometry import GRID, NODE_W
from nndesigner.ui.canvas.gestures import Gesture, MoveNodes, Pan, Pointer, RubberBand
from nndesigner.ui.canvas.minimap import MiniMap
from nndesigner.ui.canvas.node_item import is_elided
from nndesigner.ui.canvas.overlay import BubbleItem
from nndesigner.ui.canvas.pictures import PictureFeed
from nndesigner.ui.canvas.quick_menu import QuickMenu
from nndesigner.ui.canvas.renaming import TitleEditor
from nndesigner.ui.canvas.scene import CanvasScene
from nndesigner.ui.canvas.wiring import DrawWire, PressWire
from nndesigner.ui.document import Document
from nndesigner.ui.palette import MIME
from nndesigner.ui.runner import Runner

ZOOM_MIN, ZOOM_MAX = 0.08, 4.0
#: half the side of the plane on which one can pan
_PLANE = 100_000.0
#: pause after which zooming counts as finished and nodes are painted sharp
_SETTLE_MS = 140
#: mouse moves are handled at most so often
_MOVE_MS = 8
#: a refusal stays on the screen for so long
_REFUSAL_MS = 4000
#: height of a node's header, where a double click renames
_HEADER_H = 34


class CanvasView(QGraphicsView):
    """The drawing surface. Knows no other panel; the window connects its signals and lists its `commands`."""

    #: files were dropped on the canvas
    files_dropped = Signal(list)
    #: another zoom, as a factor
    zoom_changed = Signal(float)
    #: a node was double-clicked below its title: its inspector is wanted
    open_wanted = Signal(str)

    def __init__(self, document: Document, runner: Runner | None = None, parent: QWidget | None = None) -> None:
        board = CanvasScene(document)
        super().__init__(board, parent)
        board.setParent(self)
        self.document, self.runner, self.board = document, runner, board
        self.setObjectName("canvas")
        self.setAccessibleName("Canvas")
        self.setAccessibleDescription(
            "The network as a drawing. Space adds a layer, Ctrl with arrow keys walks along the wires."
        )
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontSavePainterState)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setSceneRect(-_PLANE, -_PLANE, 2 * _PLANE, 2 * _PLANE)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().grabGesture(Qt.GestureType.PinchGesture)

        self._gesture: Gesture | None = None
        self._drop: LayerDrop | None = None
        self._space = False
        self._space_used = False
        self._pending: Pointer | None = None
        self._last = QPointF()
        self._placed = False
        self._dots: tuple[tuple, QPixmap] | None = None
        self._move_timer = self._timer(_MOVE_MS, self._flush_move)
        self._settle_timer = self._timer(_SETTLE_MS, self._settle)
        self._refusal_timer = self._timer(_REFUSAL_MS, self._end_refusal)
        self._refusal: BubbleItem | None = None

        self.menu = QuickMenu(self)
        self.menu.chosen.connect(self._menu_chosen)
        self.menu.closed.connect(self._menu_closed)
        self._menu_at = QPointF()
        self._menu_source: tuple[str, str] | None = None
        self._menu_target: tuple[str, str] | None = None
        self._menu_edge: Edge | None = None
        self.empty = EmptyState(self)
        self.minimap = MiniMap(self)
        self.title_editor = TitleEditor(self)
        self.commands = make_actions(self)
        self.pictures = PictureFeed(self, runner) if runner is not None else None

        document.changed.connect(self._document_changed)
        document.edit_failed.connect(lambda text: self.refuse(text, self._cursor_in_scene()))
        theme.notifier.changed.connect(self._theme_changed)
        self._document_changed(document.design, document.design)

    # --- zoom and place ---

    @property
    def zoom(self) -> float:
        return self.board.zoom

    def zoom_at(self, at: QPointF, factor: float) -> None:
        """Zoom by a factor; the point of the drawing under `at` (in view pixels) stays where it is."""
        self.set_zoom(self.zoom * factor, at)

    def set_zoom(self, zoom: float, at: QPointF | None = None) -> None:
        zoom = min(max(zoom, ZOOM_MIN), ZOOM_MAX)
        if abs(zoom - 1) < 0.03:
            zoom = 1.0  # comes to rest where pixels are exact
        if zoom == self.zoom:
            return
        at = QPointF(self.viewport().rect().center()) if at is None else at
        fixed = self.scene_at(at)
        self.board.zoom, self.board.settled = zoom, False
        self.setTransform(QTransform.fromScale(zoom, zoom))
        self.pan(at - self.viewportTransform().map(fixed))
        self._settle_timer.start()
        self.viewport().update()
        self.minimap.follow()
        self.zoom_changed.emit(zoom)

    def pan(self, by: QPointF) -> None:
        """Move the drawing by pixels."""
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        across.setValue(across.value() - round(by.x()))
        down.setValue(down.value() - round(by.y()))
        self.minimap.follow()

    def fit(self, ids: Iterable[str] | None = None) -> None:
        """Show all nodes (or some), not larger than 100 %."""
        area = self.board.extent(ids or None)
        if area.isEmpty():
            self.set_zoom(1.0)
            self.centerOn(0, 0)
            return
        area = area.adjusted(-48, -48, 48, 48)
        room = self.viewport().rect()
        self.set_zoom(min(room.width() / area.width(), room.height() / area.height(), 1.0))
        self.centerOn(area.center())
        self.minimap.follow()

    def reset_zoom(self) -> None:
        self.set_zoom(1.0)

    def show_node(self, node_id: str) -> None:
        """Bring a node into the view, and select it."""
        if node_id not in self.document.graph.by_id:
            return
        self.document.select((node_id,))
        area = self.board.extent((node_id,)).adjusted(-40, -40, 40, 40)
        if self.zoom < 0.45:
            self.set_zoom(1.0)
        if not self.visible_area().contains(area):
            self.centerOn(area.center())
            self.minimap.follow()

    def visible_area(self) -> QRectF:
        """The part of the scene that is seen."""
        return self.viewportTransform().inverted()[0].mapRect(QRectF(self.viewport().rect()))

    def scene_at(self, at: QPointF) -> QPointF:
        """A point of the view in scene units, to the fraction of a pixel."""
        return self.viewportTransform().inverted()[0].map(at)

    def reveal(self, at: QPointF) -> None:
        """Pan a little when a drag comes to the edge of the view."""
        room, edge = self.viewport().rect(), 18
        dx = min(at.x() - edge, 0) + max(at.x() - room.width() + edge, 0)
        dy = min(at.y() - edge, 0) + max(at.y() - room.height() + edge, 0)
        if dx or dy:
            self.pan(QPointF(-dx / 2, -dy / 2))

    # --- edits ---

    def add_layer(self, layer: Layer | str, landing: adding.Landing | None = None) -> str | None:
        """Add a layer (or a default one of a kind) as one undo step and select it. Returns its id, None when refused.

        Without a landing it follows the selected node, or stands in the middle of the view.
        """
        if isinstance(layer, str):
            layer = Layer.registry[layer]()
        if landing is None:
            landing = self._default_landing(type(layer))
        made: list[str] = []

        def change(graph: Graph) -> Graph:
            graph, new = adding.add(graph, layer, landing)
            made[:] = [new]
            return graph

        after = landing.edge.source if landing.edge is not None else landing.source
        after_kind = self.document.graph.node(after).layer.kind if after is not None else ""
        if not self.document.edit_graph(f"Add {layer.title}", change):
            return None
        ranking.note_use(after_kind, layer.kind)
        self.board.select_edges(())
        self.document.select(made)
        self._bring_into_view(made[0])
        return made[0]

    def choose_edge(self, edge: Edge, at: Pointer) -> None:
        """Select a wire; Ctrl toggles, Shift adds."""
        if at.ctrl or at.shift:
            chosen = self.board.selected_edges
            self.board.select_edges(chosen - {edge} if at.ctrl and edge in chosen else chosen | {edge})
        else:
            self.document.select(())
            self.board.select_edges((edge,))

    def refuse(self, text: str, at: QPointF) -> None:
        """Say near the cursor why something cannot be done."""
        self._end_refusal()
        self._refusal = BubbleItem()
        self.board.addItem(self._refusal)
        self._refusal.say(text, at, "error")
        self._refusal_timer.start()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    @property
    def refusal(self) -> str:
        """The sentence that is shown now, if any."""
        return self._refusal.text if self._refusal is not None else ""

    def nudge(self, dx: float, dy: float) -> None:
        """Move the selected nodes; presses in a row are one undo step."""
        ids = self.document.selection
        if not ids:
            return
        graph = self.document.graph
        text = f"Move {graph.node(ids[0]).title}" if len(ids) == 1 else f"Move {len(ids)} layers"
        self.document.edit_graph(
            text,
            lambda g: edit.move(g, {i: (g.node(i).x + dx, g.node(i).y + dy) for i in ids}),
            f"nudge {' '.join(ids)}",
        )

    def walk(self, key: Qt.Key) -> None:
        """Select the next node along the wires (left, right) or the nearest above or below."""
        graph = self.document.graph
        if not graph.nodes:
            return
        if not self.document.selection:
            self._select_and_show(min(graph.nodes, key=lambda n: (n.y, n.x)).id)
            return
        here = graph.node(self.document.selection[-1])
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            wires = graph.outgoing[here.id] if key == Qt.Key.Key_Right else graph.incoming[here.id]
            ends = [e.target if key == Qt.Key.Key_Right else e.source for e in wires]
        else:
            sign = 1 if key == Qt.Key.Key_Down else -1
            ends = [n.id for n in graph.nodes if (n.y - here.y) * sign > 0]
        if ends:
            self._select_and_show(
                min(ends, key=lambda i: abs(graph.node(i).x - here.x) + abs(graph.node(i).y - here.y))
            )

    def rename(self, node_id: str | None = None) -> None:
        """Edit a node's title in place."""
        node_id = node_id or next(iter(self.document.selection), None)
        if node_id is not None:
            self._bring_into_view(node_id)
            self.title_editor.open(node_id)

    # --- quick menu ---

    def open_menu(
        self,
        at: QPointF,
        source: tuple[str, str] | None = None,
        target: tuple[str, str] | None = None,
        edge: Edge | None = None,
    ) -> None:
        """Offer layers at a point of the scene, for the free end of a wire, for the middle of one, or loose."""
        graph, checked = self.document.graph, self.document.checked
        self._menu_at, self._menu_source, self._menu_target, self._menu_edge = at, source, target, edge
        feeder = edge.source if edge is not None else source[0] if source is not None else None
        place = ranking.Place(
            after=graph.node(feeder).layer.kind if feeder is not None else "",
            shape=checked.shapes.get(feeder) if feeder is not None else None,
            needs_input=feeder is not None,
            needs_output=target is not None or edge is not None,
        )
        self.menu.open(place, self.viewportTransform().map(at).toPoint() + QPoint(4, 4))

    def open_menu_by_key(self) -> None:
        """Offer layers to follow the selected node or go into the selected wire; at the cursor without a selection."""
        graph, chosen = self.document.graph, self.document.selection
        if len(self.board.selected_edges) == 1:
            edge = next(iter(self.board.selected_edges))
            middle = (self.board.port_place(edge.source, "") + self.board.port_place(edge.target, edge.port)) / 2
            self.open_menu(middle, edge=edge)
        elif len(chosen) == 1 and graph.node(chosen[0]).layer.emits:
            landing = adding.behind(graph, Layer, chosen[0])
            self.open_menu(QPointF(landing.x, landing.y), source=(chosen[0], ""))
        else:
            self.open_menu(self._cursor_in_scene())

    def _menu_chosen(self, kind: str) -> None:
        layer = Layer.registry[kind]
        graph = self.document.graph
        self.setFocus()
        source, target, edge = self._menu_source, self._menu_target, self._menu_edge
        if edge is not None and edge in graph.incoming.get(edge.target, ()):
            landing = adding.into_wire(graph, edge)
        elif source is not None and source[0] in graph.by_id:
            landing = adding.at_cursor(graph, layer, self._menu_at, source=source[0])
        elif target is not None and target[0] in graph.by_id:
            landing = adding.at_cursor(graph, layer, self._menu_at, target=target)
        else:
            landing = adding.dropped(graph, layer, self._menu_at.x() + NODE_W / 2, self._menu_at.y() + 20, None)
        self.add_layer(layer(), landing)

    def _menu_closed(self) -> None:
        self.setFocus()

    # --- gestures ---

    def hand_over(self, gesture: Gesture, at: Pointer) -> None:
        """Another gesture goes on where this one stands."""
        self._gesture = gesture
        self._show_cursor()
        gesture.move(at)

    @property
    def gesture(self) -> Gesture | None:
        return self._gesture

    def cancel_gesture(self) -> None:
        gesture, self._gesture = self._gesture, None
        self._pending = None
        if gesture is not None:
            gesture.cancel()
        self._show_cursor()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.menu.dismiss()
        self._end_refusal()
        QToolTip.hideText()
        at = self._pointer(event)
        if self._gesture is not None:
            self.cancel_gesture()  # a second button while one is held
        elif event.button() == Qt.MouseButton.MiddleButton or (
            event.button() == Qt.MouseButton.LeftButton and self._space
        ):
            self._space_used = True
            self._gesture = Pan(self, at)
        elif event.button() == Qt.MouseButton.LeftButton:
            self._gesture = self._pressed(at)
        self._show_cursor()
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._last = event.position()
        self._pending = self._pointer(event)
        if not self._move_timer.isActive():
            self._move_timer.start()
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._flush_move()
        if self._gesture is not None and event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            gesture, self._gesture = self._gesture, None
            gesture.finish(self._pointer(event))
            self._show_cursor()
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        at = self._pointer(event)
        item = self.board.node_at(at.scene)
        if item is not None:
            if at.scene.y() - item.y() <= _HEADER_H:
                self.rename(item.node_id)
            else:
                self.open_wanted.emit(item.node_id)
            return
        wire = self.board.edge_at(at.scene)
        self.open_menu(at.scene, edge=wire.edge if wire is not None else None)

    def _pressed(self, at: Pointer) -> Gesture:
        """The gesture that a press begins."""
        port = self.board.port_at(at.scene)
        if port is not None:
            node_id, name = port
            layer = self.document.graph.node(node_id).layer
            wires = [e for e in self.document.graph.incoming[node_id] if e.port == name]
            if name and wires and not layer.many:
                return DrawWire(self, at, wires[0].source, "", edge=wires[0])
            return DrawWire(self, at, node_id, name)
        item = self.board.node_at(at.scene)
        if item is not None:
            return MoveNodes(self, at, item.node_id)
        wire = self.board.edge_at(at.scene)
        if wire is not None:
            return PressWire(self, at, wire)
        return RubberBand(self, at)

    def _flush_move(self) -> None:
        """Handle the latest of the mouse moves that came meanwhile."""
        self._move_timer.stop()
        at, self._pending = self._pending, None
        if at is None:
            return
        # the view may have been panned since; the pixel counts
        at = Pointer(at.view, self.scene_at(at.view), at.modifiers)
        if self._gesture is not None:
            self._gesture.move(at)
        else:
            self._hover(at.scene)

    def _hover(self, at: QPointF) -> None:
        port = self.board.port_at(at)
        item = self.board.nodes.get(port[0]) if port is not None else self.board.node_at(at)
        self.board.hover(item if item is not None else self.board.edge_at(at))
        for node in (self._hot,) if self._hot is not None else ():
            if node in self.board.nodes and (port is None or port[0] != node):
                self.board.nodes[node].set_hot_port(None)
        self._hot = port[0] if port is not None else None
        if port is not None:
            self.board.nodes[port[0]].set_hot_port(port[1])
        self._show_cursor()

    _hot: str | None = None

    def _show_cursor(self) -> None:
        if self._gesture is not None and self._gesture.cursor is not None:
            shape = self._gesture.cursor
        elif self._space:
            shape = Qt.CursorShape.OpenHandCursor
        elif self._gesture is None and self._hot is not None:
            shape = Qt.CursorShape.CrossCursor
        else:
            shape = Qt.CursorShape.ArrowCursor
        if self.viewport().cursor().shape() != shape:
            self.viewport().setCursor(shape)

    # --- keys, wheel and pinch ---

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Tab
            and event.modifiers() == Qt.KeyboardModifier.NoModifier
        ):
            self.open_menu_by_key()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, arrows = (
            event.key(),
            {
                Qt.Key.Key_Left: (-GRID, 0),
                Qt.Key.Key_Right: (GRID, 0),
                Qt.Key.Key_Up: (0, -GRID),
                Qt.Key.Key_Down: (0, GRID),
            },
        )
        if key == Qt.Key.Key_Space:
            if not event.isAutoRepeat() and self._gesture is None:
                self._space, self._space_used = True, False
                self._show_cursor()
        elif key == Qt.Key.Key_Escape:
            if self._gesture is not None:
                self.cancel_gesture()
            else:
                self.clear_selection()
        elif key in arrows and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.walk(Qt.Key(key))
        elif key in arrows:
            factor = 5 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            self.nudge(arrows[key][0] * factor, arrows[key][1] * factor)
        else:
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat() and self._space:
            self._space = False
            if not self._space_used and self._gesture is None:
                self.open_menu_by_key()
            self._show_cursor()
        else:
            event.ignore()

    def clear_selection(self) -> None:
        self.board.select_edges(())
        self.document.select(())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._space = False
        super().focusOutEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        pixels, ctrl = event.pixelDelta(), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if not pixels.isNull() and not ctrl and event.phase() != Qt.ScrollPhase.NoScrollPhase:
            self.pan(QPointF(pixels))
        else:
            turned = event.angleDelta().y() or event.angleDelta().x()
            self.zoom_at(event.position(), 1.0015**turned)
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom_at(event.position(), 1 + event.value())
            return True
        if isinstance(event, QGestureEvent):
            pinch = event.gesture(Qt.GestureType.PinchGesture)
            if isinstance(pinch, QPinchGesture):
                self.zoom_at(QPointF(self.viewport().mapFromGlobal(pinch.centerPoint().toPoint())), pinch.scaleFactor())
                return True
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._tooltip(event)
            return True
        if event.type() == QEvent.Type.Leave:
            self.board.hover(None)
        return super().viewportEvent(event)

    def _tooltip(self, event: QHelpEvent) -> None:
        """The sentence of a problem, the name of a port, or what a node cannot show whole."""
        at = self.scene_at(QPointF(event.pos()))
        port, item, text = self.board.port_at(at), self.board.node_at(at), ""
        if item is not None and item.face.problem:
            text = item.face.problem
        elif port is not None:
            layer = self.document.graph.node(port[0]).layer
            text = (
                "Output: drag a wire from here"
                if port[1] == ""
                else f"Input “{port[1]}”"
                if len(layer.ports) > 1
                else "Input"
            )
        elif item is not None and (is_elided(item.face) or self.zoom < 0.7):
            text = description(item.face)
        elif item is None and (wire := self.board.edge_at(at)) is not None:
            text = self._wire_text(wire)
        if text:
            QToolTip.showText(event.globalPos(), text, self.viewport())
        else:
            QToolTip.hideText()

    def _wire_text(self, wire: EdgeItem) -> str:
        found = [p.text for p in self.document.checked.problems if p.edge == wire.edge]
        graph = self.document.graph
        shape = self.document.checked.shapes.get(wire.edge.source)
        names = f"{graph.node(wire.edge.source).title} to {graph.node(wire.edge.target).title}"
        return "\n".join([f"{names}: {shape.lettered}" if shape is not None else names, *found])

    # --- drops ---

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        kind = bytes(event.mimeData().data(MIME).data()).decode("utf-8", "replace")
        if kind in Layer.registry:
            self._drop = LayerDrop(self, Layer.registry[kind])
            self._drop.move(self.scene_at(event.position()))
            event.acceptProposedAction()
        elif _files(event.mimeData()):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if self._drop is not None:
            self._drop.move(self.scene_at(event.position()))
        event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        if self._drop is not None:
            self._drop.leave()
            self._drop = None

    def dropEvent(self, event: QDropEvent) -> None:
        drop, self._drop = self._drop, None
        if drop is not None:
            drop.drop(self.scene_at(event.position()))
            self.setFocus()
            event.acceptProposedAction()
        elif files := _files(event.mimeData()):
            self.files_dropped.emit(files)
            event.acceptProposedAction()

    # --- menus ---

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        from nndesigner.ui.canvas.context_menu import menu_for

        at = self.scene_at(QPointF(event.pos()))
        if event.reason() == QContextMenuEvent.Reason.Keyboard and self.document.selection:
            at = self.board.extent(self.document.selection[-1:]).center()
        menu = menu_for(self, at)
        menu.popup(self.viewport().mapToGlobal(self.viewportTransform().map(at).toPoint()))

    # --- following ---

    def _document_changed(self, old: object, new: object) -> None:
        graph = self.document.graph
        if self._gesture is not None and not self._gesture.survives(graph):
            self.cancel_gesture()
        if self._drop is not None and self._drop.layer is None:
            self._drop.leave()
        if self._hot is not None and self._hot not in graph.by_id:
            self._hot = None
        self.empty.setVisible(not graph.nodes)
        self.minimap.follow()

    def _theme_changed(self) -> None:
        self._dots = None
        self.viewport().update()

    def _settle(self) -> None:
        self.board.settled = True
        seen = self.visible_area().adjusted(-NODE_W, -NODE_W, NODE_W, NODE_W)
        near = set(self.board.nodes_in(seen))
        for node_id, item in self.board.nodes.items():
            if node_id not in near:
                item.forget_pixels()
        self.viewport().update()

    def _end_refusal(self) -> None:
        self._refusal_timer.stop()
        if self._refusal is not None:
            self.board.removeItem(self._refusal)
            self._refusal = None

    def _select_and_show(self, node_id: str) -> None:
        self.show_node(node_id)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, description(self.board.nodes[node_id].face)))

    def _bring_into_view(self, node_id: str) -> None:
        area = self.board.extent((node_id,)).adjusted(-24, -24, 24, 24)
        if not self.visible_area().contains(area):
            self.ensureVisible(area, 0, 0)
            self.minimap.follow()

    def _default_landing(self, layer: type[Layer]) -> adding.Landing:
        graph, chosen = self.document.graph, self.document.selection
        if len(self.board.selected_edges) == 1 and layer.ports and layer.emits:
            return adding.into_wire(graph, next(iter(self.board.selected_edges)))
        if len(chosen) == 1:
            return adding.behind(graph, layer, chosen[0])
        centre = self.visible_area().center()
        return adding.dropped(graph, layer, centre.x(), centre.y(), None)

    def _cursor_in_scene(self) -> QPointF:
        """Where the pointer is, or the middle of the view when it is elsewhere."""
        inside = not self._last.isNull() and QRectF(self.viewport().rect()).contains(self._last)
        return self.scene_at(self._last if inside else QPointF(self.viewport().rect().center()))

    def _pointer(self, event: QMouseEvent) -> Pointer:
        return Pointer(event.position(), self.scene_at(event.position()), event.modifiers())

    def _timer(self, milliseconds: int, slot: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(slot)
        return timer

    # --- painting ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.minimap.follow()
        self.empty.setGeometry(self.viewport().rect())
        if not self._placed and self.isVisible():
            self._placed = True
            self.fit()

    def hideEvent(self, event: QHideEvent) -> None:
        self.cancel_gesture()
        for timer in (self._move_timer, self._settle_timer, self._refusal_timer):
            timer.stop()
        self.board.settled = True
        self._end_refusal()
        super().hideEvent(event)

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        """The canvas and its dots, drawn in whole pixels of the screen from one tile."""
        tokens = theme.current()
        transform = painter.worldTransform()
        area = transform.mapRect(rect).toAlignedRect()
        painter.resetTransform()
        painter.fillRect(area, theme.colour(tokens.canvas))
        step = GRID * self.zoom * (1 if self.zoom >= 0.6 else 2 if self.zoom >= 0.3 else 0)
        if step:
            ratio = self.devicePixelRatioF()
            tile, cells = self._dot_tile(step, ratio), 8
            size = step * cells
            left, top = transform.dx() % size - size, transform.dy() % size - size
            first_x, first_y = int((area.left() - left) // size), int((area.top() - top) // size)
            last_x, last_y = int((area.right() - left) // size), int((area.bottom() - top) // size)
            painter.setClipRect(area)
            for row in range(first_y, last_y + 1):
                for column in range(first_x, last_x + 1):
                    painter.drawPixmap(QPoint(round(left + column * size), round(top + row * size)), tile)
            painter.setClipping(False)
        painter.setWorldTransform(transform)

    def _dot_tile(self, step: float, ratio: float) -> QPixmap:
        key = (step, ratio, theme.current().name)
        if self._dots is None or self._dots[0] != key:
            side = round(step * 8) + 2
            tile = QPixmap(round(side * ratio), round(side * ratio))
            tile.setDevicePixelRatio(ratio)
            tile.fill(Qt.GlobalColor.transparent)
            painter = QPainter(tile)
            colour, size = theme.colour(theme.current().dots), 2 if self.zoom > 0.8 else 1
            for row in range(8):
                for column in range(8):
                    painter.fillRect(QRectF(round(column * step), round(row * step), size, size), colour)
            painter.end()
            self._dots = (key, tile)
        return self._dots[1]


def _files(mime: object) -> list[Path]:
    """Local files that a drag carries."""
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()] if mime.hasUrls() else []
