"""Opening a Region: from a text that a person typed to a spec, and from a spec to a Region."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from ..errors import CannotFindError, UnsuitableError
from ..region.pci_address import PciAddress
from ..region.region import Region, RegionKind, RegionSpec


def spec_for(text: str) -> RegionSpec:
    """A path, a PCI address in either form, a kvmfr node or a Windows interface path as a spec.

    A path is taken as it was typed: a name may begin or end with a blank.

    Raises:
        CannotFindError: Nothing was typed.
    """
    bare = text.strip()
    if not bare and not (text and Path(text).exists()):
        raise CannotFindError("Nothing was named.", "Give a path or a PCI address.")
    if bare.startswith("\\\\?\\") and "#" in bare:
        return RegionSpec(RegionKind.WINDOWS, bare)
    if re.fullmatch(r"/dev/kvmfr\d+", text):
        return RegionSpec(RegionKind.KVMFR, text)
    if "/" not in text and "\\" not in text and not Path(text).exists():
        try:
            address = PciAddress.parse(text)
        except CannotFindError:
            return RegionSpec(RegionKind.FILE, text)
        kind = RegionKind.WINDOWS if sys.platform == "win32" else RegionKind.BAR
        return RegionSpec(kind, str(address))
    return RegionSpec(RegionKind.FILE, text)


def open_region(spec: RegionSpec) -> Region:
    """Open it with the backend of its kind. Raises the ScopeErrors of that backend."""
    if spec.kind is RegionKind.WINDOWS:
        from .windows.bar import open_windows_bar

        return open_windows_bar(spec)
    if sys.platform == "win32":
        if spec.kind is RegionKind.FILE:
            from .windows_file import open_windows_file

            return open_windows_file(spec)
        raise UnsuitableError(
            f"{spec.location} is reached by {spec.kind.value}, which only Linux has.",
            "Name the device by its PCI address, or choose it in the list.",
        )
    else:  # noqa: RET506 - the type checker reads platforms by branches
        if spec.kind is RegionKind.BAR:
            from .linux_bar import open_bar

            return open_bar(spec)
        if spec.kind is RegionKind.KVMFR:
            from .kvmfr import open_kvmfr

            return open_kvmfr(spec)
        from .shared_file import open_shared_file

        return open_shared_file(spec)
