"""Find and replace in the whole window, on real memory with a peer that writes."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.search.needle import NeedleKind
from app.core.storage.settings import Settings
from app.ui.hex.paint.geometry import Pane
from app.ui.hex.paint.selection import Selection
from app.ui.main_window import MainWindow
from app.ui.panels.results.hit_model import VALUE
from app.ui.panels.results.panel import ResultsPanel
from app.ui.panels.results.strings_panel import StringsPanel
from app.ui.style.theme import DARK
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, bury, peek, pixels, poke, spec_of

K = Qt.Key
CTRL = Qt.KeyboardModifier.ControlModifier


class Found:
    """A window on a file with three hits."""

    def __init__(self, qtbot: QtBot, window: MainWindow, path: Path) -> None:
        self.qtbot, self.window, self.path = qtbot, window, path
        self.view, self.bar, self.hex = window.view, window.view.find_bar, window.view.hex
        self.results = window.panels[ResultsPanel]

    def until(self, fact: object) -> None:
        self.qtbot.waitUntil(fact, timeout=WAIT_MS)

    def listed(self, count: int) -> None:
        self.until(lambda: not self.results.source.works and self.results.model.count == count)

    def rows(self) -> None:
        rows = range(min(4, self.results.model.count))
        self.until(lambda: all(self.results.model.row(at) is not None for at in rows))


@pytest.fixture
def found(
    qtbot: QtBot, qapp: QApplication, sessions: Sessions, shm_file: ShmFile, tmp_path: Path
) -> Iterator[Found]:
    path = shm_file(1 << 20)
    poke(path, 0, bytes(256))
    for at in (0x20, 0x4000, 0x9000):
        poke(path, at, b"needle")
    window = MainWindow(sessions.make, Settings(tmp_path / "settings.json"), DARK)
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    session = window.open(spec_of(path))
    qtbot.waitUntil(lambda: session.info is not None and session.frame is not None, timeout=WAIT_MS)
    yield Found(qtbot, window, path)
    bury(window)


def test_finding_and_replacing(found: Found) -> None:
    """One window for all of it, as making one is what costs."""
    the_selection_becomes_the_needle_and_f3_goes_round(found)
    one_and_all_are_replaced(found)


def the_selection_becomes_the_needle_and_f3_goes_round(found: Found) -> None:
    qtbot, view, bar = found.qtbot, found.hex, found.bar
    view.select(Selection.of(0x20, 6))
    view.set_pane(Pane.TEXT)
    top = view.mapTo(found.window, view.rect().topLeft())
    row = view.surface.visible_span()
    qtbot.keyClick(view, K.Key_F, CTRL)
    found.until(bar.isVisible)
    assert (bar.needle.kind, bar.edit.text()) == (NeedleKind.TEXT, "needle")
    assert bar.edit.hasFocus()
    assert view.mapTo(found.window, view.rect().topLeft()) == top
    assert view.surface.visible_span()[0] == row[0]  # no row of bytes moves
    for expected in (0x4000, 0x9000, 0x20):
        qtbot.keyClick(bar.edit, K.Key_Return)
        found.until(lambda at=expected: view.selection() == (at, 6))
        assert bar.edit.hasFocus()
    assert "round" in bar.status.text()
    qtbot.keyClick(bar, K.Key_Escape)
    assert view.hasFocus()
    qtbot.keyClick(view, K.Key_F3, Qt.KeyboardModifier.ShiftModifier)
    found.until(lambda: view.selection() == (0x9000, 6))
    # With bytes selected in the hex pane the needle is hex; what is nowhere is said.
    view.set_pane(Pane.HEX)
    view.select(Selection.of(0x30, 2))
    qtbot.keyClick(view, K.Key_F, CTRL)
    found.until(lambda: bar.edit.text() == "00 00")
    assert bar.needle.kind is NeedleKind.BYTES
    bar.edit.setText("FE ED")
    qtbot.keyClick(bar.edit, K.Key_Return)
    found.until(lambda: "Not found" in bar.status.text())
    bar.scope.setCurrentIndex(bar.scope.findData("selection"))
    bar.edit.setText("00 00 00")
    qtbot.keyClick(bar.edit, K.Key_Return)
    found.until(lambda: "Not found" in bar.status.text())  # the selection has two bytes


def test_listing(found: Found, tmp_path: Path) -> None:
    all_hits_live_in_a_list(found, tmp_path)
    strings_and_a_million_hits_are_listed(found)
    assert len(found.hex.decorations) > 1 << 20
    found.results.buttons["Clear"].click()
    assert found.results.model.count == 0
    assert len(found.hex.decorations) == 4  # strings
    found.window.close_region()
    assert len(found.hex.decorations) == 0


def all_hits_live_in_a_list(found: Found, tmp_path: Path) -> None:
    qtbot, bar, results, view = found.qtbot, found.bar, found.results, found.hex
    found.view.finder.open()
    bar.kind.setCurrentIndex(bar.kind.findData(NeedleKind.TEXT))
    bar.edit.setText("NEEDLE")
    qtbot.keyClick(bar.edit, K.Key_Return, Qt.KeyboardModifier.AltModifier)
    found.listed(3)
    found.until(results.isVisible)  # it came to the front
    assert found.window.workspaces.current == "edit"
    found.rows()
    assert results.model.index(1, 0).data() == "0x0000'4000"
    assert results.model.index(1, VALUE).data() == "needle"

    # Marked in the hex view and the minimap, and only as long as they are listed.
    found.until(lambda: len(view.decorations.touching(0x4002, 1)) == 1)
    marked = pixels(found.view.minimap)
    assert (marked != pixels_without_marks(found)).any()

    # A hit that a peer changes is struck out; again finds it where it is now.
    poke(found.path, 0x4002, b"EE--")
    found.until(lambda: (row := results.model.row(1)) is not None and row.matches is False)
    font = results.model.index(1, 0).data(Qt.ItemDataRole.FontRole)
    assert font.strikeOut()
    assert results.model.index(0, 0).data(Qt.ItemDataRole.FontRole) is None
    poke(found.path, 0x5000, b"needle")
    results.buttons["Again"].click()
    found.listed(3)
    found.rows()
    assert results.model.index(1, 0).data() == "0x0000'5000"

    # Next and previous, go to, copy.
    results.step(1)
    found.until(lambda: view.selection() == (0x20, 6))
    qtbot.keyClick(found.window, K.Key_F4)
    found.until(lambda: view.selection() == (0x5000, 6))
    results.step(-1)
    found.until(lambda: view.selection() == (0x20, 6))
    results.table.selectAll()
    results.copy_rows()
    found.until(lambda: QGuiApplication.clipboard().text().count("\n") == 2)
    assert QGuiApplication.clipboard().text().startswith("0x0000'0020\t6\tneedle\t")

    # A filter, and a file.
    poke(found.path, 0x9000, b"NEEDLE")
    qtbot.keyClicks(results.filter, "zzz")
    found.listed(0)
    results.filter.clear()
    results._filter()
    found.listed(3)
    results.export_to(str(tmp_path / "hits.csv"))
    found.until((tmp_path / "hits.csv").exists)
    with (tmp_path / "hits.csv").open() as file:
        assert [row["offset_bytes"] for row in csv.DictReader(file)] == ["32", "20480", "36864"]


def pixels_without_marks(found: Found) -> object:
    layer = found.results._marks
    assert layer is not None
    starts, ends, label = layer._index.starts, layer._index.ends, layer.label
    layer.clear()
    shown = pixels(found.view.minimap)
    layer.show(starts, ends - starts, label)
    return shown


def one_and_all_are_replaced(found: Found) -> None:
    qtbot, bar, view, window = found.qtbot, found.bar, found.hex, found.window
    qtbot.keyClick(view, K.Key_H, CTRL)
    found.until(bar.by.isVisible)
    bar.kind.setCurrentIndex(bar.kind.findData(NeedleKind.TEXT))
    bar.scope.setCurrentIndex(bar.scope.findData("all"))
    view.select(Selection(0))
    bar.edit.setText("needle")
    bar.by.setText("THREAD")
    bar.replace_all.click()
    found.until(lambda: "locked" in window.view.messages.text.text())
    assert peek(found.path, 0x20, 6) == b"needle"
    assert window.session is not None
    window.session.set_locked(False)
    bar.replace_one.click()  # finds the first
    found.until(lambda: view.selection() == (0x20, 6))
    bar.replace_one.click()  # replaces it, and finds the next
    found.until(lambda: view.selection() == (0x4000, 6))
    assert peek(found.path, 0x20, 6) == b"THREAD"
    bar.replace_all.click()
    found.until(lambda: "2 hits replaced" in window.view.messages.text.text())
    assert peek(found.path, 0x9000, 6) == b"THREAD"
    window.view.undo()
    found.until(lambda: peek(found.path, 0x9000, 6) == b"needle")
    assert peek(found.path, 0x4000, 6) == b"needle"
    assert peek(found.path, 0x20, 6) == b"THREAD"  # a step of its own


def strings_and_a_million_hits_are_listed(found: Found) -> None:
    strings = found.window.panels[StringsPanel]
    found.window.workspaces.call("strings")
    strings.list_button.click()
    found.until(lambda: strings.model.count == 4)
    found.until(lambda: strings.model.row(3) is not None)
    assert strings.model.index(3, VALUE).data() == "NEEDLE"

    bar = found.bar
    found.view.finder.open()
    bar.kind.setCurrentIndex(bar.kind.findData(NeedleKind.BYTES))
    poke(found.path, 0, b"\x07" * (1 << 20))
    bar.edit.setText("07")
    bar.all.click()
    found.listed(1 << 20)
    results = found.results
    found.until(lambda: len(found.hex.decorations) > 1 << 20)
    results.table.scrollToBottom()
    last = (1 << 20) - 1
    found.until(lambda: results.model.row(last) is not None)
    assert results.model.index(last, 0).data() == "0x000F'FFFF"
    pixels(found.view.minimap)
