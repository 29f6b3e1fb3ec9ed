"""Names that hold line breaks, escapes, marks of direction, tags: shown as text wherever one looks."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QAbstractListModel, QModelIndex
from PySide6.QtGui import QAction, Qt, QTextDocument
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.core.discovery.finder import find_devices
from app.core.storage.settings import Settings
from app.ui.main_window import MainWindow
from app.ui.panels.devices.panel import DevicesPanel
from app.ui.style.theme import DARK
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, bury, spec_of

# A line break, an escape sequence, a mark that turns the direction round, no UTF-8, and a tag.
EVIL = "-a\nb\x1b[31m\u202etxt<b>bold<i>\udcff&c"
_DATA = (
    Qt.ItemDataRole.DisplayRole,
    Qt.ItemDataRole.ToolTipRole,
    Qt.ItemDataRole.AccessibleTextRole,
)


def texts(window: QWidget) -> Iterator[tuple[str, str]]:
    """All that is said in the window, as a person reads it, and where."""
    yield "title", window.windowTitle()
    for part in (window, *window.findChildren(QWidget)):
        name = f"{type(part.parent()).__name__} {type(part).__name__}"
        yield f"tip of {name}", as_read(part.toolTip())
        yield f"accessible {name}", part.accessibleName() + part.accessibleDescription()
        if isinstance(part, QLabel):
            plain = part.textFormat() == Qt.TextFormat.PlainText
            yield name, part.text() if plain else as_read(part.text())
        elif isinstance(part, QAbstractButton):
            yield name, part.text()
        elif isinstance(part, QAbstractItemView) and part.model() is not None:
            model = part.model()
            for row in range(model.rowCount(QModelIndex())):
                flat = isinstance(model, QAbstractListModel)
                for column in range(1 if flat else model.columnCount(QModelIndex())):
                    for role in _DATA:
                        text = str(model.index(row, column).data(role) or "")
                        tip = role == Qt.ItemDataRole.ToolTipRole
                        yield f"{name} {role.name}", as_read(text) if tip else text
    for action in window.findChildren(QAction):
        yield f"action {action.parent()}", action.text()


def as_read(text: str) -> str:
    """What Qt shows of a text that it takes for HTML when it looks so."""
    if not Qt.mightBeRichText(text):
        return text
    document = QTextDocument()
    document.setHtml(text)
    return document.toPlainText()


def check(window: QWidget, least: int) -> None:
    found = [(where, text) for where, text in texts(window) if "31m" in text or "bold" in text]
    assert len(found) >= least, found
    for where, text in found:
        bad = [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c != "\n"]
        assert not bad, (where, text)
        assert "…" in text or "-a\\nb\\x1b[31m\\u202etxt<b>bold<i>" in text, (where, text)


@pytest.fixture
def window(qtbot: QtBot, sessions: Sessions) -> Iterator[MainWindow]:
    made = MainWindow(sessions.make, Settings(), DARK)
    made.resize(1600, 900)
    made.show()
    yield made
    bury(made)


def test_a_name_is_text_wherever_it_stands(
    qtbot: QtBot, window: MainWindow, shm_file: ShmFile, tmp_path: Path
) -> None:
    plain = shm_file(8192)
    path = plain.with_name("ivshmem" + plain.name + EVIL)
    plain.rename(path)
    try:
        found = find_devices()
        device = next(one for one in found.devices if one.location == str(path))
        window.set_devices(found)
        devices = window.panels[DevicesPanel]
        row = next(n for n, row in enumerate(devices.model.rows) if row.device == device)
        devices.list.setCurrentIndex(devices.model.index(row))
        check(window, 4)
        session = window.open(spec_of(path, read_only=True))
        qtbot.waitUntil(lambda: session.frame is not None, timeout=WAIT_MS)
        window.view.say_locked()
        check(window, 10)
        session = window.open(spec_of(path))
        qtbot.waitUntil(lambda: session.frame is not None, timeout=WAIT_MS)
        # What is no UTF-8 is no text for Qt's own dialogs and fields either.
        source = tmp_path / f"in{EVIL}".replace("\udcff", "")
        source.write_bytes(b"12345678")
        session.set_locked(False)
        qtbot.waitUntil(lambda: not session.locked, timeout=WAIT_MS)
        window.view.load_wanted.emit(str(source), 0)
        check(window, 10)
    finally:
        path.unlink()
    qtbot.waitUntil(lambda: window.view.messages.shown is not None, timeout=WAIT_MS)
    check(window, 10)
    gone = window.open(spec_of(path))
    qtbot.waitUntil(lambda: window.view.messages.shown is not None, timeout=WAIT_MS)
    check(window, 5)
    assert gone.info is None
