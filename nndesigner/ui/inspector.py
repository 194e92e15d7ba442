"""The inspector: what the chosen layer does, its parameters, what comes out of it, and what it has learned."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import reduce
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from nndesigner.graph import edit
from nndesigner.graph.model import Graph, Node, Placeholder
from nndesigner.spec import DataField
from nndesigner.ui import icons, numbers, theme
from nndesigner.ui.document import Document
from nndesigner.ui.form import Choice, Choices, Form
from nndesigner.ui.inspector_live import LearnedView
from nndesigner.ui.parts import Column, ElidedLabel, Fold, button, clear, heading, label, margins, rule
from nndesigner.ui.problems import ProblemRow
from nndesigner.ui.runner import Runner
from nndesigner.ui.stylesheet import role


class Inspector(QWidget):
    """Shows one layer, several, or the whole network when none is chosen."""

    def __init__(self, document: Document, runner: Runner) -> None:
        super().__init__()
        self._document = document
        role(self, "panel")
        layout = QVBoxLayout(self)
        margins(layout, 0, gap=0)
        self._column = Column(14, 12, 14, 12, gap=8)
        layout.addWidget(self._column)
        content = self._column.content

        self.title = QLineEdit()
        role(self.title, "plain")
        self.title.setAccessibleName("Name of the layer")
        self.title.setTextMargins(-6, 0, 0, 0)
        self.title.setToolTip("Click to rename the layer")
        self.title.textEdited.connect(self._rename)
        self.title.editingFinished.connect(self.refresh)
        self.heading = label("", "title")
        self.about = label("", "caption", wrap=True)
        self.form = Form(Choices(fields=self._fields, fits=self._fits))
        self.form.changed.connect(self._set)
        self._problems = QVBoxLayout()
        margins(self._problems, 0, gap=4)
        self._facts = Facts()
        self._live = LearnedView(document, runner)
        self._help = Fold("More about this layer")
        self._help_text = label("", "caption", wrap=True)
        self._help_text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._help.body.addWidget(self._help_text)
        self._overview = Overview(document)
        self._rule = rule()

        head = QVBoxLayout()
        margins(head, 0, gap=2)
        for widget in (self.title, self.heading, self.about):
            head.addWidget(widget)
        content.addLayout(head)
        content.addLayout(self._problems)
        content.addSpacing(4)
        content.addWidget(self.form)
        content.addWidget(self._rule)
        content.addWidget(self._facts)
        content.addWidget(self._live)
        content.addWidget(self._help)
        content.addWidget(self._overview)
        content.addStretch(1)
        content.setSpacing(10)

        document.selection_changed.connect(self.refresh)
        document.checked_changed.connect(self.refresh)
        document.changed.connect(lambda *_: self.refresh())
        self.refresh()

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The chosen layers."""
        return tuple(self._document.graph.by_id[i] for i in self._document.selection)

    def refresh(self) -> None:
        """Show what is chosen now."""
        nodes = self.nodes
        known = [n for n in nodes if not isinstance(n.layer, Placeholder)]
        one = nodes[0] if len(nodes) == 1 else None
        self._show_title(nodes)
        alike = len({type(n.layer) for n in known}) == 1
        self.form.setVisible(alike)
        self.form.show_model(*(n.layer for n in known if alike))
        self._show_problems(nodes)
        for widget in (self._facts, self._help, self._rule):
            widget.setVisible(one is not None)
        self._overview.setVisible(not nodes)
        if one is not None:
            self._facts.show_rows(node_facts(self._document, one), "Output")
            text = rest_of_docstring(one.layer)
            self._help_text.setText(text)
            self._help.setVisible(bool(text))
        self._live.show_node(one)
        if not nodes:
            self._overview.refresh()

    def _show_title(self, nodes: Sequence[Node]) -> None:
        one = nodes[0] if len(nodes) == 1 else None
        self.title.setVisible(one is not None)
        self.heading.setVisible(one is None)
        if one is not None:
            if not self.title.hasFocus():
                with QSignalBlocker(self.title):
                    self.title.setText(one.title)
            self.title.setPlaceholderText(one.layer.title)
            kind = f"{one.layer.title} · " if one.name else ""
            self.about.setText(kind + first_line(one.layer))
        elif nodes:
            kinds = dict.fromkeys(n.layer.title for n in nodes)
            group = self._document.graph.group_of.get(nodes[0].id)
            whole = group is not None and set(group.members) == {n.id for n in nodes}
            self.heading.setText(f"{group.title}: {len(nodes)} layers" if whole else f"{len(nodes)} layers")
            hint = "Changes apply to all of them." if len(kinds) == 1 else "Layers of one kind can be changed together."
            self.about.setText(f"{', '.join(kinds)}. {hint}")
        else:
            self.heading.setText("Network")
            self.about.setText("Choose a layer to see and change what it does." if self._document.graph.nodes else
                               "Drag layers from the left, or press Space on the canvas.")

    def _show_problems(self, nodes: Sequence[Node]) -> None:
        clear(self._problems)
        ids = {n.id for n in nodes}
        for problem in self._document.checked.problems:
            if problem.node in ids and len(nodes) == 1:
                self._problems.addWidget(ProblemRow(self._document, problem, jumps=False))

    def _rename(self, text: str) -> None:
        node = self.nodes[0]
        name = "" if text.strip() == node.layer.title else text.strip()
        self._document.edit_graph(f"Rename {node.title}", lambda g: edit.rename(g, node.id, name), f"rename {node.id}")

    def _set(self, name: str, value: Any, merge_key: str | None) -> None:
        nodes = [n for n in self.nodes if not isinstance(n.layer, Placeholder)]
        title = type(nodes[0].layer).model_fields[name].title
        what = nodes[0].title if len(nodes) == 1 else f"{len(nodes)} layers"

        def change(graph: Graph) -> Graph:
            return reduce(lambda g, n: edit.set_params(g, n.id, **{name: value}), nodes, graph)

        self._document.edit_graph(f"Set {title} of {what}", change, merge_key)

    def _fields(self, kind: str) -> list[Choice]:
        signature = self._document.checked.signature
        fields = signature.inputs if kind.startswith("input.") else (*signature.targets, *signature.inputs)
        return [("", "automatic", ""), *((f.name, field_words(f), "") for f in fields)]

    def _fits(self, cls: type) -> str:
        """Why a loss does not suit the chosen Output's task; empty when it does."""
        heads = self._document.checked.heads
        task = next((heads[n.id].task for n in self.nodes if n.id in heads), None)
        tasks = getattr(cls, "tasks", None)
        return "" if task is None or tasks is None or task in tasks else f"This is not for {task}."


