"""The panels around the canvas: where each stands at first, and how they are moved, hidden and remembered."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from itertools import pairwise

from PySide6.QtCore import QByteArray, QSettings, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QTabWidget, QVBoxLayout, QWidget

from nndesigner.ui import theme
from nndesigner.ui.parts import margins
from nndesigner.ui.stylesheet import role

#: grows when docks are added or renamed: an older layout is then left aside
VERSION = 3
#: from this width on loss, metrics and predictions stand side by side
WIDE = 1600
LEFT_WIDTH, RIGHT_WIDTH = 218, 292
BOTTOM_SHARE = 0.27
#: panels at the right that give way while the samples are looked at in a narrow window
GIVING_WAY = ("inspector", "training")
#: as high as a row of tabs
HEAD_HEIGHT = 32

_LEFT, _RIGHT = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
_BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea


class Docks:
    """The docks of a window, by name."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self.by_name: dict[str, Dock] = {}
        self._wide: bool | None = None
        #: a remembered layout that has not been on the screen yet
        self._restored: QByteArray | None = None
        #: the user moved something: the window no longer rearranges by itself
        self._own_layout = False
        self._arranging = False
        #: what the layout was when the panels were set aside; None while they are in place
        self._aside: QByteArray | None = None
        #: the middle needs the place of other panels; those that were hidden for it, the one in front first
        self._crowded = False
        self._gave_way: list[Dock] = []
        #: called when a panel is wanted that was set aside
        self.wanted: Callable[[], object] = self.bring_back
        self._heads = QTimer(window)
        self._heads.setSingleShot(True)
        self._heads.timeout.connect(self._show_heads)
        window.setDockNestingEnabled(True)
        window.setDockOptions(
            QMainWindow.DockOption.AllowTabbedDocks | QMainWindow.DockOption.AllowNestedDocks
            | QMainWindow.DockOption.GroupedDragging)
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        window.setCorner(Qt.Corner.BottomLeftCorner, _BOTTOM)
        window.setCorner(Qt.Corner.BottomRightCorner, _BOTTOM)

    def add(self, name: str, title: str, area: Qt.DockWidgetArea, widget: QWidget) -> Dock:
        """Add a panel; `name` is permanent, layouts are remembered by it."""
        dock = Dock(name, title, widget)
        self._window.addDockWidget(area, dock)
        self.by_name[name] = dock
        dock.visibilityChanged.connect(lambda _: self._heads.start(0))
        dock.dockLocationChanged.connect(self._moved)
        dock.topLevelChanged.connect(self._moved)
        return dock

    def show(self, name: str) -> QWidget:
        """Bring a panel to the front. Returns what is in it."""
        if self._aside is not None:
            self.wanted()
        dock = self.by_name[name]
        dock.show()
        dock.raise_()
        return dock.content

    def set_aside(self) -> None:
        """Hide all panels for the start page, which needs none of them."""
        if self._aside is None:
            self._aside = self._window.saveState(VERSION) if self._restored is None else self._restored
            for dock in self.by_name.values():
                dock.hide()

    def bring_back(self) -> None:
        """Put the panels back where they were."""
        if self._aside is None:
            return
        state, self._aside, self._restored = self._aside, None, None
        if self._own_layout:
            self._restore_state(state)
        else:
            self._arrange(self._window.width() >= WIDE)
        self.make_room(self._crowded)

    def make_room(self, wanted: bool) -> None:
        """Give the middle of a narrow window the place of some panels, or give it back."""
        self._crowded = wanted
        if not wanted:
            for dock in self._gave_way:
                dock.show()
            for dock in self._gave_way[:1]:
                dock.raise_()
            self._gave_way = []
        elif self._window.width() < WIDE and self._aside is None and not self._gave_way:
            found = [self.by_name[name] for name in GIVING_WAY]
            found = [dock for dock in found if not dock.isHidden() and self._window.dockWidgetArea(dock) == _RIGHT]
            self._gave_way = sorted(found, key=lambda dock: dock.visibleRegion().isEmpty())
            for dock in found:
                dock.hide()

    def reset(self) -> None:
        """The layout of a first start."""
        self._own_layout, self._aside = False, None
        self._arrange(self._window.width() >= WIDE)

    def fit(self) -> None:
        """Follow a change of the window's width, unless the user arranged the panels himself."""
        wide = self._window.width() >= WIDE
        if wide != self._wide and not self._own_layout and self._aside is None:
            self._arrange(wide)

    def save(self) -> None:
        """Remember layout and size."""
        self.make_room(False)
        settings = QSettings()
        settings.setValue("window/geometry", self._window.saveGeometry())
        settings.setValue("window/state", self._window.saveState(VERSION) if self._aside is None else self._aside)
        settings.setValue("window/own_layout", self._own_layout)

    def restore(self) -> bool:
        """Take up what was remembered. False when there is nothing, or nothing that can be used."""
        settings = QSettings()
        geometry, state = settings.value("window/geometry"), settings.value("window/state")
        if isinstance(geometry, QByteArray) and not geometry.isEmpty():
            self._window.restoreGeometry(geometry)
        if not isinstance(state, QByteArray) or settings.value("window/own_layout", False, type=bool) is not True:
            return False
        self._own_layout = self._restore_state(state)
        self._restored = state if self._own_layout else None
        return self._own_layout

    def _restore_state(self, state: QByteArray) -> bool:
        self._arranging = True
        restored = self._window.restoreState(state, VERSION)
        self._arranging = False
        self._wide = self._window.width() >= WIDE
        self._heads.start(0)
        return restored

    def _moved(self, *_: object) -> None:
        if not self._arranging:
            self._own_layout = True
        self._heads.start(0)

    def _arrange(self, wide: bool) -> None:
        self._arranging = True
        window, docks = self._window, self.by_name
        for dock in docks.values():
            dock.setFloating(False)
            window.removeDockWidget(dock)
        groups = [(_LEFT, ("layers", "data", "outline")), (_RIGHT, ("inspector", "training"))]
        bottom = [("loss",), ("metric", "confusion", "latent", "generate"), ("predictions", "try", "problems")]
        if not wide:
            bottom = [("loss", "metric", "confusion", "latent", "generate"), ("predictions", "try", "problems")]
        for area, names in groups:
            window.addDockWidget(area, docks[names[0]])
        window.addDockWidget(_BOTTOM, docks[bottom[0][0]])
        for left, right in pairwise(bottom):
            window.splitDockWidget(docks[left[0]], docks[right[0]], Qt.Orientation.Horizontal)
        for names in (*(names for _, names in groups), *bottom):
            for name in names[1:]:
                window.tabifyDockWidget(docks[names[0]], docks[name])
        for dock in docks.values():
            dock.show()
        for _, names in groups:
            docks[names[0]].raise_()
        for names in bottom:
            docks[names[0]].raise_()
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        window.resizeDocks([docks["layers"], docks["inspector"]], [LEFT_WIDTH, RIGHT_WIDTH], across)
        heads = [docks[names[0]] for names in bottom]
        shares = (30, 30, 40) if wide else (45, 55)
        window.resizeDocks(heads, [round(window.width() * share / 100) for share in shares], across)
        window.resizeDocks([heads[0]], [round(window.height() * BOTTOM_SHARE)], down)
        self._wide = wide
        self._arranging = False
        self._gave_way = []
        self.make_room(self._crowded)
        self._heads.start(0)

    def _show_heads(self) -> None:
        """A dock among tabs needs no title of its own; one that stands alone gets a head that looks like a tab."""
        for dock in self.by_name.values():
            dock.show_head(bool(self._window.tabifiedDockWidgets(dock)))
        for bar in self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            bar.setAccessibleName("Panels")
            bar.setElideMode(Qt.TextElideMode.ElideNone)
            bar.setExpanding(False)
            bar.setDrawBase(False)
            bar.setUsesScrollButtons(True)


