"""`--self-test REPORT.json`: does this installation work, step by step, with the real window.

Each step is reported with its status and its time; the report is JSON, so that a build machine can
check an executable without a screen. The exit code is 0 only when every step passed.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .core.errors import StorageError
from .core.storage.atomic_file import write_text
from .core.storage.logs import describe_system
from .version import __version__

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from .core.demo.starter import Demo
    from .ui.main_window import MainWindow

_WAIT_S: Final = 20.0
_PACKAGES: Final = ("PySide6-Essentials", "pyqtgraph", "numpy", "xxhash", "psutil", "platformdirs")


@dataclass(slots=True)
class Step:
    """One step of the report."""

    name: str
    status: str = "not reached"
    seconds: float = 0.0
    detail: str = ""


class SelfTest:
    """Runs the steps; a step that needs a failed one before it fails too, and says so."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._qt: QApplication | None = None
        self._demo: Demo | None = None
        self._window: MainWindow | None = None

    def run(self) -> bool:
        """All steps; whether each passed."""
        todo: tuple[tuple[str, Callable[[], str]], ...] = (
            ("packages load", self.packages),
            ("resources are there", self.resources),
            ("devices are listed", self.devices),
            ("demo region starts", self.demo),
            ("window opens and shows living memory", self.window),
            ("a write lands and is undone", self.write),
            ("plots and picture vary", self.picture),
            ("everything closes", self.close),
        )
        for name, step in todo:
            with self._step(name) as record:
                record.detail = step()
        return all(step.status == "passed" for step in self.steps)

    @contextmanager
    def _step(self, name: str) -> Iterator[Step]:
        record = Step(name)
        self.steps.append(record)
        start = time.perf_counter()
        try:
            yield record
            record.status = "passed"
        except Exception:  # noqa: BLE001 - whatever it is, it belongs into the report
            record.status = "failed"
            record.detail = traceback.format_exc(limit=4)
        record.seconds = round(time.perf_counter() - start, 3)

    # -- steps -------------------------------------------------------------------------------------

    def packages(self) -> str:
        """Everything that we ship can be imported."""
        import numpy as np
        import pyqtgraph as pg
        import xxhash

        found = {"numpy": np.__version__, "pyqtgraph": pg.__version__, "xxhash": xxhash.VERSION}
        for name in _PACKAGES:
            try:
                found[name] = version(name)
            except PackageNotFoundError:  # an executable carries no metadata
                found.setdefault(name, "there")
        return json.dumps(found)

    def resources(self) -> str:
        """The icon can be read."""
        from .core.storage.paths import resource_dir

        icon = resource_dir() / "icons" / "ivshmem-scope.svg"
        return f"{icon.name}: {len(icon.read_bytes())} bytes"

    def devices(self) -> str:
        """Discovery runs through."""
        from .core.discovery.finder import find_devices

        found = find_devices()
        return f"{len(found.devices)} devices, {len(found.problems)} problems"

    def demo(self) -> str:
        """A living region."""
        from .core.demo.starter import Demo

        self._demo = Demo.start()
        if not self._demo.wait_ready(_WAIT_S):
            raise TimeoutError("the demo's peer did not come up")
        return str(self._demo.path)

    def window(self) -> str:
        """The real window with an engine in its own process."""
        from PySide6.QtWidgets import QApplication

        from .core.engine.process import EngineProcess
        from .core.protocols.demo_layout import COUNTERS
        from .core.storage.settings import Settings
        from .ui.main_window import MainWindow
        from .ui.session.session import Session
        from .ui.style.style_sheet import apply_theme
        from .ui.style.theme import DARK

        existing = QApplication.instance()
        self._qt = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
        apply_theme(self._qt, DARK)
        settings = Settings(Path("/nonexistent/ivshmem-scope-self-test"))
        window = MainWindow(lambda spec: Session(spec, EngineProcess), settings, DARK)
        self._window = window
        window.show()
        assert self._demo is not None
        session = window.open(self._demo.spec)
        self._until(lambda: session.frame is not None)
        window.view.go_to(COUNTERS)
        self._until(
            lambda: (
                session.frame is not None
                and session.frame.start <= COUNTERS < session.frame.end
                and bool(session.frame.sample.changed.any())
            )
        )
        assert session.frame is not None
        return (
            f"frame {session.frame.number}, {int(session.frame.sample.changed.sum())} bytes changed"
        )

    def write(self) -> str:
        """Through window, engine and journal into the file, and back."""
        assert self._window is not None
        assert self._demo is not None
        session = self._window.session
        writing = self._window.view.writing
        assert session is not None
        assert writing is not None
        session.set_locked(False)
        place, path = 0x9000, self._demo.path
        writing.write(place, b"self-test", bytes(9), "self-test")
        self._until(lambda: path.read_bytes()[place : place + 9] == b"self-test")
        writing.undo()
        self._until(lambda: path.read_bytes()[place : place + 9] == bytes(9))
        return "9 bytes"

    def picture(self) -> str:
        """The window is drawn, and moves."""
        assert self._window is not None
        first = self._window.grab().toImage()
        self._until(lambda: self._window is not None and self._window.grab().toImage() != first)
        return f"{first.width()} x {first.height()} pixels"

    def close(self) -> str:
        """Engine, demo and window end."""
        if self._window is not None:
            session = self._window.session
            self._window.close()
            if session is not None and not session.join(_WAIT_S):
                raise TimeoutError("the engine did not end")
        if self._demo is not None:
            self._demo.stop()
            if self._demo.path.exists():
                raise RuntimeError("the demo left its file behind")
        return ""

    def _until(self, fact: Callable[[], bool]) -> None:
        assert self._qt is not None
        deadline = time.monotonic() + _WAIT_S
        while not fact():
            if time.monotonic() > deadline:
                raise TimeoutError("it did not happen in time")
            self._qt.processEvents()
            time.sleep(0.005)  # the window's own timers run in processEvents


def run_self_test(report: Path) -> int:
    """Run it, write the report; 0 when everything passed."""
    test = SelfTest()
    start = time.perf_counter()
    passed = test.run()
    content = {
        "program": "IVSHMEM Scope",
        "version": __version__,
        "system": describe_system(),
        "passed": passed,
        "seconds": round(time.perf_counter() - start, 3),
        "steps": [asdict(step) for step in test.steps],
    }
    try:
        write_text(report, json.dumps(content, indent=1))
    except StorageError as error:
        sys.stderr.write(f"ivshmem-scope: {error}\n")
        return 1
    for step in test.steps:
        sys.stdout.write(f"{step.status:11} {step.seconds:7.3f} s  {step.name}\n")
    return 0 if passed else 1
