"""What the canvas does with groups: make, dissolve, fold, colour. All of it is an edit of the document."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial, reduce
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from nndesigner.graph import folding, grouping
from nndesigner.graph.model import COLOURS, Graph, Group
from nndesigner.ui import icons, theme
from nndesigner.ui.canvas.gestures import Gesture, Pointer

if TYPE_CHECKING:
    from nndesigner.ui.canvas.view import CanvasView


class PressFold(Gesture):
    """A press on a frame's button folds the group when it is let go there."""

    def __init__(self, view: CanvasView, start: Pointer, group_id: str) -> None:
        super().__init__(view, start)
        self._group = group_id

    def finish(self, at: Pointer) -> None:
        frame = self.board.frames.get(self._group)
        if frame is not None and frame.button_area.contains(at.scene):
            set_folded(self.view, (self._group,), True)


def chosen_groups(view: CanvasView) -> list[Group]:
    """The groups of the selected nodes."""
    graph = view.document.graph
    return list({graph.group_of[i].id: graph.group_of[i] for i in view.document.selection if i in graph.group_of}
                .values())


def members_of(view: CanvasView, item: str) -> tuple[str, ...]:
    """The nodes of a group, or the node itself."""
    group = next((g for g in view.document.graph.groups if g.id == item), None)
    return group.members if group is not None else (item,)


def make(view: CanvasView) -> None:
    """Group the selected nodes."""
    ids = view.document.selection
    view.document.edit_graph("Group layers", lambda graph: grouping.group(graph, ids)[0])


def dissolve(view: CanvasView) -> None:
    """Take the selected nodes out of their groups."""
    ids = view.document.selection
    view.document.edit_graph("Ungroup layers", lambda graph: grouping.ungroup(graph, ids))


def toggle(view: CanvasView) -> None:
    """Fold the groups of the selection; unfold them when all are folded."""
    found = chosen_groups(view)
    set_folded(view, [g.id for g in found], not all(g.folded for g in found))


def set_folded(view: CanvasView, ids: Iterable[str], folded: bool) -> None:
    """Fold or unfold groups as one undo step; their layers are then selected."""
    ids = tuple(ids)
    found = [grouping.find_group(view.document.graph, i) for i in ids]
    what = found[0].title if len(found) == 1 else f"{len(found)} groups"
    change = folding.fold if folded else folding.unfold
    members = [i for g in found for i in g.members]

    def all_of(graph: Graph) -> Graph:
        return reduce(change, ids, graph)

    if view.document.edit_graph(f"{'Fold' if folded else 'Unfold'} {what}", all_of):
        view.board.select_edges(())
        view.document.select(members)
        view.reveal_nodes(members)


def colour_menu(menu: QMenu, chosen: str, choose: object) -> None:
    """Entries for the colours of a group or a note; `choose` is called with the name of one."""
    colours = menu.addMenu("Colour")
    for name in COLOURS:
        action = colours.addAction(name.capitalize(), partial(choose, name))
        action.setIcon(icons.icon("mdi6.circle", theme.group_colour(theme.MARKS[name]), 16))
        action.setCheckable(True)
        action.setChecked(name == (chosen or "grey"))


def paint_groups(view: CanvasView, ids: Iterable[str], colour: str) -> None:
    """Give groups a colour."""
    ids = tuple(ids)
    view.document.edit_graph("Colour the group", lambda graph: reduce(
        lambda g, i: grouping.set_group(g, i, colour=colour), ids, graph))
