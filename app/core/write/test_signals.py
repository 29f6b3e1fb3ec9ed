"""Live test signals: values that are written again and again, to see them arrive elsewhere.

And all else that writes by itself until it is stopped: frozen values.
"""

from __future__ import annotations

import contextlib
import threading

from ..errors import BusyError, ScopeError, ValueFormatError
from ..region.region import Region
from ..values.units import format_short_offset
from .freezes import Freeze, Freezer
from .journal import Journal
from .patterns import MIN_INTERVAL_NS, Repeat
from .record import FreezeState, RepeatState, Seen, WriteRecord
from .running import Running


class _Signal:
    """A Repeat as a place: its label says in the journal that it is a signal."""

    def __init__(self, repeat: Repeat) -> None:
        self.offset, self.width = repeat.offset, repeat.width
        self.interval_ns = repeat.interval_ns
        self.label = f"signal, {repeat.label}"


class Repeater(Running):
    """One running signal: a thread that writes a value at absolute deadlines."""

    title = "Signal"

    def __init__(
        self,
        number: int,
        journal: Journal,
        region: Region,
        repeat: Repeat,
        seen: Seen | None = None,
    ) -> None:
        if repeat.interval_ns < MIN_INTERVAL_NS:
            raise ValueFormatError(
                f"An interval of {repeat.interval_ns / 1000:g} µs is too short.",
                f"At least {MIN_INTERVAL_NS / 1000:g} µs.",
            )
        self.repeat = repeat
        first = repeat.encode(0)
        super().__init__(number, journal, region, _Signal(repeat), seen, first=first)

    def turn(self) -> None:
        """Write the next value."""
        self.put(self.repeat.encode(self.writes))

    def state(self) -> RepeatState:
        """How it goes."""
        return RepeatState(
            number=self.number,
            repeat=self.repeat,
            writes=self.writes,
            rate_hz=self.rate_hz,
            asked_hz=1e9 / self.repeat.interval_ns,
            last=self.last,
            error=self.error,
        )


class Repeaters:
    """All that writes by itself in an engine: signals and frozen values."""

    def __init__(self, journal: Journal, region: Region) -> None:
        self._journal = journal
        self._region = region
        self._running: dict[int, Repeater | Freezer] = {}
        self._numbers = 0
        self._lock = threading.Lock()

    def start(self, what: Repeat | Freeze, seen: Seen | None = None) -> int:
        """Start a signal, or freeze a value; its number.

        Raises:
            ConflictError: The bytes are not as seen; nothing was written.
            BusyError: Another writes there.
            OutOfRangeError, LockedError, ReadOnlyError, ValueFormatError: It cannot be.
        """
        with self._lock:
            self._make_way(what)
            self._numbers += 1
            number = self._numbers
            if isinstance(what, Freeze):
                made: Repeater | Freezer = Freezer(number, self._journal, self._region, what, seen)
            else:
                made = Repeater(number, self._journal, self._region, what, seen)
            self._running[number] = made
            return number

    def _make_way(self, place: Repeat | Freeze) -> None:
        """Of two that write the same bytes neither would show what it writes."""
        there = [one for one in self._running.values() if one.covers(place)]
        for one in there:
            if one.running:
                where = format_short_offset(one.place.offset)
                if isinstance(one, Freezer):
                    what = f"The value at {where} is frozen already; nothing was started."
                else:
                    what = (
                        f"A live signal ({one.repeat.label}) writes at {where} already; "
                        "nothing was started."
                    )
                raise BusyError(what, "Stop it first, or choose another place.")
        for one in there:  # failed ones: what they wrote is recorded before what follows
            del self._running[one.number]
            with contextlib.suppress(ScopeError):
                one.stop()

    def stop(self, number: int = 0) -> WriteRecord | None:
        """Stop one, or all (0); the last one's record."""
        with self._lock:
            chosen = [number] if number else list(self._running)
            ended = [self._running.pop(n) for n in chosen if n in self._running]
        record = None
        for one in ended:
            with contextlib.suppress(ScopeError):
                record = one.stop()
        return record

    def stop_all(self) -> None:
        """Stop all."""
        self.stop(0)

    def states(self) -> tuple[RepeatState, ...]:
        """How each signal goes."""
        with self._lock:
            return tuple(o.state() for o in self._running.values() if isinstance(o, Repeater))

    def frozen(self) -> tuple[FreezeState, ...]:
        """How each frozen value goes."""
        with self._lock:
            return tuple(o.state() for o in self._running.values() if isinstance(o, Freezer))
