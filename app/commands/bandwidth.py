"""`bandwidth`: how fast the raw mapping is, without a peer.

On Ctrl+C and SIGTERM too it restores the bytes under the lane.
Progress goes to standard error.
"""

from __future__ import annotations

import argparse
import dataclasses
from contextlib import suppress
from typing import Any, Final

from ..core.backends.open_region import open_region
from ..core.errors import CancelledError, MeasureOptionError, ScopeError
from ..core.measure.bandwidth.bandwidth import (
    LANE_SIZE,
    BandwidthLive,
    BandwidthOptions,
    BandwidthResult,
    modes_of,
    run_bandwidth,
)
from ..core.measure.conditions import choose_core
from ..core.measure.lane.placement import find_lane
from ..core.region.region import CacheMode, Region
from ..core.values.units import format_size
from .common import OK, add_device, offsets_of, positive, say, say_json, spec_of
from .interrupts import INTERRUPTED, InterruptGuard
from .measuring import add_engine, add_lane, engine_of, engine_word, held_lane, run_context
from .progress_line import ProgressLine

_USUAL: Final = BandwidthOptions()


def add_bandwidth(verbs: Any) -> None:
    """Declare `bandwidth`."""
    parser = verbs.add_parser(
        "bandwidth", help="measure the raw mapping: reads, writes, copies, single words"
    )
    add_device(parser)
    parser.add_argument(
        "--blocks",
        default=",".join(map(str, _USUAL.blocks)),
        metavar="BYTES",
        help="sizes of blocks with commas; default: 4K,64K,1M,4M",
    )
    parser.add_argument(
        "--slice",
        type=positive(float, "time", 10_000),
        default=_USUAL.slice_s * 1e3,
        metavar="MS",
        help="a figure is the median of five slices of this length",
    )
    add_engine(parser)
    add_lane(parser)
    parser.set_defaults(run=run_bandwidth_verb)


def run_bandwidth_verb(options: argparse.Namespace) -> int:
    """Measure each cache mode of the device, and print."""
    wanted = engine_of(options)
    choose_core(options.pin)
    spec = spec_of(options, read_only=False)
    results: list[BandwidthResult] = []
    troubles: list[ScopeError] = []
    with InterruptGuard() as guard:
        for mode in modes_of(spec):
            options.cache = mode.value
            try:
                results.append(
                    _one_mode(
                        options,
                        BandwidthOptions(
                            slice_s=options.slice / 1000,
                            engine=wanted,
                            core=options.pin,
                        ),
                        guard,
                    )
                )
            except (MeasureOptionError, CancelledError):
                raise
            except ScopeError as error:
                troubles.append(error)
            if guard.cancelled():
                break
    if not results:
        raise troubles[0]
    if options.json:
        say_json(
            {
                "modes": [result.as_dict() for result in results],
                "not_measured": [str(trouble) for trouble in troubles],
            }
        )
    else:
        for result in results:
            _report_mode(result)
        for trouble in troubles:
            say(f"note: {trouble}")
    return INTERRUPTED if guard.cancelled() else OK


def _one_mode(
    options: argparse.Namespace, plan: BandwidthOptions, guard: InterruptGuard
) -> BandwidthResult:
    with open_region(spec_of(options, read_only=False)) as region:
        plan = dataclasses.replace(plan, blocks=offsets_of(options.blocks, region))
        plan.check()
        asked = _room(options, region)
        with held_lane(asked, region, guard.sleep) as hold, ProgressLine() as line:

            def words(live: BandwidthLive) -> str:
                return f"{live.share * 100:3.0f} %  {region.info.cache or region.info.name}"

            return run_bandwidth(region, hold.lane, plan, run_context(guard, line, words))


def _room(options: argparse.Namespace, region: Region) -> argparse.Namespace:
    """A new lane for this is larger than for a peer: 9 MiB, or a quarter of the region."""
    if options.offset is None and options.lane_size is None and options.slots is None:
        with suppress(ScopeError):
            if find_lane(region) is None:
                size = min(LANE_SIZE, region.size // 4) // 4096 * 4096
                return argparse.Namespace(**{**vars(options), "lane_size": str(size), "slots": 1})
    return options


def _report_mode(result: BandwidthResult) -> None:
    asked = "" if result.mode is CacheMode.DEFAULT else f" ({result.mode.value})"
    say(f"{result.conditions.region}{asked}: {result.cache or 'shared file'}")
    heads = ("read", "write", "copy", "own copy", "load", "store", "own load", "own store")
    say(f"{'block':>10}" + "".join(f"{head:>11}" for head in heads))
    for block in result.blocks:
        rates = (
            block.read_bytes_per_s,
            block.write_bytes_per_s,
            block.copy_bytes_per_s,
            block.own_copy_bytes_per_s,
        )
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
