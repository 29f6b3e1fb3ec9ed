"""Columns of values on a real region: read, typed into and clicked at while a peer writes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.core.values.column_forms import FORMS, HEX, ColumnForm, form_named
from app.core.values.text_encodings import ENCODINGS, encoding_named
from app.core.values.value_type import Endian
from app.ui.hex.columns_menu import columns_menu
from app.ui.hex.paint.geometry import Pane
from app.ui.hex.widget import HexView
from app.ui.style.theme import DARK, LIGHT
from app.ui.viewer.region_view import RegionView
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, peek, pixels, poke, spec_of
from tests.ui.hex.frames import changed_at, flux_at, frame_of

K = Qt.Key
NO, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton


def form(name: str) -> ColumnForm:
    found = form_named(name)
    assert found is not None
    return found


class Scene:
    """A region view on a file of zeros, unlocked."""

    def __init__(self, qtbot: QtBot, sessions: Sessions, path: Path) -> None:
        self.qtbot, self.path = qtbot, path
        self.view = RegionView()
        qtbot.addWidget(self.view)
        self.view.set_theme(DARK)
        self.view.resize(1400, 500)
        self.hex = self.view.hex
        self.hex.set_columns(16)
        self.view.show()
        session = sessions.make(spec_of(path))
        self.view.set_session(session)
        session.start()
        self.until(lambda: self.hex.surface.cells.seen(0, 64) is not None)
        session.set_locked(False)
        self.until(lambda: session.frame is not None and not session.frame.locked)
        self.hex.setFocus()

    def until(self, fact: object) -> None:
        self.qtbot.waitUntil(fact, timeout=WAIT_MS)

    def show(self, *names: str, pane: int = 0, phase: int = 0) -> None:
        self.hex.set_forms([form(name) for name in names])
        self.hex.set_phase(phase)
        self.hex.set_pane(self.hex.surface.grid.panes[pane])

    def type(self, text: str, offset: int, *, enter: bool = True) -> None:
        self.hex.set_cursor(offset)
        self.qtbot.keyClicks(self.hex, text)
        if enter:
            self.qtbot.keyClick(self.hex, K.Key_Return)

    def lands(self, offset: int, data: bytes) -> None:
        self.until(lambda: peek(self.path, offset, len(data)) == data)
        cells = self.hex.surface.cells
        self.until(lambda: not cells.echoes and cells.seen(offset, len(data)) == data)

    def message(self) -> str:
        notice = self.view.messages.shown
        return f"{notice.text} {notice.hint}" if notice else ""


@pytest.fixture
def scene(qtbot: QtBot, sessions: Sessions, shm_file: ShmFile) -> Iterator[Scene]:
    made = Scene(qtbot, sessions, shm_file(1 << 16, fill=b"\0"))
    yield made
    made.view.set_session(None)


def test_what_is_typed_lands_as_wide_as_the_column_and_can_be_undone(scene: Scene) -> None:
    view = scene.hex
    scene.show("hex8", "u32le", "f32be", pane=1)
    scene.type("123456", 0x46)  # anywhere in the value
    scene.lands(0x44, struct.pack("<I", 123456))
    assert view.cursor() == 0x48, "behind it"
    scene.qtbot.keyClick(view, K.Key_Tab)
    scene.type("-1.5e3", 0x50)
    scene.lands(0x50, struct.pack(">f", -1500))
    scene.show("hex32le", "i16be", "bin8", "u8")
    scene.type("C0FFEE42", 0x60, enter=False)
    scene.lands(0x60, b"\x42\xee\xff\xc0")
    assert view.cursor() == 0x64, "it was full"
    scene.qtbot.keyClick(view, K.Key_Tab)
    scene.type("-2", 0x66)
    scene.lands(0x66, b"\xff\xfe")
    scene.qtbot.keyClick(view, K.Key_Tab)
    scene.type("00010011", 0x68, enter=False)
    scene.lands(0x68, b"\x13")
    session = scene.view.session
    assert session is not None
    scene.qtbot.keyClick(view, K.Key_Z, Qt.KeyboardModifier.ControlModifier)
    scene.lands(0x68, b"\0")


def test_what_is_no_value_stays_to_be_mended_and_what_is_dropped_is_not_written(
    scene: Scene,
) -> None:
    view, surface = scene.hex, scene.hex.surface
    scene.show("u8")
    scene.type("300", 0x20, enter=False)
    assert "does not fit u8" in scene.message()
    assert surface.pending == "300"
    scene.qtbot.keyClick(view, K.Key_Backspace)
    assert surface.pending == "30"
    scene.qtbot.keyClick(view, K.Key_Enter)
    scene.lands(0x20, b"\x1e")
    scene.type("12", 0x22, enter=False)
    scene.qtbot.keyClick(view, K.Key_Escape)
    scene.qtbot.keyClick(view, K.Key_Return)
    scene.type("77", 0x23, enter=False)
    scene.qtbot.keyClick(view, K.Key_Right)
    scene.type("9", 0x24)
    scene.lands(0x24, b"\x09")
    assert peek(scene.path, 0x22, 2) == b"\0\0"
    scene.show("u64le", phase=4)
    scene.type("1", (1 << 16) - 1)
    assert "do not fit at 0xFFFC" in scene.message()
    scene.show("changes")
    scene.type("7", 0x24)
    assert "tells about changes" in scene.message()
    assert "changes 1 - - - 1 -" in surface.describe_row(0x24)
    assert peek(scene.path, 0x24, 1) == b"\x09"


def test_a_value_that_is_not_one_store_is_written_with_a_word_of_warning(scene: Scene) -> None:
    scene.show("u64le", phase=2)
    scene.type("258", 0x3C)
    scene.lands(0x3A, struct.pack("<Q", 258))
    scene.until(lambda: "crosses the cache line at 0x40" in scene.message())
    scene.type("1", 0x42)
    scene.lands(0x42, struct.pack("<Q", 1))
    scene.until(lambda: "not aligned" in scene.message())
    scene.show("u64le")
    scene.type("2", 0x48)
    scene.lands(0x48, struct.pack("<Q", 2))
    scene.until(lambda: scene.message() == "")
    surface = scene.hex.surface
    tip = scene.hex.tip_at(QPointF(middle(scene.hex, Pane.HEX, 0x48)))
    assert "u64 LE at 0x48: 2" in tip
    scene.hex.set_phase(6)
    tip = scene.hex.tip_at(QPointF(middle(scene.hex, Pane.HEX, 0x3E)))
    assert "crosses the cache line" in tip
    assert surface.grid.layouts[Pane.HEX].value_start(0x45) == 0x3E


def test_text_is_typed_in_the_encoding_of_its_column(scene: Scene) -> None:
    view = scene.hex
    for at, (name, text) in enumerate(
        (("utf8", "ü日"), ("utf16be", "aß"), ("cp437", "ü"), ("cp037", "A1"), ("sjis", "日ｱ"))
    ):
        encoding, start = encoding_named(name), 0x30 + 16 * at
        assert encoding is not None
        data = text.encode(encoding.codec)
        view.set_text(encoding)
        view.set_pane(Pane.TEXT)
        view.set_cursor(start)
        for character in text:
            assert view.editor.type(character)
        scene.lands(start, data)
        assert view.cursor() == start + len(data)
        assert text in view.surface.describe_row(start)
        if encoding.unit == 1 and name != "utf8":
            assert view.editor.type("€")
            assert f"not in {encoding.label}" in scene.message()
            assert peek(scene.path, start + len(data), 2) == b"\0\0"


def middle(view: HexView, pane: Pane, offset: int) -> QPoint:
    return view.surface.sheet().cell(pane, offset).center() - QPoint(view.surface.shift_x, 0)


def test_mouse_keys_and_screen_readers_work_in_every_column(scene: Scene) -> None:
    view, port, qtbot = scene.hex, scene.hex.viewport(), scene.qtbot
    scene.show("hex8", "i32le", "f64le")
    poke(scene.path, 0x40, struct.pack("<i", -77))
    scene.lands(0x40, struct.pack("<i", -77))
    view.set_cursor(0x40)
    scene.until(lambda: "i32 LE -77 0 0 0; f64 LE" in view.accessibleDescription())
    qtbot.mouseClick(port, LEFT, NO, middle(view, Pane.SECOND, 0x26))
    assert (view.cursor(), view.surface.pane) == (0x24, Pane.SECOND)
    qtbot.keyClick(view, K.Key_Right)
    assert view.cursor() == 0x28
    qtbot.keyClick(view, K.Key_Left, SHIFT)
    assert view.selection() == (0x24, 8), "whole values"
    qtbot.mousePress(port, LEFT, NO, middle(view, Pane.SECOND, 0x28))
    qtbot.mouseMove(port, middle(view, Pane.SECOND, 0x24))
    qtbot.mouseRelease(port, LEFT, NO, middle(view, Pane.SECOND, 0x24))
    assert view.selection() == (0x24, 8)
    qtbot.mouseDClick(port, LEFT, NO, middle(view, Pane.THIRD, 0x3A))
    assert view.selection() == (0x38, 8)
    view.set_pane(Pane.HEX)
    for pane in (Pane.SECOND, Pane.THIRD, Pane.TEXT, Pane.HEX):
        qtbot.keyClick(view, K.Key_Tab)
        assert view.surface.pane is pane
    view.set_pane(Pane.THIRD)
    view.set_forms([HEX])
    assert view.surface.pane is Pane.HEX, "that column is gone"


def choose(menu: QMenu, part: str, text: str) -> None:
    """The entry of a submenu that begins with a text."""
    found = next(one for one in menu.findChildren(QMenu) if one.title() == part)
    next(action for action in found.actions() if action.text().startswith(text)).trigger()


def test_a_columns_head_offers_its_forms(scene: Scene) -> None:
    view = scene.hex
    scene.show("hex8", "u16be")
    head = QPoint(middle(view, Pane.SECOND, 2).x(), view.surface.header // 2)
    assert "Click to choose" in view.tip_at(QPointF(head))
    scene.qtbot.mouseClick(view.viewport(), LEFT, NO, head)
    popup = QApplication.activePopupWidget()
    assert isinstance(popup, QMenu)
    choose(popup, "Decimal, signed", "i64 BE")
    popup.close()
    assert view.state()["forms"] == ["hex8", "i64be"]
    menu = columns_menu(view)
    more = next(part for part in menu.findChildren(QMenu) if part.title() == "Add a column")
    choose(more, "Hex", "hex8")
    assert view.state()["forms"] == ["hex8", "i64be", "hex8"]
    state = view.state() | {"text": "cp437", "phase": 3}
    view.restore({})
    assert view.state()["forms"] == ["hex8"]
    view.restore(state)
    assert view.state() == state


@pytest.fixture
def pictures(qtbot: QtBot) -> HexView:
    view = HexView()
    qtbot.addWidget(view)
    view.resize(2000, 300)
    view.set_columns(16)
    view.set_region(4096, True)
    view.show()
    qtbot.waitExposed(view)
    return view


def test_what_happens_to_a_byte_is_seen_in_every_form(pictures: HexView) -> None:
    """A change, an own write, flux and a selection each change the picture, in all forms."""
    view = pictures
    quiet = frame_of(bytes(range(1, 129)) * 8)
    states = {
        "changed": changed_at(quiet, {0x21: 0}),
        "mine": changed_at(quiet, {0x21: 0}, mine=True),
        "flux": flux_at(quiet, 0x21),
    }
    view.surface.cells.frozen = True  # nothing fades between two pictures
    forms = [form("hex16be"), *(one for one in FORMS if one.endian is Endian.LITTLE)]
    for number, each in enumerate(forms):
        view.set_theme((DARK, LIGHT)[number % 2])
        view.set_forms([each])
        seen = []
        for frame in (quiet, *states.values()):
            view.set_frame(None)
            view.set_frame(frame)
            place = view.surface.sheet().cell(Pane.HEX, 0x21)
            seen.append(pixels(view.viewport())[place.top() : place.bottom(), : place.right()])
        for one, other in pairwise(seen):
            assert (one != other).any(), each.label
    for encoding in ENCODINGS:
        view.set_text(encoding)
        view.set_frame(None)
        view.set_frame(quiet)
        before = pixels(view.viewport())
        view.set_frame(states["changed"])
        assert (pixels(view.viewport()) != before).any(), encoding.label


def test_scrolled_and_partly_drawn_columns_equal_a_full_picture(pictures: HexView) -> None:
    view, rng = pictures, np.random.default_rng(4)
    view.set_forms([form(name) for name in ("hex64le", "u16be", "f32le")])
    view.set_text(ENCODINGS[1])
    view.set_phase(3)
    for step in range(4):
        data = rng.integers(0, 256, 4096, np.uint8).tobytes()
        view.set_frame(frame_of(data))
        view.scroll_by(37)
        partly = pixels(view.viewport())
        view.set_theme(DARK)  # everything anew
        assert np.array_equal(partly, pixels(view.viewport())), step
