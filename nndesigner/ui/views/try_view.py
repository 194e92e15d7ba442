"""The trained network on new data: a drawing, a picture file, a typed row, or a whole table.

It answers through exchange/prediction, the same code as the command line, so the numbers are the same to the bit.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from nndesigner.data.encoding import RawInput
from nndesigner.data.pictures import SUFFIXES, fit_picture
from nndesigner.data.sound import SUFFIXES as SOUNDS
from nndesigner.exchange.prediction import Prediction
from nndesigner.exchange.series import is_series
from nndesigner.exchange.writing import goes_on
from nndesigner.training.telemetry import Telemetry
from nndesigner.ui.document import Document
from nndesigner.ui.parts import ElidedLabel, line, margins
from nndesigner.ui.runner import Runner
from nndesigner.ui.stylesheet import role
from nndesigner.ui.views.answer_panel import AnswerPanel
from nndesigner.ui.views.choice import Choice
from nndesigner.ui.views.draw_pad import DrawPad
from nndesigner.ui.views.live_view import LiveView
from nndesigner.ui.views.questions import answer_to, shown_part
from nndesigner.ui.views.row_form import RowForm, usual_values
from nndesigner.ui.views.tool import tool
from nndesigner.ui.views.try_picture import PicturePage
from nndesigner.ui.views.try_series import SeriesPage
from nndesigner.ui.views.try_sound import SoundPage
from nndesigner.ui.views.try_table import TablePage
from nndesigner.ui.views.try_write import WritePage

#: pause in drawing or typing after which the network is asked
DEBOUNCE_MS = 60

class TryView(LiveView):
    """Tabs for the ways in which data of this kind can be given, and the answer beside them."""

    title = "Try"
    icon = "mdi6.gesture-tap"

    def __init__(self, document: Document, runner: Runner, parent: QWidget | None = None) -> None:
        super().__init__(document, runner, parent)
        self.setAcceptDrops(True)
        self._inputs: tuple[RawInput, ...] = ()
        #: the tabs fit the session
        self._offered = False
        self._found: dict[str, Prediction] = {}
        self._debounce = QTimer(self)
        self._debounce.setSingleShot(True)
        self._debounce.setInterval(DEBOUNCE_MS)
        self._debounce.timeout.connect(self.ask_soon)

        self.tabs = QTabBar()
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setAccessibleName(self.tr("How data are given"))
        self.outputs = Choice([], None)
        self.outputs.setAccessibleName(self.tr("Output"))
        self.outputs.chosen.connect(self._show_found)
        self.outputs.hide()
        self.stale_note = ElidedLabel(self.tr(
            "The drawing or the data have changed. The network answers as it was trained; train again to update it."))
        role(self.stale_note, "warning")
        self.answer = AnswerPanel()
        self._tools: dict[str, QWidget] = {}
        self.pages = QStackedWidget()
        self._make_pages()
        self._side = QWidget()
        self._beside = margins(QHBoxLayout(self._side), 0, gap=16)
        self._beside.addWidget(self.pages, 5)
        self._beside.addWidget(self.answer, 4)
        layout = margins(QVBoxLayout(self.content), 12, 0, 12, 8, gap=4)
        layout.addLayout(line(self.tabs, *self._tools.values(), 1, self.outputs, gap=4))
        layout.addWidget(self.stale_note)
        layout.addWidget(self._side, 1)
        self.tabs.currentChanged.connect(self._show_tab)
        runner.stale_changed.connect(lambda _: self.say())

    def _make_pages(self) -> None:
        """One page and one set of tools for each way."""
        self.pad = DrawPad()
        self.pad.drawn.connect(self._debounce_start)
        self.brush = QSlider(Qt.Orientation.Horizontal)
        self.brush.setRange(3, 25)
        self.brush.setFixedWidth(64)
        self.brush.setToolTip(self.tr("Width of the brush"))
        self.brush.setAccessibleName(self.tr("Width of the brush"))
        self.brush.valueChanged.connect(lambda value: setattr(self.pad, "brush", value / 100))
        self.undo = tool("mdi6.undo", self.tr("Take back the last stroke (Ctrl Z)"))
        self.undo.clicked.connect(self.pad.undo)
        self.clear = tool("mdi6.eraser", self.tr("Clear the pad (Delete)"))
        self.clear.clicked.connect(self.pad.clear)
        self._add_page("draw", self.tr("Draw"), self.pad, self.brush, self.undo, self.clear)

        self.picture = PicturePage()
        self.picture.changed.connect(self.ask_anew)
        self._add_page("picture", self.tr("Picture"), self.picture, *self.picture.tools)

        self.sound = SoundPage()
        self.sound.changed.connect(self.ask_anew)
        self.sound.sample_wanted.connect(self._hear_sample)
        self._add_page("sound", self.tr("Sound"), self.sound, *self.sound.tools)

        self.form = RowForm()
        self.form.changed.connect(self._debounce_start)
        self.usual = tool("mdi6.restore", self.tr("Put the means of the training data into all fields"))
        self.usual.clicked.connect(self._show_usual)
        self.sample = tool("mdi6.dice-multiple-outline", self.tr("Take over a random test sample"))
        self.sample.clicked.connect(self._show_sample)
        self._add_page("row", self.tr("Row"), self.form, self.usual, self.sample)

        self.write = WritePage(self.runner)
        self._add_page("write", self.tr("Write"), self.write, *self.write.tools)

        self.table = TablePage(self.runner)
        self._add_page("table", self.tr("Table"), self.table, *self.table.tools)

        self.series = SeriesPage(self.runner)
        self._add_page("series", self.tr("Series"), self.series, *self.series.tools)

    def _add_page(self, name: str, title: str, page: QWidget, *tools: QWidget) -> None:
        page.setObjectName(name)
        page.setProperty("title", title)
        self.pages.addWidget(page)
        holder = QWidget()
        row = margins(QHBoxLayout(holder), 0, gap=2)
        for widget in tools:
            row.addWidget(widget)
        self._tools[name] = holder

    # --- what the network says ---

    @property
    def way(self) -> str:
        """How data are given now: "draw", "picture", "sound", "row", "write", "table", "series"; "" where none fits."""
        return self.tabs.tabData(self.tabs.currentIndex()) or ""

    @property
    def found(self) -> dict[str, Prediction]:
        """The newest answers by Output node."""
        return self._found

    def raw(self) -> dict[str, np.ndarray] | None:
        """Raw columns of what was drawn, opened or typed; None when there is nothing."""
        if self.way == "draw" and not self.pad.empty:
            column, ink = self._inputs[0], self.pad.ink()
            return {column.column: fit_picture(1 - ink if self.pad.light_ground else ink, column, invert=False)}
        if self.way == "picture" and self.picture.raw is not None:
            return {self._inputs[0].column: self.picture.raw}
        if self.way == "sound":
            return self.sound.raw
        if self.way == "row" and not self.form.wrong():
            return self.form.raw()
        return None

    def question(self) -> Callable[[Any], Any] | None:
        raw = self.raw() if self.runner.trained else None
        self._show_seen(raw)
        if raw is None:
            self._found = {}
            self.answer.say(self._hint())
            return None
        return answer_to(raw)

    def show_answer(self, found: dict[str, Prediction]) -> None:
        self._found = found
        titles = [(self._title_of(node), node) for node in found]
        if self.outputs.values != list(found):
            self.outputs.offer(titles, self.outputs.value)
        self.outputs.setVisible(len(found) > 1)
        self._show_found()

    def show_error(self, text: str) -> None:
        self._found = {}
        self.answer.say(text)

    def why_empty(self) -> str:
        return self.runner.why_not() or self.tr(
            "Train the network first. Then draw, open a picture, or type a row here to see what it says.")

    def session_is_new(self) -> None:
        self._found = {}
        self.table.forget()
        self.series.forget()
        self.write.forget()
        self._offered = False

    def say(self) -> None:
        if not self.runner.trained:
            self.show_empty(self.why_empty())
            return
        self.stale_note.setVisible(self.runner.stale)
        self.show_content()
        if not self._offered:
            self._offer()

    def _on_telemetry(self, telemetry: Telemetry) -> None:
        if self.isVisible() and self.runner.trained and not self.showing:
            self.say()
        super()._on_telemetry(telemetry)

    def _show_found(self) -> None:
        found = self._found.get(self.outputs.value) or next(iter(self._found.values()), None)
        if found is not None:
            columns = self.runner.prepared.preparation.targets
            units = {column.column: column.unit for column in columns}
            self.answer.show_prediction(found, tuple(units.get(name, "") for name in found.names))

    def _title_of(self, node: str) -> str:
        found = self.document.graph.by_id.get(node)
        return found.title if found is not None else node

    def _hint(self) -> str:
        if self.way == "row" and self.form.wrong():
            return self.tr("'{0}' needs a number.").format(self.form.wrong())
        return {"draw": self.tr("Draw on the pad: the answer follows the pen."), "picture": ""}.get(self.way, "")

    # --- ways ---

    def _offer(self) -> None:
        """Tabs for the inputs of the network."""
        self._offered = True
        preparation = self.runner.prepared.preparation
        same = preparation.inputs == self._inputs
        self._inputs = preparation.inputs
        kinds = {column.kind for column in self._inputs}
        if kinds == {"image"} and len(self._inputs) == 1:
            ways = ("draw", "picture")
            self._prepare_pad()
        elif kinds == {"sound"} and len(self._inputs) == 1:
            ways = ("sound",)
            self.sound.set_column(self._inputs[0])
        elif is_series(self._inputs):
            ways = ("series",)
            self.series.ask_anew()
        elif kinds <= {"number", "category", "date", "text"}:
            ways = ("write", "row", "table") if goes_on(preparation) else ("row", "table")
            if not same:  # else what was typed stays
                self.form.show_inputs(self._inputs, usual_values(preparation))
                if "text" in kinds:  # no text is usual
                    self._show_sample()
        else:
            ways = ()
        before = self.way
        blocked = QSignalBlocker(self.tabs)
        while self.tabs.count():
            self.tabs.removeTab(0)
        for way in ways:
            only_text = way == "row" and kinds == {"text"}
            title = self.tr("Text") if only_text else self.findChild(QWidget, way).property("title")
            self.tabs.setTabData(self.tabs.addTab(title), way)
        self.tabs.setCurrentIndex(ways.index(before) if before in ways else 0)
        del blocked
        self._side.setVisible(bool(ways))
        if not ways:
            self.show_empty(self.tr("This network takes inputs that cannot be drawn or typed. On the command line: "
                                    "nndesigner predict project.nnd data.npz"))
            return
        self._show_tab()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_pages()

    def _fit_pages(self) -> None:
        """The pad is a square: what it does not need is for the answer."""
        side = self._side.height() if self._side.height() > 60 else 200
        self.pages.setMaximumWidth(side if self.way == "draw" else 16_777_215)

    def _prepare_pad(self) -> None:
        """Make drawings look like the training pictures."""
        column = self._inputs[0]
        self.picture.set_column(column)
        self.pad.light_ground = column.ground == "bright"
        self.brush.setValue(round(100 * max(0.09, 1.1 / column.shape[0])))
        self.pad.brush = self.brush.value() / 100

    def _show_tab(self) -> None:
        page = self.findChild(QWidget, self.way)
        self.pages.setCurrentWidget(page)
        for way, tools in self._tools.items():
            tools.setVisible(way == self.way)
        self.answer.setVisible(self.way not in ("table", "write", "series"))
        self._fit_pages()
        self.ask_anew()

    def _debounce_start(self) -> None:
        # while the pen moves on, ask every DEBOUNCE_MS, not only at the end
        if not self._debounce.isActive():
            self._debounce.start()

    def _show_seen(self, raw: dict[str, np.ndarray] | None) -> None:
        image = self.way in ("draw", "picture") and raw is not None
        column = self._inputs[0] if self._inputs else None
        if image and column is not None:
            self.answer.show_seen(raw[column.column][0], column.low, column.high)
        else:
            self.answer.show_seen(None)

    # --- a picture file ---

    def show_picture(self, path: Path) -> None:
        """Ask about a picture file."""
        self.tabs.setCurrentIndex(1)
        self.picture.show_file(path)

    def show_image(self, image: QImage) -> None:
        """Ask about a picture that is in no file."""
        self.tabs.setCurrentIndex(1)
        self.picture.show_image(image)

    def paste(self) -> None:
        """Ask about the picture on the clipboard."""
        image = QGuiApplication.clipboard().image()
        if not image.isNull():
            self.show_image(image)

    # --- a row ---

    def _show_usual(self) -> None:
        self.form.set_values(usual_values(self.runner.prepared.preparation))

    def _random_row(self) -> int:
        """Row number of a sample of the test part, drawn by chance."""
        return int(np.random.default_rng().choice(shown_part(self.runner.prepared).rows))

    def _hear_sample(self) -> None:
        """Take a random sound of the test part."""
        column, row = self._inputs[0], self._random_row()
        wave = self.runner.prepared.dataset.column(column.column).values[row]
        self.sound.show_sound(np.asarray(wave), column.layout.rate, self.tr("Sample {0}").format(row + 1))

    def _show_sample(self) -> None:
        """Fill the form with the values of a random sample of the test part."""
        prepared = self.runner.prepared
        row = self._random_row()
        values = {}
        for column in self._inputs:
            value = prepared.dataset.column(column.column).values[row]
            values[column.column] = "" if value is None or value != value else str(value)
        self.form.set_values(values)

    def show_table(self, path: Path) -> None:
        """Read a CSV file and ask about all its rows."""
        self.tabs.setCurrentIndex(self.tabs.count() - 1)
        self.table.show_file(path, self._inputs, self.outputs.value or "")

    # --- drop and paste ---

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        found = self._dropped(event)
        if isinstance(found, QImage):
            self.show_image(found)
        elif found is not None and self.way in ("draw", "picture"):
            self.show_picture(found)
        elif found is not None and self.way == "sound":
            self.sound.show_file(found)
        elif found is not None and self.way == "series":
            self.series.show_file(found)
        elif found is not None:
            self.show_table(found)
        event.acceptProposedAction()

    def _dropped(self, event: QDragEnterEvent | QDropEvent) -> Path | QImage | None:
        """The file or picture of a drag that can be used now."""
        if not self.showing or not self.way:
            return None
        pictures = self.way in ("draw", "picture")
        wanted = SUFFIXES if pictures else SOUNDS if self.way == "sound" else (".csv", ".tsv", ".txt", ".jsonl")
        for url in event.mimeData().urls():
            if url.isLocalFile() and Path(url.toLocalFile()).suffix.lower() in wanted:
                return Path(url.toLocalFile())
        if pictures and event.mimeData().hasImage():
            return QImage(event.mimeData().imageData())
        return None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste) and self.way in ("draw", "picture"):
            self.paste()
        else:
            super().keyPressEvent(event)
