"""The program's own way to a device: listing, opening, sharing, copying, giving back."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
import threading
import time

import pytest
from conftest import (
    MAPPING_FAILS,
    NULL_POINTER,
    SHORT_ANSWER,
    SHORT_SIZE,
    SIZE_DIFFERS,
    SIZE_GARBAGE,
    SIZE_ZERO,
)

from app.core.backends.windows import notices as windows_notices
from app.core.backends.windows import sharing as windows_sharing
from app.core.backends.windows.abi import _code
from app.core.backends.windows.bar import list_windows_bars, open_windows_bar
from app.core.errors import (
    CannotFindError,
    ClosedError,
    DriverError,
    DriverMissingError,
    HeldByAnotherError,
    OutOfRangeError,
    ReadOnlyError,
    RegionGoneError,
    ReplacedError,
    UnpluggedError,
    UnsuitableError,
)
from app.core.measure.bandwidth.mapping_speed import measure_mapping
from app.core.region.doorbell import ANSWERS, MEASURES, BellAddress
from app.core.region.region import CacheMode, RegionKind, RegionSpec

UNPLUG, PLUG = _code(0x8F0), _code(0x8F1)
HOLDER = """
import sys
sys.path.insert(0, sys.argv[1])
from app.core.backends.windows.bar import open_windows_bar
from app.core.region.region import RegionKind, RegionSpec
region = open_windows_bar(RegionSpec(RegionKind.WINDOWS, sys.argv[2]))
print("held", flush=True)
sys.stdin.read() if sys.stdin else None
import time; time.sleep(600)
"""


def spec(number=0, **more):
    return RegionSpec(RegionKind.WINDOWS, list_windows_bars()[number].path, **more)


@pytest.fixture
def other(rig):
    """Starts another process that holds a device's mapping."""
    started = []

    def hold(number=0):
        root = os.path.abspath(os.path.join(os.path.dirname(__file__), *[".."] * 4))
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, root, spec(number).location],
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline().strip() == "held"
        return process

    yield hold
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def pull(api, found):
    """Unplugs a device under our feet and plugs it in again."""
    handle = api.open_device(found[0].path)

    def do(*, plugged):
        api.control(handle, PLUG if plugged else UNPLUG, b"", None)

    yield do
    do(plugged=True)
    api.close(handle)


# -- listing ---------------------------------------------------------------------------------------


def test_lists_both_devices_in_the_order_of_the_bus(rig):
    bars = [bar for bar in list_windows_bars() if bar.driver]
    assert [str(bar.address) for bar in bars] == ["0000:00:01.0", "0000:0c:1f.0"]
    assert [bar.size for bar in bars] == [rig.size(0), rig.size(1)]
    assert [bar.peer for bar in bars] == [3, 4]
    assert all(bar.trouble is None for bar in bars)


def test_lists_a_device_without_driver_and_says_where_to_get_it(rig):
    bare = list_windows_bars()[-1]
    assert not bare.driver
    assert isinstance(bare.trouble, DriverMissingError)
    assert "virtio-win" in bare.trouble.hint
    with pytest.raises(DriverMissingError):
        open_windows_bar(RegionSpec(RegionKind.WINDOWS, bare.instance))


def test_listing_disturbs_nobody(rig, other):
    other()
    assert list_windows_bars()[0].size == rig.size(0)


def test_a_location_in_another_language_keeps_the_list(rig):
    import winreg

    from conftest import ENUM

    path = rf"{ENUM}\0001"
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path, 0, winreg.KEY_ALL_ACCESS) as key:
        before = winreg.QueryValueEx(key, "LocationInformation")[0]
        try:
            winreg.SetValueEx(
                key, "LocationInformation", 0, winreg.REG_SZ, "PCI-Bus 12, Gerät 31, Funktion 0"
            )
            assert str(list_windows_bars()[1].address) == "0000:0c:1f.0"
            winreg.SetValueEx(key, "LocationInformation", 0, winreg.REG_SZ, "irgendwo")
            bars = list_windows_bars()
            assert bars[1].address is None
            assert bars[1].driver
        finally:
            winreg.SetValueEx(key, "LocationInformation", 0, winreg.REG_SZ, before)


