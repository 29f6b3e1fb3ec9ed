"""A responder in a process of its own, as a person would start it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from app.core.backends.open_region import open_region, spec_for
from app.core.measure.lane.hold import LaneLease, acquire_lane
from app.core.measure.lane.peer_card import EngineKind
from app.core.native.kernel import kernel
from app.core.region.region import Region

ROOT = Path(__file__).resolve().parents[3]


class PeerProcess:
    """`ivshmem-scope respond --json`; its states come line by line."""

    def __init__(
        self,
        path: Path,
        *options: str,
        environment: dict[str, str] | None = None,
        program: Sequence[str] = ("-m", "app"),
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *program, "respond", str(path), "--json", *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self.pid = self._process.pid
        self.states: list[dict[str, Any]] = []

    def wait_for(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read states until one fits."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.states.append(json.loads(line))
            if fits(self.states[-1]):
                return self.states[-1]
        assert self._process.stderr is not None
        raise AssertionError(f"it ended: {self.states} {self._process.stderr.read()}")

    def wait_phase(self, phase: str) -> dict[str, Any]:
        """Until it is in this phase."""
        return self.wait_for(lambda state: state["phase"] == phase)

    def send(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def wait(self) -> tuple[int, str]:
        """Until it ends by itself; its exit code and what it said on stderr."""
        out, err = self._process.communicate(timeout=30)
        self.states += [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        return self._process.returncode, err

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """End it; its exit code and what it said on stderr."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(number)
        return self.wait()


@contextmanager
def responding(path: Path, *options: str, **more: Any) -> Iterator[PeerProcess]:
    """A responder that listens."""
    peer = PeerProcess(path, *options, **more)
    try:
        peer.wait_phase("listening")
        yield peer
    finally:
        peer.end()


def opened(path: Path) -> Region:
    """The file as a writable region."""
    return open_region(spec_for(str(path)))


def need_kernel(engine: EngineKind = EngineKind.KERNEL) -> None:
    """Skip the test where it wants the C kernel and there is none."""
    if engine is EngineKind.KERNEL and kernel() is None:
        pytest.skip("no kernel here")


class Table:
    """A region, its lane, and the peer in another process that answers there."""

    def __init__(self, region: Region, hold: LaneLease, peer: PeerProcess) -> None:
        self.region = region
        self.hold = hold
        self.peer = peer
        self.said: list[str] = []


T = TypeVar("T", bound=Table)


@contextmanager
def laid(kind: type[T], path: Path, folder: Path) -> Iterator[T]:
    """A responder and its lane; afterwards the file is as it was, unless it was cut."""
    before = path.read_bytes()
    with responding(path) as peer:
        with opened(path) as region, acquire_lane(region, folder=folder / "ours") as hold:
            yield kind(region, hold, peer)
            intact = path.stat().st_size == len(before)
        code, errors = peer.end()
    if intact and code == 0 and "stay on disk" not in errors:
        assert path.read_bytes() == before
