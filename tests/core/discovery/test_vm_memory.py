"""What a QEMU's command line says against what it maps: real processes, namespaces and seals."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.core.backends.open_region import open_region
from app.core.discovery.device import Device
from app.core.discovery.finder import find_devices
from app.core.discovery.write_access import lacking_pages
from app.core.watch.frame import Level
from tests.core.discovery.test_finder import World

MakeFile = Callable[..., Path]
ROOT = Path(__file__).parents[3]

# A QEMU by its name and arguments, which maps what its first argument names: paths, memfd:SIZE,
# or shm:SIZE as qemu_shm_alloc makes it.
_QEMU = """
import mmap, os, sys
kept = []
for number, what in enumerate(filter(None, sys.argv[1].split())):
    if what.startswith("memfd:"):
        fd = os.memfd_create("memory-backend-memfd")
        os.ftruncate(fd, int(what[6:]))
    elif what.startswith("shm:"):
        name = f"/dev/shm/qemu-{os.getpid()}-shm-{number}"
        fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.unlink(name)
        os.ftruncate(fd, int(what[4:]))
    else:
        fd = os.open(what, os.O_RDWR)
    kept.append(mmap.mmap(fd, 0))
    kept[-1][:6] = b"guest!"
    os.close(fd)
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def qemu(maps: str, *argv: object, before: str = "") -> Iterator[int]:
    """A running one; `before` is a script in a mount namespace of its own."""
    words = ["qemu-system-x86_64", "-c", _QEMU, maps, *map(str, argv)]
    more: dict[str, str] = {"executable": sys.executable}
    if before:
        need_namespaces()
        run = f'{before}; exec -a "$0" {sys.executable} "$@"'
        words, more = ["unshare", "-m", "bash", "-ec", run, *words], {}
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **more) as process:  # type: ignore[call-overload]
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
        process.communicate()


def need_namespaces() -> None:
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("a mount namespace needs root and unshare")


def plain(path: object, size: str = "8K", more: str = ",share=on") -> list[str]:
    backend = f"memory-backend-file,id=s,mem-path={path},size={size}{more}"
    return ["-object", backend, "-device", "ivshmem-plain,memdev=s"]


def of(pid: int) -> list[Device]:
    return _likely(find_devices().devices, pid)


def _likely(devices: tuple[Device, ...], pid: int) -> list[Device]:
    """Those of a process; every program maps a cache of its C library beside."""
    return [d for d in devices if d.likely_shared and any(user.pid == pid for user in d.users)]


def bytes_of(device: Device) -> bytes:
    with open_region(device.spec) as region:
        assert region.info.writable
        return region.read(0, 6)


# -- a mount namespace of its own ------------------------------------------------------------------


def test_a_vm_in_its_own_namespace_does_not_use_the_hosts_file(shm_file: MakeFile) -> None:
    path = shm_file(8192, fill=b"host's")
    private = f"mount -t tmpfs none /dev/shm; truncate -s 8K {path}"
    with qemu(str(path), *plain(path), before=private) as pid:
        [device] = of(pid)
        assert device.name == path.name
        assert device.location.startswith(f"/proc/{pid}/")
        assert bytes_of(device) == b"guest!"
        assert any("another mount namespace" in note for note in device.notes)
        [host] = [d for d in find_devices().devices if d.location == str(path)]
        assert host.users == ()
        assert host.share is None
        assert bytes_of(host) == b"host's"


def test_a_file_that_only_the_vms_namespace_has(shm_file: MakeFile) -> None:
    path = shm_file(8192)
    path.unlink()
    private = f"mount -t tmpfs none /dev/shm; truncate -s 8K {path}"
    with qemu(str(path), *plain(path), before=private) as pid:
        [device] = of(pid)
        assert bytes_of(device) == b"guest!"
        assert device.health.level is Level.GOOD, device.health


def test_a_namespace_that_shares_the_folder_uses_the_hosts_file(shm_file: MakeFile) -> None:
    path = shm_file(8192)
    with qemu(str(path), *plain(path), before="true") as pid:
        [device] = of(pid)
        assert (device.location, device.notes) == (str(path), ())


def test_the_hosts_file_under_another_name_there(shm_file: MakeFile, tmp_path: Path) -> None:
    path = shm_file(8192)
    (tmp_path / "inside").touch()
    bind = f"mount --bind {path} {tmp_path}/inside"
    with qemu(f"{tmp_path}/inside", *plain(tmp_path / "inside"), before=bind) as pid:
        [device] = of(pid)
        assert device.location == str(path), "one file, by the name that it has here"
        assert bytes_of(device) == b"guest!"


