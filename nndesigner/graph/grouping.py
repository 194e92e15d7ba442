"""Edits of groups and notes: pure functions from Graph to Graph, like those of `edit`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from nndesigner.graph.edit import EditError, known_node, without_members
from nndesigner.graph.model import COLOURS, Graph, Group, Note

#: least size of a note, and the longest text of one
NOTE_W, NOTE_H, NOTE_LONGEST = 80.0, 40.0, 4000


def group(graph: Graph, ids: Collection[str], title: str = "Group", folded: bool = False) -> tuple[Graph, str]:
    """Make a group of nodes. Returns the graph and the group's id.

    Where exactly one whole group is among them, it grows; otherwise the nodes leave the groups they were in.
    """
    wanted = {known_node(graph, i).id for i in ids}
    members = tuple(n.id for n in graph.nodes if n.id in wanted)
    if not members:
        raise EditError("Select the layers that are to be a group.")
    whole = whole_groups(graph, members)
    if len(whole) == 1 and whole[0].members != members:
        grown = replace(whole[0], members=members)
        others = without_members(graph, members)
        return _with(graph, (*others, grown)), grown.id
    new = Group(f"g{graph.next_id}", members, title, folded)
    made = graph.derived(
        graph.nodes, graph.edges, graph.next_id + 1, groups=(*without_members(graph, members), new))
    return made, new.id


def ungroup(graph: Graph, ids: Collection[str]) -> Graph:
    """Take nodes out of their groups; a group of which all members are named goes away."""
    if not any(i in graph.group_of for i in ids):
        raise EditError("None of the selected layers is in a group.")
    return _with(graph, without_members(graph, set(ids)))


def set_group(graph: Graph, group_id: str, **changes: Any) -> Graph:
    """Change `title`, `folded` or `colour` of a group."""
    old = find_group(graph, group_id)
    if "title" in changes:
        changes["title"] = changes["title"].strip() or old.title
    _check_colour(changes)
    new = replace(old, **changes)
    return graph if new == old else _with(graph, tuple(new if g is old else g for g in graph.groups))


def find_group(graph: Graph, group_id: str) -> Group:
    """The group with this id. Raises EditError."""
    found = next((g for g in graph.groups if g.id == group_id), None)
    if found is None:
        raise EditError("The drawing does not have this group any more.")
    return found


def whole_groups(graph: Graph, ids: Collection[str]) -> list[Group]:
    """The groups all of whose members are named."""
    wanted = set(ids)
    return [g for g in graph.groups if wanted.issuperset(g.members)]


# --- notes ---


def add_note(graph: Graph, x: float, y: float, text: str = "") -> tuple[Graph, str]:
    """Put a note on the canvas. Returns the graph and its id."""
    note = Note(f"t{graph.next_id}", text, float(x), float(y))
    return graph.derived(graph.nodes, graph.edges, graph.next_id + 1, notes=(*graph.notes, note)), note.id


def set_note(graph: Graph, note_id: str, **changes: Any) -> Graph:
    """Change text, place, size or colour of a note. It keeps its least size."""
    old = find_note(graph, note_id)
    _check_colour(changes)
    if len(changes.get("text", "")) > NOTE_LONGEST:
        raise EditError(f"A note holds at most {NOTE_LONGEST} letters.")
    new = replace(old, **changes)
    new = replace(new, w=max(new.w, NOTE_W), h=max(new.h, NOTE_H))
    if new == old:
        return graph
    notes = tuple(new if n is old else n for n in graph.notes)
    return graph.derived(graph.nodes, graph.edges, graph.next_id, notes=notes)


def remove_note(graph: Graph, note_id: str) -> Graph:
    """Take a note away."""
    old = find_note(graph, note_id)
    return graph.derived(graph.nodes, graph.edges, graph.next_id, notes=tuple(n for n in graph.notes if n is not old))


def find_note(graph: Graph, note_id: str) -> Note:
    """The note with this id. Raises EditError."""
    found = next((n for n in graph.notes if n.id == note_id), None)
    if found is None:
        raise EditError("The drawing does not have this note any more.")
    return found


# --- inside ---


def _with(graph: Graph, groups: tuple[Group, ...]) -> Graph:
    return graph.derived(graph.nodes, graph.edges, graph.next_id, groups=groups)


def _check_colour(changes: dict[str, Any]) -> None:
    if changes.get("colour") not in (None, "", *COLOURS):
        raise EditError(f"There is no colour '{changes['colour']}'.")
