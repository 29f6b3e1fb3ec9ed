"""Holding a lane: use the one that is there, or lay one and put the old bytes back at the end.

docs/lane.md, "Laying and taking away". Whoever lays a lane owes the bytes that were there; the
bytes lie on disk (saved_bytes.py) until they are back, and a later start puts back those of one
that crashed.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import xxhash

from ...errors import (
    DeletedError,
    LaneError,
    LaneVersionError,
    MemoryInUseError,
    RegionGoneError,
    ReplacedError,
    TruncatedError,
)
from ...protocols.known_content import identify
from ...region.region import Region
from ...values.units import format_short_offset
from .layout import CLOSING, IDENTITY_SIZE, OPEN, STATE_AT, WORD, ByteRange, Lane
from .placement import find_lanes, lane_at, place_lane
from .presence import SETTLE_S
from .restore import (
    LEAVE_S,
    STEP_S,
    RestoreOutcome,
    give_back,
    partially_written,
    still_there,
    write_lane,
)
from .saved_bytes import SavedBytes, saved_bytes_files

__all__ = [
    "BytesThere",
    "LaneLease",
    "RestoreOutcome",
    "acquire_lane",
    "bytes_there",
    "create_lane",
    "give_back",
    "still_there",
    "unrestored",
]

LOOK_S: Final = 0.25
LOOKS: Final = 5
_LOOK_BYTES: Final = 16 << 20
_CHUNK: Final = 64 << 10
_TRIES: Final = 3
Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class BytesThere:
    """What lies where a lane should go.

    Attributes:
        changing: Somebody changed it while we looked.
        empty: Nothing but zeros.
        responder: Whose it seems to be; empty when unknown.
    """

    changing: bool
    empty: bool
    responder: str = ""


def bytes_there(region: Region, span: ByteRange, sleep: Sleep = time.sleep) -> BytesThere:
    """Watch a span for a quarter of a second; of a long one, evenly spread parts."""
    first, empty = _digest(region, span)
    changing = False
    for _ in range(LOOKS - 1):
        sleep(LOOK_S / (LOOKS - 1))
        changing = changing or _digest(region, span)[0] != first
    content = None if empty and not changing else identify(region)
    return BytesThere(changing, empty, str(content) if content else "")


def _digest(region: Region, span: ByteRange) -> tuple[int, bool]:
    digest, empty = xxhash.xxh3_64(), True
    stride = _CHUNK * max(1, -(-span.length // _LOOK_BYTES))
    for low, high in region.extents(span.offset, span.end):
        for at in range(low, high, stride):
            chunk = region.read(at, min(_CHUNK, high - at))
            digest.update(chunk)
            empty = empty and not any(chunk)
    return digest.intdigest(), empty


class LaneLease:
    """A lane in use by this process; leave it by `close`, or as a context manager.

    Attributes:
        lane: The lane.
        saved: The bytes that we owe; None when it was laid by another.
        ending: What `close` came to.
    """

    def __init__(self, region: Region, lane: Lane, saved: SavedBytes | None) -> None:
        self.lane = lane
        self.saved = saved
        self.ending: RestoreOutcome | None = None
        self._region = region

    def close(self) -> RestoreOutcome:
        """Put back what is owed. Safe to call twice, and after the region went."""
        if self.ending is None:
            self.ending = self._close()
        return self.ending

    def _close(self) -> RestoreOutcome:
        if self.saved is None:
            return RestoreOutcome.NOTHING_OWED
        try:
            return give_back(self._region, self.saved)
        except RegionGoneError as error:
            if isinstance(error, TruncatedError | DeletedError | ReplacedError):
                self.saved.forget()  # its bytes went with it
            return RestoreOutcome.GONE  # what was only closed or unplugged may come back

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def acquire_lane(
    region: Region,
    offset: int | None = None,
    size: int | None = None,
    slots: int | None = None,
    *,
    force: bool = False,
    folder: Path | None = None,
    sleep: Sleep = time.sleep,
) -> LaneLease:
    """Use the lane that is there, or lay one.

    Args:
        region: Where; must be writable.
        offset: Where exactly; None is the first lane that is found, else the default place.
        size: Bytes of a new lane.
        slots: Slots of a new lane.
        force: Lay it even over bytes that somebody keeps changing.
        folder: Where saved bytes are kept; the state folder by default.
        sleep: How to wait; a caller may end the waiting by raising from it.

    Raises:
        ReadOnlyError, LaneError, MemoryInUseError, StorageError, RegionGoneError.
    """
    wanted = place_lane(region, offset, size, slots)
    lane = _existing(region, wanted, anywhere=offset is None, sleep=sleep)
    if lane is not None:
        return LaneLease(region, lane, _unrestored_of(region, lane, folder))
    for saved in unrestored(region, folder):
        if saved.header.lane.span.overlaps(wanted.span):
            give_back(region, saved)
    if not force:
        try:
            _refuse_busy(region, wanted.span, sleep)
        except MemoryInUseError:
            # What changes there may be a peer that lays the lane in this moment.
            lane = _existing(region, wanted, anywhere=offset is None, sleep=sleep)
            if lane is None:
                raise
            return LaneLease(region, lane, _unrestored_of(region, lane, folder))
    return create_lane(region, wanted, folder, sleep)


def _existing(region: Region, wanted: Lane, *, anywhere: bool, sleep: Sleep) -> Lane | None:
    for _ in range(int(2 * LEAVE_S / STEP_S)):
        lane = _sound(region, wanted, sleep, anywhere=anywhere)
        if lane is None or region.load(lane.offset + STATE_AT, WORD) != CLOSING:
            return lane
        sleep(STEP_S)  # its layer is about to take it away
    return _sound(region, wanted, sleep, anywhere=anywhere)


def _sound(region: Region, wanted: Lane, sleep: Sleep, *, anywhere: bool) -> Lane | None:
    if not anywhere:
        with contextlib.suppress(LaneError):
            return lane_at(region, wanted.offset)
    trouble: LaneVersionError | None = None
    overlapping: list[Lane] = []

    def cancelled() -> bool:
        sleep(0)  # raises when the caller ends the waiting; a large region takes seconds
        return False

    for found in find_lanes(region, cancelled):
        if isinstance(found, LaneVersionError):
            trouble = found
        elif isinstance(found, Lane):
            if anywhere:
                return found
            overlapping.append(found)
    if trouble is not None and anywhere:
        raise trouble
    # Raises when a lane that is there would be laid over.
    place_lane(region, wanted.offset, wanted.size, wanted.slots, others=tuple(overlapping))
    return None


def _unrestored_of(region: Region, lane: Lane, folder: Path | None) -> SavedBytes | None:
    for saved in unrestored(region, folder):
        if saved.header.token == lane.token and (ours := saved.adopt()) is not None:
            # Its layer may have been killed while it waited for the others to leave.
            region.store(lane.offset + STATE_AT, WORD, OPEN)
            return ours
    return None


def unrestored(region: Region, folder: Path | None = None) -> list[SavedBytes]:
    """Bytes of this region that a program which crashed did not put back; see `give_back`."""
    return [saved for saved in saved_bytes_files(folder) if saved.header.belongs_to(region.info)]


def _refuse_busy(region: Region, span: ByteRange, sleep: Sleep) -> None:
    there = bytes_there(region, span, sleep)
    if there.changing:
        who = (
            f"it seems to be {there.responder}"
            if there.responder
            else "nobody knows whose they are"
        )
        raise MemoryInUseError(
            f"The bytes at {format_short_offset(span.offset)} keep changing; {who}."
        )


def create_lane(
    region: Region, lane: Lane, folder: Path | None = None, sleep: Sleep = time.sleep
) -> LaneLease:
    """Save what is there, then lay the lane; its magic comes last.

    Raises:
        StorageError: The old bytes cannot be kept; nothing was written.
        LaneError: Another laid one at the same moment that does not agree.
    """
    saved = None
    for _ in range(_TRIES):
        before = region.read(lane.offset, IDENTITY_SIZE)
        quicker = _quicker(region, lane, sleep)
        if quicker is not None:
            return LaneLease(region, quicker, None)
        saved = SavedBytes.save(region, lane, folder)
        if region.read(lane.offset, IDENTITY_SIZE) == before:
            break
        saved.forget()  # what was saved may be half a lane
        saved = None
    if saved is None:
        raise LaneError("Others keep changing the place of the lane.", "Try again.")
    began = time.monotonic()
    try:
        write_lane(region, lane)
        sleep(SETTLE_S)
        now = lane_at(region, lane.offset)
    except BaseException:
        with contextlib.suppress(LaneError, RegionGoneError):
            give_back(region, saved)
        raise
    if now.token != lane.token:  # another was later, and owes the bytes
        # One that waited for us in vain saved our head with them: then ours are still needed.
        if time.monotonic() - began < LEAVE_S / 2:
            saved.forget()
        return LaneLease(region, now, None)
    return LaneLease(region, lane, saved)


def _quicker(region: Region, lane: Lane, sleep: Sleep) -> Lane | None:
    """The lane that another laid there meanwhile; one that is half laid is waited for."""
    for _ in range(int(LEAVE_S / STEP_S)):
        if partially_written(region, lane.offset) is None:
            break
        sleep(STEP_S)
    try:
        return lane_at(region, lane.offset)
    except LaneError:
        return None
