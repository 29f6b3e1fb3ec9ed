"""Typed values: what a person sees and types for some bytes.

Each ValueType decodes to short text (None when the bytes are too few or mean nothing) and
encodes text to bytes. Numbers are read from text as Python writes them (0x, 0b, _), too.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from app.core.errors import ValueFormatError

# [MS-DTYP] 2.3.3: FILETIME counts 100 ns since 1601-01-01; this many until 1970-01-01.
FILETIME_EPOCH: Final = 116_444_736_000_000_000
_UNIX: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Endian(Enum):
    """Byte order."""

    LITTLE = "little"
    BIG = "big"


_ORDER: Final = {Endian.LITTLE: "<", Endian.BIG: ">"}
Decode = Callable[[bytes, Endian], str | None]
Encode = Callable[[str, Endian], bytes]


@dataclass(frozen=True, slots=True)
class ValueType:
    """One way to read bytes.

    Attributes:
        name: Stable name (`u32`), as the command line takes it.
        label: Words for the inspector.
        size: Bytes; 0 when that depends on the bytes (UTF-8, LEB128).
        group: `integer`, `float`, `text`, `time`, `other`.
        endian_matters: Whether little and big differ.
        example: What one may type.
    """

    name: str
    label: str
    size: int
    group: str
    endian_matters: bool
    example: str
    _decode: Decode
    _encode: Encode

    def decode(self, data: bytes, endian: Endian = Endian.LITTLE) -> str | None:
        """The bytes at the head of `data` as text; None when they are too few or no such value."""
        if len(data) < max(1, self.size):
            return None
        try:
            return self._decode(data[: self.size] if self.size else data, endian)
        except (ValueError, OverflowError, struct.error, OSError):
            return None

    def encode(self, text: str, endian: Endian = Endian.LITTLE) -> bytes:
        """Text as bytes.

        Raises:
            ValueFormatError: Not such a value, or out of its range; the hint has an example.
        """
        try:
            return self._encode(text.strip() if self.group != "text" else text, endian)
        except ValueFormatError:
            raise
        except (ValueError, KeyError, OverflowError, struct.error, OSError) as error:
            raise ValueFormatError(
                f"{shorten(text)!r} is no {self.label}.", f"For example: {self.example}."
            ) from error


def shorten(text: str) -> str:
    """What a person typed, short enough for a sentence."""
    return text if len(text) <= 40 else f"{text[:39]}…"


# -- integers -------------------------------------------------------------------------------------


def parse_int(text: str) -> int:
    """An integer as people write it: 10, -3, 0x1F, 0b101, 1_000."""
    return int(text.replace("'", ""), 0 if not re.fullmatch(r"[+-]?0\d+", text) else 10)


def _integer(bits: int, *, signed: bool) -> ValueType:
    size = bits // 8
    low = -(1 << (bits - 1)) if signed else 0
    high = (1 << (bits - (1 if signed else 0))) - 1

    def decode(data: bytes, endian: Endian) -> str:
        return str(int.from_bytes(data, endian.value, signed=signed))

    def encode(text: str, endian: Endian) -> bytes:
        value = parse_int(text)
        if not low <= value <= high:
            raise ValueFormatError(
                f"{shorten(text)} does not fit {'i' if signed else 'u'}{bits}.",
                f"{low} to {high}.",
            )
        return value.to_bytes(size, endian.value, signed=signed)

    name = f"{'i' if signed else 'u'}{bits}"
    return ValueType(name, name, size, "integer", size > 1, "42 or 0x2A", decode, encode)


# -- floats ---------------------------------------------------------------------------------------


def _float(name: str, code: str) -> ValueType:
    size = struct.calcsize(code)

    def decode(data: bytes, endian: Endian) -> str:
        import numpy as np

        # numpy's own text is the shortest that reads back as the same bits, for each width.
        return str(np.frombuffer(data, _ORDER[endian] + code)[0])

    def encode(text: str, endian: Endian) -> bytes:
        return struct.pack(_ORDER[endian] + code, float(text))

    return ValueType(name, name, size, "float", True, "1.5, -2e4, nan, inf", decode, encode)


# -- bits, flags, text ---------------------------------------------------------------------------


def _decode_binary(data: bytes, _endian: Endian) -> str:
    return f"{data[0] >> 4:04b} {data[0] & 15:04b}"


def _encode_binary(text: str, _endian: Endian) -> bytes:
    value = int(text.replace(" ", "").removeprefix("0b"), 2)
    return bytes([value])


def _decode_bool(data: bytes, _endian: Endian) -> str | None:
    return {0: "false", 1: "true"}.get(data[0], f"true ({data[0]})")


def _encode_bool(text: str, _endian: Endian) -> bytes:
    values = {"false": 0, "0": 0, "no": 0, "true": 1, "1": 1, "yes": 1}
    other = re.fullmatch(r"true \((\d{1,3})\)", text.lower())  # as it is shown
    return bytes([int(other[1]) if other else values[text.lower()]])


def _decode_char(data: bytes, _endian: Endian) -> str | None:
    return f"'{chr(data[0])}'" if 32 <= data[0] < 127 else None


def _encode_char(text: str, _endian: Endian) -> bytes:
    if len(text) == 3 and text[0] == text[2] == "'":
        text = text[1]
    data = text.encode("ascii")
    if len(data) != 1:
        raise ValueFormatError(f"{shorten(text)!r} is not one character.", "For example: A.")
    return data


def _decode_utf8(data: bytes, _endian: Endian) -> str | None:
    for size in range(1, 5):
        try:
            text = data[:size].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return f"{text!r} U+{ord(text[0]):04X}" if len(text) == 1 else None
    return None


def _as_typed(text: str) -> str:
    """Text as a person typed it; `'ü' U+00FC`, as it is shown, is that one character."""
    if not text:
        raise ValueError(text)
    shown = re.fullmatch(r"'.{1,10}' U\+([0-9A-F]{4,6})", text) or re.fullmatch(
        r"\".{1,10}\" U\+([0-9A-F]{4,6})", text
    )
    return chr(int(shown[1], 16)) if shown else text


def _encode_utf8(text: str, _endian: Endian) -> bytes:
    return _as_typed(text).encode("utf-8")


def _decode_utf16(data: bytes, endian: Endian) -> str | None:
    codec = "utf-16-le" if endian is Endian.LITTLE else "utf-16-be"
    for size in (2, 4):
        try:
            text = data[:size].decode(codec)
        except UnicodeDecodeError:
            continue
        if len(data) >= size and len(text) == 1:
            return f"{text!r} U+{ord(text):04X}"
    return None


def _encode_utf16(text: str, endian: Endian) -> bytes:
    return _as_typed(text).encode("utf-16-le" if endian is Endian.LITTLE else "utf-16-be")


# -- times ---------------------------------------------------------------------------------------


def _show_time(count: int, per_second: int) -> str:
    seconds, rest = divmod(count, per_second)
    text = (_UNIX + dt.timedelta(seconds=seconds)).isoformat(" ").removesuffix("+00:00")
    digits = len(str(per_second)) - 1
    return f"{text}.{rest:0{digits}d}".rstrip("0") if rest else text


def _read_time(text: str, per_second: int) -> int:
    """Counts since 1970. The fraction is cut off here: datetime knows only microseconds."""
    match = re.fullmatch(r"(.*:\d\d)[.,](\d{1,9})(.*)", text)
    moment = dt.datetime.fromisoformat(match[1] + match[3] if match else text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    count = (moment - _UNIX) // dt.timedelta(seconds=1) * per_second
    return count + (int(match[2].ljust(9, "0")) * per_second // 10**9 if match else 0)


def _time(name: str, label: str, size: int, per_second: int, epoch: int = 0) -> ValueType:
    """`per_second` counts per second since 1970, after `epoch` counts."""

    def decode(data: bytes, endian: Endian) -> str | None:
        count = int.from_bytes(data, endian.value, signed=not epoch) - epoch
        return _show_time(count, per_second)

    def encode(text: str, endian: Endian) -> bytes:
        count = _read_time(text, per_second) + epoch
        return count.to_bytes(size, endian.value, signed=not epoch)

    return ValueType(name, label, size, "time", True, "2026-11-23 20:15:00", decode, encode)


def _decode_dos(data: bytes, endian: Endian) -> str | None:
    """FAT: time in the low word, date in the high one ([MS-DOS] DosDateTimeToFileTime)."""
    value = int.from_bytes(data, endian.value)
    time, date = value & 0xFFFF, value >> 16
    moment = dt.datetime(
        1980 + (date >> 9), date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, (time & 31) * 2
    )
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _encode_dos(text: str, endian: Endian) -> bytes:
    moment = dt.datetime.fromisoformat(text)
    if not 1980 <= moment.year <= 2107:
        raise ValueFormatError(f"{shorten(text)} does not fit a DOS time.", "1980 to 2107.")
    date = (moment.year - 1980) << 9 | moment.month << 5 | moment.day
    time = moment.hour << 11 | moment.minute << 5 | moment.second // 2
    return (date << 16 | time).to_bytes(4, endian.value)


# -- other ---------------------------------------------------------------------------------------


def _decode_guid(data: bytes, endian: Endian) -> str:
    value = uuid.UUID(bytes_le=data) if endian is Endian.LITTLE else uuid.UUID(bytes=data)
    return f"{{{value}}}"


def _encode_guid(text: str, endian: Endian) -> bytes:
    value = uuid.UUID(text)
    return value.bytes_le if endian is Endian.LITTLE else value.bytes


def _decode_uleb(data: bytes, _endian: Endian) -> str | None:
    value = 0
    for index, byte in enumerate(data[:10]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return f"{value} ({index + 1} B)"
    return None


def _encode_uleb(text: str, _endian: Endian) -> bytes:
    value = parse_int(text.split("(", maxsplit=1)[0].strip())
    if not 0 <= value < 1 << 70:
        raise ValueFormatError(f"{shorten(text)} does not fit unsigned LEB128.", "0 to 2^70 - 1.")
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _plain(
    name: str, label: str, size: int, group: str, example: str, decode: Decode, encode: Encode,
    *, endian_matters: bool = False,
) -> ValueType:  # fmt: skip
    return ValueType(name, label, size, group, endian_matters, example, decode, encode)


TYPES: Final[tuple[ValueType, ...]] = (
    _plain("bin", "binary", 1, "integer", "0100 0001", _decode_binary, _encode_binary),
    *(_integer(bits, signed=s) for bits in (8, 16, 24, 32, 48, 64) for s in (False, True)),
    _float("f16", "e"),
    _float("f32", "f"),
    _float("f64", "d"),
    _plain("bool", "bool", 1, "other", "true", _decode_bool, _encode_bool),
    _plain("char", "ASCII char", 1, "text", "A", _decode_char, _encode_char),
    _plain("utf8", "UTF-8 char", 0, "text", "ü", _decode_utf8, _encode_utf8),
    _plain("utf16", "UTF-16 char", 0, "text", "ü", _decode_utf16, _encode_utf16,
           endian_matters=True),
    _plain("uleb", "LEB128", 0, "integer", "300", _decode_uleb, _encode_uleb),
    _time("unix32", "Unix time", 4, 1),
    _time("unix64", "Unix time 64", 8, 1),
    _time("unixms", "Unix time ms", 8, 1000),
    _time("filetime", "FILETIME", 8, 10_000_000, FILETIME_EPOCH),
    _plain("dos", "DOS time", 4, "time", "2026-11-23 20:15:00", _decode_dos, _encode_dos,
           endian_matters=True),
    _plain("guid", "GUID", 16, "other", "{12345678-1234-5678-1234-567812345678}", _decode_guid,
           _encode_guid, endian_matters=True),
)  # fmt: skip


def type_named(name: str) -> ValueType:
    """The type with this name.

    Raises:
        ValueFormatError: There is none; the hint lists them.
    """
    for kind in TYPES:
        if kind.name == name.lower():
            return kind
    raise ValueFormatError(
        f"There is no type {shorten(name)!r}.", f"Types: {', '.join(kind.name for kind in TYPES)}."
    )


def number_bytes(value: float, name: str, endian: Endian) -> bytes:
    """A number as bytes of an integer or float type, wrapped to its width (test signals).

    Raises:
        ValueFormatError: The type holds no numbers.
    """
    kind = type_named(name)
    if kind.group == "float":
        code = _ORDER[endian] + {"f16": "e", "f32": "f", "f64": "d"}[kind.name]
        try:
            return struct.pack(code, value)
        except OverflowError as error:
            raise ValueFormatError(f"{value:g} does not fit {kind.name}.") from error
    if kind.group != "integer" or not kind.size or kind.name == "bin":
        raise ValueFormatError(f"{name} holds no numbers.", "Choose an integer or a float type.")
    if not math.isfinite(value):
        raise ValueFormatError(f"{value} is no integer.")
    return (int(value) & ((1 << 8 * kind.size) - 1)).to_bytes(kind.size, endian.value)
