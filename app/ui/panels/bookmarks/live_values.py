"""What stands under bookmarks, read again and again, shown at a pace that can be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import monotonic_ns
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from ....core.annotations.bookmark import AS_BYTES, AS_TEXT, Bookmark
from ....core.engine.messages import ReadRanges
from ....core.values.steady import NumberStats, Pace, PaceClock
from ....core.values.value_types import number_of, type_named
from ...session.session import Session

READ_MS: Final = 33
MOST: Final = 256  # that are read at once


@dataclass(slots=True)
class LiveValue:
    """One of them.

    Attributes:
        mark: What is read.
        data: What stood there at the last look.
        text: What is shown.
        shown_data: The bytes that the text stands for.
        stats: Of a number.
    """

    mark: Bookmark
    data: bytes = b""
    text: str = ""
    shown_data: bytes = b""
    stats: NumberStats = field(default_factory=NumberStats)

    def look(self, data: bytes, now_ns: int) -> None:
        """What stands there now."""
        self.data = data
        if self.mark.kind not in (AS_BYTES, AS_TEXT):
            number = number_of(type_named(self.mark.kind), data, self.mark.endian)
            if number is not None:
                self.stats.add(number, now_ns)

    def show(self, *, mean: bool) -> bool:
        """Take what is shown anew; whether it is another text."""
        average = self.stats.take_mean() if mean else ""
        text = average or (self.mark.value(self.data) if self.data else "outside")
        self.shown_data = self.data
        changed, self.text = text != self.text, text
        return changed


def _reads(mark: Bookmark) -> tuple[object, ...]:
    """What of a bookmark its value depends on."""
    return mark.start, mark.value_length, mark.kind, mark.endian


class LiveValues(QObject):
    """The values of those bookmarks that are in sight. They are read while the panel is shown.

    Args:
        in_sight: Gives the bookmarks to read, at most MOST.

    Signals:
        shown(): Some are shown anew.
    """

    shown = Signal()

    def __init__(
        self, in_sight: Callable[[], Sequence[Bookmark]], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._in_sight = in_sight
        self._session: Session | None = None
        self._asking = False
        self._clock = PaceClock()
        self._values: dict[str, LiveValue] = {}
        self._timer = QTimer(self, interval=READ_MS)
        self._timer.timeout.connect(self._ask)

    @property
    def pace(self) -> Pace:
        """How often they are shown."""
        return self._clock.pace

    def set_pace(self, pace: Pace) -> None:
        """Show them so often; means begin anew."""
        self._clock.set_pace(pace, monotonic_ns())
        for value in self._values.values():
            value.stats.take_mean()

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        self._session = session
        self._asking = False
        self._values.clear()

    def set_running(self, *, on: bool) -> None:
        """Whether somebody looks at them."""
        if on and not self._timer.isActive():
            self._timer.start()
            self._ask()
        elif not on:
            self._timer.stop()

    def value(self, mark: Bookmark) -> LiveValue | None:
        """What is known of a bookmark; None when it was not read yet."""
        found = self._values.get(mark.key)
        return found if found is not None and _reads(found.mark) == _reads(mark) else None

    def keep(self, marks: Sequence[Bookmark]) -> None:
        """Forget the values of all others."""
        keys = {mark.key for mark in marks}
        for key in [key for key in self._values if key not in keys]:
            del self._values[key]

    def reset(self) -> None:
        """Least and greatest begin anew."""
        for value in self._values.values():
            value.stats.reset()
        self.shown.emit()

    def _ask(self) -> None:
        session = self._session
        if session is None or session.lost or session.paused or self._asking:
            return
        marks = tuple(self._in_sight())[:MOST]
        if marks:
            self._asking = True
            ranges = tuple((mark.start, mark.value_length) for mark in marks)
            session.ask(ReadRanges(ranges), partial(self._take, session, marks), self._failed)

    def _failed(self, _error: object) -> None:
        """The region's health says why."""
        self._asking = False

    def _take(self, asked: Session, marks: tuple[Bookmark, ...], found: tuple[bytes, ...]) -> None:
        if asked is not self._session:
            return
        self._asking = False
        now_ns = monotonic_ns()
        fresh = []
        for mark, data in zip(marks, found, strict=True):
            value = self.value(mark)
            if value is None:
                value = self._values[mark.key] = LiveValue(mark)
                fresh.append(value)
            value.look(data, now_ns)
        changed = False
        due = self._clock.is_due(now_ns)
        for value in self._values.values() if due else fresh:
            changed |= value.show(mean=due and self.pace.is_mean)
        if changed:
            self.shown.emit()
