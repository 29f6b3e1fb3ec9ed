"""Which doorbell a test waits for, or why there is none here."""

from __future__ import annotations

import logging
from typing import Final

from ...errors import MeasureOptionError, ScopeError
from ...native.kernel import Wait
from ...region.doorbell import ANSWERS, MEASURES, DeviceBell
from ...region.region import Region, RegionKind

_INSTEAD: Final = "Wait by poll instead: it leaves the core to others too."
_FILE: Final = (
    "A file has no doorbell: QEMU's rings clients of its ivshmem-server only, and this program "
    "maps the file itself."
)
_LINUX: Final = (
    "There is no doorbell to wait for here: a Linux guest can ring, but is rung only through "
    "vfio or uio, which this program does not use."
)
_PLAIN: Final = "This device has no doorbell: it is a plain one, without interrupt vectors."
_WHY: Final = {
    RegionKind.FILE: (_FILE, _INSTEAD),
    RegionKind.BAR: (_LINUX, _INSTEAD),
    RegionKind.KVMFR: (_LINUX, _INSTEAD),
    RegionKind.WINDOWS: (
        _PLAIN,
        "Wait by poll instead, or give the VM an ivshmem-doorbell device with vectors.",
    ),
}
log = logging.getLogger(__name__)


def measuring_bell(region: Region, wait: Wait) -> DeviceBell | None:
    """The doorbell that a test with this wait mode needs; None when it needs none.

    Raises:
        MeasureOptionError: There is none; the sentence says why.
        DriverError: The driver refused to register the event.
    """
    if wait is not Wait.BELL:
        return None
    bell = region.bell(MEASURES)
    if bell is None:
        raise MeasureOptionError(*_WHY[region.info.spec.kind])
    return bell


def answering_bell(region: Region) -> DeviceBell | None:
    """The doorbell of a responder; None: it supports the other wait modes only."""
    try:
        return region.bell(ANSWERS)
    except ScopeError as error:
        log.warning("No doorbell here: %s", error)
        return None
