"""The lane of the measuring verbs: its arguments, acquiring and releasing it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ..core.measure.lane.hold import LaneLease, RestoreOutcome, Sleep, acquire_lane
from ..core.region.region import Region
from ..core.values.units import format_short_offset, format_size
from .common import note, offset_of

_BACK: Final = (RestoreOutcome.RESTORED, RestoreOutcome.NOTHING_OWED)


def add_lane(parser: argparse.ArgumentParser) -> None:
    """The arguments for the lane's place; shared by all measuring verbs."""
    lane = parser.add_argument_group("lane", "where the two sides meet (docs/lane.md)")
    lane.add_argument("--offset", help="its place; default: the one that is there, else the end")
    lane.add_argument("--lane-size", help="bytes of a new lane (64K, 4M)")
    lane.add_argument("--slots", type=int, help="peers that a new lane has places for")
    lane.add_argument(
        "--force", action="store_true", help="lay it even over bytes that somebody keeps changing"
    )


def add_peer(parser: argparse.ArgumentParser) -> None:
    """The arguments for the peer, and how long to wait for it."""
    parser.add_argument("--slot", type=int, help="measure with the responder of this slot")
    parser.add_argument("--peer-within", type=float, metavar="S", help="give up without a peer")


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
    """Print where the lane is."""
    place = f"{format_size(hold.lane.size)} at {format_short_offset(hold.lane.offset)}"
    note(f"Lane: {place} of {region.info.name}.")


def tell_ending(ending: RestoreOutcome | None) -> None:
    """Print the outcome for the bytes under the lane, if they were not restored."""
    if ending is not None and ending not in _BACK:
        note(f"Of the memory under the lane: {ending.value}.")
