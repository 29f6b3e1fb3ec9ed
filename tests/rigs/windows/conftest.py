"""The machine that the Windows tests share, and the results of the tests that ran inside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.windows.build import CannotBuildError, Layers, build
from tests.rigs.windows.machine import Device

collect_ignore = ["in_wine"]


@pytest.fixture(scope="session")
def layers() -> Layers:
    """The rig's layers; where they cannot be built the tests are skipped, and fail under CI."""
    try:
        return build()
    except CannotBuildError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def memory() -> Iterator[list[Path]]:
    """The Linux side of the two devices: 64 MiB and 1 MiB."""
    files = [Path(f"/dev/shm/ivshmem-rig-{os.getpid()}-{name}") for name in ("a", "b")]
    for file, size in zip(files, (64 << 20, 1 << 20), strict=True):
        with file.open("wb") as opened:
            opened.truncate(size)
    yield files
    for file in files:
        file.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def devices(memory: list[Path]) -> list[Device]:
    """Two doorbell devices: bus 0, and bus 12 device 31."""
    return [
        Device(memory[0], 64 << 20, bus=0, device=1, peer=3, vectors=2),
        Device(memory[1], 1 << 20, bus=12, device=31, peer=4, vectors=2),
    ]
