"""The program as a person starts it: pictures with living content, orderly ends, the demo gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.protocols.demo_layout import PREFIX
from app.core.storage.settings import Settings
from app.ui.application import Application, Options
from app.ui.panels.devices.panel import DevicesPanel
from app.ui.style.style_sheet import apply_theme
from app.ui.style.theme import DARK, LIGHT
from tests.ui.helpers import WAIT_MS, ShmFile, bury, colors, spec_of


def run(*arguments: str, **more: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "app", *arguments],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, errors = process.communicate(timeout=60)
    return process.returncode, out, errors


def demos() -> set[str]:
    return {name for name in os.listdir("/dev/shm") if name.startswith(PREFIX)}


def engines_of(pid: int) -> list[int]:
    import psutil

    return [child.pid for child in psutil.Process(pid).children(recursive=True)]


def test_a_picture_of_the_demo(tmp_path: Path) -> None:
    before = demos()
    target = tmp_path / "picture.png"
    code, _, errors = finish(
        run(
            "--demo",
            "--screenshot",
            str(target),
            "--after",
            "1",
            "--size",
            "1280x800",
            "--theme",
            "dark",
        )
    )
    assert code == 0, errors
    assert "Traceback" not in errors
    image = QImage(str(target))
    assert (image.width(), image.height()) == (1280, 800)
    assert image.pixelColor(1100, 20) == DARK.color("panel")
    assert colors(image) > 200
    fresh = DARK.color("changed")
    rows, columns = range(80, 400, 1), range(300, 640, 1)
    close = sum(
        abs(image.pixelColor(x, y).red() - fresh.red()) < 12
        and abs(image.pixelColor(x, y).green() - fresh.green()) < 12
        and abs(image.pixelColor(x, y).blue() - fresh.blue()) < 12
        for y in rows
        for x in columns
    )
    assert close > 30, "changes are highlighted in the picture"
    assert demos() <= before, "the demo went away with its window"


def test_a_picture_that_cannot_be_saved_is_told(tmp_path: Path, shm_file: ShmFile) -> None:
    code, _, _ = finish(
        run(str(shm_file(4096)), "--screenshot", str(tmp_path / "no" / "x.png"), "--after", "0")
    )
    assert code == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl+C", "SIGTERM"])
def test_a_signal_ends_it_in_order(number: int) -> None:
    before = demos()
    process = run("--demo")
    deadline = time.monotonic() + 60
    while not (len(engines_of(process.pid)) >= 2 and demos() - before):
        assert time.monotonic() < deadline, "the demo did not start"
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)  # past the imports, where Python's own handler would end it as well
    children = engines_of(process.pid)
    process.send_signal(number)
    code, _, errors = finish(process)
    assert code == 0
    assert "Traceback" not in errors, errors
    while left := [pid for pid in children if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < deadline, f"{left} outlived the window"
        time.sleep(0.02)  # Python's own resource tracker ends a moment after its parent
    assert demos() <= before


# -- in this process ----------------------------------------------------------------------------------


@pytest.fixture
def program(qtbot: QtBot, qapp: QApplication) -> Iterator[Application]:
    made = Application(qapp, Options(theme="dark"), None)
    made.start()
    yield made
    made.shut_down()
    bury(*made.windows)
    if made.theme is not DARK:
        apply_theme(qapp, DARK)


def test_windows_come_and_go(qtbot: QtBot, program: Application, shm_file: ShmFile) -> None:
    (first,) = program.windows
    session = first.open(spec_of(shm_file(8192)))
    qtbot.waitUntil(lambda: session.frame is not None, timeout=WAIT_MS)
    first.actions_table["duplicate"].trigger()
    assert len(program.windows) == 2
    second = program.windows[1]
    qtbot.waitUntil(
        lambda: second.session is not None and second.session.frame is not None, timeout=WAIT_MS
    )
    assert len(program._sessions) == 2
    second.close()
    assert program.windows == [first]
    qtbot.waitUntil(lambda: len(program._sessions) == 1, timeout=WAIT_MS)
    first.actions_table["new_window"].trigger()
    assert program.windows[1].session is None


def test_it_begins_in_the_workspace_that_was_asked_for(qtbot: QtBot, qapp: QApplication) -> None:
    program = Application(qapp, Options(theme="dark", workspace="link"), None)
    try:
        program.start()
        assert program.windows[0].workspaces.current == "link"
        assert program.new_window(None).workspaces.current == "watch", "only the first does"
    finally:
        program.shut_down()
        bury(*program.windows)


def test_a_workspace_that_there_is_not_is_refused_with_the_names() -> None:
    code, _, errors = finish(run("--workspace", "nowhere"))
    assert code == 2
    assert "measure" in errors


def test_the_demo_is_shared_and_ends_with_the_program(qtbot: QtBot, program: Application) -> None:
    window = program.windows[0]
    window.actions_table["demo"].trigger()
    session = window.session
    assert session is not None
    qtbot.waitUntil(
        lambda: session.frame is not None and session.frame.sample.changed.any(), timeout=WAIT_MS
    )
    assert program._demo is not None
    path = program._demo.path
    program.new_window(None).actions_table["demo"].trigger()
    assert program._demo.path == path
    program.shut_down()
    assert not path.exists()


def test_themes_reach_all_windows_and_are_remembered(qtbot: QtBot, program: Application) -> None:
    program.new_window(None)
    program.windows[0].actions_table["theme"].trigger()
    assert program.theme is LIGHT
    assert all(window._theme is LIGHT for window in program.windows)
    program.shut_down()
    assert Settings(program.settings.path).get("theme", "") == "light"


def test_devices_arrive(qtbot: QtBot, program: Application, shm_file: ShmFile) -> None:
    path = shm_file(1 << 20, name="ivshmem-scope-test-device")
    window = program.windows[0]

    def listed() -> bool:
        return any(
            row.spec and row.spec.location == str(path)
            for row in window.panels[DevicesPanel].model.rows
        )

    qtbot.waitUntil(listed, timeout=WAIT_MS)
    path.unlink()
    qtbot.waitUntil(lambda: not listed(), timeout=WAIT_MS)


def test_a_broken_settings_file_is_told_and_set_aside(qtbot: QtBot, qapp: QApplication) -> None:
    from app.core.storage.paths import settings_file

    path = settings_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{ this is no JSON")
    program = Application(qapp, Options(theme="dark"), None)
    try:
        program.start()
        notice = program.windows[0].view.messages.shown
        assert notice is not None
        assert "set aside" in notice.text
    finally:
        program.shut_down()
        bury(*program.windows)
