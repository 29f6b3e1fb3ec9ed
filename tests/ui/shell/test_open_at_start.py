"""What a fresh start opens: living memory at once, and never what it should not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.discovery.device import Device, DeviceList, warning
from app.core.region.region import RegionKind, RegionSpec
from app.core.storage.paths import settings_file
from app.core.storage.settings import Settings
from app.ui.application import Application, Options
from app.ui.shell.lifecycle.open_at_start import device_at_start
from tests.ui.helpers import WAIT_MS, ShmFile, bury, spec_of


def device(path: Path | str, **more: object) -> Device:
    spec = spec_of(path)
    return replace(Device(RegionKind.FILE, Path(path).name, str(path), 8192, spec), **more)


ONE, TWO = device("/dev/shm/one"), device("/dev/shm/two")
ILL = device("/dev/shm/ill", health=warning("held", "Another program holds it."))


@pytest.mark.parametrize(
    ("devices", "recent", "wanted"),
    [
        ([], [], None),
        ([ONE], [], ONE),
        ([ONE, ILL], ["file:/dev/shm/ill"], ONE),
        ([ONE, TWO], [], None),
        ([ONE, TWO], ["file:/dev/shm/two", "file:/dev/shm/one"], TWO),
        ([ONE, TWO, ILL], ["file:/dev/shm/ill", "file:/gone", "file:/dev/shm/one"], ONE),
        ([ONE, TWO], [7, "odd"], None),
        ([ILL], ["file:/dev/shm/ill"], None),
        ([replace(ONE, likely_shared=False)], [], None),
        ([device("/dev/shm/ivshmem-scope-demo-x")], ["file:/dev/shm/ivshmem-scope-demo-x"], None),
    ],
)
def test_the_only_healthy_one_or_the_last_that_was_open(
    devices: list[Device], recent: list[object], wanted: Device | None
) -> None:
    assert device_at_start(DeviceList(tuple(devices)), recent) == (wanted and wanted.spec)


Start = Callable[..., Application]


@pytest.fixture
def start(qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Programs that find what the test says: this machine has files of its own."""
    made: list[Application] = []

    def begin(*devices: Device, **options: object) -> Application:
        program = Application(qapp, Options(theme="dark", **options), None)
        made.append(program)
        monkeypatch.setattr(program._watcher, "start", lambda: None)
        program.start()
        program.devices_found.emit(DeviceList(devices))
        return program

    yield begin
    for program in made:
        program.shut_down()
        bury(*program.windows)


def test_living_memory_is_there_at_once_and_locked(
    qtbot: QtBot, start: Start, shm_file: ShmFile
) -> None:
    path = shm_file(8192, fill=b"live")
    window = start(device(path), open_found=True).windows[0]
    session = window.session
    assert session is not None
    qtbot.waitUntil(lambda: session.frame is not None, timeout=WAIT_MS)
    assert bytes(session.frame.data[:4]) == b"live"
    assert session.locked
    assert not window._welcome.isVisible()


def test_what_is_to_be_told_after_a_start_is_told_behind_the_opening(
    qtbot: QtBot, start: Start, shm_file: ShmFile
) -> None:
    path = settings_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{ this is no JSON")
    window = start(device(shm_file(8192)), open_found=True).windows[0]
    assert window.session is not None
    notice = window.view.messages.shown
    assert notice is not None
    assert "set aside" in notice.text


def test_only_the_first_list_opens_and_only_where_nobody_was_faster(
    qtbot: QtBot, start: Start, shm_file: ShmFile
) -> None:
    path = shm_file(8192)
    program = start(open_found=True)
    (window,) = program.windows
    program.devices_found.emit(DeviceList((device(path),)))
    assert window.session is None, "what appears later is not opened unasked"


@pytest.mark.parametrize("how", ["argument", "setting"])
def test_it_can_be_switched_off(qtbot: QtBot, start: Start, shm_file: ShmFile, how: str) -> None:
    path = shm_file(8192)
    if how == "setting":
        before = start()
        action = before.windows[0].actions_table["start_open"]
        assert action.isChecked()
        action.trigger()
        before.shut_down()
        assert Settings(before.settings.path).get("open_at_start", True) is False
    program = start(device(path), open_found=how == "setting")
    assert program.windows[0].session is None
    assert program.windows[0].actions_table["start_open"].isChecked() is (how == "argument")


def test_what_was_asked_for_is_opened_instead(start: Start, shm_file: ShmFile) -> None:
    asked, found = shm_file(8192), shm_file(8192)
    program = start(device(found), open_found=True, spec=RegionSpec(RegionKind.FILE, str(asked)))
    assert program.windows[0].location == str(asked)


def test_windows_on_one_region_have_numbers(start: Start, shm_file: ShmFile) -> None:
    path, other = shm_file(8192, name="scope-test-numbered"), shm_file(8192)
    program = start()
    first = program.windows[0]
    assert first.windowTitle() == "IVSHMEM Scope"
    first.open(spec_of(path))
    second, third = program.new_window(spec_of(path)), program.new_window(spec_of(path))
    titles = [window.windowTitle() for window in program.windows]
    name = "scope-test-numbered"
    assert titles == [f"{name}{which} - IVSHMEM Scope" for which in ("", " (2)", " (3)")]
    second.open(spec_of(other))
    assert "(" not in second.windowTitle()
    assert third.windowTitle().startswith(f"{name} (3)"), "each keeps its own"
    assert program.new_window(spec_of(path)).windowTitle().startswith(f"{name} (2)")