def test_a_file_that_was_renamed_and_its_old_name_given_to_another(shm_file: MakeFile) -> None:
    path = shm_file(8192)
    with qemu(str(path), *plain(path)) as pid:
        moved = path.rename(path.with_name(path.name + "-old"))
        try:
            path.write_bytes(bytes(8192))
            [device] = of(pid)
            assert device.location == str(moved)
            assert bytes_of(device) == b"guest!"
        finally:
            moved.unlink()


# -- memory without a name -------------------------------------------------------------------------


def test_shm_and_memfd_backends_are_told_apart(tmp_path: Path) -> None:
    argv = ["-object", "memory-backend-shm,id=s,size=64K"]
    argv += ["-object", "memory-backend-memfd,id=m,size=32K"]
    argv += ["-object", '{"qom-type": "memory-backend-shm", "id": "t", "size": 131072}']
    with qemu("memfd:32768 shm:131072 shm:65536", *argv) as pid:
        found = {device.name: device for device in of(pid)}
        assert {name: d.size for name, d in found.items()} == {
            "s": 65536,
            "m": 32768,
            "t": 131072,
        }
        for device in found.values():
            assert device.share is True
            assert device.likely_shared
            assert bytes_of(device) == b"guest!"


# -- each once, and before a flood -----------------------------------------------------------------


