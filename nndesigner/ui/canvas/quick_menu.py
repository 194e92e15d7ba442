"""The menu that adds a layer where the cursor is: type, choose, done. Knows no document; says which kind was chosen."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from nndesigner.ui import icons, theme
from nndesigner.ui.canvas.ranking import Choice, Place, choices

_WIDTH, _ROW, _ROWS = 288, 34, 8


class _Model(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.rows: list[Choice] = []

    def show(self, rows: list[Choice]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        choice = self.rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return choice.layer.title
        if role == Qt.ItemDataRole.AccessibleDescriptionRole:
            return choice.objection or choice.layer.summary_line()
        if role == Qt.ItemDataRole.ToolTipRole:
            return choice.layer.summary_line()
        return None


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(_WIDTH - 16, _ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        choice = index.model().rows[index.row()]
        tokens = theme.current()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        row = QRectF(option.rect)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(tokens.accent, 0.16))
            painter.drawRoundedRect(row.adjusted(1, 1, -1, -1), 6, 6)
        if choice.objection:
            painter.setOpacity(0.55)
        colour = theme.group_colour(choice.layer.group)
        tile = QRectF(row.left() + 8, row.center().y() - 10, 20, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(colour, 0.13))
        painter.drawRoundedRect(tile, 5, 5)
        icons.paint(painter, tile.adjusted(3, 3, -3, -3), choice.layer.icon, colour)
        title_font, note_font = theme.font(13, 500), theme.font(11)
        painter.setFont(title_font)
        painter.setPen(theme.colour(tokens.text))
        painter.drawText(row.adjusted(38, 0, -8, 0), Qt.AlignmentFlag.AlignVCenter, choice.layer.title)
        width = QFontMetricsF(title_font).horizontalAdvance(choice.layer.title)
        note = choice.objection or choice.layer.group
        rest = row.width() - 38 - width - 24
        painter.setFont(note_font)
        painter.setPen(theme.colour(tokens.muted))
        painter.drawText(
            row.adjusted(38 + width + 12, 0, -10, 0),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
            QFontMetricsF(note_font).elidedText(note, Qt.TextElideMode.ElideMiddle, rest),
        )
        painter.restore()


class QuickMenu(QFrame):
    """Search field over a list. Up and Down choose, Enter takes, Esc and a click elsewhere close."""

    #: kind of the chosen layer
    chosen = Signal(str)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.hide()
        self._place = Place()
        self.search = QLineEdit()
        self.search.setPlaceholderText("Add a layer")
        self.search.setAccessibleName("Add a layer")
        self.search.setClearButtonEnabled(True)
        self.list = QListView()
        self.list.setAccessibleName("Layers that fit")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setMouseTracking(True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self._model = _Model(self)
        self.list.setModel(self._model)
        self.list.setItemDelegate(_Delegate(self.list))
        self._nothing = QLabel()
        self._nothing.setWordWrap(True)
        self._nothing.setTextFormat(Qt.TextFormat.PlainText)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self.search)
        layout.addWidget(self.list)
        layout.addWidget(self._nothing)
        self.search.textChanged.connect(self._fill)
        self.search.installEventFilter(self)
        self.list.clicked.connect(lambda index: self._take(index.row()))
        self.list.entered.connect(self.list.setCurrentIndex)
        theme.notifier.changed.connect(self._recolour)
        self._recolour()

    @property
    def rows(self) -> list[Choice]:
        """What is offered now, best first."""
        return self._model.rows

    def open(self, place: Place, at: QPoint) -> None:
        """Show the menu at a point of the parent, moved so that all of it is seen."""
        self._place = place
        self.search.clear()
        self._fill()
        room = self.parentWidget().rect().adjusted(8, 8, -8, -8)
        self.move(
            max(room.left(), min(at.x(), room.right() - self.width())),
            max(room.top(), min(at.y(), room.bottom() - self.height())),
        )
        self.show()
        self.raise_()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)

    def dismiss(self) -> None:
        if self.isVisible():
            self.hide()
            self.closed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.FocusOut
            and self.isVisible()
            and not self.isAncestorOf(self.window().focusWidget() or self)
        ):
            self.dismiss()
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if key in (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
                step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: _ROWS, Qt.Key.Key_PageUp: -_ROWS}[
                    key
                ]
                self._choose(self.list.currentIndex().row() + step)
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab):
                self._take(self.list.currentIndex().row())
                return True
            if key == Qt.Key.Key_Escape:
                self.dismiss()
                return True
        return False

    def _fill(self) -> None:
        text = self.search.text()
        rows = choices(self._place, text)
        self._model.show(rows)
        self._nothing.setText(
            f"No layer is called or does “{text.strip()}”." if text.strip() else "No layer fits here."
        )
        self._nothing.setVisible(not rows)
        self.list.setVisible(bool(rows))
        self.list.setFixedHeight(min(len(rows), _ROWS) * _ROW + 2)
        self._choose(0)
        self.setFixedWidth(_WIDTH)
        self.adjustSize()

    def _choose(self, row: int) -> None:
        if self._model.rows:
            index = self._model.index(max(0, min(row, len(self._model.rows) - 1)))
            self.list.setCurrentIndex(index)
            self.list.scrollTo(index)

    def _take(self, row: int) -> None:
        if 0 <= row < len(self._model.rows):
            kind = self._model.rows[row].layer.kind
            self.hide()
            self.chosen.emit(kind)

    def _recolour(self) -> None:
        tokens = theme.current()
        self.setObjectName("quick-menu")
        self.setStyleSheet(
            f"#quick-menu {{ background: {tokens.raised}; border: 1px solid {tokens.line}; border-radius: 10px; }}"
            f"#quick-menu QListView {{ background: transparent; border: none; outline: none; }}"
            f"#quick-menu QLabel {{ color: {tokens.muted}; padding: 6px; }}"
        )
