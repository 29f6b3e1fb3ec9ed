"""The view alone, with Frames made by hand: real keys, mouse and wheel."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic_ns

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QContextMenuEvent, QDropEvent, QGuiApplication, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.core.values.text_encodings import UTF8
from app.ui.hex.menu import context_menu
from app.ui.hex.paint import styles
from app.ui.hex.paint.geometry import Pane, Part
from app.ui.hex.paint.selection import Selection
from app.ui.hex.widget import HexView
from app.ui.style.theme import DARK, LIGHT
from tests.ui.helpers import colors, pixels
from tests.ui.hex.frames import changed_at, frame_of

K = Qt.Key
NO, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)
LEFT = Qt.MouseButton.LeftButton
SIZE = 1 << 16


class Heard:
    """Everything that a view said, in order."""

    def __init__(self, view: HexView) -> None:
        self.said: list[tuple[object, ...]] = []
        for name in (
            "cursor_moved",
            "selection_changed",
            "span_wanted",
            "write_wanted",
            "goto_requested",
            "unlock_wanted",
            "undo_wanted",
            "redo_wanted",
            "next_change_wanted",
            "copy_wanted",
            "load_file_wanted",
            "message",
            "view_changed",
        ):
            getattr(view, name).connect(lambda *args, name=name: self.said.append((name, *args)))

    def only(self, name: str) -> list[tuple[object, ...]]:
        return [words[1:] for words in self.said if words[0] == name]


@pytest.fixture
def view(qtbot: QtBot) -> HexView:
    made = HexView()
    qtbot.addWidget(made)
    made.resize(760, 480)
    made.set_theme(DARK)
    made.set_columns(16)
    made.set_region(SIZE, True)
    made.set_locked(False)
    made.set_frame(frame_of(bytes(range(256)) * 16))
    made.show()
    qtbot.waitExposed(made)
    made.setFocus()
    qtbot.waitUntil(made.hasFocus)
    return made


def at(view: HexView, offset: int, pane: Pane = Pane.HEX) -> QPoint:
    """The middle of a byte on the viewport."""
    surface = view.surface
    center = surface.sheet().cell(pane, offset).center()
    return QPoint(
        round((center.x() - surface.shift_x) / surface.ratio), round(center.y() / surface.ratio)
    )


def wheel(view: HexView, turned: int, modifiers: Qt.KeyboardModifier = NO) -> None:
    place = QPointF(100, 100)
    event = QWheelEvent(
        place,
        view.mapToGlobal(place),
        QPoint(),
        QPoint(0, turned),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)


# --- mouse ------------------------------------------------------------------------------------


@pytest.mark.parametrize("pane", [Pane.HEX, Pane.TEXT])
def test_a_click_places_the_cursor_in_its_pane(qtbot: QtBot, view: HexView, pane: Pane) -> None:
    heard = Heard(view)
    qtbot.mouseClick(view.viewport(), LEFT, NO, at(view, 0x35, pane))
    assert view.cursor() == 0x35
    assert view.surface.pane is pane
    assert heard.only("cursor_moved") == [(0x35,)]
    assert view.selection()[1] == 0


def test_a_drag_selects_and_stays_in_its_pane(qtbot: QtBot, view: HexView) -> None:
    port = view.viewport()
    qtbot.mousePress(port, LEFT, NO, at(view, 0x24))
    qtbot.mouseMove(port, at(view, 0x24) + QPoint(1, 1))
    assert view.selection()[1] == 0, "a jitter selects nothing"
    qtbot.mouseMove(port, at(view, 0x41, Pane.TEXT) - QPoint(0, 0))
    qtbot.mouseRelease(port, LEFT, NO, at(view, 0x41, Pane.TEXT))
    assert view.selection() == (0x24, 0x4F - 0x24 + 1), "right of the hex pane is its last column"
    assert view.surface.pane is Pane.HEX


def test_a_drag_back_to_its_origin_selects_that_byte(qtbot: QtBot, view: HexView) -> None:
    port = view.viewport()
    qtbot.mousePress(port, LEFT, NO, at(view, 0x24))
    qtbot.mouseMove(port, at(view, 0x28))
    qtbot.mouseMove(port, at(view, 0x24))
    qtbot.mouseRelease(port, LEFT, NO, at(view, 0x24))
    assert view.selection() == (0x24, 1)


def test_shift_click_extends(qtbot: QtBot, view: HexView) -> None:
    qtbot.mouseClick(view.viewport(), LEFT, NO, at(view, 0x10))
    qtbot.mouseClick(view.viewport(), LEFT, SHIFT, at(view, 0x1F))
    assert view.selection() == (0x10, 16)
    qtbot.mouseClick(view.viewport(), LEFT, SHIFT, at(view, 0x08))
    assert view.selection() == (0x08, 9)


def test_double_click_selects_the_group_and_a_third_the_row(qtbot: QtBot, view: HexView) -> None:
    port, place = view.viewport(), at(view, 0x2B)
    qtbot.mouseClick(port, LEFT, NO, place)
    qtbot.mouseDClick(port, LEFT, NO, place)
    assert view.selection() == (0x28, 8)
    qtbot.mouseClick(port, LEFT, NO, place)
    assert view.selection() == (0x20, 16)
    view.set_group(4)
    qtbot.mouseDClick(port, LEFT, NO, at(view, 0x2D))
    assert view.selection() == (0x2C, 4)


def test_double_click_on_text_selects_the_word(qtbot: QtBot, view: HexView) -> None:
    view.set_frame(frame_of(b"\0\0hello_1 world\0".ljust(4096, b"\0")))
    qtbot.mouseDClick(view.viewport(), LEFT, NO, at(view, 4, Pane.TEXT))
    assert view.selection() == (2, 7)


def test_the_address_selects_rows(qtbot: QtBot, view: HexView) -> None:
    port = view.viewport()
    x = QPoint(20, 0)
    row = lambda offset: QPoint(x.x(), at(view, offset).y())  # noqa: E731
    qtbot.mousePress(port, LEFT, NO, row(0x30))
    assert view.selection() == (0x30, 16)
    qtbot.mouseMove(port, row(0x50))
    assert view.selection() == (0x30, 48)
    qtbot.mouseMove(port, row(0x10))
    assert view.selection() == (0x10, 48)
    qtbot.mouseRelease(port, LEFT, NO, row(0x10))


def test_a_drag_below_the_edge_scrolls_on(qtbot: QtBot, view: HexView) -> None:
    port = view.viewport()
    qtbot.mousePress(port, LEFT, NO, at(view, 0x10))
    qtbot.mouseMove(port, QPoint(200, port.height() + 60))
    qtbot.waitUntil(lambda: view.surface.scroll.top_row > 20)
    qtbot.mouseRelease(port, LEFT, NO, QPoint(200, port.height() + 60))
    start, length = view.selection()
    assert start == 0x10
    assert length > 20 * 16
    place = view.surface.scroll.place
    QApplication.processEvents()
    assert view.surface.scroll.place == place


def test_the_wheel_scrolls_by_pixels_and_zooms_with_ctrl(view: HexView) -> None:
    height = view.surface.grid.height
    wheel(view, -120)
    assert view.surface.scroll.place == QApplication.wheelScrollLines() * height
    wheel(view, 30)  # a fraction of a notch moves a fraction of it
    wanted = QApplication.wheelScrollLines() * height * 0.75
    assert view.surface.scroll.place == pytest.approx(wanted, abs=1)
    assert view.cursor() == 0
    wheel(view, 120, CTRL)
    assert view.surface.grid.height > height
    assert view.state()["zoom"] == pytest.approx(1.1)


def test_shift_wheel_scrolls_sideways(view: HexView) -> None:
    view.set_columns(64)
    wheel(view, -120, SHIFT)
    assert view.surface.shift_x > 0
    wheel(view, 1200, SHIFT)
    assert view.surface.shift_x == 0


# --- keys -------------------------------------------------------------------------------------


def test_keys_move_and_select_with_shift(qtbot: QtBot, view: HexView) -> None:
    for key in (K.Key_Down, K.Key_Right, K.Key_Right):
        qtbot.keyClick(view, key)
    assert view.cursor() == 0x12
    qtbot.keyClick(view, K.Key_End, SHIFT)
    assert view.selection() == (0x12, 14)
    qtbot.keyClick(view, K.Key_Left)
    assert (view.cursor(), view.selection()[1]) == (0x1E, 0)
    qtbot.keyClick(view, K.Key_End, CTRL)
    assert view.cursor() == SIZE - 1
    qtbot.keyClick(view, K.Key_Home, CTRL | SHIFT)
    assert view.selection() == (0, SIZE)
    qtbot.keyClick(view, K.Key_Escape)
    assert view.selection()[1] == 0


def test_the_cursor_stays_in_sight(qtbot: QtBot, view: HexView) -> None:
    for _ in range(7):
        qtbot.keyClick(view, K.Key_PageDown)
    scroll = view.surface.scroll
    assert scroll.top_row <= view.cursor() // 16 < scroll.top_row + scroll.page + 1
    qtbot.keyClick(view, K.Key_Down, CTRL)
    assert view.cursor() // 16 >= scroll.top_row


@pytest.mark.parametrize(
    ("key", "modifiers", "said"),
    [
        (K.Key_Z, CTRL, ("undo_wanted",)),
        (K.Key_Y, CTRL, ("redo_wanted",)),
        (K.Key_Z, CTRL | SHIFT, ("redo_wanted",)),
        (K.Key_G, CTRL, ("goto_requested",)),
        (K.Key_F6, NO, ("next_change_wanted", False)),
        (K.Key_F6, SHIFT, ("next_change_wanted", True)),
        (K.Key_C, CTRL, ("copy_wanted", "hex")),
        (K.Key_Insert, CTRL, ("copy_wanted", "hex")),
    ],
)
def test_keys_that_wish(
    qtbot: QtBot, view: HexView, key: Qt.Key, modifiers: Qt.KeyboardModifier, said: tuple[object]
) -> None:
    heard = Heard(view)
    qtbot.keyClick(view, key, modifiers)
    assert heard.said == [said]


def test_two_digits_make_a_byte_and_go_out_with_what_was_seen(qtbot: QtBot, view: HexView) -> None:
    heard = Heard(view)
    view.set_cursor(0x20)
    qtbot.keyClicks(view, "A")
    assert view.surface.pending == "A"
    assert heard.only("write_wanted") == []
    qtbot.keyClicks(view, "b")
    assert heard.only("write_wanted") == [(0x20, b"\xab", b"\x20", "typed")]
    assert (view.cursor(), view.surface.pending) == (0x21, None)


def test_esc_backspace_and_moving_drop_the_first_digit(qtbot: QtBot, view: HexView) -> None:
    heard = Heard(view)
    for key in (K.Key_Escape, K.Key_Backspace, K.Key_Right):
        view.set_cursor(5)
        qtbot.keyClicks(view, "7")
        before = pixels(view)
        qtbot.keyClick(view, key)
        assert view.surface.pending is None
        assert (pixels(view) != before).any()
    assert view.cursor() == 6
    qtbot.keyClick(view, K.Key_Backspace)
    assert view.cursor() == 5
    assert heard.only("write_wanted") == []


def test_characters_are_typed_in_the_text_pane(qtbot: QtBot, view: HexView) -> None:
    heard = Heard(view)
    qtbot.keyClick(view, K.Key_Tab)
    assert view.surface.pane is Pane.TEXT
    assert view.hasFocus()
    qtbot.keyClicks(view, "g ")

    def umlaut() -> None:
        event = QKeyEvent(QEvent.Type.KeyPress, K.Key_Udiaeresis, NO, "ü")
        QApplication.sendEvent(view, event)

    umlaut()
    assert "“ü” is not in ASCII" in str(heard.only("message"))
    view.set_text(UTF8)
    umlaut()
    assert heard.only("write_wanted") == [
        (0, b"g", b"\x00", "typed"),
        (1, b" ", b"\x01", "typed"),
        (2, "ü".encode(), b"\x02\x03", "typed"),
    ]
    assert view.cursor() == 4
    qtbot.keyClick(view, K.Key_Tab)
    qtbot.keyClicks(view, "g")
    assert len(heard.only("write_wanted")) == 3


def test_typing_replaces_a_selection_from_its_start(qtbot: QtBot, view: HexView) -> None:
    heard = Heard(view)
    view.select(Selection(0x4F, 0x40))
    qtbot.keyClicks(view, "00")
    assert heard.only("write_wanted") == [(0x40, b"\0", b"\x40", "typed")]


@pytest.mark.parametrize("why", ["locked", "read-only"])
def test_nothing_is_typed_where_nothing_may_be_written(
    qtbot: QtBot, view: HexView, why: str
) -> None:
    if why == "locked":
        view.set_locked(True)
    else:
        view.set_region(SIZE, False)
    heard = Heard(view)
    qtbot.keyClicks(view, "A")
    qtbot.keyClick(view, K.Key_V, CTRL)
    assert heard.said == [("unlock_wanted",)] * 2
    assert view.surface.pending is None


def test_bytes_that_were_never_shown_are_not_typed_over(qtbot: QtBot, view: HexView) -> None:
    heard = Heard(view)
    view.set_cursor(0x8000)
    qtbot.keyClicks(view, "41")
    assert heard.only("write_wanted") == []
    assert "not read yet" in str(heard.only("message"))


def test_the_last_byte_is_written_and_nothing_behind_it(qtbot: QtBot, view: HexView) -> None:
    view.set_region(4096, True)
    heard = Heard(view)
    view.set_cursor(4095)
    qtbot.keyClicks(view, "41")
    assert heard.only("write_wanted") == [(4095, b"A", b"\xff", "typed")]
    assert view.cursor() == 4095
    QGuiApplication.clipboard().setText("41 42")
    qtbot.keyClick(view, K.Key_V, CTRL)
    assert len(heard.only("write_wanted")) == 1
    assert "do not fit" in str(heard.only("message"))


@pytest.mark.parametrize(
    ("modifiers", "typed"),
    [(CTRL | Qt.KeyboardModifier.AltModifier, True), (CTRL, False), (NO, True)],
)
def test_what_alt_gr_makes_is_typed(
    qtbot: QtBot, view: HexView, modifiers: Qt.KeyboardModifier, typed: bool
) -> None:
    """Windows reports AltGr as Ctrl and Alt together."""
    heard = Heard(view)
    qtbot.keyClick(view, K.Key_Tab)
    QApplication.sendEvent(view, QKeyEvent(QEvent.Type.KeyPress, K.Key_At, modifiers, "@"))
    assert heard.only("write_wanted") == ([(0, b"@", b"\x00", "typed")] if typed else [])


def test_a_first_digit_does_not_survive_another_view(qtbot: QtBot, view: HexView) -> None:
    qtbot.keyClicks(view, "7")
    assert view.surface.pending == "7"
    view.hide()
    assert view.surface.pending is None


def test_insert_says_why_and_what_to_do(qtbot: QtBot, view: HexView) -> None:
    heard = Heard(view)
    qtbot.keyClick(view, K.Key_Insert)
    assert heard.only("write_wanted") == []
    assert "cannot grow" in str(heard.only("message"))
    assert "Copy range" in str(heard.only("message"))


def test_delete_says_why_it_does_nothing(qtbot: QtBot, view: HexView) -> None:
    heard = Heard(view)
    qtbot.keyClick(view, K.Key_Delete)
    assert heard.only("write_wanted") == []
    assert "nothing is deleted" in str(heard.only("message"))


def test_keys_do_nothing_without_a_region(qtbot: QtBot, view: HexView) -> None:
    view.set_region(0, False)
    heard = Heard(view)
    for key in (K.Key_Down, K.Key_End, K.Key_A, K.Key_Delete, K.Key_Backspace):
        qtbot.keyClick(view, key)
    qtbot.mouseClick(view.viewport(), LEFT, NO, QPoint(100, 100))
    qtbot.mouseDClick(view.viewport(), LEFT, NO, QPoint(100, 100))
    assert heard.said == []
    assert colors(view) > 4, "it says what to do"


# --- layout -----------------------------------------------------------------------------------


def test_columns_groups_and_zoom_are_remembered(qtbot: QtBot, view: HexView) -> None:
    qtbot.keyClick(view, K.Key_BracketRight, CTRL)
    for _ in range(2):
        qtbot.keyClick(view, K.Key_G, CTRL | SHIFT)
    view.zoom_in()
    state = view.state()
    assert (state["columns"], state["group"]) == (24, 4)
    assert (state["forms"], state["text"], state["phase"]) == (["hex8"], "ascii", 0)
    other = HexView()
    qtbot.addWidget(other)
    other.restore(state)
    assert other.state() == state
    other.restore({"columns": "many", "group": 3, "zoom": 99, "forms": ["u9"], "text": 1})
    usual = HexView()
    qtbot.addWidget(usual)
    assert other.state() == usual.state()


def test_columns_fit_the_width(qtbot: QtBot, view: HexView) -> None:
    qtbot.keyClick(view, K.Key_Backslash, CTRL)
    narrow = view.surface.grid.columns
    view.resize(1500, 480)
    assert view.surface.grid.columns > narrow
    assert view.surface.grid.width <= 1500
    assert view.horizontalScrollBar().maximum() == 0


def test_the_byte_at_the_top_stays_when_columns_change(view: HexView) -> None:
    view.scroll_by(100 * view.surface.grid.height)
    view.select(Selection(100 * 16), reveal=False)
    view.set_columns(32)
    assert view.surface.scroll.top_row == 50


@pytest.mark.parametrize("size", [1 << 33, 1 << 41, (1 << 44) + 5])
def test_any_size_is_reached_to_its_last_byte(qtbot: QtBot, view: HexView, size: int) -> None:
    heard = Heard(view)
    view.set_region(size, True)
    qtbot.keyClick(view, K.Key_End, CTRL)
    assert heard.only("cursor_moved")[-1] == (size - 1,)
    start, length = heard.only("span_wanted")[-1]
    assert start + length == size
    bar = view.verticalScrollBar()
    assert bar.value() == bar.maximum()
    bar.setValue(0)
    assert view.surface.scroll.place == 0
    bar.triggerAction(bar.SliderAction.SliderSingleStepAdd)
    bar.triggerAction(bar.SliderAction.SliderSingleStepAdd)
    assert view.surface.scroll.place == 2 * view.surface.grid.height, "a step is a row"
    bar.setSliderPosition(bar.maximum() // 2)
    middle = view.surface.visible_span()[0]
    assert abs(middle - size // 2) < size // 1000
    view.set_cursor(size // 3)
    assert view.cursor() == size // 3


def test_the_view_asks_for_what_it_shows_and_a_margin(view: HexView) -> None:
    heard = Heard(view)
    view.scroll_by(200 * view.surface.grid.height)
    start, length = heard.only("span_wanted")[-1]
    shown_start, shown_length = heard.only("view_changed")[-1]
    assert shown_start == 200 * 16
    assert start < shown_start
    assert start + length > shown_start + shown_length


# --- painting ---------------------------------------------------------------------------------


def test_a_changed_byte_glows_and_only_its_row_is_drawn(
    qtbot: QtBot, view: HexView, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = view.surface.cells.frame
    assert frame is not None
    before = pixels(view.viewport())
    updates: list[object] = []
    monkeypatch.setattr(view.viewport(), "update", lambda *place: updates.append(place))
    changed = changed_at(frame, {0x38: 0})
    changed.sample.changed_ns.flags.writeable = True
    changed.sample.changed_ns[0x38] = monotonic_ns()
    view.set_frame(changed)
    assert len(updates) == 1
    monkeypatch.undo()
    after = pixels(view.viewport())
    rows = np.flatnonzero((before != after).any(axis=(1, 2)))
    cell = view.surface.sheet().cell(Pane.HEX, 0x38)
    assert cell.top() <= rows.min()
    assert rows.max() <= cell.bottom()


def test_a_glow_fades_without_new_frames_and_the_timer_ends(qtbot: QtBot, view: HexView) -> None:
    frame = view.surface.cells.frame
    assert frame is not None
    changed = changed_at(frame, {0x38: 0})
    changed.sample.changed_ns[0x38] = monotonic_ns() - styles.FADE_NS + 2 * styles.STEP_NS
    quiet = pixels(view.viewport())
    view.set_frame(changed)
    assert view._fade.isActive()
    assert (pixels(view.viewport()) != quiet).any()
    qtbot.waitUntil(lambda: not view._fade.isActive())
    assert (pixels(view.viewport()) == quiet).all()


def test_nothing_fades_while_hidden(view: HexView) -> None:
    frame = view.surface.cells.frame
    assert frame is not None
    changed = changed_at(frame, {0x38: 0})
    changed.sample.changed_ns[0x38] = monotonic_ns()
    view.set_frame(changed)
    assert view._fade.isActive()
    view.hide()
    assert not view._fade.isActive()
    view.set_frame(changed)
    assert not view._fade.isActive()


def test_scrolled_and_partly_drawn_equals_a_full_picture(qtbot: QtBot, view: HexView) -> None:
    rng = np.random.default_rng(5)
    for step in range(12):
        view.scroll_by(int(rng.integers(-200, 400)))
        data = bytes(rng.integers(0, 256, 4096, dtype=np.uint8))
        view.set_frame(frame_of(data, start=view.surface.wanted_span()[0]))
        view.select(Selection(int(rng.integers(0, 4096)), int(rng.integers(0, 4096))), reveal=False)
        seen = pixels(view.viewport())
        view.surface.set_theme(DARK, greyed=False)  # forgets everything that was painted
        view.refresh()
        assert (seen == pixels(view.viewport())).all(), f"step {step}"


def test_focus_shows_in_the_cursor(qtbot: QtBot, view: HexView) -> None:
    focused = pixels(view.viewport())
    view.clearFocus()
    assert (pixels(view.viewport()) != focused).any()


def test_a_lost_region_is_grey_and_still(view: HexView) -> None:
    live = colors(view)
    view.set_greyed(True)
    assert view.surface.cells.frozen
    assert colors(view) < live
    view.set_greyed(False)
    assert colors(view) == live


def test_both_themes_paint_everything(view: HexView) -> None:
    dark = pixels(view.viewport())
    view.set_theme(LIGHT)
    light = pixels(view.viewport())
    assert (dark != light).any(axis=2).mean() > 0.98


@pytest.mark.parametrize("ratio", [1.25, 1.5, 2.0])
def test_fractional_ratios_leave_no_seam(view: HexView, ratio: float) -> None:
    """The layout in device pixels covers every pixel: a picture painted over red shows none."""
    from PySide6.QtCore import QRect
    from PySide6.QtGui import QImage, QPainter

    surface = view.surface
    width, height = 701, 433
    surface.lay_out(int(width * ratio), int(height * ratio), ratio)
    surface.refresh(monotonic_ns())
    image = QImage(int(width * ratio) + 1, int(height * ratio) + 1, QImage.Format.Format_RGB32)
    image.fill(0xFFFF0000)
    painter = QPainter(image)
    surface.paint(painter, QRect(image.rect()))
    painter.end()
    flat = pixels(image)
    assert not (flat == (0, 0, 255, 255)).all(axis=2).any()


# --- around -----------------------------------------------------------------------------------


def test_hovering_tells_the_byte_in_four_forms(view: HexView) -> None:
    text = view.tip_at(QPointF(at(view, 0x41)))
    for part in ("0x0000'0041", "(65)", "0x41", "01000001b", "'A'", "not seen to change"):
        assert part in text
    assert view.tip_at(QPointF(700, 470)) == "" or "offset" in view.tip_at(QPointF(700, 470))
    assert "0x0000'0040" in view.tip_at(QPointF(20, at(view, 0x41).y()))
    assert view.tip_at(QPointF(20, 4)) == ""
    assert "Click to choose another form" in view.tip_at(QPointF(at(view, 0x41).x(), 4))


def test_a_tool_tip_says_who_changed_a_byte_and_when(view: HexView) -> None:
    frame = view.surface.cells.frame
    assert frame is not None
    changed = changed_at(frame, {0x41: 0})
    changed.sample.changed_ns[0x41] = monotonic_ns() - 5_000_000_000
    view.set_frame(changed)
    assert "changed by the peer 5.0 s ago" in view.tip_at(QPointF(at(view, 0x41)))


def menu_texts(menu: QMenu) -> list[str]:
    return [action.text().partition("\t")[0] for action in menu.actions() if action.text()]


def test_the_menu_fits_the_place(view: HexView) -> None:
    view.select(Selection(0x10, 0x1F))
    over_byte = menu_texts(context_menu(view, Part.HEX))
    assert {"Copy", "Copy as", "Paste over", "Fill selection…", "Bytes in a row"} <= set(over_byte)
    assert "Copy offset 0x10" in menu_texts(context_menu(view, Part.ADDRESS))
    layout = ["Bytes in a row", "Group bytes", "Columns", "Text column", "Emphasis"]
    assert menu_texts(context_menu(view, None)) == layout


def test_right_click_outside_of_the_selection_moves_the_cursor(view: HexView) -> None:
    view.select(Selection(0x1F, 0x10))
    for offset, expected in ((0x15, (0x10, 16)), (0x45, (0x45, 0))):
        place = at(view, offset)
        event = QContextMenuEvent(
            QContextMenuEvent.Reason.Mouse, place, view.viewport().mapToGlobal(place)
        )
        QApplication.sendEvent(view.viewport(), event)
        popup = QApplication.activePopupWidget()
        assert isinstance(popup, QMenu)
        popup.close()
        assert view.selection() == expected


def test_menu_choices_change_the_layout(view: HexView) -> None:
    menu = context_menu(view, None)
    rows, groups = menu.findChildren(QMenu)[:2]
    next(action for action in rows.actions() if action.text() == "32").trigger()
    assert view.state()["columns"] == 32
    groups.actions()[3].trigger()
    assert view.state()["group"] == 8


def drop(view: HexView, place: QPoint, url: QUrl) -> QDropEvent:
    mime = QMimeData()
    mime.setUrls([url])
    event = QDropEvent(QPointF(place), Qt.DropAction.CopyAction, mime, LEFT, NO, QEvent.Type.Drop)
    view.dropEvent(event)
    return event


def test_a_dropped_file_is_offered_at_the_byte_under_the_mouse(view: HexView) -> None:
    heard = Heard(view)
    drop(view, at(view, 0x55), QUrl.fromLocalFile("/tmp/some.bin"))
    assert heard.only("load_file_wanted") == [("/tmp/some.bin", 0x55)]
    drop(view, at(view, 0x55), QUrl("https://example.org/some.bin"))
    assert len(heard.only("load_file_wanted")) == 1


def test_screen_readers_hear_the_cursors_row(qtbot: QtBot, view: HexView) -> None:
    view.set_cursor(0x42)
    text = view.accessibleDescription()
    assert "0x42" in text
    assert "byte 42" in text
    assert "@ABC" in text


@pytest.fixture
def asked_paste(view: HexView) -> Callable[[str], Heard]:
    def paste(text: str) -> Heard:
        heard = Heard(view)
        QGuiApplication.clipboard().setText(text)
        view.paste_asked.connect(
            lambda meant: view.editor.paste_bytes(meant.found[0].data),
            Qt.ConnectionType.SingleShotConnection,
        )
        view.paste()
        return heard

    return paste


def test_paste_of_garbage_writes_nothing(asked_paste: Callable[[str], Heard]) -> None:
    heard = asked_paste("certainly no hex")
    assert heard.only("write_wanted") == []
    assert "no hex" in str(heard.only("message"))


def test_paste_goes_out_as_one_write(view: HexView, asked_paste: Callable[[str], Heard]) -> None:
    view.select(Selection(0x17, 0x10))
    heard = asked_paste("{ 0x41, 0x42, 0x43 }")
    assert heard.only("write_wanted") == [(0x10, b"ABC", b"\x10\x11\x12", "paste")]
    assert view.cursor() == 0x13


def test_a_paste_beyond_the_screen_says_what_was_shown(
    view: HexView, asked_paste: Callable[[str], Heard]
) -> None:
    view.set_cursor(4090)
    shown = (0, b"")

    def look(*_: object) -> None:
        nonlocal shown
        shown = view.shown(4090, 20)

    view.write_wanted.connect(look)
    heard = asked_paste("00" * 20)
    assert heard.only("write_wanted") == [(4090, bytes(20), None, "paste")]
    assert shown == (4090, bytes(range(250, 256)))
