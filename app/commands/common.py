"""What the verbs share: opening, offsets as expressions, output, exit codes."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any, BinaryIO, Final

from ..core.backends.open_region import open_region, spec_for
from ..core.errors import (
    AccessDeniedError,
    CancelledError,
    CannotFindError,
    ConflictError,
    ExpressionError,
    HeldByAnotherError,
    LanePlaceError,
    MeasureOptionError,
    NoPeerError,
    OutOfRangeError,
    ReadOnlyError,
    RegionGoneError,
    ScopeError,
    StorageError,
    ValueFormatError,
)
from ..core.region.region import CacheMode, Region, RegionSpec
from ..core.values.expressions import evaluate
from ..core.values.printable import printable
from ..core.values.units import exact_size, format_offset, format_size
from .interrupts import INTERRUPTED

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
# The first class that fits names the code; README "Command line" lists them.
EXIT_CODES: Final[tuple[tuple[type[ScopeError], int], ...]] = (
    (ExpressionError, USAGE),
    (ValueFormatError, USAGE),
    (MeasureOptionError, USAGE),
    (LanePlaceError, USAGE),
    (CannotFindError, 3),
    (AccessDeniedError, 4),
    (ReadOnlyError, 4),
    (RegionGoneError, 5),
    (ConflictError, 6),
    (HeldByAnotherError, 7),
    (NoPeerError, 8),
    (CancelledError, INTERRUPTED),
)
# More hex than this in one JSON line is of no use, and would be in memory twice.
JSON_BYTES: Final = 64 << 20
_MOST: Final = float(1 << 62)


def exit_code(error: ScopeError) -> int:
    """The exit code for an error."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), FAILED)


def add_device(parser: argparse.ArgumentParser) -> None:
    """The arguments that name a device and how to open it."""
    parser.add_argument(
        "device", help="path, PCI address (0000:00:03.0), kvmfr node or Windows interface path"
    )
    parser.add_argument(
        "--cache",
        choices=[mode.value for mode in CacheMode],
        default=CacheMode.DEFAULT.value,
        help="cache mode of a guest BAR",
    )
    add_json(parser)


def add_json(parser: argparse.ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="print JSON; keys name their unit")


def spec_of(options: argparse.Namespace, *, read_only: bool) -> RegionSpec:
    """The spec that the arguments name."""
    spec = spec_for(options.device)
    return dataclasses.replace(spec, read_only=read_only, cache=CacheMode(options.cache))


@contextmanager
def opened(options: argparse.Namespace, *, read_only: bool = True) -> Iterator[Region]:
    """The region that the arguments name, closed afterwards."""
    with open_region(spec_of(options, read_only=read_only)) as region:
        yield region


def offset_of(text: str, region: Region) -> int:
    """An offset as people write it: 64, 0x40, end-16, 4K+8."""
    return evaluate(text, size=region.size)


def offsets_of(text: str, region: Region) -> tuple[int, ...]:
    """Several, with commas between them."""
    return tuple(offset_of(part, region) for part in text.split(",") if part.strip())


def length_of(text: str | None, region: Region, start: int) -> int:
    """A length; None is everything from `start`."""
    return region.size - start if text is None else evaluate(text, size=region.size)


def range_of(
    region: Region, start_text: str, length_text: str | None, most: int | None = None
) -> tuple[int, int]:
    """Start and length, which lie inside the region; without a length the rest, at most `most`.

    Raises:
        OutOfRangeError: They do not; nothing was read or written yet.
        ExpressionError: They are no numbers.
    """
    start = offset_of(start_text, region)
    length = length_of(length_text, region, start)
    if length_text is None and most is not None:
        length = min(length, most)
    if not 0 <= start < region.size:
        raise OutOfRangeError(
            f"{format_offset(start)} is not inside {region.info.name}, "
            f"which has {exact_size(region.size)}.",
            f"The last offset is {format_offset(region.size - 1)}.",
        )
    if length < 0 or start + length > region.size:
        raise OutOfRangeError(
            f"{length} bytes at {format_offset(start)} are not inside {region.info.name}, "
            f"which has {exact_size(region.size)}.",
            f"There are {region.size - start} bytes from there.",
        )
    return start, length


def bytes_for_json(region: Region, start: int, length: int) -> bytes:
    """Bytes for one line of JSON.

    Raises:
        OutOfRangeError: They are too many.
    """
    if length > JSON_BYTES:
        raise OutOfRangeError(
            f"{format_size(length)} are too much for one line of JSON.",
            f"At most {format_size(JSON_BYTES)}; without --json there is no bound.",
        )
    return region.read(start, length)


def number(
    kind: Callable[[str], float], word: str, least: float, most: float, *, above: bool = False
) -> Callable[[str], Any]:
    """A type for argparse: a number with bounds, so that neither nan nor inf is one.

    Args:
        kind: int or float.
        word: What it is.
        least: The smallest that is taken.
        most: The largest.
        above: `least` itself is not taken.
    """

    def parse(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is no {word}") from None
        # 1e-400 is 0 to Python, which means something else in some options.
        vanished = not value and any(digit in "123456789" for digit in text.lower().split("e")[0])
        if not least <= value <= most or (above and value == least) or vanished:
            bounds = f"above {least:g}" if above else f"from {least:g}"
            raise argparse.ArgumentTypeError(
                f"{text[:40]} is no {word}; it is {bounds} to {most:.12g}"
            )
        return value

    return parse


def positive(kind: Callable[[str], float], word: str, most: float = _MOST) -> Callable[[str], Any]:
    """A type for argparse: a number above 0."""
    return number(kind, word, 0, most, above=True)


def say(text: str = "") -> None:
    """A line for people, or of JSON; what would break it or move the cursor is escaped."""
    sys.stdout.write(printable(text) + "\n")


def note(text: str) -> None:
    """A line on standard error: progress, warnings."""
    sys.stderr.write(printable(text) + "\n")


def plain(value: Any) -> Any:
    """Anything as JSON: dataclasses as objects, enums by value, bytes as hex."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def say_json(value: Any) -> None:
    """One JSON value on one line."""
    say(json.dumps(plain(value)))


def binary_out() -> BinaryIO:
    """Standard output for bytes.

    Raises:
        StorageError: It was closed.
    """
    sys.stdout.flush()
    # If it was closed, cli.py has replaced it by a text file, which has a buffer too.
    return sys.stdout.buffer


def binary_in() -> BinaryIO:
    """Standard input for bytes.

    Raises:
        StorageError: It was closed.
    """
    if sys.stdin is None:
        raise StorageError("There is no standard input.", "Give a file, or pipe something in.")
    return sys.stdin.buffer
