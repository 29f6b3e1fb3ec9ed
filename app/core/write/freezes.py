"""Freezing: a value is written again whenever a peer has changed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..errors import ValueFormatError
from ..region.region import WIDTHS, Region
from .journal import Journal
from .patterns import MIN_INTERVAL_NS
from .record import FreezeState, Seen
from .running import Running

LONGEST: Final = 64  # bytes
LOOK_NS: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Freeze:
    """What is held.

    Attributes:
        offset: Where.
        data: The bytes, 1 to LONGEST.
        name: What they are (`u32`, `4 B`).
        interval_ns: Between two looks, at least MIN_INTERVAL_NS.

    Raises:
        ValueFormatError: There are none, or too many.
    """

    offset: int
    data: bytes
    name: str = ""
    interval_ns: int = LOOK_NS

    def __post_init__(self) -> None:
        if not 0 < len(self.data) <= LONGEST:
            raise ValueFormatError(
                f"{len(self.data)} bytes cannot be frozen.", f"1 to {LONGEST} bytes."
            )
        if self.interval_ns < MIN_INTERVAL_NS:
            raise ValueFormatError(
                f"An interval of {self.interval_ns / 1000:g} µs is too short.",
                f"At least {MIN_INTERVAL_NS / 1000:g} µs.",
            )

    @property
    def width(self) -> int:
        """Bytes."""
        return len(self.data)

    @property
    def label(self) -> str:
        """What it is."""
        return f"frozen {self.name or f'{self.width} B'}"


class Freezer(Running):
    """One frozen place: a thread that looks, and writes where a peer has written.

    Other bytes than the frozen ones are a fight; what a peer changed back between two looks is
    not seen.
    """

    title = "Freeze"

    def __init__(
        self,
        number: int,
        journal: Journal,
        region: Region,
        freeze: Freeze,
        seen: Seen | None = None,
    ) -> None:
        self.freeze = freeze
        self._looks = 0
        self._fights = 0
        self._theirs = b""
        super().__init__(number, journal, region, freeze, seen, first=freeze.data)

    def turn(self) -> None:
        """Look, and write if it has to be."""
        now = self._now()
        if now != self.freeze.data:
            if self._looks:
                self._fights += 1
                self._theirs = now
            self.before = now  # what an undo puts back is what the peer wrote last
            self.put(self.freeze.data)
        self._looks += 1

    def _now(self) -> bytes:
        """By one load where the place allows it, as its writer may store it by one."""
        offset, width = self.freeze.offset, self.freeze.width
        if width in WIDTHS and offset % width == 0:
            return self.region.load(offset, width).to_bytes(width, "little")
        return self.region.read(offset, width)

    def state(self) -> FreezeState:
        """How it goes."""
        return FreezeState(
            number=self.number,
            freeze=self.freeze,
            fights=self._fights,
            theirs=self._theirs,
            writes=self.writes,
            look_hz=self.rate_hz,
            error=self.error,
        )
