"""BARs by sysfs, on a tree of files whose BAR2 is real shared memory."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.backends import linux_bar
from app.core.backends.linux_bar import look_at_bar, open_bar
from app.core.backends.pci_sysfs import ivshmem_addresses, parse_resource
from app.core.errors import (
    AccessDeniedError,
    CannotFindError,
    ClosedError,
    DriverError,
    MisalignedError,
    OutOfRangeError,
    ReadOnlyError,
    RegionGoneError,
    ReplacedError,
    UnpluggedError,
    UnsuitableError,
)
from app.core.native.kernel import kernel, why_absent
from app.core.region.pci_address import PciAddress
from app.core.region.region import PAGE, CacheMode, RegionKind, RegionSpec
from tests.fakes.sysfs import FakeSysfs

ADDRESS = "0000:01:00.0"
NOBODY = 65534
TOGGLE = """
import mmap, sys
with open(sys.argv[1], "r+b") as file:
    words = memoryview(mmap.mmap(file.fileno(), 4096)).cast("Q")
while True:
    words[3] = 0x1111111111111111
    words[3] = 0xEEEEEEEEEEEEEEEE
"""


@pytest.fixture
def sysfs():
    root = Path("/dev/shm") / f"scope-sysfs-{uuid.uuid4().hex[:12]}"
    yield FakeSysfs(root)
    shutil.rmtree(root)


@pytest.fixture
def opened(sysfs):
    def do(location=ADDRESS, **more):
        return open_bar(RegionSpec(RegionKind.BAR, location, **more), sysfs.root)

    return do


def bar(folder):
    return (folder / "resource2").read_bytes()


def every_look_is_due(region):
    region._look_due_ns = region._ask_due_ns = 0


# -- what is opened ------------------------------------------------------------------------------


@pytest.mark.skipif(kernel() is None, reason=f"the C kernel is {why_absent()}")
def test_pages_that_differ_are_told_in_the_mapping(sysfs, opened):
    folder = sysfs.add()
    with opened() as region:
        before, buffer = bytearray(region.read(0, region.size)), bytearray(region.size)
        region.write(7 * PAGE + 5, b"from the guest")
        flags = region.read_differing(0, memoryview(buffer), memoryview(before))
        assert [at for at, flag in enumerate(flags) if flag] == [7]
        assert buffer[7 * PAGE : 8 * PAGE] == bar(folder)[7 * PAGE : 8 * PAGE]
    with opened(read_only=True) as region:
        assert region.read_differing(0, memoryview(buffer), memoryview(before)) is None


def test_bytes_go_both_ways(sysfs, opened):
    folder = sysfs.add()
    with opened() as region:
        assert region.size == 1 << 20
        region.write(5, b"from the guest")
        assert bar(folder)[5:19] == b"from the guest"
        with (folder / "resource2").open("r+b") as host:
            host.seek((1 << 20) - 8)
            host.write(b"the host")
        assert region.read((1 << 20) - 8, 8) == b"the host"
        region.sync()


def test_what_is_told_of_it(sysfs, opened):
    folder = sysfs.add()
    with opened("01:00.0") as region:
        info = region.info
    assert (info.name, info.system, info.writable) == (ADDRESS, "guest", True)
    assert info.address == PciAddress(0, 1, 0, 0)
    assert info.path == str(folder / "resource2_wc")
    assert info.notes == (), "nothing worth a warning"


@pytest.mark.parametrize(
    ("wanted", "combined", "file", "words"),
    [
        (CacheMode.DEFAULT, True, "resource2_wc", "write-combined"),
        (CacheMode.DEFAULT, False, "resource2", "no resource2_wc"),
        (CacheMode.WRITE_COMBINED, True, "resource2_wc", "as asked"),
        (CacheMode.UNCACHED, True, "resource2", "uncached"),
    ],
)
def test_the_cache_mode_chooses_the_file_and_is_explained(
    sysfs, opened, wanted, combined, file, words
):
    sysfs.add(combined=combined)
    with opened(cache=wanted) as region:
        assert Path(region.info.path).name == file
        assert words in region.info.cache
        assert "AMD" in region.info.cache


@pytest.mark.parametrize("wanted", [CacheMode.CACHED, CacheMode.WRITE_COMBINED])
def test_a_cache_mode_that_is_not_there_is_refused(sysfs, opened, wanted):
    sysfs.add(combined=False)
    with pytest.raises(UnsuitableError) as caught:
        opened(cache=wanted)
    assert caught.value.hint


def test_the_size_is_known_without_permission(sysfs):
    folder = sysfs.add(size=64 << 20)
    for file in ("resource2", "resource2_wc"):
        (folder / file).chmod(0)
    assert look_at_bar(RegionSpec(RegionKind.BAR, ADDRESS), sysfs.root) == (
        str(folder / "resource2_wc"),
        64 << 20,
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": PAGE}, "4096 bytes"),
        ({"size": 3 * PAGE}, "no power of two"),
    ],
)
def test_notes(sysfs, opened, options, words):
    sysfs.add(**options)
    with opened() as region:
        assert any(words in note for note in region.info.notes), region.info.notes


def test_a_doorbell_and_a_bound_driver_are_told_and_warn_of_nothing(sysfs, opened):
    folder = sysfs.add(doorbell=True)
    sysfs.bind(folder, "kvmfr")
    with opened() as region:
        doorbell, driver = region.info.details
        assert "doorbell device" in doorbell
        assert "/dev/kvmfr0" in driver
        assert region.info.notes == ()


def test_a_part(sysfs, opened):
    folder = sysfs.add()
    with opened(start=2 * PAGE, length=PAGE) as region:
        assert region.size == PAGE
        region.write(1, b"x")
        assert bar(folder)[2 * PAGE + 1] == ord("x")
        with pytest.raises(OutOfRangeError):
            region.read(PAGE, 1)


@pytest.mark.parametrize(
    ("start", "length", "error"),
    [
        (1, None, MisalignedError),
        (1 << 20, None, OutOfRangeError),
        (-PAGE, None, OutOfRangeError),
        (0, 0, OutOfRangeError),
        (PAGE, 1 << 20, OutOfRangeError),
    ],
)
def test_a_part_that_does_not_fit(sysfs, opened, start, length, error):
    sysfs.add()
    with pytest.raises(error):
        opened(start=start, length=length)


def test_everything_counts_as_data(sysfs, opened):
    sysfs.add()
    with opened() as region:
        assert region.extents(0, region.size) == [(0, region.size)]
        assert region.extents(8, 8) == []


def test_reading_only(sysfs, opened):
    sysfs.add()
    with opened(read_only=True) as region:
        assert region.read(0, 4) == bytes(4)
        for write in (lambda: region.write(0, b"x"), lambda: region.store(0, 1, 1)):
            with pytest.raises(ReadOnlyError):
                write()


# -- single loads and stores ---------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_every_width_at_every_place_in_a_word(sysfs, opened, width):
    folder = sysfs.add()
    with opened() as region:
        region.write(0, bytes(range(1, 33)))
        for offset in range(0, 32, width):
            want = int.from_bytes(bytes(range(1, 33))[offset : offset + width], "little")
            assert region.load(offset, width) == want
        region.store(16, width, 0xF1F2F3F4F5F6F7F8 & (1 << 8 * width) - 1)
    after = bar(folder)[:32]
    assert after[:16] == bytes(range(1, 17)), "neighbours below stay"
    assert after[16 + width :] == bytes(range(17 + width, 33)), "neighbours above stay"
    assert after[16] == 0xF8


def test_the_last_word_of_an_odd_part(sysfs, opened):
    sysfs.add()
    with opened(length=PAGE + 4) as region:
        region.store(PAGE, 4, 0x01020304)
        assert region.load(PAGE, 4) == 0x01020304
        assert region.load(PAGE + 3, 1) == 1


@pytest.mark.parametrize("width", [2, 4, 8])
def test_a_load_is_not_torn_by_a_writer(sysfs, opened, width):
    folder = sysfs.add()
    patterns = {int.from_bytes(bytes([byte]) * width, "little") for byte in (0x11, 0xEE)}
    with opened() as region:
        region.store(24, 8, 0x1111111111111111)
        peer = subprocess.Popen([sys.executable, "-c", TOGGLE, str(folder / "resource2")])
        try:
            seen = set()
            while not seen >= patterns:  # until both were seen, the peer is not at work
                seen |= {region.load(32 - width, width) for _ in range(10_000)}
        finally:
            peer.kill()
            peer.wait()
    assert seen == patterns


# -- what is refused before opening --------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "nowhere", "0000:01:20.0", "0000:01:00.8"])
def test_no_address(sysfs, opened, text):
    with pytest.raises(CannotFindError):
        opened(text)


def test_no_such_device_names_those_that_are_there(sysfs, opened):
    with pytest.raises(CannotFindError, match="no ivshmem device"):
        opened()
    sysfs.add("10000:e1:00.0")
    sysfs.add("0000:02:00.0")
    with pytest.raises(CannotFindError) as caught:
        opened()
    assert caught.value.hint == "There is 0000:02:00.0, 10000:e1:00.0."


def test_a_domain_is_not_dropped(sysfs, opened):
    sysfs.add("0000:01:00.0")
    other = sysfs.add("0001:01:00.0")
    with opened("0001:01:00.0") as region:
        region.write(0, b"second domain")
    assert bar(other).startswith(b"second domain")
    assert not any(bar(sysfs.devices / ADDRESS))


def test_another_device_is_named(sysfs, opened):
    sysfs.add(vendor=0x8086, device=0x2922)
    with pytest.raises(UnsuitableError, match="8086:2922"):
        opened()


def test_a_device_without_memory(sysfs, opened):
    sysfs.add(size=0)
    with pytest.raises(UnsuitableError, match="BAR2"):
        opened()


@pytest.mark.parametrize("options", [{"start": 0}, {"flags": 0x2014220C}])
def test_a_bar_for_which_there_was_no_room(sysfs, opened, options):
    sysfs.add(**options)
    with pytest.raises(UnsuitableError, match="no address"):
        opened()


def test_memory_decode_is_checked_before_mapping(sysfs, opened):
    folder = sysfs.add(command=0x0005)
    with pytest.raises(UnsuitableError, match="switched off") as caught:
        opened()
    assert caught.value.command == f"echo 1 | sudo tee {folder}/enable"


@pytest.mark.parametrize("content", [None, b"", b"\xf4\x1a\x10\x11"])
def test_a_config_space_that_cannot_be_read_does_not_matter(sysfs, opened, content):
    folder = sysfs.add()
    (folder / "config").unlink()
    if content is not None:
        (folder / "config").write_bytes(content)
    with opened() as region:
        region.check()


def test_a_device_that_vanishes_while_it_is_listed(sysfs):
    sysfs.add("0000:02:00.0")
    sysfs.add("0000:01:00.0")
    (sysfs.devices / "0000:03:00.0").symlink_to(sysfs.root / "gone")
    (sysfs.devices / "garbage").mkdir()
    assert [str(a) for a in ivshmem_addresses(sysfs.root)] == ["0000:01:00.0", "0000:02:00.0"]
    assert ivshmem_addresses(sysfs.root / "nowhere") == []


# -- what the kernel refuses ---------------------------------------------------------------------


@pytest.fixture
def as_nobody():
    """Permission is real only for who is not root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def private(sysfs):
    """A device whose memory is root's alone, as sysfs makes it."""
    folder = sysfs.add()
    for name in ("resource2", "resource2_wc"):
        (folder / name).chmod(0o000)
    return folder


