"""One of several, in a menu."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

T = TypeVar("T")


def add_choices(
    menu: QMenu, choices: Sequence[tuple[T, str]], now: T | None, slot: Callable[[T], None]
) -> None:
    """One of several, the one that is on checked."""
    group = QActionGroup(menu)
    for value, text in choices:
        action = menu.addAction(text)
        action.setCheckable(True)
        action.setChecked(value == now)
        action.triggered.connect(lambda _checked=False, value=value: slot(value))
        group.addAction(action)
