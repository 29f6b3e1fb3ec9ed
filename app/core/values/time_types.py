"""Types of value that are moments: counts since an epoch, and what FAT keeps."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from ..errors import ValueFormatError
from .value_type import Endian, ValueType, shorten

# [MS-DTYP] 2.3.3: FILETIME counts 100 ns since 1601-01-01; this many until 1970-01-01.
_FILETIME_EPOCH: Final = 116_444_736_000_000_000
_UNIX: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


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


TIME_TYPES: Final = (
    _time("unix32", "Unix time", 4, 1),
    _time("unix64", "Unix 64", 8, 1),
    _time("unixms", "Unix ms", 8, 1000),
    _time("filetime", "FILETIME", 8, 10_000_000, _FILETIME_EPOCH),
    ValueType("dos", "DOS time", 4, "time", True, "2026-11-23 20:15:00", _decode_dos, _encode_dos),
)
