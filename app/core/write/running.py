"""What writes one place again and again on a thread, and stands in the journal once, at its end."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from typing import ClassVar, Final, Protocol

from ..errors import ScopeError
from ..region.region import Region
from .bulk_writes import fits, may_write
from .journal import Journal
from .record import Seen, WriteRecord
from .write_outcome import check_seen_part

_RATE_TURNS: Final = 256


class Place(Protocol):
    """What is written where; its attributes do not change."""

    @property
    def offset(self) -> int:
        """First byte."""

    @property
    def width(self) -> int:
        """Bytes."""

    @property
    def label(self) -> str:
        """What it is."""

    @property
    def interval_ns(self) -> int:
        """Between two turns."""


class Running(ABC):
    """A thread that takes its turns at absolute deadlines.

    Attributes:
        number: Tells it from the others of an engine.
        place: What is written where.
        region: Where.
        before: What an undo puts back.
        writes: How often it has written.
        error: What ended it by itself; None while it runs or was stopped.
        title: What it is called in a refusal.

    Raises:
        ConflictError: The bytes are not as seen; nothing was written.
        OutOfRangeError, LockedError, ReadOnlyError, StorageError: It cannot be.
    """

    title: ClassVar[str]

    def __init__(
        self,
        number: int,
        journal: Journal,
        region: Region,
        place: Place,
        seen: Seen | None,
        *,
        first: bytes,
    ) -> None:
        fits(region, place.offset, place.width, self.title)
        may_write(journal, region)
        self.number = number
        self.place = place
        self.region = region
        self.before = region.read(place.offset, place.width)
        if seen is not None:
            check_seen_part(seen, place.offset, self.before, first)
        self.last = self.before
        self.writes = 0
        self.error: ScopeError | None = None
        self._journal = journal
        self._kept = journal.begin_signal(place.label, place.offset, self.before)
        self._times: deque[int] = deque(maxlen=_RATE_TURNS)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="test-signal", daemon=True)
        self._thread.start()

    @abstractmethod
    def turn(self) -> None:
        """Do what is due, by `put`. A ScopeError ends it."""

    def put(self, data: bytes) -> None:
        """Write these bytes."""
        self._journal.store_now(self.place.offset, data)
        self.last = data
        self.writes += 1

    def _run(self) -> None:
        due = time.monotonic_ns()
        interval_ns = self.place.interval_ns
        try:
            while not self._stop.is_set():
                self.turn()
                now = time.monotonic_ns()
                self._times.append(now)
                due = max(due + interval_ns, now - interval_ns)
                if due > now:
                    self._stop.wait((due - now) / 1e9)
        except ScopeError as error:
            self.error = error

    def covers(self, place: Place) -> bool:
        """Whether both write some of the same bytes."""
        own = self.place
        first, last = own.offset, own.offset + own.width
        return place.offset < last and first < place.offset + place.width

    @property
    def running(self) -> bool:
        """Whether it still goes on; what failed does not."""
        return self._thread.is_alive()

    @property
    def rate_hz(self) -> float:
        """Turns per second, as they really were."""
        times = list(self._times)
        span = times[-1] - times[0] if len(times) > 1 else 0
        return (len(times) - 1) * 1e9 / span if span and self.running else 0.0

    def stop(self) -> WriteRecord | None:
        """End it; one journal entry takes back all that it wrote."""
        self._stop.set()
        self._thread.join(2.0)
        try:
            if not self.writes:
                return None
            return self._journal.remember(
                self.place.label, self.place.offset, self.before, self.last
            )
        finally:
            self._journal.end_signal(self._kept)
