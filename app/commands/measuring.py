"""What the measuring verbs share: engine, lane and peer as arguments, and the place of a result."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ..core.errors import ScopeError, StorageError, ValueFormatError
from ..core.measure.lane.hold import LaneLease, RestoreOutcome, acquire_lane
from ..core.measure.lane.peer_card import EngineKind
from ..core.measure.run_context import RunContext, Sleep
from ..core.native.kernel import why_absent
from ..core.region.region import Region
from ..core.storage.atomic_file import check_target, write_text
from ..core.storage.pipes import Stop
from ..core.values.units import format_short_offset, format_size
from .common import note, number, offset_of
from .interrupts import InterruptGuard
from .progress_line import ProgressLine

STDOUT: Final = "-"
Forms = Mapping[str, Callable[[], str]]
_BACK: Final = (RestoreOutcome.RESTORED, RestoreOutcome.NOTHING_OWED)
_DAY_S: Final = 86_400.0
_MOST_SLOTS: Final = 1 << 16  # a lane too large for its region is refused with its size


# -- the engine ------------------------------------------------------------------------------------


def add_engine(parser: argparse.ArgumentParser) -> None:
    """The arguments that say on what the loops run."""
    parser.add_argument(
        "--engine",
        choices=[kind.value for kind in EngineKind],
        help="run the loops on this engine; default: the C kernel where it was built",
    )
    parser.add_argument(
        "--pin", default="", metavar="CORE", help="keep the loop on a core: a number, or auto"
    )


def engine_of(options: argparse.Namespace) -> EngineKind | None:
    """The engine that the arguments ask for; None is the best that is there."""
    wanted = None if options.engine is None else EngineKind(options.engine)
    if wanted is EngineKind.KERNEL and (why := why_absent()):
        raise ScopeError(f"There is no C kernel: {why}.")
    return wanted


def engine_word(kind: EngineKind) -> str:
    """The engine's name for a report."""
    return "C" if kind is EngineKind.KERNEL else "Python"


# -- the lane and the peer -------------------------------------------------------------------------


def add_lane(parser: argparse.ArgumentParser) -> None:
    """The arguments for the lane's place."""
    lane = parser.add_argument_group("lane", "where the two sides meet (docs/lane.md)")
    lane.add_argument("--offset", help="its place; default: the one that is there, else the end")
    lane.add_argument("--lane-size", help="bytes of a new lane (64K, 4M)")
    lane.add_argument(
        "--slots",
        type=number(int, "number of slots", 1, _MOST_SLOTS),
        help="peers that a new lane has places for",
    )
    lane.add_argument(
        "--force", action="store_true", help="create it even over bytes that keep changing"
    )


def add_peer(parser: argparse.ArgumentParser) -> None:
    """The arguments for the peer, and how long to wait for it."""
    parser.add_argument(
        "--slot",
        type=number(int, "slot", 0, _MOST_SLOTS),
        help="measure with the responder of this slot",
    )
    parser.add_argument(
        "--peer-within",
        type=number(float, "time", 0, _DAY_S),
        metavar="S",
        help="give up without a peer",
    )


def hold_of(options: argparse.Namespace, region: Region, sleep: Sleep) -> LaneLease:
    """The lane that the arguments ask for."""
    offset = None if options.offset is None else offset_of(options.offset, region)
    size = None if options.lane_size is None else offset_of(options.lane_size, region)
    return acquire_lane(region, offset, size, options.slots, force=options.force, sleep=sleep)


@contextmanager
def held_lane(options: argparse.Namespace, region: Region, sleep: Sleep) -> Iterator[LaneLease]:
    """The lane that the arguments ask for, left afterwards."""
    hold = hold_of(options, region, sleep)
    try:
        yield hold
    finally:
        tell_ending(hold.close())


def tell_place(hold: LaneLease, region: Region) -> None:
    """Print the lane's place."""
    place = f"{format_size(hold.lane.size)} at {format_short_offset(hold.lane.offset)}"
    note(f"Lane: {place} of {region.info.name}.")


def tell_ending(ending: RestoreOutcome | None) -> None:
    """Report what became of the bytes under the lane, unless they were restored."""
    if ending is not None and ending not in _BACK:
        note(f"Of the memory under the lane: {ending.value}.")


def run_context(
    guard: InterruptGuard, line: ProgressLine, words: Callable[[Any], str]
) -> RunContext:
    """A test of the command line: progress on the terminal's line, ended by a signal."""

    def progress(figures: Any) -> None:
        if line.on:
            line.show(words(figures))

    return RunContext(progress, line.report, guard.cancelled, guard.sleep)


# -- where a result is kept ------------------------------------------------------------------------


def check_place(typed: str, suffixes: tuple[str, ...]) -> None:
    """Check the place of a result, as far as that is possible without writing.

    Raises:
        ValueFormatError: No result has that form.
        StorageError: There is no such folder, it may not be written, or the path is a folder or
            shared memory.
    """
    if typed == STDOUT:
        return
    path = Path(typed)
    if path.is_dir():
        raise StorageError(f"{typed} is a folder.", "Name a file in it.")
    if path.suffix.lower() not in ("", *suffixes):
        raise ValueFormatError(
            f"A result cannot be kept as {path.suffix}.", f"It can as {', '.join(suffixes)}."
        )
    folder = path.parent
    if not folder.is_dir():
        raise StorageError(f"There is no folder {folder}, so {typed} could not be written.")
    target = check_target(typed)
    places = (target, target.parent) if target.is_file() else (path if path.exists() else folder,)
    if not all(os.access(place, os.W_OK) for place in places):
        raise StorageError(f"{typed} may not be written.", "Name a place that is yours.")


def save_text(typed: str, forms: Forms, stop: Stop) -> None:
    """Write the form that the file's name asks for; without a suffix, and to `-`, the first.

    `stop` is asked while a pipe has no reader; what it raises ends that.

    Raises:
        StorageError: It could not be written after all.
    """
    if typed == STDOUT:
        sys.stdout.write(next(iter(forms.values()))().rstrip("\n") + "\n")
        return
    make = forms.get(Path(typed).suffix.lower(), next(iter(forms.values())))
    write_text(typed, make(), stop=stop)
