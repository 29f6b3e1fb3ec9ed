"""The demo: every part moves as demo_layout.py says, and nothing stays behind."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.backends.open_region import open_region
from app.core.demo import stale_files
from app.core.demo.starter import Demo
from app.core.errors import StorageError
from app.core.protocols import demo_layout
from app.core.protocols.demo_layout import PREFIX
from app.core.region.region import Region


def until(fact: Callable[[], bool], what: str = "it") -> None:
    deadline = time.monotonic() + 15
    while not fact():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.002)


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with Demo.start() as demo:
        assert demo.wait_ready()
        assert demo.alive
        yield demo


@pytest.fixture
def region(demo: Demo) -> Iterator[Region]:
    with open_region(demo.spec) as region:
        yield region


def unpack(region: Region, code: str, offset: int) -> tuple[float, ...]:
    return struct.unpack(code, region.read(offset, struct.calcsize(code)))


def test_the_header(demo: Demo, region: Region) -> None:
    magic, version, pid, size = unpack(region, "<8sIIQ", 0)
    assert (magic, version, size) == (demo_layout.MAGIC, demo_layout.VERSION, demo_layout.SIZE)
    assert region.size == demo_layout.SIZE
    assert demo.path.name.startswith(PREFIX)
    os.kill(int(pid), 0)
    assert pid != os.getpid()


def test_counters_count_at_their_rates(region: Region) -> None:
    def counters() -> tuple[float, ...]:
        return unpack(region, "<QIHBB", demo_layout.COUNTERS)

    begin, began = counters(), time.monotonic()
    until(lambda: counters()[0] >= begin[0] + 500)
    end = counters()
    assert time.monotonic() - began > 0.7  # 500 Hz, not faster
    fast = end[0] - begin[0]
    assert abs((end[1] - begin[1]) - fast / 5) <= 2
    assert abs((end[2] - begin[2]) % 65536 - fast / 50) <= 2
    until(lambda: counters()[3] != begin[3])
    seconds, toggle = counters()[3:]
    assert toggle == seconds % 2 or counters()[3] != seconds


def test_floats_and_times_are_now(region: Region) -> None:
    seen = set()
    for _ in range(200):
        sine, triangle, walk = unpack(region, "<dff", demo_layout.FLOATS)
        assert -1 <= sine <= 1
        assert 0 <= triangle <= 1
        seen.add((sine, walk))
        time.sleep(0.001)
    assert len(seen) > 3
    seconds, _, milliseconds, filetime = unpack(region, "<IIQQ", demo_layout.FLOATS + 0x10)
    now = time.time()
    assert abs(seconds - now) < 3
    assert abs(milliseconds / 1000 - now) < 3
    assert abs((filetime - 116_444_736_000_000_000) / 1e7 - now) < 3


def test_the_mailbox_is_whole_whenever_its_sequence_is_even_and_unchanged(region: Region) -> None:
    texts: set[bytes] = set()

    def look() -> bool:
        before = region.load(demo_layout.MAILBOX, 8)
        length = region.load(demo_layout.MAILBOX + 8, 4)
        text = region.read(demo_layout.MAILBOX + 16, 64)
        if before % 2 == 0 and before and region.load(demo_layout.MAILBOX, 8) == before:
            assert length <= 64
            assert text[:length].decode().rpartition("#")[2].isdigit()
            assert not any(text[length:])
            texts.add(text)
        return len(texts) > 2

    until(look, "three messages")


def test_the_log_is_lines_of_text(region: Region) -> None:
    def log() -> bytes:
        return region.read(demo_layout.LOG, demo_layout.LOG_SIZE)

    before = log()
    until(lambda: log() != before)
    text = log().rstrip(b"\0").decode("ascii")
    assert text.count("\n") >= 1
    assert text[2] == text[5] == ":"


def test_the_ring_is_consumed_behind_its_head(region: Region) -> None:
    capacity = region.load(demo_layout.RING_CAPACITY, 8)
    assert capacity == demo_layout.RING_SIZE
    first = region.load(demo_layout.RING_HEAD, 8)
    until(lambda: region.load(demo_layout.RING_HEAD, 8) > first + 32 * 20)
    tail = region.load(demo_layout.RING_TAIL, 8)
    head = region.load(demo_layout.RING_HEAD, 8)
    assert tail <= head
    assert head % 32 == 0
    assert head - tail <= capacity + 64
    at = (head - 64) % capacity
    number, sent_ns = unpack(region, "<IQ", demo_layout.RING_DATA + at)
    assert number == head // 32 - 2
    assert 0 < time.monotonic_ns() - sent_ns < 5_000_000_000


def test_the_picture_moves(region: Region) -> None:
    size = demo_layout.WIDTH * demo_layout.HEIGHT * 4
    ball = b"\xff\xff\xff\xff" * 4
    pictures: set[bytes] = set()

    def look() -> bool:
        picture = region.read(demo_layout.PICTURE, size)
        if ball in picture:  # a look may fall between two pictures
            pictures.add(picture)
        return len(pictures) > 3

    until(look, "four pictures with the ball")
    assert all(set(picture[3::4]) == {255} for picture in pictures)


def test_the_rest_was_never_written(region: Region) -> None:
    used = sum(end - start for start, end in region.extents(0, region.size))
    assert used <= demo_layout.SIZE // 2
    assert region.extents(demo_layout.RING_DATA + demo_layout.RING_SIZE, demo_layout.PICTURE) == []


# -- it goes away ------------------------------------------------------------------------------


def test_stopping_removes_the_file_and_the_peer() -> None:
    with Demo.start() as demo:
        assert demo.wait_ready()
        assert demo.path.exists()
    assert not demo.alive
    assert not demo.path.exists()
    demo.stop()


def test_stopping_before_the_peer_is_up() -> None:
    demo = Demo.start()
    demo.stop(timeout_s=10)
    assert not demo.path.exists()
    assert not demo.alive


def test_a_peer_that_was_killed_is_seen_and_its_file_goes() -> None:
    with Demo.start() as demo:
        assert demo.wait_ready()
        assert demo._process.pid is not None
        os.kill(demo._process.pid, signal.SIGKILL)
        until(lambda: not demo.alive)
    assert not demo.path.exists()


_STARTER = """
import sys, time
from app.core.demo import stale_files
from app.core.demo.starter import Demo
if __name__ == "__main__":
    demo = Demo.start()
    assert demo.wait_ready()
    print(demo.path, demo._process.pid, flush=True)
    time.sleep(60)
