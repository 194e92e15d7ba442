"""Every command of the canvas, in one place: menus, context menus and the command palette list them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence

from nndesigner.graph import edit, grouping, layout
from nndesigner.graph.model import Graph
from nndesigner.ui import icons, theme
from nndesigner.ui.canvas import clipboard, groups, notes

if TYPE_CHECKING:
    from nndesigner.ui.canvas.view import CanvasView

_EMPTY = "The canvas is empty."
_NOTHING = "Select a layer first."
_NOTHING_WIRED = "Select a layer or a wire first."
_TWO = "Select at least two layers first."


def make_actions(view: CanvasView) -> dict[str, QAction]:
    """Name -> action, in the order of a menu. They act on the view's selection and follow it; the disabled say why."""
    return _Actions(view).by_name


class _Actions(QObject):
    """Makes the actions and keeps them up to date."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view)
        self._view, self._document = view, view.document
        self.by_name: dict[str, QAction] = {}
        self._tips: dict[str, str] = {}
        self._needs: dict[str, Callable[[], str]] = {}
        keys = QKeySequence.StandardKey
        add = self._add
        add("add_layer", "Add layer…", "mdi6.plus", "", "Search a layer and add it (Space)", view.add_menu.open_by_key)
        add(
            "cut",
            "Cut",
            "mdi6.content-cut",
            keys.Cut,
            "Copy the selected layers and delete them",
            self._cut,
            self._any_node,
        )
        add("copy", "Copy", "mdi6.content-copy", keys.Copy, "Copy the selected layers", self._copy, self._any_node)
        add("paste", "Paste", "mdi6.content-paste", keys.Paste, "Add the layers in the clipboard", self._paste)
        add(
            "duplicate",
            "Duplicate",
            "mdi6.content-duplicate",
            "Ctrl+D",
            "Copy the selected layers beside themselves",
            self._duplicate,
            self._any_node,
        )
        add(
            "delete",
            "Delete",
            "mdi6.delete-outline",
            "Delete",
            "Delete the selected layers and wires",
            partial(self._delete, False),
            self._anything,
        )
        add(
            "delete_rejoin",
            "Delete and rejoin",
            "mdi6.vector-link",
            "Backspace",
            "Delete the selected layers and wire what came before them to what came after",
            partial(self._delete, True),
            self._anything,
        )
        add(
            "rename",
            "Rename",
            "mdi6.rename-outline",
            "F2",
            "Give the selected layer a name of your own",
            lambda: view.rename(),
            self._one_node,
        )
        add(
            "select_all",
            "Select all",
            "mdi6.select-all",
            keys.SelectAll,
            "Select every layer",
            lambda: self._document.select(n.id for n in self._document.graph.nodes),
            self._not_empty,
        )
        add(
            "group",
            "Group",
            "mdi6.group",
            "Ctrl+G",
            "Draw a titled frame around the selected layers, which can be folded into one box",
            lambda: groups.make(view),
            self._any_node,
        )
        add(
            "ungroup",
            "Ungroup",
            "mdi6.ungroup",
            "Ctrl+Shift+G",
            "Take the selected layers out of their group",
            lambda: groups.dissolve(view),
            self._grouped,
        )
        add(
            "fold",
            "Fold or unfold",
            "mdi6.unfold-more-horizontal",
            "G",
            "Draw the group of the selected layers as one box, or its layers again",
            lambda: groups.toggle(view),
            self._grouped,
        )
        note = partial(notes.add, view)
        add("add_note", "Add note", "mdi6.note-plus-outline", "N", "Write a note on the canvas", note)
        add(
            "arrange",
            "Arrange",
            "mdi6.auto-fix",
            "Ctrl+L",
            "Place all layers in reading order",
            self._arrange,
            self._not_empty,
        )
        add(
            "align_left",
            "Align left edges",
            "mdi6.align-horizontal-left",
            "",
            "Put the selected layers one below another, left edges in line",
            partial(self._align, "left"),
            self._two_nodes,
        )
        add(
            "align_top",
            "Align top edges",
            "mdi6.align-vertical-top",
            "",
            "Put the selected layers on one height",
            partial(self._align, "top"),
            self._two_nodes,
        )
        add(
            "align_row",
            "Line up as a row",
            "mdi6.distribute-horizontal-left",
            "",
            "Put the selected layers in a row with even gaps",
            partial(self._align, "row"),
            self._two_nodes,
        )
        add(
            "align_column",
            "Line up as a column",
            "mdi6.distribute-vertical-top",
            "",
            "Put the selected layers in a column with even gaps",
            partial(self._align, "column"),
            self._two_nodes,
        )
        add(
            "fit",
            "Fit to window",
            "mdi6.fit-to-screen-outline",
            "F",
            "Show the whole network",
            lambda: view.fit(),
            self._not_empty,
        )
        add("zoom_100", "Zoom to 100 %", "mdi6.magnify", "Ctrl+0", "Show layers at their own size", view.reset_zoom)
        add(
            "zoom_in",
            "Zoom in",
            "mdi6.magnify-plus-outline",
            keys.ZoomIn,
            "Show layers larger",
            lambda: view.set_zoom(view.zoom * 1.25),
        )
        add(
            "zoom_out",
            "Zoom out",
            "mdi6.magnify-minus-outline",
            keys.ZoomOut,
            "Show more of the network",
            lambda: view.set_zoom(view.zoom / 1.25),
        )
        self._document.selection_changed.connect(self._refresh)
        self._document.changed.connect(self._refresh)
        view.board.edges_selected.connect(self._refresh)
        theme.notifier.changed.connect(self._recolour)
        self._recolour()
        self._refresh()

    def _add(
        self,
        name: str,
        text: str,
        icon: str,
        keys: QKeySequence.StandardKey | str,
        tip: str,
        do: Callable[[], object],
        needs: Callable[[], str] = lambda: "",
    ) -> None:
        action = QAction(text, self._view)
        action.setObjectName(name)
        action.setProperty("icon_name", icon)
        if keys:
            action.setShortcuts(
                QKeySequence.keyBindings(keys) if isinstance(keys, QKeySequence.StandardKey) else [QKeySequence(keys)]
            )
        # only while the canvas itself has the keyboard: Delete in a text field is the text field's
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(lambda _checked=False: do())
        self._view.addAction(action)
        self.by_name[name] = action
        self._tips[name], self._needs[name] = tip, needs

    # --- what must be there ---

    def _any_node(self) -> str:
        return "" if self._document.selection else _NOTHING

    def _one_node(self) -> str:
        one = len(self._view.board.drawn.items(self._document.selection)) == 1
        graph, chosen = self._document.graph, self._document.selection
        whole = grouping.whole_groups(graph, chosen)
        one = one or (len(whole) == 1 and len(whole[0].members) == len(chosen))
        return "" if one else "Select one layer or group first."

    def _grouped(self) -> str:
        return "" if groups.chosen_groups(self._view) else "Select a layer of a group first."

    def _two_nodes(self) -> str:
        return "" if len(self._document.selection) >= 2 else _TWO

    def _anything(self) -> str:
        board = self._view.board
        return "" if self._document.selection or board.selected_edges or board.selected_note else _NOTHING_WIRED

    def _not_empty(self) -> str:
        return "" if self._document.graph.nodes else _EMPTY

    def _refresh(self, *_: object) -> None:
        for name, action in self.by_name.items():
            reason = self._needs[name]()
            action.setEnabled(not reason)
            shortcut = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            action.setToolTip(reason or (f"{self._tips[name]} ({shortcut})" if shortcut else self._tips[name]))
            action.setStatusTip(reason or self._tips[name])

    def _recolour(self) -> None:
        tokens = theme.current()
        for action in self.by_name.values():
            action.setIcon(icons.icon(action.property("icon_name"), tokens.muted, 16, tokens.faint))

    # --- doing ---

    def _copy(self) -> None:
        clipboard.put(edit.copy_part(self._document.graph, self._document.selection))

    def _cut(self) -> None:
        self._copy()
        ids = self._document.selection
        self._document.edit_graph(f"Cut {_many(self._document.graph, ids)}", lambda g: edit.remove_nodes(g, ids))

    def _paste(self) -> None:
        clip = clipboard.take()
        if clip is None:
            self._view.refusal.say(
                "The clipboard holds no layers.", self._view.scene_at(self._view.viewport().rect().center().toPointF())
            )
            return
        self._put("Paste layers", clip)

    def _duplicate(self) -> None:
        ids = self._document.selection
        self._put(f"Duplicate {_many(self._document.graph, ids)}", edit.copy_part(self._document.graph, ids))

    def _put(self, text: str, clip: dict) -> None:
        dx, dy = clipboard.offset(clip, self._document.graph, self._view.visible_area())
        made: list[str] = []

        def change(graph: Graph) -> Graph:
            graph, ids = edit.paste(graph, clip, dx, dy)
            made[:] = ids
            return graph

        if self._document.edit_graph(text, change):
            self._view.board.select_edges(())
            self._document.select(made)

    def _delete(self, rejoin: bool) -> None:
        ids, board = self._document.selection, self._view.board
        edges, shown, note = sorted(board.selected_edges), board.drawn, board.selected_note
        if note is not None:
            self._document.edit_graph("Delete the note", lambda graph: grouping.remove_note(graph, note))
            return

        def change(graph: Graph) -> Graph:
            for edge in edges:
                graph = shown.disconnect(graph, edge)
            return edit.remove_nodes(graph, ids, rejoin)

        what = _many(self._document.graph, ids) if ids else "the wire" if len(edges) == 1 else f"{len(edges)} wires"
        self._document.edit_graph(f"Delete {what}", change)

    def _arrange(self) -> None:
        if self._document.edit_graph("Arrange", layout.arrange):
            self._view.fit()

    def _align(self, how: str) -> None:
        ids = self._document.selection
        self._document.edit_graph("Align layers", lambda graph: edit.align(graph, ids, how))


def _many(graph: Graph, ids: tuple[str, ...]) -> str:
    """The node's title, or how many there are."""
    return graph.node(ids[0]).title if len(ids) == 1 else f"{len(ids)} layers"
