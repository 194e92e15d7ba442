"""A square to draw on with mouse or pen."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from nndesigner.ui import theme

#: points of the sheet along each side
SIDE = 256


class DrawPad(QWidget):
    """Strokes on a square sheet. `drawn` tells that the ink changed. Undo takes back one stroke."""

    drawn = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._strokes: list[tuple[float, list[QPointF]]] = []
        self._open = False
        self._sheet = QImage(SIDE, SIDE, QImage.Format.Format_Grayscale8)
        self._sheet.fill(0)
        self.light_ground = False
        #: width of the brush as a share of the sheet
        self.brush = 0.1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Drawing pad"))
        self.setAccessibleDescription(self.tr("Draw with mouse or pen. Without them, use a picture file instead."))
        self.setToolTip(self.tr("Draw here · Ctrl Z takes back a stroke · Delete clears"))

    # --- for users of the pad ---

    @property
    def empty(self) -> bool:
        return not self._strokes

    def ink(self) -> np.ndarray:
        """Ink float32 [SIDE, SIDE], 0 none, 1 full."""
        pixels = np.frombuffer(self._sheet.constBits(), np.uint8).reshape(SIDE, self._sheet.bytesPerLine())
        return pixels[:, :SIDE].astype(np.float32) / 255

    def undo(self) -> None:
        """Take back the last stroke."""
        if self._strokes:
            self._strokes.pop()
            self._paint_all()

    def clear(self) -> None:
        """Take away all ink."""
        if self._strokes:
            self._strokes.clear()
            self._paint_all()

    # --- drawing ---

    def square(self) -> QRectF:
        """Where the sheet is in the widget."""
        side = min(self.width(), self.height()) - 2
        return QRectF(1, 1, side, side)

    def _place(self, position: QPointF) -> QPointF:
        square = self.square()
        return QPointF((position.x() - square.left()) / square.width() * SIDE,
                       (position.y() - square.top()) / square.height() * SIDE)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.square().contains(event.position()):
            self._open = True
            self._strokes.append((self.brush, [self._place(event.position())]))
            self._paint_stroke(len(self._strokes) - 1, 0)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._open and event.buttons() & Qt.MouseButton.LeftButton:
            points = self._strokes[-1][1]
            points.append(self._place(event.position()))
            self._paint_stroke(len(self._strokes) - 1, len(points) - 1)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._open = False

    def event(self, event: QEvent) -> bool:
        # while the pad has the focus these keys are its own, not the window's undo and delete
        if event.type() == QEvent.Type.ShortcutOverride and self._command(event) is not None:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        command = self._command(event)
        if command is None:
            super().keyPressEvent(event)
        else:
            command()

    def _command(self, event: QKeyEvent):
        if event.matches(QKeySequence.StandardKey.Undo):
            return self.undo
        return self.clear if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) else None

    def _paint_all(self) -> None:
        self._sheet.fill(0)
        for i, (_, points) in enumerate(self._strokes):
            for j in range(len(points)):
                self._paint_stroke(i, j, quiet=True)
        self.update()
        self.drawn.emit()

    def _paint_stroke(self, stroke: int, point: int, quiet: bool = False) -> None:
        """Add the ink from one point of a stroke to the next."""
        brush, points = self._strokes[stroke]
        painter = QPainter(self._sheet)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(Qt.GlobalColor.white, brush * SIDE, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap,
                   Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        if point == 0:
            painter.drawPoint(points[0])
        else:
            painter.drawLine(points[point - 1], points[point])
        painter.end()
        if not quiet:
            self.update()
            self.drawn.emit()

    # --- showing ---

    def sizeHint(self) -> QSize:
        return QSize(180, 180)

    def minimumSizeHint(self) -> QSize:
        return QSize(96, 96)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        t = theme.current()
        square = self.square()
        shown = self._sheet.copy()
        if self.light_ground:
            shown.invertPixels()
        painter.drawImage(square, shown)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.colour(t.accent if self.hasFocus() else t.line), 1))
        painter.drawRect(square)
        if self.empty:
            painter.setFont(theme.font(theme.CAPTION))
            painter.setPen(theme.colour("#5F6774" if self.light_ground else "#8B93A1"))
            painter.drawText(square, Qt.AlignmentFlag.AlignCenter, self.tr("draw here"))