"""


def _started(program: Path) -> tuple[subprocess.Popen[str], Path, int]:
    program.write_text(_STARTER)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    starter = subprocess.Popen(
        [sys.executable, str(program)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert starter.stdout is not None
    name, pid = starter.stdout.readline().split()
    return starter, Path(name), int(pid)


def test_a_starter_that_was_killed_leaves_nothing(tmp_path: Path) -> None:
    starter, path, _ = _started(tmp_path / "starter.py")
    with starter:
        assert path.exists()
        starter.kill()
    until(lambda: not path.exists(), "the file's end")


def test_when_both_were_killed_the_next_demo_cleans_up(tmp_path: Path) -> None:
    starter, path, pid = _started(tmp_path / "starter.py")
    with starter:
        os.kill(pid, signal.SIGSTOP)
        starter.kill()
        starter.wait()
        os.kill(pid, signal.SIGKILL)
    assert path.exists()
    until(lambda: not Path(f"/proc/{pid}").exists(), "the peer's end")
    with Demo.start() as one, Demo.start():
        assert one.path.exists()  # a live one stays
        assert not path.exists()


def test_no_room_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = set(Path("/dev/shm").glob(f"{PREFIX}*"))
    monkeypatch.setattr("app.core.demo.starter.os.ftruncate", full)
    with pytest.raises(StorageError) as caught:
        Demo.start()
    assert "No space left" in caught.value.message
    assert "Free some space" in caught.value.hint
    assert set(Path("/dev/shm").glob(f"{PREFIX}*")) == before


def _zeros(name: str) -> Path:
    path = Path("/dev/shm") / name
    path.write_bytes(bytes(demo_layout.SIZE))
    return path


def _ended() -> int:
    """The id of a process that is no more."""
    with subprocess.Popen(["true"]) as process:
        pass
    return process.pid


_EARLY_DEATH = """
import os, sys
from app.core.demo import starter
starter.peer.run = None  # the peer never comes to write
if __name__ == "__main__":
    demo = starter.Demo.start()
    demo._process.kill()
    demo._process.join()
    print(demo.path, demo._process.pid, flush=True)
    sys.stdin.read()
"""


def test_zeros_of_a_starter_that_was_killed_before_its_peer_wrote(tmp_path: Path) -> None:
    program = tmp_path / "starter.py"
    program.write_text(_EARLY_DEATH)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    with subprocess.Popen(
        [sys.executable, str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as starter:
        assert starter.stdout is not None
        path = Path(starter.stdout.readline().split()[0])
        assert not any(path.read_bytes())
        with Demo.start():
            assert path.exists(), "its starter lives"
        starter.kill()
        starter.wait()
        assert path.exists()
    with Demo.start():
        assert not path.exists()


def test_what_is_not_surely_a_stale_demo_stays() -> None:
    mine, locked = _zeros(f"{PREFIX}mine"), _zeros(f"{PREFIX}{_ended()}-ab")
    pipe = Path(f"/dev/shm/{PREFIX}{_ended()}-cd")
    os.mkfifo(pipe)
    try:
        with locked.open("rb") as file:  # a demo of another container, whose ids are its own
            stale_files.lock(file.fileno())
            stale_files.remove_stale()
            assert locked.exists()
        stale_files.remove_stale()
        assert not locked.exists()
        assert mine.exists()
        assert pipe.exists()
        if os.geteuid() == 0:
            others = _zeros(f"{PREFIX}{_ended()}-ef")
            os.chown(others, 65534, 65534)
            stale_files.remove_stale()
            assert others.exists()
    finally:
        for path in Path("/dev/shm").glob(f"{PREFIX}*"):
            if path in (mine, locked, pipe) or path.name.endswith("-ef"):
                path.unlink(missing_ok=True)
