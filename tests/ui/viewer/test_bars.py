"""Bars that come and go by themselves move neither each other nor the bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.core.errors import ConflictError
from app.core.watch.frame import Level
from app.ui.session.notice import Notice
from app.ui.session.write_requests import Working
from app.ui.style.theme import DARK
from app.ui.viewer import message_bar
from app.ui.viewer.region_view import RegionView
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, peek, poke, show

GOOD = Notice(Level.GOOD, "Copied 4 B.", key="copied")
WARNING = Notice(Level.WARNING, "Writing is locked.", "Ctrl+L unlocks it.", ("Unlock",), "locked")
LONG = Notice(Level.WARNING, "word " * 120, "hint " * 60, ("Retry",), "locked")
CONFLICT = ConflictError(
    "1 byte at 0x0 changed since this was shown.", seen=b"\1\2", now=b"\1\3", mine=b"\4\2"
)


@pytest.fixture
def view(qtbot: QtBot, sessions: Sessions, shm_file: ShmFile) -> Iterator[RegionView]:
    made = RegionView()
    made.set_theme(DARK)
    session = sessions.open(shm_file(1 << 16, fill=bytes(range(250))))
    made.set_session(session)
    show(qtbot, made, 900, 500)
    made.hex.set_region(1 << 16, True)
    yield made
    made.set_session(None)


def settle() -> None:
    for _ in range(4):
        QApplication.processEvents()


def place(part: QWidget) -> QPoint:
    settle()
    return part.mapToGlobal(QPoint(0, 0))


def first_row(view: RegionView) -> tuple[QPoint, int]:
    """Where the bytes begin on the screen, and which they are."""
    return place(view.hex.viewport()), view.hex.surface.sheet().first_row


def test_a_message_that_goes_moves_nothing(
    qtbot: QtBot, view: RegionView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_bar, "_GOOD_MS", 50)
    rows = first_row(view)
    view.messages.show_notice(GOOD)
    view.conflict.ask(CONFLICT, "Write mine")
    answer = place(view.conflict.mine)
    qtbot.waitUntil(view.messages.isHidden)
    assert place(view.conflict.mine) == answer
    view.messages.show_notice(WARNING)
    assert place(view.conflict.mine) == answer, "it takes the place that was left"
    assert first_row(view) == rows
    view.conflict.hide()
    settle()
    assert view.bars.height() == view.messages.height()
    view.messages.clear()
    settle()
    assert view.bars.isHidden()
    assert first_row(view) == rows


def test_each_that_comes_leaves_the_others_where_they_are(view: RegionView) -> None:
    rows = first_row(view)
    parts: list[tuple[QWidget, QPoint]] = []
    for come, part in (
        (lambda: view.open_goto(), view.goto.edit),
        (lambda: view.conflict.ask(CONFLICT, "Write mine"), view.conflict.mine),
        (lambda: view.work.show_work(Working("Undo", 1, 1, 2)), view.work.stop),
        (lambda: view.messages.show_notice(LONG), view.messages._close),
    ):
        come()
        assert all(place(other) == before for other, before in parts)
        parts.append((part, place(part)))
    assert first_row(view) == rows
    assert len({at.y() for _part, at in parts}) == 4
    for part, before in parts:  # from below: all others stay
        assert place(part) == before
        next(bar for bar in view.bars.bars if bar.isAncestorOf(part)).hide()
    settle()
    assert view.bars.isHidden()


def test_a_text_that_grows_below_another_bar_is_not_cut(view: RegionView) -> None:
    view.messages.show_notice(WARNING)
    view.conflict.ask(CONFLICT, "Write mine")
    answer = place(view.conflict.mine)
    view.messages.show_notice(LONG)
    assert place(view.conflict.mine) == answer
    text = view.messages.text
    assert text.height() >= text.heightForWidth(text.width())
    assert not view.messages.geometry().intersects(view.conflict.geometry())


@pytest.mark.parametrize("width", [360, 500, 900, 1400])
@pytest.mark.parametrize("body", [True, False])
def test_no_text_is_cut_in_any_width(view: RegionView, width: int, body: bool) -> None:
    view.resize(width, 500)
    view.show_body(body)
    view.messages.show_notice(LONG)
    settle()
    text = view.messages.text
    assert text.height() >= text.heightForWidth(text.width())
    if not body:
        assert view.height() == view.messages.height()


def test_a_click_meant_for_an_answer_hits_it(
    qtbot: QtBot, view: RegionView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a real conflict on a real file, and a message that goes while a person aims."""
    monkeypatch.setattr(message_bar, "_GOOD_MS", 50)
    session = view.session
    assert session is not None
    session.set_locked(False)
    path = Path(session.spec.location)
    session.set_paused(True)
    qtbot.waitUntil(lambda: session.frame is not None and session.frame.paused, timeout=WAIT_MS)
    poke(path, 0, b"\x77")
    view.messages.show_notice(GOOD)
    qtbot.keyClicks(view.hex, "41")
    qtbot.waitUntil(view.conflict.isVisible, timeout=WAIT_MS)
    aimed = place(view.conflict.mine) + view.conflict.mine.rect().center()
    qtbot.waitUntil(view.messages.isHidden)
    settle()
    hit = view.childAt(view.mapFromGlobal(aimed))
    assert isinstance(hit, QPushButton)
    qtbot.mouseClick(hit, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: peek(path, 0, 1) == b"\x41", timeout=WAIT_MS)
