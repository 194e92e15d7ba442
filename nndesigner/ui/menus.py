"""The menus of the window. Every command is in one, so that command palette and shortcut sheet are complete."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu

from nndesigner.ui import icons, theme
from nndesigner.ui.cache_sheet import CacheSheet
from nndesigner.ui.parts import follow_theme

if TYPE_CHECKING:
    from nndesigner.ui.window import Window

Keys = QKeySequence.StandardKey


class Menus:
    """All menus, and the one behind the button that holds them."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self.all = QMenu(window)
        self._menus: dict[str, QMenu] = {}
        canvas = window.canvas.commands
        self.undo = self._own(window.document.undo_stack.createUndoAction(window, "Undo"), Keys.Undo, "mdi6.undo")
        self.redo = self._own(window.document.undo_stack.createRedoAction(window, "Redo"), Keys.Redo, "mdi6.redo")
        for action, word in ((self.undo, "Undo"), (self.redo, "Redo")):
            action.changed.connect(partial(_name_step, action, word))
            _name_step(action, word)
        self.commands = self._make("Commands", "Ctrl+K", window.commands_wanted, "mdi6.console-line",
                                   "Find any command or layer by typing")
        self.commands.setProperty("hint", "Ctrl K")
        self._file()
        on_selection = ("cut", "copy", "paste", "duplicate", "delete", "delete_rejoin")
        self._add("Edit", self.undo, self.redo, None, *(canvas[n] for n in on_selection), None, canvas["select_all"],
                  canvas["rename"])
        self._view()
        self._add(
            "Network", canvas["add_layer"], canvas["arrange"], None,
            *(canvas[n] for n in ("align_left", "align_top", "align_row", "align_column")), None,
            *(canvas[n] for n in ("group", "ungroup", "fold", "add_note")), None,
            self._make("Next problem", "F8", window.next_problem, "mdi6.alert-circle-outline", "Show the next problem"))
        self._add(
            "Train", *window.control.actions, None,
            self._make("Training settings", "Ctrl+T", lambda: window.docks.show("training"), "mdi6.tune-vertical"),
            self._make("Read the data again", "", window.document.reload_data, "mdi6.refresh",
                       "Take up changes of the data file"))
        self._add(
            "Help", self._make("Guide", "F1", window.show_guide, "mdi6.book-open-variant"),
            self._make("Shortcuts", "Ctrl+?", window.show_shortcuts, "mdi6.keyboard-outline"), self.commands, None,
            self._make("About nndesigner", "", window.show_about, "mdi6.information-outline"))
        for name, menu in self._menus.items():
            menu.setToolTipsVisible(True)
            opener = QAction(f"Menu {name}", window)
            opener.setShortcut(QKeySequence(f"Alt+{name[0]}"))
            opener.triggered.connect(partial(self._pop_up, menu))
            window.addAction(opener)
        follow_theme(self.all, self._colour)
        if sys.platform == "darwin":
            for menu in self._menus.values():
                window.menuBar().addMenu(menu)

    def actions(self) -> Iterator[tuple[str, QAction]]:
        """(menu, action) of every command, also of those in menus within menus."""
        for name, menu in self._menus.items():
            yield from ((name, action) for action in _leaves(menu))

    # --- inside ---

    def _file(self) -> None:
        window, files = self._window, self._window.files
        self.recent = QMenu("Open recent", window)
        self.recent.aboutToShow.connect(self._fill_recent)
        self._add(
            "File",
            self._make("New", Keys.New, files.new, "mdi6.file-outline", "An empty project"),
            self._make("Start page", "", window.show_start, "mdi6.home-outline", "Examples and recent files"),
            self._make("Open…", Keys.Open, files.ask_open, "mdi6.folder-open-outline", "Open a project file"),
            self.recent, None,
            self._make("Save", Keys.Save, files.save, "mdi6.content-save-outline",
                       "Write drawing, settings and what was learned into the project's file"),
            self._make("Save as…", Keys.SaveAs, files.save_as, "mdi6.content-save-edit-outline"), None,
            self._make("Decoded pictures…", "", lambda: CacheSheet(window).open(), "mdi6.image-multiple-outline",
                       "How much of the disk decoded pictures take, and where"), None,
            self._make("Quit", Keys.Quit, window.close, "mdi6.exit-to-app"))

    def _view(self) -> None:
        window, canvas = self._window, self._window.canvas.commands
        panels = QMenu("Panels", window)
        for dock in window.docks.by_name.values():
            toggle = dock.toggleViewAction()
            toggle.setProperty("icon_name", "mdi6.dock-window")
            panels.addAction(toggle)
        themes = QMenu("Theme", window)
        group = QActionGroup(window)
        for name, title in (("system", "Like the desktop"), *((t.name, t.title) for t in theme.THEMES.values())):
            action = self._make(f"{title} theme" if name != "system" else "Theme like the desktop", "",
                                partial(window.choose_theme, name), "mdi6.theme-light-dark")
            action.setCheckable(True)
            action.setChecked(name == window.theme_name())
            group.addAction(action)
            themes.addAction(action)
        self._add(
            "View", canvas["fit"], canvas["zoom_100"], canvas["zoom_in"], canvas["zoom_out"], None,
            self._make("Samples", "Ctrl+E", window.show_data, "mdi6.image-search-outline",
                       "All samples of the data and what they are like"), panels,
            self._make("Reset layout", "", window.reset_layout, "mdi6.view-dashboard-outline",
                       "Put all panels where they were at first"),
            themes, None, self._make("Full screen", Keys.FullScreen, window.toggle_full_screen, "mdi6.fullscreen"))

    def _make(self, text: str, keys: Keys | str, do: Callable[[], object], icon: str = "", tip: str = "") -> QAction:
        action = QAction(text, self._window)
        action.triggered.connect(lambda _checked=False: do())
        action.setToolTip(tip or text)
        return self._own(action, keys, icon)

    def _own(self, action: QAction, keys: Keys | str, icon: str) -> QAction:
        if keys:
            found = QKeySequence.keyBindings(keys) if isinstance(keys, Keys) else [QKeySequence(keys)]
            action.setShortcuts(found or [QKeySequence("F11" if keys == Keys.FullScreen else "Ctrl+Q")])
        action.setProperty("icon_name", icon)
        return action

    def _add(self, name: str, *entries: QAction | QMenu | None) -> None:
        menu = self._menus[name] = QMenu(name, self._window)
        for entry in entries:
            if entry is None:
                menu.addSeparator()
            elif isinstance(entry, QMenu):
                menu.addMenu(entry)
            else:
                menu.addAction(entry)
        self.all.addMenu(menu)
        # Shortcuts work only for actions that a widget of the window holds; those of the canvas it holds itself.
        held = set(self._window.canvas.commands.values())
        for action in _leaves(menu):
            if action not in held:
                self._window.addAction(action)

    def _pop_up(self, menu: QMenu) -> None:
        button = self._window.bar.menu_button
        menu.popup(button.mapToGlobal(QPoint(0, button.height())))

    def _fill_recent(self) -> None:
        self.recent.clear()
        for path in self._window.files.recent():
            action = self.recent.addAction(path.name)
            action.setToolTip(str(path))
            action.triggered.connect(partial(self._open, path))
        if self.recent.isEmpty():
            self.recent.addAction("No recent files").setEnabled(False)

    def _open(self, path: Path, _checked: bool = False) -> None:
        self._window.files.open(path)

    def _colour(self) -> None:
        tokens = theme.current()
        for _, action in self.actions():
            name = action.property("icon_name")
            if name and not action.isCheckable():
                action.setIcon(icons.icon(name, tokens.muted, 16, tokens.faint))


def _leaves(menu: QMenu) -> Iterator[QAction]:
    for action in menu.actions():
        if action.menu() is not None:
            yield from _leaves(action.menu())
        elif not action.isSeparator() and action.text():
            yield action


def _name_step(action: QAction, word: str) -> None:
    """The tooltip says what would be undone, or why nothing can be."""
    step = action.text().removeprefix(word).strip()
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    tip = f"{word}: {step} ({keys})" if step else f"Nothing to {word.lower()}"
    if action.toolTip() != tip:
        action.setToolTip(tip)
