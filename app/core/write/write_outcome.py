"""The outcome of a write where a peer may write at the same time."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import ConflictError, MisalignedError, ScopeError, ValueFormatError
from ..region.region import WIDTHS, Region
from ..values.units import format_short_offset
from .record import Seen, WriteOutcome

SHOWN = 64


def read_back_outcome(region: Region, offset: int, old: bytes, new: bytes) -> WriteOutcome:
    """How many of the bytes that were to change are there now: all, some, none."""
    try:
        now = region.read(offset, len(new))
    except ScopeError:  # gone; a single store was made or not, a copy may have stopped anywhere
        return WriteOutcome.NONE if len(new) in WIDTHS else WriteOutcome.PART
    if now == new:
        return WriteOutcome.WHOLE
    import numpy as np

    asked = np.frombuffer(new, np.uint8)
    changed = asked != np.frombuffer(old, np.uint8)
    there = np.frombuffer(now, np.uint8) == asked
    return WriteOutcome.PART if (there & changed).any() else WriteOutcome.NONE


def combined_outcome(landed: Iterable[WriteOutcome]) -> WriteOutcome:
    """The outcome of a write in chunks."""
    kinds = set(landed)
    return kinds.pop() if len(kinds) == 1 else WriteOutcome.PART


def check_unchanged_since_write(region: Region, offset: int, left: bytes, wanted: bytes) -> None:
    """Compare before an undo or redo: the bytes must still be as our write left them.

    Bytes that already are as wanted are accepted too; an undo that ended half way leaves some.

    Raises:
        ConflictError: Some byte is neither as we left it nor as wanted.
    """
    now = region.read(offset, len(left))
    if now == left:
        return
    import numpy as np

    here = np.frombuffer(now, np.uint8)
    newer = here != np.frombuffer(left, np.uint8)
    newer &= here != np.frombuffer(wanted, np.uint8)
    if newer.any():
        at = int(newer.argmax()) // 16 * 16 if len(left) > SHOWN else 0
        part = slice(at, at + SHOWN)
        raise ConflictError(
            f"{_bytes(int(newer.sum()))} at {format_short_offset(offset + at)} changed since you "
            "wrote there.",
            offset=offset + at,
            seen=left[part],
            now=now[part],
            mine=wanted[part],
        )


def check_unchanged_since_seen(offset: int, seen: bytes, now: bytes, mine: bytes) -> None:
    """Raise ConflictError unless the bytes are as they were seen; of many it shows the first."""
    if now != seen:
        differs = [at for at, (a, b) in enumerate(zip(seen, now, strict=False)) if a != b]
        count = len(differs) + abs(len(seen) - len(now))
        at = differs[0] // 16 * 16 if differs and len(seen) > SHOWN else 0
        part = slice(at, at + SHOWN) if len(seen) > SHOWN else slice(None)
        raise ConflictError(
            f"{_bytes(count)} at {format_short_offset(offset + at)} changed since this was shown.",
            offset=offset + at,
            seen=seen[part],
            now=now[part],
            mine=mine[part],
        )


def check_seen_part(seen: Seen, offset: int, now: bytes, mine: bytes) -> None:
    """As check_unchanged_since_seen, where only a part of the range at `offset` was seen."""
    part = slice(seen.offset - offset, seen.offset - offset + len(seen.data))
    check_unchanged_since_seen(seen.offset, seen.data, now[part], mine[part])


def check_seen(seen: bytes | Seen | None, offset: int, now: bytes, mine: bytes) -> None:
    """As check_unchanged_since_seen; what was not seen at all is not compared."""
    if isinstance(seen, Seen):
        check_seen_part(seen, offset, now, mine)
    elif seen is not None:
        check_unchanged_since_seen(offset, seen, now, mine)


def check_fits(offset: int, data: bytes, width: int | None) -> None:
    """Raise ValueFormatError or MisalignedError unless the data is one store of this width."""
    if not data:
        raise ValueFormatError("There is nothing to write.")
    if width is None:
        return
    if width != len(data):
        raise ValueFormatError(f"{len(data)} bytes are no single store of {width} bytes.")
    if width not in WIDTHS or offset % width:
        raise MisalignedError(
            f"A store of {width} bytes at {format_short_offset(offset)} is not aligned; "
            "nothing was written."
        )


def _bytes(count: int) -> str:
    return "1 byte" if count == 1 else f"{count} bytes"
