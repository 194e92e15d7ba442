"""Sheets and dialogs: shortcuts, the short guide, about, questions, and what is shown after a fault of the program."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QPlainTextEdit, QVBoxLayout, QWidget

from nndesigner import __version__
from nndesigner.ui.parts import Column, Fold, button, heading, label, line, margins
from nndesigner.ui.stylesheet import role

MOUSE = (
    ("Drag from the left", "add a layer; drop it on a wire to insert it"),
    ("Space, double click", "search and add a layer at the pointer"),
    ("Drag from a port", "draw a wire; let go on empty canvas for a list of what fits"),
    ("Wheel, pinch", "zoom at the pointer"),
    ("Middle button, Space and drag", "move the view"),
    ("Drag on empty canvas", "select with a box"),
    ("Drag on the name of a number", "change the number"),
)

GUIDE = (
    ("1. Choose data",
     "The Data tab at the left lists sets that are built in and reads your own: tables (CSV, JSON lines, "
     "Parquet, Excel), arrays (NPY, NPZ, HDF5), IDX and CIFAR-10 files, plain text, folders of pictures, "
     "sounds or texts, and pictures with masks (images/ and masks/); dropping them on the window does the "
     "same. OpenML fetches a set by its name. For a table, say which column is the target. Excel and HDF5 need "
     "the extra nndesigner[data]."),
    ("Know your data",
     "Ctrl+E shows every sample and what all are like: classes, spread, outliers, duplicates. A wrong label is "
     "set right there, or a sample left out. That is kept in the project and, when you save, in a file beside "
     "the data; the data themselves are never changed. Augmentation changes training samples anew in each "
     "epoch and shows how."),
    ("2. Draw a network", "Drag layers from the left onto the canvas, or press Space there. Wire them from the circle "
     "at the right of one to the circle at the left of the next. Every network starts with Input and ends with Output. "
     "Each layer shows the shape that comes out of it; what does not fit is marked and says what to do."),
    ("3. Train", "Press Train (F5). Loss and accuracy are drawn while it learns, each layer shows what it makes of one "
     "sample, and the wires grow with the signal. Pause, do single steps, change the learning rate: it goes on."),
    ("4. Look", "Predictions shows samples that the network has never seen, right and wrong. Try lets you draw or type "
     "your own; a language model goes on with your text, Generate draws new samples. Click a "
     "layer to see what it has learned."),
    ("5. Keep it", "Save writes drawing, data choice, weights and curves into one file. Opened again, it predicts the "
     "very same numbers. The command line (nndesigner train, predict, generate) uses the same file; predict --masks "
     "writes a picture of the class of every pixel."),
    ("Good to know", "Everything can be undone. The same seed gives the same curve. A validation loss that rises while "
     "the training loss still falls means that the network learns by heart: take a smaller one, add Dropout, or use "
     "early stopping."),
)


class Sheet(QDialog):
    """A dialog with a title and a scrolling column."""

    def __init__(self, parent: QWidget, title: str, width: int = 560, height: int = 620) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(width, height)
        layout = QVBoxLayout(self)
        margins(layout, 0, gap=0)
        self.column = Column(20, 16, 20, 16, gap=8)
        layout.addWidget(self.column)
        self.column.content.addWidget(label(title, "title"))


def shortcuts_sheet(parent: QWidget, actions: Iterable[tuple[str, QAction]]) -> Sheet:
    """All shortcuts, by menu, and what the mouse does on the canvas."""
    sheet = Sheet(parent, "Shortcuts")
    content = sheet.column.content
    by_menu: dict[str, list[tuple[str, str]]] = {}
    for menu, action in actions:
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        if keys:
            by_menu.setdefault(menu, []).append((keys, action.text().replace("&", "")))
    for title, rows in (*by_menu.items(), ("Mouse", list(MOUSE))):
        content.addSpacing(8)
        content.addWidget(heading(title))
        grid = QGridLayout()
        margins(grid, 0, gap=4)
        grid.setHorizontalSpacing(16)
        grid.setColumnMinimumWidth(0, 190)
        grid.setColumnStretch(1, 1)
        for index, (keys, words) in enumerate(rows):
            grid.addWidget(label(keys, "name"), index, 0)
            grid.addWidget(label(words, "muted", wrap=True), index, 1)
        content.addLayout(grid)
    content.addStretch(1)
    return sheet


def guide_sheet(parent: QWidget) -> Sheet:
    """The way from data to a trained network, on one page."""
    sheet = Sheet(parent, "From data to a trained network")
    content = sheet.column.content
    for title, words in GUIDE:
        content.addSpacing(6)
        content.addWidget(label(title, "name"))
        content.addWidget(label(words, "muted", wrap=True))
    content.addStretch(1)
    return sheet


def about_sheet(parent: QWidget) -> Sheet:
    """What this is."""
    sheet = Sheet(parent, f"nndesigner {__version__}", 420, 260)
    content = sheet.column.content
    content.addWidget(label("Draw a neural network, feed it real data, watch it learn, take it away.", wrap=True))
    content.addWidget(label("Licence: Apache-2.0. Type: Inter (SIL Open Font License). Icons: Material Design Icons "
                            "(Apache-2.0). Built with Qt for Python, NumPy, pyqtgraph and others named in the read-me.",
                            "caption", wrap=True))
    content.addStretch(1)
    return sheet


class Question(QDialog):
    """A question with named answers; `answer` is the chosen name, empty when it was closed."""

    def __init__(self, parent: QWidget | None, title: str, words: str, answers: tuple[str, ...], first: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(True)
        self.answer = ""
        layout = QVBoxLayout(self)
        margins(layout, 20, 16, 20, 16, gap=12)
        layout.addWidget(label(title, "title"))
        text = label(words, "muted")
        text.setWordWrap(True)
        text.setMinimumWidth(380)
        layout.addWidget(text)
        self.buttons = {}
        for name in answers:
            made = button(name, "primary" if name == first else "", clicked=lambda n=name: self._choose(n))
            made.setAutoDefault(name == first)
            made.setDefault(name == first)
            self.buttons[name] = made
        layout.addLayout(line(1, *self.buttons.values()))

    def _choose(self, name: str) -> None:
        self.answer = name
        self.accept()


class Fault(QDialog):
    """An error of the program itself: a sentence, the details to copy, and the work goes on."""

    def __init__(self, parent: QWidget | None, sentence: str, details: str) -> None:
        super().__init__(parent)
        self.setWindowTitle("Something went wrong")
        self.resize(560, 320)
        layout = QVBoxLayout(self)
        margins(layout, 20, 16, 20, 16, gap=10)
        layout.addWidget(label("Something went wrong inside nndesigner", "title"))
        layout.addWidget(label(sentence, wrap=True))
        calm = ("Your project is still open and nothing was lost. Save it under another name to be safe. The details "
                "help to find the fault.")
        layout.addWidget(label(calm, "caption", wrap=True))
        fold = Fold("Details", open_=True)
        text = QPlainTextEdit(details)
        text.setReadOnly(True)
        text.setAccessibleName("Details")
        fold.body.addWidget(text)
        layout.addWidget(fold, 1)
        copy = button("Copy the details", clicked=lambda: QGuiApplication.clipboard().setText(details))
        go_on = button("Go on", "primary", clicked=self.accept)
        go_on.setDefault(True)
        layout.addLayout(line(copy, 1, go_on))
        role(self, "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
