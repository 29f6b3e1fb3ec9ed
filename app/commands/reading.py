"""`dump`, `read`, `save`: bytes out of a region, for people and for pipes."""

from __future__ import annotations

import argparse
from typing import Any

from app.commands.common import (
    OK,
    ProgressLine,
    add_device,
    binary_out,
    length_of,
    never_cancelled,
    note,
    offset_of,
    opened,
    say,
    say_json,
)
from app.core import write_tools
from app.core.copy_formats import hexdump
from app.core.region import Region
from app.core.units import format_size
from app.core.values import Endian, type_named

_CHUNK = 64 << 10


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
    parser.add_argument("--count", type=int, default=1, help="how many values of that type")
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
        start = offset_of(options.start, region)
        default = str(max(0, min(256, region.size - start)))
        length = length_of(options.length or default, region, start)
        region.read(start, 0)
        if options.json:
            say_json({"offset_bytes": start, "hex": region.read(start, length).hex()})
            return OK
        for at in range(start, start + length, _CHUNK):
            data = region.read(at, min(_CHUNK, start + length - at))
            say(hexdump(data, at))
    return OK


def run_read(options: argparse.Namespace) -> int:
    """Write raw bytes or typed values."""
    with opened(options) as region:
        start = offset_of(options.start, region)
        if options.type:
            return _read_values(options, region, start)
        length = length_of(options.length, region, start)
        if options.json:
            say_json({"offset_bytes": start, "hex": region.read(start, length).hex()})
            return OK
        _copy_out(region, start, length)
    return OK


def _read_values(options: argparse.Namespace, region: Region, start: int) -> int:
    kind = type_named(options.type)
    endian = Endian.BIG if options.big else Endian.LITTLE
    step = kind.size or 16
    values = []
    for index in range(options.count):
        at = start + index * step
        data = region.read(at, min(step, max(0, region.size - at)) if not kind.size else step)
        values.append(kind.decode(data, endian))
    if options.json:
        say_json({"offset_bytes": start, "type": options.type, "values": values})
    else:
        for value in values:
            say("-" if value is None else value)
    return OK


def _copy_out(region: Region, start: int, length: int) -> None:
    out = binary_out()
    region.read(start, 0)
    at, end = start, start + length
    while at < end:
        data = region.read(at, min(_CHUNK, end - at))
        out.write(data)
        at += len(data)
    out.flush()


def run_save(options: argparse.Namespace) -> int:
    """Save a range."""
    with opened(options) as region:
        start = offset_of(options.start, region)
        length = length_of(options.length, region, start)
        if options.file == "-":
            _copy_out(region, start, length)
            return OK
        saved = write_tools.save_file(
            region, options.file, start, length,
            progress=ProgressLine("Saving"), cancelled=never_cancelled,
        )  # fmt: skip
    if options.json:
        say_json({"file": options.file, "saved_bytes": saved})
    else:
        note(f"Saved {format_size(saved)} to {options.file}.")
    return OK
