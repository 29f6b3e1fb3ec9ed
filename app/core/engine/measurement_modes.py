"""The measuring side of each test mode, reporting its progress as messages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from ..errors import CancelledError
from ..measure.bandwidth.bandwidth import run_bandwidth
from ..measure.flash.flash import Flip
from ..measure.flash.flash_run import FlashMaster
from ..measure.lane.layout import Lane
from ..measure.lane.peer_card import Capability
from ..measure.lane.slots import wait_for_peer
from ..measure.latency.latency import Watcher, run_latency
from ..measure.peers.initiator import Initiator
from ..measure.peers.peer_monitor import PeerMonitor
from ..measure.transfer.transfer import TransferWatcher, run_transfer
from ..region.region import Region
from . import measurement_messages as dm


class RunContext:
    """The context of a running test: its callbacks, its waiting, its stop flag.

    Attributes:
        stopped: Set when the test shall end with what it has measured.
    """

    def __init__(self, report: Callable[[str], None], figures: Callable[[Any], None]) -> None:
        self.stopped = threading.Event()
        self.report = report
        self.figures = figures
        self.on_stop: Callable[[], None] = lambda: None
        self.on_flip: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        """Wait. Raises CancelledError when the test is stopped meanwhile."""
        if self.stopped.wait(seconds):
            raise CancelledError("Stopped before anything was measured.")

    def stop(self) -> None:
        """End it; any thread, safe to call twice."""
        self.stopped.set()
        self.on_stop()


class Test(Protocol):
    """One test mode's measuring side."""

    def run(self, region: Region, lane: Lane, start: dm.StartTest, io: RunContext) -> Any:
        """Find the peer, measure until done or `io.stopped`; the result."""
        ...


class FlashTest:
    """Flash, with this process as the initiator."""

    def __init__(self, show: Callable[[Flip], None]) -> None:
        self._show = show

    def run(self, region: Region, lane: Lane, start: dm.StartTest, io: RunContext) -> Any:
        """Wait for a peer that paints, and flash for it until stopped."""
        slots = wait_for_peer(
            region, lane, Capability.FLASH, slot=start.slot, report=io.report, sleep=io.sleep
        )
        with Initiator(region, lane, slots) as initiator:
            monitor = PeerMonitor(initiator, io.report, sleep=io.sleep, cancelled=io.stopped.is_set)
            flashing = FlashMaster(
                monitor, self._show, lambda sample, lost: io.figures((sample, lost))
            )
            io.on_stop, io.on_flip = flashing.stop, flashing.flip
            io.report(f"Flashing for {initiator.responder}.")
            if io.stopped.is_set():
                flashing.stop()
            return flashing.run(start.plan)


class LatencyTest:
    """Echo round trips."""

    def run(self, region: Region, lane: Lane, start: dm.StartTest, io: RunContext) -> Any:
        """Measure with the first peer that echoes."""
        watcher = Watcher(
            progress=lambda tally, share: io.figures(
                dm.LiveLatency(share, tally.response.summary(), tally.lost, tuple(tally.series))
            ),
            report=io.report,
            cancelled=io.stopped.is_set,
            sleep=io.sleep,
        )
        return run_latency(region, lane, replace(start.plan, slot=start.slot), watcher)


class TransferTest:
    """Messages through the rings."""

    def run(self, region: Region, lane: Lane, start: dm.StartTest, io: RunContext) -> Any:
        """Measure with the first peer that has rings."""
        watcher = TransferWatcher(
            progress=io.figures, report=io.report, cancelled=io.stopped.is_set, sleep=io.sleep
        )
        return run_transfer(region, lane, replace(start.plan, slot=start.slot), watcher)


class BandwidthTest:
    """The raw mapping, without a peer."""

    def run(self, region: Region, lane: Lane, start: dm.StartTest, io: RunContext) -> Any:
        """Measure each size of block."""
        return run_bandwidth(region, lane, start.plan, io.figures, io.stopped.is_set, io.sleep)
