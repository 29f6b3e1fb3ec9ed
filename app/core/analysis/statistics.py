"""Statistics and checksums of bytes that come piece by piece."""

from __future__ import annotations

import hashlib
import math
import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64

from ..values.value_type import Endian
from .crc import NAMED, Crc, CrcModel
from .numbers import Numbers, numbers_of, size_of

I64 = npt.NDArray[np.int64]
DEFAULT_CRC: Final = NAMED["CRC-16/CCITT-FALSE"]
_LOW: Final = 0xFFFF_FFFF
_BY_PAIRS: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a range.

    Attributes:
        kind: Numeric value type of sum, min, max and mean, by name.
        endian: Its byte order.
        crc: The CRC beside CRC-32.
    """

    kind: str = "u8"
    endian: Endian = Endian.LITTLE
    crc: CrcModel = DEFAULT_CRC


@dataclass(frozen=True, slots=True)
class Values:
    """A range as numbers of one type.

    Attributes:
        count: Whole values.
        rest: Bytes behind the last whole one.
        numbers: Values that are numbers and finite; the following four are of them.
        total: Their sum; exact for integers.
        least, greatest: None when there are none.
        mean: None when there are none.
    """

    count: int
    rest: int
    numbers: int
    total: float
    least: float | None
    greatest: float | None
    mean: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """What is known of a range of bytes.

    Attributes:
        length: Bytes.
        values: As numbers of the type that was asked for.
        histogram: (256,) how often each byte occurs.
        entropy: Bits per byte, 0 to 8.
        crc32: CRC-32/ISO-HDLC, that of zlib and Ethernet.
        crc: The CRC that was asked for.
        xxh3: XXH3, 64 bits, without a seed.
        md5, sha1, sha256: As hex.
    """

    length: int
    values: Values
    histogram: I64
    entropy: float
    crc32: int
    crc: int
    xxh3: int
    md5: str
    sha1: str
    sha256: str


class _ValueSums:
    """Sums over values whose bytes come in pieces that need not hold whole ones."""

    def __init__(self, kind: str, endian: Endian) -> None:
        self._kind, self._endian, self._size = kind, endian, size_of(kind)
        self._rest = np.zeros(0, np.uint8)
        self._count = self._numbers = self._total = 0
        self._sums: list[float] = []
        self._least: float | None = None
        self._greatest: float | None = None

    def update(self, piece: npt.NDArray[np.uint8]) -> None:
        if len(self._rest):
            piece = np.concatenate((self._rest, piece))
        whole = len(piece) // self._size * self._size
        self._rest = piece[whole:].copy()
        values = numbers_of(piece[:whole], self._kind, self._endian)
        self._count += len(values)
        if values.dtype.kind == "f":
            values = values[np.isfinite(values)]
            self._sums.append(float(values.sum()))
        else:
            self._total += _exact_sum(values)
        self._numbers += len(values)
        if len(values):
            least, greatest = values.min().item(), values.max().item()
            self._least = least if self._least is None else min(self._least, least)
            self._greatest = greatest if self._greatest is None else max(self._greatest, greatest)

    def done(self) -> Values:
        total = math.fsum(self._sums) if self._kind.startswith("f") else self._total
        return Values(
            count=self._count,
            rest=len(self._rest),
            numbers=self._numbers,
            total=total,
            least=self._least,
            greatest=self._greatest,
            mean=total / self._numbers if self._numbers else None,
        )


def _exact_sum(values: Numbers) -> int:
    """64-bit sums would wrap: the halves are added apart."""
    if values.dtype.itemsize < 8:
        return int(values.sum(dtype=np.int64))
    low = values & values.dtype.type(_LOW)
    high = values >> values.dtype.type(32)
    return (int(high.sum()) << 32) + int(low.sum())


class Collector:
    """Takes bytes in order and knows their statistics."""

    def __init__(self, wanted: Wanted) -> None:
        self._length = 0
        self._values = _ValueSums(wanted.kind, wanted.endian)
        self._histogram: I64 = np.zeros(256, np.int64)
        self._crc32 = 0
        self._crc = Crc(wanted.crc)
        self._xxh3 = xxh3_64()
        # For comparing bytes, as their authors do, and not for safety.
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        self._sha256 = hashlib.sha256()

    def update(self, piece: npt.NDArray[np.uint8]) -> None:
        """Take the next bytes: uint8, contiguous."""
        self._length += len(piece)
        self._values.update(piece)
        self._histogram += histogram_of(piece)
        view = piece.data
        self._crc32 = zlib.crc32(view, self._crc32)
        self._crc.update(view)
        for digest in (self._xxh3, self._md5, self._sha1, self._sha256):
            digest.update(view)

    def done(self) -> Statistics:
        """Of all that was taken."""
        return Statistics(
            length=self._length,
            values=self._values.done(),
            histogram=self._histogram,
            entropy=entropy(self._histogram),
            crc32=self._crc32,
            crc=self._crc.value,
            xxh3=self._xxh3.intdigest(),
            md5=self._md5.hexdigest(),
            sha1=self._sha1.hexdigest(),
            sha256=self._sha256.hexdigest(),
        )


def histogram_of(piece: npt.NDArray[np.uint8]) -> I64:
    """How often each byte occurs; of many bytes by pairs, which takes half the time."""
    if len(piece) < _BY_PAIRS:
        return np.bincount(piece, minlength=256)
    even = len(piece) // 2 * 2
    pairs = np.bincount(piece[:even].view(np.uint16), minlength=1 << 16).reshape(256, 256)
    found: I64 = pairs.sum(axis=0) + pairs.sum(axis=1)
    return found + np.bincount(piece[even:], minlength=256)


def entropy(histogram: I64) -> float:
    """Shannon's entropy of bytes that occur so often, in bits per byte."""
    total = int(histogram.sum())
    if not total:
        return 0.0
    share = histogram[histogram > 0] / total
    return abs(float(-(share * np.log2(share)).sum()))
