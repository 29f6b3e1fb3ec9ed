"""Running the suite in two processes at once (`make test` does; see the Makefile).

Each process gets a /dev/shm of its own, so that neither finds the other's devices. That takes
root; without it the tests run one after the other, as they do without `-n`. A file's tests stay
together with their fixtures, and so do a rig's. The rigs come last, one in each process: three
processes at once starve a guest on two cores. Meanwhile the Windows executable is built out of what
the other tests leave of the processor; its tests wait for it, or build it where that failed.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

_CLONE_NEWNS = 0x00020000  # unshare(2)
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000  # mount(2)
_WORKERS = 2
_RIGS = ("tests/rigs/windows/", "tests/rigs/linux/")  # the longer one first
_AHEAD = pytest.StashKey[subprocess.Popen[bytes]]()
_BUILD = "from tests.rigs.windows.exe import build_exe; build_exe()"


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Several, where each can have its own shared memory."""
    return _WORKERS if sys.platform == "linux" and os.geteuid() == 0 and _may_unshare() else 0


def pytest_configure(config: pytest.Config) -> None:
    """In a worker: own shared memory, before anything is opened in it."""
    if hasattr(config, "workerinput"):
        _own_shared_memory()


def pytest_sessionstart(session: pytest.Session) -> None:
    """For a whole run: begin with the executable."""
    config = session.config
    chosen = config.option.keyword or config.option.markexpr
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not chosen
    if whole and getattr(config.option, "numprocesses", None):
        config.stash[_AHEAD] = subprocess.Popen(
            ["nice", "-n", "10", sys.executable, "-c", _BUILD],
            cwd=config.rootpath,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Nobody waits for it any more."""
    ahead = session.config.stash.get(_AHEAD, None)
    if ahead is not None:
        ahead.terminate()
        ahead.wait()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """A file's tests go to one process, and so do all of a rig."""
    return _Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The rigs last."""
    items.sort(key=lambda item: _rig(item.nodeid))


class _Scheduling(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        rig = _rig(nodeid)
        return _RIGS[rig] if rig >= 0 else nodeid.partition("::")[0]


def _rig(nodeid: str) -> int:
    """Which of the rigs a test needs; -1 for none."""
    return next((at for at, rig in enumerate(_RIGS) if nodeid.startswith(rig)), -1)


def _may_unshare() -> bool:
    child = os.fork()
    if child == 0:
        try:
            _own_shared_memory()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def _own_shared_memory() -> None:
    system = ctypes.CDLL(None, use_errno=True)
    for done in (
        system.unshare(_CLONE_NEWNS),
        system.mount(b"none", b"/", None, ctypes.c_ulong(_MS_REC | _MS_PRIVATE), None),
        system.mount(b"tmpfs", b"/dev/shm", b"tmpfs", ctypes.c_ulong(0), b"mode=1777"),
    ):
        if done != 0:
            raise OSError(ctypes.get_errno(), "no shared memory of our own")
