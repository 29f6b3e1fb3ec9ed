"""The conditions under which a figure was measured, and reasons not to trust it."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped]

from ...version import __version__
from ..errors import MeasureOptionError
from ..region.region import RegionInfo
from ..storage.logs import describe_system
from .lane.layout import Lane
from .lane.peer_card import PeerCard

_BUSY: Final = 0.3  # a core of which other programs use more than this share is not free


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a result must carry to be compared with another.

    Attributes:
        region: The region's name.
        kind: File, BAR, kvmfr or Windows driver.
        cache: Cache mode in force, in words; empty for files.
        region_size_bytes: Its size.
        lane_offset_bytes: The lane's place.
        slot: The slot's number.
        system: Operating system and Python.
        processor: The processor's name.
        cores: Cores that this process may use.
        load: Load average of the last minute; -1 where the system has none.
        pinned: The core of the measuring thread; -1 when it was not kept on one.
        version: Version of this program.
        us: Who we are.
        peer: Who answered.
        started_s: When, in seconds since 1970.
    """

    region: str
    kind: str
    cache: str
    region_size_bytes: int
    lane_offset_bytes: int
    slot: int
    system: str
    processor: str
    cores: int
    load: float
    pinned: int
    version: str
    us: str
    peer: str
    started_s: float


def conditions(
    info: RegionInfo,
    lane: Lane,
    slot: int,
    us: PeerCard,
    peer: PeerCard | None,
    *,
    pinned: int | None,
    started_s: float,
) -> Conditions:
    """The conditions on this machine now."""
    load = psutil.getloadavg()[0] if sys.platform != "win32" else -1.0
    return Conditions(
        region=info.name,
        kind=info.spec.kind.value,
        cache=info.cache,
        region_size_bytes=info.size,
        lane_offset_bytes=lane.offset,
        slot=slot,
        system=describe_system(),
        processor=processor_name(),
        cores=len(usable_cores()),
        load=load,
        pinned=-1 if pinned is None else pinned,
        version=__version__,
        us=str(us),
        peer=str(peer),
        started_s=started_s,
    )


def processor_name() -> str:
    """The processor as the system calls it. platform.processor() asks WMI on Windows: avoid it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return os.environ.get("PROCESSOR_IDENTIFIER", "") or platform.machine()
    names = (line.split(":", 1)[1].strip() for line in text.splitlines() if "model name" in line)
    return next(names, platform.machine())


def usable_cores() -> list[int]:
    """The cores that this process may use."""
    cores = set(range(os.cpu_count() or 1))
    if sys.platform != "win32":
        cores = os.sched_getaffinity(0)
    return sorted(cores)


def free_cores(look_s: float = 0.1) -> list[int]:
    """Usable cores that are not busy, the idlest first; measures for `look_s` seconds."""
    shares = psutil.cpu_percent(interval=look_s, percpu=True)
    usable = [core for core in usable_cores() if core < len(shares)]
    free = [core for core in usable if shares[core] <= 100 * _BUSY]
    return sorted(free, key=lambda core: float(shares[core]))


def choose_core(wanted: str, idlest: Callable[[], list[int]] = free_cores) -> int | None:
    """A core from what a person wrote: empty is none, `auto` the idlest, or a number.

    Raises:
        MeasureOptionError: There is no such core, or it may not be used.
    """
    if not wanted:
        return None
    if wanted == "auto":
        return next(iter(idlest()), None)
    usable = usable_cores()
    if not wanted.isdecimal() or int(wanted) not in usable:
        raise MeasureOptionError(
            f"{wanted!r} is no core that this process may use.",
            f"It may use {', '.join(map(str, usable))}; `auto` takes the idlest.",
        )
    return int(wanted)


def spinner_warning(
    *, ours: bool, peers: bool, us: PeerCard, peer: PeerCard | None, cores: int
) -> str:
    """A plain sentence when loops that spin must share cores; empty when all is well."""
    same_machine = peer is not None and (
        (us.boot != 0 and us.boot == peer.boot) or (us.system, peer.system) == ("host", "guest")
    )
    spinners = int(ours) + int(peers and same_machine)
    if not spinners or cores > spinners:
        return ""
    loops = "Two loops spin" if spinners > 1 else "One loop spins"
    have = "1 core" if cores == 1 else f"{cores} cores"
    return (
        f"{loops} on {have} that everything else here shares: above the median this shows the "
        "scheduler, not the memory. Use the wait mode poll, or a machine with more cores."
    )
