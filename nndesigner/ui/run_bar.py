"""The bar at the top: file, undo, arrange; the run with its progress; device and commands."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidgetAction,
)

from nndesigner.engine.accelerate import ACCELERATOR
from nndesigner.training.telemetry import Telemetry
from nndesigner.ui.devices import Devices, words
from nndesigner.ui.document import Document
from nndesigner.ui.parts import ElidedLabel, label, line, margins, set_icon
from nndesigner.ui.run_control import RunControl, progress_words
from nndesigner.ui.runner import Runner
from nndesigner.ui.stylesheet import role

BAR_HEIGHT = 48
#: below this width some buttons show their icon only
NARROW = 1440


class RunBar(QFrame):
    """The window's one bar."""

    #: the progress text was clicked while something is missing
    help_wanted = Signal()

    def __init__(
        self, document: Document, runner: Runner, control: RunControl, devices: Devices, menu: QMenu,
        undo: QAction, redo: QAction, arrange: QAction, commands: QAction,
    ) -> None:
        super().__init__()
        self._document, self._runner, self._control, self._devices = document, runner, control, devices
        self._name = "Untitled"
        role(self, "bar")
        self.setFixedHeight(BAR_HEIGHT)
        self.menu_button = QToolButton()
        role(self.menu_button, "plain")
        set_icon(self.menu_button, "mdi6.menu", "muted", 18)
        self.menu_button.setMenu(menu)
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu_button.setToolTip("Menu (Alt and the first letter of a menu opens it)")
        self.menu_button.setAccessibleName("Menu")
        self.menu_button.setFixedSize(30, 30)
        self.file_label = ElidedLabel()
        role(self.file_label, "name")
        self.file_label.setMaximumWidth(220)
        self._modified = label("•", "muted")
        self._modified.setFixedWidth(10)
        self._modified.setToolTip("There are changes that are not saved")

        self._arrange = action_button(arrange)
        left = line(self.menu_button, self.file_label, self._modified, self._icon_button(undo), self._icon_button(redo),
                    self._arrange, gap=8)
        self.train = action_button(control.train, "primary")
        self.train.setMinimumWidth(92)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.progress.setMinimumWidth(60)
        self.progress.setMaximumWidth(210)
        self.progress.setAccessibleName("Progress of the training")
        self.words = ElidedLabel(mode=Qt.TextElideMode.ElideRight)
        role(self.words, "muted")
        self.words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.words.setMinimumWidth(90)
        centre = QHBoxLayout()
        margins(centre, 0, gap=8)
        for button in (self.train, action_button(control.step), action_button(control.stop)):
            centre.addWidget(button)
        centre.addWidget(self.progress, 2)
        centre.addWidget(self.words, 3)

        self.device = QToolButton()
        role(self.device, "button")
        self.device.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.device.setMenu(QMenu(self.device))
        self.device.menu().aboutToShow.connect(self._fill_devices)
        self.device.setToolTip("Where training computes")
        self.device.setAccessibleName("Device")
        self.commands = action_button(commands)
        right = line(self.device, self.commands)

        layout = QHBoxLayout(self)
        margins(layout, 8, 0, 12, 0, gap=16)
        layout.addLayout(left)
        layout.addStretch(1)
        layout.addLayout(centre, 8)
        layout.addLayout(right)

        document.file_changed.connect(self._show_file)
        document.changed.connect(lambda *_: self._show_device())
        devices.changed.connect(self._show_device)
        runner.telemetry_changed.connect(self._show_progress)
        control.changed.connect(lambda: self._show_progress(runner.telemetry))
        self._show_file()
        self._show_device()
        self._show_progress(runner.telemetry)

    def _icon_button(self, action: QAction) -> QPushButton:
        button = action_button(action, text="")
        button.setFixedWidth(36)
        return button

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, the words of the run are worth more than those of two buttons."""
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        for button in (self._arrange, self.commands):
            button.setProperty("icon_only", narrow)
            show_words(button)
        self.progress.setMaximumWidth(96 if narrow else 210)
        self.layout().setStretch(1, 0 if narrow else 1)

    def show_name(self, name: str) -> None:
        """Name of the project, or of the example that it started from."""
        self._name = name
        self._show_file()

    def _show_file(self) -> None:
        path = self._document.path
        self.file_label.setText(path.name if path else self._name)
        needed = self.file_label.fontMetrics().horizontalAdvance(self.file_label.text()) + 2
        self.file_label.setMinimumWidth(min(220, needed))
        self._modified.setText("•" if self._document.modified else "")

    def _show_progress(self, telemetry: Telemetry) -> None:
        text = progress_words(self._runner, telemetry)
        if text != self.words.text():
            self.words.setText(text)
        begun = self._runner.session is not None and telemetry.step > 0
        self.progress.setVisible(begun)
        if begun:
            self.progress.setValue(round(1000 * telemetry.step / max(1, telemetry.steps)))

    def _show_device(self) -> None:
        self.device.setText(self._devices.title(self._document.design.training.device))

    def _fill_devices(self) -> None:
        menu = self.device.menu()
        menu.clear()
        chosen = self._document.design.training.device
        for status in self._devices.found:
            action = menu.addAction(words(status))
            action.setCheckable(True)
            action.setChecked(status.name == chosen)
            action.setEnabled(status.usable)
            action.triggered.connect(lambda _=False, name=status.name: self._choose(name))
            if status.name == "cpu":
                _add_words(menu, ACCELERATOR.words())
            if status.reason:
                _add_words(menu, status.reason)
        if not self._devices.known:
            _add_words(menu, "Looking for a GPU…")

    def _choose(self, name: str) -> None:
        self._document.edit_training("Choose the device", device=name)


def _add_words(menu: QMenu, text: str) -> None:
    """A few lines of explanation inside a menu."""
    words_label = label(text, "caption", wrap=True)
    words_label.setMinimumWidth(280)
    words_label.setContentsMargins(32, 0, 12, 6)
    entry = QWidgetAction(menu)
    entry.setDefaultWidget(words_label)
    menu.addAction(entry)


def action_button(action: QAction, kind: str = "", text: str | None = None) -> QPushButton:
    """A push button that follows an action: tooltip, icon, availability, and its text unless another one is given."""
    button = QPushButton()
    if kind:
        role(button, kind)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def follow() -> None:
        hint = action.property("hint")
        words = action.iconText() if text is None else text
        if words and action.property("icon_name"):
            words = f" {words}"  # the style leaves too little between icon and text
        button.setProperty("words", f"{words}  {hint}" if hint else words)
        show_words(button)
        button.setToolTip(action.toolTip())
        button.setAccessibleName(action.iconText())
        button.setEnabled(action.isEnabled())
        name = action.property("icon_name")
        if name and button.property("icon_name") != name:
            set_icon(button, name)

    action.changed.connect(follow)
    button.clicked.connect(lambda: action.trigger())
    follow()
    return button


def show_words(button: QPushButton) -> None:
    """The words of a button, or only its icon."""
    only_icon = bool(button.property("icon_only"))
    button.setText("" if only_icon else button.property("words"))
    if button.property("icon_only") is not None:
        button.setMinimumWidth(36 if only_icon else 0)
        button.setMaximumWidth(36 if only_icon else 16_777_215)