def test_what_a_vm_maps_or_names_is_listed_in_any_flood(
    shm_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.discovery.host_files.MOST_FILES", 0)
    named, mapped, other = shm_file(8192), shm_file(8192), shm_file(8192)
    with qemu(f"{mapped}", *plain(named)) as pid:
        found = find_devices()
        assert {d.location for d in _likely(found.devices, pid)} == {
            str(named),
            str(mapped),
        }
        assert str(other) not in {d.location for d in found.devices}
    assert any("are listed" in problem for problem in found.problems)


def test_hard_links_are_one_device(shm_file: MakeFile) -> None:
    path = shm_file(8192)
    second = path.with_name(path.name + "-link")
    second.hardlink_to(path)
    try:
        with qemu(str(second), *plain(second)) as pid:
            path.unlink()  # a lost one has a name again, if it has one here
            [device] = of(pid)
            assert device.location == str(second)
        found = [d for d in find_devices().devices if d.name.startswith(path.name)]
        assert len(found) == 1
    finally:
        second.unlink()


def test_a_vms_file_whose_name_went_but_not_its_link(shm_file: MakeFile) -> None:
    path = shm_file(8192)
    link = path.with_name(path.name + "-link")
    link.hardlink_to(path)
    try:
        with qemu(str(path), *plain(path)) as pid:
            path.unlink()
            [device] = of(pid)
            assert device.location == str(link)
    finally:
        link.unlink()


def test_two_vms_that_name_a_file_which_is_not_there(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with qemu("", *plain(gone)) as one, qemu("", *plain(gone)) as two:
        [device] = [d for d in find_devices().devices if d.location == str(gone)]
        assert {user.pid for user in device.users} == {one, two}
        assert device.health.level is Level.FAULT


def test_a_kvmfr_node_with_two_names(tmp_path: Path) -> None:
    world = World(tmp_path)
    try:
        for name in ("kvmfr0", "kvmfr1"):
            os.mknod(world.dev / name, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root can make a device node")
    (world.dev / "kvmfr2").symlink_to("kvmfr0")
    assert [d.name for d in world.find().devices] == ["kvmfr0"]


def test_a_file_in_a_kvmfr_nodes_place_is_listed_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    path = world.dev / "kvmfr0"
    path.write_bytes(bytes(1 << 20))
    world.qemu(7, *plain(path, "1M"), maps=[(path, "rw-s")])
    [device] = world.find().devices
    assert device.health.level is Level.FAULT
    assert [user.pid for user in device.users] == [7]


# -- writable is what a write would find -----------------------------------------------------------

F_SEAL_WRITE, F_SEAL_FUTURE_WRITE = 0x0008, 0x0010

_SEALED = """
import fcntl, mmap, os, sys
fd = os.memfd_create("memory-backend-memfd", os.MFD_ALLOW_SEALING)
os.ftruncate(fd, 32768)
seal = int(sys.argv[1])
kept = mmap.mmap(fd, 0) if seal == 0x10 else None  # what was mapped before may go on writing
fcntl.fcntl(fd, 1033, seal)
kept = kept or mmap.mmap(fd, 0, prot=mmap.PROT_READ)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("seal", [F_SEAL_WRITE, F_SEAL_FUTURE_WRITE])
def test_a_sealed_memfd_is_not_writable(seal: int) -> None:
    argv = ["-object", "memory-backend-memfd,id=sealed,size=32K"]
    with subprocess.Popen(
        ["qemu-system-x86_64", "-c", _SEALED, str(seal), *argv],
        executable=sys.executable,
        env={**os.environ, "PYTHONHOME": sys.base_prefix},  # its own name does not lead there
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            pytest.skip("this kernel does not map a sealed memfd")
        [device] = of(process.pid)
        assert device.writable is False
        assert (device.health.level, device.health.code) == (Level.WARNING, "read-only")
        assert "sealed against writing" in device.health.text
        assert not device.health.command, "no command takes a seal away"
        with open_region(device.spec) as region:
            assert not region.info.writable
        process.communicate()


def test_a_memfd_with_other_seals_is_writable() -> None:
    with qemu("memfd:32768", "-object", "memory-backend-memfd,id=m,size=32K") as pid:
        [device] = of(pid)
        assert device.writable is True
        assert device.health.level is Level.GOOD


_LIST = """
import json, sys
from pathlib import Path
from app.core.discovery.device import SystemPaths
from app.core.discovery.finder import find_devices
places = SystemPaths(shm=(Path(sys.argv[1]),))
before = Path(sys.argv[2]).stat()
[device] = [d for d in find_devices(places).devices if d.location == sys.argv[2]]
after = Path(sys.argv[2]).stat()
assert (before.st_blocks, before.st_mtime_ns) == (after.st_blocks, after.st_mtime_ns)
print(json.dumps([device.writable, device.health.code, device.health.text, device.health.command]))
"""


def listed_in(script: str, folder: Path, name: str) -> list[object]:
    need_namespaces()
    ask = [sys.executable, "-c", _LIST, str(folder), str(folder / name)]
    told = subprocess.run(
        ["unshare", "-m", "sh", "-ec", f'{script}; "$@"', "sh", *ask],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if told.returncode == 32:
        pytest.skip(f"it cannot be mounted here: {told.stderr}")
    assert told.returncode == 0, told.stderr
    made: list[object] = json.loads(told.stdout)
    return made


def test_a_mount_that_is_read_only(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs none {tmp_path}; truncate -s 1M {tmp_path}/shm"
    writable, code, text, command = listed_in(
        f"{mount}; mount -o remount,ro {tmp_path}", tmp_path, "shm"
    )
    assert (writable, code, command) == (False, "read-only", "")
    assert "mounted read-only" in str(text)
    assert listed_in(mount, tmp_path, "shm")[:2] == [True, "ok"]


def test_hugetlbfs_without_free_pages(tmp_path: Path) -> None:
    mount = f"mount -t hugetlbfs none {tmp_path}; truncate -s 4M {tmp_path}/vm"
    if Path("/proc/sys/vm/nr_hugepages").read_text().strip() != "0":
        pytest.skip("there are huge pages here")
    writable, code, text, command = listed_in(mount, tmp_path, "vm")
    assert (writable, code) == (False, "no-huge-pages")
    assert "4 MiB of" in str(text)
    assert "sysctl vm.nr_hugepages" in str(command)


def test_a_full_file_system(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=64k none {tmp_path}; truncate -s 1M {tmp_path}/shm"
    assert listed_in(mount, tmp_path, "shm")[:2] == [True, "ok"]
    filled = f"{mount}; head -c 65536 /dev/zero > {tmp_path}/other"
    writable, code, text, _ = listed_in(filled, tmp_path, "shm")
    assert (writable, code) == (True, "no-space")
    assert "1 MiB of it have no memory yet" in str(text)


def test_pages_that_are_free_are_enough(tmp_path: Path) -> None:
    """The pool's files as the kernel has them, where no pool can be had."""
    pool = tmp_path / "kernel/mm/hugepages/hugepages-4kB"
    pool.mkdir(parents=True)
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(8192)
    status = path.stat()
    if status.st_blksize != 4096:
        pytest.skip("another block size here")
    for free, reserved, lacks in ((2, 0, False), (2, 1, True), (0, 0, True)):
        (pool / "free_hugepages").write_text(f"{free}\n")
        (pool / "resv_hugepages").write_text(f"{reserved}\n")
        found = lacking_pages(str(path), status, tmp_path)
        assert (found is not None) is lacks
    path.write_bytes(bytes(8192))
    assert lacking_pages(str(path), path.stat(), tmp_path) is None


def test_trying_changes_nothing(shm_file: MakeFile) -> None:
    path = shm_file(1 << 20)
    before = path.stat()
    assert any(d.location == str(path) and d.writable for d in find_devices().devices)
    after = path.stat()
    assert (after.st_blocks, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_blocks,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )


# -- sizes -----------------------------------------------------------------------------------------


def test_a_size_that_is_nearly_right_is_said_exactly(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.file("odd", 33558528, b"LGMP\x0a\0\0\0")
    assert world.one("odd").health.text.startswith(
        "33558528 bytes, 32 MiB + 4 KiB, is no power of two"
    )
    world.file("plain", 3 << 20, b"LGMP\x0a\0\0\0")
    assert world.one("plain").health.text.startswith("3 MiB is no power of two")