class Facts(QWidget):
    """A heading and rows of a name at the left, a value at the right."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        margins(self._grid, 0, gap=9)
        self._rows: tuple[tuple[str, str, str], ...] = ()

    def show_rows(self, rows: tuple[tuple[str, str, str], ...], title: str) -> None:
        """Rows of (name, value, tooltip)."""
        if rows == self._rows:
            return
        self._rows = rows
        clear(self._grid)
        self._grid.addWidget(heading(title), 0, 0, 1, 2)
        for index, (name, value, tip) in enumerate(rows, 1):
            left, right = label(name, "muted"), ElidedLabel(value)
            role(right, "value")
            right.setAlignment(Qt.AlignmentFlag.AlignRight)
            left.setToolTip(tip)
            self._grid.addWidget(left, index, 0)
            self._grid.addWidget(right, index, 1)
        self._grid.setColumnStretch(1, 1)


class Overview(QWidget):
    """The whole network in figures, and its layers in the order of computing."""

    #: rows of layers that are made; more are counted
    MOST = 40

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        layout = QVBoxLayout(self)
        margins(layout, 0, gap=8)
        self._facts = Facts()
        self._list = QVBoxLayout()
        margins(self._list, 0, gap=0)
        layout.addWidget(self._facts)
        layout.addSpacing(4)
        self._rule = rule()
        layout.addWidget(self._rule)
        layout.addLayout(self._list)
        self._shown: object = None

    def refresh(self) -> None:
        """Bring the figures up to date."""
        checked = self._document.checked
        parameters = sum(checked.parameters.values())
        self.setVisible(bool(checked.graph.nodes))
        self._facts.show_rows((
            ("Layers", str(len(checked.graph.nodes)), ""),
            ("Parameters", numbers.count(parameters), f"{numbers.exact(parameters)} numbers that training changes"),
            ("Multiply-adds", numbers.count(sum(checked.multiply_adds.values())), "For one sample, forward"),
            ("Size of the weights", size_words(4 * parameters), "As 32-bit numbers"),
        ), "In all")
        if (checked.graph, checked.shapes, theme.current()) == self._shown:
            return
        self._shown = (checked.graph, checked.shapes, theme.current())
        clear(self._list)
        self._list.addWidget(heading("Layers"))
        self._list.addSpacing(4)
        order = [checked.graph.by_id[i] for i in checked.order if i in checked.graph.by_id]
        for node in order[:self.MOST]:
            row = button(f"{node.title}", "quiet", tip=first_line(node.layer),
                         clicked=lambda i=node.id: self._document.select([i]))
            row.setIcon(icons.tile(node.layer.icon, theme.group_colour(node.layer.group)))
            row.setIconSize(icons.size(20))
            inner = QVBoxLayout(row)
            margins(inner, 0, 0, 8, 0)
            shape = checked.shapes.get(node.id)
            inner.addWidget(label(str(shape) if shape else numbers.NONE, "caption"), 0,
                            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            row.setStyleSheet("text-align: left; padding: 0 4px;")
            self._list.addWidget(row)
        if len(order) > self.MOST:
            self._list.addWidget(label(f"and {len(order) - self.MOST} more", "caption"))


def node_facts(document: Document, node: Node) -> tuple[tuple[str, str, str], ...]:
    """What comes out of a node and what it costs: (name, value, tooltip)."""
    checked = document.checked
    shape = checked.shapes.get(node.id)
    parameters, cost = checked.parameters.get(node.id), checked.multiply_adds.get(node.id)
    axes = "H height, W width, C channels, T time, F features"
    rows = [
        ("Shape", shape.lettered if shape else numbers.NONE, axes),
        ("Parameters", numbers.NONE if parameters is None else numbers.count(parameters),
         "" if parameters is None else f"{numbers.exact(parameters)} numbers that training changes"),
        ("Multiply-adds", numbers.NONE if cost is None else numbers.count(cost), "For one sample, forward"),
    ]
    head = checked.heads.get(node.id)
    if head is not None:
        rows += [("Task", head.task, ""), ("Target", head.target, "Field of the data that is the truth")]
        if head.classes:
            words = "Tokens" if head.task == "transcription" else "Classes"
            rows.append((words, str(len(head.classes)), ", ".join(head.classes[:30])))
    if node.id in checked.inputs:
        rows.append(("Data field", checked.inputs[node.id], ""))
    return tuple(rows)


def first_line(layer: Any) -> str:
    """The first line of a layer's docstring: what it does in one sentence."""
    if isinstance(layer, Placeholder):
        return f"This version does not know '{layer.kind}'. The layer is kept as it is in the file."
    return type(layer).summary_line()


def rest_of_docstring(layer: Any) -> str:
    """What follows the first line: formula, shapes, when to use. Lines of a paragraph are joined, so that they wrap."""
    if isinstance(layer, Placeholder):
        return ""
    paragraphs = (inspect.getdoc(type(layer)) or "").split("\n\n")[1:]
    return "\n\n".join(p if p.startswith(" ") else " ".join(p.split("\n")) for p in paragraphs)


def field_words(field: DataField) -> str:
    """A field of the data with its shape."""
    things = "tokens" if field.kind == "text" else "classes"
    return f"{field.name} ({len(field.classes)} {things})" if field.classes else f"{field.name} ({field.shape})"


def size_words(size: int) -> str:
    """Bytes as people write them."""
    for limit, unit in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB")):
        if size >= limit:
            return f"{size / limit:.1f}{numbers.GAP}{unit}"
    return f"{size}{numbers.GAP}bytes"