# -- opening and copying ---------------------------------------------------------------------------


def test_reads_and_writes_what_linux_sees(rig):
    with open_windows_bar(spec()) as region:
        rig.put(0, 100, b"linux")
        assert region.read(100, 5) == b"linux"
        region.write(200, b"windows")
        assert rig.get(0, 200, 7) == b"windows"
        region.store(304, 8, 0x1122334455667788)
        assert rig.get(0, 304, 8) == bytes.fromhex("8877665544332211")
        assert [region.load(304, width) for width in (1, 2, 4, 8)] == [
            0x88,
            0x7788,
            0x55667788,
            0x1122334455667788,
        ]


def test_reads_the_whole_device_and_its_last_byte(rig):
    with open_windows_bar(spec()) as region:
        rig.put(0, region.size - 1, b"\xa5")
        data = region.read(0, region.size)
        assert len(data) == rig.size(0)
        assert data[-1] == 0xA5
        with pytest.raises(OutOfRangeError):
            region.read(region.size - 1, 2)


def test_tells_what_it_opened(rig):
    with open_windows_bar(spec()) as region:
        info = region.info
        assert info.cache.startswith("cached")
        assert info.system == "guest"
        assert info.writable
        assert info.details == ("Peer 3, 2 interrupt vectors.",)
        assert info.notes == ()


@pytest.mark.parametrize("mode", [CacheMode.UNCACHED, CacheMode.CACHED, CacheMode.WRITE_COMBINED])
def test_opens_in_the_wanted_cache_mode(rig, mode):
    with open_windows_bar(spec(cache=mode)) as region:
        assert region.mapping.cache is mode
        assert region.info.cache.startswith(mode.value)


@pytest.mark.parametrize("location", ["0", "0000:00:01.0", "00:01.0"])
def test_opens_by_number_and_by_address(rig, location):
    with open_windows_bar(RegionSpec(RegionKind.WINDOWS, location)) as region:
        assert region.size == rig.size(0)


def test_opens_a_part(rig):
    with open_windows_bar(spec(start=4096, length=8192)) as region:
        assert region.size == 8192
        region.write(0, b"part")
        assert rig.get(0, 4096, 4) == b"part"
    with pytest.raises(OutOfRangeError):
        open_windows_bar(spec(start=rig.size(0)))
    assert windows_sharing.mappings() == []


def test_read_only_is_kept(rig):
    with open_windows_bar(spec(read_only=True)) as region, pytest.raises(ReadOnlyError):
        region.write(0, b"x")


def test_no_such_device(rig):
    with pytest.raises(CannotFindError):
        open_windows_bar(RegionSpec(RegionKind.WINDOWS, "0000:7f:00.0"))


# -- one owner per process ----------------------------------------------------------------------------


def test_several_regions_share_one_mapping(rig):
    first, second = open_windows_bar(spec()), open_windows_bar(spec(start=4096))
    assert first.mapping is second.mapping
    first.close()
    second.write(0, b"still here")
    second.close()
    assert windows_sharing.mappings() == []
    with pytest.raises(ClosedError):
        second.read(0, 1)
    open_windows_bar(spec()).close()


def test_another_cache_mode_while_it_is_mapped_is_told(rig):
    with open_windows_bar(spec()), open_windows_bar(spec(cache=CacheMode.UNCACHED)) as second:
        assert any("already" in note for note in second.info.notes)


def test_another_process_holds_it(rig, other):
    process = other()
    with pytest.raises(HeldByAnotherError) as caught:
        open_windows_bar(spec())
    assert "Looking Glass" in caught.value.hint
    assert "548" in caught.value.message
    with open_windows_bar(spec(1)):
        pass
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while True:
        try:
            open_windows_bar(spec()).close()
            break
        except HeldByAnotherError:
            assert time.monotonic() < deadline, "a killed process must free the mapping"
            time.sleep(0.05)


