"""kvmfr nodes without the module: /dev/zero stands for a node (a device without size or read
limit, which maps shared), and a memory file for its pages."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from app.core.backends import kvmfr
from app.core.backends.kvmfr import ask_size, open_kvmfr
from app.core.backends.permission import UDEV_RULE
from app.core.errors import (
    AccessDeniedError,
    CannotFindError,
    MisalignedError,
    OutOfRangeError,
    ReadOnlyError,
    RegionGoneError,
    ReplacedError,
    UnpluggedError,
    UnsuitableError,
)
from app.core.region.region import PAGE, RegionKind, RegionSpec

SIZE = 64 << 10
NODE = "/dev/zero"


@pytest.fixture
def opened(tmp_path):
    """Opens a node of which the module tells SIZE."""

    def do(path=NODE, ask=lambda _: SIZE, **more):
        return open_kvmfr(RegionSpec(RegionKind.KVMFR, str(path), **more), ask, tmp_path)

    return do


def refusing(number):
    def ask(_descriptor):
        raise OSError(number, os.strerror(number))

    return ask


# -- mapping ----------------------------------------------------------------------------------------


def test_a_device_without_a_size_is_mapped_with_an_explicit_length(opened):
    assert os.stat(NODE).st_size == 0
    with opened() as region:
        assert region.size == SIZE
        region.write(PAGE - 3, b"across pages")
        assert region.read(PAGE - 3, 12) == b"across pages"
        region.store(16, 8, 0x0102030405060708)
        assert [region.load(16, 8), region.load(20, 4)] == [0x0102030405060708, 0x01020304]
        assert region.extents(0, SIZE) == [(0, SIZE)]
        region.sync()
        region.check()


@pytest.fixture
def memory_node(shm_file, monkeypatch):
    """A real shared file that passes for a node."""
    path = shm_file(SIZE)
    monkeypatch.setattr(kvmfr.stat, "S_ISREG", lambda _mode: False)
    yield path
    monkeypatch.undo()


def test_bytes_are_really_shared(opened, memory_node):
    with opened(memory_node, start=PAGE, length=PAGE) as region:
        region.write(3, b"mine")
        assert memory_node.read_bytes()[PAGE + 3 : PAGE + 7] == b"mine"
        with memory_node.open("r+b") as peer:
            peer.seek(PAGE)
            peer.write(b"yours")
        assert region.read(0, 5) == b"yours"


def test_pages_that_fault_are_an_error(opened, memory_node):
    with opened(memory_node) as region:
        os.truncate(memory_node, PAGE)
        with pytest.raises(RegionGoneError, match="0x1000"):
            region.read(0, SIZE)
        memory_node.unlink()
        with pytest.raises(UnpluggedError):
            region.read(PAGE, 1)


def test_what_is_told_of_it(opened, tmp_path):
    with opened() as region:
        info = region.info
    assert (info.name, info.path, info.system) == ("zero", NODE, "host")
    assert info.cache.startswith("cached")
    assert info.notes == ()
    (tmp_path / "bus/pci/drivers/kvmfr").mkdir(parents=True)
    with opened() as region:
        assert region.info.system == "host", "the driver is registered on a host, too"
    (tmp_path / "bus/pci/drivers/kvmfr/0000:01:00.0").mkdir()
    with opened() as region:
        assert region.info.system == "guest"


def test_reading_only(opened):
    with opened(read_only=True) as region:
        assert region.read(0, 1) == b"\0"
        with pytest.raises(ReadOnlyError):
            region.write(0, b"x")


def test_the_systems_refusal_to_write_opens_for_reading(opened, shm_file, memory_node, request):
    if os.geteuid() != 0:
        memory_node.chmod(0o444)
    else:
        memory_node.chmod(0o444)
        os.seteuid(65534)
        request.addfinalizer(lambda: os.seteuid(0))
    with opened(memory_node) as region:
        assert not region.info.writable
        assert "setfacl" in region.info.read_only_reason


def test_closing_leaves_no_descriptor(opened):
    before = os.listdir("/proc/self/fd")
    opened().close()
    with pytest.raises(OutOfRangeError):
        opened(start=SIZE)
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize(
    ("start", "length", "error"),
    [(1, None, MisalignedError), (SIZE, None, OutOfRangeError), (0, 2 * SIZE, OutOfRangeError)],
)
def test_a_part_that_does_not_fit(opened, start, length, error):
    with pytest.raises(error):
        opened(start=start, length=length)


# -- size -------------------------------------------------------------------------------------------


def test_from_2_gib_on_the_size_is_right_and_worth_a_note(opened):
    size = 3 << 30
    with opened(ask=lambda _: size) as region:
        assert region.size == size
        assert any("2 GiB" in note for note in region.info.notes)
        assert region.read(size - 1, 1) == b"\0"


def test_the_size_is_the_whole_answer_and_not_an_int(monkeypatch):
    """ioctl() cuts the module's long to an int: 3 GiB is negative, 4 GiB is 0."""
    sizes = [2 << 30, 3 << 30, 4 << 30, 5 << 30]
    syscall = Mock(side_effect=sizes)
    monkeypatch.setattr(kvmfr.ctypes, "CDLL", lambda *_, **__: SimpleNamespace(syscall=syscall))
    monkeypatch.setattr(kvmfr.platform, "machine", lambda: "x86_64")
    assert [ask_size(7) for _ in sizes] == sizes
    assert syscall.restype is ctypes.c_long
    assert syscall.call_args.args == (16, 7, 0x7544, 0)


