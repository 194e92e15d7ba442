"""Ctrl K: every command and every layer, found by typing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRectF, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from nndesigner.layers import Layer
from nndesigner.ui import icons, theme
from nndesigner.ui.palette import match as layer_match
from nndesigner.ui.parts import margins
from nndesigner.ui.stylesheet import role

ROW = 34
ENTRY = Qt.ItemDataRole.UserRole
MOST_ROWS = 9
STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -8, Qt.Key.Key_PageDown: 8}


@dataclass(frozen=True)
class Entry:
    """One thing that can be done."""

    text: str
    about: str
    icon: str
    colour: str
    keys: str
    why_not: str
    run: Callable[[], object]


class CommandPalette(QFrame):
    """A box over the window: search on top, results below."""

    def __init__(self, window: QWidget, actions: Callable[[], Iterable[tuple[str, QAction]]],
                 add_layer: Callable[[str], object], go_to: Callable[[], Iterable[tuple[str, str, Callable]]]) -> None:
        """`actions` gives (menu, action), `go_to` (title, about, what to call) for the layers of the drawing."""
        super().__init__(window, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self._actions, self._add_layer, self._go_to = actions, add_layer, go_to
        self.setObjectName("commands")
        role(self, "card")
        layout = QVBoxLayout(self)
        margins(layout, 8, gap=6)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Type a command or a layer")
        self.search.setAccessibleName("Commands")
        self.search.textChanged.connect(self._filter)
        self.search.installEventFilter(self)
        layout.addWidget(self.search)
        self.list = QListWidget()
        self.list.setItemDelegate(_Delegate(self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("Results")
        self.list.itemClicked.connect(self._run)
        layout.addWidget(self.list)
        self._entries: list[Entry] = []

    def open(self) -> None:
        """Show it in the upper middle of the window."""
        window = self.parentWidget()
        self._entries = self._collect()
        self.search.clear()
        self._filter("")
        self.resize(min(560, window.width() - 40), 60 + MOST_ROWS * ROW)
        self.move(window.mapToGlobal(QPoint((window.width() - self.width()) // 2, min(96, window.height() // 8))))
        self.show()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)

    def eventFilter(self, watched: QWidget, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = STEPS.get(event.key())
            if step is not None:
                row = max(0, min(self.list.count() - 1, self.list.currentRow() + step))
                self.list.setCurrentRow(row)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run(self.list.currentItem())
                return True
        return False

    def _collect(self) -> list[Entry]:
        tokens = theme.current()
        found = []
        for menu, action in self._actions():
            reason = "" if action.isEnabled() else (action.toolTip() or "Not possible just now")
            icon = action.property("icon_name") or "mdi6.chevron-right"
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            text = action.text().replace("&", "")
            found.append(Entry(text, menu, icon, tokens.muted, keys, reason, action.trigger))
        for title, about, run in self._go_to():
            found.append(Entry(f"Go to {title}", about, "mdi6.target", tokens.muted, "", "", run))
        for layer in Layer.all():
            colour = theme.group_colour(layer.group)
            found.append(Entry(f"Add {layer.title}", layer.summary_line(), layer.icon, colour, "", "",
                               lambda kind=layer.kind: self._add_layer(kind)))
        return found

    def _filter(self, text: str) -> None:
        words = text.lower().split()
        ranked = []
        for index, entry in enumerate(self._entries):
            rank = _rank(entry, words)
            if rank is not None:
                ranked.append((rank, bool(entry.why_not), index, entry))
        self.list.clear()
        for _, _, _, entry in sorted(ranked, key=lambda r: r[:3])[:80]:
            item = QListWidgetItem(entry.text)
            item.setData(ENTRY, entry)
            item.setToolTip(entry.why_not or entry.about)
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _run(self, item: QListWidgetItem | None) -> None:
        entry = item.data(ENTRY) if item is not None else None
        if entry is None or entry.why_not:
            return
        self.hide()
        entry.run()


def _rank(entry: Entry, words: list[str]) -> int | None:
    text = entry.text.lower()
    if not words:
        return 0
    if all(w in text for w in words):
        return 0 if all(any(part.startswith(w) for part in text.split()) for w in words) else 1
    about = f"{text} {entry.about.lower()}"
    if all(w in about for w in words):
        return 2
    layer = next((x for x in Layer.all() if text == f"add {x.title.lower()}"), None)
    rank = None if layer is None else layer_match(layer, words)
    return None if rank is None else 3 + rank


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: object) -> object:
        return icons.size(ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: object) -> None:
        entry: Entry = index.data(ENTRY)
        tokens = theme.current()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = option.rect
        if self.parent().currentIndex() == index:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(tokens.accent, 0.2))
            painter.drawRoundedRect(rect.adjusted(0, 1, 0, -1), 4, 4)
        icons.paint(painter, QRectF(rect.x() + 8, rect.y() + 9, 16, 16), entry.icon,
                    tokens.faint if entry.why_not else entry.colour)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(theme.font(theme.CAPTION))
        painter.setPen(theme.colour(tokens.muted))
        keys = painter.fontMetrics().horizontalAdvance(entry.keys) + 16 if entry.keys else 8
        painter.drawText(rect.adjusted(0, 0, -8, 0), middle | Qt.AlignmentFlag.AlignRight, entry.keys)
        painter.setFont(theme.font())
        painter.setPen(theme.colour(tokens.muted if entry.why_not else tokens.text))
        painter.drawText(rect.adjusted(34, 0, 0, 0), middle, entry.text)
        used = 34 + painter.fontMetrics().horizontalAdvance(entry.text) + 12
        painter.setFont(theme.font(theme.CAPTION))
        painter.setPen(theme.colour(tokens.muted))
        room = rect.width() - used - keys
        about = painter.fontMetrics().elidedText(entry.why_not or entry.about, Qt.TextElideMode.ElideRight, room)
        painter.drawText(rect.adjusted(used, 0, -keys, 0), middle, about)
        painter.restore()
