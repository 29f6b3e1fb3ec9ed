"""The look that palettes cannot give: slim docks, tabs, bars, buttons; from the theme's table."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication

from ...core.storage.paths import resource_dir
from .theme import Theme, palette

_SHEET = """
QMainWindow::separator {{ background: {ground}; width: 4px; height: 4px; }}
QMainWindow::separator:hover {{ background: {hover}; }}
QToolBar {{ background: {panel}; border: none; border-bottom: 1px solid {line}; padding: 4px;
           spacing: 4px; }}
QToolBar::separator {{ background: {line}; width: 1px; margin: 4px 4px; }}
QToolButton {{ padding: 4px 8px; border: 1px solid transparent; border-radius: 4px; }}
QToolButton:hover {{ background: {hover}; }}
QToolButton:pressed, QToolButton:checked {{ background: {raised}; border-color: {line}; }}
QFileDialog QToolButton {{ padding: 2px; }}
QToolButton::menu-indicator {{ image: none; }}
QStatusBar {{ background: {panel}; border-top: 1px solid {line}; }}
QStatusBar::item {{ border: none; }}
QStatusBar QLabel {{ padding: 0 6px; }}
QDockWidget {{ font-weight: normal; titlebar-close-icon: none; titlebar-normal-icon: none; }}
QDockWidget::title {{ background: {panel}; padding: 5px 8px; border-bottom: 1px solid {line}; }}
QTabBar {{ background: {panel}; }}
QTabBar::tab {{ background: {panel}; color: {quiet}; padding: 5px 12px; border: none;
               border-top: 2px solid transparent; }}
QTabWidget QTabBar::tab {{ padding: 5px 8px; }}
QTabBar::tab:selected {{ color: {text}; border-top-color: {mine}; background: {ground}; }}
QTabBar::tab:hover {{ color: {text}; background: {hover}; }}
QTabWidget::pane {{ border: none; }}
QPushButton {{ background: {raised}; border: 1px solid {line}; border-radius: 4px;
              padding: 4px 12px; }}
QPushButton[text="×"] {{ padding: 4px 0; }}
QPushButton:hover {{ background: {hover}; }}
QPushButton:default {{ border-color: {mine}; }}
QPushButton:disabled {{ color: {quiet}; }}
QPushButton:focus, QToolButton:focus {{ border-color: {mine}; }}
QLineEdit, QSpinBox, QComboBox, QPlainTextEdit {{ background: {ground};
    border: 1px solid {line}; border-radius: 4px; padding: 3px 6px; }}
QLineEdit:focus, QSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus {{ border-color: {mine}; }}
QLineEdit, QPlainTextEdit {{ placeholder-text-color: {quiet}; }}
QLineEdit[invalid="true"] {{ border-color: {fault}; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox::down-arrow {{ image: url("{icons}/down-{name}.svg"); width: 12px; height: 12px; }}
QComboBox {{ combobox-popup: 0; }}
QComboBox QAbstractItemView {{ background: {raised}; border: 1px solid {line}; outline: none; }}
QComboBox:disabled, QLineEdit:disabled {{ color: {quiet}; background: {panel}; }}
QCheckBox::indicator, QTableView::indicator {{ width: 12px; height: 12px; background: {ground};
    border: 1px solid {quiet}; border-radius: 3px; }}
QCheckBox::indicator:hover, QCheckBox::indicator:focus {{ border-color: {mine}; }}
QCheckBox::indicator:checked, QTableView::indicator:checked {{ background: {mine};
    border-color: {mine}; image: url("{icons}/tick-{name}.svg"); }}
QCheckBox::indicator:disabled {{ border-color: {line}; }}
QCheckBox:disabled {{ color: {quiet}; }}
QToolTip {{ background: {raised}; color: {text}; border: 1px solid {line}; padding: 4px; }}
QMenu {{ background: {raised}; border: 1px solid {line}; padding: 4px; }}
QMenu::item {{ padding: 4px 24px 4px 16px; border-radius: 3px; }}
QMenu::item:selected {{ background: {selection}; }}
QMenu::item:disabled {{ color: {quiet}; }}
QMenu::separator {{ height: 1px; background: {line}; margin: 4px 8px; }}
QHeaderView::section {{ background: {panel}; color: {quiet}; border: none;
    border-bottom: 1px solid {line}; padding: 3px; }}
QTableView, QTreeView, QListView {{ background: {ground}; border: none; }}
QTreeView::item {{ padding: 3px 6px; }}
QTreeView::item:selected {{ background: {selection}; color: {text}; }}
QScrollBar {{ background: {ground}; border: none; margin: 0; }}
QScrollBar:vertical {{ width: 12px; }}
QScrollBar:horizontal {{ height: 12px; }}
QScrollBar::handle {{ background: {line}; border-radius: 4px; margin: 2px; }}
QScrollBar::handle:vertical {{ min-height: 24px; }}
QScrollBar::handle:horizontal {{ min-width: 24px; }}
QScrollBar::handle:hover {{ background: {quiet}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
QProgressBar {{ background: {ground}; border: 1px solid {line}; border-radius: 4px;
               text-align: center; }}
QProgressBar::chunk {{ background: {selection}; border-radius: 3px; }}
"""


def style_sheet(theme: Theme) -> str:
    """The sheet for one theme."""
    return _SHEET.format(
        ground=theme.ground,
        panel=theme.panel,
        raised=theme.raised,
        hover=theme.hover,
        line=theme.line,
        text=theme.text,
        quiet=theme.quiet,
        mine=theme.mine,
        fault=theme.fault,
        selection=theme.selection,
        name=theme.name,
        icons=(resource_dir() / "icons").as_posix(),
    )


def apply_theme(qt: QApplication, theme: Theme) -> None:
    """Make the whole application look so."""
    qt.setStyle("Fusion")
    qt.setPalette(palette(theme))
    qt.setStyleSheet(style_sheet(theme))
