"""The Windows side as far as it can be tested anywhere: structures, words, order, life of a mapping."""

from __future__ import annotations

import ctypes
import pickle
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.backends.windows import abi as windows_abi
from app.core.backends.windows import notices as windows_notices
from app.core.backends.windows import sharing as windows_sharing
from app.core.backends.windows.abi import (
    DEFAULT_CACHE,
    EventRequest32,
    EventRequest64,
    MmapAnswer32,
    MmapAnswer64,
    Ring,
    driver_error,
)
from app.core.backends.windows.bar import list_windows_bars, open_windows_bar
from app.core.backends.windows.setup import FoundDevice, Guid, detail_size, undriven
from app.core.errors import (
    CannotFindError,
    ClosedError,
    DriverError,
    DriverMissingError,
    HeldByAnotherError,
    OutOfRangeError,
    ReadOnlyError,
    ReplacedError,
    ScopeError,
    UnpluggedError,
    UnsuitableError,
)
from app.core.region.doorbell import ANSWERS, MEASURES, BellAddress
from app.core.region.pci_address import PciAddress
from app.core.region.region import PAGE, CacheMode, RegionKind, RegionSpec
from tests.fakes.windows_driver import FakeDriver, FakeSetup

PATH = r"\\?\pci#ven_1af4&dev_1110#3&0#{df576976-569d-4672-95a0-f57e4ea0b210}"
FIRST = FoundDevice(PATH, r"PCI\VEN_1AF4\1", "Rig", 0, 1 << 16, "")
SECOND = FoundDevice(PATH + "2", r"PCI\VEN_1AF4\2", "Rig", 12, 31 << 16, "")


@pytest.fixture
def driver():
    yield FakeDriver()
    for mapping in windows_sharing.mappings():
        mapping.forget()
    windows_sharing._shared.clear()


@pytest.fixture
def opened(driver):
    """Opens the first device with the fake driver."""

    def do(location=PATH, **more):
        return open_windows_bar(
            RegionSpec(RegionKind.WINDOWS, location, **more), FakeSetup([FIRST, SECOND]), driver
        )

    return do


# -- structures and codes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "size", "offsets"),
    [
        (MmapAnswer64, 32, {"peer": 0, "size": 8, "pointer": 16, "vectors": 24}),
        (MmapAnswer32, 24, {"peer": 0, "size": 8, "pointer": 16, "vectors": 20}),
        (Ring, 4, {"peer": 0, "vector": 2}),
        (EventRequest64, 24, {"vector": 0, "event": 8, "single_shot": 16}),
        (EventRequest32, 12, {"vector": 0, "event": 4, "single_shot": 8}),
    ],
)
def test_structures_have_the_drivers_layout(kind, size, offsets):
    assert ctypes.sizeof(kind) == size
    assert {name: getattr(kind, name).offset for name in offsets} == offsets


def test_codes_are_those_of_the_published_header():
    names = ("PEERID", "SIZE", "MMAP")
    codes = [getattr(windows_abi, f"REQUEST_{name}") for name in names]
    codes += [windows_abi.RELEASE_MMAP, windows_abi.RING_DOORBELL, windows_abi.REGISTER_EVENT]
    assert codes == [2236416, 2236420, 2236424, 2236428, 2236432, 2236436]


def test_a_32_bit_caller_gets_its_own_mapping_and_the_systems_event():
    assert isinstance(windows_abi.mmap_answer(4), MmapAnswer32)
    assert isinstance(windows_abi.mmap_answer(8), MmapAnswer64)
    wow64 = windows_abi.event_request(1, 2, single_shot=True, windows_64=True)
    assert bytes(wow64) == bytes([1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1] + [0] * 7)
    assert detail_size(8) == 8
    assert detail_size(4) == 6


def test_the_peer_comes_first_in_a_ring():
    assert bytes(Ring(0x1234, 5)) == b"\x34\x12\x05\x00"


def test_guid_is_laid_out_as_windows_does():
    assert bytes(Guid.from_text(windows_abi.INTERFACE_GUID))[:8] == bytes.fromhex(
        "766957df9d567246"
    )


