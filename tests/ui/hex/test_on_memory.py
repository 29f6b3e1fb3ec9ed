"""The hex view, its session and a real region: what is typed lands, what a peer does appears."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.core.values.byte_block import ByteBlock
from app.core.values.export_formats import FORMS, copy_as
from app.core.watch.frame import Level
from app.ui.hex import clipboard, editing
from app.ui.hex.paint import styles
from app.ui.hex.paint.selection import Selection
from app.ui.session.session import Session
from app.ui.style.theme import DARK
from app.ui.viewer.region_view import RegionView
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, peek, poke, spec_of

K = Qt.Key
NO, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)
SIZE = 1 << 18


@dataclass
class Scene:
    """A region view on a file."""

    view: RegionView
    session: Session
    path: Path
    qtbot: QtBot

    def until(self, fact: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(fact, timeout=WAIT_MS)

    def unlock(self) -> None:
        self.session.set_locked(False)
        self.until(lambda: self.session.frame is not None and not self.session.frame.locked)

    def shows(self, offset: int, data: bytes) -> None:
        """Wait until the view shows these bytes from memory, not as an echo."""
        picture = self.view.hex.surface.cells
        self.until(lambda: not picture.echoes and picture.seen(offset, len(data)) == data)

    def message(self) -> str:
        notice = self.view.messages.shown
        return f"{notice.text} {notice.hint}" if notice else ""

    def type(self, text: str) -> None:
        self.qtbot.keyClicks(self.view.hex, text)

    def paste(self, text: str) -> None:
        """From elsewhere: the bar says what it means, and Enter takes that."""
        QGuiApplication.clipboard().setText(text)
        self.press(K.Key_V, CTRL)
        if self.view.paste.isVisible():
            self.qtbot.keyClick(self.view.paste.choice, K.Key_Return)

    def press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NO) -> None:
        self.qtbot.keyClick(self.view.hex, key, modifiers)


Stage = Callable[..., Scene]


@pytest.fixture
def stage(qtbot: QtBot, sessions: Sessions, shm_file: ShmFile) -> Iterator[Stage]:
    views: list[RegionView] = []

    def make(*, size: int = SIZE, read_only: bool = False) -> Scene:
        path = shm_file(size, fill=bytes(range(1, 251)))
        view = RegionView()
        views.append(view)
        qtbot.addWidget(view)
        view.set_theme(DARK)
        view.resize(900, 600)
        view.hex.set_columns(16)
        view.show()
        session = sessions.make(spec_of(path, read_only=read_only))
        view.set_session(session)
        session.start()
        scene = Scene(view, session, path, qtbot)
        scene.until(lambda: view.hex.surface.cells.seen(0, 64) is not None)
        view.hex.setFocus()
        return scene

    yield make
    for view in views:
        view.set_session(None)


def test_what_is_typed_lands_and_undo_restores_it(stage: Stage) -> None:
    scene = stage()
    scene.unlock()
    old = peek(scene.path, 0x20, 2)
    scene.view.hex.set_cursor(0x20)
    scene.type("41fe")
    scene.shows(0x20, b"\x41\xfe")
    assert peek(scene.path, 0x20, 2) == b"\x41\xfe"
    scene.press(K.Key_Z, CTRL)
    scene.shows(0x20, old)
    assert peek(scene.path, 0x20, 2) == old
    scene.press(K.Key_Y, CTRL)
    scene.shows(0x20, b"\x41\xfe")


def test_a_move_of_the_cursor_ends_what_is_undone_together(stage: Stage) -> None:
    scene = stage()
    scene.unlock()
    old = peek(scene.path, 0x20, 4)
    scene.view.hex.set_cursor(0x20)
    scene.type("4142")
    scene.press(K.Key_Right)
    scene.press(K.Key_Left)
    scene.type("4344")
    scene.shows(0x20, b"ABCD")
    scene.press(K.Key_Z, CTRL)
    scene.shows(0x20, b"AB" + old[2:])
    scene.press(K.Key_Z, CTRL)
    scene.shows(0x20, old)


def test_a_pause_ends_what_is_undone_together(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editing, "_PAUSE_NS", 0)
    scene = stage()
    scene.unlock()
    old = peek(scene.path, 0x20, 2)
    scene.view.hex.set_cursor(0x20)
    scene.type("4142")
    scene.shows(0x20, b"AB")
    scene.press(K.Key_Z, CTRL)
    scene.shows(0x20, b"A" + old[1:])


def test_undo_brings_the_place_into_sight(stage: Stage) -> None:
    scene = stage()
    scene.unlock()
    scene.view.hex.set_cursor(0x20)
    scene.type("4142")
    scene.shows(0x20, b"AB")
    scene.view.hex.set_cursor(SIZE - 1)
    assert not scene.view.hex.in_sight(0x20)
    scene.press(K.Key_Z, CTRL)
    scene.until(lambda: scene.view.hex.in_sight(0x20))
    assert scene.view.hex.cursor() == 0x20


def test_typing_with_the_cursor_out_of_sight_lands_there(stage: Stage) -> None:
    scene = stage()
    scene.unlock()
    scene.view.hex.set_cursor(0x20)
    scene.view.hex.scroll_rows(SIZE // 16)
    scene.until(lambda: not scene.view.hex.surface.cells.covers(0x20, 1))
    scene.type("4142")
    assert scene.view.hex.in_sight(0x20)
    scene.shows(0x20, b"AB")
    assert peek(scene.path, 0x20, 2) == b"AB"


@pytest.mark.parametrize("undo", ["key", "table"])
def test_a_first_digit_does_not_survive_an_undo(stage: Stage, undo: str) -> None:
    scene = stage()
    scene.unlock()
    old = peek(scene.path, 0x20, 2)
    scene.view.hex.set_cursor(0x20)
    scene.type("414")
    if undo == "key":
        scene.press(K.Key_Z, CTRL)
    else:
        next(a for a in scene.view.own_actions() if a.name == "undo").callback()
    scene.shows(0x20, old)
    scene.type("2")
    assert scene.view.hex.surface.pending == "2", "it begins anew"


def test_a_first_digit_alone_writes_nothing(stage: Stage) -> None:
    scene = stage()
    scene.unlock()
    old = peek(scene.path, 0, 1)
    scene.type("f")
    scene.press(K.Key_Right)
    scene.type("41")
    scene.shows(1, b"\x41")
    assert peek(scene.path, 0, 1) == old


def test_locked_typing_is_refused_and_says_how_to_unlock(stage: Stage) -> None:
    scene = stage()
    old = peek(scene.path, 0, 64)
    scene.type("414243")
    assert "Writing is locked" in scene.message()
    assert peek(scene.path, 0, 64) == old
    scene.view.messages.acted.emit("Unlock")
    scene.until(lambda: not scene.view.hex.editor.locked)
    assert scene.view.messages.shown is None
    scene.type("41")
    scene.shows(0, b"\x41")


def test_a_warning_goes_when_what_it_warned_of_succeeds(stage: Stage) -> None:
    scene = stage()
    scene.unlock()
    scene.paste("no sense")
    assert "no hex" in scene.message()
    scene.paste("41 42")
    scene.until(lambda: scene.view.messages.shown is None)
    scene.view.go_to(SIZE)
    assert "outside the region" in scene.message()
    scene.view.go_to(SIZE - 1)
    assert scene.view.messages.shown is None


def test_esc_drops_the_digit_then_the_message_then_the_selection(stage: Stage) -> None:
    scene = stage()
    scene.unlock()
    scene.view.hex.select(Selection(3, 0))
    scene.press(K.Key_Insert)
    assert "cannot grow" in scene.message()
    scene.press(K.Key_Escape)
    assert scene.view.messages.shown is None
    assert scene.view.hex.selection() == (0, 4)
    scene.press(K.Key_Escape)
    assert scene.view.hex.selection()[1] == 0
    scene.press(K.Key_Insert)
    scene.type("4")
    scene.press(K.Key_Escape)
    assert scene.view.hex.surface.pending is None
    assert "cannot grow" in scene.message(), "one thing at a time"


def test_a_read_only_region_says_why(stage: Stage) -> None:
    scene = stage(read_only=True)
    old = peek(scene.path, 0, 64)
    scene.type("41")
    assert "read-only" in scene.message()
    assert len(scene.message()) > 40, "and the reason"
    assert peek(scene.path, 0, 64) == old


def test_a_peers_change_appears_and_glows(stage: Stage) -> None:
    scene = stage()
    poke(scene.path, 0x33, b"\xee")
    scene.shows(0x33, b"\xee")
    picture = scene.view.hex.surface.cells
    frame = picture.frame
    assert frame is not None
    assert picture.states_at(0x33, 1, frame.time_ns)[1][0] in range(styles.CHANGED, styles.MINE)


def test_an_own_write_is_shown_as_own(stage: Stage) -> None:
    scene = stage()
    scene.unlock()
    scene.type("ee")
    scene.shows(0, b"\xee")
    picture = scene.view.hex.surface.cells
    scene.until(lambda: picture.frame is not None and bool(picture.frame.sample.mine[0]))


@pytest.mark.parametrize("answer", ["mine", "theirs"])
def test_a_conflict_is_asked_in_place(stage: Stage, answer: str) -> None:
    scene = stage()
    scene.unlock()
    scene.session.set_paused(True)
    scene.until(lambda: scene.session.frame is not None and scene.session.frame.paused)
    poke(scene.path, 0, b"\x77")
    scene.type("41")
    scene.until(scene.view.conflict.isVisible)
    assert peek(scene.path, 0, 1) == b"\x77", "nothing was clobbered"
    scene.view.conflict.answered.emit(answer)
    assert not scene.view.conflict.isVisible()
    wanted = b"\x41" if answer == "mine" else b"\x77"
    scene.session.set_paused(False)
    scene.shows(0, wanted)
    assert peek(scene.path, 0, 1) == wanted


def test_paste_lands_as_one_undoable_write(stage: Stage) -> None:
    scene = stage()
    scene.unlock()
    old = peek(scene.path, 0x10, 4)
    scene.view.hex.set_cursor(0x10)
    scene.paste("0xDE, 0xAD, 0xBE, 0xEF")
    scene.shows(0x10, b"\xde\xad\xbe\xef")
    scene.press(K.Key_Z, CTRL)
    scene.shows(0x10, old)


def test_paste_beyond_the_screen_compares_what_was_on_it(stage: Stage) -> None:
    scene = stage()
    scene.unlock()
    data = bytes(range(256)) * 64
    scene.view.hex.set_cursor(0x40)
    scene.paste(data.hex())
    scene.until(lambda: peek(scene.path, 0x40, len(data)) == data)
    scene.press(K.Key_Z, CTRL)
    scene.view.hex.set_cursor(0x40)
    scene.shows(0x40, bytes([0x41, 0x42]))
    # Not a Frame from before the paste, and not one from where the cursor was behind it.
    scene.until(lambda: scene.session.frame.writes == 2 and scene.session.frame.start <= 0x40)
    scene.session.set_paused(True)
    scene.until(lambda: scene.session.frame is not None and scene.session.frame.paused)
    poke(scene.path, 0x40, b"\x99")
    scene.paste(data.hex())
    scene.until(scene.view.conflict.isVisible)
    assert peek(scene.path, 0x40, 1) == b"\x99"


def test_paste_of_garbage_or_too_much_changes_nothing(stage: Stage) -> None:
    scene = stage()
    scene.unlock()
    whole = peek(scene.path, 0, SIZE)
    for text, words in (
        ("no sense", "no hex"),
        ("00" * (SIZE + 1), "do not fit"),
        ("00" * ((1 << 20) + 1), "more than can be pasted"),
    ):
        scene.paste(text)
        assert words in scene.message()
    scene.type("41")  # a write that lands proves that none of those is still under way
    scene.shows(0, b"\x41")
    assert peek(scene.path, 1, SIZE - 1) == whole[1:]


def test_copies_come_from_memory_in_every_form(stage: Stage) -> None:
    scene = stage()
    scene.view.hex.select(Selection(0x1F, 0x10))
    for form in FORMS:
        QGuiApplication.clipboard().setText("before")
        scene.view.hex.copy_wanted.emit(form)
        scene.until(lambda: QGuiApplication.clipboard().text() != "before")
        text = copy_as(form, peek(scene.path, 0x10, 16), 0x10)
        assert QGuiApplication.clipboard().text() == text
        assert scene.view.messages.shown is not None
        assert scene.view.messages.shown.level is Level.GOOD


def test_copy_and_paste_move_bytes_exactly(stage: Stage) -> None:
    scene = stage()
    scene.unlock()
    poke(scene.path, 0, b"\x00\xff\x80\n")
    scene.shows(0, b"\x00\xff\x80\n")
    scene.press(K.Key_Tab)
    scene.view.hex.select(Selection(3, 0))
    QGuiApplication.clipboard().setText("before")
    scene.press(K.Key_C, CTRL)
    scene.until(lambda: QGuiApplication.clipboard().text() != "before")
    scene.view.hex.set_cursor(0x40)
    scene.press(K.Key_V, CTRL)
    scene.shows(0x40, b"\x00\xff\x80\n")


def test_a_copy_of_everything_large_is_refused_with_words(stage: Stage) -> None:
    scene = stage(size=8 << 20)
    QGuiApplication.clipboard().setText("before")
    scene.press(K.Key_A, CTRL)
    scene.press(K.Key_C, CTRL)
    assert "more than can be copied" in scene.message()
    assert QGuiApplication.clipboard().text() == "before"


def test_go_to_and_back(stage: Stage) -> None:
    scene = stage()
    bar = scene.view.goto
    scene.press(K.Key_G, CTRL)
    assert bar.isVisible()
    scene.qtbot.keyClicks(bar.edit, "end-0x100")
    scene.qtbot.keyClick(bar.edit, K.Key_Return)
    assert scene.view.hex.cursor() == SIZE - 0x100
    assert not bar.isVisible()
    start = SIZE - 0x100
    scene.shows(start, peek(scene.path, start, 256))
    scene.view.go_back()
    assert scene.view.hex.cursor() == 0
    scene.view.go_forward()
    assert scene.view.hex.cursor() == start
    scene.view.go_to(SIZE)
    assert "outside the region" in scene.message()
    assert scene.view.hex.cursor() == start


def test_f6_finds_the_next_change_and_shift_the_one_before(stage: Stage) -> None:
    scene = stage()
    scene.until(lambda: _swept(scene))

    def goes_to(offset: int, modifiers: Qt.KeyboardModifier = NO) -> None:
        scene.press(K.Key_F6, modifiers)
        scene.until(lambda: scene.view.hex.cursor() == offset)

    poke(scene.path, 0x2345, b"\x00")
    poke(scene.path, 0x8123, b"\x00")
    scene.until(lambda: _changed(scene, 0x2345) and _changed(scene, 0x8123))
    goes_to(0x2345)
    goes_to(0x8123)
    goes_to(0x2345, SHIFT)


def _swept(scene: Scene) -> bool:
    frame = scene.session.frame
    return frame is not None and bool(frame.activity.seen_ns.all())


def _changed(scene: Scene, offset: int) -> bool:
    frame = scene.session.frame
    assert frame is not None
    return bool(frame.activity.changed_ns[offset // frame.activity.cell_bytes])


def test_the_minimap_leads_the_view_and_follows_it(stage: Stage) -> None:
    scene = stage()
    scene.view.minimap.goto_wanted.emit(SIZE // 2)
    assert scene.view.hex.cursor() == SIZE // 2
    start, length = scene.view.hex.surface.visible_span()
    mark = scene.view.minimap.view_mark()
    middle = scene.view.minimap.offset_at(mark.center().y())
    assert start - SIZE // 50 <= middle <= start + length + SIZE // 50


def test_a_lost_region_stays_grey_until_retry(stage: Stage) -> None:
    scene = stage()
    scene.path.unlink()
    with scene.path.open("wb") as file:
        file.truncate(SIZE)
    scene.until(lambda: scene.session.health.level is not Level.GOOD)
    scene.session.retry()
    scene.shows(0, b"\0" * 64)
    assert not scene.view.hex.surface.cells.frozen


def test_closing_shows_the_empty_state(stage: Stage) -> None:
    scene = stage()
    scene.view.hex.set_cursor(0x1234)
    scene.view.set_session(None)
    assert scene.view.hex.surface.size == 0
    assert scene.view.hex.cursor() == 0
    scene.type("41")


def test_a_paste_says_what_it_understood_before_it_writes(stage: Stage) -> None:
    scene = stage()
    scene.unlock()
    bar, old = scene.view.paste, peek(scene.path, 0, 16)
    QGuiApplication.clipboard().setText("10 20")
    scene.press(K.Key_V, CTRL)
    assert bar.isVisible()
    assert bar.choice.currentText() == "hex, 2 bytes"
    assert "10 20" in bar.preview.text()
    scene.qtbot.keyClick(bar.choice, K.Key_Escape)
    assert not bar.isVisible()
    scene.press(K.Key_V, CTRL)
    scene.qtbot.keyClick(bar.choice, K.Key_Down)
    assert bar.choice.currentText() == "decimal numbers, 2 bytes"
    assert peek(scene.path, 0, 16) == old, "nothing is written before that"
    scene.qtbot.keyClick(bar.choice, K.Key_Return)
    scene.shows(0, b"\x0a\x14")
    QGuiApplication.clipboard().setText("nonsense")  # base64 of something, or a word
    scene.press(K.Key_V, CTRL)
    assert not bar.go.isEnabled()
    scene.qtbot.keyClick(bar.choice, K.Key_Return)
    assert bar.isVisible(), "nothing was chosen, and nothing is guessed"
    bar.choice.setCurrentIndex(1)
    scene.qtbot.mouseClick(bar.go, Qt.MouseButton.LeftButton)
    scene.shows(2, b"nonsense")


def test_a_rectangle_is_copied_pasted_and_undone_as_one(stage: Stage) -> None:
    scene = stage()
    scene.unlock()
    hexes, old = scene.view.hex, peek(scene.path, 0, 0x80)
    alt = Qt.KeyboardModifier.AltModifier | SHIFT
    for key in (K.Key_Right, K.Key_Down, K.Key_Down):
        scene.press(key, alt)
    assert hexes.selected_block() == ByteBlock(0, 2, 3, 16)
    QGuiApplication.clipboard().setText("before")
    scene.press(K.Key_C, CTRL)
    scene.until(lambda: QGuiApplication.clipboard().text() != "before")
    taken = b"".join(old[at : at + 2] for at in (0, 16, 32))
    assert bytes.fromhex(QGuiApplication.clipboard().text()) == taken
    hexes.set_cursor(0x45)
    for key in (K.Key_Right, K.Key_Down, K.Key_Down):
        scene.press(key, alt)
    scene.press(K.Key_V, CTRL)
    whole = bytearray(peek(scene.path, 0, 0x80))
    for row in range(3):
        whole[0x45 + 16 * row : 0x47 + 16 * row] = taken[2 * row : 2 * row + 2]
    scene.shows(0x40, bytes(whole[0x40:0x80]))
    assert peek(scene.path, 0, 0x80) == whole
    scene.press(K.Key_Z, CTRL)
    scene.shows(0x40, old[0x40:0x80])
    hexes.select(Selection(0x11, 0, 16))
    scene.press(K.Key_V, CTRL)
    assert "rectangle" in scene.message()
    assert peek(scene.path, 0, 0x80) == old


def test_a_peers_byte_between_the_rows_is_no_conflict_and_one_in_them_is(stage: Stage) -> None:
    scene = stage()
    scene.unlock()
    clipboard.put(b"abcd", "")
    scene.session.set_paused(True)
    scene.until(lambda: scene.session.frame is not None and scene.session.frame.paused)
    poke(scene.path, 0x05, b"\xee")  # not seen, and not in the rectangle
    scene.view.hex.select(Selection(0x11, 0, 16))
    scene.press(K.Key_V, CTRL)
    scene.until(lambda: peek(scene.path, 0x10, 2) == b"cd")
    poke(scene.path, 0x41, b"\xee")
    scene.view.hex.select(Selection(0x41, 0x30, 16))
    scene.press(K.Key_V, CTRL)
    scene.until(scene.view.conflict.isVisible)
    assert peek(scene.path, 0x41, 1) == b"\xee"
