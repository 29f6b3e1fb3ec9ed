"""CRCs of any polynomial up to 64 bits, at the speed of numpy.

The parameters are those of the usual catalogue: width, poly (without its highest bit, as it is
written for an unreflected register), init, refin, refout, xorout; `check` is the CRC of
`123456789`.

A long piece is cut into lanes of equal length that numpy walks side by side; a CRC is linear, so
that the lanes are joined by what so many zero bytes do to a register.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import ValueFormatError

U64 = npt.NDArray[np.uint64]
_LANE: Final = 512  # bytes
_LEAST_LANES: Final = 8
_MASK: Final = (1 << 64) - 1
_EIGHT: Final = np.uint64(8)
_TOP: Final = np.uint64(56)
_BYTE: Final = np.uint64(0xFF)
_WORD: Final = re.compile(r"(\w+)\s*=\s*(\w+)")
_EXAMPLE: Final = "width=16 poly=0x1021 init=0xFFFF refin=no refout=no xorout=0"


@dataclass(frozen=True, slots=True)
class CrcModel:
    """One CRC.

    Attributes:
        width: Bits, 1 to 64.
        poly: Polynomial without its highest bit.
        init: What the register begins with, as for an unreflected one.
        refin: Whether each byte enters with its lowest bit first.
        refout: Whether the register is turned round before xorout.
        xorout: What the register is combined with at the end.

    Raises:
        ValueFormatError: A number does not fit the width.
    """

    width: int
    poly: int
    init: int = 0
    refin: bool = False
    refout: bool = False
    xorout: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.width <= 64:
            raise ValueFormatError(f"A CRC of {self.width} bits.", "1 to 64 bits.")
        for name in ("poly", "init", "xorout"):
            value = getattr(self, name)
            if not 0 <= value < 1 << self.width:
                raise ValueFormatError(
                    f"{name} 0x{value:X} does not fit {self.width} bits.", _EXAMPLE
                )

    @property
    def text(self) -> str:
        """Its parameters, as parse_model reads them."""
        yes = {True: "yes", False: "no"}
        return (
            f"width={self.width} poly=0x{self.poly:X} init=0x{self.init:X} "
            f"refin={yes[self.refin]} refout={yes[self.refout]} xorout=0x{self.xorout:X}"
        )

    def format(self, value: int) -> str:
        """A CRC of it as hex, as wide as it is."""
        return f"{value:0{-(-self.width // 4)}X}"


# Names and parameters as in the catalogue of parametrised CRCs.
NAMED: Final[dict[str, CrcModel]] = {
    "CRC-8/SMBUS": CrcModel(8, 0x07),
    "CRC-8/MAXIM-DOW": CrcModel(8, 0x31, 0, True, True, 0),
    "CRC-16/CCITT-FALSE": CrcModel(16, 0x1021, 0xFFFF),
    "CRC-16/KERMIT": CrcModel(16, 0x1021, 0, True, True, 0),
    "CRC-16/XMODEM": CrcModel(16, 0x1021),
    "CRC-16/X-25": CrcModel(16, 0x1021, 0xFFFF, True, True, 0xFFFF),
    "CRC-16/ARC": CrcModel(16, 0x8005, 0, True, True, 0),
    "CRC-16/MODBUS": CrcModel(16, 0x8005, 0xFFFF, True, True, 0),
    "CRC-16/USB": CrcModel(16, 0x8005, 0xFFFF, True, True, 0xFFFF),
    "CRC-24/OPENPGP": CrcModel(24, 0x864CFB, 0xB704CE),
    "CRC-32C": CrcModel(32, 0x1EDC6F41, 0xFFFFFFFF, True, True, 0xFFFFFFFF),
    "CRC-32/BZIP2": CrcModel(32, 0x04C11DB7, 0xFFFFFFFF, False, False, 0xFFFFFFFF),
    "CRC-32/MPEG-2": CrcModel(32, 0x04C11DB7, 0xFFFFFFFF),
    "CRC-32/CKSUM": CrcModel(32, 0x04C11DB7, 0, False, False, 0xFFFFFFFF),
    "CRC-32/ISO-HDLC": CrcModel(32, 0x04C11DB7, 0xFFFFFFFF, True, True, 0xFFFFFFFF),
    "CRC-64/ECMA-182": CrcModel(64, 0x42F0E1EBA9EA3693),
    "CRC-64/XZ": CrcModel(64, 0x42F0E1EBA9EA3693, _MASK, True, True, _MASK),
}


def parse_model(text: str) -> CrcModel:
    """A name of NAMED, or parameters as `width=16 poly=0x1021 ...`; what is left out is 0 or no.

    Raises:
        ValueFormatError: It is neither.
    """
    text = text.strip()
    for name, model in NAMED.items():
        if name.lower() == text.lower():
            return model
    words = dict(_WORD.findall(text.lower()))
    known = {"width", "poly", "init", "refin", "refout", "xorout"}
    rest = re.sub(r"[\s,;]+", "", _WORD.sub("", text))
    if rest or not {"width", "poly"} <= set(words) or not set(words) <= known:
        raise ValueFormatError(f"{text[:60]!r} describes no CRC.", f"For example: {_EXAMPLE}.")
    try:
        width, poly, init, xorout = (
            int(words.get(name, "0"), 0) for name in ("width", "poly", "init", "xorout")
        )
        refin, refout = (_YES[words.get(name, "no")] for name in ("refin", "refout"))
    except (ValueError, KeyError) as error:
        raise ValueFormatError(f"{text[:60]!r} describes no CRC.", f"{_EXAMPLE}.") from error
    return CrcModel(width, poly, init, refin, refout, xorout)


_YES: Final = {
    "yes": True, "true": True, "1": True, "on": True,
    "no": False, "false": False, "0": False, "off": False,
}  # fmt: skip


def _reversed(value: int, width: int) -> int:
    return int(f"{value:0{width}b}"[::-1], 2)


class Crc:
    """A CRC that is fed piece by piece."""

    def __init__(self, model: CrcModel) -> None:
        self._model = model
        self._table = _table(model.width, model.poly, model.refin)
        self._plain = _plain_table(model.width, model.poly, model.refin)
        width = model.width
        # A register that is not reflected stands at the upper end of the 64 bits.
        self._state = _reversed(model.init, width) if model.refin else model.init << (64 - width)

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Take more bytes."""
        view = memoryview(data).cast("B")
        lanes = len(view) // _LANE
        if lanes >= _LEAST_LANES:
            self._walk_lanes(np.frombuffer(view[: lanes * _LANE], np.uint8).reshape(lanes, _LANE))
            view = view[lanes * _LANE :]
        state, table = self._state, self._plain
        if self._model.refin:
            for byte in view:
                state = table[(state ^ byte) & 0xFF] ^ state >> 8
        else:
            for byte in view:
                state = table[state >> 56 ^ byte] ^ state << 8 & _MASK
        self._state = state

    def _walk_lanes(self, lanes: npt.NDArray[np.uint8]) -> None:
        """One byte of every lane at a time; in place, since this takes most of the time."""
        columns = np.ascontiguousarray(lanes.T)
        states = np.zeros(len(lanes), np.dtype("<u8"))
        states[0] = self._state
        reflected = self._model.refin
        leaving = states.view(np.uint8)[0 if reflected else 7 :: 8]
        shift = np.right_shift if reflected else np.left_shift
        index, found = np.empty(len(lanes), np.uint8), np.empty(len(lanes), np.uint64)
        for column in columns:
            np.bitwise_xor(leaving, column, out=index)
            np.take(self._table, index, out=found, mode="clip")  # "raise" would copy once more
            shift(states, _EIGHT, out=states)
            np.bitwise_xor(states, found, out=states)
        self._state = self._joined(states)

    def _joined(self, states: U64) -> int:
        """The register behind all lanes, from those behind each of them."""
        model = self._model
        tables = _lane_of_zeros(model.width, model.poly, model.refin)
        state = 0
        for following in states.tolist():
            moved = 0
            for number, table in enumerate(tables):
                moved ^= table[state >> 8 * number & 0xFF]
            state = moved ^ following
        return state

    @property
    def value(self) -> int:
        """The CRC of what was taken so far."""
        model = self._model
        register = self._state if model.refin else self._state >> (64 - model.width)
        if model.refin != model.refout:
            register = _reversed(register, model.width)
        return register ^ model.xorout


