"""The canvas widget: shows the scene, turns mouse and keys into gestures and edits, and keeps zoom and place."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
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
    QResizeEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from nndesigner.graph.grouping import whole_groups
from nndesigner.graph.model import Edge, Graph
from nndesigner.layers import Layer
from nndesigner.ui.canvas import adding, groups, keys, pressing, ranking, tooltips
from nndesigner.ui.canvas.actions import make_actions
from nndesigner.ui.canvas.add_menu import AddMenu
from nndesigner.ui.canvas.context_menu import menu_for
from nndesigner.ui.canvas.dropping import Drops
from nndesigner.ui.canvas.empty import EmptyState
from nndesigner.ui.canvas.gestures import Gesture, Pan, Pointer
from nndesigner.ui.canvas.minimap import MiniMap
from nndesigner.ui.canvas.notes import NoteEditor
from nndesigner.ui.canvas.pictures import PictureFeed
from nndesigner.ui.canvas.plane import Plane
from nndesigner.ui.canvas.refusal import Refusal
from nndesigner.ui.canvas.renaming import TitleEditor
from nndesigner.ui.canvas.scene import CanvasScene
from nndesigner.ui.document import Document
from nndesigner.ui.runner import Runner

#: mouse moves are handled at most so often
_MOVE_MS = 8


class CanvasView(Plane):
    """The drawing surface. Knows no other panel; the window connects its signals and lists its `commands`."""

    #: files were dropped on the canvas
    files_dropped = Signal(list)
    #: a node was double-clicked below its title: its inspector is wanted
    open_wanted = Signal(str)
    #: a mouse button went down on the canvas
    pressed = Signal()

    def __init__(self, document: Document, runner: Runner | None = None, parent: QWidget | None = None) -> None:
        super().__init__(CanvasScene(document), parent)
        self.document, self.runner = document, runner
        self.setObjectName("canvas")
        self.setAccessibleName("Canvas")
        self.setAccessibleDescription(
            "The network as a drawing. Space adds a layer, Ctrl with arrow keys walks along the wires."
        )
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

        self._gesture: Gesture | None = None
        #: node with a port under the pointer
        self._hot: str | None = None
        self._drops = Drops(self)
        self._opened = document.graph
        self._space = False
        self._space_used = False
        self._pending: Pointer | None = None
        self._last = QPointF()
        self._move_timer = self.one_shot(_MOVE_MS, self.flush_moves)
        self.refusal = Refusal(self)

        self.add_menu = AddMenu(self)
        self.menu = self.add_menu.menu
        self.empty = EmptyState(self)
        self.minimap = MiniMap(self)
        self.title_editor = TitleEditor(self)
        self.note_editor = NoteEditor(self)
        self.commands = make_actions(self)
        self.pictures = PictureFeed(self, runner) if runner is not None else None

        document.changed.connect(self._document_changed)
        document.edit_failed.connect(self._edit_failed)
        document.file_changed.connect(self._file_changed)
        self._document_changed(document.design, document.design)

    # --- zoom and place ---

    def show_node(self, node_id: str) -> None:
        """Bring a node into the view, and select it. A folded group that it is in is unfolded."""
        if node_id not in self.document.graph.by_id:
            return
        group_id = self.board.drawn.hidden.get(node_id)
        if group_id is not None:
            groups.set_folded(self, (group_id,), False)
        self.look_at((node_id,))

    def look_at(self, ids: Sequence[str]) -> None:
        """Select nodes and bring them into the view as they are drawn."""
        self.document.select(ids)
        area = self.board.extent(ids).adjusted(-40, -40, 40, 40)
        if self.zoom < 0.45:
            self.set_zoom(1.0)
        if not self.visible_area().contains(area):
            self.centerOn(area.center())

    # --- edits ---

    def add_layer(self, layer: Layer | str, landing: adding.Landing | None = None) -> str | None:
        """Add a layer (or a default one of a kind) as one undo step and select it. Returns its id, None when refused.

        Without a landing it follows the selected node, or stands in the middle of the view.
        """
        if isinstance(layer, str):
            layer = Layer.registry[layer]()
        if landing is None:
            landing = self.add_menu.usual_landing(type(layer))
        made: list[str] = []
        shown = self.board.drawn

        def change(graph: Graph) -> Graph:
            graph, new = adding.add(graph, layer, landing, shown)
            made[:] = [new]
            return graph

        after = landing.edge.source if landing.edge is not None else landing.source
        after_kind = self.board.graph.node(after).layer.kind if after is not None else ""
        if not self.document.edit_graph(f"Add {layer.title}", change):
            return None
        ranking.note_use(after_kind, layer.kind)
        self.board.select_edges(())
        self.document.select(made)
        self.reveal_nodes(made)
        return made[0]

    def choose_edge(self, edge: Edge, at: Pointer) -> None:
        """Select a wire; Ctrl toggles, Shift adds."""
        if at.ctrl or at.shift:
            chosen = self.board.selected_edges
            self.board.select_edges(chosen - {edge} if at.ctrl and edge in chosen else chosen | {edge})
        else:
            self.document.select(())
            self.board.select_edges((edge,))

    def rename(self, node_id: str | None = None) -> None:
        """Edit the title of a node or a group in place. Without one, of what is selected."""
        if node_id is None:
            whole = whole_groups(self.document.graph, self.document.selection)
            alone = len(whole) == 1 and len(whole[0].members) == len(self.document.selection)
            node_id = whole[0].id if alone else next(iter(self.document.selection), None)
        if node_id is not None:
            self.reveal_nodes(groups.members_of(self, node_id))
            self.title_editor.open(node_id)

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
        self.pressed.emit()
        self.menu.dismiss()
        self.refusal.end()
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
            self._gesture = pressing.gesture_of(self, at)
        self._show_cursor()
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._last = event.position()
        self._pending = self._pointer(event)
        if not self._move_timer.isActive():
            self._move_timer.start()
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.flush_moves()
        if self._gesture is not None and event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            gesture, self._gesture = self._gesture, None
            gesture.finish(self._pointer(event))
            self._show_cursor()
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            pressing.double_clicked(self, self._pointer(event))

    def flush_moves(self) -> None:
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
        if self._hot in self.board.nodes and (port is None or port[0] != self._hot):
            self.board.nodes[self._hot].set_hot_port(None)
        self._hot = port[0] if port is not None else None
        if port is not None:
            self.board.nodes[port[0]].set_hot_port(port[1])
        self._show_cursor()

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
            self.add_menu.open_by_key()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Space:
            if not event.isAutoRepeat() and self._gesture is None:
                self._space, self._space_used = True, False
                self._show_cursor()
        elif key == Qt.Key.Key_Escape:
            if self._gesture is not None:
                self.cancel_gesture()
            else:
                self.clear_selection()
        elif key in keys.ARROWS and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            keys.walk(self, key)
        elif key in keys.ARROWS:
            keys.nudge(self, key, 5 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        else:
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat() and self._space:
            self._space = False
            if not self._space_used and self._gesture is None:
                self.add_menu.open_by_key()
            self._show_cursor()
        else:
            event.ignore()

    def clear_selection(self) -> None:
        self.board.select_note(None)
        self.board.select_edges(())
        self.document.select(())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._space = False
        super().focusOutEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = tooltips.text_at(self.board, self.scene_at(QPointF(event.pos())))
            if text:
                QToolTip.showText(event.globalPos(), text, self.viewport())
            else:
                QToolTip.hideText()
            return True
        if event.type() == QEvent.Type.Leave:
            self.board.hover(None)
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.empty.setGeometry(self.viewport().rect())

    def hideEvent(self, event: QHideEvent) -> None:
        self.cancel_gesture()
        self.menu.dismiss()
        self.title_editor.leave()
        self.note_editor.take()
        self._move_timer.stop()
        self.refusal.end()
        super().hideEvent(event)

    # --- drops ---

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self._drops.enter(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._drops.move(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._drops.leave()

    def dropEvent(self, event: QDropEvent) -> None:
        self._drops.drop(event)

    # --- menus ---

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
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
        if self._hot is not None and self._hot not in self.board.nodes:
            self._hot = None
        self.empty.setVisible(not graph.nodes and not graph.notes)
        self.minimap.follow()

    def _file_changed(self) -> None:
        """Another project was opened (no history yet): look at all of it."""
        if self.document.undo_stack.count() == 0 and self.document.graph is not self._opened:
            self._opened = self.document.graph
            self.fit()

    def _edit_failed(self, text: str) -> None:
        if self.hasFocus():  # otherwise another panel tried the edit, and tells it
            self.refusal.say(text, self.cursor_in_scene())

    def cursor_in_scene(self) -> QPointF:
        """Where the pointer is, or the middle of the view when it is elsewhere."""
        inside = not self._last.isNull() and QRectF(self.viewport().rect()).contains(self._last)
        return self.scene_at(self._last if inside else QPointF(self.viewport().rect().center()))

    def _pointer(self, event: QMouseEvent) -> Pointer:
        return Pointer(event.position(), self.scene_at(event.position()), event.modifiers())
