"""Requests of an initiator and replies of a responder: one COMMAND line each, with a check word.

A line whose check word does not fit (half written, overwritten) is ignored. The number says which
request a reply belongs to. The addressee is the token of the peer that it is meant for, so that
a restarted peer ignores a message for the one before it.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

VALUES: Final = 12
_LINE: Final = struct.Struct(f"<3Q{VALUES}QQ")


class Command(IntEnum):
    """What an initiator can request. Numbers never change; 16 and more are free for experiments."""

    STOP = 0  # end the running test
    ECHO = 1  # latency.py, echo.py
    TRANSFER = 2
    FLASH = 3


class Status(IntEnum):
    """What a responder answers."""

    IDLE = 0
    RUNNING = 1  # the initiator may begin
    DONE = 2  # ended; the values are its result
    REFUSED = 3  # values[0] is a Refusal


class Refusal(IntEnum):
    """Why a request was refused."""

    UNKNOWN = 0
    NOT_ABLE = 1  # no such test mode here
    PARAMETER = 2  # values[1] is the number of the parameter
    NO_MAPPING = 3
    BUSY = 4
    FAILED = 5
    NO_DOORBELL = 6

    @property
    def sentence(self) -> str:
        """The reply in one sentence."""
        return _REFUSALS[self]


_REFUSALS: Final = {
    Refusal.UNKNOWN: "it gave no reason that this version knows",
    Refusal.NOT_ABLE: "it does not know this test",
    Refusal.PARAMETER: "a parameter does not fit the lane",
    Refusal.NO_MAPPING: "it has no direct mapping of the memory",
    Refusal.BUSY: "it is busy with another test",
    Refusal.FAILED: "the test failed on its side",
    Refusal.NO_DOORBELL: "one of the two has no doorbell",
}


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a reply.

    Attributes:
        number: Which request; never 0.
        code: A Command in requests, a Status in replies; any number from another program.
        addressee: Token of the peer that it is meant for.
        values: Parameters or results, twelve unsigned 64-bit numbers.
    """

    number: int
    code: int
    addressee: int
    values: tuple[int, ...] = ()

    def value(self, index: int) -> int:
        """A value; 0 where none was given."""
        return self.values[index] if index < len(self.values) else 0


def build_message(message: Message) -> bytes:
    """The 128 bytes of the line."""
    values = (*message.values, *(0,) * (VALUES - len(message.values)))
    line = _LINE.pack(message.number, message.code, message.addressee, *values, 0)
    return line[:-8] + _check(line).to_bytes(8, "little")


def parse_message(line: bytes) -> Message | None:
    """The message in these bytes; None when there is none, or its check does not fit."""
    if len(line) < _LINE.size:
        return None
    number, code, addressee, *values, check = _LINE.unpack_from(line)
    if not number or check != _check(line):
        return None
    return Message(number, code, addressee, tuple(values))


def refusal_of(reply: Message) -> Refusal:
    """Why a REFUSED reply refuses; UNKNOWN for numbers of a newer version."""
    try:
        return Refusal(reply.value(0))
    except ValueError:
        return Refusal.UNKNOWN


def _check(line: bytes) -> int:
    return zlib.crc32(line[: _LINE.size - 8]) | 1 << 32
