"""Bandwidth of the raw mapping, and what it says about how the memory is mapped.

Reads, writes and copies of blocks, and accesses to single words at random places, each compared
with the same in our own memory, so that the mapping's effect is separate from the machine's speed.
Only one data half of a slot in the lane is accessed, which we take as its responder. No peer is
needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from ...errors import LaneError, MeasureOptionError
from ...native.kernel import Toward
from ...region.buffers import aligned_bytes
from ...region.region import CacheMode, Region, RegionInfo, RegionKind, RegionSpec
from ...values.units import format_size
from ..conditions import Conditions, choose_core, conditions
from ..lane.layout import Lane, Side
from ..lane.peer_card import EngineKind, own_card
from ..lane.presence import SlotClaim
from ..lane.slots import take_slot
from ..loops import on_core, pick_engine
from ..run_context import RunContext
from ..transfer.ring import U8
from .raw_access import RawAccess

FORMAT: Final = 1
BLOCKS: Final = (4 << 10, 64 << 10, 1 << 20, 4 << 20)
LANE_SIZE: Final = 9 << 20  # two halves of more than 4 MiB in one slot
UNCACHED_BYTES_PER_S: Final = 300e6  # docs/measurements.md, "Published speeds of ivshmem"
_LIKE_OWN: Final = 0.5
_PAST_THE_CACHE: Final = 8.0  # times what a load of a small block takes in our own memory


@dataclass(frozen=True, slots=True)
class BandwidthOptions:
    """What to measure.

    Attributes:
        blocks: Bytes that are read, written and copied again and again; multiples of 4096.
        slice_s: A figure is the median of five slices of this length.
        engine: Measure with this one; None is the best that is there.
        core: Keep the measuring thread on a core: a number, `auto`, or empty.
    """

    blocks: tuple[int, ...] = BLOCKS
    slice_s: float = 0.02
    engine: EngineKind | None = None
    core: str = ""

    def check(self) -> None:
        """Whether that can be measured.

        Raises:
            MeasureOptionError: It cannot; the sentence says what can.
        """
        if not self.blocks or any(block < 4096 or block % 4096 for block in self.blocks):
            raise MeasureOptionError(
                "Blocks are measured in whole pages.", "4096 bytes or a multiple, one or several."
            )
        if not 0.001 <= self.slice_s <= 10:
            raise MeasureOptionError(
                f"Slices of {self.slice_s:g} s are out of bounds.", "0.001 to 10 s."
            )


@dataclass(frozen=True, slots=True)
class BlockFigures:
    """One size of blocks; `own_*` is the same in this process's own memory."""

    block_bytes: int
    read_bytes_per_s: float
    write_bytes_per_s: float
    copy_bytes_per_s: float
    own_copy_bytes_per_s: float
    load_ns: float
    store_ns: float
    own_load_ns: float
    own_store_ns: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """In words: what the mapping is, and what to do about it."""

    sentence: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.sentence} {self.advice}".strip()