def test_eacces_not_permitted(private, opened, as_nobody):
    with pytest.raises(AccessDeniedError) as caught:
        opened()
    assert "udev" in caught.value.hint
    assert caught.value.command == f"sudo chown $USER {private}/resource2_wc"


def test_reading_may_be_permitted_alone(private, opened, request):
    (private / "resource2").chmod(0o444)
    request.getfixturevalue("as_nobody")
    with opened() as region:
        assert not region.info.writable
        assert "chown" in region.info.read_only_reason
        assert region.read(0, 1) == b"\0"
        with pytest.raises(ReadOnlyError, match="chown"):
            region.write(0, b"x")


@pytest.fixture
def refuse(monkeypatch):
    """The kernel's refusals of mmap, which a file cannot be made to give."""

    def do(number):
        def map_memory(*_args, **_more):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(linux_bar, "map_memory", map_memory)

    return do


@pytest.mark.parametrize(
    ("lockdown", "words"),
    [
        ("none integrity [confidentiality]\n", "lockdown=confidentiality"),
        ("[none] integrity confidentiality\n", "is locked down and"),
        (None, "is locked down and"),
    ],
)
def test_eperm_lockdown(sysfs, opened, refuse, lockdown, words):
    sysfs.add()
    if lockdown:
        place = sysfs.root / "kernel" / "security"
        place.mkdir(parents=True)
        (place / "lockdown").write_text(lockdown)
    refuse(errno.EPERM)
    with pytest.raises(AccessDeniedError, match=words) as caught:
        opened()
    assert "Secure Boot" in caught.value.hint


