"""The lane's layout: the place of each word, and parsing of any bytes as a Lane or a LaneError.

A lane is a head page and a number of slots. A slot is occupied by one peer, its responder, which
answers in it; another peer takes its initiator side to measure. Each side writes only its own eight
lines and its own half of the data area, so that no word ever has two writers. docs/lane.md is the
whole protocol; it uses the same names.
"""

from __future__ import annotations

import secrets
import struct
import zlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from ...errors import LaneError, LanePlaceError, LaneVersionError
from ...values.units import format_short_offset, format_size

MAGIC: Final = b"IVSCLANE"
MAJOR: Final = 1
MINOR: Final = 0
ALIGN: Final = 4096  # of a lane, a slot and a data half; a scan reads page starts only
LINE: Final = 128  # two cache lines: the prefetcher fetches them in pairs
WORD: Final = 8
HEAD_SIZE: Final = 4096
CONTROL_SIZE: Final = 4096
SIDE_SIZE: Final = 8 * LINE
MIN_STRIDE: Final = CONTROL_SIZE + 2 * ALIGN
MIN_SIZE: Final = HEAD_SIZE + MIN_STRIDE
MAX_SLOTS: Final = 64
STATE_AT: Final = 2 * LINE
OPEN: Final = 0
CLOSING: Final = 1
_TEXT: Final = b"IVSHMEM Scope measures here for the moment (lane, version 1). See docs/lane.md."
_HEAD: Final = struct.Struct("<8s7Q")  # magic, major, minor, size, slots, stride, token, check
IDENTITY_SIZE: Final = _HEAD.size


def new_token() -> int:
    """A random number other than 0 that identifies a peer or a lane."""
    return secrets.randbits(63) | 1


class Side(IntEnum):
    """The two sides of a slot; each is written by one peer."""

    RESPONDER = 0
    INITIATOR = 1

    @property
    def other(self) -> Side:
        """The peer's side."""
        return Side.INITIATOR if self is Side.RESPONDER else Side.RESPONDER