def crc_of(data: bytes, model: CrcModel) -> int:
    """The CRC of some bytes."""
    made = Crc(model)
    made.update(data)
    return made.value


@cache
def _plain_table(width: int, poly: int, reflected: bool) -> tuple[int, ...]:
    return tuple(int(entry) for entry in _table(width, poly, reflected))


@cache
def _table(width: int, poly: int, reflected: bool) -> U64:
    """What each byte does to an empty register."""
    out = np.zeros(256, np.uint64)
    if reflected:
        turned = _reversed(poly, width)
        for byte in range(256):
            state = byte
            for _ in range(8):
                state = state >> 1 ^ (turned if state & 1 else 0)
            out[byte] = state
        return out
    shifted, top = poly << (64 - width), 1 << 63
    for byte in range(256):
        state = byte << 56
        for _ in range(8):
            state = (state << 1 ^ (shifted if state & top else 0)) & _MASK
        out[byte] = state
    return out


@cache
def _lane_of_zeros(width: int, poly: int, reflected: bool) -> tuple[tuple[int, ...], ...]:
    """What a lane of zero bytes does to a register, by each of the register's eight bytes."""
    table = _table(width, poly, reflected)
    states = np.uint64(1) << np.arange(64, dtype=np.uint64)
    for _ in range(_LANE):
        if reflected:
            states = table[(states & _BYTE).astype(np.uint8)] ^ states >> _EIGHT
        else:
            states = table[(states >> _TOP).astype(np.uint8)] ^ states << _EIGHT
    bits = [int(state) for state in states]
    tables = []
    for number in range(8):
        one = [0] * 256
        for byte in range(1, 256):
            low = byte & -byte
            one[byte] = one[byte ^ low] ^ bits[8 * number + low.bit_length() - 1]
        tables.append(tuple(one))
    return tuple(tables)
