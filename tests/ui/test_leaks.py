"""Opened and closed again and again: threads, descriptors, maps, widgets and children as before."""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.engine.process import EngineProcess
from app.core.storage.settings import Settings
from app.ui.main_window import MainWindow
from app.ui.session.session import Session
from app.ui.style.theme import DARK
from tests.ui.helpers import WAIT_MS, ShmFile, bury, spec_of


def held(path: Path) -> dict[str, int]:
    """What this process holds."""
    for _ in range(3):
        gc.collect()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    process = psutil.Process()
    maps = Path("/proc/self/maps").read_text()
    return {
        "threads": threading.active_count(),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "maps of the region": maps.count(path.name),
        "maps of shared memory": maps.count("/dev/shm/"),
        "children": len([c for c in process.children() if c.status() != psutil.STATUS_ZOMBIE]),
        "windows": len(QApplication.topLevelWidgets()),
        "sessions": sum(isinstance(thing, Session) for thing in gc.get_objects()),
    }


def new_window(path: Path) -> MainWindow:
    window = MainWindow(lambda spec: Session(spec, EngineProcess), Settings(path / "none"), DARK)
    window.show()
    return window


def cycle(qtbot: QtBot, path: Path, window: MainWindow | None) -> None:
    """Open a region in a window (a new one, or the same again), see it, close."""
    own = window is None
    if window is None:
        window = new_window(path)
    session = window.open(spec_of(path))
    qtbot.waitUntil(lambda: session.frame is not None, timeout=WAIT_MS)
    if own:
        bury(window)
    else:
        window.close_region()
    assert session.join(10)
    session.deleteLater()


@pytest.mark.parametrize(
    ("own_window", "times"), [(True, 6), (False, 8)], ids=["new windows", "one window"]
)
def test_nothing_is_left_behind(
    qtbot: QtBot, shm_file: ShmFile, own_window: bool, times: int
) -> None:
    path = shm_file(65536)
    window = None if own_window else new_window(path)
    cycle(qtbot, path, window)
    cycle(qtbot, path, window)  # what is made once and kept is there now
    before = held(path)
    for _ in range(times):
        cycle(qtbot, path, window)
    qtbot.waitUntil(lambda: held(path)["children"] <= before["children"], timeout=WAIT_MS)
    after = held(path)
    if window is not None:
        bury(window)
    grown = {name: (before[name], now) for name, now in after.items() if now > before[name]}
    assert not grown
    assert after["maps of the region"] == 0