def test_two_processes_share_it_with_a_build_of_2024(rig, other):
    rig.set(0, PerHandle=1)
    other()
    with open_windows_bar(spec()) as region:
        rig.put(0, 0, b"both")
        assert region.read(0, 4) == b"both"


# -- given back, unplugged ----------------------------------------------------------------------------


def test_release_and_reopen_keep_the_regions_alive(rig):
    with open_windows_bar(spec()) as region:
        windows_sharing.release_all("the machine goes to sleep")
        with pytest.raises(UnpluggedError, match="goes to sleep"):
            region.read(0, 1)
        with pytest.raises(RegionGoneError):
            region.check()
        rig.put(0, 0, b"awake")
        assert windows_sharing.reopen_all() == []
        assert region.read(0, 5) == b"awake"
        region.check()


def test_windows_calls_for_notices_are_accepted_or_declined(rig, api, found):
    """Wine may not offer them; what counts is that asking neither fails nor crashes."""
    told = []
    handle = api.open_device(found[0].path)
    watch = windows_notices.watch_device(handle, told.append)
    if watch:
        watch.end()
    api.close(handle)
    assert windows_notices.watch_power(lambda: None, lambda: None) in (True, False)
    assert told == []


def test_a_released_device_is_free_for_others(rig, other):
    with open_windows_bar(spec()) as region:
        windows_sharing.release_all("a test")
        process = other()
        [error] = windows_sharing.reopen_all()
        assert isinstance(error, HeldByAnotherError)
        process.kill()
        process.wait()
        deadline = time.monotonic() + 10
        while windows_sharing.reopen_all():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        region.read(0, 1)


