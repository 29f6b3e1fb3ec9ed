"""Several windows on one device: one process, a seat each, and the end of one is not the other's."""

from __future__ import annotations

import multiprocessing.resource_sharer
import os
import signal
import time

import pytest

from app.core.backends.windows.bar import interface_path
from app.core.backends.windows.setup import FoundDevice
from app.core.engine import messages as msg
from app.core.engine import pool
from app.core.engine.pool import EnginePool, sharing_key
from app.core.engine.process import EngineProcess
from app.core.region.region import RegionKind, RegionSpec
from tests.fakes.windows_driver import FakeSetup


@pytest.fixture
def hosts(monkeypatch):
    """Files stand for devices of which windows must share the mapping."""
    monkeypatch.setattr(pool, "sharing_key", lambda spec: spec.location)
    given = []
    hosts = EnginePool()

    def engine(path, *, hosts=hosts):
        client = hosts.engine_for(RegionSpec(RegionKind.FILE, str(path)))
        client.open(RegionSpec(RegionKind.FILE, str(path)))
        given.append(client)
        return client

    yield engine
    for client in given:
        client.close()
    multiprocessing.resource_sharer.stop(timeout=5)  # it hands a later seat's pipe over on Linux


def wait(fact, what="it"):
    deadline = time.monotonic() + 15
    while not (found := fact()):
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.005)
    return found


def frame(client, fact=lambda _: True):
    return wait(lambda: (f := client.frame()) is not None and fact(f) and f, "the frame")


def answered(client, kind=msg.Done):
    return wait(lambda: [a for a in client.answers() if isinstance(a, kind)], kind.__name__)[0]


def test_two_windows_on_one_device_share_a_process_and_look_apart(hosts, shm_file):
    path = shm_file(1 << 20, fill=b"shared")
    first, second = hosts(path), hosts(path)
    assert first.pid == second.pid
    second.ask(msg.WatchRange(8192, 4096))
    assert frame(second, lambda f: f.start == 8192)
    assert frame(first).start == 0
    first.ask(msg.SetLocked(False))
    assert frame(first, lambda f: not f.locked)
    second.ask(msg.SetPaused(True))
    assert frame(second, lambda f: f.paused).locked, "the other window's lock is its own"
    first.ask(msg.Write(8192, b"written"))
    answered(first)
    second.ask(msg.Read(8192, 7))
    assert answered(second).value == b"written"


def test_another_device_has_another_process(hosts, shm_file):
    first, second = hosts(shm_file(4096)), hosts(shm_file(4096))
    assert first.pid != second.pid


@pytest.mark.parametrize("leaves", [0, 1])
def test_one_window_leaves_and_the_other_goes_on(hosts, shm_file, leaves):
    path = shm_file(4096)
    both = hosts(path), hosts(path)
    for client in both:
        frame(client)
    pid = both[0].pid
    both[leaves].close()
    stays = both[1 - leaves]
    with path.open("r+b") as file:
        file.write(b"later")
    assert frame(stays, lambda f: bytes(f.data[:5]) == b"later")
    assert stays.trouble() is None
    third = hosts(path)
    assert third.pid == pid, "a window opened again sits down at the same process"
    frame(third)
    stays.close()
    third.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_shared_process_dies_and_both_hear_of_it(hosts, shm_file):
    path = shm_file(4096)
    both = hosts(path), hosts(path)
    for client in both:
        frame(client)
    os.kill(both[0].pid, signal.SIGKILL)
    for client in both:
        assert "SIGKILL" in str(wait(client.trouble))
    both[0].close()
    again = hosts(path)
    assert again.pid != both[1].pid
    frame(again)


def test_a_stopped_shared_process_is_ended_by_the_first_that_opens_again(hosts, shm_file):
    path = shm_file(4096)
    both = hosts(path), hosts(path)
    for client in both:
        frame(client)
    os.kill(both[0].pid, signal.SIGSTOP)
    wait(both[0].trouble, "the silence")
    both[0].close(timeout_s=0.2)
    wait(both[1].trouble, "the end")
    frame(hosts(path))


def test_a_window_that_could_not_open_is_nobodys_host(hosts, shm_file, tmp_path):
    path = tmp_path / "later"
    first = hosts(path)
    answered(first, msg.OpenFailed)
    wait(lambda: not first.serves, "the end of its seat")
    path.write_bytes(bytes(4096))
    second = hosts(path)
    assert frame(second)


def test_the_early_child_is_taken_first_and_ends_unused(shm_file):
    spare = EngineProcess()
    hosts = EnginePool(spare)
    file = RegionSpec(RegionKind.FILE, str(shm_file(4096)))
    client = hosts.engine_for(file)
    assert client is spare
    hosts.close()
    assert spare.trouble() is None
    client.close()
    unused = EngineProcess()
    EnginePool(unused).close()
    with pytest.raises(ProcessLookupError):
        os.kill(unused.pid, 0)


def test_only_windows_devices_are_shared_and_one_name_stands_for_all():
    assert sharing_key(RegionSpec(RegionKind.FILE, "/dev/shm/x")) == ""
    assert sharing_key(RegionSpec(RegionKind.BAR, "0000:00:01.0")) == ""
    path = r"\\?\PCI#VEN_1AF4#3&0#{df576976-569d-4672-95a0-f57e4ea0b210}"
    assert sharing_key(RegionSpec(RegionKind.WINDOWS, path)) == path.lower()
    setup = FakeSetup([FoundDevice(path, r"PCI\1", "Rig", 12, 31 << 16, "")])
    for name in (path, "0000:0c:1f.0", "0c:1f.0", "0", r"pci\1"):
        assert interface_path(name, setup) == path
    assert interface_path("nobody", setup) == "nobody"
