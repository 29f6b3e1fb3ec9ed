"""How the program ends: asked once, asked twice, ignored on purpose, by a fault."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.core.protocols.demo_layout import PREFIX
from app.core.storage.paths import log_dir, settings_file
from app.core.storage.settings import Settings
from app.ui.application import Application, Options
from app.ui.shell.lifecycle import settings_saver
from app.ui.shell.lifecycle.error_report import ErrorReport
from tests.ui.helpers import WAIT_MS, bury

ROOT = Path(__file__).resolve().parents[2]

# The window with something in its thread that a person could not stop.
BUSY = """
import sys, time
from PySide6.QtCore import QTimer
from app.__main__ import main
from app.ui import application

class Program(application.Application):
    def start(self):
        super().start()
        QTimer.singleShot(1000, self.busy)

    def busy(self):
        print("busy", flush=True)
        {busy}

application.Application = Program
if __name__ == "__main__":
    sys.exit(main(["--demo"]))
"""


def start(tmp_path: Path, busy: str, **more: object) -> subprocess.Popen[str]:
    """The program, once it does this in its window's thread."""
    script = tmp_path / "busy.py"
    script.write_text(BUSY.format(busy=busy))
    process = subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )
    assert process.stdout is not None
    if process.stdout.readline() != "busy\n":
        raise AssertionError(process.communicate(timeout=30)[1])
    return process


