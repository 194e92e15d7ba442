"""Writes what a view shows into files: the picture as PNG or SVG, the numbers as CSV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QGuiApplication, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QToolButton, QWidget

from nndesigner.ui import theme
from nndesigner.ui.parts import set_icon

#: pixels of a PNG for one of the screen, for print and slides
SCALE = 3


def write_png(widget: QWidget, path: Path) -> None:
    """The widget as a picture at three times its size. Raises OSError."""
    from PySide6.QtGui import QPixmap

    picture = QPixmap(widget.size() * SCALE)
    picture.setDevicePixelRatio(SCALE)
    picture.fill(theme.colour(theme.current().panel))
    widget.render(picture)
    if not picture.save(str(path), "PNG"):
        raise OSError(f"'{path}' could not be written.")


def write_svg(widget: QWidget, path: Path) -> None:
    """The widget as a vector picture. Raises OSError."""
    path.open("ab").close()  # QSvgGenerator does not say why it cannot write
    generator = QSvgGenerator()
    generator.setFileName(str(path))
    generator.setSize(QSize(widget.width(), widget.height()))
    generator.setViewBox(QRectF(widget.rect()))
    generator.setTitle(widget.accessibleName())
    painter = QPainter(generator)
    painter.fillRect(widget.rect(), theme.colour(theme.current().panel))
    widget.render(painter)
    painter.end()


class ExportButton(QToolButton):
    """The menu that saves a view as PNG, SVG or CSV and copies its numbers."""

    def __init__(self, widget: QWidget, name: Callable[[], str], csv: Callable[[], str]) -> None:
        """`widget` is what a picture shows, `name` a file name without ending, `csv` gives the numbers."""
        super().__init__()
        self._widget, self._name, self._csv = widget, name, csv
        set_icon(self, "mdi6.export-variant", "muted")
        self.setProperty("role", "plain")
        self.setToolTip(self.tr("Save or copy what this shows"))
        self.setAccessibleName(self.tr("Export"))
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFixedSize(26, 26)
        menu = QMenu(self)
        menu.addAction(self.tr("Save as PNG…"), lambda: self._save("png", self.tr("Picture (*.png)")))
        menu.addAction(self.tr("Save as SVG…"), lambda: self._save("svg", self.tr("Vector picture (*.svg)")))
        menu.addAction(self.tr("Save as CSV…"), lambda: self._save("csv", self.tr("Table (*.csv)")))
        menu.addSeparator()
        menu.addAction(self.tr("Copy the numbers"), self.copy)
        self.setMenu(menu)

    def copy(self) -> None:
        QGuiApplication.clipboard().setText(self._csv())

    def write(self, path: Path) -> None:
        """Write the form that the ending of the path names. Raises OSError."""
        match path.suffix.lower():
            case ".png":
                write_png(self._widget, path)
            case ".svg":
                write_svg(self._widget, path)
            case _:
                path.write_text(self._csv(), encoding="utf-8")

    def _save(self, ending: str, kind: str) -> None:
        name, _ = QFileDialog.getSaveFileName(self, self.tr("Save"), f"{self._name()}.{ending}", kind)
        if not name:
            return
        path = Path(name if Path(name).suffix else f"{name}.{ending}")
        try:
            self.write(path)
        except OSError as error:
            QMessageBox.warning(self, self.tr("Not saved"), str(error))