# -- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [*windows_abi.MEANINGS, 9999])
def test_every_error_is_a_sentence_with_a_hint(number):
    error = driver_error(number, "map the memory", "0000:00:01.0")
    assert "0000:00:01.0" in error.message
    assert str(number) in error.message
    assert error.message.endswith(".")
    assert error.hint.endswith(".")
    assert pickle.loads(pickle.dumps(error)).hint == error.hint


def test_548_names_the_likely_owners_and_offers_retry():
    error = driver_error(548, "map the memory", "it")
    assert isinstance(error, HeldByAnotherError)
    for word in ("Looking Glass", "Scream", "window of IVSHMEM Scope", "try again"):
        assert word in error.hint


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("PCI bus 0, device 1, function 0", (0, 1, 0)),
        ("PCI bus 12, device 31, function 7", (12, 31, 7)),
        ("PCI-Bus 12, Gerät 31, Funktion 0", (12, 31, 0)),
        ("Bus PCI 4, périphérique 1, fonction 0", (4, 1, 0)),
        ("PCI バス 10、デバイス 3、機能 0", (10, 3, 0)),
        (
            "@System32\\drivers\\pci.sys,#65536;PCI bus %1, device %2, function %3;(12,31,0)",
            (12, 31, 0),
        ),
        ("", None),
        ("somewhere", None),
        ("PCI bus 1, device 2", None),
        ("PCI bus 1, device 32, function 0", None),
        ("PCI bus 1, device 2, function 8", None),
        ("1 2 3 4", None),
    ],
)
def test_location_text_in_any_language(text, place):
    found = FoundDevice("path", "instance", location=text).place
    assert found == (None if place is None else PciAddress(0, *place))


@given(st.text(), st.integers(0, 1 << 32), st.integers(0, 1 << 32))
def test_any_numbers_and_any_text_give_an_address_or_none(text, bus, address):
    place = FoundDevice("path", "instance", bus=bus, address=address, location=text).place
    assert place is None or PciAddress.parse(str(place)) == place


# -- finding ---------------------------------------------------------------------------------------


def test_properties_come_before_the_text_and_order_follows_them(driver):
    late = FoundDevice(
        "b", "B", bus=12, address=(31 << 16), location="PCI bus 0, device 0, function 0"
    )
    early = FoundDevice("a", "A", location="PCI-Bus 2, Gerät 5, Funktion 0")
    lost = FoundDevice("c", "C", location="irgendwo")
    bars = list_windows_bars(FakeSetup([lost, late, early]), driver)
    assert [bar.path for bar in bars] == ["a", "b", "c"]
    assert [str(bar.address) for bar in bars] == ["0000:02:05.0", "0000:0c:1f.0", "None"]


def test_twenty_devices_are_listed_and_opened_by_number(driver):
    many = [FoundDevice(f"p{n}", f"i{n}", bus=n, address=n << 16) for n in range(20)]
    setup = FakeSetup(many[::-1])
    assert [bar.path for bar in list_windows_bars(setup, driver)] == [f"p{n}" for n in range(20)]
    with open_windows_bar(RegionSpec(RegionKind.WINDOWS, "19"), setup, driver) as region:
        assert region.info.name == "0000:13:13.0"


def test_a_further_segment_becomes_a_domain(driver):
    [bar] = list_windows_bars(FakeSetup([FoundDevice("a", "A", bus=0x105, address=0)]), driver)
    assert str(bar.address) == "0001:05:00.0"


def test_no_device_and_no_driver_are_told_apart(driver):
    spec = RegionSpec(RegionKind.WINDOWS, "0000:00:01.0")
    with pytest.raises(CannotFindError, match="no ivshmem device"):
        open_windows_bar(spec, FakeSetup([]), driver)
    bare = FakeSetup([], [FIRST])
    with pytest.raises(DriverMissingError) as caught:
        open_windows_bar(spec, bare, driver)
    assert "virtio-win" in caught.value.hint
    [bar] = list_windows_bars(bare, driver)
    assert not bar.driver
    assert isinstance(bar.trouble, DriverMissingError)