def until(fact: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not fact():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def send(process: subprocess.Popen[str], number: int) -> None:
    """Send a signal, and wait until it was delivered: a second one would be the same otherwise."""
    process.send_signal(number)

    def delivered() -> bool:
        try:
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        except OSError:
            return True
        pending = [int(line.split()[1], 16) for line in lines if line[:7] in ("SigPnd:", "ShdPnd:")]
        return not any(pending)

    until(delivered, "the signal was not delivered")


def demos() -> set[str]:
    return {name for name in os.listdir("/dev/shm") if name.startswith(PREFIX)}


def children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def all_gone(processes: list[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def test_a_second_ctrl_c_ends_a_window_that_hangs_with_all_its_children(tmp_path: Path) -> None:
    before = demos()
    process = start(tmp_path, "time.sleep(600)")
    family = children(process.pid)
    assert len(family) >= 2
    for child in family:
        if "spawn_main" in " ".join(child.cmdline()):
            child.suspend()  # not even that helps it
    send(process, signal.SIGINT)
    assert process.poll() is None, "it waits for its end in order"
    send(process, signal.SIGINT)
    code, errors = end(process)
    assert code == 128 + signal.SIGINT
    assert errors == ""
    until(lambda: all_gone(family), "a child outlived the window")
    assert demos() <= before
    assert not list(log_dir().glob("crash-window-*"))


def test_sigterm_after_ctrl_c_is_forceful_too(tmp_path: Path) -> None:
    process = start(tmp_path, "time.sleep(600)")
    family = children(process.pid)
    send(process, signal.SIGINT)
    send(process, signal.SIGTERM)
    assert end(process)[0] == 128 + signal.SIGTERM
    until(lambda: all_gone(family), "a child outlived the window")


def test_the_end_waits_for_the_code_that_a_signal_meets(tmp_path: Path) -> None:
    """A window that closes in the middle of a slot of its own crashes sooner or later."""
    busy = """windows = list(self.windows)
        until = time.monotonic() + 1
        while time.monotonic() < until:
            assert self.windows == windows
        print("untouched", flush=True)"""
    process = start(tmp_path, busy)
    send(process, signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert out == "untouched\n", errors
    assert (process.returncode, errors) == (0, "")


def test_what_a_script_starts_in_the_background_ignores_ctrl_c_and_heeds_sigterm(
    tmp_path: Path,
) -> None:
    def background() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell's `&` in a script does

    process = start(tmp_path, "pass", preexec_fn=background)
    family = children(process.pid)
    for _ in range(3):
        send(process, signal.SIGINT)
    assert process.poll() is None
    assert not all_gone(family)
    send(process, signal.SIGTERM)
    assert end(process) == (0, "")
    until(lambda: all_gone(family), "a child outlived the window")


# -- after a crash ---------------------------------------------------------------------------------


@pytest.fixture
def program(qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts the program in this process."""
    monkeypatch.setattr(settings_saver, "COMPARE_MS", 50)
    made: list[Application] = []

    def start() -> Application:
        made.append(Application(qapp, Options(theme="dark"), None))
        made[-1].start()
        return made[-1]

    yield start
    for one in made:
        one.shut_down()
        bury(*one.windows)


Start = Callable[[], Application]


def crashed(tmp_path: Path) -> None:
    """A window in whose thread a slot failed, and that died of a fault then."""
    process = start(tmp_path, "QTimer.singleShot(0, lambda: 1 / 0)")
    log = log_dir() / "ivshmem-scope.log"
    until(lambda: "ZeroDivisionError" in log.read_text(), "the slot's error is not in the log")
    process.send_signal(signal.SIGSEGV)
    assert end(process)[0] == -signal.SIGSEGV


def press(qtbot: QtBot, program: Application, word: str) -> None:
    def found() -> list[QPushButton]:
        buttons = program.windows[0].view.messages.findChildren(QPushButton)
        return [button for button in buttons if button.text() == word and button.isVisible()]

    qtbot.waitUntil(lambda: len(found()) == 1, timeout=WAIT_MS)
    found()[0].click()


def test_the_next_start_offers_the_report_of_a_window_that_crashed(
    qtbot: QtBot, program: Start, tmp_path: Path
) -> None:
    crashed(tmp_path)
    (left,) = log_dir().glob("crash-window-*")
    app = program()
    messages = app.windows[0].view.messages
    qtbot.waitUntil(lambda: messages.shown is not None, timeout=WAIT_MS)
    assert messages.shown.text.startswith("IVSHMEM Scope ended unexpectedly on 2")
    press(qtbot, app, "Copy")
    copied = QGuiApplication.clipboard().text()
    assert copied == left.read_text()
    assert copied.index("ZeroDivisionError") < copied.index("Fatal Python error: Segmentation")
    press(qtbot, app, "Show report")
    (dialog,) = app.windows[0].findChildren(ErrorReport)
    assert dialog.isVisible()
    assert not dialog.isModal()
    assert dialog.findChild(QPlainTextEdit).toPlainText().strip() == copied.strip()
    dialog.close()
    assert left.exists()
    press(qtbot, app, "Forget")
    assert messages.isHidden()
    assert not left.exists()


def test_a_start_after_a_good_end_offers_nothing(qtbot: QtBot, program: Start) -> None:
    app = program()
    qtbot.wait(600)
    assert app.windows[0].view.messages.shown is None


# -- settings --------------------------------------------------------------------------------------


def test_what_changes_is_written_while_the_program_runs(qtbot: QtBot, program: Start) -> None:
    app = program()
    app.swap_theme()
    qtbot.waitUntil(lambda: Settings().get("theme", "") == "light", timeout=WAIT_MS)
    app.swap_theme()
    before = Settings().get("window.geometry", "")
    app.windows[0].resize(1111, 777)
    qtbot.waitUntil(lambda: Settings().get("window.geometry", before) != before, timeout=WAIT_MS)


def test_two_windows_do_not_take_turns_in_the_settings(qtbot: QtBot, program: Start) -> None:
    app = program()
    app.new_window(None).resize(1111, 777)
    qtbot.waitUntil(lambda: Settings().get("window.geometry", "") != "", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not app.settings.changed, timeout=WAIT_MS)
    changes: list[str] = []
    app.settings.on_change = lambda: changes.append("again")
    compared: list[int] = []
    app._saver._compare.timeout.connect(lambda: compared.append(1))
    qtbot.waitUntil(lambda: len(compared) >= 5, timeout=WAIT_MS)
    assert changes == []


def test_a_folder_that_takes_no_settings_is_told_once(qtbot: QtBot, program: Start) -> None:
    app = program()
    messages = app.windows[0].view.messages
    assert messages.shown is None
    shutil.rmtree(settings_file().parent, ignore_errors=True)
    settings_file().parent.parent.mkdir(parents=True, exist_ok=True)
    settings_file().parent.write_text("a file where the folder should be")
    app.settings.set("a", 1)
    qtbot.waitUntil(lambda: messages.shown is not None, timeout=WAIT_MS)
    assert "Settings cannot be saved" in messages.shown.text
    told: list[str] = []
    app._saver.failed.connect(told.append)
    messages.clear()
    app.settings.set("a", 2)
    qtbot.waitUntil(lambda: not app._saver._soon.isActive(), timeout=WAIT_MS)
    app._saver._thread.join(10)
    qtbot.wait(50)
    assert told == []
    assert messages.shown is None
    settings_file().parent.unlink()
