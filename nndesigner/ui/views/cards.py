"""Cards of samples: what the network was given, what it answers, and whether that is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QImage, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from nndesigner.ui import icons, theme
from nndesigner.ui.views.probability_bars import Bar, paint_bars
from nndesigner.ui.views.sample_picture import paint_picture

GAP = 8
HEIGHT = 72
WIDTH = 250
PICTURE_WIDTH = 186
#: of cards with several pictures side by side
STRIP_WIDTH, STRIP_HEIGHT = 300, 116
_PAD = 7
_BADGE = 16


@dataclass(frozen=True)
class CardContent:
    """One sample. `lines` are (name, value) pairs that stand for it where there is no picture, `second` is a picture
    that the network made of the first one, `right` is None where answers are neither right nor wrong."""

    row: int
    name: str
    picture: QImage | None = None
    second: QImage | None = None
    lines: tuple[tuple[str, str], ...] = ()
    bars: tuple[Bar, ...] = ()
    caption: str = ""
    right: bool | None = None
    #: text that stands for the sample
    passage: str = ""
    #: (picture, what it shows) side by side, which take the whole card
    strip: tuple[tuple[QImage, str], ...] = ()

    @property
    def text(self) -> str:
        """The card in words."""
        verdict = {None: "", True: "right. ", False: "wrong. "}[self.right]
        shown = ", ".join(bar.text for bar in self.bars) if self.bars else ", ".join(f"{n} {v}" for n, v in self.lines)
        shown = f"“{self.passage}” {shown}" if self.passage else shown
        return f"{self.name}: {verdict}{shown}{' ' if self.caption else ''}{self.caption}".strip()


class SampleCard(QAbstractButton):
    """One card; a click or Space chooses its sample."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content: CardContent | None = None
        self.marked = False
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    @property
    def content(self) -> CardContent | None:
        return self._content

    def show_content(self, content: CardContent, marked: bool) -> None:
        if content is not self._content or marked != self.marked:
            self._content, self.marked = content, marked
            self.setAccessibleName(content.text)
            self.setToolTip(content.text)
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        content = self._content
        if content is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        t = theme.current()
        edge = t.wrong if content.right is False else t.line
        if self.marked or self.hasFocus():
            edge = t.accent
        painter.setPen(QPen(theme.colour(edge), 2 if self.hasFocus() or t.strong_lines else 1))
        painter.setBrush(theme.colour(theme.mixed(t.text, t.raised, 0.05) if self.underMouse() else t.raised))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), theme.RADIUS_TILE, theme.RADIUS_TILE)
        inner = QRectF(self.rect()).adjusted(_PAD, _PAD, -_PAD, -_PAD)
        if content.strip:
            self._paint_strip(painter, inner, content.strip)
            return
        left = self._paint_sample(painter, inner, content)
        rest = QRectF(left, inner.top(), inner.right() - left - 3, inner.height())
        if content.bars:
            paint_bars(painter, rest, content.bars, caption=True)
        elif content.picture is not None and content.lines:
            self._paint_lines(painter, rest, content.lines)
        elif content.caption:
            painter.setFont(theme.font(theme.CAPTION))
            painter.setPen(theme.colour(t.muted))
            painter.drawText(rest, int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap), content.caption)

    def _paint_strip(self, painter: QPainter, inner: QRectF, strip: Sequence[tuple[QImage, str]]) -> None:
        font = theme.font(theme.CAPTION)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        width = (inner.width() - GAP * (len(strip) - 1)) / len(strip)
        for i, (image, caption) in enumerate(strip):
            place = QRectF(inner.left() + i * (width + GAP), inner.top(), width, inner.height())
            paint_picture(painter, place.adjusted(0, 0, 0, -metrics.height() - 3), image)
            painter.setPen(theme.colour(theme.current().muted))
            painter.drawText(place, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignHCenter,
                             metrics.elidedText(caption, Qt.TextElideMode.ElideRight, width))

    def _paint_sample(self, painter: QPainter, inner: QRectF, content: CardContent) -> float:
        """Picture or lines at the left; returns where the rest may begin."""
        if content.picture is not None:
            ratio = content.picture.width() / max(1, content.picture.height())
            side = min(inner.height() * ratio, inner.width() * 0.42)
            place = paint_picture(painter, QRectF(inner.left(), inner.top(), side, inner.height()), content.picture)
            right = inner.left() + side
            if content.second is not None:
                t = theme.current()
                icons.paint(painter, QRectF(right + 3, inner.center().y() - 7, 14, 14), "mdi6.arrow-right", t.muted)
                paint_picture(painter, QRectF(right + 20, inner.top(), side, inner.height()), content.second)
                right += 20 + side
            self._paint_badge(painter, place.right() - _BADGE + 4, place.bottom() - _BADGE + 4, content.right)
            return right + 10
        width = inner.width() * (0.46 if content.bars or content.caption else 1.0)
        badge = 0 if content.right is None else _BADGE + 6
        self._paint_badge(painter, inner.left(), inner.center().y() - _BADGE / 2, content.right)
        rest = inner.adjusted(badge, 0, width - inner.width(), 0)
        if content.passage:
            painter.setFont(theme.font(theme.CAPTION))
            painter.setPen(theme.colour(theme.current().text))
            painter.drawText(rest, int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap), content.passage)
        else:
            self._paint_lines(painter, rest, content.lines)
        return inner.left() + width + 10

    def _paint_lines(self, painter: QPainter, rect: QRectF, lines: Sequence[tuple[str, str]]) -> None:
        t = theme.current()
        font = theme.font(theme.CAPTION)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        row = metrics.height() + 1
        fitting = lines[:max(1, int(rect.height() // row))]
        top = rect.center().y() - row * len(fitting) / 2
        for i, (name, value) in enumerate(fitting):
            place = QRectF(rect.left(), top + i * row, rect.width(), row)
            value_width = min(metrics.horizontalAdvance(value) + 1, place.width())
            painter.setPen(theme.colour(t.muted))
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, metrics.elidedText(
                name, Qt.TextElideMode.ElideMiddle, max(0.0, place.width() - value_width - 6)))
            painter.setPen(theme.colour(t.text))
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
                             metrics.elidedText(value, Qt.TextElideMode.ElideMiddle, place.width()))

    def _paint_badge(self, painter: QPainter, x: float, y: float, right: bool | None) -> None:
        """A tick or a cross on a disc, so that right and wrong differ without colour too."""
        if right is None:
            return
        t = theme.current()
        place = QRectF(x, y, _BADGE, _BADGE)
        painter.setPen(QPen(theme.colour(t.raised), 2))
        painter.setBrush(theme.colour(t.right if right else t.wrong))
        painter.drawEllipse(place)
        icons.paint(painter, place.adjusted(3, 3, -3, -3), "mdi6.check-bold" if right else "mdi6.close-thick", t.raised)


class CardGrid(QWidget):
    """As many cards as fit, in rows. `capacity_changed` tells when more or fewer fit; arrow keys move between cards."""

    capacity_changed = Signal()
    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards: list[SampleCard] = []
        self._shown = 0
        self._columns, self._rows = 1, 1
        self.marked_row: int | None = None
        #: least width of a card; cards of pictures may be narrower than those of tables
        self.card_width = WIDTH
        self.card_height = HEIGHT
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.notifier.changed.connect(self.update)

    @property
    def capacity(self) -> int:
        """Number of cards for which there is room."""
        return self._columns * self._rows

    @property
    def contents(self) -> list[CardContent]:
        return [card.content for card in self._cards[:self._shown]]

    def card(self, index: int) -> SampleCard:
        return self._cards[index]

    def show_cards(self, contents: Sequence[CardContent]) -> None:
        """Show these samples, at most as many as fit."""
        contents = contents[:self.capacity]
        while len(self._cards) < len(contents):
            card = SampleCard(self)
            card.clicked.connect(lambda _=False, c=card: self._choose(c))
            self._cards.append(card)
        for card, content in zip(self._cards, contents):
            card.show_content(content, content.row == self.marked_row)
        if len(contents) != self._shown:
            self._shown = len(contents)
            self._place()

    def minimumSizeHint(self) -> QSize:
        return QSize(180, HEIGHT)

    def set_card_size(self, width: int, height: int = HEIGHT) -> None:
        """Make cards at least this wide, and so high."""
        if (width, height) != (self.card_width, self.card_height):
            self.card_width, self.card_height = width, height
            self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Work out how many cards fit."""
        before = self.capacity
        self._columns = max(1, (self.width() + GAP) // (self.card_width + GAP))
        self._rows = max(1, (self.height() + GAP) // (self.card_height + GAP))
        self._place()
        if self.capacity != before:
            self.capacity_changed.emit()

    def _place(self) -> None:
        width = (self.width() - GAP * (self._columns - 1)) // self._columns
        for i, card in enumerate(self._cards):
            row, column = divmod(i, self._columns)
            card.setGeometry(column * (width + GAP), row * (self.card_height + GAP), width,
                             min(self.card_height, self.height()))
            card.setVisible(i < self._shown and row < self._rows)

    def _choose(self, card: SampleCard) -> None:
        self.marked_row = card.content.row
        for other in self._cards[:self._shown]:
            other.show_content(other.content, other.content.row == self.marked_row)
        self.chosen.emit(card.content.row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key
        moves = {key.Key_Left: -1, key.Key_Right: 1, key.Key_Up: -self._columns, key.Key_Down: self._columns}
        at = next((i for i, card in enumerate(self._cards[:self._shown]) if card.hasFocus()), None)
        if event.key() in moves and at is not None:
            to = at + moves[event.key()]
            if 0 <= to < self._shown:
                self._cards[to].setFocus(Qt.FocusReason.TabFocusReason)
            return
        super().keyPressEvent(event)
