"""`dump`, `read`, `save`: bytes out of a region, for people and for pipes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ..core.errors import CancelledError
from ..core.region.region import Region
from ..core.storage.pipes import own_stream
from ..core.values.export_formats import hexdump
from ..core.values.units import format_size
from ..core.values.value_type import Endian
from ..core.values.value_types import type_named
from ..core.write import bulk_writes
from .common import (
    OK,
    add_device,
    binary_out,
    bytes_for_json,
    note,
    offset_of,
    opened,
    positive,
    range_of,
    say,
    say_json,
)
from .interrupts import InterruptGuard
from .progress_line import ProgressLine

_CHUNK: Final = 64 << 10
_DUMPED: Final = 256
# A type without a size of its own (LEB128, UTF-8) is never longer.
_LONGEST_VALUE: Final = 16


def add_dump(verbs: Any) -> None:
    """Declare `dump`."""
    parser = verbs.add_parser("dump", help="print bytes as hex and text")
    add_device(parser)
    parser.add_argument("start", nargs="?", default="0", help="offset (64, 0x40, end-16)")
    parser.add_argument("length", nargs="?", default=None, help="bytes (256, 4K); default 256")
    parser.set_defaults(run=run_dump)


def add_read(verbs: Any) -> None:
    """Declare `read`."""
    parser = verbs.add_parser("read", help="write raw bytes to standard output, or typed values")
    add_device(parser)
    parser.add_argument("start", help="offset (64, 0x40, end-16)")
    parser.add_argument("length", nargs="?", default=None, help="bytes; default the rest")
    parser.add_argument("--type", help="decode as u8, i16, u32, f64, ... instead")
    parser.add_argument(
        "--count",
        type=positive(int, "whole number"),
        default=1,
        metavar="N",
        help="how many values of that type",
    )
    parser.add_argument("--big", action="store_true", help="big endian")
    parser.set_defaults(run=run_read)


def add_save(verbs: Any) -> None:
    """Declare `save`."""
    parser = verbs.add_parser("save", help="save a range to a file, or to standard output (-)")
    add_device(parser)
    parser.add_argument("file", help="file to write, - for standard output")
    parser.add_argument("--start", default="0", help="offset")
    parser.add_argument("--length", default=None, help="bytes; default the rest")
    parser.set_defaults(run=run_save)


def run_dump(options: argparse.Namespace) -> int:
    """Print a hex dump."""
    with opened(options) as region:
        start, length = range_of(region, options.start, options.length, _DUMPED)
        if options.json:
            return _say_hex(region, start, length)
        for at in range(start, start + length, _CHUNK):
            data = region.read(at, min(_CHUNK, start + length - at))
            for line in hexdump(data, at).splitlines():
                say(line)
    return OK


def run_read(options: argparse.Namespace) -> int:
    """Write raw bytes or typed values."""
    with opened(options) as region:
        if options.type is not None:
            return _read_values(options, region)
        start, length = range_of(region, options.start, options.length)
        if options.json:
            return _say_hex(region, start, length)
        _copy_out(region, start, length)
    return OK


def _say_hex(region: Region, start: int, length: int) -> int:
    say_json({"offset_bytes": start, "hex": bytes_for_json(region, start, length)})
    return OK


def _read_values(options: argparse.Namespace, region: Region) -> int:
    kind = type_named(options.type)
    endian = Endian.BIG if options.big else Endian.LITTLE
    start = offset_of(options.start, region)
    step = kind.size or _LONGEST_VALUE
    if kind.size:
        region.read(start + (options.count - 1) * step, step)  # all of them, or none
    values = []
    for index in range(options.count):
        at = start + index * step
        room = step if kind.size else min(step, max(0, region.size - at))
        value = kind.decode(region.read(at, room), endian)
        if options.json:
            values.append(value)
        else:
            say("-" if value is None else value)
    if options.json:
        say_json({"offset_bytes": start, "type": options.type, "values": values})
    return OK


def _copy_out(region: Region, start: int, length: int) -> None:
    out = binary_out()
    for at in range(start, start + length, _CHUNK):
        out.write(region.read(at, min(_CHUNK, start + length - at)))
    out.flush()


def run_save(options: argparse.Namespace) -> int:
    """Save a range."""
    with opened(options) as region:
        start, length = range_of(region, options.start, options.length)
        if options.file == "-":
            _copy_out(region, start, length)
            return OK
        saved = _save(region, options.file, start, length)
    if options.json:
        say_json({"file": options.file, "saved_bytes": saved})
    else:
        note(f"Saved {format_size(saved)} to {options.file}.")
    return OK


def _save(region: Region, file: str, start: int, length: int) -> int:
    def save(cancelled: Callable[[], bool]) -> int:
        with ProgressLine("Saving") as progress:
            return bulk_writes.save_file(
                region, file, start, length, progress=progress, cancelled=cancelled
            )

    target = Path(file)
    replaced = not target.exists() or (target.is_file() and own_stream(target.stat()) is None)
    # Between two chunks only, so that no half-saved copy is left in the folder.
    with InterruptGuard() as guard:
        try:
            return save(guard.cancelled)
        except CancelledError:
            what = f"{file} is as it was" if replaced else f"{file} has got a part"
            raise CancelledError(f"Saving was stopped; {what}.") from None
