"""HdrHistogram's `.hlog` files, which its plotters and wrk2's tools read.

The format is HdrHistogram's "V2 compressed" (org.HdrHistogram.AbstractHistogram,
encodeIntoCompressedByteBuffer): counts as ZigZag LEB128, runs of zeros as one negative number,
zlib, base64. The PyPI package does the same, 60 times slower at recording than our buckets, so it
serves the tests, which read these files with it.
"""

from __future__ import annotations

import base64
import struct
import time
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from .histogram import MAX_VALUE, Histogram

_DIGITS: Final = 3
_COOKIE: Final = 0x1C849303 | 0x10
_COMPRESSED: Final = 0x1C849304 | 0x10
_HEADER: Final = struct.Struct(">iiiiqqd")
_NS_IN_MAX_UNIT: Final = 1_000_000  # the column Interval_Max is in milliseconds


def hdr_log(
    histograms: Iterable[tuple[str, Histogram]], started_s: float, duration_s: float, remark: str
) -> str:
    """The text of a `.hlog` file: one line for each named histogram, the name as its tag.

    The remark is a comment to all readers; for people it holds what the buckets cannot.
    """
    began = time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(started_s))
    lines = [
        "#[Histogram log format version 1.3]",
        f"#[{remark}]",
        f"#[StartTime: {started_s:.3f} (seconds since epoch), {began}]",
        '"StartTimestamp","Interval_Length","Interval_Max","HdrHistogram_Compressed_Data"',
    ]
    for name, histogram in histograms:
        most = histogram.most / _NS_IN_MAX_UNIT
        data = base64.b64encode(encode(histogram)).decode("ascii")
        lines.append(f"Tag={name},0.000,{duration_s:.3f},{most:.3f},{data}")
    return "\n".join(lines) + "\n"


def encode(histogram: Histogram) -> bytes:
    """One histogram, V2 compressed."""
    counts = b"".join(_zigzag(number) for number in _runs(histogram))
    header = _HEADER.pack(_COOKIE, len(counts), 0, _DIGITS, 1, MAX_VALUE, 1.0)
    packed = zlib.compress(header + counts)
    return struct.pack(">ii", _COMPRESSED, len(packed)) + packed


def _runs(histogram: Histogram) -> Iterator[int]:
    """Counts in order up to the last in use, each run of zeros as its negative length."""
    at = 0
    for bucket in np.flatnonzero(histogram.counts).tolist():
        if bucket > at:
            yield at - bucket
        yield int(histogram.counts[bucket])
        at = bucket + 1


def _zigzag(number: int) -> bytes:
    value = (number << 1) ^ (number >> 63)
    out = bytearray()
    while len(out) < 8 and value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
