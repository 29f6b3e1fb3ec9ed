"""The watcher: real files come and go; it is quiet otherwise, and it ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue

import pytest

from app.core.discovery.device import Device, DeviceList, SystemPaths
from app.core.discovery.finder import DeviceFinder
from app.core.discovery.watcher import Watcher
from app.core.protocols.known_content import Content
from app.core.region.region import RegionKind, RegionSpec

MakeFile = Callable[..., Path]
_LONG_S = 3600.0


def _device(name: str = "a", content: Content | None = None) -> Device:
    spec = RegionSpec(RegionKind.FILE, name)
    return Device(RegionKind.FILE, name, name, 4096, spec, content=content)


class Scripted:
    """A finder that returns what the test says, and counts."""

    def __init__(self) -> None:
        self.answer = DeviceList()
        self.error: Exception | None = None
        self.looks = 0
        self.looked = threading.Semaphore(0)

    def find(self) -> DeviceList:
        self.looks += 1
        error, answer = self.error, self.answer
        self.looked.release()
        if error is not None:
            raise error
        return answer


Start = Callable[..., Watcher]


@pytest.fixture
def heard() -> Queue[DeviceList]:
    return Queue()


@pytest.fixture
def start(heard: Queue[DeviceList], tmp_path: Path) -> Iterator[Start]:
    watchers = []
    empty = SystemPaths(tmp_path / "p", tmp_path / "s", tmp_path / "d", (tmp_path / "m",))

    def begin(finder: object = None, places: SystemPaths = empty, **more: float) -> Watcher:
        more = {"period_s": 0.01, "idle_s": _LONG_S} | more
        finder = finder or DeviceFinder(places)
        watcher = Watcher(heard.put, finder=finder, places=places, **more)  # type: ignore[arg-type]
        watchers.append(watcher)
        watcher.start()
        return watcher

    yield begin
    for watcher in watchers:
        assert watcher.stop()


def _names(found: DeviceList) -> set[str]:
    return {device.location for device in found.devices}


def test_a_real_file_appears_changes_and_disappears(
    shm_file: MakeFile, heard: Queue[DeviceList], start: Start
) -> None:
    start(places=SystemPaths())
    heard.get(timeout=20)

    def until(fact: Callable[[DeviceList], bool]) -> None:
        while not fact(heard.get(timeout=20)):
            pass

    path = shm_file(4096)
    until(lambda found: str(path) in _names(found))
    os.truncate(path, 8192)
    until(lambda found: any(d.location == str(path) and d.size == 8192 for d in found.devices))
    path.unlink()
    until(lambda found: str(path) not in _names(found))


def test_a_chmod_is_seen(tmp_path: Path, heard: Queue[DeviceList], start: Start) -> None:
    (tmp_path / "m").mkdir()
    file = tmp_path / "m" / "shm"
    file.write_bytes(bytes(4096))
    places = SystemPaths(tmp_path / "p", tmp_path / "s", tmp_path / "d", (tmp_path / "m",))

    def access(path: str, mode: int) -> bool:
        return mode == os.R_OK or bool(os.stat(path).st_mode & 0o200)

    start(DeviceFinder(places, access=access), places)
    assert heard.get(timeout=20).devices[0].writable
    file.chmod(0o400)
    assert heard.get(timeout=20).devices[0].writable is False


def test_a_qemu_that_starts_is_seen(tmp_path: Path, heard: Queue[DeviceList], start: Start) -> None:
    finder = Scripted()
    start(finder)
    assert finder.looked.acquire(timeout=20)
    (tmp_path / "p" / "77").mkdir(parents=True)
    (tmp_path / "p" / "77" / "comm").write_text("qemu-system-x86\n")
    assert finder.looked.acquire(timeout=20)


def test_other_programs_cost_no_look(tmp_path: Path, start: Start) -> None:
    finder = Scripted()
    start(finder)
    assert finder.looked.acquire(timeout=20)
    for pid in range(50, 60):
        (tmp_path / "p" / str(pid)).mkdir(parents=True)
        (tmp_path / "p" / str(pid) / "comm").write_text("bash\n")
    assert not finder.looked.acquire(timeout=0.2)


def test_writing_into_a_file_costs_no_look(tmp_path: Path, start: Start) -> None:
    finder = Scripted()
    path = tmp_path / "m" / "shm"
    path.parent.mkdir()
    path.write_bytes(bytes(4096))
    start(finder)
    assert finder.looked.acquire(timeout=20)
    with path.open("r+b") as file:
        file.write(os.urandom(4096))
    os.utime(path)
    assert not finder.looked.acquire(timeout=0.2)


def test_the_same_list_is_told_once(heard: Queue[DeviceList], start: Start) -> None:
    finder = Scripted()
    start(finder, idle_s=0.01)
    for _ in range(5):
        assert finder.looked.acquire(timeout=20)
    assert heard.get(timeout=20) == DeviceList()
    with pytest.raises(Empty):
        heard.get_nowait()
    finder.answer = DeviceList((_device(),))
    assert heard.get(timeout=20) == finder.answer
    finder.answer = DeviceList((_device(),), ("a problem",))
    assert heard.get(timeout=20).problems == ("a problem",)


def test_a_text_that_is_being_written_is_no_other_list(
    heard: Queue[DeviceList], start: Start
) -> None:
    finder = Scripted()
    finder.answer = DeviceList((_device(content=Content("text", "one")),))
    start(finder, idle_s=0.01)
    heard.get(timeout=20)
    finder.answer = DeviceList((_device(content=Content("text", "two")),))
    for _ in range(3):
        assert finder.looked.acquire(timeout=20)
    with pytest.raises(Empty):
        heard.get_nowait()
    finder.answer = DeviceList((_device(content=Content("LGMP", "version 10")),))
    assert heard.get(timeout=20) == finder.answer


def test_rescan_answers_though_nothing_changed(heard: Queue[DeviceList], start: Start) -> None:
    watcher = start(Scripted(), period_s=_LONG_S)
    heard.get(timeout=20)
    for _ in range(20):
        watcher.rescan()
        heard.get(timeout=20)


def test_one_bad_look_or_listener_ends_nothing(heard: Queue[DeviceList]) -> None:
    finder = Scripted()
    finder.error = ValueError("inside")

    def listen(found: DeviceList) -> None:
        heard.put(found)
        raise RuntimeError("the window closed")

    watcher = Watcher(listen, finder=finder, period_s=0.01, idle_s=0.01)
    watcher.start()
    try:
        assert finder.looked.acquire(timeout=20)
        finder.error = None
        assert heard.get(timeout=20) == DeviceList()
        watcher.rescan()
        assert heard.get(timeout=20) == DeviceList()
    finally:
        assert watcher.stop()


def test_stop_is_bounded_also_while_a_look_hangs() -> None:
    inside, leave = threading.Event(), threading.Event()

    class Hanging:
        def find(self) -> DeviceList:
            inside.set()
            leave.wait(30)
            return DeviceList((_device(),))

    told: list[DeviceList] = []
    watcher = Watcher(told.append, finder=Hanging())
    watcher.start()
    watcher.start()
    assert inside.wait(20)
    assert not watcher.stop(0.01)
    leave.set()
    assert watcher.stop(20)
    assert watcher.stop()
    assert told == [], "nothing is told after stop"


def test_stop_from_its_own_thread_and_before_start() -> None:
    done = threading.Event()
    stopped: list[bool] = []

    def listen(_found: DeviceList) -> None:
        stopped.append(watcher.stop())
        done.set()

    watcher = Watcher(listen, finder=Scripted())
    watcher.start()
    assert done.wait(20)
    assert stopped == [True]
    assert watcher.stop(20)
    never = Watcher(listen, finder=Scripted())
    assert never.stop()
    never.start()
    assert never.stop()
    assert stopped == [True]
