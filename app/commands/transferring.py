"""`transfer` and `bandwidth`: how much goes through the memory, with a peer and without.

Both end by Ctrl+C or SIGTERM as they end by themselves; the bytes under the lane are as they were
before. Sentences and progress go to standard error.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from contextlib import suppress
from typing import Any

from app.commands.common import (
    FAILED,
    INTERRUPTED,
    OK,
    add_device,
    note,
    offset_of,
    opened,
    say,
    say_json,
    spec_of,
)
from app.commands.measuring import (
    Ender,
    add_engine,
    add_lane,
    ender,
    engine_of,
    engine_word,
    hold_of,
    tell_ending,
)
from app.core.errors import CancelledError, MeasureOptionError, ScopeError
from app.core.open_region import open_region
from app.core.probe.bandwidth import (
    BLOCKS,
    LANE_SIZE,
    BandwidthLive,
    BandwidthOptions,
    BandwidthResult,
    modes_of,
    run_bandwidth,
)
from app.core.probe.conditions import choose_core
from app.core.probe.place import find_lane
from app.core.probe.transfer import (
    SWEEP,
    TransferOptions,
    TransferWatcher,
    run_transfer,
)
from app.core.probe.transfer_result import Direction, SizeResult, TransferLive, TransferResult, Way
from app.core.region import CacheMode, Region
from app.core.units import format_short_offset, format_size


def add_transfer(verbs: Any) -> None:
    """Declare `transfer`."""
    parser = verbs.add_parser("transfer", help="send verified messages to a peer that responds")
    add_device(parser)
    parser.add_argument(
        "--direction", choices=[way.value for way in Direction], default=Direction.TO_PEER.value,
        help="which way; both is at once",
    )  # fmt: skip
    parser.add_argument(
        "--size", default="64K", metavar="BYTES",
        help="of a message: 64 to 16M, a multiple of 64; several with commas; or sweep, for all",
    )  # fmt: skip
    parser.add_argument(
        "--duration", type=float, default=3.0, metavar="S", help="seconds for each size"
    )
    parser.add_argument("--slot", type=int, help="measure with the owner of this slot")
    parser.add_argument("--peer-within", type=float, metavar="S", help="give up without a peer")
    add_engine(parser)
    add_lane(parser)
    parser.set_defaults(run=run_transfer_verb)


def add_bandwidth(verbs: Any) -> None:
    """Declare `bandwidth`."""
    parser = verbs.add_parser(
        "bandwidth", help="measure the raw mapping: reads, writes, copies, single words"
    )
    add_device(parser)
    parser.add_argument(
        "--blocks", default=",".join(map(str, BLOCKS)), metavar="BYTES",
        help="sizes of blocks with commas; default: 4K,64K,1M,4M",
    )  # fmt: skip
    parser.add_argument(
        "--slice", type=float, default=20.0, metavar="MS",
        help="a figure is the median of five slices of this length",
    )  # fmt: skip
    add_engine(parser)
    add_lane(parser)
    parser.set_defaults(run=run_bandwidth_verb)


def _sizes(text: str, region: Region) -> tuple[int, ...]:
    return tuple(offset_of(part, region) for part in text.split(",") if part.strip())


class _Line:
    """One running line on a terminal."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()
        self._open = False

    def show(self, text: str) -> None:
        """Replace the line."""
        if self._on:
            sys.stderr.write(f"\r{text:<76}")
            sys.stderr.flush()
            self._open = True

    def say(self, text: str) -> None:
        """A sentence on a line of its own."""
        self.end()
        note(text)

    def end(self) -> None:
        """Leave the running line."""
        if self._open:
            sys.stderr.write("\n")
            self._open = False


# -- transfer -------------------------------------------------------------------------------------


def run_transfer_verb(options: argparse.Namespace) -> int:
    """Measure and print."""
    wanted = engine_of(options)
    choose_core(options.pin)
    with ender() as end, opened(options, read_only=False) as region:
        plan = TransferOptions(
            message_bytes=SWEEP if options.size == "sweep" else _sizes(options.size, region),
            direction=Direction(options.direction), duration_s=options.duration, engine=wanted,
            core=options.pin, slot=options.slot,
        )  # fmt: skip
        plan.check()
        hold = hold_of(options, region, end.sleep)
        line = _Line()
        try:
            note(f"Lane: {format_size(hold.lane.size)} at "
                 f"{format_short_offset(hold.lane.offset)} of {region.info.name}.")  # fmt: skip
            watcher = TransferWatcher(
                lambda live: line.show(_live(live)), line.say, end.asked.is_set, end.sleep
            )
            result = run_transfer(region, hold.lane, plan, watcher, give_up_s=options.peer_within)
        finally:
            line.end()
            tell_ending(hold.close())
    if options.json:
        say_json(result.as_dict())
    else:
        _report(result)
    if end.asked.is_set():
        return INTERRUPTED
    return OK if result.clean else FAILED


def _live(live: TransferLive) -> str:
    ways = [
        f"{word} {_rate(rate)}"
        for word, rate in (
            ("to peer", live.to_peer_bytes_per_s), ("from peer", live.from_peer_bytes_per_s),
        )
        if rate
    ]  # fmt: skip
    size = format_size(live.message_bytes)
    return f"{live.share * 100:3.0f} %  {size}: {'  '.join(ways) or 'nothing moves'}"


