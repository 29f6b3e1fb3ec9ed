"""Engines for windows: a child process per region, and one for all windows on a Windows device.

The Windows driver gives one mapping per device, so a second window's engine in a process of its
own would be refused (548) because of our own first one. It becomes a client of the first instead.
"""

from __future__ import annotations

from ..region.region import RegionKind, RegionSpec
from .process import EngineProcess


class EnginePool:
    """Hands out engines; used by the window's thread only.

    Args:
        spare: A child that was started early, for the first window.
    """

    def __init__(self, spare: EngineProcess | None = None) -> None:
        self._spare = spare
        self._clients: dict[str, list[EngineProcess]] = {}

    def engine_for(self, spec: RegionSpec) -> EngineProcess:
        """An engine that has not opened anything yet."""
        key = sharing_key(spec)
        if not key:
            return self._child()
        clients = [client for client in self._clients.get(key, []) if client.serves]
        beside = next(
            (new for client in clients if (new := EngineProcess.share_process(client))), None
        )
        taken = beside or self._child()
        self._clients[key] = [*clients, taken]
        return taken

    def close(self) -> None:
        """End the spare child, if it was not used."""
        if self._spare is not None:
            self._spare.close()

    def _child(self) -> EngineProcess:
        spare, self._spare = self._spare, None
        return spare if spare is not None and spare.serves else EngineProcess()


def sharing_key(spec: RegionSpec) -> str:
    """Windows with the same key share one process; empty where each may have its own mapping."""
    if spec.kind is not RegionKind.WINDOWS:
        return ""
    from ..backends.windows.bar import interface_path

    return interface_path(spec.location).lower()