@pytest.mark.parametrize(
    ("driver", "words"), [("kvmfr", "/dev/kvmfr0"), ("uio_ivshmem", "iomem=relaxed")]
)
def test_einval_a_driver_holds_it(sysfs, opened, refuse, driver, words):
    sysfs.bind(sysfs.add(), driver)
    refuse(errno.EINVAL)
    with pytest.raises(AccessDeniedError, match=driver) as caught:
        opened()
    assert words in caught.value.hint
    assert caught.value.command == f"echo {ADDRESS} | sudo tee /sys/bus/pci/drivers/{driver}/unbind"


def test_einval_nobody_known_holds_it(sysfs, opened, refuse):
    sysfs.add()
    refuse(errno.EINVAL)
    with pytest.raises(AccessDeniedError) as caught:
        opened()
    assert "/proc/iomem" in caught.value.hint


@pytest.mark.parametrize(
    ("number", "error"),
    [(errno.ENODEV, UnpluggedError), (errno.EIO, DriverError), (errno.ENOMEM, UnsuitableError)],
)
def test_other_refusals(sysfs, opened, refuse, number, error):
    sysfs.add()
    refuse(number)
    with pytest.raises(error, match=ADDRESS) as caught:
        opened()
    assert caught.value.hint


def test_a_refused_mapping_leaves_no_descriptor(sysfs, opened, refuse):
    sysfs.add()
    refuse(errno.EINVAL)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(AccessDeniedError):
        opened()
    assert os.listdir("/proc/self/fd") == before


