"""IVSHMEM Scope: an oscilloscope for memory that a QEMU host and its guests share.

Programs import it as `ivshmem_scope`, the name that it has when it is installed (in the tree of
the project it is `app`; all its own imports are relative):

    from ivshmem_scope import Host, Guest, list_devices, errors
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .version import __version__

if TYPE_CHECKING:
    from .core import errors
    from .core.library import Guest, Host, list_devices

__all__ = ["Guest", "Host", "__version__", "errors", "list_devices"]


def __getattr__(name: str) -> object:
    """The library's names, imported on first use: the window starts without them."""
    if name == "errors":
        return import_module(".core.errors", __name__)
    if name in {"Guest", "Host", "list_devices"}:
        return getattr(import_module(".core.library", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
