"""A file that is cut and grown thousands of times while it is read and written at full speed.

In our own code each of these faults would be SIGBUS; here they are errors with a name, and the
file never grows by our writing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from app.core.backends.open_region import open_region
from app.core.engine import messages as msg
from app.core.engine.process import EngineProcess
from app.core.errors import OutOfRangeError, ScopeError, TruncatedError
from app.core.region.region import Region, RegionKind, RegionSpec
from app.core.watch.sweep import Sweep
from app.core.write.patterns import RandomPattern
from app.core.write.record import WriteRecord
from tests.core.children import script
from tests.core.talk import Talk
from tests.core.watch.turns import whole_turn

ShmFile = Callable[..., Path]
SIZE = 4 << 20

_STORM = """
import os, random, signal, sys
path, size = sys.argv[1], int(sys.argv[2])
fd = os.open(path, os.O_RDWR)
going = True
def stop(*_):
    global going
    going = False
signal.signal(signal.SIGTERM, stop)
dice = random.Random(5)
print("ready", flush=True)
count = 0
while going:
    small = dice.choice((0, 1, 4095, 4096, 65536, dice.randrange(size)))
    os.ftruncate(fd, small)
    # Whoever writes behind the end must not make it grow: nobody but us changes the size.
    for _ in range(dice.randrange(30)):
        if os.fstat(fd).st_size != small:
            print("grown by another", flush=True)
            sys.exit(1)
    os.ftruncate(fd, size)
    os.pwrite(fd, b"\\xaa" * 4096, dice.randrange(size // 4096) * 4096)
    count += 1
print(count, flush=True)
"""


def storm(path: Path) -> AbstractContextManager[subprocess.Popen[str]]:
    return script(_STORM, path, SIZE)


def cuts(child: subprocess.Popen[str]) -> int:
    """End the storm; how often it cut."""
    child.send_signal(signal.SIGTERM)
    assert child.stdout is not None
    return int(child.stdout.readline())


@pytest.mark.parametrize("read_only", [False, True])
def test_a_region_survives_in_this_process(shm_file: ShmFile, read_only: bool) -> None:
    path = shm_file(SIZE, fill=b"\xaa")
    region = open_region(RegionSpec(RegionKind.FILE, str(path), read_only=read_only))
    seen: Counter[str] = Counter()
    surprises: list[BaseException] = []
    stop = threading.Event()

    def work(act: Callable[[Region, int], object]) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                act(region, number)
                seen["good"] += 1
            except TruncatedError:
                seen["truncated"] += 1
            except BaseException as error:
                surprises.append(error)
                return

    acts: list[Callable[[Region, int], object]] = [
        lambda region, n: region.read(0, SIZE if n % 50 == 0 else 65536),
        lambda region, n: region.read(SIZE - 8192, 8192),
        lambda region, n: (region.load(8 * (n % (SIZE // 8)), 8), region.check()),
        lambda region, n: region.extents(0, SIZE),
    ]
    if not read_only:
        acts += [
            lambda region, n: region.write(n * 4096 % SIZE, b"\xaa" * 4096),
            lambda region, n: region.store(n * 8 % SIZE, 8, 0xAAAAAAAAAAAAAAAA),
            lambda region, n: region.write(0, b"\xaa" * SIZE) if n % 20 == 0 else None,
        ]
    with region, storm(path) as child:
        threads = [threading.Thread(target=work, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        stop.wait(1.2)
        deadline = time.monotonic() + 20
        while (seen["good"] < 500 or seen["truncated"] < 100) and time.monotonic() < deadline:
            stop.wait(0.05)
        stop.set()
        for thread in threads:
            thread.join()
        count = cuts(child)
        assert not surprises
        assert count > 100
        assert seen["good"] >= 500
        assert seen["truncated"] >= 100
        region.check()  # grown again, and open all the while
        assert set(region.read(0, SIZE)) <= {0, 0xAA}
    assert path.stat().st_size == SIZE


def test_a_change_scan_survives_in_this_process(shm_file: ShmFile) -> None:
    """Where there is a kernel, it looks into the mapping itself."""
    path = shm_file(SIZE, fill=b"\xaa")
    seen: Counter[str] = Counter()
    with open_region(RegionSpec(RegionKind.FILE, str(path))) as region:
        sweep = Sweep(region)
        whole_turn(sweep)
        whole_turn(sweep)
        with storm(path) as child:
            deadline = time.monotonic() + 20
            while min(seen["good"], seen["truncated"]) < 50 and time.monotonic() < deadline:
                try:
                    whole_turn(sweep)
                    seen["good"] += 1
                except TruncatedError:
                    seen["truncated"] += 1
            assert cuts(child) > 50
        assert seen["truncated"] >= 50
        whole_turn(sweep)
        assert whole_turn(sweep).changed_pages == 0
    assert path.stat().st_size == SIZE


def test_an_engine_survives_tells_and_recovers(shm_file: ShmFile) -> None:
    path = shm_file(SIZE, fill=b"\xaa")
    talk = Talk(EngineProcess(), path)
    assert isinstance(talk.client, EngineProcess)
    pid = talk.client.pid
    codes: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    try:
        talk.frame()
        talk.client.ask(msg.SetRate(240))
        talk.client.ask(msg.SetLocked(locked=False))
        with storm(path) as child:
            deadline = time.monotonic() + 2
            waiting: list[int] = []
            number = 0
            while time.monotonic() < deadline or not codes["truncated"]:
                number += 1
                talk.client.ask(msg.WatchRange(number * 65536 % SIZE, 65536))
                waiting.append(talk.client.ask(msg.Write(number * 64 % SIZE, b"\xaa" * 64)))
                if number % 20 == 0:
                    waiting.append(talk.client.ask(msg.Fill(0, SIZE, RandomPattern(1))))
                    waiting.append(talk.client.ask(msg.Undo(force=True)))
                if talk.newest is not None:
                    codes[talk.newest.health.code] += 1
                talk.pump()
                assert talk.client.trouble() is None
                time.sleep(0.005)
            for request in waiting:
                answer = talk.result(request)
                errors[answer.error.code if isinstance(answer, msg.Failed) else "good"] += 1
            assert cuts(child) > 50
        frame = talk.frame(lambda f: f.health.code == "ok" and f.number > 100)
        assert len(frame.data)
        assert talk.client.pid == pid
        os.kill(pid or 0, 0)
        assert codes["truncated"]
        assert set(errors) <= {"good", "truncated", "nothing-to-undo", "busy", "region-gone"}
        assert errors["good"]
        assert isinstance(talk.do(msg.Write(0, b"calm", force=True)), WriteRecord)
    finally:
        talk.client.close(timeout_s=5)
    assert path.stat().st_size == SIZE


def test_reopening_gives_the_new_size(shm_file: ShmFile) -> None:
    """What Retry does: another engine on what is there now."""
    path = shm_file(SIZE)
    talk = Talk(EngineProcess(), path)
    try:
        talk.frame()
        os.truncate(path, 65536)
        talk.frame(lambda f: f.health.code == "truncated")
        assert isinstance(talk.fail(msg.Read(SIZE - 16, 16)), ScopeError)
    finally:
        talk.client.close()
    talk = Talk(EngineProcess(), path)
    try:
        frame = talk.frame()
        assert frame.activity.region_size == 65536
        assert frame.health.code == "ok"
        assert isinstance(talk.fail(msg.Read(65536, 1)), OutOfRangeError)
    finally:
        talk.client.close()
