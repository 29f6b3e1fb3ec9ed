"""Discovery: real files in /dev/shm, real processes, and trees of our own making."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.backends.windows.bar import WindowsBar
from app.core.discovery.device import Device, DeviceList, SystemPaths
from app.core.discovery.file_contents import FileContents
from app.core.discovery.finder import DeviceFinder, examine, find_devices
from app.core.discovery.kvmfr_nodes import find_kvmfr
from app.core.discovery.pci_devices import find_pci
from app.core.discovery.processes import Processes, ProcessScanner
from app.core.discovery.windows_devices import from_bar
from app.core.errors import DriverMissingError, HeldByAnotherError
from app.core.protocols import demo_layout
from app.core.protocols.demo_layout import PREFIX
from app.core.region.pci_address import PciAddress
from app.core.region.region import RegionKind, RegionSpec
from app.core.watch.frame import Level
from tests.core.discovery.test_processes import FakeProc, holder

MakeFile = Callable[..., Path]
QEMU = "/usr/bin/qemu-system-x86_64"


class World:
    """Folders that stand for a machine; files in it are real."""

    def __init__(self, root: Path) -> None:
        self.shm, self.dev, self.sys = root / "shm", root / "dev", root / "sys"
        self.proc = FakeProc(root / "proc")
        for folder in (self.shm, self.dev, self.proc.root):
            folder.mkdir()
        self.places = SystemPaths(self.proc.root, self.sys, self.dev, (self.shm,))
        self.forbidden: set[tuple[str, int]] = set()

    def access(self, path: str, mode: int) -> bool:
        return (Path(path).name, mode) not in self.forbidden

    def file(self, name: str, size: int = 1 << 20, head: bytes = b"") -> Path:
        path = self.shm / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(head)
            file.truncate(size)
        return path

    def qemu(self, pid: int, *argv: str, maps: list[tuple[Path, str]] | None = None) -> None:
        lines = [
            f"7f00-7f01 {perms} 0 {os.major(s.st_dev):02x}:{os.minor(s.st_dev):02x} {s.st_ino}  {path}\n"
            for path, perms in maps or []
            for s in [path.stat()]
        ]
        folder = self.proc.add(pid, [QEMU, "-name", f"vm{pid}", *argv], "".join(lines))
        for number, (path, _) in enumerate(maps or []):
            (folder / "fd" / str(number + 3)).symlink_to(path)

    def find(self) -> DeviceList:
        return find_devices(self.places, access=self.access)

    def one(self, name: str) -> Device:
        [device] = [d for d in self.find().devices if Path(d.location).name == name]
        return device


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def _backend(path: Path, size: str = "1M", more: str = ",share=on") -> tuple[str, ...]:
    return (
        "-object",
        f"memory-backend-file,id=s,mem-path={path},size={size}{more}",
        "-device",
        "ivshmem-plain,memdev=s",
    )


# -- which files are likely ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "size", "likely_shared"),
    [
        ("mine", 1 << 20, True),
        ("page", 4096, True),
        ("tiny", 2048, False),
        ("odd", 3 << 20, False),
        ("unaligned", (1 << 20) + 1, False),
        ("empty", 0, False),
        ("looking-glass", 0, True),
        (PREFIX + "never-lived", 0, False),
        ("sem.lock", 1 << 20, False),
        ("pulse-shm-123", 1 << 20, False),
        (".org.chromium.Chromium.x", 1 << 20, False),
        ("lttng-ust-wait-8", 4096, False),
        ("psm_1234", 1 << 20, False),
        ("jack-shm-registry", 1 << 20, False),
        ("jack-ivshmem", 1 << 20, True),
        ("scream-ivshmem", 2 << 20, True),
    ],
)
def test_plausible_files(world: World, name: str, size: int, likely_shared: bool) -> None:
    world.file(name, size)
    assert world.one(name).likely_shared is likely_shared


def test_known_content_makes_any_file_likely(world: World) -> None:
    world.file("odd", 3 << 20, b"LGMP\x0a\0\0\0")
    world.file("sem.a", 1 << 20, b"LGMP\x0a\0\0\0")
    world.file("note", 12288, b"just some text")
    assert world.one("odd").likely_shared
    assert world.one("odd").health.code == "odd-size"
    assert world.one("sem.a").likely_shared
    assert not world.one("note").likely_shared


def test_our_demo_is_likely_and_named(world: World) -> None:
    world.file(PREFIX + "abc", demo_layout.SIZE, demo_layout.MAGIC)
    device = world.one(PREFIX + "abc")
    assert (device.likely_shared, device.name) == (True, "Demo abc")
    assert device.content is not None
    assert device.content.name == "Demo"


def test_a_file_as_it_is_shown(shm_file: MakeFile) -> None:
    path = shm_file(1 << 20)
    [device] = [d for d in find_devices().devices if d.location == str(path)]
    assert device == Device(
        kind=RegionKind.FILE,
        name=path.name,
        location=str(path),
        size=1 << 20,
        spec=RegionSpec(RegionKind.FILE, str(path)),
        content=device.content,
        writable=True,
    )
    assert device.content is not None
    assert device.content.name == "zeros"


def test_looking_allocates_nothing(shm_file: MakeFile) -> None:
    path = shm_file(1 << 28)
    find_devices()
    assert path.stat().st_blocks == 0


def test_folders_below_and_links_out(world: World, tmp_path: Path) -> None:
    world.file("a/b/c")
    world.file("a/b/d/too-deep")
    (world.shm / "dangling").symlink_to(tmp_path / "none")
    (world.shm / "folder").symlink_to("/")
    assert [Path(d.location).name for d in world.find().devices] == ["c"]


def test_a_flood_of_files_is_bounded_and_said(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.discovery.host_files.MOST_FILES", 10)
    for number in range(12):
        world.file(f"f{number:02}", 4096)
    found = world.find()
    assert len(found.devices) == 10
    assert found.problems == (f"Only 10 files of {world.shm} are listed.",)


def test_hugetlbfs_is_found_in_the_mounts(world: World, tmp_path: Path) -> None:
    huge = tmp_path / "huge pages"
    huge.mkdir()
    (huge / "guest").write_bytes(bytes(4096))
    (world.proc.root / "mounts").write_text(
        f"tmpfs {world.shm} tmpfs rw 0 0\nhugetlbfs {str(huge).replace(' ', chr(92) + '040')} hugetlbfs rw 0 0\n"
    )
    world.forbidden = {("guest", os.W_OK)}
    device = world.one("guest")
    assert device.health.command.startswith("sudo chmod o+rw '")


# -- what QEMU tells -----------------------------------------------------------------------------


def test_a_guest_and_its_file(world: World) -> None:
    path = world.file("shm")
    world.qemu(7, *_backend(path), maps=[(path, "rw-s")])
    device = world.one("shm")
    assert [str(user) for user in device.users] == ["qemu-system-x86_64 7 (vm7)"]
    assert device.share is True
    assert device.health.level is Level.GOOD


@pytest.mark.parametrize("seen", [True, False], ids=["maps readable", "maps hidden"])
def test_a_private_copy_is_the_classic(world: World, seen: bool) -> None:
    path = world.file("shm")
    world.qemu(7, *_backend(path, more=""), maps=[(path, "rw-p")] if seen else None)
    device = world.one("shm")
    assert device.share is False
    assert (device.health.level, device.health.code) == (Level.WARNING, "private-copy")
    assert "share=on" in device.health.hint


def test_any_place_and_any_size_by_the_command_line(world: World, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere"
    path.write_bytes(bytes(3 * 4096))
    world.qemu(7, *_backend(path, "4K"))
    device = world.one("elsewhere")
    assert device.likely_shared
    assert device.notes == ("The guest sees the first 4 KiB of it.",)


def test_guest_ram_is_not_likely(world: World) -> None:
    path = world.file("ram", 1 << 24)
    world.qemu(
        7,
        "-object",
        f"memory-backend-file,id=r,mem-path={path},size=16M",
        "-machine",
        "q35,memory-backend=r",
        maps=[(path, "rw-p")],
    )
    device = world.one("ram")
    assert not device.likely_shared
    assert device.health.level is Level.GOOD, "a private copy of its own memory is well so"
    assert "main memory" in device.notes[0]


def test_a_deleted_file_is_reached_by_its_process(world: World) -> None:
    path = world.file("shm")
    world.qemu(7, *_backend(path), maps=[(path, "rw-s")])
    maps = world.proc.root / "7" / "maps"
    maps.write_text(maps.read_text().replace(str(path), f"{path} (deleted)"))
    held = path.rename(path.with_name("kernel-still-has-it"))
    link = world.proc.root / "7" / "fd" / "3"
    link.unlink()
    link.symlink_to(held.rename(world.shm.parent / "unlisted"))
    [device] = world.find().devices
    assert device.location == str(link)
    assert device.name == "shm"
    assert device.health.code == "deleted"
    newer = world.file("shm")
    [lost, fresh] = world.find().devices
    assert "Another file has that name now." in lost.health.text
    assert (fresh.location, fresh.users) == (str(newer), ())


def test_a_file_out_of_sight_is_a_fault_and_not_a_gap(world: World) -> None:
    world.qemu(7, *_backend(Path("/container/shm")))
    [device] = world.find().devices
    assert (device.likely_shared, device.size, device.writable) == (True, None, None)
    assert device.health.level is Level.FAULT
    assert "/container/shm" in device.health.text


def test_two_guests_on_one_file(world: World) -> None:
    path = world.file("shm")
    world.qemu(7, *_backend(path), maps=[(path, "rw-s")])
    world.qemu(8, *_backend(path, more=",share=on,readonly=on"), maps=[(path, "r--s")])
    device = world.one("shm")
    assert [user.guest for user in device.users] == ["vm7", "vm8"]
    assert "The guest may only read it (readonly=on)." in device.notes


def test_memory_from_a_doorbell_server(world: World, tmp_path: Path) -> None:
    path = tmp_path / "ivshmem.Xy"
    path.write_bytes(bytes(1 << 20))
    world.qemu(
        7,
        "-chardev",
        "socket,path=/tmp/door,id=c",
        "-device",
        "ivshmem-doorbell,chardev=c",
        maps=[(path, "rw-s")],
    )
    maps = world.proc.root / "7" / "maps"
    maps.write_text(maps.read_text().replace(str(path), f"{path} (deleted)"))
    [device] = world.find().devices
    assert device.likely_shared
    assert "Its guest has a doorbell server at /tmp/door." in device.notes


def test_a_real_qemu(shm_file: MakeFile) -> None:
    """With the real command line, real mappings, a memfd, and a file that is deleted."""
    from shutil import which

    program = which("qemu-system-x86_64")
    if program is None:
        pytest.skip("qemu-system-x86_64 is not installed")
    shared, private = shm_file(1 << 20), shm_file(1 << 20)
    name = f"guest-{shared.name}"
    file = "memory-backend-file,size=1M,id="
    command = [
        program,
        "-name",
        name,
        "-machine",
        "none",
        "-S",
        "-display",
        "none",
        "-serial",
        "none",
        "-qmp",
        "stdio",
        "-object",
        f"{file}a,mem-path={shared},share=on",
        "-object",
        f"{file}b,mem-path={private}",
        "-object",
        json.dumps({"qom-type": "memory-backend-memfd", "id": "m", "size": 2 << 20}),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as qemu:
        assert qemu.stdout is not None
        assert b"QMP" in qemu.stdout.readline()  # its greeting comes after the objects
        try:
            by_name = {d.name: d for d in find_devices().devices if name in str(d.users)}
            assert by_name[shared.name].share is True
            assert by_name[private.name].health.code == "private-copy"
            assert by_name["m"].location.startswith(f"/proc/{qemu.pid}/fd/")
            assert by_name["m"].size == 2 << 20
            shared.unlink()
            lost = {d.name: d for d in find_devices().devices}[shared.name]
            assert lost.health.code == "deleted"
            assert os.stat(lost.location).st_size == 1 << 20
        finally:
            qemu.kill()


def test_users_that_are_no_qemu(shm_file: MakeFile) -> None:
    path = shm_file(1 << 20)
    with holder(path) as pid:
        # family_of hides our own children; this one stands for Looking Glass.
        found = find_devices(scanner=ProcessScanner())
        [device] = [d for d in found.devices if d.location == str(path)]
    assert [user.pid for user in device.users] == [pid]
    assert device.share is None


# -- permission ----------------------------------------------------------------------------------


def test_read_only_and_forbidden(world: World) -> None:
    world.file("shm")
    world.forbidden = {("shm", os.W_OK)}
    device = world.one("shm")
    assert (device.health.level, device.health.code, device.writable) == (
        Level.WARNING,
        "read-only",
        False,
    )
    assert device.health.command == f"sudo setfacl -m u:$USER:rw {device.location}"
    world.forbidden |= {("shm", os.R_OK)}
    device = world.one("shm")
    assert (device.health.level, device.health.code) == (Level.FAULT, "access-denied")
    assert "it belongs to" in device.health.text
    assert device.content is None


_AS_NOBODY = """
import json, os, pwd
from app.core.discovery.finder import find_devices
os.setgroups([]); os.setgid(65534); os.setuid(65534)
found = find_devices()
print(json.dumps([[d.name, d.health.code, d.writable] for d in found.devices]))
print(json.dumps(found.problems))
"""


def test_as_another_user_for_real(shm_file: MakeFile) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    names = {}
    for mode in (0o000, 0o644, 0o666):
        path = shm_file(1 << 20)
        path.chmod(mode)
        names[path.name] = mode
    run = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert run.returncode == 0, run.stderr
    devices, problems = (json.loads(line) for line in run.stdout.splitlines())
    assert {names[n]: (code, w) for n, code, w in devices if n in names} == {
        0o000: ("access-denied", False),
        0o644: ("read-only", False),
        0o666: ("ok", True),
    }
    assert problems == ["Some processes could not be looked into; run as root to see all users."]


# -- PCI -----------------------------------------------------------------------------------------


def _pci(
    world: World,
    name: str,
    *,
    size: int = 1 << 20,
    vendor: str = "0x1af4",
    device: str = "0x1110",
    command: int = 3,
    msix: bool = False,
) -> Path:
    folder = world.sys / "bus" / "pci" / "devices" / name
    folder.mkdir(parents=True)
    (folder / "vendor").write_text(vendor + "\n")
    (folder / "device").write_text(device + "\n")
    bar = f"0x{0xFE00000000:016x} 0x{0xFE00000000 + size - 1:016x} 0x000000000014220c"
    none = f"0x{0:016x} 0x{0:016x} 0x{0:016x}"
    vectors = f"0x{0xFD000000:016x} 0x{0xFD000FFF:016x} 0x{0x40200:016x}"
    bars = [
        f"0x{0xFC000000:016x} 0x{0xFC0000FF:016x} 0x{0x40200:016x}",
        vectors if msix else none,
        bar if size else none,
    ]
    (folder / "resource").write_text("\n".join(bars) + "\n")
    (folder / "config").write_bytes(b"\xf4\x1a\x10\x11" + bytes([command, 0]) + bytes(58))
    (folder / "resource2").write_bytes(b"")
    (folder / "resource2_wc").write_bytes(b"")
    return folder


def test_pci_devices_in_order_with_wide_domains(world: World) -> None:
    _pci(world, "10000:e1:00.0", size=1 << 33)
    _pci(world, "0000:08:01.0", msix=True)
    _pci(world, "0000:00:03.0")
    _pci(world, "0000:00:02.0", device="0x1234")
    _pci(world, "0000:00:01.0", vendor="0x8086")
    found = world.find()
    assert [d.location for d in found.devices] == ["0000:00:03.0", "0000:08:01.0", "10000:e1:00.0"]
    assert found.problems == ()
    last = found.devices[-1]
    assert last.address == PciAddress(0x10000, 0xE1, 0, 0)
    assert (last.kind, last.size, last.writable) == (RegionKind.BAR, 1 << 33, True)
    assert last.health.level is Level.GOOD
    assert [d.notes[0][:13] for d in found.devices] == [
        "A plain devic",
        "It has a door",
        "A plain devic",
    ]


def test_what_is_wrong_with_a_pci_device(world: World) -> None:
    _pci(world, "0000:00:01.0", size=0)
    _pci(world, "0000:00:02.0", command=0)
    _pci(world, "0000:00:03.0")
    empty, off, good = world.find().devices
    assert (empty.health.code, empty.size) == ("unsuitable", None)
    assert off.health.code == "decode-off"
    assert off.health.command.endswith("0000:00:02.0/enable")
    assert good.health.code == "ok"
    world.forbidden = {("resource2", os.W_OK), ("resource2_wc", os.W_OK)}
    assert world.find().devices[-1].health.code == "read-only"
    world.forbidden |= {("resource2", os.R_OK), ("resource2_wc", os.R_OK)}
    denied = world.find().devices[-1]
    assert (denied.health.level, denied.size) == (Level.FAULT, 1 << 20)
    assert denied.health.command.startswith("sudo chown $USER ")


def test_the_driver_that_holds_it(world: World, tmp_path: Path) -> None:
    (tmp_path / "kvmfr").mkdir()
    (_pci(world, "0000:00:03.0") / "driver").symlink_to(tmp_path / "kvmfr")
    assert any("kvmfr" in note for note in world.find().devices[0].notes)


def test_a_vanishing_device_costs_the_others_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = _pci(world, "0000:00:01.0")
    (_pci(world, "0000:00:02.0") / "resource").write_text("nonsense here\n\n0xzz 0xzz 0\n")
    _pci(world, "0000:00:03.0")
    real = Path.read_text

    def read_text(path: Path, *args: str, **more: str) -> str:
        if path.parent == gone:
            for file in gone.iterdir():
                file.unlink()
            gone.rmdir()
        return real(path, *args, **more)

    monkeypatch.setattr(Path, "read_text", read_text)
    devices, problems = find_pci(world.sys)
    assert [d.location for d in devices] == ["0000:00:03.0"]
    assert len(problems) == 1
    assert "0000:00:02.0" in problems[0]


# -- kvmfr ---------------------------------------------------------------------------------------


def test_kvmfr_nodes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("kvmfr0", "kvmfr10", "kvm", "kvmfrx"):
        (world.dev / name).touch()
    real = os.stat

    def as_node(path: str, **more: bool) -> os.stat_result:
        values = list(real(path, **more))
        if str(path).endswith("kvmfr0"):
            values[0] = stat.S_IFCHR | 0o600
        return os.stat_result(values)

    monkeypatch.setattr("app.core.discovery.kvmfr_nodes.os.stat", as_node)
    devices, problems = find_kvmfr(world.dev, Processes(), world.access, lambda _: 32 << 20)
    assert problems == []
    node, file = devices
    assert (node.name, node.size, node.health.level) == ("kvmfr0", 32 << 20, Level.GOOD)
    assert (file.name, file.health.code) == ("kvmfr10", "unsuitable")
    assert "modprobe kvmfr" in file.health.command
    world.forbidden = {("kvmfr0", os.W_OK)}
    assert find_kvmfr(world.dev, Processes(), world.access)[0][0].health.code == "read-only"
    world.forbidden |= {("kvmfr0", os.R_OK)}
    denied = find_kvmfr(world.dev, Processes(), world.access)[0][0]
    assert (denied.health.code, denied.size) == ("access-denied", None)


def test_a_node_that_is_no_kvmfr_tells_no_size(world: World) -> None:
    (world.dev / "kvmfr0").symlink_to("/dev/null")
    [device] = find_kvmfr(world.dev, Processes())[0]
    assert device.size is None


# -- Windows -------------------------------------------------------------------------------------


def test_windows_devices() -> None:
    address = PciAddress(0, 8, 1, 0)
    good = from_bar(WindowsBar(r"\\?\p", "0000:08:01.0", "x", "I", address, 1 << 20, 3))
    assert (good.location, good.size, good.writable) == ("0000:08:01.0", 1 << 20, True)
    assert (good.health.level, good.notes) == (Level.GOOD, ("Peer 3.",))
    bare = from_bar(
        WindowsBar(
            "", "n", "x", r"PCI\VEN", None, trouble=DriverMissingError("None.", "virtio-win")
        )
    )
    assert (bare.location, bare.size, bare.writable) == (r"PCI\VEN", None, False)
    assert (bare.health.level, bare.health.hint) == (Level.FAULT, "virtio-win")
    held = from_bar(WindowsBar("p", "n", "x", "i", None, trouble=HeldByAnotherError("Held.")))
    assert held.health.code == "held-by-another"


def test_on_windows_only_the_driver_is_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.file("shm")
    bar = WindowsBar("p", "n", "x", "i", None, 4096)
    monkeypatch.setattr("app.core.discovery.finder._ON_WINDOWS", True)
    monkeypatch.setattr("app.core.discovery.windows_devices.list_windows_bars", lambda: [bar])
    assert [d.kind for d in world.find().devices] == [RegionKind.WINDOWS]


# -- the whole -----------------------------------------------------------------------------------


def test_nothing_at_all(world: World, tmp_path: Path) -> None:
    places = SystemPaths(tmp_path / "1", tmp_path / "2", tmp_path / "3", (tmp_path / "4",))
    assert find_devices(places) == DeviceList()
    assert world.find() == DeviceList()


@pytest.mark.parametrize("source", ["find_pci", "find_kvmfr", "HostFiles", "ProcessScanner.scan"])
def test_a_source_that_fails_is_a_problem_and_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    world.file("shm")
    _pci(world, "0000:00:03.0")

    def fail(*_: object) -> None:
        raise ValueError("broken inside")

    monkeypatch.setattr(f"app.core.discovery.finder.{source}", fail)
    found = world.find()
    assert len(found.problems) == 1
    assert "broken inside" in found.problems[0]
    assert len(found.devices) >= 1


def test_likely_ones_come_first_and_used_before_unused(world: World) -> None:
    for name in ("sem.a", "a-free", "z-used"):
        world.file(name)
    world.qemu(7, *_backend(world.shm / "z-used"))
    names = [d.name for d in world.find().devices]
    assert names == ["z-used", "a-free", "sem.a"]


def test_examine_any_path(world: World, tmp_path: Path) -> None:
    anywhere = tmp_path / "any"
    anywhere.write_bytes(bytes(8192))
    finder = DeviceFinder(world.places, access=world.access)
    device = finder.examine(RegionSpec(RegionKind.FILE, str(anywhere)))
    assert device is not None
    assert (device.size, device.writable) == (8192, True)
    world.forbidden = {("any", os.W_OK)}
    device = finder.examine(RegionSpec(RegionKind.FILE, str(anywhere)))
    assert device is not None
    assert device.writable is False
    missing = finder.examine(RegionSpec(RegionKind.FILE, str(tmp_path / "none")))
    assert missing is not None
    assert missing.writable is None
    _pci(world, "0000:00:03.0")
    bar = finder.examine(RegionSpec(RegionKind.BAR, "0000:00:03.0"))
    assert bar is not None
    assert finder.examine(RegionSpec(RegionKind.BAR, "0000:00:04.0")) is None


def test_examine_by_another_name_keeps_what_qemu_told(world: World) -> None:
    path = world.file("shm")
    link = world.shm.parent / "link"
    link.symlink_to(path)
    world.qemu(7, *_backend(path))
    device = DeviceFinder(world.places).examine(RegionSpec(RegionKind.FILE, str(link)))
    assert device is not None
    assert device.location == str(link)
    assert device.users[0].guest == "vm7"


def test_examine_a_real_file(shm_file: MakeFile) -> None:
    device = examine(RegionSpec(RegionKind.FILE, str(shm_file(8192))))
    assert device is not None
    assert device.writable


def test_contents_are_remembered_for_a_while_and_bounded(world: World) -> None:
    now = [0]
    contents = FileContents(clock=lambda: now[0])
    path = world.file("shm", 4096, b"LGMP\x0a\0\0\0")
    status = path.stat()
    first = contents.of(str(path), status)
    path.write_bytes(bytes(4096))
    assert contents.of(str(path), status) == first
    now[0] += 31_000_000_000
    changed = contents.of(str(path), status)
    assert changed is not None
    assert changed.name == "zeros"
    path.write_bytes(b"LGMP\x0a\0\0\0".ljust(4096, b"\0"))
    now[0] += 3_000_000_000
    assert contents.of(str(path), status) == first, "zeros are looked at again soon"
    contents.begin()
    asked = []
    for number in range(70):
        other = world.file(f"o{number}", 4096)
        asked.append(contents.of(str(other), other.stat()))
    assert asked[0] is not None
    assert asked[-1] is None, "over the bound; its turn comes"
    contents.begin()
    assert contents.of(str(other), other.stat()) is not None


@given(st.lists(st.text(max_size=40), max_size=6))
def test_garbled_proc_never_raises(words: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "5").mkdir()
        for name, text in zip(("stat", "cmdline", "maps", "mounts", "comm"), words, strict=False):
            place = root if name == "mounts" else root / "5"
            (place / name).write_bytes(os.fsencode("qemu-kvm\0") + text.encode("utf-8", "replace"))
        found = find_devices(SystemPaths(root, root / "sys", root / "dev", (root / "shm",)))
    assert found == DeviceList()
