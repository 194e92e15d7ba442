"""The menus of the right mouse button: for a node, a wire and the empty canvas. All commands come from `actions.py`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QMenu

from nndesigner.graph.grouping import set_note
from nndesigner.graph.model import Note
from nndesigner.ui.canvas import groups, notes
from nndesigner.ui.canvas.edge_item import EdgeItem

if TYPE_CHECKING:
    from nndesigner.ui.canvas.view import CanvasView


def menu_for(view: CanvasView, at: QPointF) -> QMenu:
    """The menu for what is at a point of the scene, which becomes selected. It deletes itself when closed."""
    menu = QMenu(view)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.setToolTipsVisible(True)
    node, wire = view.board.node_at(at), view.board.edge_at(at)
    note, frame = view.board.note_at(at), view.board.frame_at(at)
    if node is not None:
        members = view.board.drawn.members(node.node_id)
        if not set(members) <= set(view.document.selection):
            view.board.select_edges(())
            view.document.select(members)
        _node_menu(view, menu, node.node_id)
    elif note is not None:
        view.board.select_note(note.note.id)
        _note_menu(view, menu, note.note)
    elif frame is not None:
        view.document.select(frame.group.members)
        _node_menu(view, menu, frame.group.id)
    elif wire is not None:
        if wire.edge not in view.board.selected_edges:
            view.document.select(())
            view.board.select_edges((wire.edge,))
        _wire_menu(view, menu, wire, at)
    else:
        _canvas_menu(view, menu, at)
    return menu


def _node_menu(view: CanvasView, menu: QMenu, item: str) -> None:
    """For a node, or for a group with all its layers."""
    members = groups.members_of(view, item)
    problems = [p for p in view.document.checked.problems if p.node in members]
    repairs = [r for p in problems for r in p.repairs]
    for repair in repairs:
        menu.addAction(repair.text, lambda r=repair: view.document.edit_graph(r.text, r.apply))
    if repairs:
        menu.addSeparator()
    _add(view, menu, "add_layer", "rename", "", "cut", "copy", "duplicate", "", "delete", "delete_rejoin")
    menu.addSeparator()
    _add(view, menu, "group", "fold", "ungroup")
    found = groups.chosen_groups(view)
    if found:
        groups.colour_menu(menu, found[0].colour, partial(groups.paint_groups, view, [g.id for g in found]))
    if len(view.board.drawn.items(view.document.selection)) > 1:
        menu.addSeparator()
        _add(view, menu.addMenu("Align"), "align_left", "align_top", "align_row", "align_column")


def _note_menu(view: CanvasView, menu: QMenu, note: Note) -> None:
    menu.addAction("Write", lambda: view.note_editor.open(note.id))
    groups.colour_menu(menu, note.colour, lambda colour: view.document.edit_graph(
        "Colour the note", lambda graph: set_note(graph, note.id, colour=colour)))
    menu.addSeparator()
    _add(view, menu, "delete")


def _wire_menu(view: CanvasView, menu: QMenu, wire: EdgeItem, at: QPointF) -> None:
    menu.addAction("Insert a layer…", lambda: view.add_menu.open(at, edge=wire.edge))
    menu.addSeparator()
    _add(view, menu, "delete")


def _canvas_menu(view: CanvasView, menu: QMenu, at: QPointF) -> None:
    menu.addAction("Add layer…\tSpace", lambda: view.add_menu.open(at))
    menu.addAction("Add note", lambda: notes.add(view, at))
    _add(view, menu, "paste", "", "select_all", "arrange", "", "fit", "zoom_100")


def _add(view: CanvasView, menu: QMenu, *names: str) -> None:
    for name in names:
        if name:
            menu.addAction(view.commands[name])
        else:
            menu.addSeparator()
