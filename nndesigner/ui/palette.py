"""The palette: every layer there is, by group, found by typing and dragged onto the canvas."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, QModelIndex, QPoint, QRect, QRectF, QSettings, QSize, Qt, Signal
from PySide6.QtGui import QDrag, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from nndesigner.graph.blocks import BLOCKS, Block
from nndesigner.layers import Layer
from nndesigner.ui import icons, theme
from nndesigner.ui.parts import follow_theme, label, margins
from nndesigner.ui.remembered import texts
from nndesigner.ui.stylesheet import role

#: what a drag carries: the kind of the layer, as UTF-8
MIME = "application/x-nndesigner-layer"
#: groups in the order of a network; others follow as they were declared
GROUP_ORDER = ("Input / Output", "Core", "Convolution", "Pooling", "Normalise", "Activation", "Regularise", "Merge")
KIND = Qt.ItemDataRole.UserRole
ROW_HEIGHT, GROUP_HEIGHT = 27, 28


class Palette(QWidget):
    """Search box and list of layers."""

    #: a kind of layer, to be added in the middle of the canvas
    add_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        role(self, "panel")
        layout = QVBoxLayout(self)
        margins(layout, 12, 12, 0, 0, gap=8)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search layers")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search layers")
        self.search.setToolTip("Type a name or what it is for; Enter adds the layer in the middle of the canvas")
        self.search.textChanged.connect(self._filter)
        self.search.installEventFilter(self)
        self._loupe = self.search.addAction(icons.icon("mdi6.magnify", theme.current().muted),
                                            QLineEdit.ActionPosition.LeadingPosition)
        top = QVBoxLayout()
        margins(top, 0, 0, 12, 0)
        top.addWidget(self.search)
        layout.addLayout(top)
        self._nothing = label("", "muted", wrap=True)
        self._nothing.hide()
        layout.addWidget(self._nothing)
        self.tree = _Tree()
        self.tree.itemActivated.connect(self._activated)
        self.tree.itemClicked.connect(self._clicked)
        layout.addWidget(self.tree, 1)
        self._groups: dict[str, QTreeWidgetItem] = {}
        self._fill()
        self.setFocusProxy(self.search)
        follow_theme(self, self._recolour)

    def eventFilter(self, watched: QWidget, event: QEvent) -> bool:
        """Keys of the list work while the search box keeps the typing."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
                self._step(1 if key == Qt.Key.Key_Down else -1)
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._activated(self.tree.currentItem())
                return True
            if key == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return False

    def _fill(self) -> None:
        layers = [*Layer.all(), *BLOCKS.values()]
        declared = dict.fromkeys(layer.group for layer in layers)
        order = sorted(declared, key=lambda g: GROUP_ORDER.index(g) if g in GROUP_ORDER else len(GROUP_ORDER))
        folded = set(texts("palette/folded"))
        for group in order:
            parent = QTreeWidgetItem(self.tree, [group])
            parent.setFlags(Qt.ItemFlag.ItemIsEnabled)
            parent.setToolTip(0, "Fold or unfold")
            for layer in (x for x in layers if x.group == group):
                item = QTreeWidgetItem(parent, [layer.title])
                item.setData(0, KIND, layer.kind)
                item.setToolTip(0, layer.summary_line())
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
                if layer.kind not in BLOCKS:  # a block follows the chosen layer
                    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsDragEnabled)
            parent.setExpanded(group not in folded)
            self._groups[group] = parent

    def _recolour(self) -> None:
        self._loupe.setIcon(icons.icon("mdi6.magnify", theme.current().muted))
        for item in self._items():
            layer = _offered(item.data(0, KIND))
            item.setIcon(0, icons.tile(layer.icon, theme.group_colour(layer.group)))

    def _items(self) -> list[QTreeWidgetItem]:
        return [g.child(i) for g in self._groups.values() for i in range(g.childCount())]

    def _filter(self, text: str) -> None:
        words = text.lower().split()
        best: tuple[int, QTreeWidgetItem] | None = None
        for item in self._items():
            rank = match(_offered(item.data(0, KIND)), words)
            item.setHidden(rank is None)
            if rank is not None and words and (best is None or rank < best[0]):
                best = (rank, item)
        folded = set(texts("palette/folded"))
        for name, group in self._groups.items():
            shown = any(not group.child(i).isHidden() for i in range(group.childCount()))
            group.setHidden(not shown)
            group.setExpanded(bool(words) or name not in folded)
        self.tree.setCurrentItem(best[1] if best else None)
        self._nothing.setText(f"No layer is called or does “{text.strip()}”.")
        self._nothing.setVisible(bool(words) and best is None)

    def _step(self, by: int) -> None:
        shown = [i for i in self._items() if not i.isHidden() and i.parent().isExpanded()]
        if shown:
            current = self.tree.currentItem()
            index = shown.index(current) + by if current in shown else (0 if by > 0 else -1)
            self.tree.setCurrentItem(shown[max(0, min(index, len(shown) - 1)) if index >= 0 else 0])

    def _activated(self, item: QTreeWidgetItem | None) -> None:
        if item is not None and item.data(0, KIND):
            self.add_wanted.emit(item.data(0, KIND))

    def _clicked(self, item: QTreeWidgetItem) -> None:
        if item.data(0, KIND) is None:
            item.setExpanded(not item.isExpanded())
            folded = [name for name, group in self._groups.items() if not group.isExpanded()]
            QSettings().setValue("palette/folded", folded)


