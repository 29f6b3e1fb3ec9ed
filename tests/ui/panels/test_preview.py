"""The preview on a live region: pictures, a log that grows, a waveform."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.core.protocols.demo_layout import HEIGHT, MAGIC, PICTURE, WIDTH
from app.core.values.byte_block import ByteBlock
from app.ui.panels.preview.panel import TEXT, WAVE, PreviewPanel
from app.ui.style.theme import DARK
from tests.core.analysis.test_pictures import encoded, scene
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, colors, pixels, poke, show


@pytest.fixture
def panel(qtbot: QtBot) -> PreviewPanel:
    made = PreviewPanel()
    made.set_theme(DARK)
    show(qtbot, made, 300, 520)
    made.shown(True)
    return made


@pytest.fixture
def path(sessions: Sessions, shm_file: ShmFile, panel: PreviewPanel) -> Path:
    made = shm_file(1 << 20)
    picture = encoded("BGRA", scene(WIDTH, HEIGHT))
    poke(made, PICTURE, picture.tobytes())
    panel.set_session(sessions.open(made))
    return made


def test_a_picture_finds_its_stride_lives_and_leads_to_its_bytes(
    qtbot: QtBot, panel: PreviewPanel, path: Path
) -> None:
    panel.set_block(ByteBlock(PICTURE, WIDTH * HEIGHT * 4))
    qtbot.waitUntil(lambda: panel.canvas.picture is not None, timeout=WAIT_MS)
    assert panel.canvas.picture is not None
    assert panel.canvas.picture.layout.stride == 4 * WIDTH
    assert f"{WIDTH} × {HEIGHT}" in panel.note.text()
    assert colors(panel.canvas) > 100
    gone: list[int] = []
    panel.canvas.goto_wanted.connect(gone.append)
    place = panel.canvas._place()
    qtbot.mouseClick(panel.canvas, Qt.MouseButton.LeftButton, pos=place.topLeft())
    assert gone == [PICTURE]
    assert "x 0, y 0" in panel.canvas.tip_at(place.topLeft())
    assert panel.canvas.tip_at(QPoint(-5, 0)) == ""
    poke(path, PICTURE, bytes([0, 0, 255, 255]) * WIDTH * HEIGHT)  # a peer paints it red
    red = [0, 0, 255]
    qtbot.waitUntil(
        lambda: pixels(panel.canvas)[place.center().y(), place.center().x(), :3].tolist() == red,
        timeout=WAIT_MS,
    )
    panel.picture.width_field.setText("100000")
    assert "width" in panel.note.text()
    panel.picture.width_field.setText("pixels")
    assert "no width" in panel.note.text()
    panel.picture.width_field.setText("128")
    qtbot.waitUntil(
        lambda: panel.canvas.picture is not None and panel.canvas.picture.layout.width == 128,
        timeout=WAIT_MS,
    )
    panel.picture.clear()
    panel.set_block(ByteBlock(0x2000, 4000))
    qtbot.waitUntil(lambda: "No rows" in panel.note.text(), timeout=WAIT_MS)
    panel.set_block(ByteBlock(PICTURE, 64 * 4, 32, 4 * WIDTH))  # a rectangle is a part of it
    qtbot.waitUntil(
        lambda: panel.canvas.picture is not None and panel.canvas.picture.layout.height == 32,
        timeout=WAIT_MS,
    )


def test_a_picture_that_is_known_shows_itself(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile, panel: PreviewPanel
) -> None:
    path = shm_file(1 << 20)
    poke(path, 0, MAGIC)
    panel.set_session(sessions.open(path))
    qtbot.waitUntil(lambda: panel.canvas.picture is not None, timeout=WAIT_MS)
    assert panel.source.currentText() == "Demo picture"
    assert panel.head.text().startswith("0x80000")
    panel.set_block(ByteBlock(0, 16))
    assert panel.source.currentText() == "Selection"


def test_the_newest_frame_of_looking_glass_is_shown(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile, panel: PreviewPanel
) -> None:
    path = shm_file(1 << 20)
    poke(path, 0, b"LGMP" + struct.pack("<I", 2))

    def frame(at: int, serial: int) -> None:
        numbers = (1, serial, 1, 64, 40, 64, 40, 64, 40, 0, 64, 256, 4092)
        poke(path, at, struct.pack("<13I", *numbers))

    frame(0x10000, 1)
    frame(0x20000, 2)
    panel.set_session(sessions.open(path))
    canvas = panel.canvas

    def start() -> int:
        return canvas.picture.layout.start if canvas.picture is not None else 0

    qtbot.waitUntil(lambda: start() == 0x21000, timeout=WAIT_MS)
    frame(0x10000, 3)
    qtbot.waitUntil(lambda: start() == 0x11000, timeout=WAIT_MS)


def test_a_log_follows_what_is_written_last(qtbot: QtBot, panel: PreviewPanel, path: Path) -> None:
    lines = "".join(f"{number:03d} a line of the log\n" for number in range(200))
    poke(path, 0x1000, lines.encode())
    panel.mode.setCurrentIndex(TEXT)
    panel.set_block(ByteBlock(0x1000, 0x8000))
    view = panel.text_view
    qtbot.waitUntil(lambda: view.toPlainText() == lines, timeout=WAIT_MS)
    bar = view.verticalScrollBar()
    assert bar.value() > bar.maximum() // 2
    poke(path, 0x1000, b"NEW")  # a ring begins anew at its start
    qtbot.waitUntil(lambda: view.toPlainText().startswith("NEW"), timeout=WAIT_MS)
    assert bar.value() == 0
    (mark,) = view.extraSelections()
    assert mark.cursor.blockNumber() == 0  # type: ignore[attr-defined]
    panel.text.follow.setChecked(False)
    poke(path, 0x1000 + len(lines), b"one more \xe9\n")
    qtbot.waitUntil(lambda: "one more" in view.toPlainText(), timeout=WAIT_MS)
    assert bar.value() == 0
    panel.text.encoding.setCurrentText("Latin-1")
    qtbot.waitUntil(lambda: "one more é" in view.toPlainText(), timeout=WAIT_MS)


def test_a_waveform_with_its_level(qtbot: QtBot, panel: PreviewPanel, path: Path) -> None:
    wave = np.sin(np.arange(2000) / 20) * 16384
    poke(path, 0x4000, np.stack([wave, wave / 2], axis=1).astype("<i2").tobytes())
    panel.mode.setCurrentIndex(WAVE)
    panel.wave.channels.setCurrentIndex(1)
    panel.set_block(ByteBlock(0x4000, 8000))
    view = panel.wave_view
    qtbot.waitUntil(lambda: view.wave is not None, timeout=WAIT_MS)
    assert "peak -6.0 dB" in view.accessibleDescription()
    assert "peak -12.0 dB" in view.accessibleDescription()
    assert colors(view) > 5
    panel.keep.setChecked(True)
    panel.set_block(ByteBlock(0, 16))
    panel.refresh()
    assert panel._block == ByteBlock(0x4000, 8000)
    other = PreviewPanel()
    qtbot.addWidget(other)
    other.restore(panel.state())
    assert other.state() == panel.state()
    other.restore({"mode": 4, "format": None, "kind": "x"})
    assert other.state() == panel.state()
    panel.set_session(None)
    assert view.wave is None
