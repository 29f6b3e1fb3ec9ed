"""Holding a lane: use the one that is there, or create one and restore the old bytes at the end.

docs/lane.md, "Creating and removing a lane". The process that creates a lane must restore the bytes
that were there. They are kept on disk (saved_bytes.py) until that is done, and a later start of the
program restores those that a crashed process left.
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
from ..run_context import Sleep
from .layout import CLOSING, IDENTITY_SIZE, OPEN, STATE_AT, WORD, ByteRange, Lane
from .placement import claimed_ranges, find_lanes, free_place, lane_at, place_lane
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

LOOK_S: Final = 1.0
"""Seconds of looking before bytes are called idle: heartbeats beat four times in it."""
HOLE_LOOK_S: Final = 0.25  # a hole in the file: nothing was ever written there
LOOKS: Final = 9
_LOOK_BYTES: Final = 16 << 20
_CHUNK: Final = 64 << 10
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class BytesThere:
    """What is in the range where a lane shall be created.

    Attributes:
        changing: It changed while it was watched.
        empty: Nothing but zeros.
        responder: The program that seems to use it; empty when unknown.
    """

    changing: bool
    empty: bool
    responder: str = ""


def bytes_there(region: Region, span: ByteRange, sleep: Sleep = time.sleep) -> BytesThere:
    """Watch a span, of a long one evenly spread parts: for LOOK_S, shortly where it is a hole."""
    first, empty = _digest(region, span)
    step_s = (LOOK_S if region.extents(span.offset, span.end) else HOLE_LOOK_S) / (LOOKS - 1)
    changing = False
    for _ in range(LOOKS - 1):
        if not changing:
            sleep(step_s)
            changing = _digest(region, span)[0] != first
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
        saved: The bytes to restore; None when another process created the lane.
        ending: The result of `close`; None before.
        on_ending: Called with None when `close` has to wait for a silent peer, and with its result.
    """

    def __init__(self, region: Region, lane: Lane, saved: SavedBytes | None) -> None:
        self.lane = lane
        self.saved = saved
        self.ending: RestoreOutcome | None = None
        self.on_ending: Callable[[RestoreOutcome | None], None] = lambda _ending: None
        self._region = region

    def close(self) -> RestoreOutcome:
        """Restore the saved bytes. Safe to call twice, and after the region is gone."""
        if self.ending is None:
            self.ending = self._close()
            self.on_ending(self.ending)
        return self.ending

    def _close(self) -> RestoreOutcome:
        if self.saved is None:
            return RestoreOutcome.NOTHING_OWED
        try:
            ending = give_back(self._region, self.saved, lambda: self.on_ending(None))
            if ending is not RestoreOutcome.RESTORED:
                self.saved.release()
            return ending
        except RegionGoneError as error:
            if isinstance(error, TruncatedError | DeletedError | ReplacedError):
                self.saved.forget()  # the file that they belong to is gone
            else:
                self.saved.release()
            return RestoreOutcome.GONE  # a device that was closed or unplugged may come back

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
    """Use the lane that is there, or create one.

    Args:
        region: Where; must be writable.
        offset: Where exactly; None is the first lane that is found, else the default place.
        size: Bytes of a new lane.
        slots: Slots of a new lane.
        force: Create it even over bytes that keep changing.
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
    if offset is None:
        wanted = _default_place(region, wanted, force=force)
    elif not force:
        _refuse_claimed(region, wanted.span)
    if not force:
        try:
            _refuse_busy(region, wanted.span, sleep)
        except MemoryInUseError:
            # The changes may come from a peer that is creating the lane right now.
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
        sleep(STEP_S)  # its creator is about to remove it
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
    # Raises when the new lane would overlap an existing one.
    place_lane(region, wanted.offset, wanted.size, wanted.slots, others=tuple(overlapping))
    return None


def _unrestored_of(region: Region, lane: Lane, folder: Path | None) -> SavedBytes | None:
    for saved in unrestored(region, folder):
        if saved.header.token == lane.token and (ours := saved.adopt()) is not None:
            # Its creator may have been killed while it waited for the others to leave.
            region.store(lane.offset + STATE_AT, WORD, OPEN)
            return ours
    return None


def unrestored(region: Region, folder: Path | None = None) -> list[SavedBytes]:
    """Saved bytes of this region that a crashed process did not restore; see `give_back`."""
    return [saved for saved in saved_bytes_files(folder) if saved.header.belongs_to(region.info)]


def _default_place(region: Region, wanted: Lane, *, force: bool) -> Lane:
    try:
        return free_place(region, wanted)
    except MemoryInUseError:
        if not force:
            raise
        return wanted


def _refuse_claimed(region: Region, span: ByteRange) -> None:
    for claim, content in claimed_ranges(region):
        if span.overlaps(claim):
            raise MemoryInUseError(
                f"A lane at {format_short_offset(span.offset)} would lie over what {content} "
                "may write."
            )


def _refuse_busy(region: Region, span: ByteRange, sleep: Sleep) -> None:
    there = bytes_there(region, span, sleep)
    if there.changing:
        who = (
            f"it seems to be {there.responder}"
            if there.responder
            else "it is not known which program does it"
        )
        raise MemoryInUseError(
            f"The bytes at {format_short_offset(span.offset)} keep changing; {who}."
        )


def create_lane(
    region: Region, lane: Lane, folder: Path | None = None, sleep: Sleep = time.sleep
) -> LaneLease:
    """Save what is there, then write the lane; its magic comes last.

    Raises:
        StorageError: The old bytes cannot be kept; nothing was written.
        LaneError: Another process creates one that overlaps it at the same time.
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
        saved.forget()  # what was saved may contain a partially written lane
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
    if now.token != lane.token:  # another process wrote its lane later, and restores the bytes
        # If it gave up waiting for us, it saved our head among them: then our copy is still needed.
        if time.monotonic() - began < LEAVE_S / 2:
            saved.forget()
        return LaneLease(region, now, None)
    return LaneLease(region, lane, saved)


def _quicker(region: Region, lane: Lane, sleep: Sleep) -> Lane | None:
    """The lane that another process created there meanwhile; a partial one is waited for."""
    for _ in range(int(LEAVE_S / STEP_S)):
        if partially_written(region, lane.offset) is None:
            break
        sleep(STEP_S)
    try:
        return lane_at(region, lane.offset)
    except LaneError:
        return None
