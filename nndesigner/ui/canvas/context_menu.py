"""The menus of the right mouse button: for a node, a wire and the empty canvas. All commands come from `actions.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QMenu

from nndesigner.ui.canvas.edge_item import EdgeItem

if TYPE_CHECKING:
    from nndesigner.ui.canvas.view import CanvasView


def menu_for(view: CanvasView, at: QPointF) -> QMenu:
    """The menu for what is at a point of the scene, which becomes selected. It deletes itself when closed."""
    menu = QMenu(view)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.setToolTipsVisible(True)
    node, wire = view.board.node_at(at), view.board.edge_at(at)
    if node is not None:
        if node.node_id not in view.document.selection:
            view.board.select_edges(())
            view.document.select((node.node_id,))
        _node_menu(view, menu, node.node_id)
    elif wire is not None:
        if wire.edge not in view.board.selected_edges:
            view.document.select(())
            view.board.select_edges((wire.edge,))
        _wire_menu(view, menu, wire, at)
    else:
        _canvas_menu(view, menu, at)
    return menu


def _node_menu(view: CanvasView, menu: QMenu, node_id: str) -> None:
    problems = [p for p in view.document.checked.problems if p.node == node_id]
    repairs = [r for p in problems for r in p.repairs]
    for repair in repairs:
        menu.addAction(repair.text, lambda r=repair: view.document.edit_graph(r.text, r.apply))
    if repairs:
        menu.addSeparator()
    _add(view, menu, "add_layer", "rename", "", "cut", "copy", "duplicate", "", "delete", "delete_rejoin")
    if len(view.document.selection) > 1:
        menu.addSeparator()
        _add(view, menu.addMenu("Align"), "align_left", "align_top", "align_row", "align_column")


def _wire_menu(view: CanvasView, menu: QMenu, wire: EdgeItem, at: QPointF) -> None:
    menu.addAction("Insert a layer…", lambda: view.add_menu.open(at, edge=wire.edge))
    menu.addSeparator()
    _add(view, menu, "delete")


def _canvas_menu(view: CanvasView, menu: QMenu, at: QPointF) -> None:
    menu.addAction("Add layer…\tSpace", lambda: view.add_menu.open(at))
    _add(view, menu, "paste", "", "select_all", "arrange", "", "fit", "zoom_100")


def _add(view: CanvasView, menu: QMenu, *names: str) -> None:
    for name in names:
        if name:
            menu.addAction(view.commands[name])
        else:
            menu.addSeparator()
