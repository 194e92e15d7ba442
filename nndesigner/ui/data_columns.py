"""The columns of a table: what each is, what is missing, and which part it plays."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from nndesigner.data.dataset import Column, Dataset
from nndesigner.ui import icons, numbers, theme
from nndesigner.ui.data_preview import missing_count

ROW = 34
#: rows painted; a table of thousands of columns shows the first ones and says so
MOST = 200
ROLES = {"input": "input", "target": "target", "ignore": "left out", "group": "group", "time": "time"}
KIND_ICONS = {"number": "mdi6.numeric", "date": "mdi6.calendar", "category": "mdi6.format-list-bulleted-type",
              "image": "mdi6.image", "array": "mdi6.matrix", "sound": "mdi6.waveform",
              "text": "mdi6.format-quote-close", "mask": "mdi6.layers-triple-outline"}


class ColumnList(QWidget):
    """One row a column. A click or Enter on a row opens its choices."""

    #: column name, role
    role_chosen = Signal(str, str)
    #: column name, kind
    kind_chosen = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._columns: list[tuple[Column, int]] = []
        self._current = 0
        self._hovered = -1
        self._menu: QMenu | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Columns")
        theme.notifier.changed.connect(self.update)

    def show_dataset(self, dataset: Dataset | None) -> None:
        """Show the columns with the roles that they have in this data set."""
        columns = () if dataset is None else dataset.columns[:MOST]
        self._columns = [(c, missing_count(c)) for c in columns]
        self._current = min(self._current, max(0, len(columns) - 1))
        self.setAccessibleDescription("; ".join(f"{c.name}: {c.kind}, {ROLES[c.role]}" for c in columns[:40]))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(180, ROW * len(self._columns))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = theme.current()
        first, last = event.rect().top() // ROW, event.rect().bottom() // ROW
        for index in range(max(0, first), min(len(self._columns), last + 1)):
            column, missing = self._columns[index]
            rect = QRect(0, index * ROW, self.width(), ROW)
            if index == self._hovered or (index == self._current and self.hasFocus()):
                painter.setPen(theme.colour(tokens.accent) if self.hasFocus() and index == self._current
                               else Qt.PenStyle.NoPen)
                painter.setBrush(theme.colour(tokens.text, 0.05))
                painter.drawRoundedRect(rect.adjusted(0, 1, -1, -1), 4, 4)
            left_out = column.role == "ignore"
            ink = tokens.muted if left_out else tokens.text
            icons.paint(painter, QRectF(4, rect.y() + 9, 16, 16), KIND_ICONS[column.kind], tokens.muted)
            chip_width = self._paint_role(painter, rect, column.role)
            area = rect.adjusted(26, 3, -chip_width - 8, -3)
            painter.setFont(theme.font())
            painter.setPen(theme.colour(ink))
            name = painter.fontMetrics().elidedText(column.name, Qt.TextElideMode.ElideMiddle, area.width())
            painter.drawText(area, Qt.AlignmentFlag.AlignTop, name)
            painter.setFont(theme.font(theme.CAPTION))
            painter.setPen(theme.colour(tokens.warning_text if missing else tokens.muted))
            about = f"{numbers.exact(missing)} missing" if missing else column.kind
            painter.drawText(area, Qt.AlignmentFlag.AlignBottom, about + (f" · {column.unit}" if column.unit else ""))

    def _paint_role(self, painter: QPainter, rect: QRect, role: str) -> int:
        tokens = theme.current()
        painter.setFont(theme.font(theme.CAPTION, 600))
        width = painter.fontMetrics().horizontalAdvance(ROLES[role]) + 24
        chip = QRect(rect.right() - width - 2, rect.y() + 7, width, 20)
        colour = {"target": tokens.accent, "input": tokens.text}.get(role, tokens.muted)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(colour, 0.16 if role == "target" else 0.07))
        painter.drawRoundedRect(chip, 10, 10)
        painter.setPen(theme.colour(tokens.text if role != "ignore" else tokens.muted))
        painter.drawText(chip.adjusted(8, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, ROLES[role])
        chevron = QRectF(chip.right() - 15, chip.y() + 4, 12, 12)
        icons.paint(painter, chevron, "mdi6.chevron-down", tokens.muted)
        return width

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hovered = event.position().toPoint().y() // ROW
        if 0 <= self._hovered < len(self._columns):
            column, missing = self._columns[self._hovered]
            self.setToolTip(f"{column.name}\n{column.kind}, {ROLES[column.role]}"
                            + (f", {numbers.exact(missing)} values missing" if missing else ""))
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = -1
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        index = event.position().toPoint().y() // ROW
        if 0 <= index < len(self._columns):
            self._current = index
            self._choose(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(event.key())
        if step is not None and self._columns:
            self._current = max(0, min(len(self._columns) - 1, self._current + step))
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._columns:
            self._choose(self._current)
        else:
            super().keyPressEvent(event)

    def menu_for(self, index: int) -> QMenu:
        """The choices of one column."""
        column = self._columns[index][0]
        menu = QMenu(self)
        for value, words in ROLES.items():
            self._entry(menu, words, column.role == value, lambda v=value: self.role_chosen.emit(column.name, v))
        if column.kind in ("number", "category", "text"):
            menu.addSeparator()
            for value in ("number", "category", "text"):
                self._entry(menu, f"is a {value}", column.kind == value,
                            lambda v=value: self.kind_chosen.emit(column.name, v))
        return menu

    @staticmethod
    def _entry(menu: QMenu, words: str, on: bool, chosen: object) -> QAction:
        action = menu.addAction(words)
        action.setCheckable(True)
        action.setChecked(on)
        action.triggered.connect(lambda: chosen())
        return action

    def _choose(self, index: int) -> None:
        if self._menu is not None:
            self._menu.deleteLater()
        self._menu = self.menu_for(index)
        self._menu.popup(self.mapToGlobal(QPoint(self.width() - 120, index * ROW + ROW - 4)))
