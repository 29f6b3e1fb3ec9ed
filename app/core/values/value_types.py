"""Typed values: what a person sees and types for some bytes, in the inspector's order."""

from __future__ import annotations

import math
import re
import struct
import uuid
from typing import Final

from ..errors import ValueFormatError
from .time_types import TIME_TYPES
from .value_type import Decode, Encode, Endian, ValueType, parse_int, shorten

# -- integers -------------------------------------------------------------------------------------


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
        return str(np.frombuffer(data, endian.mark + code)[0])

    def encode(text: str, endian: Endian) -> bytes:
        value = float(text)
        try:
            data = struct.pack(endian.mark + code, value)
        except OverflowError:
            data = b""
        # Python reads 1e400 as infinity, which nobody typed.
        if not data or (math.isinf(value) and "inf" not in text.lower()):
            raise ValueFormatError(f"{shorten(text)} does not fit {name}.", "inf is infinity.")
        return data

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
    name: str,
    label: str,
    size: int,
    group: str,
    example: str,
    decode: Decode,
    encode: Encode,
    *,
    endian_matters: bool = False,
) -> ValueType:
    return ValueType(name, label, size, group, endian_matters, example, decode, encode)


TYPES: Final[tuple[ValueType, ...]] = (
    _plain("bin", "binary", 1, "integer", "0100 0001", _decode_binary, _encode_binary),
    *(_integer(bits, signed=s) for bits in (8, 16, 24, 32, 48, 64) for s in (False, True)),
    _float("f16", "e"),
    _float("f32", "f"),
    _float("f64", "d"),
    _plain("bool", "bool", 1, "other", "true", _decode_bool, _encode_bool),
    _plain("char", "ASCII", 1, "text", "A", _decode_char, _encode_char),
    _plain("utf8", "UTF-8", 0, "text", "ü", _decode_utf8, _encode_utf8),
    _plain("utf16", "UTF-16", 0, "text", "ü", _decode_utf16, _encode_utf16, endian_matters=True),
    _plain("uleb", "LEB128", 0, "integer", "300", _decode_uleb, _encode_uleb),
    *TIME_TYPES,
    _plain(
        "guid",
        "GUID",
        16,
        "other",
        "{12345678-1234-5678-1234-567812345678}",
        _decode_guid,
        _encode_guid,
        endian_matters=True,
    ),
)


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


def number_of(kind: ValueType, data: bytes, endian: Endian) -> int | float | None:
    """The number at the head of `data`; None when they are too few or the type holds no numbers."""
    size = kind.size
    if kind.group not in ("integer", "float") or kind.name == "bin" or not 0 < size <= len(data):
        return None
    if kind.group == "float":
        code = endian.mark + {"f16": "e", "f32": "f", "f64": "d"}[kind.name]
        value: float = struct.unpack_from(code, data)[0]
        return value
    return int.from_bytes(data[:size], endian.value, signed=kind.name[0] == "i")


def number_bytes(value: float, name: str, endian: Endian) -> bytes:
    """A number as bytes of an integer or float type (test signals).

    Raises:
        ValueFormatError: The type holds no numbers, or not this one.
    """
    kind = type_named(name)
    if kind.group == "float":
        code = endian.mark + {"f16": "e", "f32": "f", "f64": "d"}[kind.name]
        try:
            return struct.pack(code, value)
        except OverflowError as error:
            raise ValueFormatError(f"{value:g} does not fit {kind.name}.") from error
    if kind.group != "integer" or not kind.size or kind.name == "bin":
        raise ValueFormatError(f"{name} holds no numbers.", "Choose an integer or a float type.")
    if not math.isfinite(value):
        raise ValueFormatError(f"{value} is no integer.")
    return kind.encode(str(int(value)), endian)
