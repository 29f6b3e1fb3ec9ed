"""The library's face on real memory, and the seed's bugs (each by its name) that it does not have.

The seed is github.com/TypicalAM/ivshmem; the tests beginning with `test_seed_` follow its files.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import shutil
import sys
import threading
import uuid
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from app.core import library
from app.core.backends import linux_bar
from app.core.backends.windows import bar as windows_bar
from app.core.backends.windows import setup as windows_setup
from app.core.backends.windows import sharing as windows_sharing
from app.core.backends.windows.abi import RELEASE_MMAP, REQUEST_MMAP, mmap_answer
from app.core.backends.windows.setup import FoundDevice, detail_size
from app.core.discovery import finder
from app.core.discovery.device import Device, SystemPaths
from app.core.errors import (
    AccessDeniedError,
    AlreadyMappedError,
    AlreadyUnmappedError,
    CannotFindError,
    DriverError,
    HeldByAnotherError,
    NotMappedError,
    OutOfRangeError,
    ReadOnlyError,
    ScopeError,
    TruncatedError,
    UnpluggedError,
    UnsuitableError,
)
from app.core.library import Guest, Host, list_devices
from app.core.region.doorbell import ANSWERS, BellAddress
from app.core.region.pci_address import PciAddress
from app.core.region.region import PAGE, CacheMode, RegionKind, RegionSpec
from tests.fakes.sysfs import FakeSysfs
from tests.fakes.windows_driver import FakeDriver, FakeSetup

ADDRESS = "0000:01:00.0"
GUID = "{df576976-569d-4672-95a0-f57e4ea0b210}"
INTERFACE = rf"\\?\pci#ven_1af4&dev_1110#3&0#{GUID}"
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def sysfs(monkeypatch, tmp_path):
    """A Linux guest: what its tree holds is what this machine has."""
    tree = FakeSysfs(Path("/dev/shm") / f"scope-sysfs-{uuid.uuid4().hex[:12]}")
    for name in ("open_bar", "look_at_bar"):
        monkeypatch.setattr(linux_bar, name, partial(getattr(linux_bar, name), root=tree.root))
    places = SystemPaths(proc=tmp_path, sys=tree.root, dev=tmp_path, shm=())
    monkeypatch.setattr(finder, "find_devices", partial(finder.find_devices, places))
    yield tree
    shutil.rmtree(tree.root)


@pytest.fixture
def driver(monkeypatch):
    """A Windows guest: a driver that serves two devices."""
    api = FakeDriver()
    found = FakeSetup(
        [
            FoundDevice(INTERFACE, r"PCI\VEN_1AF4\1", "Rig", 10, 31 << 16, ""),
            FoundDevice(INTERFACE.replace("3&0", "4&0"), r"PCI\VEN_1AF4\2", "Rig", 1, 3 << 16, ""),
        ]
    )
    for name in ("open_windows_bar", "find_windows_bar"):
        call = partial(getattr(windows_bar, name), setup=found, api=api)
        monkeypatch.setattr(windows_bar, name, call)
    yield api
    for mapping in windows_sharing.mappings():
        mapping.forget()
    windows_sharing._shared.clear()


@pytest.fixture(params=["host", "linux guest", "windows guest"])
def ours(request, shm_file):
    """One unmapped Host or Guest of each kind."""
    if request.param == "host":
        return Host(shm_file(1 << 16))
    if request.param == "linux guest":
        request.getfixturevalue("sysfs").add(size=1 << 16)
        return Guest(ADDRESS)
    request.getfixturevalue("driver")
    return Guest(INTERFACE)


# -- life ------------------------------------------------------------------------------------------


def test_the_four_errors_and_mapping_again(ours):
    assert not ours.mapped
    assert ours.size == 1 << 16, "known before it is mapped"
    for use in (
        lambda: ours.read(0, 1),
        lambda: ours.write(0, b"x"),
        lambda: ours.load(0, 8),
        lambda: ours.store(0, 8, 1),
        ours.sync,
        lambda: ours.info,
    ):
        with pytest.raises(NotMappedError):
            use()
    with pytest.raises(AlreadyUnmappedError):
        ours.unmap()
    for number in (1, 2):
        ours.map()
        assert ours.mapped
        with pytest.raises(AlreadyMappedError):
            ours.map()
        ours.store(8, 8, number)
        assert ours.load(8, 8) == number
        ours.sync()
        ours.unmap()
        assert not ours.mapped
        with pytest.raises(AlreadyUnmappedError):
            ours.unmap()
        with pytest.raises(NotMappedError):
            ours.read(0, 1)


def test_a_context_maps_and_unmaps(ours):
    with ours as same:
        assert same is ours
        same.write(3, b"inside")
        assert same.read(3, 6) == b"inside"
        assert len(same.read()) == same.size
        assert same.read(same.size - 2) == bytes(2)
        assert same.info.size == same.size
        with pytest.raises(OutOfRangeError):
            same.read(same.size + 1)
        with pytest.raises(OutOfRangeError):
            same.write(same.size - 1, b"xx")
    assert not ours.mapped
    with ours:
        ours.unmap()
    ours.map()
    with ours:
        pass
    assert not ours.mapped


def test_a_context_unmaps_after_an_error(ours):
    with pytest.raises(ZeroDivisionError), ours:
        raise ZeroDivisionError
    assert not ours.mapped


def test_it_shows_itself(ours):
    assert "not mapped" in repr(ours)
    with ours:
        assert str(ours.location) in repr(ours)


def test_unmapping_under_a_reader_is_an_error_and_no_crash(ours):
    ours.map()
    begun, met = threading.Event(), []

    def read():
        try:
            while True:
                ours.read(0, 1 << 16)
                begun.set()
        except ScopeError as error:
            met.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(10)
    ours.unmap()
    reader.join(10)
    assert isinstance(met[0], NotMappedError)


# -- Host ------------------------------------------------------------------------------------------


def test_host_tells_what_it_is(shm_file):
    path = shm_file(1 << 20)
    for named in (str(path), path):
        host = Host(named)
        assert (host.path, host.location, host.system) == (str(path), str(path), "Linux")
        assert host.size == 1 << 20


def test_two_peers_see_one_another(shm_file):
    path = shm_file(PAGE)
    with Host(path) as one, Host(path) as other:
        one.write(100, b"ping")
        assert other.read(100, 4) == b"ping"
        other.store(0, 4, 7)
        assert one.load(0, 4) == 7


@pytest.mark.parametrize("name", ["/dev/shm/there-is-no-such-file", "", "/dev/kvmfr99"])
def test_host_that_is_not_there(name):
    with pytest.raises(CannotFindError):
        Host(name)


def test_host_of_a_file_that_is_called_like_an_address(shm_file, monkeypatch):
    path = shm_file(PAGE)
    monkeypatch.chdir(path.parent)
    odd = shm_file(PAGE, name="08:01.0")
    odd.write_bytes(b"odd".ljust(PAGE))
    with Host("08:01.0") as host:
        assert host.read(0, 3) == b"odd"


def test_a_device_of_the_list_is_taken_by_its_side(sysfs, shm_file):
    sysfs.add()
    [device] = list_devices()
    with Guest(device) as guest:
        assert guest.location == ADDRESS
    with pytest.raises(UnsuitableError, match="Guest"):
        Host(device)
    path = str(shm_file(PAGE))
    file = Device(RegionKind.FILE, "it", path, PAGE, RegionSpec(RegionKind.FILE, path))
    with Host(file) as host:
        assert host.size == PAGE
    with pytest.raises(UnsuitableError, match="Host"):
        Guest(file)
    with pytest.raises(UnsuitableError, match="Host"):
        Guest(path)


# -- Guest -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "named", [ADDRESS, "01:00.0", PciAddress(0, 1, 0, 0), "PCI bus 1, device 0, function 0"]
)
def test_guest_is_named_in_several_ways(sysfs, named):
    folder = sysfs.add()
    guest = Guest(named)
    assert guest.path == str(folder / "resource2_wc")
    assert (guest.location, guest.system) == (ADDRESS, "Linux")


def test_guest_of_an_address_that_is_also_a_file(sysfs, monkeypatch, tmp_path):
    folder = sysfs.add()
    monkeypatch.chdir(tmp_path)
    Path(ADDRESS).touch()
    assert Guest(ADDRESS).path == str(folder / "resource2_wc")


@pytest.mark.parametrize("named", ["", "nowhere", "0000:02:00.0", "PCI bus 1"])
def test_guest_that_is_not_there(sysfs, named):
    sysfs.add()
    with pytest.raises(CannotFindError):
        Guest(named)


def test_guest_options(sysfs):
    folder = sysfs.add()
    with Guest(ADDRESS, read_only=True, cache=CacheMode.UNCACHED) as guest:
        assert guest.path == str(folder / "resource2")
        with pytest.raises(ReadOnlyError):
            guest.write(0, b"x")


def test_guest_on_windows(driver):
    guest = Guest(INTERFACE)
    assert (guest.system, guest.path, guest.size) == ("Windows", INTERFACE, 64 << 10)
    with guest:
        guest.write(0, b"from Windows")
        assert bytes(driver.memory[:12]) == b"from Windows"
    assert driver.owner == 0


# -- the seed's host.go ----------------------------------------------------------------------------


def test_seed_host_second_map_leaks_the_first(shm_file):
    with Host(shm_file(PAGE)) as host:
        maps = Path("/proc/self/maps").read_text().count("scope-test")
        with pytest.raises(AlreadyMappedError):
            host.map()
        assert Path("/proc/self/maps").read_text().count("scope-test") == maps


def test_seed_host_empty_file_is_a_raw_einval(shm_file):
    host = Host(shm_file(0))
    with pytest.raises(UnsuitableError, match="empty"):
        host.map()
    assert not host.mapped
    os.truncate(host.path, PAGE)
    with host:
        assert host.size == PAGE, "QEMU gave it a size meanwhile"


def test_seed_host_size_overflows_an_int(shm_file):
    with Host(shm_file(5 << 30)) as host:
        assert host.size == 5 << 30
        host.write((5 << 30) - 4, b"tail")
        assert host.read((5 << 30) - 4) == b"tail"


@pytest.mark.parametrize("path", ["/dev/shm", "/dev/zero", "/dev/null"])
def test_seed_host_accepts_directories_and_devices(path):
    with pytest.raises(UnsuitableError) as caught:
        Host(path)
    assert caught.value.hint


def test_seed_host_always_opens_for_writing(shm_file, request):
    path = shm_file(PAGE, fill=b"theirs")
    path.chmod(0o444)
    if os.geteuid() == 0:
        os.seteuid(65534)
        request.addfinalizer(lambda: os.seteuid(0))
    with Host(path) as host:
        assert host.read(0, 6) == b"theirs"
        with pytest.raises(ReadOnlyError, match="permits reading only"):
            host.write(0, b"x")
    with Host(path, read_only=True) as host, pytest.raises(ReadOnlyError):
        host.store(0, 8, 1)


def test_seed_host_no_permission_is_said(shm_file, request):
    path = shm_file(PAGE)
    path.chmod(0)
    if os.geteuid() == 0:
        os.seteuid(65534)
        request.addfinalizer(lambda: os.seteuid(0))
    with pytest.raises(AccessDeniedError) as caught:
        Host(path).map()
    assert caught.value.command


def test_seed_host_memory_dangles_after_unmap(shm_file):
    """What was read is a copy: it lives on, and the mapping does not."""
    path = shm_file(PAGE, fill=b"kept")
    host = Host(path)
    host.map()
    kept = host.read(0, 4)
    host.unmap()
    assert kept == b"kept"
    assert path.name not in Path("/proc/self/maps").read_text()


def test_seed_host_truncated_and_replaced_files_go_unnoticed(shm_file):
    path = shm_file(4 * PAGE)
    with Host(path) as host:
        os.truncate(path, PAGE)
        with pytest.raises(TruncatedError):
            host.read(2 * PAGE, 8)
        with pytest.raises(TruncatedError):
            host.write(2 * PAGE, b"x")
    path.unlink()
    shm_file(2 * PAGE, name=path.name, fill=b"new")
    with host:
        assert (host.size, host.read(0, 3)) == (2 * PAGE, b"new"), "mapping again finds the new one"


# -- the seed's guest_linux.go ---------------------------------------------------------------------


def test_seed_linux_list_prints_to_stdout(sysfs, capfd):
    sysfs.add()
    assert list_devices()
    assert capfd.readouterr() == ("", "")


def test_seed_linux_list_has_no_strict_order_and_drops_domains(sysfs):
    """Twelve characters are no test for an address, and two domains have the same bus."""
    names = ["10000:e1:00.0", "0001:01:00.0", "0000:10:00.0", "0000:09:00.0", "0000:01:00.0"]
    for name in names:
        sysfs.add(name)
    assert [device.location for device in list_devices()] == [
        "0000:01:00.0",
        "0000:09:00.0",
        "0000:10:00.0",
        "0001:01:00.0",
        "10000:e1:00.0",
    ]
    for name in names:
        with Guest(name) as guest:
            guest.write(0, name.encode())
    for name in names:
        assert (sysfs.devices / name / "resource2").read_bytes().startswith(name.encode())


def test_seed_linux_one_vanished_device_aborts_the_list(sysfs):
    sysfs.add()
    (sysfs.devices / "0000:00:05.0").symlink_to(sysfs.root / "gone")
    assert [device.location for device in list_devices()] == [ADDRESS]


def test_seed_linux_maps_resource2_uncached(sysfs):
    sysfs.add()
    with Guest(ADDRESS) as guest:
        assert guest.path.endswith("resource2_wc")
        assert guest.info.cache.startswith("write-combined")


def test_seed_linux_memory_decode_is_not_checked(sysfs):
    sysfs.add(command=0)
    with pytest.raises(UnsuitableError) as caught:
        Guest(ADDRESS).map()
    assert caught.value.command.endswith("/enable")


def test_seed_linux_size_is_looked_up_before_opening_and_cut(sysfs):
    """The size comes with what is opened, and has 64 bits."""
    folder = sysfs.add(size=3 << 30)
    with Guest(ADDRESS) as guest:
        assert guest.size == 3 << 30
        guest.store((3 << 30) - 8, 8, 1)
    sysfs.unplug(folder)
    with pytest.raises(CannotFindError):
        guest.map()
    sysfs.add(size=PAGE)
    with guest:
        assert guest.size == PAGE


def test_seed_linux_stays_mapped_for_ever(sysfs):
    sysfs.add()
    guest = Guest(ADDRESS)
    for _ in range(3):
        guest.map()
        guest.unmap()
    with pytest.raises(AlreadyUnmappedError):
        guest.unmap()
    assert "scope-sysfs" not in Path("/proc/self/maps").read_text()


def test_seed_linux_unplugged_device_is_not_noticed(sysfs):
    folder = sysfs.add()
    with Guest(ADDRESS) as guest:
        sysfs.unplug(folder)
        with pytest.raises(UnpluggedError):
            guest.write(0, b"lost")


# -- the seed's guest_windows.go -------------------------------------------------------------------


def test_seed_windows_detail_call_lacks_arguments_and_sleeps(monkeypatch):
    """Six arguments both times, the size by value: there is no error 87 to sleep away."""
    monkeypatch.setattr(windows_setup, "library", lambda _name: Mock())
    api = windows_setup.SetupApi()
    text = ctypes.create_unicode_buffer(INTERFACE)
    needed, calls = 4 + ctypes.sizeof(text), []

    def detail(*arguments):
        calls.append(arguments)
        arguments[4]._obj.value = needed
        if arguments[2] is None:
            return 0
        ctypes.memmove(ctypes.addressof(arguments[2]) + 4, text, ctypes.sizeof(text))
        return 1

    api._detail = detail
    assert api._path(1, windows_setup.InterfaceData()) == INTERFACE
    assert [len(arguments) for arguments in calls] == [6, 6]
    assert calls[0][2:4] == (None, 0)
    assert calls[1][3] == needed
    assert "sleep(" not in Path(windows_setup.__file__).read_text()


def test_seed_windows_detail_size_is_that_of_64_bit_only():
    assert (detail_size(8), detail_size(4)) == (8, 6)


def test_seed_windows_location_takes_one_digit_of_one_language(driver):
    """Bus 10 became 1, device 31 became 3, and the wrong device was opened."""
    assert Guest(INTERFACE).path == INTERFACE
    spec = RegionSpec(RegionKind.WINDOWS, str(PciAddress.parse("PCI-Bus 10, Gerät 31, Funktion 0")))
    assert windows_bar.find_windows_bar(spec.location).path == INTERFACE
    spec = RegionSpec(RegionKind.WINDOWS, str(PciAddress.parse("PCI bus 1, device 3, function 0")))
    assert windows_bar.find_windows_bar(spec.location).path != INTERFACE


def test_seed_windows_answer_is_20_bytes_on_32_bit():
    assert [ctypes.sizeof(mmap_answer(pointer)) for pointer in (8, 4)] == [32, 24]


def test_seed_windows_answers_length_is_not_looked_at(driver):
    real = driver.control

    def short(handle, code, request, answer):
        answered = real(handle, code, request, answer)
        return answered - 8 if code == REQUEST_MMAP else answered

    driver.control = short
    with pytest.raises(DriverError, match="answered"):
        Guest(INTERFACE).map()


def test_seed_windows_size_is_never_compared(driver):
    real = driver.control

    def other(handle, code, request, answer):
        answered = real(handle, code, request, answer)
        if code == REQUEST_MMAP:
            answer.size //= 2
        return answered

    driver.control = other
    with pytest.raises(DriverError, match="two sizes"):
        Guest(INTERFACE).map()


def test_seed_windows_stays_mapped_and_cannot_map_again(driver):
    guest = Guest(INTERFACE)
    for _ in range(2):
        with guest:
            assert driver.owner
        assert driver.owner == 0
    assert driver.calls.count("open") == driver.calls.count("close")


def test_seed_windows_a_failed_release_leaks_the_handle(driver):
    guest = Guest(INTERFACE)
    guest.map()
    driver.fail[RELEASE_MMAP] = 6
    guest.unmap()
    assert driver.calls.count("open") == driver.calls.count("close")
    assert not guest.mapped


def test_seed_windows_a_guest_that_is_never_mapped_leaks_its_handle(driver):
    Guest(INTERFACE)
    assert driver.calls.count("open") == driver.calls.count("close") == 1


def test_seed_windows_asks_for_rights_that_it_does_not_need(monkeypatch):
    from app.core.backends.windows import api as windows_api

    create = Mock(return_value=5)
    api = SimpleNamespace(_create_file=create)
    assert windows_api.Win32.open_device(api, INTERFACE) == 5
    assert create.call_args.args[1] == 0


def test_seed_windows_sync_always_fails(driver):
    with Guest(INTERFACE) as guest:
        guest.sync()


def test_seed_windows_another_holder_is_a_bare_number(driver):
    driver.owner = 99
    with pytest.raises(HeldByAnotherError) as caught:
        Guest(INTERFACE).map()
    assert "Looking Glass" in caught.value.hint


def test_seed_windows_has_no_doorbell(driver):
    with windows_bar.open_windows_bar(RegionSpec(RegionKind.WINDOWS, INTERFACE)) as region:
        bell = region.bell(ANSWERS)
        assert bell is not None
        bell.ring(BellAddress(4, 1))
    assert driver.rung == [(4, 1)]


# -- the seed's example ----------------------------------------------------------------------------


def run_example(name):
    """An example as the main program."""
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


@pytest.fixture
def argv(monkeypatch):
    return lambda *words: monkeypatch.setattr(sys, "argv", list(words))


def test_seed_example_panics_with_no_device(sysfs, argv):
    argv("guest.py")
    with pytest.raises(SystemExit, match="no ivshmem device"):
        run_example("guest.py")


def test_seed_example_panics_with_one_device(sysfs, argv, capsys):
    folder = sysfs.add()
    argv("host.py", str(folder / "resource2"))
    run_example("host.py")
    argv("guest.py")
    run_example("guest.py")
    said = capsys.readouterr().out
    assert "Greeting from the host: Hello from the host!" in said
    argv("host.py", str(folder / "resource2"))
    run_example("host.py")
    assert "Answer from the guest: Hello from the guest!" in capsys.readouterr().out


def test_examples_say_what_is_wrong(argv):
    argv("host.py", "/dev/shm/there-is-no-such-file")
    with pytest.raises(SystemExit, match="no file"):
        run_example("host.py")


def test_the_face_is_small():
    assert sorted(library.__all__) == ["Guest", "Host", "list_devices"]