def _offered(kind: str) -> type[Layer] | Block:
    return BLOCKS[kind] if kind in BLOCKS else Layer.registry[kind]


def match(layer: type[Layer] | Block, words: list[str]) -> int | None:
    """How well a layer fits the typed words, lower is better; None when it does not."""
    title = layer.title.lower()
    names = " ".join((title, *layer.keywords, layer.group)).lower()
    if all(word in names for word in words):
        first = words[0] if words else ""
        return 0 if title.startswith(first) else 1 if first in title else 2
    about = f"{names} {layer.summary_line().lower()}"
    return 3 if all(word in about for word in words) else None


class _Tree(QTreeWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setIconSize(QSize(20, 20))
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.setExpandsOnDoubleClick(False)
        self.setAccessibleName("Layers")
        self.setItemDelegate(_Delegate(self))

    def startDrag(self, _actions: Qt.DropAction) -> None:
        item = self.currentItem()
        if item is None or item.data(0, KIND) is None or item.data(0, KIND) in BLOCKS:
            return
        mime = QMimeData()
        mime.setData(MIME, item.data(0, KIND).encode())
        drag = QDrag(self)
        drag.setMimeData(mime)
        drag.setPixmap(ghost(Layer.registry[item.data(0, KIND)], self.devicePixelRatioF()))
        drag.setHotSpot(QPoint(80, 20))
        drag.exec(Qt.DropAction.CopyAction)


def ghost(layer: type[Layer], ratio: float) -> QPixmap:
    """What hangs at the pointer during a drag: the head of the node to come."""
    tokens = theme.current()
    picture = QPixmap(round(162 * ratio), round(44 * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setOpacity(0.9)
    painter.setPen(theme.colour(tokens.accent))
    painter.setBrush(theme.colour(tokens.panel))
    painter.drawRoundedRect(QRectF(1, 1, 160, 42), theme.RADIUS_NODE, theme.RADIUS_NODE)
    icons.paint_tile(painter, QRectF(11, 12, 20, 20), layer.icon, theme.group_colour(layer.group))
    painter.setFont(theme.font(theme.BASE, 600))
    painter.setPen(theme.colour(tokens.text))
    painter.drawText(QRectF(38, 0, 116, 44), Qt.AlignmentFlag.AlignVCenter, layer.title)
    painter.end()
    return picture


class _Delegate(QStyledItemDelegate):
    """Rows of 27 px, and quiet group headings that show a chevron under the pointer."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(0, ROW_HEIGHT if index.data(KIND) else GROUP_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        tokens = theme.current()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRect(option.rect)
        hovered = self.parent().indexAt(self.parent().viewport().mapFromGlobal(self.parent().cursor().pos())) == index
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        if index.data(KIND):
            row = QRectF(rect.adjusted(0, 0, -8, 0))
            selected = self.parent().currentIndex() == index
            if selected or hovered:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.colour(tokens.accent, 0.2) if selected else theme.colour(tokens.text, 0.05))
                painter.drawRoundedRect(row, 4, 4)
            index.data(Qt.ItemDataRole.DecorationRole).paint(painter, QRect(rect.x() + 4, rect.y() + 3, 20, 20))
            painter.setFont(theme.font())
            painter.setPen(theme.colour(tokens.text))
            area = rect.adjusted(32, 0, -12, 0)
            painter.drawText(area, align, painter.fontMetrics().elidedText(
                index.data(), Qt.TextElideMode.ElideMiddle, area.width()))
        else:
            painter.setFont(theme.font(theme.CAPTION, 600))
            painter.setPen(theme.colour(tokens.text if hovered else tokens.muted))
            painter.drawText(rect.adjusted(2, 4, -30, 0), align, index.data())
            folded = not self.parent().isExpanded(index)
            if hovered or folded:
                chevron = QRectF(rect.right() - 30, rect.y() + 8, 16, 16)
                icons.paint(painter, chevron, "mdi6.chevron-right" if folded else "mdi6.chevron-down", tokens.muted)
        painter.restore()