def _report(result: TransferResult) -> None:
    say(f"{result.direction.value}, verified, with {result.conditions.peer}")
    say(f"{'message':>10}{'way':>11}{'MB/s':>10}{'Gbit/s':>9}{'messages':>12}{'bad':>6}"
        f"{'order':>7}{'lost':>7}{'CPU s/GB':>10}{'peer':>7}")  # fmt: skip
    for size in result.sizes:
        for word, way in (("to peer", size.to_peer), ("from peer", size.from_peer)):
            if way is not None:
                say(_row(size, word, way))
    peers = {engine_word(size.peer_engine) for size in result.sizes}
    say(f"measured in {engine_word(result.engine)}, answered in {' and '.join(sorted(peers))}")
    stalled = sum(size.stalled_s for size in result.sizes)
    if stalled:
        say(f"note: nothing moved for {stalled:.1f} s in all")
    cut = [format_size(size.message_bytes) for size in result.sizes if size.pieces > 1]
    if cut:
        say(f"note: longer than a quarter of the ring, so sent in pieces: {', '.join(cut)}")
    for text in result.notes:
        say(f"note: {text}")


def _row(size: SizeResult, word: str, way: Way) -> str:
    return (
        f"{format_size(size.message_bytes):>10}{word:>11}{way.bytes_per_s / 1e6:>10.1f}"
        f"{way.bytes_per_s * 8 / 1e9:>9.2f}{way.messages:>12}{way.bad:>6}{way.disordered:>7}"
        f"{way.lost:>7}{size.cpu_s_per_gb:>10.3f}{size.peer_cpu_s_per_gb:>7.3f}"
    )


def _rate(bytes_per_s: float) -> str:
    return f"{bytes_per_s / 1e6:.1f} MB/s ({bytes_per_s * 8 / 1e9:.2f} Gbit/s)"


# -- bandwidth ------------------------------------------------------------------------------------


def run_bandwidth_verb(options: argparse.Namespace) -> int:
    """Measure each cache mode of the device, and print."""
    wanted = engine_of(options)
    choose_core(options.pin)
    spec = spec_of(options, read_only=False)
    results: list[BandwidthResult] = []
    troubles: list[ScopeError] = []
    with ender() as end:
        for mode in modes_of(spec):
            options.cache = mode.value
            try:
                results.append(_one_mode(options, BandwidthOptions(
                    slice_s=options.slice / 1000, engine=wanted, core=options.pin,
                ), end))  # fmt: skip
            except (MeasureOptionError, CancelledError):
                raise
            except ScopeError as error:
                troubles.append(error)
            if end.asked.is_set():
                break
    if not results:
        raise troubles[0]
    if options.json:
        say_json({
            "modes": [result.as_dict() for result in results],
            "not_measured": [str(trouble) for trouble in troubles],
        })  # fmt: skip
    else:
        for result in results:
            _report_mode(result)
        for trouble in troubles:
            say(f"note: {trouble}")
    return INTERRUPTED if end.asked.is_set() else OK


def _one_mode(options: argparse.Namespace, plan: BandwidthOptions, end: Ender) -> BandwidthResult:
    line = _Line()
    with open_region(spec_of(options, read_only=False)) as region:
        plan = dataclasses.replace(plan, blocks=_sizes(options.blocks, region))
        plan.check()
        hold = hold_of(_room(options, region), region, end.sleep)

        def show(live: BandwidthLive) -> None:
            line.show(f"{live.share * 100:3.0f} %  {region.info.cache or region.info.name}")

        try:
            return run_bandwidth(region, hold.lane, plan, show, end.asked.is_set, end.sleep)
        finally:
            line.end()
            tell_ending(hold.close())


def _room(options: argparse.Namespace, region: Region) -> argparse.Namespace:
    """A new lane for this is larger than for a peer: 9 MiB, or a quarter of the region."""
    if options.offset is None and options.lane_size is None and options.slots is None:
        with suppress(ScopeError):
            if find_lane(region) is None:
                size = min(LANE_SIZE, region.size // 4) // 4096 * 4096
                return argparse.Namespace(
                    **{**vars(options), "lane_size": str(size), "slots": 1}
                )  # fmt: skip
    return options


def _report_mode(result: BandwidthResult) -> None:
    asked = "" if result.mode is CacheMode.DEFAULT else f" ({result.mode.value})"
    say(f"{result.conditions.region}{asked}: {result.cache or 'shared file'}")
    heads = ("read", "write", "copy", "own copy", "load", "store", "own load", "own store")
    say(f"{'block':>10}" + "".join(f"{head:>11}" for head in heads))
    for block in result.blocks:
        rates = (
            block.read_bytes_per_s, block.write_bytes_per_s, block.copy_bytes_per_s,
            block.own_copy_bytes_per_s,
        )  # fmt: skip
        times = (block.load_ns, block.store_ns, block.own_load_ns, block.own_store_ns)
        say(
            f"{format_size(block.block_bytes):>10}"
            + "".join(f"{rate / 1e9:>6.2f} GB/s" for rate in rates)
            + "".join(f"{time:>8.1f} ns" for time in times)
        )
    say(str(result.verdict))
    say(f"measured in {engine_word(result.engine)}")
    for text in result.notes:
        say(f"note: {text}")
    if not result.complete:
        say("note: stopped before all blocks were measured")
