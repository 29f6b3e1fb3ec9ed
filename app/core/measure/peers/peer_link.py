"""From a lane to a test with one peer: what latency and transfer do before they measure.

Find a peer that can answer, take the initiator's side of its slot, keep the thread on its core,
and note what speaks against trusting the figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ...native.kernel import Wait
from ...region.doorbell import DeviceBell
from ...region.region import Region
from ...region.region_window import RegionWindow
from ..conditions import Conditions, choose_core, conditions, spinner_warning, usable_cores
from ..lane.layout import Lane
from ..lane.peer_card import Capability, EngineKind, PeerCard
from ..lane.slots import wait_for_peer
from ..loops import on_core, pick_engine
from ..run_context import RunContext
from .doorbells import measuring_bell
from .initiator import Initiator
from .peer_monitor import PeerMonitor


@dataclass(frozen=True, slots=True)
class PeerLink:
    """A peer that was found, and our side of its slot.

    Attributes:
        initiator: Our side; nothing was asked yet.
        window: The lane's memory.
        monitor: Looks after the peer; its `report` is the context's at first.
        context: Of the run.
        peer: Who was found; a restarted one is `initiator.responder`.
        bell: Our doorbell, where the responder shall ring it.
        core: The core on which this thread is kept; None for any.
        notes: Sentences that belong to the result.
    """

    initiator: Initiator
    window: RegionWindow
    monitor: PeerMonitor
    context: RunContext
    peer: PeerCard | None
    bell: DeviceBell | None = None
    core: int | None = None
    notes: list[str] = field(default_factory=list)

    def conditions(self, peer: PeerCard | None, started_s: float) -> Conditions:
        """Under which a figure of this test was measured."""
        initiator = self.initiator
        return conditions(
            initiator.region.info,
            initiator.lane,
            initiator.slot.index,
            initiator.claim.card,
            peer,
            pinned=self.core,
            started_s=started_s,
        )

    def spinners(self, peer: PeerCard | None, *, spins: bool = True) -> str:
        """What to say when both sides spin on too few cores; empty when all is well."""
        cores = len(usable_cores())
        us = self.initiator.claim.card
        return spinner_warning(ours=spins, peers=spins, us=us, peer=peer, cores=cores)


@contextmanager
def linked(
    region: Region,
    lane: Lane,
    needs: Capability,
    *,
    engine: EngineKind | None,
    core: str,
    slot: int | None,
    wait: Wait = Wait.SPIN,
    context: RunContext,
    give_up_s: float | None = None,
) -> Iterator[PeerLink]:
    """Wait for a peer, and hold our side of its slot.

    Args:
        region: Where.
        lane: The lane in it.
        needs: What the peer must be able to do.
        engine: What runs the loops; None is the best that is there.
        core: Keep this thread on a core: a number, `auto`, or empty.
        slot: Only the responder of this slot; None is the first that fits.
        wait: How both sides wait.
        context: Of the run.
        give_up_s: Wait no longer for a peer; None waits for ever.

    Raises:
        MeasureOptionError: There is no such core, or no doorbell to wait for.
        NoPeerError, PeerBusyError: With whom?
        UnsuitableError: This region has no mapping of its own.
    """
    bell = measuring_bell(region, wait)
    needs |= Capability.MAPPED
    if bell is not None:
        needs |= Capability.DOORBELL
    kept = choose_core(core)
    with region.window(lane.offset, lane.size) as window:
        found = wait_for_peer(
            region,
            lane,
            needs,
            slot=slot,
            report=context.report,
            give_up_s=give_up_s,
            sleep=context.sleep,
        )
        with (
            # Its waits are short, and a test that is cancelled still has to end in order.
            Initiator(region, lane, found, bell=bell) as initiator,
            on_core(kept, pick_engine(engine), short_sleeps=wait is Wait.POLL) as pinned,
        ):
            link = PeerLink(
                initiator=initiator,
                window=window,
                monitor=PeerMonitor(initiator, context, give_up_s=give_up_s),
                context=context,
                peer=found.responder.card,
                bell=bell,
                core=kept if pinned else None,
            )
            if not pinned:
                link.notes.append(f"The measuring thread could not be kept on core {kept}.")
            yield link
