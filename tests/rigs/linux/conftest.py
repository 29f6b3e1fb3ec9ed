"""One boot serves all tests of the Linux guest."""

from __future__ import annotations

import compileall
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.linux.build import RigError, build
from tests.rigs.linux.guest import ROOT, Guest, Shared

# Each run has its own: two may go on at once.
BIG, SMALL = (Path(f"/dev/shm/ivshmem-scope-rig-{size}-{os.getpid()}") for size in (64, 1))


@pytest.fixture(scope="package")  # it ends with these tests, and costs the next ones nothing
def guest() -> Iterator[Guest]:
    """A guest with two devices: 64 MiB, then 1 MiB."""
    for path in BIG.parent.glob("ivshmem-scope-rig-*"):
        if not Path(f"/proc/{path.name.rpartition('-')[2]}").exists():  # its run was killed
            path.unlink(missing_ok=True)
    # The guest reads this checkout: what is compiled here it need not compile, ten times slower.
    compileall.compile_dir(ROOT / "app", quiet=2)
    try:
        running = Guest(build(), [Shared(BIG, 64), Shared(SMALL, 1)])
    except RigError as error:
        if os.environ.get("CI"):
            pytest.fail(f"the Linux guest rig must work here: {error}")
        pytest.skip(str(error))
    try:
        yield running
    finally:
        running.stop()
        for path in (BIG, SMALL):
            path.unlink(missing_ok=True)


@pytest.fixture
def big() -> Path:
    """The host's file behind the 64 MiB device."""
    return BIG


@pytest.fixture
def small() -> Path:
    """The host's file behind the 1 MiB device."""
    return SMALL
