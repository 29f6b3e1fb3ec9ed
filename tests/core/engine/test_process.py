"""The engine's child: killed, stopped, crashed, orphaned, opened and closed again and again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.engine import messages as msg
from app.core.engine.client import EngineClient
from app.core.engine.process import EngineProcess
from app.core.errors import CannotFindError, EngineGoneError, EngineStoppedError, UnsuitableError
from tests.core.talk import InProcess, Talk

ShmFile = Callable[..., Path]


@pytest.fixture
def talk(shm_file: ShmFile) -> Iterator[Talk]:
    talk = Talk(EngineProcess(), shm_file(65536, fill=b"engine"))
    try:
        talk.frame()
        yield talk
    finally:
        talk.client.close()


def pid_of(talk: Talk) -> int:
    assert isinstance(talk.client, EngineProcess)
    assert talk.client.pid is not None
    return talk.client.pid


def gone(pid: int) -> bool:
    """Whether this process has ended, waited for or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def wait_for(fact: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 15
    while not fact():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.01)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGBUS", "SIGABRT", "SIGTERM"])
def test_a_death_is_noticed_by_its_name_and_the_window_lives(talk: Talk, name: str) -> None:
    assert talk.client.trouble() is None
    pending = talk.client.ask(msg.StopRepeat())
    os.kill(pid_of(talk), signal.Signals[name])
    talk.until(lambda: talk.client.trouble() is not None, "the notice")
    trouble = talk.client.trouble()
    assert isinstance(trouble, EngineGoneError)
    assert name in trouble.message
    assert trouble.hint
    report = trouble.hint.partition("Crash report: ")[2]
    if name in ("SIGKILL", "SIGTERM"):
        assert report == ""
    else:
        assert "Fatal Python error" in Path(report).read_text()
    assert talk.client.trouble() is trouble
    talk.result(pending)  # one way or the other
    assert talk.newest is not None
    assert bytes(talk.newest.data[:6]) == b"engine"


def test_what_is_asked_of_the_dead_is_answered(talk: Talk) -> None:
    os.kill(pid_of(talk), signal.SIGSTOP)
    early = [talk.client.ask(msg.Read(0, 16)) for _ in range(3)]
    talk.client.ask(msg.WatchRange(0, 4096))
    os.kill(pid_of(talk), signal.SIGKILL)
    for request in early:
        answer = talk.result(request)
        assert isinstance(answer, msg.Failed)
        assert isinstance(answer.error, EngineGoneError)
    assert isinstance(talk.fail(msg.Undo()), EngineGoneError)
    talk.client.ask(msg.SetPaused(paused=True))
    talk.pump()
    assert all(answer.request for answer in talk.seen if isinstance(answer, msg.Failed))
    talk.client.close()
    assert isinstance(talk.fail(msg.Undo()), EngineGoneError)


def test_what_is_asked_of_what_never_opened_is_answered(tmp_path: Path) -> None:
    talk = Talk(EngineProcess(), tmp_path)
    try:
        early = talk.client.ask(msg.Read(0, 16))
        answer = talk.result(early)
        assert isinstance(answer, msg.Failed)
        assert isinstance(answer.error, EngineGoneError)
        talk.until(lambda: any(isinstance(a, msg.OpenFailed) for a in talk.seen))
        failed = next(a for a in talk.seen if isinstance(a, msg.OpenFailed))
        assert isinstance(failed.error, UnsuitableError)
        assert isinstance(talk.fail(msg.Undo()), EngineGoneError)
    finally:
        talk.client.close()
        talk.client.close()
    assert isinstance(talk.fail(msg.Undo()), EngineGoneError)


def test_a_stopped_child_is_noticed_recovers_and_answers(talk: Talk) -> None:
    os.kill(pid_of(talk), signal.SIGSTOP)
    talk.until(lambda: talk.client.trouble() is not None, "the notice")
    assert isinstance(talk.client.trouble(), EngineStoppedError)
    assert "has stopped" in str(talk.client.trouble())
    request = talk.client.ask(msg.Read(0, 6))
    os.kill(pid_of(talk), signal.SIGCONT)
    talk.until(lambda: talk.client.trouble() is None, "the recovery")
    answer = talk.result(request)
    assert isinstance(answer, msg.Done)
    assert answer.value == b"engine"


