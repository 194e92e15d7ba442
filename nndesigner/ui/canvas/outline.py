"""The drawing as a tree, for keyboard and screen reader: every layer with its wires, selected as on the canvas."""

from __future__ import annotations

from collections import defaultdict

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QTreeView, QVBoxLayout, QWidget

from nndesigner.graph.check import Problem
from nndesigner.graph.model import Edge, Graph, Group
from nndesigner.ui import icons, theme
from nndesigner.ui.canvas.face import description, face_of
from nndesigner.ui.document import Document

_NODE = Qt.ItemDataRole.UserRole
_OTHER = Qt.ItemDataRole.UserRole + 1


class Outline(QWidget):
    """Tree of layers in the order of the network. Enter or a double click on a wire goes to its other end."""

    #: a node that the canvas should bring into view
    show_wanted = Signal(str)

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self._model = QStandardItemModel(self)
        self._items: dict[str, QStandardItem] = {}
        self.tree = QTreeView()
        self.tree.setModel(self._model)
        self.tree.setHeaderHidden(True)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.tree.setUniformRowHeights(True)
        self.tree.setExpandsOnDoubleClick(False)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.tree.setAccessibleName("Outline of the network")
        self.tree.setAccessibleDescription("Every layer, with the wires that enter and leave it")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tree)
        self.setFocusProxy(self.tree)
        #: faces by node and the wires, as they are listed
        self._shown: tuple = ()
        self.tree.selectionModel().selectionChanged.connect(self._chosen)
        self.tree.activated.connect(lambda index: self._go(self._model.itemFromIndex(index)))
        document.changed.connect(self.refresh)
        document.checked_changed.connect(self.refresh)
        document.selection_changed.connect(self._show_selection)
        theme.notifier.changed.connect(self._recolour)
        self.refresh()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Build the tree anew where words changed. Nothing is done while it is hidden."""
        if not self.isVisible():
            return
        graph, checked = self._document.graph, self._document.checked
        order = {node_id: n for n, node_id in enumerate(checked.order)}
        nodes = sorted(graph.nodes, key=lambda n: (order.get(n.id, len(order)), n.y, n.x))
        problems: dict[str | None, list[Problem]] = defaultdict(list)
        for problem in checked.problems:
            problems[problem.node].append(problem)
        faces = [(n, face_of(n, checked, problems[n.id])) for n in nodes]
        shown = (tuple((n.id, f) for n, f in faces), graph.edges, tuple((g.members, g.title) for g in graph.groups))
        if shown == self._shown:
            return
        self._shown = shown
        folded = {i for i, item in self._items.items() if not self.tree.isExpanded(item.index())}
        folded.update(g.id for g in graph.groups if g.folded and g.id not in self._items)
        with QSignalBlocker(self.tree.selectionModel()):
            self._model.clear()
            self._items.clear()
            for node, face in faces:
                item = QStandardItem(f"{face.title}   {face.shape}" if face.shape != "—" else face.title)
                item.setData(node.id, _NODE)
                words = description(face) + (f". {face.severity}: {face.problem}" if face.problem else "")
                item.setData(words, Qt.ItemDataRole.AccessibleTextRole)
                item.setToolTip(face.problem or words)
                self._items[node.id] = item
                for edge in (*graph.incoming[node.id], *graph.outgoing[node.id]):
                    item.appendRow(_wire_row(graph, edge, node.id))
                group = graph.group_of.get(node.id)
                if group is not None and group.id not in self._items:
                    self._items[group.id] = _group_row(group)
                    self._model.appendRow(self._items[group.id])
                (self._model if group is None else self._items[group.id]).appendRow(item)
            for item_id, item in self._items.items():
                self.tree.setExpanded(item.index(), item_id not in folded)
        self._recolour()
        self._show_selection()

    def _show_selection(self) -> None:
        model = self.tree.selectionModel()
        chosen = QItemSelection()
        for node_id in self._document.selection:
            if node_id in self._items:
                index = self._items[node_id].index()
                chosen.select(index, index)
        with QSignalBlocker(model):
            model.select(chosen, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            if not chosen.isEmpty():
                model.setCurrentIndex(chosen.indexes()[-1], QItemSelectionModel.SelectionFlag.NoUpdate)
        self.tree.viewport().update()

    def _chosen(self, *_: object) -> None:
        items = [self._model.itemFromIndex(index) for index in self.tree.selectionModel().selectedIndexes()]
        self._document.select(dict.fromkeys(node for item in items for node in self._nodes(item)))

    def _go(self, item: QStandardItem) -> None:
        nodes = (item.data(_OTHER),) if item.data(_OTHER) else self._nodes(item)
        self.show_wanted.emit(nodes[0])
        self._document.select(nodes)

    def _nodes(self, item: QStandardItem) -> tuple[str, ...]:
        """The layers that a row stands for."""
        group = next((g for g in self._document.graph.groups if g.id == item.data(_NODE)), None)
        return group.members if group is not None else (item.data(_NODE),)

    def _recolour(self) -> None:
        tokens = theme.current()
        for node_id, face in self._shown[0] if self._shown else ():
            name, colour = {
                "error": ("mdi6.alert-circle", tokens.wrong),
                "warning": ("mdi6.alert", tokens.warning),
            }.get(face.severity, (face.icon, theme.group_colour(face.group)))
            self._items[node_id].setIcon(icons.icon(name, colour))
        for group in self._document.graph.groups:
            if group.id in self._items:
                self._items[group.id].setIcon(icons.icon("mdi6.group", tokens.muted))


def _group_row(group: Group) -> QStandardItem:
    row = QStandardItem(f"{group.title}   {len(group.members)} layers")
    row.setData(group.id, _NODE)
    row.setData(f"group {group.title} of {len(group.members)} layers", Qt.ItemDataRole.AccessibleTextRole)
    return row


def _wire_row(graph: Graph, edge: Edge, node_id: str) -> QStandardItem:
    """A wire as seen from one of its ends."""
    comes = edge.target == node_id
    other = graph.node(edge.source if comes else edge.target)
    port = f" ({edge.port})" if comes and len(graph.node(node_id).layer.ports) > 1 else ""
    row = QStandardItem(f"{'←' if comes else '→'}  {other.title}{port}")
    row.setData(node_id, _NODE)
    row.setData(other.id, _OTHER)
    row.setData(f"{'fed by' if comes else 'feeds'} {other.title}{port}", Qt.ItemDataRole.AccessibleTextRole)
    return row
