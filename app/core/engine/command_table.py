"""The command table: every command's row, room by room.

A new command is one dataclass in its room's messages, one handler and one row in its room's
rows; a new room is one line here. Rows are loaded when the first command of their room comes,
so that an engine that never measures does not load what measures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from . import messages as msg
from .command_rows import Row, Rows

R = TypeVar("R")


def _engine() -> Rows:
    from .engine_commands import ROWS

    return ROWS


def _measurements() -> Rows:
    from .measuring.measurement_commands import ROWS

    return ROWS


def _search() -> Rows:
    from .search_commands import ROWS

    return ROWS


def _ranges() -> Rows:
    from .range_commands import ROWS

    return ROWS


# A room's rows by the name of the module that has its messages.
ROOMS: Final[Mapping[str, Callable[[], Rows]]] = {
    "messages": _engine,
    "measurement_messages": _measurements,
    "search_messages": _search,
    "range_messages": _ranges,
}


class CommandTable:
    """All rows."""

    def __init__(self, rooms: Mapping[str, Callable[[], Rows]] = ROOMS) -> None:
        self._rooms = rooms
        self._rows: dict[type[msg.Command[Any]], Row[Any]] = {}
        self._loaded: set[str] = set()

    def row(self, command: type[msg.Command[R]]) -> Row[R] | None:
        """The row of this command; None when no table has it."""
        if command not in self._rows:
            self._load(command.__module__.rpartition(".")[2])
        return self._rows.get(command)

    def answered(self, command: msg.Command[object]) -> bool:
        """Whether Done or Failed follows; the engine answers also what it does not know."""
        row = self.row(type(command))
        return row is None or row.answered

    def _load(self, room: str) -> None:
        if room in self._rooms and room not in self._loaded:
            for row in self._rooms[room]():
                self._rows[row.command] = row
            self._loaded.add(room)


TABLE: Final = CommandTable()
