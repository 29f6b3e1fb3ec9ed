"""The set-up guide: all that one may have to type, for the memory that one wants."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.ui.hex.decorations.decorations import Decorations
from app.ui.panel import PanelHost
from app.ui.panels.devices.setup_panel import SetupPanel
from app.ui.style.theme import DARK
from tests.ui.helpers import ShmFile, show


@pytest.fixture
def panel(qtbot: QtBot) -> SetupPanel:
    made = SetupPanel()
    made.set_theme(DARK)
    show(qtbot, made, 700, 500)
    return made


def test_every_text_is_for_the_memory_that_is_wanted(qtbot: QtBot, panel: SetupPanel) -> None:
    panel.amount.setCurrentIndex(panel.amount.findData(1 << 30))
    panel.name.selectAll()
    qtbot.keyClicks(panel.name, "frames")
    assert "mem-path=/dev/shm/frames,size=1G" in panel.qemu.text.toPlainText()
    assert "<shmem name='frames'>" in panel.libvirt.text.toPlainText()
    assert panel.tmpfiles.text.toPlainText() == "f /dev/shm/frames 0660 YOUR-USER kvm -"
    for block in (panel.qemu, panel.libvirt, panel.tmpfiles):
        qtbot.mouseClick(block.copy, Qt.MouseButton.LeftButton)
        assert QGuiApplication.clipboard().text() == block.text.toPlainText()


def test_a_bad_name_is_told_in_place_and_nothing_is_offered(
    qtbot: QtBot, panel: SetupPanel
) -> None:
    qtbot.keyClicks(panel.name, "/b")
    assert "slash" in panel.problem.text()
    assert panel.problem.isVisible()
    assert not panel.qemu.isVisible()
    panel.name.setText("b")
    assert not panel.problem.isVisible()
    assert panel.qemu.isVisible()


def test_the_file_is_made_beside_the_text_that_explains_it(
    qtbot: QtBot, panel: SetupPanel, shm_file: ShmFile
) -> None:
    path = shm_file(0)
    path.unlink()
    host = PanelHost(QWidget(), Decorations())
    panel.attach(host)
    panel.amount.setCurrentIndex(panel.amount.findData(2 << 20))
    panel.name.setText(path.name)
    with qtbot.waitSignal(host.open_wanted) as opened:
        qtbot.mouseClick(panel.make_file, Qt.MouseButton.LeftButton)
    assert opened.args[0].location == str(path)
    assert path.stat().st_size == 2 << 20
    assert path.stat().st_mode & 0o007 == 0
    path.write_bytes(b"precious")
    with qtbot.assertNotEmitted(host.open_wanted):
        qtbot.mouseClick(panel.make_file, Qt.MouseButton.LeftButton)
    assert "there already" in panel.problem.text()
    assert path.read_bytes() == b"precious"
    panel.name.setText("a/b")
    assert not panel.make_file.isEnabled()


@pytest.mark.parametrize("width", [400, 1200])
def test_every_line_is_seen_at_every_width(qtbot: QtBot, panel: SetupPanel, width: int) -> None:
    panel.resize(width, 500)
    QGuiApplication.processEvents()
    for block in (panel.qemu, panel.libvirt, panel.tmpfiles):
        assert block.text.verticalScrollBar().maximum() == 0
