"""What all tests share: no screen, own settings, real shared memory, nothing left behind."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import signal
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import app
from tests.side_by_side import (  # noqa: F401 - hooks
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_sessionfinish,
    pytest_sessionstart,
    pytest_xdist_auto_num_workers,
    pytest_xdist_make_scheduler,
)

# A shell that is no terminal starts `pytest &` with SIGINT ignored, and children inherit that: none
# could be interrupted. A signal with a handler is at its default in every child that is started.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Examples import the installed name; inside a test it is the tree's own modules.
sys.modules["ivshmem_scope"] = app


@pytest.fixture(autouse=True)
def _own_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A person's settings never leak in."""
    for name in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / f"xdg-{name.lower()}"))


@pytest.fixture(autouse=True)
def _no_threads_left() -> Iterator[None]:
    """A thread that outlives its test is a leak."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(3)
        assert not thread.is_alive(), f"thread {thread.name} was left running"


@pytest.fixture
def shm_file() -> Iterator[Callable[..., Path]]:
    """Makes files in /dev/shm, and removes them."""
    made: list[Path] = []

    def make(size: int = 65536, name: str | None = None, fill: bytes | None = None) -> Path:
        path = Path("/dev/shm") / (name or f"scope-test-{uuid.uuid4().hex[:12]}")
        made.append(path)
        with path.open("wb") as file:
            if fill:
                file.write((fill * (size // len(fill) + 1))[:size])
            file.truncate(size)
        return path

    yield make
    for path in made:
        path.unlink(missing_ok=True)
