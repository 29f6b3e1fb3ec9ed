"""The progress of a running test: one sentence, and the share that is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...core.engine.measuring.measurement_messages import LiveLatency
from ...core.measure.bandwidth.bandwidth import BandwidthLive
from ...core.measure.flash.flash_result import FlashLive, FlashSample
from ...core.measure.transfer.transfer_result import TransferLive
from ...core.values.units import format_rate, format_size, format_time


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """One sentence.

    Attributes:
        text: For the panel; empty when there is nothing new.
        share: How much of the test is done, 0 to 1; None when that is unknown.
        bad: Something is wrong.
    """

    text: str = ""
    share: float | None = None
    bad: bool = False


def live_sentence(figures: Any) -> LiveStatus:
    """The figures of a running test in words."""
    match figures:
        case LiveLatency(share, summary, lost, _) if not summary.count:
            return LiveStatus(f"nothing answered, {lost} lost", share)
        case LiveLatency(share, summary, lost, _):
            text = (
                f"p50 {format_time(summary.p50)}  p99 {format_time(summary.p99)}  "
                f"max {format_time(summary.maximum)}  {summary.count:,} answered"
            )
            return LiveStatus(f"{text}, {lost:,} lost" if lost else text, share, bool(lost))
        case TransferLive():
            return _transfer(figures)
        case BandwidthLive(share, done):
            if not done:
                return LiveStatus(share=share)
            read = format_rate(done[-1].read_bytes_per_s)
            return LiveStatus(f"{format_size(done[-1].block_bytes)}: read {read}", share)
        case FlashLive(FlashSample() as sample, lost):
            return LiveStatus(
                f"answered after {format_time(sample.total_ns)}, painted in "
                f"{format_time(sample.paint_ns)}, {lost} lost"
            )
        case FlashLive(None, lost):
            return LiveStatus(f"{lost} flashes were not answered within a second", bad=True)
    return LiveStatus()


def _transfer(live: TransferLive) -> LiveStatus:
    ways = (("to", live.to_peer_bytes_per_s), ("from", live.from_peer_bytes_per_s))
    rates = [f"{format_rate(rate)} {name} the peer" for name, rate in ways if rate]
    bits = sum(rate for _, rate in ways) * 8 / 1e9
    bad = f", {live.bad} bad" if live.bad else ""
    size = format_size(live.message_bytes)
    text = f"{size}: {', '.join(rates) or 'waiting'} ({bits:.1f} Gbit/s){bad}"
    return LiveStatus(text, live.share, bool(live.bad))
