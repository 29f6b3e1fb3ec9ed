"""`write`, `fill`, `load`: bytes into a region, compared where asked, reported as they landed."""

from __future__ import annotations

import argparse
import sys
import tempfile
from typing import Any

from app.commands.common import (
    FAILED,
    OK,
    ProgressLine,
    add_device,
    journalled,
    length_of,
    never_cancelled,
    note,
    offset_of,
    say_json,
)
from app.core import write_tools
from app.core.errors import ValueFormatError
from app.core.messages import Landed, WriteRecord
from app.core.patterns import (
    BytePattern,
    IncrementPattern,
    Pattern,
    RandomPattern,
    SequencePattern,
    TextPattern,
    parse_hex,
)
from app.core.units import format_short_offset, format_size
from app.core.values import Endian, type_named


def add_write(verbs: Any) -> None:
    """Declare `write`."""
    parser = verbs.add_parser("write", help="write hex bytes, text, a typed value or stdin (-)")
    add_device(parser)
    parser.add_argument("start", help="offset (64, 0x40, end-16)")
    parser.add_argument("data", help="hex bytes (`DE AD`); text or a value with the options; -")
    parser.add_argument("--text", action="store_true", help="data is UTF-8 text")
    parser.add_argument("--type", help="data is a value of this type: u8, i16, u32, f64, ...")
    parser.add_argument("--big", action="store_true", help="big endian")
    parser.add_argument("--expect", metavar="HEX", help="write only if these bytes are there now")
    parser.set_defaults(run=run_write)


def add_fill(verbs: Any) -> None:
    """Declare `fill`."""
    parser = verbs.add_parser("fill", help="fill a range with a pattern")
    add_device(parser)
    parser.add_argument("start", help="offset")
    parser.add_argument("length", help="bytes (256, 4K)")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--byte", help="one byte: 0, 0xFF")
    which.add_argument("--hex", help="a sequence of hex bytes, repeated")
    which.add_argument("--text", help="text, repeated")
    which.add_argument("--increment", type=int, metavar="STEP", help="0, STEP, 2 STEP, ...")
    which.add_argument("--random", type=int, metavar="SEED", help="random bytes from a seed")
    parser.add_argument("--width", type=int, choices=(1, 2, 4, 8), default=1)
    parser.add_argument("--big", action="store_true", help="big endian increments")
    parser.set_defaults(run=run_fill)


def add_load(verbs: Any) -> None:
    """Declare `load`."""
    parser = verbs.add_parser("load", help="copy a file, or standard input (-), into the region")
    add_device(parser)
    parser.add_argument("file", help="file to load, - for standard input")
    parser.add_argument("--start", default="0", help="offset in the region")
    parser.add_argument("--length", type=int, help="bytes; default the whole file")
    parser.set_defaults(run=run_load)


def _report(options: argparse.Namespace, record: WriteRecord) -> int:
    if options.json:
        say_json({
            "offset_bytes": record.offset, "length_bytes": record.length, "old": record.old,
            "new": record.new, "landed": record.landed,
        })  # fmt: skip
    else:
        where = f"{format_size(record.length)} at {format_short_offset(record.offset)}"
        note(f"{where}: {record.landed.value}.")
    return OK if record.landed is Landed.WHOLE else FAILED


def _data(options: argparse.Namespace) -> bytes:
    if options.data == "-":
        return sys.stdin.buffer.read()
    if options.text:
        return str(options.data).encode()
    if options.type:
        endian = Endian.BIG if options.big else Endian.LITTLE
        return type_named(options.type).encode(options.data, endian)
    return parse_hex(options.data)


def run_write(options: argparse.Namespace) -> int:
    """Write some bytes."""
    data = _data(options)
    expect = parse_hex(options.expect) if options.expect else None
    if expect is not None and len(expect) != len(data):
        raise ValueFormatError(
            f"--expect has {len(expect)} bytes, but {len(data)} are to be written."
        )
    with journalled(options) as (region, journal):
        start = offset_of(options.start, region)
        return _report(options, journal.write(start, data, seen=expect, label="command line"))


def _pattern(options: argparse.Namespace) -> Pattern:
    if options.byte is not None:
        value = int(options.byte, 0)
        if not 0 <= value <= 255:
            raise ValueFormatError(f"{options.byte} is no byte.", "0 to 255, or 0x00 to 0xFF.")
        return BytePattern(value)
    if options.hex is not None:
        return SequencePattern(parse_hex(options.hex))
    if options.text is not None:
        return TextPattern(options.text, "utf-8")
    if options.random is not None:
        return RandomPattern(options.random)
    endian = Endian.BIG if options.big else Endian.LITTLE
    return IncrementPattern(0, options.increment, options.width, endian)


def run_fill(options: argparse.Namespace) -> int:
    """Fill a range."""
    pattern = _pattern(options)
    with journalled(options) as (region, journal):
        start = offset_of(options.start, region)
        length = length_of(options.length, region, start)
        return _report(options, write_tools.fill(
            journal, region, start, length, pattern,
            progress=ProgressLine("Filling"), cancelled=never_cancelled,
        ))  # fmt: skip


def run_load(options: argparse.Namespace) -> int:
    """Load a file."""
    with journalled(options) as (region, journal), tempfile.NamedTemporaryFile() as spool:
        path = options.file
        if path == "-":
            while chunk := sys.stdin.buffer.read(1 << 20):
                spool.write(chunk)
            spool.flush()
            path = spool.name
        start = offset_of(options.start, region)
        return _report(options, write_tools.load_file(
            journal, region, path, start, options.length, 0,
            progress=ProgressLine("Loading"), cancelled=never_cancelled,
        ))  # fmt: skip
