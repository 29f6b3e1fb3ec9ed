"""The measuring side of each test mode, reporting its progress as messages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from ...errors import CancelledError
from ...measure.bandwidth.bandwidth import run_bandwidth
from ...measure.flash.flash import Flip
from ...measure.flash.flash_run import FlashMaster
from ...measure.lane.layout import Lane
from ...measure.lane.peer_card import Capability
from ...measure.lane.slots import wait_for_peer
from ...measure.latency.latency import LatencyLive, run_latency
from ...measure.peers.initiator import Initiator
from ...measure.peers.peer_monitor import PeerMonitor
from ...measure.run_context import RunContext
from ...measure.transfer.transfer import run_transfer
from ...region.region import Region
from . import measurement_messages as dm


class TestRun:
    """A running test: its RunContext, and what other threads ask of it.

    Attributes:
        context: For the test.
        on_flip: What to do when a person wants a flash now.
    """

    def __init__(self, report: Callable[[str], None], figures: Callable[[Any], None]) -> None:
        self._stopped = threading.Event()
        self.context = RunContext(figures, report, self._stopped.is_set, self.sleep)
        self.on_flip: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        """Wait. Raises CancelledError when the test is stopped meanwhile."""
        if self._stopped.wait(seconds):
            raise CancelledError("Stopped before anything was measured.")

    def stop(self) -> None:
        """End it, and have what was measured until then; any thread, safe to call twice."""
        self._stopped.set()


class Test(Protocol):
    """One test mode's measuring side."""

    def run(self, region: Region, lane: Lane, start: dm.StartTest, io: TestRun) -> Any:
        """Find the peer, measure until done or stopped; the result."""
        ...


class FlashTest:
    """Flash, with this process as the initiator."""

    def __init__(self, show: Callable[[Flip], None]) -> None:
        self._show = show

    def run(self, region: Region, lane: Lane, start: dm.StartTest, io: TestRun) -> Any:
        """Wait for a peer that paints, and flash for it until stopped."""
        context = io.context
        slots = wait_for_peer(
            region,
            lane,
            Capability.FLASH,
            slot=start.slot,
            report=context.report,
            sleep=context.sleep,
        )
        with Initiator(region, lane, slots) as initiator:
            flashing = FlashMaster(PeerMonitor(initiator, context), self._show)
            io.on_flip = flashing.flip
            context.report(f"Flashing for {initiator.responder}.")
            return flashing.run(start.plan)


class LatencyTest:
    """Echo round trips."""

    def run(self, region: Region, lane: Lane, start: dm.StartTest, io: TestRun) -> Any:
        """Measure with the first peer that echoes."""
        tell = io.context.progress

        def progress(live: LatencyLive) -> None:
            tally = live.tally
            summary, series = tally.response.summary(), tuple(tally.series)
            tell(dm.LiveLatency(live.share, summary, tally.lost, series))

        context = replace(io.context, progress=progress)
        return run_latency(region, lane, replace(start.plan, slot=start.slot), context)


class TransferTest:
    """Messages through the rings."""

    def run(self, region: Region, lane: Lane, start: dm.StartTest, io: TestRun) -> Any:
        """Measure with the first peer that has rings."""
        return run_transfer(region, lane, replace(start.plan, slot=start.slot), io.context)


class BandwidthTest:
    """The raw mapping, without a peer."""

    def run(self, region: Region, lane: Lane, start: dm.StartTest, io: TestRun) -> Any:
        """Measure each size of block."""
        return run_bandwidth(region, lane, start.plan, io.context)
