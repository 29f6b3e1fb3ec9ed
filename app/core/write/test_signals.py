"""Live test signals: values that are written again and again, to see them arrive elsewhere."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from typing import Final

from ..errors import ScopeError, ValueFormatError
from ..region.region import Region
from .bulk_writes import fits, may_write
from .journal import Journal
from .patterns import MIN_INTERVAL_NS, Repeat
from .record import RepeatState, Seen, WriteRecord
from .write_outcome import check_seen_part

_RATE_WRITES: Final = 256


class Repeater:
    """One running signal: a thread that writes a value at absolute deadlines."""

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
        fits(region, repeat.offset, repeat.width, "Signal")
        may_write(journal, region)
        self.number = number
        self.repeat = repeat
        self._journal = journal
        self._region = region
        self._before = region.read(repeat.offset, repeat.width)
        if seen is not None:
            check_seen_part(seen, repeat.offset, self._before, repeat.encode(0))
        self._last = self._before
        self._writes = 0
        self._times: deque[int] = deque(maxlen=_RATE_WRITES)
        self._error: ScopeError | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="test-signal", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        due = time.monotonic_ns()
        try:
            while not self._stop.is_set():
                data = self.repeat.encode(self._writes)
                self._journal.store_now(self.repeat.offset, data)
                self._last = data
                self._writes += 1
                now = time.monotonic_ns()
                self._times.append(now)
                due = max(due + self.repeat.interval_ns, now - self.repeat.interval_ns)
                if due > now:
                    self._stop.wait((due - now) / 1e9)
        except ScopeError as error:
            self._error = error

    def state(self) -> RepeatState:
        """How it goes."""
        times = list(self._times)
        span = times[-1] - times[0] if len(times) > 1 else 0
        running = self._thread.is_alive()
        return RepeatState(
            number=self.number,
            repeat=self.repeat,
            writes=self._writes,
            rate_hz=(len(times) - 1) * 1e9 / span if span and running else 0.0,
            asked_hz=1e9 / self.repeat.interval_ns,
            last=self._last,
            error=self._error,
        )

    def stop(self) -> WriteRecord | None:
        """End it; one journal entry takes back all that it wrote."""
        self._stop.set()
        self._thread.join(2.0)
        if not self._writes:
            return None
        return self._journal.remember(
            f"signal, {self.repeat.label}", self.repeat.offset, self._before, self._last
        )


class Repeaters:
    """All running signals of an engine."""

    def __init__(self, journal: Journal, region: Region) -> None:
        self._journal = journal
        self._region = region
        self._running: dict[int, Repeater] = {}
        self._numbers = 0
        self._lock = threading.Lock()

    def start(self, repeat: Repeat, seen: Seen | None = None) -> int:
        """Start a signal; its number.

        Raises:
            ConflictError: The bytes are not as seen; nothing was written.
            OutOfRangeError, LockedError, ReadOnlyError, ValueFormatError: It cannot be.
        """
        with self._lock:
            self._numbers += 1
            signal = Repeater(self._numbers, self._journal, self._region, repeat, seen)
            self._running[self._numbers] = signal
            return self._numbers

    def stop(self, number: int = 0) -> WriteRecord | None:
        """Stop one, or all (0); the last one's record."""
        with self._lock:
            chosen = [number] if number else list(self._running)
            signals = [self._running.pop(n) for n in chosen if n in self._running]
        record = None
        for signal in signals:
            with contextlib.suppress(ScopeError):
                record = signal.stop()
        return record

    def stop_all(self) -> None:
        """Stop all."""
        self.stop(0)

    def states(self) -> tuple[RepeatState, ...]:
        """How each of them goes."""
        with self._lock:
            return tuple(signal.state() for signal in self._running.values())
