"""The first thing one sees: examples that train at once, recent files, an empty network."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from nndesigner.graph.model import Graph
from nndesigner.project import file as project_file
from nndesigner.project.file import Project, ProjectError
from nndesigner.resources import examples
from nndesigner.ui import theme
from nndesigner.ui.data_preview import source_thumbnail
from nndesigner.ui.files import Files
from nndesigner.ui.parts import Card, Column, ElidedLabel, button, clear, heading, label, margins
from nndesigner.ui.stylesheet import role

CARD = QSize(248, 186)
PICTURE_HEIGHT = 104
GAP = 16
MOST_WIDTH = 4 * CARD.width() + 3 * GAP


class StartPage(Column):
    """Shown in place of the canvas while nothing is open."""

    #: an example, and whether it is to be trained at once
    example_wanted = Signal(object, bool)
    recent_wanted = Signal(object)
    empty_wanted = Signal()
    open_wanted = Signal()
    data_wanted = Signal()

    def __init__(self, files: Files) -> None:
        super().__init__(32, 32, 32, 32, gap=12)
        self._files = files
        role(self.widget(), "canvas")
        role(self, "canvas")
        self.setStyleSheet("")
        page = QWidget()
        page.setMaximumWidth(MOST_WIDTH)
        inner = QVBoxLayout(page)
        margins(inner, 0, gap=8)
        row = QHBoxLayout()
        margins(row, 0)
        row.addStretch(1)
        row.addWidget(page, 100)
        row.addStretch(1)
        self.content.addLayout(row)
        self.content.addStretch(1)

        title = label("Draw a network, watch it learn", "display")
        inner.addWidget(title)
        words = "One click opens an example, its arrow also trains it. Your own data get a network that fits them."
        inner.addWidget(label(words, "muted", wrap=True))
        inner.addSpacing(8)
        buttons = QHBoxLayout()
        margins(buttons, 0, gap=8)
        self.data = button("Start from your data", "primary", icon="mdi6.database-outline",
                           clicked=self.data_wanted.emit,
                           tip="Choose data or your own file; a network that fits is proposed")
        self.empty = button("Empty network", icon="mdi6.plus", clicked=self.empty_wanted.emit)
        self.open = button("Open…", icon="mdi6.folder-open-outline", clicked=self.open_wanted.emit)
        for part in (self.data, self.empty, self.open):
            buttons.addWidget(part)
        buttons.addWidget(label("or drop a table, a folder of pictures, sounds or texts, or arrays here", "caption"))
        buttons.addStretch(1)
        inner.addLayout(buttons)
        inner.addSpacing(16)
        inner.addWidget(heading("Examples"))
        self._grid = QGridLayout()
        margins(self._grid, 0, gap=GAP)
        inner.addLayout(self._grid)
        inner.addSpacing(12)
        self._recent_heading = heading("Recent")
        inner.addWidget(self._recent_heading)
        self._recent = QVBoxLayout()
        margins(self._recent, 0, gap=2)
        inner.addLayout(self._recent)
        self.cards: list[ExampleCard] = []
        self._across = 0
        files.recent_changed.connect(self._fill_recent)
        self._fill_recent()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self.cards:
            self.cards = [ExampleCard(path) for path in _examples()]
            for card in self.cards:
                card.clicked.connect(lambda _=False, c=card: self.example_wanted.emit(c.path, c.train_clicked))
            self._place()
            self._load_next()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        room = min(MOST_WIDTH, self.viewport().width() - 64)
        across = max(1, (room + GAP) // (CARD.width() + GAP))
        if across != self._across or self._grid.count() != len(self.cards):
            self._across = across
            for index, card in enumerate(self.cards):
                self._grid.addWidget(card, *divmod(index, across), Qt.AlignmentFlag.AlignLeft)
            self._grid.setColumnStretch(across - 1, 1)

    def _load_next(self) -> None:
        """Examples are read one at a time, so that the window is usable before the last picture."""
        card = next((c for c in self.cards if not c.loaded), None)
        if card is not None:
            card.load()
            QTimer.singleShot(0, self, self._load_next)

    def _fill_recent(self) -> None:
        clear(self._recent)
        recent = self._files.recent()
        self._recent_heading.setVisible(bool(recent))
        for path in recent[:6]:
            row = button("", "quiet", clicked=lambda p=path: self.recent_wanted.emit(p))
            row.setToolTip(str(path))
            row.setAccessibleName(f"Open {path.name}")
            inside = QHBoxLayout(row)
            margins(inside, 8, 0, 8, 0, gap=12)
            inside.addWidget(label(path.stem, "name"))
            inside.addWidget(role(ElidedLabel(str(path.parent)), "caption"), 1)
            for part in row.findChildren(QWidget):
                part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            self._recent.addWidget(row)


class ExampleCard(Card):
    """A drawn picture of an example, its title and what it shows. A click on the arrow also starts the training."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.stem.replace("_", " ").capitalize())
        self.path = path
        self.loaded = False
        self.train_clicked = False
        self._project: Project | None = None
        self._about = ""
        self.setFixedSize(CARD)
        theme.notifier.changed.connect(self.update)
        self.start = button("", "primary", icon="mdi6.play", tip="Open and train", clicked=self._start)
        self.start.setParent(self)
        self.start.setFixedWidth(36)
        self.start.move(CARD.width() - 46, PICTURE_HEIGHT - 14)

    def load(self) -> None:
        """Read the example's drawing and words."""
        self.loaded = True
        try:
            self._project = project_file.load(self.path)
        except ProjectError as error:
            self._about = str(error)
            self.setEnabled(False)
        else:
            self.setText(str(self._project.meta.get("title") or self.text()))
            self._about = str(self._project.meta.get("description") or "")
        self.setToolTip(self._about)
        self.setAccessibleName(f"Example: {self.text()}")
        self.setAccessibleDescription(self._about)
        self.start.setAccessibleName(f"Open and train {self.text()}")
        self.update()

    def sizeHint(self) -> QSize:
        return CARD

    def _start(self) -> None:
        self.train_clicked = True
        self.click()
        self.train_clicked = False

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        shape = QPainterPath()
        shape.addRoundedRect(frame, theme.RADIUS_NODE, theme.RADIUS_NODE)
        painter.fillPath(shape, theme.colour(tokens.panel))
        painter.save()
        painter.setClipPath(shape)
        painter.fillRect(QRectF(0, 0, self.width(), PICTURE_HEIGHT), theme.colour(tokens.raised))
        if self._project is not None:
            source = self._project.design.data.source
            if source is not None:
                picture = source_thumbnail(type(source), tokens.name, 76, self.devicePixelRatioF())
                painter.drawPixmap(14, (PICTURE_HEIGHT - 76) // 2, picture)
            paint_network(painter, QRectF(104, 14, self.width() - 120, PICTURE_HEIGHT - 28), self._project.design.graph)
        painter.restore()
        painter.setPen(QPen(theme.colour(tokens.accent if self.active else tokens.line), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(shape)
        painter.setFont(theme.font(theme.BASE, 600))
        painter.setPen(theme.colour(tokens.text))
        text = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.width() - 64)
        painter.drawText(QRectF(14, PICTURE_HEIGHT + 10, self.width() - 60, 20), Qt.AlignmentFlag.AlignVCenter, text)
        painter.setFont(theme.font(theme.CAPTION))
        painter.setPen(theme.colour(tokens.muted))
        area = QRectF(14, PICTURE_HEIGHT + 32, self.width() - 28, self.height() - PICTURE_HEIGHT - 38)
        painter.drawText(area, int(Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap), self._about)


def paint_network(painter: QPainter, rect: QRectF, graph: Graph) -> None:
    """A drawing in miniature: a bar for each layer in its group's colour, wires between them."""
    if not graph.nodes:
        return
    tokens = theme.current()
    columns = _depths(graph)
    depth = max(columns.values()) + 1
    rows: dict[int, list[str]] = {}
    for node in graph.nodes:
        rows.setdefault(columns[node.id], []).append(node.id)
    step = rect.width() / depth
    width = min(20.0, step * 0.62)
    places = {}
    for column, ids in rows.items():
        for index, node_id in enumerate(ids):
            height = min(46.0, rect.height() / len(ids) * 0.8)
            centre = QPointF(rect.x() + (column + 0.5) * step, rect.y() + rect.height() * (index + 0.5) / len(ids))
            places[node_id] = QRectF(centre.x() - width / 2, centre.y() - height / 2, width, height)
    painter.setPen(QPen(theme.colour(tokens.wire), 1.5))
    for edge in graph.edges:
        start, end = places[edge.source], places[edge.target]
        painter.drawLine(QPointF(start.right(), start.center().y()), QPointF(end.left(), end.center().y()))
    painter.setPen(Qt.PenStyle.NoPen)
    for node in graph.nodes:
        painter.setBrush(theme.colour(theme.group_colour(node.layer.group), 0.85))
        painter.drawRoundedRect(places[node.id], 4, 4)


def _depths(graph: Graph) -> dict[str, int]:
    """How many wires a layer is away from the start, at most. Wires of an example never run in a circle."""
    found: dict[str, int] = {}
    waiting = [n.id for n in graph.nodes]
    while waiting:
        rest = []
        for node_id in waiting:
            sources = [e.source for e in graph.incoming[node_id]]
            if all(s in found for s in sources):
                found[node_id] = 1 + max((found[s] for s in sources), default=-1)
            else:
                rest.append(node_id)
        if len(rest) == len(waiting):
            found.update(dict.fromkeys(rest, 0))
            break
        waiting = rest
    return found


def _examples() -> tuple[Path, ...]:
    try:
        return examples()
    except FileNotFoundError:
        return ()
