"""The slim bars: messages with what to do, and the question about a conflict."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.core.backends.permission import Guarded, may_not_write
from app.core.errors import ConflictError, ReadOnlyError
from app.core.region.region import RegionInfo, RegionKind, RegionSpec
from app.core.watch.frame import Level
from app.ui.session.notice import Notice, read_only_notice
from app.ui.style.theme import DARK, LIGHT
from app.ui.viewer import message_bar
from app.ui.viewer.message_bar import ConflictBar, MessageBar

GOOD = Notice(Level.GOOD, "Copied 4 B.", key="copied")
WARNING = Notice(Level.WARNING, "Writing is locked.", "Ctrl+L unlocks it.", ("Unlock",), "locked")
FAULT = Notice(Level.FAULT, "The file was <deleted> & gone.", "", ("Retry",), "health")


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def bar(window: QWidget) -> MessageBar:
    made = MessageBar()
    made.hide()
    QVBoxLayout(window).addWidget(made)
    return made


def buttons(bar: QWidget) -> dict[str, QPushButton]:
    QGuiApplication.processEvents()  # Qt shows what was added to a layout a moment later
    return {b.text(): b for b in bar.findChildren(QPushButton) if b.isVisible()}


def click(qtbot: QtBot, bar: QWidget, word: str) -> None:
    qtbot.mouseClick(buttons(bar)[word], Qt.MouseButton.LeftButton)


def test_hidden_until_there_is_something_to_say(bar: MessageBar) -> None:
    assert bar.isHidden()
    bar.show_notice(WARNING)
    assert bar.isVisible()
    assert "Ctrl+L unlocks it." in bar.text.text()
    bar.clear("locked")
    assert bar.isHidden()


def test_the_worst_is_shown_and_the_others_wait(bar: MessageBar) -> None:
    bar.show_notice(FAULT)
    bar.show_notice(WARNING)
    assert bar.shown == FAULT
    bar.clear("health")
    assert bar.shown == WARNING


def test_the_same_key_gives_way(bar: MessageBar) -> None:
    bar.show_notice(WARNING)
    bar.show_notice(Notice(Level.WARNING, "Another sentence.", key="locked"))
    bar.clear("locked")
    assert bar.shown is None


def test_a_good_one_goes_away_by_itself(
    qtbot: QtBot, bar: MessageBar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_bar, "_GOOD_MS", 20)
    bar.show_notice(GOOD)
    assert bar.shown == GOOD
    qtbot.waitUntil(bar.isHidden)


def test_a_good_one_is_not_hidden_by_an_old_warning(bar: MessageBar) -> None:
    """A copy must be seen to have happened even while a warning stands."""
    bar.show_notice(WARNING)
    bar.show_notice(GOOD)
    assert bar.shown == GOOD
    bar.show_notice(FAULT)
    assert bar.shown == FAULT


def test_buttons_say_what_was_pressed(qtbot: QtBot, bar: MessageBar) -> None:
    bar.show_notice(WARNING)
    with qtbot.waitSignal(bar.acted, check_params_cb=lambda word: word == "Unlock"):
        click(qtbot, bar, "Unlock")
    bar.show_notice(FAULT)
    assert "Unlock" not in buttons(bar)


def test_closing_shows_the_next(qtbot: QtBot, bar: MessageBar) -> None:
    bar.show_notice(WARNING)
    bar.show_notice(FAULT)
    click(qtbot, bar, "×")
    assert bar.shown == WARNING
    click(qtbot, bar, "×")
    assert bar.isHidden()


def test_esc_closes_it_from_its_buttons(qtbot: QtBot, bar: MessageBar) -> None:
    bar.show_notice(WARNING)
    button = buttons(bar)["Unlock"]
    with qtbot.waitSignal(bar.left):
        qtbot.keyClick(button, Qt.Key.Key_Escape)
    assert bar.isHidden()


def test_a_read_only_region_carries_what_mends_it(qtbot: QtBot, bar: MessageBar) -> None:
    advice = may_not_write("/dev/shm/it's", "/dev/shm/it's", Guarded.FILE)
    spec = RegionSpec(RegionKind.FILE, "/dev/shm/it's")
    info = RegionInfo(spec, "it's", "host", spec.location, 4096, False, advice.reason)
    bar.show_notice(read_only_notice(info))
    click(qtbot, bar, "Copy command")
    assert QGuiApplication.clipboard().text() == advice.command != ""
    with pytest.raises(ReadOnlyError) as caught:
        info.need_writable()
    assert caught.value.command == advice.command
    bar.show_notice(read_only_notice(replace(info, read_only_reason="It is sealed.")))
    assert "Copy command" not in buttons(bar)


def test_a_command_is_copied(qtbot: QtBot, bar: MessageBar) -> None:
    bar.show_notice(Notice(Level.FAULT, "No permission.", command="sudo chmod 660 /dev/shm/x"))
    click(qtbot, bar, "Copy command")
    assert QGuiApplication.clipboard().text() == "sudo chmod 660 /dev/shm/x"


def test_names_of_files_are_not_taken_for_markup(bar: MessageBar) -> None:
    bar.show_notice(FAULT)
    assert "&lt;deleted> &amp; gone" in bar.text.text()


def test_a_long_text_is_never_cut(bar: MessageBar) -> None:
    bar.window().resize(320, 400)
    bar.show_notice(Notice(Level.FAULT, "word " * 60))
    QGuiApplication.processEvents()
    assert bar.text.height() >= bar.text.heightForWidth(bar.text.width())


CONFLICT = ConflictError(
    "1 byte at 0x40 changed since this was shown.",
    offset=0x40,
    seen=b"\x01\x02",
    now=b"\x01\x09",
    mine=b"\xaa\x02",
)


@pytest.fixture
def conflict(qtbot: QtBot) -> ConflictBar:
    made = ConflictBar()
    made.set_theme(DARK)
    qtbot.addWidget(made)
    made.ask(CONFLICT, "Write mine")
    qtbot.waitExposed(made)
    return made


def test_a_conflict_shows_seen_now_and_mine(conflict: ConflictBar) -> None:
    assert "09" in conflict.rows["now"].text()
    assert DARK.changed in conflict.rows["now"].text()
    assert DARK.mine in conflict.rows["mine"].text()
    assert "AA" in conflict.rows["mine"].text()


def test_the_safe_answer_has_the_focus_and_esc_is_it(qtbot: QtBot, conflict: ConflictBar) -> None:
    conflict.activateWindow()
    qtbot.waitUntil(conflict.theirs.hasFocus)
    with qtbot.waitSignal(conflict.answered, check_params_cb=lambda what: what == "theirs"):
        qtbot.keyClick(conflict.theirs, Qt.Key.Key_Escape)
    with qtbot.waitSignal(conflict.answered, check_params_cb=lambda what: what == "theirs"):
        qtbot.keyClick(conflict.theirs, Qt.Key.Key_Return)


def test_writing_mine_takes_a_decision(qtbot: QtBot, conflict: ConflictBar) -> None:
    with qtbot.waitSignal(conflict.answered, check_params_cb=lambda what: what == "mine"):
        click(qtbot, conflict, "Write mine")


def test_the_bars_take_another_theme(bar: MessageBar, conflict: ConflictBar) -> None:
    bar.show_notice(FAULT)
    bar.set_theme(LIGHT)
    assert LIGHT.fault.lower() in bar.text.text().lower()
    conflict.set_theme(LIGHT)
    assert LIGHT.changed in conflict.rows["now"].text()


def test_a_long_conflict_says_how_long(conflict: ConflictBar) -> None:
    long = ConflictError(
        "99 bytes at 0x0 changed since this was shown.",
        seen=bytes(99),
        now=b"\1" * 99,
        mine=b"2" * 99,
    )
    conflict.ask(long, "Undo anyway")
    assert "99 bytes" in conflict.rows["seen"].text()
    assert "Undo anyway" in buttons(conflict)
