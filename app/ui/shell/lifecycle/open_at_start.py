"""Which device a fresh start opens, so that living memory is the first thing that is seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ....core.health import Level
from ....core.protocols.demo_layout import PREFIX as DEMO_PREFIX

if TYPE_CHECKING:
    from ....core.discovery.finder import Device, DeviceList
    from ....core.region.region import RegionSpec

SETTING: Final = "open_at_start"


def device_at_start(found: DeviceList, recent: Iterable[object]) -> RegionSpec | None:
    """The only healthy device; of several the one that was open last; else None.

    A demo is never opened so: it is another program's, and ends with it.

    Args:
        found: What discovery found.
        recent: Regions that were open, newest first, as `kind:location`.
    """
    known = {f"{one.kind.value}:{one.location}": one.spec for one in found.devices if _fits(one)}
    if len(known) == 1:
        return next(iter(known.values()))
    return next((known[text] for text in recent if isinstance(text, str) and text in known), None)


def _fits(device: Device) -> bool:
    name = device.location.rsplit("/", 1)[-1]
    healthy = device.likely_shared and device.health.level is Level.GOOD
    return healthy and not name.startswith(DEMO_PREFIX)
