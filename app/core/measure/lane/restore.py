"""Writing a lane over other bytes, and restoring those.

A process can be killed between any two of these writes. The lane's identity without the magic is
written first and removed last: as long as it is there, the saved bytes can still be restored, and
restoring them again does no harm.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import Final

from ...errors import LaneError
from ...region.region import Region
from .layout import (
    CLOSING,
    HEAD_SIZE,
    IDENTITY_SIZE,
    LINE,
    MAGIC,
    OPEN,
    STATE_AT,
    WORD,
    ByteRange,
    Lane,
    Line,
    Side,
    Slot,
    build_head,
    parse_head,
)
from .peer_card import TOUCHED_WORD
from .placement import lane_at
from .presence import GONE_NS, SETTLE_S, SILENT_NS, PeerWatch
from .saved_bytes import SavedBytes

LEAVE_S: Final = 1.0
_PATIENCE_S: Final = (GONE_NS + SILENT_NS) / 1e9
STEP_S: Final = 0.05


class RestoreOutcome(Enum):
    """What became of the bytes that were there before."""

    NOTHING_OWED = "the lane was another's"
    RESTORED = "the bytes are as they were before"
    KEPT = "a peer still uses the lane; the old bytes stay on disk and are put back later"
    CHANGED = "the lane was written over; the old bytes stay on disk and were not put back"
    GONE = "the region is gone; nothing could be put back"


# -- creating -------------------------------------------------------------------------------------


def write_lane(region: Region, lane: Lane) -> None:
    """Write the lane; the bytes there must have been saved."""
    head = build_head(lane)
    region.write(lane.offset, bytes(WORD) + head[WORD:IDENTITY_SIZE])
    for slot in lane.all_slots():
        region.write(slot.control.offset, bytes(slot.control.length))
    region.write(lane.offset + IDENTITY_SIZE, head[IDENTITY_SIZE:])
    region.write(lane.offset + 3 * LINE, bytes(HEAD_SIZE - 3 * LINE))
    region.store(lane.offset, WORD, int.from_bytes(MAGIC, "little"))


def partially_written(region: Region, offset: int) -> Lane | None:
    """A lane that is being created or removed here: all of its head but the magic."""
    identity = region.read(offset, IDENTITY_SIZE)
    try:
        return parse_head(MAGIC + identity[WORD:], offset) if not any(identity[:WORD]) else None
    except LaneError:
        return None


# -- giving back ----------------------------------------------------------------------------------


def _nobody_looks() -> None:
    """The default callback: does nothing."""


def give_back(
    region: Region, saved: SavedBytes, on_wait: Callable[[], None] = _nobody_looks
) -> RestoreOutcome:
    """Remove the lane and restore the old bytes, if it is still ours and no peer uses it.

    Args:
        region: Where.
        saved: The lane and its old bytes.
        on_wait: Called once when a silent peer makes it last seconds.

    Raises:
        RegionGoneError: The region is gone.
        StorageError: The saved bytes cannot be read.
    """
    lane, data = saved.header.lane, saved.data()
    if still_there(region, lane):
        region.store(lane.offset + STATE_AT, WORD, CLOSING)
        if _somebody_stays(region, lane, on_wait):
            region.store(lane.offset + STATE_AT, WORD, OPEN)
            return RestoreOutcome.KEPT
        if not still_there(region, lane):
            return RestoreOutcome.CHANGED
    elif (half := partially_written(region, lane.offset)) is None or half.token != lane.token:
        if not _as_before(region, lane, data):
            return RestoreOutcome.CHANGED
        saved.forget()  # a process was killed before its first write, or after the last
        return RestoreOutcome.RESTORED
    region.store(lane.offset, WORD, 0)
    for slot in lane.all_slots():
        _give_back_slot(region, lane, slot, data)
    region.write(lane.offset + IDENTITY_SIZE, data[IDENTITY_SIZE:HEAD_SIZE])
    region.write(lane.offset, data[:IDENTITY_SIZE])
    saved.forget()
    return RestoreOutcome.RESTORED


def still_there(region: Region, lane: Lane) -> bool:
    """Whether this lane is still there, and not a later or a damaged one."""
    try:
        return lane_at(region, lane.offset).token == lane.token
    except LaneError:
        return False


def _as_before(region: Region, lane: Lane, data: bytes) -> bool:
    """Whether all bytes are as they were saved."""
    first = region.read(lane.offset, IDENTITY_SIZE)
    return first == data[:IDENTITY_SIZE] and region.read(lane.offset, lane.size) == data


def _somebody_stays(region: Region, lane: Lane, on_wait: Callable[[], None]) -> bool:
    """Wait for the other peers to leave; True when one that is alive did not.

    A silent peer is waited for until it is gone: it may be frozen in the middle of a loop, and
    would write for a moment after it runs again, before it reads that the lane is closing.
    """
    watches = [PeerWatch(region, slot, side) for slot in lane.all_slots() for side in Side]
    # A peer that read the state as open right before has stored its token by then.
    time.sleep(SETTLE_S)
    for step in range(int(_PATIENCE_S / STEP_S)):
        peers = [watch.poll() for watch in watches]
        alive = step * STEP_S >= LEAVE_S and any(peer.alive for peer in peers)
        if alive or not any(peer.taken for peer in peers):
            return alive
        if step == int(LEAVE_S / STEP_S):
            on_wait()
        time.sleep(STEP_S)
    return False


def _give_back_slot(region: Region, lane: Lane, slot: Slot, data: bytes) -> None:
    """Restore a slot: the data that its sides announced as written, then the control page."""
    page = _saved(data, lane, slot.control)
    if region.read(slot.control.offset, slot.control.length) == page:
        return  # an earlier process restored this far, and was killed
    for side in Side:
        half = slot.data(side)
        touched = region.load(slot.word(side, Line.PRESENCE, TOUCHED_WORD), WORD)
        span = ByteRange(half.offset, min(half.length, touched))
        region.write(span.offset, _saved(data, lane, span))
    region.write(slot.control.offset, page)


def _saved(data: bytes, lane: Lane, span: ByteRange) -> bytes:
    return data[span.offset - lane.offset : span.end - lane.offset]
