"""The statistics panel on a live region: values, live changes, what goes wrong."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.core.errors import OutOfRangeError
from app.core.values.byte_block import ByteBlock
from app.core.values.value_type import Endian
from app.ui.panels.statistics.crc_field import OWN
from app.ui.panels.statistics.model import _NAMES
from app.ui.panels.statistics.panel import StatisticsPanel
from app.ui.style.theme import DARK
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, colors, peek, poke, show


@pytest.fixture
def panel(qtbot: QtBot) -> StatisticsPanel:
    made = StatisticsPanel()
    made.set_theme(DARK)
    show(qtbot, made, 260, 620)
    made.shown(True)
    return made


@pytest.fixture
def path(sessions: Sessions, shm_file: ShmFile, panel: StatisticsPanel) -> Path:
    made = shm_file(8192, fill=bytes(range(256)))
    panel.set_session(sessions.open(made))
    return made


def value(panel: StatisticsPanel, name: str) -> str:
    return panel.model.texts[_NAMES.index(name)]


def until(qtbot: QtBot, panel: StatisticsPanel, name: str, text: str) -> None:
    qtbot.waitUntil(lambda: value(panel, name) == text and not panel.model.old, timeout=WAIT_MS)


def test_values_follow_selection_type_and_memory(
    qtbot: QtBot, panel: StatisticsPanel, path: Path, qtmodeltester: ModelTester
) -> None:
    qtmodeltester.check(panel.model)
    assert value(panel, "bytes") == ""
    panel.set_block(ByteBlock(0x10, 8))
    until(qtbot, panel, "SHA-256", hashlib.sha256(bytes(range(16, 24))).hexdigest())
    assert value(panel, "mean") == "19.5"
    assert panel.head.text() == "0x10 to 0x17, 8 B"
    panel.set_type("u32", Endian.BIG)
    until(qtbot, panel, "least", f"{0x10111213:,}")
    panel.set_type("guid", Endian.BIG)
    assert panel.kind.currentText() == "u32", "no numbers"
    panel.set_block(ByteBlock(0x10, 2, 3, 16))
    until(qtbot, panel, "bytes", "6")
    poke(path, 0x10, b"\0")  # a peer
    until(qtbot, panel, "MD5", hashlib.md5(b"\0\x11\x20\x21\x30\x31").hexdigest())
    assert "0x00 NUL: 1 times" in panel.histogram.tip_at(QPoint(0, 5))
    assert colors(panel.histogram) > 3
    panel.table.setCurrentIndex(panel.model.index(_NAMES.index("MD5"), 1))
    qtbot.keyClick(panel.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == value(panel, "MD5")
    panel.set_block(ByteBlock(0x10, 0))
    assert value(panel, "bytes") == ""
    assert "Select" in panel.state_text.text()


def test_a_crc_by_name_and_by_its_own_polynomial(
    qtbot: QtBot, panel: StatisticsPanel, path: Path
) -> None:
    poke(path, 0, b"123456789")
    panel.set_block(ByteBlock(0, 9))
    until(qtbot, panel, "other CRC", "29B1")
    assert value(panel, "CRC-32") == "CBF43926"
    panel.crc.choice.setCurrentText("CRC-16/MODBUS")
    until(qtbot, panel, "other CRC", "4B37")
    assert not panel.crc.parameters.isVisible()
    panel.crc.choice.setCurrentText(OWN)
    panel.crc.parameters.clear()
    qtbot.keyClicks(panel.crc.parameters, "width=12 poly=0x80F refout=yes")
    until(qtbot, panel, "other CRC", "DAF")
    assert panel.crc.choice.currentText() == OWN
    qtbot.keyClicks(panel.crc.parameters, " q")
    assert panel.crc.problem.isVisible()
    other = StatisticsPanel()
    qtbot.addWidget(other)
    other.restore(panel.state())
    assert other.wanted() == panel.wanted()
    other.restore({"type": "guid", "endian": 5, "crc": "nonsense"})
    assert other.wanted() == panel.wanted()


def test_what_cannot_be_read_says_why_and_is_read_again(
    qtbot: QtBot, panel: StatisticsPanel, path: Path
) -> None:
    panel.set_block(ByteBlock(8000, 4000))
    qtbot.waitUntil(panel.again.isVisible, timeout=WAIT_MS)
    assert "not inside" in panel.state_text.text()
    assert value(panel, "bytes") == ""
    panel.set_block(ByteBlock(0, 16))
    until(qtbot, panel, "SHA-1", hashlib.sha1(peek(path, 0, 16)).hexdigest())
    panel.shown(False)
    assert not panel.live.running
    panel._failed(OutOfRangeError("gone"))
    panel.shown(True)
    panel.again.click()
    until(qtbot, panel, "bytes", "16")


def test_a_long_reading_can_be_stopped(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile, panel: StatisticsPanel
) -> None:
    panel.set_session(sessions.open(shm_file(1 << 30)))
    panel.set_block(ByteBlock(0, 1 << 30))
    assert "not read unasked" in panel.state_text.text()
    panel.again.click()
    qtbot.waitUntil(lambda: "%" in panel.state_text.text(), timeout=WAIT_MS)
    assert panel.again.text() == "Stop"
    panel.again.click()
    qtbot.waitUntil(lambda: panel.state_text.text() == "Stopped.", timeout=WAIT_MS)
    assert not panel.live.running