@pytest.mark.parametrize("machine", ["x86_64", "i686"])
def test_the_real_call_is_refused_by_what_is_no_node(monkeypatch, machine):
    if machine != kvmfr.platform.machine():
        monkeypatch.setattr(kvmfr.platform, "machine", lambda: "i686")
    with open(NODE, "rb") as zero, pytest.raises(OSError, match="ioctl") as caught:
        ask_size(zero.fileno())
    assert caught.value.errno == errno.ENOTTY


@pytest.mark.parametrize("number", [errno.ENOTTY, errno.EINVAL])
def test_another_device_is_no_node(opened, number):
    with pytest.raises(UnsuitableError, match="no node of the kvmfr module"):
        opened(ask=refusing(number))


def test_a_length_counts_when_the_module_does_not_tell(opened):
    with opened(ask=refusing(errno.ENOTTY), start=PAGE, length=PAGE) as region:
        assert region.size == PAGE
        assert any("does not tell" in note for note in region.info.notes)


@pytest.mark.parametrize("size", [0, -1])
def test_a_size_that_cannot_be(opened, size):
    with pytest.raises(UnsuitableError, match="tells a size of") as caught:
        opened(ask=lambda _: size)
    assert "static_size_mb" in caught.value.command


def test_a_module_that_fails_otherwise(opened):
    with pytest.raises(UnsuitableError, match="does not tell the size") as caught:
        opened(ask=refusing(errno.EIO))
    assert "length" in caught.value.hint


def test_a_module_that_cannot_map(opened, shm_file, memory_node):
    with pytest.raises(AccessDeniedError, match="cannot be mapped"):
        opened(memory_node, ask=lambda _: 2 * SIZE)


# -- what is no node -----------------------------------------------------------------------------------


def test_no_such_node(opened, tmp_path):
    with pytest.raises(CannotFindError) as caught:
        opened(tmp_path / "kvmfr0")
    assert caught.value.command == "sudo modprobe kvmfr static_size_mb=64"


def test_a_file_there_means_that_the_vm_was_first(opened, shm_file):
    path = shm_file(SIZE)
    with pytest.raises(UnsuitableError, match="before the module was loaded") as caught:
        opened(path)
    assert caught.value.command == f"sudo rm {path} && sudo modprobe kvmfr"


def test_other_kinds_are_named_and_a_pipe_does_not_hang(opened, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UnsuitableError, match="pipe"):
        opened(pipe)
    with pytest.raises(UnsuitableError):
        opened(tmp_path)
    with pytest.raises(UnsuitableError, match="directory"):
        opened(tmp_path, read_only=True)


def test_no_permission_shows_the_udev_rule(opened, tmp_path, request):
    node = tmp_path / "kvmfr0"
    node.touch(0o000)
    if os.geteuid() == 0:
        tmp_path.chmod(0o000)
        os.seteuid(65534)
        request.addfinalizer(lambda: (os.seteuid(0), tmp_path.chmod(0o700)))
    with pytest.raises(AccessDeniedError) as caught:
        opened(node)
    assert UDEV_RULE in caught.value.hint
    assert "setfacl" in caught.value.command


def test_the_udev_rule_is_the_one_that_is_shipped():
    rules = Path(__file__).parents[3] / "resources" / "linux" / "70-ivshmem-scope.rules"
    assert UDEV_RULE in rules.read_text().splitlines()


# -- while it is open --------------------------------------------------------------------------------------


@pytest.fixture
def link(tmp_path):
    """A node that can be taken away."""
    path = tmp_path / "kvmfr0"
    path.symlink_to(NODE)
    return path


def test_a_node_that_went(opened, link):
    with opened(link) as region:
        region.check()
        link.unlink()
        with pytest.raises(UnpluggedError):
            region.check()


def test_another_node_in_its_place(opened, link):
    with opened(link) as region:
        link.unlink()
        link.symlink_to("/dev/null")
        assert stat.S_ISCHR(os.stat(link).st_mode)
        with pytest.raises(ReplacedError):
            region.check()
