"""`write`, `fill`, `load`: write bytes into a region, compare first if wanted, report."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from ..core.errors import (
    ExpressionError,
    OutOfRangeError,
    StorageError,
    UnsuitableError,
    ValueFormatError,
)
from ..core.region.region import Region
from ..core.storage.os_errors import lacks_space, meaning
from ..core.storage.pipes import open_source
from ..core.values.expressions import evaluate
from ..core.values.hex_text import parse_hex
from ..core.values.units import exact_size, format_short_offset, format_size
from ..core.values.value_type import Endian
from ..core.values.value_types import type_named
from ..core.write import bulk_writes
from ..core.write.bulk_writes import OnProgress
from ..core.write.journal import Journal
from ..core.write.patterns import (
    BytePattern,
    IncrementPattern,
    Pattern,
    RandomPattern,
    SequencePattern,
    TextPattern,
)
from ..core.write.record import WriteOutcome, WriteRecord
from .common import (
    FAILED,
    OK,
    add_device,
    binary_in,
    note,
    number,
    opened,
    range_of,
    say_json,
)
from .parts import ChunkedWrite, OffsetPattern, unlocked

_CHUNK: Final = 1 << 20
_LARGEST: Final = (1 << 64) - 1
_LANDED: Final = {
    WriteOutcome.WHOLE: "written",
    WriteOutcome.PART: "written, but a peer changed some of it at once",
    WriteOutcome.NONE: "written, but it reads back as something else",
}


def add_write(verbs: Any) -> None:
    """Declare `write`."""
    parser = verbs.add_parser("write", help="write hex bytes, text, a typed value or stdin (-)")
    add_device(parser)
    parser.add_argument("start", help="offset (64, 0x40, end-16)")
    parser.add_argument("data", help="hex bytes (`DE AD`); text or a value with the options; -")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--text", action="store_true", help="data is UTF-8 text")
    which.add_argument("--type", help="data is a value of this type: u8, i16, u32, f64, ...")
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
    which.add_argument(
        "--increment",
        type=number(int, "step", -_LARGEST, _LARGEST),
        metavar="STEP",
        help="0, STEP, 2 STEP, ...",
    )
    which.add_argument(
        "--random",
        type=number(int, "seed", -_LARGEST, _LARGEST),
        metavar="SEED",
        help="random bytes from a seed",
    )
    parser.add_argument("--width", type=int, choices=(1, 2, 4, 8), default=1)
    parser.add_argument("--big", action="store_true", help="big endian increments")
    parser.set_defaults(run=run_fill)


def add_load(verbs: Any) -> None:
    """Declare `load`."""
    parser = verbs.add_parser("load", help="copy a file, or standard input (-), into the region")
    add_device(parser)
    parser.add_argument("file", help="file to load, - for standard input")
    parser.add_argument("--start", default="0", help="offset in the region")
    parser.add_argument("--length", default=None, help="bytes; default the whole file")
    parser.set_defaults(run=run_load)


def _report(options: argparse.Namespace, record: WriteRecord) -> int:
    if options.json:
        say_json(
            {
                "offset_bytes": record.offset,
                "length_bytes": record.length,
                "old": record.old,
                "new": record.new,
                "landed": record.outcome,
            }
        )
    else:
        where = f"{format_size(record.length)} at {format_short_offset(record.offset)}"
        note(f"{where}: {_LANDED.get(record.outcome, record.outcome.value)}.")
    return OK if record.outcome is WriteOutcome.WHOLE else FAILED


# -- write ---------------------------------------------------------------------------------------


def run_write(options: argparse.Namespace) -> int:
    """Write some bytes."""
    # Arguments are checked before anything is opened.
    data = None if options.data == "-" else _data(options)
    expect = parse_hex(options.expect).data if options.expect is not None else None
    with opened(options, read_only=False) as region:
        start, _ = range_of(region, options.start, None)
        journal = unlocked(region)
        if data is None:
            data = _from_stdin(region, start)
        if expect is not None and len(expect) != len(data):
            raise ValueFormatError(
                f"--expect has {len(expect)} bytes, but {len(data)} are to be written."
            )
        return _report(options, journal.write(start, data, seen=expect, label="command line"))


def _data(options: argparse.Namespace) -> bytes:
    if options.text:
        data = str(options.data).encode("utf-8", "surrogateescape")
    elif options.type is not None:
        endian = Endian.BIG if options.big else Endian.LITTLE
        data = type_named(options.type).encode(options.data, endian)
    else:
        data = parse_hex(options.data).data
    if not data:
        raise ValueFormatError("There is nothing to write.", "Give at least one byte.")
    return data


def _from_stdin(region: Region, start: int) -> bytes:
    """What comes in; never more than fits, so that an endless pipe ends with an answer."""
    data = binary_in().read(region.size - start + 1)
    if not data:
        raise ValueFormatError("Standard input was empty; nothing was written.")
    _must_fit(len(data) <= region.size - start, region, start, "Standard input")
    return data


def _must_fit(fits: bool, region: Region, start: int, what: str) -> None:
    if not fits:
        raise OutOfRangeError(
            f"{what} has more than the {format_size(region.size - start)} that there are from "
            f"{format_short_offset(start)}; nothing was written."
        )


# -- fill ----------------------------------------------------------------------------------------


def _pattern(options: argparse.Namespace) -> Pattern:
    if options.byte is not None:
        return BytePattern(_byte(options.byte))
    if options.hex is not None:
        return SequencePattern(parse_hex(options.hex).data)
    if options.text is not None:
        return TextPattern(options.text, "utf-8")
    if options.random is not None:
        return RandomPattern(options.random)
    endian = Endian.BIG if options.big else Endian.LITTLE
    return IncrementPattern(0, options.increment, options.width, endian)


def _byte(text: str) -> int:
    try:
        value = evaluate(text)
    except ExpressionError:
        value = -1
    if not 0 <= value <= 255:
        raise ValueFormatError(f"{text} is no byte.", "0 to 255, or 0x00 to 0xFF.")
    return value


def run_fill(options: argparse.Namespace) -> int:
    """Fill a range."""
    pattern = _pattern(options)
    with opened(options, read_only=False) as region:
        start, length = range_of(region, options.start, options.length)
        if not length:
            raise OutOfRangeError("There is nothing to fill: the length is 0.")

        def part(
            journal: Journal, at: int, size: int, progress: OnProgress, stop: Callable[[], bool]
        ) -> WriteRecord:
            shifted = OffsetPattern(pattern, at)
            return bulk_writes.fill(
                journal, region, start + at, size, shifted, progress=progress, cancelled=stop
            )

        record = ChunkedWrite(region, "The fill", start, length).write(part)
    return _report(options, record)


# -- load ----------------------------------------------------------------------------------------


def run_load(options: argparse.Namespace) -> int:
    """Load a file, a pipe, or standard input."""
    with opened(options, read_only=False) as region:
        start, _ = range_of(region, options.start, None)
        wanted = None if options.length is None else evaluate(options.length, size=region.size)
        unlocked(region)
        file = Path(options.file)
        if options.file != "-" and (not file.exists() or file.is_file() or file.is_dir()):
            return _report(options, _load(region, options.file, start, wanted))
        with tempfile.TemporaryDirectory(prefix="ivshmem-scope-") as folder:
            spool = str(Path(folder) / "what came in")
            _spool(options.file, spool, region, start, wanted)
            return _report(options, _load(region, spool, start, wanted))


@contextmanager
def _stream(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield binary_in()
    else:
        try:
            file = open_source(name)
        except OSError as error:
            raise StorageError(
                f"{name} cannot be read ({meaning(error)}).",
                "Name a file, or a pipe that is written to.",
            ) from error
        with file:
            yield file


def _spool(name: str, spool: str, region: Region, start: int, wanted: int | None) -> None:
    """All that is wanted before the first byte is written: half a pipe must not be half a load."""
    room = region.size - start
    most = wanted if wanted is not None and 0 < wanted <= room else room + 1
    left = most
    try:
        with _stream(name) as source, Path(spool).open("wb") as file:
            while chunk := source.read(min(_CHUNK, left)):
                left -= len(chunk)
                file.write(chunk)
    except OSError as error:
        raise StorageError(
            f"What comes from {name} could not be kept for the load ({meaning(error)}).",
            "Free some space in the folder for temporary files (TMPDIR)."
            if lacks_space(error)
            else "",
        ) from error
    what, size = "Standard input" if name == "-" else name, most - left
    _must_fit(size <= room, region, start, what)
    if not size:
        raise UnsuitableError(f"{what} has no bytes; there is nothing to load.")
    if wanted is not None and size < wanted:
        raise OutOfRangeError(
            f"{what} has only {exact_size(size)}; {exact_size(wanted)} were asked for."
        )


def _load(region: Region, path: str, start: int, wanted: int | None) -> WriteRecord:
    length = _file_size(path) if wanted is None else wanted
    if length <= 0 or start + length > region.size:
        # Raises the error that says precisely what is wrong with the file or the range.
        return bulk_writes.load_file(
            unlocked(region),
            region,
            path,
            start,
            wanted,
            progress=lambda done, total: None,
            cancelled=lambda: False,
        )

    def part(
        journal: Journal, at: int, size: int, progress: OnProgress, stop: Callable[[], bool]
    ) -> WriteRecord:
        return bulk_writes.load_file(
            journal, region, path, start + at, size, at, progress=progress, cancelled=stop
        )

    return ChunkedWrite(region, "Loading", start, length).write(part)


def _file_size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
