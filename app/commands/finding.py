"""`find`: bytes, text, values, expressions and strings in a region."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, Final

from ..core.errors import CancelledError, ValueFormatError
from ..core.region.region import Region
from ..core.search.find import find_all
from ..core.search.needle import ENCODINGS, Endians, Needle, NeedleKind, parse_needle
from ..core.search.patterns import Found, Slice
from ..core.search.scan import Tally
from ..core.search.strings import STRING_ENCODINGS
from ..core.values.printable import printable
from ..core.values.units import format_offset, format_size
from ..core.values.value_type import Endian
from ..core.values.value_types import type_named
from .common import FAILED, OK, add_device, note, opened, positive, range_of, say, say_json
from .interrupts import InterruptGuard
from .progress_line import ProgressLine

_SHOWN: Final = 16  # bytes of a hit
_LEAST: Final = 5  # characters of a string


def add_find(verbs: Any) -> None:
    """Declare `find`."""
    parser = verbs.add_parser(
        "find",
        help="find bytes, text, a value, an expression or strings",
        epilog="Exit code 0: found, 1: nothing found.",
    )
    add_device(parser)
    # Not nargs="?": argparse would take it as left out where an option stands before it.
    needle = parser.add_argument(
        "needle",
        help="hex bytes with wildcards (`FF ?? 1?`, `12 34 & FF F0`); "
        "text, expression or value with the options; none with --strings",
    )
    needle.required = False  # _needle() says what is missing
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--text", action="store_true", help="the needle is text")
    which.add_argument("--regex", action="store_true", help="it is an expression on bytes")
    which.add_argument(
        "--type", help="it is a value of this type (u32, f64, ...): 42, 3.1..3.2, 3.1±0.05, 100±5%%"
    )
    which.add_argument(
        "--strings",
        nargs="?",
        type=positive(int, "least length", 1024),
        const=_LEAST,
        metavar="N",
        help=f"runs of N printable characters or more; default {_LEAST}",
    )
    names = list(dict.fromkeys([*ENCODINGS, *STRING_ENCODINGS]))
    parser.add_argument("--encoding", choices=names, help="of text and strings; default utf-8")
    parser.add_argument("-i", "--ignore-case", action="store_true", help="of text, expressions")
    order = parser.add_mutually_exclusive_group()
    order.add_argument("--big", action="store_true", help="a value is big endian")
    order.add_argument("--both", action="store_true", help="a value of either byte order")
    parser.add_argument(
        "--align",
        type=positive(int, "alignment", 1 << 40),
        default=1,
        metavar="N",
        help="only at multiples of N",
    )
    parser.add_argument("--start", default="0", help="first offset to search")
    parser.add_argument("--length", default=None, help="bytes to search; default the rest")
    parser.add_argument("--all", action="store_true", help="every hit, not only the first")
    parser.set_defaults(run=run_find)


def run_find(options: argparse.Namespace) -> int:
    """Find, print, and tell by the exit code whether anything was found."""
    needle = _needle(options)
    parse_needle(needle).close()  # what is wrong with it is said before anything is opened
    with opened(options) as region:
        search = _Search(region, needle, options)
        start, length = range_of(region, options.start, options.length)
        search.run(start, length)
    return OK if search.count else FAILED


def _needle(options: argparse.Namespace) -> Needle:
    if options.strings is not None:
        kind = NeedleKind.STRINGS
        if options.needle is not None:
            raise ValueFormatError(
                "--strings finds all strings; a needle has no place beside it.",
                "To find one text: find DEVICE TEXT --text.",
            )
    elif options.needle is None:
        raise ValueFormatError("There is nothing to find.", "Give a needle, or --strings.")
    else:
        kind = NeedleKind.BYTES
        for on, other in (
            (options.text, NeedleKind.TEXT),
            (options.regex, NeedleKind.REGEX),
            (options.type is not None, NeedleKind.VALUE),
        ):
            kind = other if on else kind
    return Needle(
        kind,
        options.needle or "",
        options.encoding or "utf-8",
        options.ignore_case,
        options.type or "u32",
        Endians.BOTH if options.both else Endians.BIG if options.big else Endians.LITTLE,
        options.align,
        options.strings or _LEAST,
    )


class _Search:
    """One search of the command line; hits are printed as they are found."""

    def __init__(self, region: Region, needle: Needle, options: argparse.Namespace) -> None:
        self._region, self._needle = region, needle
        self._all, self._json = bool(options.all), bool(options.json)
        self._strings = needle.kind is NeedleKind.STRINGS
        self._type = type_named(needle.type_name) if needle.kind is NeedleKind.VALUE else None
        self._orders = [
            order for order in Endian if needle.endians in (Endians.BOTH, Endians(order.value))
        ]
        self._encoding = needle.encoding if needle.kind is not NeedleKind.BYTES else "latin-1"
        self.count = 0

    def run(self, start: int, length: int) -> None:
        """Search, and say what else there is to say."""
        with InterruptGuard() as guard, ProgressLine("Searching") as progress:
            tally = find_all(
                self._region,
                self._needle,
                [(start, start + length)],
                self._take,
                progress=progress,
                cancelled=guard.cancelled,
            )
            if guard.cancelled():
                raise CancelledError(
                    f"The search was stopped after {format_size(tally.searched)} of "
                    f"{format_size(tally.wanted)}; {_hits(self.count)} until there."
                )
        self._tell(tally)

    def _take(self, found: Found, part: Slice) -> bool:
        for offset, data in _values(found, part):
            self.count += 1
            self._say(offset, data)
            if not self._all:
                return False
        return True

    def _say(self, offset: int, data: bytes) -> None:
        if self._json:
            fields: dict[str, Any] = {
                "offset_bytes": offset,
                "length_bytes": len(data),
                "hex": data,
            }
            if self._strings:
                fields["text"] = data.decode(self._encoding, "replace")
            say_json(fields)
            return
        if self._strings:
            say(f"{format_offset(offset)}  {printable(data.decode(self._encoding, 'replace'))}")
            return
        more = " …" if len(data) > _SHOWN else ""
        if self._type is not None:
            values = (self._type.decode(data, order) or "-" for order in self._orders)
            shown = " or ".join(dict.fromkeys(values))
            say(f"{format_offset(offset)}  {shown}  {data[:_SHOWN].hex(' ').upper()}")
            return
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data[:_SHOWN])
        say(f"{format_offset(offset)}  {data[:_SHOWN].hex(' ').upper()}{more}  {text}{more}")

    def _tell(self, tally: Tally) -> None:
        if self._json and not tally.unsteady:
            return
        if not self.count:
            rest = f"; {format_size(tally.holes)} were never written" if tally.holes else ""
            note(f"Not found in {format_size(tally.searched)}{rest}.")
        elif self._all:
            note(f"{_hits(self.count)} in {format_size(tally.searched)}.")
        if tally.unsteady:
            note(
                f"{tally.unsteady} of them {'was' if tally.unsteady == 1 else 'were'} gone at a "
                "second look right after: the memory changes while it is read."
            )


def _hits(count: int) -> str:
    return "1 hit" if count == 1 else f"{count} hits"


def _values(found: Found, part: Slice) -> Iterator[tuple[int, bytes]]:
    """Each hit as it was when it was found."""
    for offset, length in zip(found.starts.tolist(), found.lengths.tolist(), strict=True):
        at = offset - part.base
        yield offset, part.data[at : at + length].tobytes()