def test_release_waits_for_running_readers(rig):
    with open_windows_bar(spec()) as region:
        stop, wrong = threading.Event(), []

        def reader():
            while not stop.is_set():
                try:
                    region.read(0, 4 << 20)
                except UnpluggedError as error:
                    if "given back" not in error.message:
                        wrong.append(error)

        threads = [threading.Thread(target=reader, daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            windows_sharing.release_all("a test")
            assert windows_sharing.reopen_all() == []
        stop.set()
        for thread in threads:
            thread.join(10)
        assert not wrong, wrong


def test_another_size_after_sleep_is_another_device(rig):
    with open_windows_bar(spec()) as region:
        windows_sharing.release_all("a test")
        rig.resize(0, rig.size(0) // 2)
        [error] = windows_sharing.reopen_all()
        assert isinstance(error, ReplacedError)
        with pytest.raises(ReplacedError):
            region.read(0, 1)


def test_pulled_out_under_our_feet_is_an_error_and_no_crash(rig, pull):
    with open_windows_bar(spec()) as region:
        pull(plugged=False)
        for access in (
            lambda: region.read(0, 100_000),
            lambda: region.write(4090, b"0123456789"),
            lambda: region.load(8, 8),
            lambda: region.store(8, 8, 1),
        ):
            with pytest.raises(UnpluggedError):
                access()
        with pytest.raises(RegionGoneError):
            region.check()
    pull(plugged=True)
    with open_windows_bar(spec()) as region:
        region.read(0, 1)


def test_pulled_out_in_the_middle_of_copies_is_an_error_for_each_reader(rig, pull):
    for _ in range(5):
        with open_windows_bar(spec()) as region:
            met, busy = [], threading.Barrier(4)

            def reader(met=met, busy=busy, region=region):
                region.read(0, 1 << 20)
                busy.wait(10)
                try:
                    while True:
                        region.read(0, region.size)
                except UnpluggedError as error:
                    met.append(error)

            threads = [threading.Thread(target=reader, daemon=True) for _ in range(3)]
            for thread in threads:
                thread.start()
            busy.wait(10)
            pull(plugged=False)
            for thread in threads:
                thread.join(20)
            assert len(met) == 3
        pull(plugged=True)


def test_close_is_safe_twice_and_after_the_device_went(rig, pull):
    region = open_windows_bar(spec())
    pull(plugged=False)
    region.close()
    region.close()


def test_a_device_that_comes_back_is_mapped_again_by_itself(rig, pull):
    with open_windows_bar(spec()) as region:
        pull(plugged=False)
        deadline = time.monotonic() + 10
        while not region.mapping.released:
            assert time.monotonic() < deadline
            with contextlib.suppress(UnpluggedError):
                region.check()
        rig.put(0, 64, b"back again")
        pull(plugged=True)
        while region.mapping.released:
            assert time.monotonic() < deadline
            with contextlib.suppress(UnpluggedError):
                region.check()
        assert region.read(64, 10) == b"back again"


def test_the_speed_of_each_cache_mode_can_be_measured(rig):
    rig.put(0, 8192, b"keep this")
    with open_windows_bar(spec()) as region:
        speed = measure_mapping(region, (8192, 1 << 20))
        assert speed.read_bytes_per_s > 0
        assert speed.write_bytes_per_s > 0
    assert rig.get(0, 8192, 9) == b"keep this"


# -- drivers that lie --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        (SHORT_ANSWER, DriverError),
        (SIZE_ZERO, UnsuitableError),
        (SIZE_GARBAGE, DriverError),
        (NULL_POINTER, DriverError),
        (SIZE_DIFFERS, DriverError),
        (MAPPING_FAILS, DriverError),
        (SHORT_SIZE, DriverError),
    ],
)
def test_a_lying_driver_is_an_error_and_leaves_nothing_mapped(rig, lie, kind):
    rig.set(0, Misbehave=lie)
    with pytest.raises(kind) as caught:
        open_windows_bar(spec())
    assert caught.value.hint
    rig.set(0, Misbehave=0)
    with open_windows_bar(spec()) as region:
        region.read(0, 1)


def test_a_lying_driver_does_not_cost_the_list(rig):
    rig.set(0, Misbehave=SIZE_GARBAGE)
    bars = list_windows_bars()
    assert bars[0].trouble
    assert bars[0].size == 0
    assert bars[1].trouble is None


def test_more_size_than_memory_is_an_error(rig):
    rig.resize(0, rig.size(0) * 64)
    with pytest.raises(DriverError):
        open_windows_bar(spec())


def test_4096_bytes_are_suspicious(rig):
    rig.resize(0, 4096)
    assert "vector" in list_windows_bars()[0].notes[0]
    with open_windows_bar(spec()) as region:
        assert any("vectors=1" in note for note in region.info.notes)


def test_not_ready_says_so(rig):
    rig.set(0, NotReady=1)
    with pytest.raises(DriverError, match="waits for its memory"):
        open_windows_bar(spec())


# -- doorbell -----------------------------------------------------------------------------------------


def test_rings_between_two_devices_and_counts_by_sequence_number(rig):
    with open_windows_bar(spec(0)) as mine, open_windows_bar(spec(1)) as theirs:
        ours, others = mine.bell(MEASURES), theirs.bell(MEASURES)
        assert (ours.address, others.address) == (BellAddress(3, 1), BellAddress(4, 1))
        for number in range(1, 6):
            mine.store(0, 4, number)
            ours.ring(others.address)
        assert others.wait(1.0), "rung at least once"
        assert not others.wait(0), "five rings came as one"
        assert mine.load(0, 4) == 5, "the sequence number tells how many"


def test_events_survive_release_and_reopen(rig):
    with open_windows_bar(spec(0)) as region:
        bell = region.bell(ANSWERS)
        windows_sharing.release_all("a test")
        assert windows_sharing.reopen_all() == []
        bell.ring(bell.address)
        assert bell.wait(1.0)


def test_listening_twice_takes_one_place(rig):
    with open_windows_bar(spec(0)) as region:
        for _ in range(100):
            bell = region.bell(ANSWERS)
        bell.ring(bell.address)
        assert bell.wait(1.0)


def test_the_process_is_64_bit(rig):
    assert ctypes.sizeof(ctypes.c_void_p) == 8