def test_closing_a_stopped_child_with_a_full_pipe_is_bounded(talk: Talk) -> None:
    pid = pid_of(talk)
    os.kill(pid, signal.SIGSTOP)
    for _ in range(50):
        talk.client.ask(msg.Write(0, bytes(1 << 20)))
    talk.client.close(timeout_s=0.2)
    assert gone(pid)


def test_closing_before_it_opened_anything() -> None:
    client = EngineProcess()
    pid = client.pid
    assert pid is not None
    client.close(timeout_s=10)
    assert gone(pid)
    assert client.frame() is None
    assert client.trouble() is None


def test_closing_in_the_middle_of_a_fill_ends_it_at_a_whole_chunk(shm_file: ShmFile) -> None:
    from app.core.write.patterns import BytePattern

    for make in (InProcess, EngineProcess):
        path = shm_file(64 << 20)
        talk = Talk(make(), path)
        talk.frame()
        talk.client.ask(msg.SetLocked(locked=False))
        request = talk.client.ask(msg.Fill(0, 64 << 20, BytePattern(7)))
        talk.until(
            lambda r=request, t=talk: any(
                isinstance(a, msg.Progress) and a.request == r for a in t.seen
            ),
            "progress",
        )
        talk.client.close(timeout_s=10)
        content = path.read_bytes()
        done = content.count(7)
        assert done % (1 << 20) == 0
        assert not any(content[done:])


def test_it_opens_what_is_there_only(tmp_path: Path) -> None:
    talk = Talk(EngineProcess(), tmp_path / "nothing")
    try:
        talk.until(lambda: any(isinstance(a, msg.OpenFailed) for a in talk.seen))
        failed = next(a for a in talk.seen if isinstance(a, msg.OpenFailed))
        assert isinstance(failed.error, CannotFindError)
    finally:
        talk.client.close()


# -- nothing is left behind --------------------------------------------------------------------

_PARENT = """
import sys, time
from pathlib import Path
from app.core.engine.process import EngineProcess
from app.core.region.region import RegionKind, RegionSpec

if __name__ == "__main__":
    client = EngineProcess()
    client.open(RegionSpec(RegionKind.FILE, sys.argv[1]))
    while client.frame() is None:
        time.sleep(0.005)
    print(client.pid, flush=True)
    if sys.argv[2] == "wait":
        time.sleep(60)
"""


@pytest.mark.parametrize("how", ["killed", "ends without closing"])
def test_a_child_does_not_outlive_its_window(shm_file: ShmFile, tmp_path: Path, how: str) -> None:
    program = tmp_path / "parent.py"
    program.write_text(_PARENT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    with subprocess.Popen(
        [sys.executable, str(program), str(shm_file(4096)), "wait" if how == "killed" else "end"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        if how == "killed":
            assert not gone(pid)
            parent.kill()
        parent.wait(20)
        wait_for(lambda: gone(pid), "the child's end")


def held() -> dict[str, int]:
    """Threads, descriptors, mappings of shared memory, children of this process."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {
        "threads": threading.active_count(),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "maps": sum("memfd:" in line or "/dev/shm/" in line for line in maps),
        "children": len(children),
    }


@pytest.mark.parametrize(("make", "cycles"), [(InProcess, 50), (EngineProcess, 5)])
def test_opening_and_closing_leaves_nothing(
    make: Callable[[], EngineClient], cycles: int, shm_file: ShmFile
) -> None:
    path = shm_file(65536)

    def cycle() -> None:
        talk = Talk(make(), path)
        talk.frame()
        talk.client.ask(msg.SetLocked(locked=False))
        talk.do(msg.Write(0, b"x"))
        talk.client.close(timeout_s=10)

    cycle()
    cycle()
    before = held()
    for _ in range(cycles):
        cycle()
    wait_for(lambda: held() == before, f"{before}, it is {held()}")


def test_fifty_children_at_once_in_turn_leave_nothing(shm_file: ShmFile) -> None:
    """Started early and never opened: what a window does that is closed at once."""
    EngineProcess().close(timeout_s=10)
    before = held()
    for _ in range(10):
        clients = [EngineProcess() for _ in range(4)]
        for client in clients:
            client.close(timeout_s=0)  # by force
    wait_for(lambda: held() == before, f"{before}, it is {held()}")