@dataclass(frozen=True, slots=True)
class BandwidthResult:
    """One mapping.

    Attributes:
        mode: Cache mode that was asked for.
        cache: Cache mode in force, in the backend's words; empty for files.
        engine: The engine that ran the loops.
        blocks: Figures by size.
        verdict: In words.
        complete: It was not cancelled.
    """

    mode: CacheMode
    cache: str
    engine: EngineKind
    blocks: tuple[BlockFigures, ...]
    verdict: Verdict
    complete: bool
    conditions: Conditions
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON; keys name their unit."""
        return {
            "format": FORMAT,
            "kind": "bandwidth",
            "mode": self.mode.value,
            "cache": self.cache,
            "engine": self.engine.value,
            "complete": self.complete,
            "blocks": [asdict(block) for block in self.blocks],
            "verdict": self.verdict.sentence,
            "advice": self.verdict.advice,
            "conditions": asdict(self.conditions),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class BandwidthLive:
    """What is known so far."""

    share: float
    done: tuple[BlockFigures, ...]


def modes_of(spec: RegionSpec) -> list[CacheMode]:
    """The cache modes that a kind of region can be mapped in, best first."""
    if spec.cache is not CacheMode.DEFAULT:
        return [spec.cache]
    if spec.kind is RegionKind.WINDOWS:
        return [CacheMode.CACHED, CacheMode.WRITE_COMBINED, CacheMode.UNCACHED]
    if spec.kind is RegionKind.BAR:
        return [CacheMode.WRITE_COMBINED, CacheMode.UNCACHED]
    return [CacheMode.DEFAULT]


def run_bandwidth(
    region: Region,
    lane: Lane,
    options: BandwidthOptions,
    context: RunContext | None = None,
) -> BandwidthResult:
    """Measure this mapping; a cancelled test gives what it has.

    Raises:
        MeasureOptionError, LaneError: It cannot be measured, or not in this lane.
        PeerBusyError: No slot of the lane is free.
        LaneLostError, RegionGoneError: The lane or the memory is gone.
        UnsuitableError: This region has no mapping of its own.
    """
    options.check()
    context = context or RunContext()
    core = choose_core(options.core)
    kernel = pick_engine(options.engine)
    started_s = time.time()
    with region.window(lane.offset, lane.size) as window:
        claim = take_slot(region, lane, own_card(region.info), context.sleep)
        try:
            half = claim.slot.data(Side.RESPONDER)
            blocks, notes = _fitting(options.blocks, half.length)
            claim.touch(max(blocks))
            with (
                window.part(half.offset, max(blocks)) as part,
                on_core(core, kernel, short_sleeps=False) as pinned,
            ):
                combined = region.info.cache.startswith(CacheMode.WRITE_COMBINED.value)
                access = RawAccess(kernel, options.slice_s, streaming=combined)
                run = _Run(np.frombuffer(part, np.uint8), access, window.check)
                try:
                    done = run.measure(blocks, claim, context)
                finally:
                    run.close()
            facts = conditions(
                region.info,
                lane,
                claim.slot.index,
                claim.card,
                None,
                pinned=core if pinned else None,
                started_s=started_s,
            )
        finally:
            claim.leave()
    return BandwidthResult(
        mode=region.info.spec.cache,
        cache=region.info.cache,
        engine=EngineKind.PYTHON if kernel is None else EngineKind.KERNEL,
        blocks=tuple(done),
        verdict=verdict(region.info, done),
        complete=len(done) == len(blocks),
        conditions=facts,
        notes=tuple(notes),
    )


def _fitting(blocks: tuple[int, ...], half: int) -> tuple[list[int], list[str]]:
    """Blocks that fit into the half, and what to say about the others."""
    fitting = [block for block in blocks if block <= half]
    if not fitting:
        raise LaneError(
            f"The lane has data areas of {format_size(half)}; no block fits in.",
            f"Lay one of {format_size(3 * min(blocks))} or more, or measure smaller blocks.",
        )
    others = [block for block in blocks if block > half]
    if not others:
        return fitting, []
    sizes = ", ".join(format_size(block) for block in others)
    return fitting, [f"Not measured, because the lane's data area is smaller: {sizes}."]


class _Run:
    """The mapping's block and our own, while they are measured."""

    def __init__(self, memory: U8, access: RawAccess, check: Callable[[], None]) -> None:
        self._memory: U8 | None = memory
        self._check = check
        self._access = access
        self._one, self._other = (aligned_bytes(len(memory)) for _ in range(2))
        self._one[:], self._other[:] = 1, 2

    def close(self) -> None:
        """Release the views of the mapping."""
        self._memory = None

    def measure(
        self,
        blocks: list[int],
        claim: SlotClaim,
        context: RunContext,
    ) -> list[BlockFigures]:
        """All sizes, or those that were done before it was cancelled."""
        done: list[BlockFigures] = []
        for number, block in enumerate(blocks):
            found: list[float] = []
            for what in (self._copies, self._words):
                if context.cancelled():
                    return done
                found += what(block, claim)
                self._check()
                share = (number + len(found) / 8) / len(blocks)
                context.progress(BandwidthLive(share, tuple(done)))
            done.append(BlockFigures(block, *found))
        return done

    def _copies(self, block: int, claim: SlotClaim) -> list[float]:
        """Bytes per second: read, written, copied inside, and in our own memory."""
        memory, half = self._memory, block // 2
        if memory is None:
            return []
        one, other = self._one[:block], self._other[:block]
        pairs = (
            (one, memory[:block], Toward.OUT_OF_MAPPING),
            (memory[:block], one, Toward.INTO_MAPPING),
            (memory[:half], memory[half : 2 * half], Toward.INSIDE),
            (one, other, Toward.INSIDE),
        )
        rates = []
        for to, source, toward in pairs:
            claim.beat()
            rates.append(len(source) / self._access.copy_ns(to, source, toward) * 1e9)
        return rates

    def _words(self, block: int, claim: SlotClaim) -> list[float]:
        """Nanoseconds: load, store, and the same in our own memory."""
        if self._memory is None:
            return []
        times = []
        for place in (self._memory[:block], self._one[:block]):
            for storing in (False, True):
                claim.beat()
                times.append(self._access.word_ns(place, storing=storing))
        return times


def verdict(info: RegionInfo, blocks: list[BlockFigures]) -> Verdict:
    """What the figures of the largest block say about the mapping."""
    if not blocks:
        return Verdict("Nothing was measured.")
    last = blocks[-1]
    read, write = last.read_bytes_per_s, last.write_bytes_per_s
    what = "BAR" if info.spec.kind in (RegionKind.BAR, RegionKind.WINDOWS) else "mapping"
    share = read / last.own_copy_bytes_per_s
    # Wide loads may read uncached memory at a good rate; each single one still goes out to it.
    first = min(blocks, key=lambda block: block.block_bytes)
    goes_out = first.load_ns >= _PAST_THE_CACHE * first.own_load_ns
    if read < UNCACHED_BYTES_PER_S or (goes_out and share < _LIKE_OWN):
        if write >= max(4 * UNCACHED_BYTES_PER_S, 2 * read):
            return Verdict(
                f"This {what} is write-combined: writing {_rate(write)}, reading {_rate(read)}.",
                f"Write here as much as you like, and read as little as you can. {_KVMFR}",
            )
        return Verdict(f"This {what} is uncached: {_rate(read)}.", _KVMFR)
    if share >= _LIKE_OWN:
        return Verdict(
            f"This {what} is cached: {_rate(read)}, {share * 100:.0f} % of what this machine's own "
            "memory gives."
        )
    return Verdict(
        f"This {what} reads at {_rate(read)}, {share * 100:.0f} % of this machine's own memory.",
        "It is not uncached; a busy machine or an emulated guest looks like this. Measure again.",
    )


_KVMFR: Final = (
    "The guest's cache mode is honoured on AMD, or with a passed-through GPU or other device: "
    "use kvmfr (/dev/kvmfr0), or the driver's cached mapping on Windows."
)


def _rate(bytes_per_s: float) -> str:
    if bytes_per_s >= 1e9:
        return f"{bytes_per_s / 1e9:.1f} GB/s"
    return f"{bytes_per_s / 1e6:.0f} MB/s"
