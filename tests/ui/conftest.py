"""Fixtures of the window's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.ui.hex import clipboard
from app.ui.style.style_sheet import apply_theme, style_sheet
from app.ui.style.theme import DARK
from tests.ui.helpers import MakeEngine, Sessions, ShmFile, SpareEngines
from tests.ui.measure.measuring import Sides


@pytest.fixture(autouse=True)
def _in_style(qapp: QApplication) -> None:
    """Every test sees the look that the program has, whatever the test before left."""
    if qapp.styleSheet() != style_sheet(DARK):
        apply_theme(qapp, DARK)


ENGINES = SpareEngines(2)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before what a test starts is counted."""
    if "engine" in getattr(item, "fixturenames", ()):
        ENGINES.refill()


def pytest_sessionfinish() -> None:
    """Leave no process behind, and nothing that Qt cannot delete by itself."""
    ENGINES.close()
    if QApplication.instance() is not None:
        clipboard.leave_text()


@pytest.fixture
def engine() -> MakeEngine:
    """Gives engine processes that are warm already."""
    return ENGINES.take


@pytest.fixture
def sessions(qtbot: QtBot, engine: MakeEngine) -> Iterator[Sessions]:
    """Sessions that end with the test."""
    made = Sessions(qtbot, engine)
    yield made
    made.end()


@pytest.fixture
def sides(qtbot: QtBot, sessions: Sessions, shm_file: ShmFile) -> Iterator[Sides]:
    """Two panels on one region, whose bytes are as before at the end."""
    path = shm_file(1 << 20, fill=b"mine ")
    before = path.read_bytes()
    made = Sides(qtbot, sessions, path)
    yield made
    for panel in made.panels:
        panel.set_session(None)
    sessions.end()
    sessions.made.clear()
    assert path.read_bytes() == before
