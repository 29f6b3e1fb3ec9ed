"""Intel HEX and Motorola S-records as bytes; each line's checksum is checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ..errors import ValueFormatError
from .hex_dumps import HexText

_INTEL: Final = re.compile(r":(?:[0-9a-f]{2}){5,260}", re.IGNORECASE)
_MOTOROLA: Final = re.compile(r"S[0-9](?:[0-9a-f]{2}){3,256}", re.IGNORECASE)
_DATA, _END, _SEGMENT, _START_SEGMENT, _LINEAR, _START = range(6)
# Bytes of the address in S0 to S9; those with data are S1, S2 and S3.
_ADDRESS_BYTES: Final = (2, 2, 3, 4, 0, 2, 3, 4, 3, 2)


@dataclass(frozen=True, slots=True)
class _Piece:
    at: int
    data: bytes


def parse_records(lines: list[str]) -> HexText | None:
    """The bytes of the records that these lines are, None when they are none.

    Raises:
        ValueFormatError: A line is damaged, or the records leave gaps.
    """
    words = [line.strip() for line in lines]
    if _INTEL.fullmatch(words[0]):
        return _joined(_intel(words), "Intel HEX")
    if _MOTOROLA.fullmatch(words[0]):
        return _joined(_motorola(words), "S-records")
    return None


def _joined(pieces: list[_Piece], form: str) -> HexText:
    pieces = [piece for piece in pieces if piece.data]
    if not pieces:
        raise ValueFormatError(f"These {form} lines hold no data.", "Copy the data lines, too.")
    for piece, following in pairwise(pieces):
        if piece.at + len(piece.data) != following.at:
            raise ValueFormatError(
                f"The {form} data at 0x{piece.at:X} and at 0x{following.at:X} are not adjacent.",
                "Take one part without a gap.",
            )
    return HexText(b"".join(piece.data for piece in pieces), form, len(pieces), pieces[0].at)


def _damaged(line: str, what: str) -> ValueFormatError:
    return ValueFormatError(f"{line[:24]!r} {what}.", "Copy whole lines.")


def _intel(lines: list[str]) -> list[_Piece]:
    pieces: list[_Piece] = []
    base = 0
    for line in lines:
        if not _INTEL.fullmatch(line):
            raise _damaged(line, "is no line of Intel HEX, as the others are")
        raw = bytes.fromhex(line[1:])
        data = raw[4:-1]
        if len(data) != raw[0]:
            raise _damaged(line, "is not as long as it says")
        if sum(raw) & 0xFF:
            raise _damaged(line, "has a wrong checksum")
        kind = raw[3]
        if kind == _DATA:
            pieces.append(_Piece(base + int.from_bytes(raw[1:3], "big"), data))
        elif kind in (_SEGMENT, _LINEAR) and len(data) == 2:
            base = int.from_bytes(data, "big") << (4 if kind == _SEGMENT else 16)
        elif kind == _END:
            break
        elif kind not in (_START, _START_SEGMENT):
            raise _damaged(line, "is a kind of record that is not known")
    return pieces


def _motorola(lines: list[str]) -> list[_Piece]:
    pieces: list[_Piece] = []
    for line in lines:
        if not _MOTOROLA.fullmatch(line):
            raise _damaged(line, "is no S-record, as the others are")
        kind, raw = int(line[1]), bytes.fromhex(line[2:])
        if len(raw) != raw[0] + 1:
            raise _damaged(line, "is not as long as it says")
        if sum(raw) & 0xFF != 0xFF:
            raise _damaged(line, "has a wrong checksum")
        width = _ADDRESS_BYTES[kind]
        if kind in (1, 2, 3):
            data = raw[1 + width : -1]
            pieces.append(_Piece(int.from_bytes(raw[1 : 1 + width], "big"), data))
    return pieces
