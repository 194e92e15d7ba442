"""Writes what a view shows into files: the picture as PNG or SVG, the numbers as CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyqtgraph as pg
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QGuiApplication, QPainter, QPixmap
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QToolButton, QWidget

from nndesigner.ui import theme
from nndesigner.ui.parts import set_icon
from nndesigner.ui.stylesheet import role

#: pixels of a PNG for one of the screen, for print and slides
SCALE = 3


def write_png(widgets: Sequence[QWidget], path: Path) -> None:
    """The widgets one below the other as a picture at three times their size. Raises OSError."""
    picture = QPixmap(_size(widgets) * SCALE)
    picture.setDevicePixelRatio(SCALE)
    painter = QPainter(picture)
    _paint(painter, widgets)
    painter.end()
    if not picture.save(str(path), "PNG"):
        raise OSError(f"'{path}' could not be written.")


def write_svg(widgets: Sequence[QWidget], path: Path) -> None:
    """The widgets one below the other as a vector picture. Raises OSError."""
    path.open("ab").close()  # QSvgGenerator does not say why it cannot write
    generator = QSvgGenerator()
    generator.setFileName(str(path))
    generator.setResolution(96)
    generator.setSize(_size(widgets))
    generator.setViewBox(QRect(QPoint(), _size(widgets)))
    generator.setTitle(widgets[-1].accessibleName())
    painter = QPainter(generator)
    _paint(painter, widgets)
    painter.end()


def _size(widgets: Sequence[QWidget]) -> QSize:
    return QSize(max(widget.width() for widget in widgets), sum(widget.height() for widget in widgets))


def _paint(painter: QPainter, widgets: Sequence[QWidget]) -> None:
    painter.fillRect(QRect(QPoint(), _size(widgets)), theme.colour(theme.current().panel))
    top = 0
    for widget in widgets:
        points = [item for item in widget.scene().items() if isinstance(item, pg.ScatterPlotItem)] if isinstance(
            widget, pg.PlotWidget) else []
        for item in points:  # else points are drawn from a picture of the screen's resolution
            item.setExportMode(True, {"antialias": True})
        # not widget.render: plots have another function of that name
        QWidget.render(widget, painter, QPoint(0, top))
        for item in points:
            item.setExportMode(False)
        top += widget.height()


class ExportButton(QToolButton):
    """The menu that saves a view as PNG, SVG or CSV and copies its numbers."""

    def __init__(self, widgets: Sequence[QWidget], name: Callable[[], str], csv: Callable[[], str]) -> None:
        """`widgets` are what a picture shows, `name` a file name without ending, `csv` gives the numbers."""
        super().__init__()
        self._widgets, self._name, self._csv = widgets, name, csv
        set_icon(self, "mdi6.export-variant", "muted")
        role(self, "view")
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
                write_png(self._widgets, path)
            case ".svg":
                write_svg(self._widgets, path)
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
