"""Freezing a value: from the bytes, the inspector, the bookmarks, or by its key."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

from PySide6.QtCore import QObject

from ....core.engine import messages as msg
from ....core.errors import ScopeError
from ....core.values.units import format_short_offset
from ....core.watch.frame import Level
from ....core.write.freezes import LONGEST, Freeze
from ...action import Action, Offer
from ...panel import PanelHost
from ...session.notice import Notice
from ...session.session import Session
from .running_signals import RunningSignals

KEY: Final = "F9"
_NOTICE: Final = "frozen"
_SHOWN: Final = 8  # bytes in a name


class Freezing(QObject):
    """Starts and ends frozen values of one session; their list is RunningSignals."""

    def __init__(self, running: RunningSignals, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running = running
        self._host: PanelHost | None = None
        self._session: Session | None = None
        self._cursor = 0
        self._selection = (0, 0)

    def attach(self, host: PanelHost) -> None:
        """Connect to the window."""
        self._host = host
        host.cursor_moved.connect(self._set_cursor)
        host.selection_changed.connect(self._set_selection)
        host.freeze_wanted.connect(self.freeze)
        host.byte_offers.append(self._offers)

    def own_actions(self) -> tuple[Action, ...]:
        """One key for both."""
        return (
            Action(
                "freeze",
                "Freeze the value, or let it go",
                (KEY,),
                self.here,
                group="Edit",
                section=2,
                hint="Write it again whenever the peer changes it",
                needs_session=True,
            ),
        )

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        self._session = session

    def _set_cursor(self, offset: int) -> None:
        self._cursor = offset

    def _set_selection(self, start: int, length: int) -> None:
        self._selection = (start, length)

    def _offers(self, start: int, length: int) -> Iterable[Offer]:
        """For the context menu of the bytes."""
        held = self._running.frozen_at(start, length)
        if held is not None:
            where = format_short_offset(held.freeze.offset)
            yield Offer(f"Let go of the value at {where}", self.here, KEY)
        elif length <= LONGEST:
            what = "this byte" if length == 1 else f"these {length} bytes"
            yield Offer(f"Freeze {what}", self.here, KEY)

    def here(self) -> None:
        """Freeze the selection or the byte under the cursor; let go of what is frozen there."""
        start, length = self._selection if self._selection[1] else (self._cursor, 1)
        held = self._running.frozen_at(start, length)
        if held is not None:
            self._running.end(held.number)
            where = format_short_offset(held.freeze.offset)
            self._tell(Level.GOOD, f"The value at {where} is free again.")
            return
        session = self._session
        if session is None or session.info is None:
            return
        if length > LONGEST:
            self._tell(
                Level.WARNING, f"{length:,} bytes are too many to freeze.", f"At most {LONGEST}."
            )
            return
        frame = session.frame
        if frame is not None and frame.start <= start and start + length <= frame.end:
            at = start - frame.start
            self._freeze_bytes(start, bytes(frame.data[at : at + length]))
        else:
            session.ask(msg.Read(start, length), partial(self._freeze_bytes, start))

    def _freeze_bytes(self, start: int, data: bytes) -> None:
        shown = data[:_SHOWN].hex(" ").upper()
        self.freeze(start, data, f"{shown} …" if len(data) > _SHOWN else shown)

    def freeze(self, start: int, data: bytes, name: str) -> None:
        """Hold these bytes there."""
        session, host = self._session, self._host
        if session is None or host is None:
            return
        if session.locked:
            host.unlock_wanted.emit()
            return
        try:
            freeze = Freeze(start, data, name)
        except ScopeError as error:
            self._failed(error)
            return
        session.ask(msg.StartFreeze(freeze), partial(self._started, freeze), self._failed)

    def _started(self, freeze: Freeze, _number: int) -> None:
        self._running.watch()
        where = format_short_offset(freeze.offset)
        self._tell(
            Level.GOOD,
            f"The value at {where} is frozen.",
            f"{KEY} there, Stop in the write tools, or locking ends that.",
        )

    def _failed(self, error: ScopeError) -> None:
        self._tell(Level.WARNING, error.message, error.hint)

    def _tell(self, level: Level, text: str, hint: str = "") -> None:
        if self._host is not None:
            self._host.notice.emit(Notice(level, text, hint, key=_NOTICE))
