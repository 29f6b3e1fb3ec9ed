"""Where Looking Glass keeps what: LGMP by version, KVMFR behind it, and the recovery area.

LGMP (gnif/LGMP, lgmp/src/headers.h) is the transport and KVMFR (LookingGlass,
common/include/common/KVMFR.h) the user data in its header. The place of LGMP's magic changed with
its version: 0 up to version 8, 8 in version 9, behind five queues in version 10. Newer hosts keep
a recovery area of 64 KiB at the region's end, outside LGMP (common/KVMFRRecovery.h), whose
heartbeat beats every 250 ms.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

LGMP_MAGIC: Final = b"LGMP"  # u32 0x504d474c, then u32 version
LGMP_NEWEST: Final = 64  # versions 1 to 12 were seen; leave room, refuse noise
KVMFR_MAGIC: Final = b"KVMFR---"
RECOVERY_MAGIC: Final = b"KVMFRRCV"
RECOVERY_BYTES: Final = 64 << 10
SEARCHED: Final = 64 << 10
"""Bytes from the start in which the magic of any version is looked for."""

_MAGIC_AT: Final = {9: 8, 10: 8064}  # versions before lie at 0; later ones are searched
_USER_DATA_AT: Final = {
    2: 1636, 3: 5076, 4: 5116, 5: 5756, 6: 5756, 7: 5748, 8: 7788, 9: 8068, 10: 8084,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LgmpHeader:
    """LGMP's header as far as it is the same in all versions.

    Attributes:
        offset: Of the magic, in bytes from the region's start.
        version: 1 to LGMP_NEWEST.
    """

    offset: int
    version: int

    @property
    def user_data(self) -> int | None:
        """Offset of the user data, which is KVMFR in Looking Glass; None when unknown."""
        return _USER_DATA_AT.get(self.version)


def find_lgmp(start: bytes) -> LgmpHeader | None:
    """LGMP's header in the first bytes of a region: where its version keeps it, else anywhere.

    A magic at the place of another version counts only when no version stands at its own place.
    """
    found = [header for at in _places(start) if (header := _header(start, at))]
    own = (header for header in found if header.offset == _MAGIC_AT.get(header.version, 0))
    return next(own, found[0] if found else None)


def _places(start: bytes) -> list[int]:
    places, at = [], start.find(LGMP_MAGIC)
    while at >= 0:
        if at % 4 == 0:
            places.append(at)
        at = start.find(LGMP_MAGIC, at + 1)
    return places


def _header(start: bytes, at: int) -> LgmpHeader | None:
    if at + 8 > len(start):
        return None
    (version,) = struct.unpack_from("<I", start, at + 4)
    return LgmpHeader(at, version) if 0 < version <= LGMP_NEWEST else None


def kvmfr_version(data: bytes, at: int = 0) -> int | None:
    """The version of the KVMFR header at `at`; None when there is none."""
    if data[at : at + len(KVMFR_MAGIC)] != KVMFR_MAGIC or at + 12 > len(data):
        return None
    (version,) = struct.unpack_from("<I", data, at + 8)
    return int(version)


def recovery_offset(region_size: int) -> int | None:
    """Where a recovery area would lie; None in a region that is too small for one."""
    return region_size - RECOVERY_BYTES if region_size > RECOVERY_BYTES else None