def test_a_driven_device_is_not_listed_twice():
    assert undriven([FIRST], [FIRST, SECOND]) == [SECOND]


def test_a_device_in_trouble_stays_in_the_list(driver):
    driver.fail["open"] = 5
    [bar] = list_windows_bars(FakeSetup([FIRST]), driver)
    assert isinstance(bar.trouble, DriverError)
    assert bar.size == 0


@pytest.mark.parametrize("location", [PATH, PATH.upper(), "0", "00:01.0", r"PCI\VEN_1AF4\1"])
def test_a_device_is_named_in_several_ways(opened, location):
    with opened(location) as region:
        assert region.info.path == PATH


# -- opening ---------------------------------------------------------------------------------------


def test_a_viewer_maps_cached_by_default(opened, driver):
    with opened() as region:
        assert DEFAULT_CACHE is CacheMode.CACHED
        assert driver.mode == 1
        assert region.info.cache.startswith("cached")


def test_the_default_falls_back_and_a_choice_does_not(opened, driver):
    driver.refused_modes = {1}
    with opened() as region:
        assert region.info.cache.startswith("write-combined")
    with pytest.raises(DriverError):
        opened(cache=CacheMode.CACHED)
    assert driver.calls[-1] == "close", "a refused mapping leaves no handle open"


@pytest.mark.parametrize("size", [0, 1 << 60])
def test_impossible_sizes_are_refused_and_nothing_is_left(opened, driver, size):
    driver.size = size
    with pytest.raises((UnsuitableError, DriverError)):
        opened()
    assert driver.calls == ["open", "close"]


def test_4096_bytes_are_worth_a_warning(driver, opened):
    driver.size = 4096
    with opened() as region:
        assert any("MSI" in note for note in region.info.notes)


def test_less_mapped_than_told_is_found_at_once(opened, driver):
    driver.gone = driver.size - 1
    with pytest.raises(DriverError, match="less of"):
        opened()
    assert driver.owner == 0


@pytest.mark.parametrize(
    ("start", "length"), [(1, None), (0, 0), (64 << 10, None), (0, 1 << 20), (-PAGE, None)]
)
def test_a_part_outside_is_refused_and_nothing_stays_mapped(opened, driver, start, length):
    with pytest.raises(OutOfRangeError):
        opened(start=start, length=length)
    assert driver.owner == 0


def test_reading_only(opened):
    with opened(read_only=True) as region:
        with pytest.raises(ReadOnlyError):
            region.write(0, b"x")
        with pytest.raises(ReadOnlyError):
            region.store(0, 1, 1)


# -- copies ------------------------------------------------------------------------------------------