def test_no_resource_file(sysfs, opened):
    folder = sysfs.add(combined=False)
    (folder / "resource2").unlink()
    with pytest.raises(UnsuitableError, match="no resource2"):
        opened()


def test_less_memory_than_told(sysfs, opened):
    folder = sysfs.add()
    os.truncate(folder / "resource2", PAGE)
    with pytest.raises(UnsuitableError, match="cannot be mapped"):
        opened()


def test_unplugged_between_looking_and_opening(sysfs, opened, monkeypatch):
    folder = sysfs.add()

    def gone(*_args, **_more):
        sysfs.unplug(folder)
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(linux_bar, "_open", gone)
    with pytest.raises(UnpluggedError):
        opened()


# -- while it is open ----------------------------------------------------------------------------


def test_a_healthy_device_passes(sysfs, opened):
    sysfs.add()
    with opened() as region:
        for _ in range(3):
            every_look_is_due(region)
            region.check()


def test_unplugged_is_noticed_by_all(sysfs, opened):
    folder = sysfs.add()
    with opened() as region:
        region.read(0, 1)
        sysfs.unplug(folder)
        every_look_is_due(region)
        with pytest.raises(UnpluggedError, match="unplugged"):
            region.check()
        for access in (
            lambda: region.read(0, 16),
            lambda: region.load(8, 8),
            lambda: region.write(0, b"x"),
            lambda: region.store(0, 8, 1),
            region.check,
        ):
            with pytest.raises(UnpluggedError):
                access()


