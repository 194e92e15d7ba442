"""The style sheet of the window, made from the tokens of a theme.

Widgets say what they are with the dynamic property "role" (`role(widget, "primary")`), never with colours of their own.
Roles of QLabel: title, heading, name, caption, muted, value, error, warning, ok. Of QPushButton and QToolButton:
    primary,
quiet, tool, link. Of QFrame: card, rule, banner, bar.
"""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from nndesigner.resources import resource
from nndesigner.ui.theme import CAPTION, CONTROL_HEIGHT, PANEL_TITLE, RADIUS_CONTROL, RADIUS_TILE, Theme, mixed


def role(widget: QWidget, name: str) -> QWidget:
    """Give a widget its role in the style sheet; also when it already shows. Returns the widget."""
    if widget.property("role") != name:
        widget.setProperty("role", name)
        style = widget.style()
        style.unpolish(widget)
        style.polish(widget)
    return widget


def stylesheet(t: Theme) -> str:
    """The whole style sheet."""
    icons = (resource("icons") / t.name).as_posix()
    edge = 2 if t.strong_lines else 1
    hover = mixed(t.text, t.raised, 0.06)
    pressed = mixed(t.text, t.raised, 0.12)
    selected = mixed(t.accent, t.panel, 0.20)
    over_panel = mixed(t.text, t.panel, 0.05)
    inner = CONTROL_HEIGHT - 2 * edge
    thumb, thumb_hover = mixed(t.muted, t.panel, 0.35), mixed(t.muted, t.panel, 0.6)
    return f"""
* {{ outline: none; }}
QMainWindow, QDialog {{ background: {t.panel}; color: {t.text}; }}
QMainWindow::separator {{ background: {t.line}; width: 1px; height: 1px; }}
QMainWindow::separator:hover {{ background: {t.accent}; }}
QWidget[role="panel"], QScrollArea[role="panel"], QStackedWidget[role="panel"] {{ background: {t.panel}; }}
QWidget[role="canvas"] {{ background: {t.canvas}; }}
QScrollArea {{ border: none; background: transparent; }}
QScrollArea > QWidget > QWidget {{ background: transparent; }}

QLabel {{ background: transparent; color: {t.text}; }}
QLabel[role="display"] {{ font-size: 24px; font-weight: 600; }}
QLabel[role="title"] {{ font-size: {PANEL_TITLE}px; font-weight: 600; }}
QLabel[role="name"] {{ font-weight: 600; }}
QLabel[role="heading"] {{ font-size: {CAPTION}px; font-weight: 600; color: {t.muted}; }}
QLabel[role="caption"] {{ font-size: {CAPTION}px; color: {t.muted}; }}
QLabel[role="muted"] {{ color: {t.muted}; }}
QLabel[role="value"] {{ font-weight: 600; }}
QLabel[role="error"] {{ font-size: {CAPTION}px; color: {t.wrong_text}; }}
QLabel[role="warning"] {{ font-size: {CAPTION}px; color: {t.warning_text}; }}
QLabel[role="ok"] {{ color: {t.right_text}; }}
QLabel:disabled {{ color: {t.faint}; }}

QPushButton, QToolButton[role="button"] {{
    background: {t.raised}; color: {t.text}; border: {edge}px solid {t.line}; border-radius: {RADIUS_CONTROL}px;
    padding: 0 11px; min-height: {inner}px; max-height: {inner}px;
}}
QPushButton:hover, QToolButton[role="button"]:hover {{ background: {hover}; }}
QPushButton:pressed, QToolButton[role="button"]:pressed {{ background: {pressed}; }}
QPushButton:focus, QToolButton[role="button"]:focus {{ border-color: {t.accent}; }}
QPushButton:disabled, QToolButton[role="button"]:disabled {{ color: {t.faint}; background: {t.panel}; }}
QPushButton:checked {{ background: {selected}; border-color: {t.accent}; }}
QPushButton[role="primary"] {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; font-weight:
    600; }}
QPushButton[role="primary"]:hover {{ background: {t.accent_hover}; border-color: {t.accent_hover}; }}
QPushButton[role="primary"]:focus {{ border-color: {t.text}; }}
QPushButton[role="primary"]:disabled {{ background: {t.raised}; color: {t.faint}; border-color: {t.line}; }}
QPushButton[role="quiet"], QToolButton {{ background: transparent; border: {edge}px solid transparent;
    border-radius: {RADIUS_CONTROL}px; color: {t.text}; }}
QPushButton[role="quiet"]:hover, QToolButton:hover {{ background: {hover}; }}
QPushButton[role="quiet"]:pressed, QToolButton:pressed, QToolButton:checked {{ background: {pressed}; }}
QPushButton[role="quiet"]:focus, QToolButton:focus {{ border-color: {t.accent}; }}
QPushButton[role="link"] {{ background: transparent; border: {edge}px solid transparent; color: {t.accent}; padding: 0
    2px;
    text-align: left; }}
QPushButton[role="link"]:hover {{ color: {t.accent_hover}; }}
QPushButton[role="link"]:focus {{ border-color: {t.accent}; }}
QPushButton[role="link"]:disabled {{ color: {t.faint}; }}
QPushButton[role="repair"] {{ min-height: {inner - 4}px; max-height: {inner - 4}px; padding: 0 8px; font-size:
    {CAPTION}px; }}
QPushButton[role="fold"] {{ background: transparent; border: {edge}px solid transparent; color: {t.muted}; padding: 0;
    font-size: {CAPTION}px; font-weight: 600; text-align: left; }}
QPushButton[role="fold"] {{ margin-left: -5px; }}
QPushButton[role="fold"]:hover {{ color: {t.text}; }}
QPushButton[role="fold"]:focus {{ border-color: {t.accent}; }}
QToolButton::menu-indicator, QPushButton::menu-indicator {{ image: url({icons}/chevron-down.svg); width: 12px; height:
    12px;
    subcontrol-position: right center; subcontrol-origin: padding; right: 8px; }}
QToolButton[role="plain"]::menu-indicator, QToolButton[role="view"]::menu-indicator {{ image: none; width: 0; }}
QToolButton[role="view"] {{ color: {t.muted}; padding: 0 4px; }}
QToolButton[role="view"]:hover, QToolButton[role="view"]:checked, QToolButton[role="view"]:focus {{ color: {t.text}; }}
QToolButton[role="view"]:disabled {{ color: {t.faint}; }}
QToolButton[popupMode="2"][role="button"], QPushButton[menu="true"] {{ padding-right: 26px; }}

QLineEdit, QAbstractSpinBox, QComboBox, QPlainTextEdit, QTextEdit {{
    background: {t.raised}; color: {t.text}; border: {edge}px solid {t.line}; border-radius: {RADIUS_CONTROL}px;
    padding: 0 8px; selection-background-color: {t.accent}; selection-color: {t.on_accent};
}}
QLineEdit, QAbstractSpinBox, QComboBox {{ min-height: {inner}px; max-height: {inner}px; }}
QPlainTextEdit, QTextEdit {{ padding: 8px; }}
QLineEdit:hover, QAbstractSpinBox:hover, QComboBox:hover {{ border-color: {mixed(t.text, t.line, 0.2)}; }}
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus, QComboBox:on, QPlainTextEdit:focus, QTextEdit:focus {{
    border-color: {t.accent}; }}
QLineEdit[invalid="true"], QAbstractSpinBox[invalid="true"], QComboBox[invalid="true"] {{ border-color: {t.wrong}; }}
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled {{ color: {t.faint}; background: {t.panel}; }}
QLineEdit[role="plain"] {{ background: transparent; border-color: transparent; padding: 0 4px; font-size:
    {PANEL_TITLE}px;
    font-weight: 600; }}
QLineEdit[role="plain"]:hover {{ border-color: {t.line}; }}
QLineEdit[role="plain"]:focus {{ border-color: {t.accent}; background: {t.raised}; }}
QLineEdit[role="inner"] {{ background: transparent; border: none; padding: 0; }}
QAbstractSpinBox QLineEdit {{ background: transparent; border: none; min-height: 0; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ width: 0; border: none; }}
QComboBox::drop-down {{ border: none; width: 24px; }}
QComboBox::down-arrow {{ image: url({icons}/chevron-down.svg); width: 14px; height: 14px; }}
QComboBox QAbstractItemView {{ background: {t.raised}; border: {edge}px solid {t.line}; padding: 4px;
    selection-background-color: {selected}; selection-color: {t.text}; }}
QComboBox QAbstractItemView::item {{ min-height: 26px; padding: 0 8px; border-radius: 4px; }}

QCheckBox, QRadioButton {{ spacing: 8px; color: {t.text}; background: transparent; }}
QCheckBox::indicator, QRadioButton::indicator {{ width: 16px; height: 16px; border: {edge}px solid {t.faint};
    border-radius: 4px;
    background: {t.raised}; }}
QRadioButton::indicator {{ border-radius: {8 + edge}px; }}
QCheckBox::indicator:hover, QRadioButton::indicator:hover {{ border-color: {t.accent}; }}
QCheckBox::indicator:focus, QRadioButton::indicator:focus {{ border-color: {t.accent}; }}
QCheckBox:focus {{ color: {t.accent}; }}
QCheckBox::indicator:checked {{ background: {t.accent}; border-color: {t.accent}; image: url({icons}/check.svg); }}
QCheckBox::indicator:indeterminate {{ background: {t.accent}; border-color: {t.accent}; image:
    url({icons}/partial.svg); }}
QRadioButton::indicator:checked {{ background: {t.accent}; border-color: {t.accent}; image: url({icons}/dot.svg); }}

QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {t.line}; }}
QSlider::sub-page:horizontal {{ height: 4px; border-radius: 2px; background: {t.accent}; }}
QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; background: {t.text}; }}
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus {{ background: {t.accent}; }}
QSlider::sub-page:horizontal:disabled, QSlider::handle:horizontal:disabled {{ background: {t.faint}; }}

QProgressBar {{ background: {t.line}; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}

QTabWidget::pane {{ border: none; }}
QTabBar {{ background: {t.panel}; qproperty-drawBase: 0; }}
QTabBar::tab {{ background: transparent; color: {t.muted}; border: none; border-bottom: 2px solid transparent;
    padding: 0 2px; margin: 0 8px; min-height: 30px; }}
QTabBar::tab:selected {{ color: {t.text}; border-bottom-color: {t.accent}; font-weight: 600; }}
QTabBar::tab:hover:!selected {{ color: {t.text}; }}
QTabBar::tab:focus {{ color: {t.accent}; }}
QTabBar::tab:disabled {{ color: {t.faint}; }}
QDockWidget {{ color: {t.text}; titlebar-close-icon: url({icons}/close.svg); titlebar-normal-icon:
    url({icons}/float.svg); }}
QDockWidget::title {{ background: {t.panel}; padding: 8px 12px; }}

QMenuBar {{ background: {t.panel}; color: {t.text}; border: none; padding: 2px 4px; }}
QMenuBar::item {{ background: transparent; padding: 4px 8px; border-radius: 4px; }}
QMenuBar::item:selected {{ background: {hover}; }}
QMenu {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line}; padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 12px; border-radius: 4px; min-height: 18px; }}
QMenu::item:selected {{ background: {selected}; }}
QMenu::item:disabled {{ color: {t.faint}; }}
QMenu::separator {{ height: 1px; background: {t.line}; margin: 4px 8px; }}
QMenu::icon {{ padding-left: 8px; }}
QMenu::right-arrow {{ image: url({icons}/chevron-right.svg); width: 14px; height: 14px; }}
QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line}; padding: 4px 6px; }}

QAbstractItemView {{ background: transparent; color: {t.text}; border: none; alternate-background-color: {t.raised};
    selection-background-color: {selected}; selection-color: {t.text}; }}
QTreeView::item, QListView::item {{ border-radius: 4px; }}
QTreeView::item:hover, QListView::item:hover {{ background: {over_panel}; }}
QTreeView::item:selected, QListView::item:selected {{ background: {selected}; color: {t.text}; }}
QTreeView::branch {{ background: transparent; }}
QTreeView::branch:closed:has-children {{ image: url({icons}/chevron-right.svg); }}
QTreeView::branch:open:has-children {{ image: url({icons}/chevron-down.svg); }}
QTableView {{ gridline-color: {t.line}; }}
QTableView::item {{ padding: 0 6px; }}
QHeaderView, QHeaderView::section {{ background: {t.panel}; color: {t.muted}; border: none; font-size: {CAPTION}px; }}
QHeaderView::section {{ padding: 4px 6px; border-bottom: 1px solid {t.line}; }}
QTableCornerButton::section {{ background: {t.panel}; border: none; }}

QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {thumb}; border-radius: 3px; margin: 2px; }}
QScrollBar::handle:vertical {{ min-height: 28px; }}
QScrollBar::handle:horizontal {{ min-width: 28px; }}
QScrollBar::handle:hover {{ background: {thumb_hover}; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{ background: none; border:
    none;
    width: 0; height: 0; }}

QSplitter::handle {{ background: {t.line}; }}
QSplitter::handle:horizontal {{ width: 1px; }}
QSplitter::handle:vertical {{ height: 1px; }}
QFrame[role="rule"] {{ background: {t.line}; border: none; min-height: 1px; max-height: 1px; }}
QFrame[role="rule-vertical"] {{ background: {t.line}; border: none; min-width: 1px; max-width: 1px; }}
QFrame[role="card"] {{ background: {t.raised}; border: {edge}px solid {t.line}; border-radius: {RADIUS_TILE}px; }}
QFrame[role="bar"] {{ background: {t.panel}; border: none; border-bottom: 1px solid {t.line}; }}
QFrame[role="banner-error"] {{ background: {mixed(t.wrong, t.panel, 0.14)}; border: none;
    border-bottom: 1px solid {t.line}; }}
QFrame[role="banner-warning"] {{ background: {mixed(t.warning, t.panel, 0.12)}; border: none;
    border-bottom: 1px solid {t.line}; }}
QFrame[role="banner-note"], QFrame[role="banner-offer"] {{ background: {mixed(t.accent, t.panel, 0.12)}; border: none;
    border-bottom: 1px solid {t.line}; }}
QFrame[role="failure"] {{ background: {mixed(t.wrong, t.panel, 0.12)}; border: {edge}px solid {t.wrong};
    border-radius: {RADIUS_TILE}px; }}
QFrame[role="note"] {{ background: {t.raised}; border: none; border-radius: {RADIUS_TILE}px; }}
QAbstractButton[role="tile"] {{ background: {t.raised}; border: {edge}px solid {t.line}; border-radius:
    {RADIUS_TILE}px; }}
QStatusBar {{ background: {t.raised}; color: {t.muted}; border-top: 1px solid {t.line}; font-size: {CAPTION}px; }}
QStatusBar::item {{ border: none; }}
QStatusBar QLabel {{ color: {t.muted}; font-size: {CAPTION}px; }}
QStatusBar QPushButton {{ color: {t.muted}; font-size: {CAPTION}px; background: transparent; border: none; padding: 0
    4px;
    min-height: 20px; max-height: 20px; }}
QStatusBar QPushButton:hover, QStatusBar QPushButton:focus {{ color: {t.text}; }}
QSizeGrip {{ width: 0; height: 0; }}
"""
