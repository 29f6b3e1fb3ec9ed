"""`transfer`: send verified messages to a peer that responds, and count what goes through.

On Ctrl+C and SIGTERM too it restores the bytes under the lane.
Sentences and progress go to standard error.
"""

from __future__ import annotations

import argparse
from typing import Any, Final

from ..core.measure.conditions import choose_core
from ..core.measure.transfer.transfer import MAX_DURATION_S, SWEEP, TransferOptions, run_transfer
from ..core.measure.transfer.transfer_result import (
    Direction,
    DirectionResult,
    SizeResult,
    TransferLive,
    TransferResult,
)
from ..core.values.units import format_size
from .common import (
    FAILED,
    OK,
    add_device,
    offsets_of,
    opened,
    positive,
    say,
    say_json,
)
from .interrupts import INTERRUPTED, InterruptGuard
from .measuring import (
    add_engine,
    add_lane,
    add_peer,
    engine_of,
    engine_word,
    held_lane,
    run_context,
    tell_place,
)
from .progress_line import ProgressLine

_USUAL: Final = TransferOptions()


def add_transfer(verbs: Any) -> None:
    """Declare `transfer`."""
    parser = verbs.add_parser("transfer", help="send verified messages to a peer that responds")
    add_device(parser)
    parser.add_argument(
        "--direction",
        choices=[one.value for one in Direction],
        default=_USUAL.direction.value,
        help="which direction; both is at once",
    )
    parser.add_argument(
        "--size",
        default=",".join(map(str, _USUAL.message_bytes)),
        metavar="BYTES",
        help="of a message: 64 to 16M, a multiple of 64; several with commas; or sweep, for all",
    )
    parser.add_argument(
        "--duration",
        type=positive(float, "time", MAX_DURATION_S),
        default=_USUAL.duration_s,
        metavar="S",
        help="seconds for each size",
    )
    add_peer(parser)
    add_engine(parser)
    add_lane(parser)
    parser.set_defaults(run=run_transfer_verb)


def run_transfer_verb(options: argparse.Namespace) -> int:
    """Measure and print."""
    wanted = engine_of(options)
    choose_core(options.pin)
    with InterruptGuard() as guard, opened(options, read_only=False) as region:
        plan = TransferOptions(
            message_bytes=SWEEP if options.size == "sweep" else offsets_of(options.size, region),
            direction=Direction(options.direction),
            duration_s=options.duration,
            engine=wanted,
            core=options.pin,
            slot=options.slot,
        )
        plan.check()
        with held_lane(options, region, guard.sleep) as hold, ProgressLine() as line:
            tell_place(hold, region)
            context = run_context(guard, line, _live)
            result = run_transfer(region, hold.lane, plan, context, give_up_s=options.peer_within)
    if options.json:
        say_json(result.as_dict())
    else:
        _report(result)
    if guard.cancelled():
        return INTERRUPTED
    return OK if result.clean else FAILED


def _live(live: TransferLive) -> str:
    ways = [
        f"{word} {_rate(rate)}"
        for word, rate in (
            ("to peer", live.to_peer_bytes_per_s),
            ("from peer", live.from_peer_bytes_per_s),
        )
        if rate
    ]
    size = format_size(live.message_bytes)
    return f"{live.share * 100:3.0f} %  {size}: {'  '.join(ways) or 'nothing moves'}"


def _report(result: TransferResult) -> None:
    say(f"{result.direction.value}, verified, with {result.conditions.peer}")
    say(
        f"{'message':>10}{'direction':>11}{'MB/s':>10}{'Gbit/s':>9}{'messages':>12}{'bad':>6}"
        f"{'order':>7}{'lost':>7}{'CPU s/GB':>10}{'peer':>7}"
    )
    for size in result.sizes:
        for word, direction in (("to peer", size.to_peer), ("from peer", size.from_peer)):
            if direction is not None:
                say(_row(size, word, direction))
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


def _row(size: SizeResult, word: str, direction: DirectionResult) -> str:
    return (
        f"{format_size(size.message_bytes):>10}{word:>11}{direction.bytes_per_s / 1e6:>10.1f}"
        f"{direction.bytes_per_s * 8 / 1e9:>9.2f}{direction.messages:>12}"
        f"{direction.bad:>6}{direction.out_of_order:>7}"
        f"{direction.lost:>7}{size.cpu_s_per_gb:>10.3f}{size.peer_cpu_s_per_gb:>7.3f}"
    )


def _rate(bytes_per_s: float) -> str:
    return f"{bytes_per_s / 1e6:.1f} MB/s ({bytes_per_s * 8 / 1e9:.2f} Gbit/s)"