def test_reads_and_writes_every_width_and_across_chunks(driver, opened):
    driver.__init__(3 << 20)
    with opened(start=PAGE) as region:
        data = bytes(range(256)) * ((2 << 20) // 256)
        region.write(7, data)
        assert region.read(7, len(data)) == data
        assert bytes(driver.memory[PAGE + 7 : PAGE + 11]) == data[:4]
        for width in (1, 2, 4, 8):
            value = 0x0102030405060708 & ((1 << 8 * width) - 1)
            region.store(16, width, value)
            assert region.load(16, width) == value


def test_a_refused_block_goes_page_by_page(opened, driver):
    with opened() as region:
        region.write(0, b"\xab" * 10_000)
        driver.largest = PAGE
        assert region.read(100, 9_000) == b"\xab" * 9_000


def test_gone_pages_are_an_error_with_the_place(opened, driver):
    with opened() as region:
        driver.gone = 2 * PAGE
        assert region.read(0, 2 * PAGE)
        with pytest.raises(UnpluggedError, match="0x0000'2000"):
            region.read(PAGE, 3 * PAGE)
        with pytest.raises(UnpluggedError):
            region.write(2 * PAGE, b"x")


def test_a_fault_gives_the_device_back_for_all_at_once(opened, driver):
    with opened() as region, opened(start=PAGE) as other:
        driver.gone = 2 * PAGE
        with pytest.raises(UnpluggedError):
            region.read(2 * PAGE, 1)
        assert driver.calls[-2:] == ["release", "close"]
        driver.gone = driver.size  # as if our own memory lay there now
        for access in (lambda: other.read(0, 1), lambda: other.write(0, b"x")):
            with pytest.raises(UnpluggedError):
                access()


# -- life --------------------------------------------------------------------------------------------


def test_two_regions_share_one_mapping_and_the_last_gives_it_back(opened, driver):
    first, second = opened(), opened(start=PAGE)
    first.close()
    assert driver.owner
    second.read(0, 1)
    second.close()
    assert driver.calls == ["open", "map", "release", "close"]
    with pytest.raises(ClosedError):
        second.read(0, 1)


def test_another_holder_is_named_and_no_handle_stays(opened, driver):
    driver.owner = 7
    with pytest.raises(HeldByAnotherError):
        opened()
    assert driver.calls[-1] == "close"
    driver.owner = 0
    opened().close()


def test_release_then_reopen(opened, driver):
    with opened() as region:
        assert region.bell(MEASURES) is not None
        windows_sharing.release_all("the machine goes to sleep")
        assert driver.calls[-2:] == ["release", "close"]
        with pytest.raises(UnpluggedError, match="goes to sleep"):
            region.read(0, 1)
        assert windows_sharing.reopen_all() == []
        region.read(0, 1)
        assert driver.events == [24, 24], "the event is registered again"


def test_a_stopping_device_is_given_back_first(opened, driver):
    with opened() as region:
        region.mapping.notice(windows_notices.QUERY_REMOVE)
        assert driver.calls[-2:] == ["release", "close"]
        with pytest.raises(UnpluggedError, match="disables or ejects"):
            region.read(0, 1)
        region.mapping.notice(windows_notices.QUERY_FAILED)
        region.read(0, 1)
        region.mapping.notice(windows_notices.REMOVED)
        with pytest.raises(UnpluggedError, match="removed"):
            region.read(0, 1)


def test_the_notice_filter_has_windows_layout():
    assert ctypes.sizeof(windows_notices.NotifyFilter) == 416
    assert windows_notices.NotifyFilter.target.offset == 16


def test_nothing_escapes_from_a_callback(caplog):
    def bad(_what):
        raise ValueError

    assert windows_notices._safely(bad, 3) == 0
    assert "could not be met" in caplog.text


def test_opening_again_brings_a_released_device_back(opened):
    with opened() as region:
        windows_sharing.release_all("a test")
        with opened() as second:
            assert second.mapping is region.mapping
            region.read(0, 1)


def test_another_size_after_reopening_is_a_replacement(opened, driver):
    with opened() as region:
        windows_sharing.release_all("a test")
        driver.size //= 2
        [error] = windows_sharing.reopen_all()
        assert isinstance(error, ReplacedError)
        with pytest.raises(ReplacedError):
            region.check()


def test_release_waits_for_a_running_copy(opened, driver):
    inside, go_on = threading.Event(), threading.Event()
    plain = driver.read_memory

    def slow(*arguments):
        inside.set()
        go_on.wait(10)
        assert "release" not in driver.calls, "released while a copy ran"
        plain(*arguments)

    with opened() as region:
        driver.read_memory = slow
        results = []
        reader = threading.Thread(target=lambda: results.append(region.read(0, 10)), daemon=True)
        reader.start()
        assert inside.wait(10)
        closer = threading.Thread(target=windows_sharing.release_all, args=("a test",), daemon=True)
        closer.start()
        go_on.set()
        reader.join(10)
        closer.join(10)
        assert results == [bytes(10)]
        assert driver.calls[-2:] == ["release", "close"]


def test_check_asks_the_driver_now_and_then(opened, driver):
    with opened() as region:
        region.check()
        driver.fail[windows_abi.REQUEST_PEERID] = 1617
        region.check()
        region.mapping._looked_s = 0.0
        with pytest.raises(UnpluggedError):
            region.check()


def soon(mapping):
    """As if the time until the next look and the next try had passed."""
    mapping._looked_s = mapping._back_s = 0.0


def test_a_device_that_came_back_is_mapped_again_by_itself(opened, driver):
    with opened() as region:
        driver.fail[windows_abi.REQUEST_PEERID] = 1617
        soon(region.mapping)
        with pytest.raises(UnpluggedError) as caught:
            region.check()
        assert "by itself" in caught.value.hint
        assert driver.calls[-2:] == ["release", "close"], "given back as soon as it is known"
        driver.fail["open"] = 2
        soon(region.mapping)
        with pytest.raises(UnpluggedError):
            region.check()
        driver.fail.clear()
        calls = len(driver.calls)
        with pytest.raises(UnpluggedError):
            region.check()
        assert len(driver.calls) == calls, "not at every look"
        soon(region.mapping)
        region.check()
        assert region.read(0, 1) == b"\0"


def test_a_device_that_another_program_took_meanwhile_is_said(opened, driver):
    with opened() as region:
        region.mapping.notice(windows_notices.REMOVED)
        driver.owner = 7
        soon(region.mapping)
        with pytest.raises(HeldByAnotherError):
            region.check()
        driver.owner = 0
        soon(region.mapping)
        region.check()


def test_a_stop_that_is_announced_is_not_disturbed(opened, driver):
    with opened() as region:
        for give_back in (
            lambda: region.mapping.notice(windows_notices.QUERY_REMOVE),
            lambda: windows_sharing.release_all("the machine goes to sleep"),
        ):
            give_back()
            calls = len(driver.calls)
            with pytest.raises(UnpluggedError):
                region.check()
            assert len(driver.calls) == calls
            region.mapping.reopen()


def test_a_device_of_another_size_is_never_taken_by_itself(opened, driver):
    with opened() as region:
        region.mapping.notice(windows_notices.REMOVED)
        driver.size //= 2
        soon(region.mapping)
        with pytest.raises(ReplacedError):
            region.check()
        assert region.mapping._back_s == float("inf")


# -- doorbell ------------------------------------------------------------------------------------------


def test_a_region_gives_its_doorbell_to_each_who_waits(opened, driver):
    with opened() as region:
        bells = [region.bell(waiter) for waiter in (ANSWERS, MEASURES)]
        assert [bell.address for bell in bells] == [BellAddress(3, 0), BellAddress(3, 1)]
        assert not bells[0].wait(0)
        bells[0].ring(BellAddress(4, 1))
        assert driver.rung == [(4, 1)]
        assert bells[1].wait(0.02)
        for _ in range(40):
            region.bell(ANSWERS)
    assert len(driver.events) == 2


def test_two_who_wait_on_one_vector_have_an_event_each(opened, driver):
    driver.vectors = 1
    with opened() as region:
        bells = [region.bell(waiter) for waiter in (ANSWERS, MEASURES)]
        assert {bell.address for bell in bells} == {BellAddress(3, 0)}
        windows_sharing.release_all("a test")
        with pytest.raises(UnpluggedError):
            bells[0].ring(BellAddress(4, 0))
        assert not bells[0].wait(0), "its event is still there"
        windows_sharing.reopen_all()
        bells[0].ring(BellAddress(4, 0))
    assert len(driver.events) == 4, "registered again for both"


def test_a_plain_device_has_no_doorbell(opened, driver):
    driver.vectors = 0
    with opened() as region:
        assert region.bell(ANSWERS) is None
    assert not driver.events


def test_a_driver_without_a_place_left_is_an_error_with_a_name(opened, driver):
    driver.fail[windows_abi.REGISTER_EVENT] = 1450
    with opened() as region:
        with pytest.raises(DriverError):
            region.bell(ANSWERS)
        del driver.fail[windows_abi.REGISTER_EVENT]
        assert region.bell(ANSWERS) is not None


# -- elsewhere -------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="says what happens where Windows is not")
def test_elsewhere_the_list_is_empty_and_opening_says_why():
    assert list_windows_bars() == []
    with pytest.raises(ScopeError, match="not Windows"):
        open_windows_bar(RegionSpec(RegionKind.WINDOWS, PATH))


def test_no_windows_library_is_loaded_by_importing():
    code = "import app.core.backends.windows.bar, app.core.backends.windows.doorbell, sys; print('PySide6' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
