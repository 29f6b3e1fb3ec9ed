"""What the tests of the measurements share."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.measure.lane.peer_card import EngineKind
from app.core.native.kernel import kernel


@pytest.fixture(params=["kernel", "python", "python alone"])
def loops(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> EngineKind:
    """Every engine there is, and Python where the kernel was not built."""
    if request.param == "kernel" and kernel() is None:
        pytest.skip("no kernel was built")
    if request.param == "python alone":
        monkeypatch.setenv("IVSHMEM_SCOPE_KERNEL", "0")
    return EngineKind.KERNEL if request.param == "kernel" else EngineKind.PYTHON


@pytest.fixture
def path(shm_file: Callable[..., Path]) -> Path:
    """A file with something in every byte."""
    return shm_file(1 << 20, fill=random.Random(2).randbytes(1 << 20))
