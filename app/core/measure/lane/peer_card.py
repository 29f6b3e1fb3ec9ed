"""The peer on a side of a slot: its PRESENCE and NAME lines, parsed from any bytes."""

from __future__ import annotations

import contextlib
import os
import platform
import struct
import sys
import zlib
from dataclasses import dataclass, replace
from enum import Enum, IntFlag
from pathlib import Path
from typing import Final

from ....version import __version__
from ...region.doorbell import BellAddress, DeviceBell
from ...region.region import RegionInfo
from .layout import LINE, MINOR, new_token

NAME_SIZE: Final = 64
VERSION_SIZE: Final = 32
BEAT_WORD: Final = 1
TOUCHED_WORD: Final = 7
_PRESENCE: Final = struct.Struct("<3Q8B5Q")
_MOST: Final = 0xFFFF
_made: Final[set[int]] = set()  # tokens of this process
_SYSTEMS: Final = ("", "host", "guest")
_PLATFORMS: Final = ("", "Linux", "Windows")
_CACHES: Final = ("", "cached", "uncached", "write-combined")


class Capability(IntFlag):
    """The tests that a responder supports; a reader ignores bits that it does not know."""

    NONE = 0
    ECHO = 1
    TRANSFER = 2
    FLASH = 4
    DOORBELL = 8
    KERNEL = 16  # its loops run in the C kernel
    MAPPED = 32  # it can run loops on the mapping at all


class EngineKind(Enum):
    """What ran a loop."""

    PYTHON = "python"
    KERNEL = "kernel"


@dataclass(frozen=True, slots=True)
class PeerCard:
    """One peer, as it describes itself.

    Attributes:
        token: Random, new at each start, never 0.
        beat: Its heartbeat, which counts up while it runs. Clocks are not compared.
        capabilities: The tests that it supports.
        system: `host`, `guest` or empty.
        platform: `Linux`, `Windows` or empty.
        cache: How its mapping is cached; empty when unknown.
        minor: Its minor protocol version.
        pid: Its process id, in its own system.
        boot: Equal on both sides (and not 0): the same running system, and so one clock.
        touched: Bytes at the start of its data half that were ever written.
        name: Computer name.
        version: Program version.
        bell: Address of its doorbell; None where it has none.
    """

    token: int
    beat: int = 0
    capabilities: Capability = Capability.NONE
    system: str = ""
    platform: str = ""
    cache: str = ""
    minor: int = MINOR
    pid: int = 0
    boot: int = 0
    touched: int = 0
    name: str = ""
    version: str = ""
    bell: BellAddress | None = None

    @property
    def process(self) -> str:
        """System and process id, which distinguish two peers on one computer."""
        head = " ".join(part for part in (self.system, self.name) if part) or "a peer"
        return f"{head} (process {self.pid})" if self.pid else head

    def __str__(self) -> str:
        head = " ".join(part for part in (self.system, self.name) if part) or "a peer"
        cache = f"{self.cache} mapping" if self.cache else ""
        version = f"scope {self.version}" if self.version else ""
        return ", ".join(part for part in (head, self.platform, version, cache) if part)


def build_card(card: PeerCard) -> bytes:
    """The presence and the name line."""
    presence = _PRESENCE.pack(
        card.token,
        card.beat & (1 << 64) - 1,
        int(card.capabilities),
        _code(_SYSTEMS, card.system),
        _code(_PLATFORMS, card.platform),
        _code(_CACHES, card.cache),
        *bytes(5),
        card.minor,
        card.pid,
        card.boot,
        card.touched,
        _bell_word(card.bell),
    )
    name = _text(card.name, NAME_SIZE) + _text(card.version, VERSION_SIZE)
    return presence.ljust(LINE, b"\0") + name.ljust(LINE, b"\0")


def parse_card(data: bytes) -> PeerCard | None:
    """The card in these 256 bytes; None when the side is free.

    Any bytes give a PeerCard or None: unknown codes become empty texts, and a name that is not
    UTF-8 gets replacement characters.
    """
    if len(data) < LINE + NAME_SIZE + VERSION_SIZE:
        return None
    token, beat, capabilities, system, where, cache, *_, minor, pid, boot, touched, bell = (
        _PRESENCE.unpack_from(data)
    )
    if not token:
        return None
    known = Capability(capabilities & sum(Capability))
    return PeerCard(
        token,
        beat,
        known,
        _word(_SYSTEMS, system),
        _word(_PLATFORMS, where),
        _word(_CACHES, cache),
        minor,
        pid,
        boot,
        touched,
        _read_text(data[LINE : LINE + NAME_SIZE]),
        _read_text(data[LINE + NAME_SIZE : LINE + NAME_SIZE + VERSION_SIZE]),
        _read_bell(bell),
    )


def own_card(
    info: RegionInfo,
    capabilities: Capability = Capability.NONE,
    bell: DeviceBell | None = None,
) -> PeerCard:
    """The card of this process for a region that it has open."""
    if bell is not None:
        capabilities |= Capability.DOORBELL
    token = new_token()
    _made.add(token)
    return replace(
        _machine_card(),
        token=token,
        capabilities=capabilities,
        system=info.system,
        cache=_cache_of(info),
        bell=bell.address if bell else None,
    )


def is_ours(card: PeerCard | None) -> bool:
    """Whether a card was made by this process, by its token; works without a boot number, too."""
    return card is not None and card.token in _made


def boot_number() -> int:
    """A number that only processes of this running system have; 0 when there is none."""
    text = ""
    # On Windows two processes count as having two clocks, which is safe. Under Wine the file
    # could be read, but the clocks are others all the same.
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    return zlib.crc32(text.encode()) << 31 | 1 if text else 0


def _machine_card() -> PeerCard:
    where = {"linux": "Linux", "win32": "Windows"}.get(sys.platform, "")
    return PeerCard(
        new_token(),
        platform=where,
        pid=os.getpid(),
        boot=boot_number(),
        name=platform.node(),
        version=__version__,
    )


def _cache_of(info: RegionInfo) -> str:
    if not info.cache:
        return "cached"  # a file: the page cache itself
    first = info.cache.lower()
    return next((word for word in ("write-combined", "uncached", "cached") if word in first), "")


def _bell_word(bell: BellAddress | None) -> int:
    """Peer + 1, as 0 is a peer's number too, and in the upper half the vector."""
    return 0 if bell is None else bell.peer + 1 | bell.vector << 32


def _read_bell(word: int) -> BellAddress | None:
    peer, vector = (word & (1 << 32) - 1) - 1, word >> 32
    return BellAddress(peer, vector) if 0 <= peer <= _MOST and vector <= _MOST else None


def _code(table: tuple[str, ...], text: str) -> int:
    return table.index(text) if text in table else 0


def _word(table: tuple[str, ...], code: int) -> str:
    return table[code] if code < len(table) else ""


def _text(text: str, size: int) -> bytes:
    data = text.encode("utf-8", "replace")[:size]
    return data.decode("utf-8", "ignore").encode().ljust(size, b"\0")


def _read_text(data: bytes) -> str:
    text = data.split(b"\0")[0].decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
