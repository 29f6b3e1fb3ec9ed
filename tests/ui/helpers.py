"""What the tests of the window share: sessions on real memory, keys, pixels."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.core.engine.process import EngineProcess
from app.core.region.region import RegionKind, RegionSpec
from app.ui.session.session import Session

ShmFile = Callable[..., Path]
OpenSession = Callable[..., Session]
WAIT_MS = 10_000


def spec_of(path: Path | str, *, read_only: bool = False) -> RegionSpec:
    return RegionSpec(RegionKind.FILE, str(path), read_only=read_only)


MakeEngine = Callable[[], EngineProcess]


class SpareEngines:
    """Engine processes that are started before they are wanted, as the program starts one.

    A child starts within a third of a second; one that was started during the test before costs
    the next test nothing.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._spares: list[EngineProcess] = []
        self._state: tempfile.TemporaryDirectory[str] | None = None

    def refill(self) -> None:
        """Start what is missing; between two tests, as its threads outlive this one."""
        self._spares = [spare for spare in self._spares if spare.serves]
        with pytest.MonkeyPatch.context() as patch:
            if self._state is None:
                self._state = tempfile.TemporaryDirectory(prefix="ivshmem-scope-engines-")
            for name in ("CONFIG", "STATE", "CACHE", "DATA"):  # never the person's own
                patch.setenv(f"XDG_{name}_HOME", f"{self._state.name}/{name.lower()}")
            self._spares += [EngineProcess() for _ in range(self._count - len(self._spares))]

    def take(self) -> EngineProcess:
        """A warm one, or a new one when more are wanted than were started."""
        return self._spares.pop(0) if self._spares else EngineProcess()

    def close(self) -> None:
        """End those that nobody took."""
        for spare in self._spares:
            spare.close()
        self._spares.clear()
        if self._state is not None:
            self._state.cleanup()


class Sessions:
    """Makes sessions, each with an engine process of its own, and ends them all."""

    def __init__(self, qtbot: QtBot, engine: MakeEngine) -> None:
        self._qtbot = qtbot
        self._engine = engine
        self.made: list[Session] = []

    def make(self, spec: RegionSpec, engine: MakeEngine | None = None) -> Session:
        session = Session(spec, engine or self._engine)
        self.made.append(session)
        return session

    def open(
        self, path: Path, engine: MakeEngine | None = None, *, read_only: bool = False
    ) -> Session:
        """Started, opened, and with a first Frame."""
        session = self.make(spec_of(path, read_only=read_only), engine)
        session.start()
        self._qtbot.waitUntil(
            lambda: session.info is not None and session.frame is not None, timeout=WAIT_MS
        )
        return session

    def end(self) -> None:
        for session in self.made:
            session.close()
        for session in self.made:
            assert session.join(10), "an engine did not end"
            session.deleteLater()


def show(qtbot: QtBot, widget: QWidget, width: int, height: int) -> None:
    """Put it on the screen in this size, until the test ends."""
    widget.resize(width, height)
    qtbot.addWidget(widget)
    widget.show()
    qtbot.waitExposed(widget)


def bury(*widgets: QWidget) -> None:
    """Close and delete now: what lives on makes every change of style slower."""
    for widget in widgets:
        widget.close()
        widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def poke(path: Path, offset: int, data: bytes) -> None:
    """Write as a peer does: into the same file, without a word to anybody."""
    handle = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(handle, data, offset)
    finally:
        os.close(handle)


def peek(path: Path, offset: int, length: int) -> bytes:
    handle = os.open(path, os.O_RDONLY)
    try:
        return os.pread(handle, length, offset)
    finally:
        os.close(handle)


def pixels(picture: QWidget | QImage) -> npt.NDArray[np.uint8]:
    """(height, width, 4) BGRA of what a widget shows."""
    image = picture.grab().toImage() if isinstance(picture, QWidget) else picture
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    flat = np.frombuffer(image.constBits(), np.uint8)
    return flat.reshape(image.height(), image.bytesPerLine() // 4, 4)[:, : image.width()].copy()


def colors(picture: QWidget | QImage) -> int:
    """How many different colours are in it."""
    return len(np.unique(pixels(picture).view(np.uint32)))