def test_ones_are_looked_into_at_once(sysfs, opened):
    folder = sysfs.add()
    with opened() as region:
        region.write(0, b"\xff" * 64)
        assert region.read(0, 64) == b"\xff" * 64, "a person may have ones there"
        sysfs.unplug(folder)
        region._look_due_ns = 1 << 62
        with pytest.raises(UnpluggedError):
            region.read(0, 64)


def test_another_device_in_its_place(sysfs, opened):
    folder = sysfs.add()
    with opened() as region:
        folder.rename(sysfs.root / "old")
        sysfs.add()
        every_look_is_due(region)
        with pytest.raises(ReplacedError):
            region.check()


def test_no_answer_from_the_config_space_is_unplugged(sysfs, opened):
    folder = sysfs.add()
    with opened() as region:
        (folder / "config").write_bytes(b"\xff" * 64)
        every_look_is_due(region)
        with pytest.raises(UnpluggedError):
            region.check()


def test_memory_switched_off_while_open(sysfs, opened):
    folder = sysfs.add()
    with opened() as region:
        (folder / "config").write_bytes(b"\xf4\x1a\x10\x11" + bytes(60))
        every_look_is_due(region)
        with pytest.raises(RegionGoneError, match="switched off") as caught:
            region.check()
        assert caught.value.command.endswith("/enable")


def test_pages_that_fault_are_an_error_with_the_reason(sysfs, opened):
    """Cutting the file makes the mapping fault, as a revoked BAR does."""
    folder = sysfs.add()
    with opened() as region:
        os.truncate(folder / "resource2", 2 * PAGE)
        assert region.read(PAGE, PAGE) == bytes(PAGE)
        with pytest.raises(RegionGoneError, match="no memory at 0x2000"):
            region.read(PAGE, 2 * PAGE)
        with pytest.raises(RegionGoneError, match="no memory"):
            region.write(4 * PAGE, b"x")
        sysfs.bind(folder, "vfio-pci")
        with pytest.raises(RegionGoneError, match="vfio-pci took") as caught:
            region.load(2 * PAGE, 8)
        assert "unbind" in caught.value.command
        sysfs.unplug(folder)
        with pytest.raises(UnpluggedError):
            region.read(2 * PAGE, 1)


def test_closing_gives_everything_back(sysfs, opened):
    sysfs.add()
    before = os.listdir("/proc/self/fd")
    region = opened()
    region.close()
    region.close()
    assert os.listdir("/proc/self/fd") == before
    assert "scope-sysfs" not in Path("/proc/self/maps").read_text()
    for access in (lambda: region.read(0, 1), region.check, region.sync):
        with pytest.raises(ClosedError):
            access()


def test_readers_on_other_threads_meet_the_end_as_an_error(sysfs, opened):
    sysfs.add()
    region = opened()
    begun, ends = threading.Barrier(4), []

    def read():
        begun.wait()
        try:
            while True:
                region.read(0, 1 << 20)
        except ClosedError:
            ends.append("closed")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    begun.wait()
    region.close()
    for reader in readers:
        reader.join(10)
    assert ends == ["closed"] * 3


# -- the text of `resource` ------------------------------------------------------------------------


def test_resource_lines():
    text = "0x00000000febd1000 0x00000000febd10ff 0x0000000000040200\n" + "0x0 0x0 0x0\n" * 2
    assert [bar.size for bar in parse_resource(text)] == [256, 0, 0]


@given(st.text(alphabet="0123456789abcdefx \n", max_size=200))
def test_any_resource_text_gives_bars_or_one_error(text):
    try:
        bars = parse_resource(text)
    except ValueError:
        return
    assert all(found.size >= 0 for found in bars)
