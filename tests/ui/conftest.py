"""Fixtures of the window's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from tests.ui.helpers import Sessions


@pytest.fixture
def sessions(qtbot: QtBot) -> Iterator[Sessions]:
    """Sessions that end with the test."""
    made = Sessions(qtbot)
    yield made
    made.end()
