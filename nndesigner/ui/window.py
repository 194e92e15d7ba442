"""The main window: makes the panels and connects them. What they do is theirs."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from nndesigner.data import source_for
from nndesigner.ui import dialogs, theme
from nndesigner.ui.banner import Banner
from nndesigner.ui.canvas.blocks import add_kind
from nndesigner.ui.canvas.outline import Outline
from nndesigner.ui.canvas.view import CanvasView
from nndesigner.ui.command_palette import CommandPalette
from nndesigner.ui.data_panel import DataPanel
from nndesigner.ui.devices import Devices
from nndesigner.ui.docks import Docks, Later
from nndesigner.ui.document import Document
from nndesigner.ui.explore.page import ExplorePage
from nndesigner.ui.files import Files
from nndesigner.ui.inspector import Inspector
from nndesigner.ui.menus import Menus
from nndesigner.ui.palette import Palette
from nndesigner.ui.parts import margins
from nndesigner.ui.problems import ProblemsPanel
from nndesigner.ui.proposal import Proposal
from nndesigner.ui.run_bar import RunBar
from nndesigner.ui.run_control import RunControl
from nndesigner.ui.runner import Runner
from nndesigner.ui.start_page import StartPage
from nndesigner.ui.status import StatusLine
from nndesigner.ui.training_panel import TrainingPanel

#: how long closing waits for the threads, in milliseconds, and how often it looks
PATIENCE, LOOK = 5000, 30
_LEFT, _RIGHT = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
_BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea


class Window(QMainWindow):
    """One project in one window."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setAcceptDrops(True)
        self.setMinimumSize(860, 560)
        self.document = Document(self)
        self.runner = Runner(self.document, self)
        self.control = RunControl(self.document, self.runner, self)
        self.devices = Devices(self)
        self.banner = Banner()
        self.files = Files(self.document, self.runner, self.banner, self)
        self.canvas = CanvasView(self.document, self.runner)
        self.start = StartPage(self.files)
        self.explore = ExplorePage(self.document, self.runner, self.show_canvas)
        self._centre = QStackedWidget()
        self._make_centre()
        self.docks = Docks(self)
        self._make_docks()
        self.menus = Menus(self)
        self.bar = RunBar(self.document, self.runner, self.control, self.devices, self.menus.all, self.menus.undo,
                          self.menus.redo, self.canvas.commands["arrange"], self.menus.commands)
        # The bar stands where a menu bar would: above the docks, over the whole width.
        holder = QWidget()
        inner = margins(QVBoxLayout(holder), 0, gap=0)
        inner.addWidget(self.bar)
        self.setMenuWidget(holder)
        self.status = StatusLine(self.document)
        self.setStatusBar(self.status)
        self._commands = CommandPalette(self, self.menus.actions, self.add_layer, self._places)
        self._sheet: dialogs.Sheet | None = None
        self._closing: float | None = None
        self._closed = False
        self.proposal = Proposal(self.document, self.banner)
        self._train_when_ready = False
        self._look = QTimer(self)
        self._look.setInterval(LOOK)
        self._look.timeout.connect(self._look_closing)
        self._connect()
        self.resize(1440, 900)
        if not self.docks.restore():
            self.docks.reset()
        self._show_title()
        self.show_start()
        self.start.setFocus()

    # --- making ---

    def _make_centre(self) -> None:
        centre = QWidget()
        layout = QVBoxLayout(centre)
        margins(layout, 0, gap=0)
        layout.addWidget(self.banner)
        layout.addWidget(self._centre, 1)
        self._centre.addWidget(self.start)
        self._centre.addWidget(self.canvas)
        self._centre.addWidget(self.explore)
        self.setCentralWidget(centre)

    def _make_docks(self) -> None:
        document, runner, add = self.document, self.runner, self.docks.add
        self.palette_panel = Palette()
        add("layers", "Layers", _LEFT, self.palette_panel)
        self.data_panel = DataPanel(document)
        add("data", "Data", _LEFT, self.data_panel)
        self.outline = Outline(document)
        add("outline", "Outline", _LEFT, self.outline)
        self.inspector = Inspector(document, runner)
        add("inspector", "Layer", _RIGHT, self.inspector)
        self.training = TrainingPanel(document, runner, self.control, self.devices)
        add("training", "Training", _RIGHT, self.training)
        for name, title, module, cls in (
            ("loss", "Loss", "plots", "LossView"), ("metric", "Metric", "plots", "MetricView"),
            ("confusion", "Confusion", "confusion", "ConfusionView"),
            ("latent", "Latent space", "latent_view", "LatentView"),
            ("generate", "Generate", "generate_view", "GenerateView"),
            ("predictions", "Predictions", "predictions", "PredictionsView"), ("try", "Try", "try_view", "TryView"),
        ):
            view = Later(f"nndesigner.ui.views.{module}", cls, lambda make: self._with_samples(make(document, runner)),
                         lambda: not self.on_start_page)
            add(name, title, _BOTTOM, view)
        self.problems = ProblemsPanel(document)
        add("problems", "Problems", _BOTTOM, self.problems)

    def _with_samples(self, view: QWidget) -> QWidget:
        """A sample chosen in a view is the one that the canvas shows in every layer."""
        if hasattr(view, "sample_chosen"):
            view.sample_chosen.connect(self.canvas.pictures.set_probe)
        return view

    def _connect(self) -> None:
        document, canvas = self.document, self.canvas
        self.palette_panel.add_wanted.connect(self.add_layer)
        canvas.files_dropped.connect(self.open_dropped)
        self.data_panel.explore_wanted.connect(self.show_data)
        self.outline.show_wanted.connect(canvas.show_node)
        canvas.open_wanted.connect(lambda _: self.docks.show("inspector"))
        self.start.example_wanted.connect(self.open_example)
        self.start.recent_wanted.connect(self.files.open)
        self.start.empty_wanted.connect(self.show_canvas)
        self.start.open_wanted.connect(self.files.ask_open)
        self.start.data_wanted.connect(lambda: self.docks.show("data"))
        self.docks.wanted = self.show_canvas
        self.problems.jump_wanted.connect(self.show_node)
        self.problems.counted.connect(self._count_problems)
        self._count_problems(len(document.checked.problems))
        self.training.jump_wanted.connect(self.show_node)
        self.status.problems_wanted.connect(lambda: self.docks.show("problems"))
        self.status.seed_wanted.connect(self._show_seed)
        self.files.opened.connect(self._opened)
        self.files.saved.connect(self.status.saved_now)
        document.file_changed.connect(self._show_title)
        document.changed.connect(self._on_changed)
        document.data_changed.connect(self._on_data)
        document.checked_changed.connect(self._name_metric)
        self.runner.state_changed.connect(self._on_state)
        QApplication.styleHints().colorSchemeChanged.connect(self._system_theme)
        self._centre.currentChanged.connect(lambda _: self.docks.make_room(self.explore.isVisibleTo(self)))
        QShortcut(QKeySequence("/"), canvas, self.palette_panel.search.setFocus,
                  context=Qt.ShortcutContext.WidgetShortcut)

    # --- what panels ask for ---

    def add_layer(self, kind: str) -> None:
        """Add a layer where the canvas finds it best."""
        self.show_canvas()
        add_kind(self.canvas, kind)

    def show_node(self, node: str) -> None:
        """Bring a node into view, and its parameters."""
        self.show_canvas()
        self.canvas.show_node(node)
        self.docks.show("inspector")

    def show_canvas(self) -> None:
        """Leave the start page."""
        self._centre.setCurrentWidget(self.canvas)
        self.docks.bring_back()
        for view in self.later:
            QTimer.singleShot(0, view, view.look)

    @property
    def later(self) -> list[Later]:
        """The views that are made when they are first seen."""
        return [dock.content for dock in self.docks.by_name.values() if isinstance(dock.content, Later)]

    def show_data(self) -> None:
        """All samples and their statistics in the middle of the window."""
        self.explore.build()
        self._centre.setCurrentWidget(self.explore)
        self.docks.bring_back()

    def show_start(self) -> None:
        """The page with examples and recent files; the open project stays."""
        self._centre.setCurrentWidget(self.start)
        self.docks.set_aside()

    @property
    def on_start_page(self) -> bool:
        return self._centre.currentWidget() is self.start

    def open_example(self, path: Path, train: bool) -> None:
        """Open an example as a project without a file, and train it if so wished."""
        def then() -> None:
            if self.files.open_now(path, template=True):
                self._train_when_ready = train

        self.files.when_safe(then)

    def open_dropped(self, paths: list[Path]) -> None:
        """A project is opened; data files become the data of the project."""
        for path in map(Path, paths):
            if path.suffix.lower() == ".nnd":
                self.files.open(path)
                return
            source = source_for(path)
            if source is not None:
                self.show_canvas()
                self.document.edit_data(f"Use {path.name}", source=source, roles={}, kinds={},
                                        corrections=(), augmentation=())
                self.docks.show("data")
                return
        names = ", ".join(Path(p).name for p in paths[:3])
        self.banner.say("warning", f"{names} cannot be used here. Drop a project (.nnd), a table (.csv, .xlsx), a text "
                        "(.txt), arrays (.npz), or a folder of pictures, sounds or texts.", subject="drop")

    def commands_wanted(self) -> None:
        self._commands.open()

    def next_problem(self) -> None:
        """Show the node of the next problem after the chosen one."""
        nodes = list(dict.fromkeys(p.node for p in self.document.checked.problems if p.node))
        if not nodes:
            self.docks.show("problems")
            return
        chosen = self.document.selection[0] if self.document.selection else None
        self.show_node(nodes[(nodes.index(chosen) + 1) % len(nodes) if chosen in nodes else 0])

    def show_guide(self) -> None:
        self._show_sheet(dialogs.guide_sheet(self))

    def show_shortcuts(self) -> None:
        self._show_sheet(dialogs.shortcuts_sheet(self, self.menus.actions()))

    def show_about(self) -> None:
        self._show_sheet(dialogs.about_sheet(self))

    def reset_layout(self) -> None:
        """Put all panels where they were at first."""
        self.show_canvas()
        self.docks.reset()

    def toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    @staticmethod
    def theme_name() -> str:
        """The chosen theme, "system" for that of the desktop."""
        return str(QSettings().value("theme", "system"))

    def choose_theme(self, name: str) -> None:
        """Take a theme, now and at the next start."""
        QSettings().setValue("theme", name)
        app = QApplication.instance()
        theme.apply(app, theme.wanted(app))

    # --- following ---

    def _opened(self) -> None:
        self.status.opened()
        self.proposal.forget()
        self._train_when_ready = False
        self.show_canvas()
        self._show_title()
        QTimer.singleShot(0, self.canvas, self.canvas.fit)

    def _on_changed(self, old: object, new: object) -> None:
        if new.graph.nodes:
            self.proposal.take_back()
            if self.on_start_page:
                self.show_canvas()

    def _on_data(self) -> None:
        """A drawing is proposed for data that meet an empty canvas; an example starts when its data are there."""
        document = self.document
        if document.data_state != "ready":
            if document.data_state != "loading" or document.prepared is None:
                self.proposal.take_back()
            self._train_when_ready &= document.data_state == "loading"
            return
        if self._train_when_ready:
            self._train_when_ready = False
            self.runner.train()
        if self.proposal.offer(self.draw_proposal) and self._centre.currentWidget() is not self.explore:
            self.show_canvas()

    def draw_proposal(self) -> None:
        """Draw a network that fits the data."""
        self.show_canvas()
        self.proposal.draw()
        QTimer.singleShot(0, self.canvas, self.canvas.fit)

    def _on_state(self, state: str) -> None:
        if state == "failed" and self.runner.telemetry.failure is not None:
            failure = self.runner.telemetry.failure
            answers = [("Show training", lambda: self.docks.show("training"))]
            if failure.node in self.document.graph.by_id:
                answers.insert(0, ("Show layer", lambda: self.show_node(failure.node)))
            self.banner.say("error", failure.text, *answers, subject="run")
        elif state == "running":
            self.banner.take_back("run")

    def _count_problems(self, count: int) -> None:
        drawn = bool(self.document.graph.nodes)
        self.docks.by_name["problems"].setWindowTitle(f"Problems {count}" if drawn else "Problems")

    def _name_metric(self) -> None:
        tasks = {head.task for head in self.document.checked.heads.values()}
        self.docks.by_name["metric"].setWindowTitle("Accuracy" if tasks == {"classification"} else "Metric")

    def _show_seed(self) -> None:
        self.docks.show("training")
        self.training.focus_seed()

    def _show_title(self) -> None:
        self.setWindowTitle(f"{self.files.title}[*] – {QApplication.applicationDisplayName()}")
        self.setWindowModified(self.document.modified)
        self.bar.show_name(self.files.title)

    def _show_sheet(self, sheet: dialogs.Sheet) -> None:
        if self._sheet is not None:
            self._sheet.close()
            self._sheet.deleteLater()
        self._sheet = sheet
        sheet.show()

    def _places(self) -> list:
        graph, shapes = self.document.graph, self.document.checked.shapes
        return [
            *((n.title, shapes[n.id].lettered if n.id in shapes else "", lambda i=n.id: self.show_node(i))
              for n in graph.nodes),
            *((g.title, f"{len(g.members)} layers", lambda g=g: self.canvas.look_at(g.members)) for g in graph.groups)]

    def _system_theme(self) -> None:
        if self.theme_name() == "system":
            self.choose_theme("system")

    # --- window events ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.docks.fit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self.open_dropped([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])
        event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask about unsaved work, stop the training, and close when its thread has ended; never wait for it here."""
        if self._closed:
            event.accept()
            return
        event.ignore()
        if self._closing is None and self.files.question is None:
            self.files.when_safe(self._leave)

    def _leave(self) -> None:
        self.docks.save()
        self.runner.stop()
        self._closing = 0.0
        self._look.start()
        self._look_closing()

    def _look_closing(self) -> None:
        """Close as soon as all threads have ended; a thread that hangs is left behind (it is a daemon)."""
        self._closing += LOOK
        if self.runner.close(0.0) or self._closing > PATIENCE:
            self.end(0.1)

    def end(self, seconds: float = 5.0) -> bool:
        """End all background work and close without asking. Returns whether every thread has ended."""
        self._look.stop()
        ended = self.runner.close(seconds)
        self.document.close(seconds)
        self.devices.stop()
        self.explore.end()
        self.files.close()
        # The dying undo stack would rename actions that are gone already.
        self.document.undo_stack.blockSignals(True)
        self._closed = True
        self.close()
        return ended