class Line(IntEnum):
    """The eight lines of a side, 128 bytes each."""

    PRESENCE = 0
    NAME = 1
    COMMAND = 2  # the initiator's request, the responder's reply
    ECHO = 3  # ping by the initiator, pong by the responder
    SEND = 4  # the ring that this side fills: how far it is filled
    TAKE = 5  # the other side's ring: how far it is emptied
    FLASH = 6
    SPARE = 7


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A range of the region."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """First byte behind it."""
        return self.offset + self.length

    def overlaps(self, other: ByteRange) -> bool:
        """Whether they share a byte."""
        return self.offset < other.end and other.offset < self.end


@dataclass(frozen=True, slots=True)
class Slot:
    """One peer's place; all offsets count from the region's start.

    Attributes:
        index: Its number in the lane.
        offset: Where it begins.
        stride: Bytes, control page and data together.
    """

    index: int
    offset: int
    stride: int

    def line(self, side: Side, line: Line) -> int:
        """Offset of a line."""
        return self.offset + side * SIDE_SIZE + line * LINE

    def word(self, side: Side, line: Line, index: int) -> int:
        """Offset of one 8-byte word of a line."""
        return self.line(side, line) + index * WORD

    def side(self, side: Side) -> ByteRange:
        """All lines of a side."""
        return ByteRange(self.offset + side * SIDE_SIZE, SIDE_SIZE)

    @property
    def control(self) -> ByteRange:
        """The control page."""
        return ByteRange(self.offset, CONTROL_SIZE)

    def data(self, side: Side) -> ByteRange:
        """The half that this side writes; the initiator's comes first."""
        half = (self.stride - CONTROL_SIZE) // 2 // ALIGN * ALIGN
        first = self.offset + CONTROL_SIZE
        return ByteRange(first if side is Side.INITIATOR else first + half, half)


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane that is, or can be created, in a region.

    Attributes:
        offset: Where, a multiple of 4096.
        size: Bytes, head and slots.
        slots: How many peers can have a place.
        token: Random, chosen by the creator, never 0; distinguishes this lane from a later one.
        minor: The creator's minor version; a newer one adds words in reserved places only.
    """

    offset: int
    size: int
    slots: int = 1
    token: int = field(default_factory=new_token)
    minor: int = MINOR

    @property
    def span(self) -> ByteRange:
        """The whole lane."""
        return ByteRange(self.offset, self.size)

    @property
    def head(self) -> ByteRange:
        """The head page."""
        return ByteRange(self.offset, HEAD_SIZE)

    @property
    def stride(self) -> int:
        """Bytes from slot to slot."""
        return (self.size - HEAD_SIZE) // self.slots // ALIGN * ALIGN

    def slot(self, index: int) -> Slot:
        """A slot by its number.

        Raises:
            LanePlaceError: There is none of that number.
        """
        if not 0 <= index < self.slots:
            raise LanePlaceError(
                f"The lane at {format_short_offset(self.offset)} has no slot {index}.",
                f"It has {self.slots}, counted from 0.",
            )
        return Slot(index, self.offset + HEAD_SIZE + index * self.stride, self.stride)

    def all_slots(self) -> list[Slot]:
        """Every slot."""
        return [self.slot(index) for index in range(self.slots)]


def check_geometry(size: int, slots: int) -> None:
    """Whether a lane of that size can have so many slots.

    Raises:
        LanePlaceError: It cannot.
    """
    if not 1 <= slots <= MAX_SLOTS:
        raise LanePlaceError(
            f"A lane cannot have {slots} slots.", f"1 to {MAX_SLOTS} are possible."
        )
    least = HEAD_SIZE + slots * MIN_STRIDE
    if size < least:
        plural = "s" if slots > 1 else ""
        raise LanePlaceError(
            f"{format_size(size)} are too small for a lane of {slots} slot{plural}.",
            f"Give it {format_size(least)} or more.",
        )


def build_head(lane: Lane) -> bytes:
    """The first three lines of the head: identity, a text for people, the state."""
    check_geometry(lane.size, lane.slots)
    identity = _identity(lane.minor, lane.size, lane.slots, lane.stride, lane.token)
    return identity.ljust(LINE, b"\0") + _TEXT.ljust(LINE, b"\0") + bytes(LINE)


def _identity(minor: int, size: int, slots: int, stride: int, token: int) -> bytes:
    body = _HEAD.pack(MAGIC, MAJOR, minor, size, slots, stride, token, 0)[:-WORD]
    return body + zlib.crc32(body).to_bytes(WORD, "little")


def parse_head(data: bytes, offset: int) -> Lane:
    """The lane whose head these bytes are.

    Args:
        data: At least 64 bytes from the lane's start; may be anything.
        offset: Where they are in the region.

    Raises:
        LaneVersionError: A lane of another major version.
        LaneError: No lane, or a damaged one.
    """
    at = format_short_offset(offset)
    if len(data) < _HEAD.size or data[: len(MAGIC)] != MAGIC:
        raise LaneError(f"There is no lane at {at}.")
    _, major, minor, size, slots, stride, token, check = _HEAD.unpack_from(data)
    if zlib.crc32(data[: _HEAD.size - WORD]) != check:
        raise LaneError(
            f"The lane at {at} is damaged: its check word does not fit.",
            "Something else wrote over it. Lay it anew, or choose another place.",
        )
    if major != MAJOR:
        raise LaneVersionError(
            f"The lane at {at} is of version {major}.{minor}; this program speaks {MAJOR}.",
            "Use the same version of IVSHMEM Scope on both sides.",
        )
    lane = Lane(offset, size, slots, token, minor) if 1 <= slots <= MAX_SLOTS and token else None
    if lane is None or size < HEAD_SIZE + slots * MIN_STRIDE or lane.stride != stride:
        raise LaneError(f"The lane at {at} contradicts itself.", "Lay it anew.")
    return lane
