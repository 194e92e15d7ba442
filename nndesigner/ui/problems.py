"""The list of what is wrong with the drawing, with a way to the place and proposed cures."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from nndesigner.graph.check import Problem, Repair
from nndesigner.ui import icons, theme
from nndesigner.ui.document import Document
from nndesigner.ui.parts import Column, clear, follow_theme, label, margins
from nndesigner.ui.stylesheet import role

#: rows shown at once; a wrong drawing of a thousand layers must not make a thousand widgets
MOST = 60
ICONS = {"error": "mdi6.alert-circle", "warning": "mdi6.alert"}


class ProblemsPanel(QWidget):
    """All problems of the drawing, errors first."""

    #: a node to show
    jump_wanted = Signal(str)
    #: number of problems, for the tab's title
    counted = Signal(int)

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        role(self, "panel")
        layout = QVBoxLayout(self)
        margins(layout, 0, gap=0)
        self._column = Column(8, 8, 8, 8, gap=4)
        self._column.setAccessibleName("Problems")
        layout.addWidget(self._column)
        self._shown: tuple[Problem, ...] | None = None
        self._drawn = False
        document.checked_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the problems of the current drawing."""
        checked = self._document.checked
        # An empty canvas lacks an Input and an Output, but nobody wants to be told so.
        found = checked.problems if checked.graph.nodes else ()
        problems = tuple(sorted(found, key=lambda p: p.severity != "error"))
        if problems == self._shown and bool(checked.graph.nodes) == self._drawn:
            return
        self._drawn = bool(checked.graph.nodes)
        self._shown = problems
        content = self._column.content
        clear(content)
        for problem in problems[:MOST]:
            row = ProblemRow(self._document, problem)
            row.jump_wanted.connect(self.jump_wanted)
            content.addWidget(row)
        if len(problems) > MOST:
            content.addWidget(label(f"and {len(problems) - MOST} more", "caption"))
        if not problems:
            content.addWidget(label("No problems." if self._drawn else
                                    "Nothing is drawn yet: drag a layer onto the canvas.", "muted"))
        content.addStretch(1)
        self.counted.emit(len(problems))


class ProblemRow(QFrame):
    """One problem: severity, sentence, cures. A click or Enter shows its layer."""

    jump_wanted = Signal(str)

    def __init__(self, document: Document, problem: Problem, jumps: bool = True) -> None:
        """`jumps` False: in the narrow panel of its own layer, where there is nothing to jump to."""
        super().__init__()
        self._problem = problem
        self._jumps = jumps and problem.node is not None
        role(self, "note")
        self.setAccessibleName(f"{problem.severity}: {problem.text}")
        layout = QHBoxLayout(self)
        margins(layout, 8, 6, 8, 6, gap=8)
        mark = SeverityMark(problem.severity)
        layout.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        margins(words, 0, gap=4)
        words.addWidget(label(problem.text, wrap=True))
        buttons = repair_buttons(document, problem.repairs)
        if buttons:
            row = QHBoxLayout() if jumps else QVBoxLayout()
            margins(row, 0, gap=4)
            for button in buttons:
                row.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
            if jumps:
                row.addStretch(1)
            words.addLayout(row)
        layout.addLayout(words, 1)
        if self._jumps:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.setCursor(Qt.CursorShape.PointingHandCursor)
            self.setToolTip("Show the layer on the canvas (Enter)")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._jumps and event.button() == Qt.MouseButton.LeftButton:
            self.jump_wanted.emit(self._problem.node)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._jumps and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.jump_wanted.emit(self._problem.node)
        else:
            super().keyPressEvent(event)


class SeverityMark(QLabel):
    """The icon of an error or a warning, in its colour."""

    def __init__(self, severity: str) -> None:
        super().__init__()
        self._severity = severity
        follow_theme(self, self._colour)

    def _colour(self) -> None:
        tokens = theme.current()
        colour = tokens.wrong_text if self._severity == "error" else tokens.warning_text
        self.setPixmap(icons.pixmap(ICONS[self._severity], colour, 16, self.devicePixelRatioF()))


def repair_buttons(document: Document, repairs: tuple[Repair, ...]) -> list[QPushButton]:
    """A button for each proposed cure; each is one undo step."""
    found = []
    for repair in repairs:
        button = QPushButton(repair.text)
        role(button, "repair")
        button.setToolTip(f"{repair.text} (can be undone)")
        button.clicked.connect(lambda _=False, r=repair: document.edit_graph(r.text, r.apply))
        found.append(button)
    return found