class Dock(QDockWidget):
    """A panel that can be moved and hidden."""

    def __init__(self, name: str, title: str, widget: QWidget) -> None:
        super().__init__(title)
        self.setObjectName(name)
        self.content = widget
        frame = QWidget()
        role(frame, "panel")
        frame.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        layout = QVBoxLayout(frame)
        margins(layout, 0, gap=0)
        layout.addWidget(widget)
        self.setWidget(frame)
        self._head = _Head(self)
        self._none = QWidget(self)
        self._none.setFixedHeight(0)
        self.setTitleBarWidget(self._head)
        self.topLevelChanged.connect(lambda _: self.show_head(False))

    def show_head(self, among_tabs: bool) -> None:
        """Choose the title bar that fits where the dock stands."""
        wanted = None if self.isFloating() else self._none if among_tabs else self._head
        if self.titleBarWidget() is not wanted:
            self.setTitleBarWidget(wanted)
            for bar in (self._head, self._none):
                bar.setVisible(bar is wanted)


class _Head(QWidget):
    """The title of a dock that stands alone, drawn as a chosen tab."""

    def __init__(self, dock: QDockWidget) -> None:
        super().__init__(dock)
        self._dock = dock
        self.setFixedHeight(HEAD_HEIGHT)
        dock.windowTitleChanged.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(60, HEAD_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(tokens.panel))
        painter.setFont(theme.font(theme.BASE, 600))
        painter.setPen(theme.colour(tokens.text))
        title = self._dock.windowTitle()
        width = painter.fontMetrics().horizontalAdvance(title)
        painter.drawText(self.rect().adjusted(10, 0, -10, -2), Qt.AlignmentFlag.AlignVCenter, title)
        painter.fillRect(8, HEAD_HEIGHT - 2, width + 4, 2, theme.colour(tokens.accent))


class Later(QWidget):
    """Makes a view when it is first seen with something to show: pyqtgraph and its like must not slow the start."""

    def __init__(self, module: str, name: str, make: Callable[[type], QWidget], wanted: Callable[[], bool]) -> None:
        super().__init__()
        self._module, self._name, self._make, self._wanted = module, name, make, wanted
        self.made: QWidget | None = None
        self._layout = QVBoxLayout(self)
        margins(self._layout, 0, gap=0)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # While docks are being arranged all of them are shown for a moment, so this waits until the dust has settled.
        QTimer.singleShot(0, self, self.look)

    def look(self) -> None:
        """Make the view if it is seen and wanted."""
        if self.made is None and self.isVisible() and self._wanted():
            self.build()

    def load(self) -> None:
        """Only import what the view needs."""
        import_module(self._module)

    def build(self) -> QWidget:
        """Make the view now."""
        if self.made is None:
            self.made = self._make(getattr(import_module(self._module), self._name))
            self._layout.addWidget(self.made)
        return self.made
