"""How much of the disk decoded pictures take, where they lie, and how much they may take."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QDoubleSpinBox, QVBoxLayout, QWidget

from nndesigner.data.picture_cache import cache_folder, cache_limit, cache_size, clear_cache, set_cache_limit
from nndesigner.ui import numbers
from nndesigner.ui.parts import ElidedLabel, button, label, line, margins

GB = 1 << 30


class CacheSheet(QDialog):
    """Each change works at once."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Decoded pictures")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(460)
        layout = margins(QVBoxLayout(self), 20, 16, 20, 16, gap=10)
        layout.addWidget(label("Decoded pictures", "title"))
        words = label("Pictures of large folders are decoded once and kept, so that each epoch is read quickly. They "
                      "may be deleted at any time; your own files are not touched.", "muted", wrap=True)
        layout.addWidget(words)
        self.size = label("", "value")
        self.clear = button("Delete all", clicked=self._clear)
        layout.addLayout(line(label("On the disk", "muted"), self.size, 1, self.clear))
        self.limit = QDoubleSpinBox()
        self.limit.setRange(0, 10_000)
        self.limit.setDecimals(1)
        self.limit.setSuffix(f"{numbers.GAP}GB")
        self.limit.setValue(cache_limit() / GB)
        self.limit.setAccessibleName("Limit")
        self.limit.setToolTip("Higher: more folders stay decoded. 0: pictures are decoded anew each time.")
        self.limit.setKeyboardTracking(False)
        self.limit.valueChanged.connect(self._set_limit)
        layout.addLayout(line(label("At most", "muted"), self.limit, 1))
        self.folder = ElidedLabel(str(cache_folder()))
        show = button("Open folder", clicked=self._open_folder)
        layout.addLayout(line(label("Place", "muted"), self.folder, 1, show))
        self.fault = label("", "error", wrap=True)
        layout.addWidget(self.fault)
        layout.addLayout(line(1, button("Close", clicked=self.close)))
        self._show()

    def _show(self) -> None:
        size = cache_size()
        large, small = f"{size / GB:.2f}{numbers.GAP}GB", f"{size / (1 << 20):.1f}{numbers.GAP}MB"
        self.size.setText(large if size >= GB / 10 else small)
        self.clear.setEnabled(size > 0)
        self.clear.setToolTip("" if size else "There are none")

    def _clear(self) -> None:
        clear_cache()
        self._show()

    def _set_limit(self, value: float) -> None:
        try:
            set_cache_limit(round(value * GB))
            self.fault.setText("")
        except OSError as error:
            self.fault.setText(f"The limit cannot be kept ({error.strerror or error}).")
        self._show()

    def _open_folder(self) -> None:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
