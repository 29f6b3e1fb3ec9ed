"""Processes: a /proc of our own making, and real ones."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.core.discovery.processes import ProcessScanner, User, way_in

MakeFile = Callable[..., Path]
_HOLDER = """
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
m = mmap.mmap(fd, 0)
if sys.argv[2] == "close":
    os.close(fd)
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def holder(path: Path, fd: str = "keep") -> Iterator[int]:
    """A real process that maps a file shared."""
    command = [sys.executable, "-c", _HOLDER, str(path), fd]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
        process.communicate()


class FakeProc:
    """A /proc tree."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(
        self, pid: int, argv: list[str], maps: str = "", *, start: int = 7, parent: int = 1
    ) -> Path:
        folder = self.root / str(pid)
        (folder / "fd").mkdir(parents=True, exist_ok=True)
        (folder / "cmdline").write_bytes(b"".join(os.fsencode(w) + b"\0" for w in argv))
        (folder / "comm").write_text("comm) 9\n")
        fields = ["S", str(parent), *["0"] * 17, str(start), "0"]
        (folder / "stat").write_text(f"{pid} (odd ) name) {' '.join(fields)}")
        (folder / "maps").write_text(maps)
        if not (folder / "cwd").is_symlink():
            (folder / "cwd").symlink_to("/srv/vm")
        return folder


@pytest.fixture
def proc(tmp_path: Path) -> FakeProc:
    return FakeProc(tmp_path / "proc")


def _line(path: str, *, inode: int = 5, perms: str = "rw-s", device: str = "00:1a") -> str:
    return f"7f00-7f01 {perms} 00000000 {device} {inode}      {path}\n"


def test_qemu_its_guest_and_what_it_maps(proc: FakeProc) -> None:
    argv = [
        "/usr/bin/qemu-system-x86_64",
        "-name",
        "win11",
        "-object",
        "memory-backend-file,id=a,mem-path=ram/shm,size=1M,share=on",
    ]
    proc.add(42, argv, _line("/srv/vm/ram/shm") + _line("/lib/x.so", inode=6, perms="r-xp"))
    found = ProcessScanner(proc.root).scan()
    [qemu] = found.qemus
    assert (qemu.pid, qemu.options.guest) == (42, "win11")
    assert qemu.path_of(qemu.options.backends[0]) == "/srv/vm/ram/shm"
    [item] = found.mapped.values()
    assert item.identity == (os.makedev(0, 0x1A), 5)
    assert item.users == [User(42, "qemu-system-x86_64", "win11")]
    assert item.shared_by == {42}
    assert str(item.users[0]) == "qemu-system-x86_64 42 (win11)"


def test_private_mappings_count_for_qemu_only(proc: FakeProc) -> None:
    proc.add(1, ["/bin/sh"], _line("/dev/shm/a", perms="rw-p"))
    proc.add(2, ["qemu-kvm"], _line("/dev/shm/b", inode=9, perms="rw-p"))
    [item] = ProcessScanner(proc.root).scan().mapped.values()
    assert item.path == "/dev/shm/b"
    assert item.shared_by == set()


def test_deleted_files_and_line_ends_in_names(proc: FakeProc) -> None:
    proc.add(1, ["x"], _line("/dev/shm/a b\\012c (deleted)"))
    [item] = ProcessScanner(proc.root).scan().mapped.values()
    assert item.path == "/dev/shm/a b\nc"
    assert item.deleted


def test_anonymous_and_special_lines_are_passed_over(proc: FakeProc) -> None:
    maps = "7f00-7f01 rw-p 00000000 00:00 0 \n7f00-7f01 r--p 0 00:00 0    [vvar]\nnonsense\n"
    proc.add(1, ["qemu-kvm"], maps + _line("anon_inode:kvm-vcpu:0"))
    assert ProcessScanner(proc.root).scan().mapped == {}


def test_a_name_from_comm_when_there_is_no_command_line(proc: FakeProc) -> None:
    proc.add(1, [], _line("/dev/shm/a"))
    [item] = ProcessScanner(proc.root).scan().mapped.values()
    assert item.users[0].program == "comm) 9"


def test_a_reused_process_id_is_another_process(proc: FakeProc) -> None:
    scanner = ProcessScanner(proc.root)
    proc.add(1, ["qemu-kvm", "-name", "one"], start=1)
    assert scanner.scan().qemus[0].options.guest == "one"
    proc.add(1, ["qemu-kvm", "-name", "two"], start=1)
    assert scanner.scan().qemus[0].options.guest == "one", "the command line is read once"
    proc.add(1, ["qemu-kvm", "-name", "two"], start=2)
    assert scanner.scan().qemus[0].options.guest == "two"


def test_what_vanishes_or_refuses_costs_the_others_nothing(
    proc: FakeProc, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pid in (1, 2, 3):
        proc.add(pid, ["x"], _line("/dev/shm/a"))
    (proc.root / "1" / "maps").unlink()
    (proc.root / "2" / "stat").unlink()
    real = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.parts[-2:] == ("3", "maps"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    found = ProcessScanner(proc.root).scan()
    [item] = found.mapped.values()
    assert [user.pid for user in item.users] == [2]
    assert found.unreadable == 1
    assert "root" in found.notice()


def test_no_proc_at_all(tmp_path: Path) -> None:
    found = ProcessScanner(tmp_path / "none").scan()
    assert (found.qemus, found.mapped, found.notice()) == ((), {}, "")


def test_our_own_family_is_left_out_but_not_a_qemu_in_it(proc: FakeProc) -> None:
    proc.add(10, ["python"], _line("/dev/shm/a"))
    proc.add(11, ["engine"], _line("/dev/shm/a"), parent=10)
    proc.add(12, ["qemu-kvm"], _line("/dev/shm/a"), parent=10)
    proc.add(13, ["other"], _line("/dev/shm/a"), parent=1)
    [item] = ProcessScanner(proc.root, family_of=10).scan().mapped.values()
    assert [user.pid for user in item.users] == [12, 13]
    [item] = ProcessScanner(proc.root).scan().mapped.values()
    assert len(item.users) == 4


def test_a_real_process(shm_file: MakeFile) -> None:
    path = shm_file(8192)
    identity = (path.stat().st_dev, path.stat().st_ino)
    assert identity not in ProcessScanner().scan().mapped
    with holder(path) as pid:
        item = ProcessScanner().scan().mapped[identity]
        assert [user.pid for user in item.users] == [pid]
        assert item.shared_by == {pid}
        assert item.path == str(path)
        assert not item.deleted
    assert identity not in ProcessScanner().scan().mapped


@pytest.mark.parametrize("fd", ["keep", "close"])
def test_the_way_to_a_file_without_a_name(shm_file: MakeFile, fd: str) -> None:
    path = shm_file(8192, fill=b"found me")
    identity = (path.stat().st_dev, path.stat().st_ino)
    with holder(path, fd):
        path.unlink()
        item = ProcessScanner().scan().mapped[identity]
        assert item.deleted
        way = way_in(item)
        if not way and fd == "close":
            pytest.skip("/proc/PID/map_files is closed here")
        assert Path(way).read_bytes()[:8] == b"found me"
    assert way_in(item) == ""


def test_ourselves(shm_file: MakeFile) -> None:
    path = shm_file(4096)
    identity = (path.stat().st_dev, path.stat().st_ino)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0):
        assert identity in ProcessScanner().scan().mapped
        assert identity not in ProcessScanner(family_of=os.getpid()).scan().mapped
