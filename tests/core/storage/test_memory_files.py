"""Whatever writes a file leaves memory alone, by whatever name it is called; and says why."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.core.backends.open_region import open_region, spec_for
from app.core.errors import CancelledError, StorageError
from app.core.region.region import RegionKind, RegionSpec
from app.core.storage.atomic_file import check_target, read_regular, write_file, write_text
from app.core.storage.memory_files import memory_use
from app.core.storage.os_errors import lacks_space, meaning
from app.core.storage.pipes import open_source
from app.core.storage.settings import Settings
from tests.core.discovery.test_processes import holder

MakeFile = Callable[..., Path]
OLD = b"the guest's bytes" * 100


def refused(path: Path | str, says: str) -> None:
    with pytest.raises(StorageError) as caught:
        write_file(path, (b"{}",), wait_s=0)
    assert says in caught.value.message
    assert caught.value.hint


@pytest.fixture
def memory(shm_file: MakeFile) -> Iterator[tuple[Path, int]]:
    """A file that another process maps, and that process."""
    path = shm_file(8192, fill=OLD)
    with holder(path) as pid:
        before = path.stat().st_ino
        yield path, pid
        assert path.stat().st_ino == before, "the name is the memory's still"
        assert path.read_bytes().startswith(OLD)
        assert not list(path.parent.glob(f".{path.name[:20]}-*")), "nothing is left beside it"


# -- memory by all its names -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["itself", "symlink", "link to link", "hard link", "fd", "root"])
def test_memory_is_refused_by_any_name(memory: tuple[Path, int], tmp_path: Path, name: str) -> None:
    path, pid = memory
    link, other = tmp_path / "link.json", path.with_name(path.name + ".json")
    link.symlink_to(path)
    names: dict[str, Path | str] = {
        "itself": path,
        "symlink": link,
        "link to link": tmp_path / "second",
        "hard link": other,
        "fd": f"/proc/{pid}/fd/3",
        "root": f"/proc/{pid}/root{path}",
    }
    (tmp_path / "second").symlink_to("link.json")
    other.hardlink_to(path)
    try:
        if name == "fd":
            assert Path(names["fd"]).samefile(path)
        refused(names[name], "is the shared memory itself (python")
        refused(names[name], f"{pid} maps it")
    finally:
        other.unlink()
    assert link.is_symlink()


def test_memory_without_a_name(memory: tuple[Path, int]) -> None:
    path, pid = memory
    aside = path.with_name(path.name + "-aside")
    aside.hardlink_to(path)
    path.unlink()
    refused(f"/proc/{pid}/fd/3", "maps it")
    assert not path.with_name(path.name + " (deleted)").exists()
    aside.rename(path)


def test_a_file_without_a_name_that_is_no_memory(tmp_path: Path) -> None:
    with (tmp_path / "gone").open("w+b") as file:
        (tmp_path / "gone").unlink()
        refused(f"/proc/self/fd/{file.fileno()}", "")
    assert os.listdir(tmp_path) == []


def in_namespace(script: str) -> subprocess.CompletedProcess[str]:
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("a private mount needs root and unshare")
    return subprocess.run(
        ["unshare", "-m", "sh", "-ec", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )


_SAVE = "import sys; from app.core.storage.atomic_file import write_text as w; w(sys.argv[1], 'x')"


def test_a_bind_mount_of_it(memory: tuple[Path, int], tmp_path: Path) -> None:
    path, pid = memory
    (tmp_path / "run.json").touch()
    told = in_namespace(
        f"mount --bind {path} {tmp_path}/run.json; {sys.executable} -c '{_SAVE.replace(chr(39), chr(34))}' {tmp_path}/run.json"
    )
    assert told.returncode
    assert f"{pid} maps it" in told.stderr.splitlines()[-1]


_AS_NOBODY = """
import fcntl, os, sys  # all that is needed: Python may lie where nobody may read
from app.core.storage.memory_files import memory_use
os.setgroups([]); os.setgid(65534); os.setuid(65534)
print(memory_use(sys.argv[1]))
"""


def test_memory_that_another_user_maps(memory: tuple[Path, int], shm_file: MakeFile) -> None:
    """Into whose process one may not look: the kernel is asked whether the file is open."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    alone = shm_file(4096)
    for path, use in ((memory[0], "a program of another user has it open\n"), (alone, "\n")):
        os.chown(path, 65534, 65534)
        told = subprocess.run(
            [sys.executable, "-c", _AS_NOBODY, str(path)],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[3],
        )
        assert told.stdout == use


def test_a_region_that_is_only_read_is_memory_too(shm_file: MakeFile, tmp_path: Path) -> None:
    for path in (shm_file(8192, fill=OLD), tmp_path / "region"):
        path.write_bytes(OLD.ljust(8192, b"\0"))
        spec = RegionSpec(RegionKind.FILE, str(path), read_only=True)
        with open_region(spec) as region:
            assert not region.info.writable
            refused(path, "this program maps it")
        write_text(path, "{}")
        assert path.read_text() == "{}"


_QEMU = "import sys, time; print('ready', flush=True); sys.stdin.read()"


@contextmanager
def qemu(*argv: str, cwd: Path) -> Iterator[int]:
    """A process with a QEMU's command line that maps nothing (yet)."""
    # python -c ignores what follows its program; argv[0] is what discovery reads.
    with subprocess.Popen(
        ["qemu-system-x86_64", "-c", _QEMU, *argv],
        executable=sys.executable,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=cwd,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
        process.communicate()


@pytest.mark.parametrize(
    "words",
    [
        ["-object", "memory-backend-file,id=a,mem-path={},size=1M,share=on"],
        ["-object", '{{"qom-type": "memory-backend-file", "id": "a", "mem-path": "{}"}}'],
        ["-mem-path", "{}"],
    ],
)
@pytest.mark.parametrize("relative", [False, True])
def test_what_a_qemu_names_is_memory(shm_file: MakeFile, words: list[str], relative: bool) -> None:
    path, other = shm_file(8192, fill=OLD), shm_file(8192)
    name = path.name if relative else path
    with qemu(*[word.format(name) for word in words], cwd=path.parent) as pid:
        refused(path, f"qemu-system-x86_64 {pid} shares it with its guest")
        write_text(other, "{}")
    write_text(path, "{}")
    assert path.read_text() == "{}"


@pytest.mark.parametrize("path", ["/proc/self/mem", "/sys/kernel/uevent_seqnum"])
def test_what_belongs_to_the_kernel(path: str) -> None:
    if not Path(path).exists():
        pytest.skip(f"there is no {path}")
    refused(path, "memory of the system, on")


def test_devices_that_are_no_stream(tmp_path: Path) -> None:
    assert memory_use("/dev/null") == memory_use("/dev/full") == ""
    node = tmp_path / "kvmfr0"
    try:
        os.mknod(node, stat.S_IFCHR | 0o600, os.makedev(1, 1))
    except PermissionError:
        pytest.skip("only root can make a device node")
    refused(node, "it is a device, not a file")
    assert stat.S_ISCHR(node.stat().st_mode)
    disk = tmp_path / "disk"
    os.mknod(disk, stat.S_IFBLK | 0o600, os.makedev(7, 200))
    refused(disk, "is a disk, not a file")
    terminal = tmp_path / "terminal"  # one that is not plugged in
    os.mknod(terminal, stat.S_IFCHR | 0o600, os.makedev(166, 250))
    refused(terminal, "there is no such device")


def test_a_name_is_taken_as_it_was_typed(tmp_path: Path) -> None:
    refused(f"{tmp_path}/new/", "there is no such folder")
    refused(f"{tmp_path}/", "is a directory")
    refused("", "An empty name is no name of a file")
    assert os.listdir(tmp_path) == []


# -- what is no memory is written as ever ----------------------------------------------------------


def test_an_ordinary_file_in_shm_is_replaced_and_keeps_its_mode(shm_file: MakeFile) -> None:
    path = shm_file(4096)
    path.chmod(0o640)
    assert write_text(path, "new") == 3
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)


def test_standard_output_by_its_path(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        code = "print('before'); " + _SAVE + "; print('after')"
        told = subprocess.run(
            [sys.executable, "-c", code, "/dev/stdout"],
            stdout=out,
            check=False,
            cwd=Path(__file__).parents[3],
        )
    assert told.returncode == 0
    assert (tmp_path / "out").read_text() == "before\nxafter\n"
    assert os.listdir(tmp_path) == ["out"]


def test_a_file_in_the_tree_of_another_process_is_written_there(tmp_path: Path) -> None:
    path = Path(f"/proc/self/root{tmp_path}/run.json")
    write_text(path, "{}")
    assert (tmp_path / "run.json").read_text() == "{}"


# -- pipes and sockets -----------------------------------------------------------------------------


def test_a_pipe_that_nobody_reads_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "no program reads")
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_pipe_whose_reader_takes_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(StorageError, match="takes nothing"):
        write_file(tmp_path / "pipe", (bytes(1 << 20),), wait_s=0)
    os.close(reader)


@pytest.mark.parametrize("opened", [False, True])
def test_waiting_for_a_pipe_is_stopped_by_whoever_writes(tmp_path: Path, opened: bool) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK) if opened else None
    asked: list[None] = []

    def stop() -> None:
        asked.append(None)
        if len(asked) == (30 if opened else 3):  # more than the pieces that fit into the pipe
            raise CancelledError("Stopped.")

    with pytest.raises(CancelledError):
        write_file(tmp_path / "pipe", (bytes(1 << 20),), wait_s=None, stop=stop)
    if reader is not None:
        os.close(reader)


def test_a_pipe_that_is_read_gets_it_all(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    assert write_file(tmp_path / "pipe", (b"a" * 300_000, b"b"), wait_s=30) == 300_001
    reader.join(30)
    assert got == [b"a" * 300_000 + b"b"]


def test_a_socket_is_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "door"))
        refused(tmp_path / "door", "is a socket")
        with pytest.raises(OSError, match=os.strerror(errno.ENXIO)):
            open_source(tmp_path / "door", 0)


def test_reading_from_a_pipe_waits_for_a_writer_and_no_longer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=os.strerror(errno.ENXIO)):
        open_source(tmp_path / "pipe", 0.05)
    with pytest.raises(OSError, match="no regular file"):
        read_regular(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(b"late"))
    writer.start()
    with open_source(tmp_path / "pipe", 30) as file:
        assert file.read() == b"late"
    writer.join(30)


def test_settings_that_are_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "settings.json")
    settings = Settings(tmp_path / "settings.json")
    assert "no regular file" in settings.problem
    settings.set("a", 1)
    assert not settings.save()
    assert "is no regular file" in settings.problem
    assert os.listdir(tmp_path) == ["settings.json"]


def test_settings_that_are_memory(shm_file: MakeFile, tmp_path: Path) -> None:
    content = b'{"version": 1, "values": {}}'.ljust(8192)
    path = shm_file(8192, fill=content)
    (tmp_path / "settings.json").symlink_to(path)
    with holder(path):
        settings = Settings(tmp_path / "settings.json")
        assert not settings.problem
        settings.set("a", 1)
        assert not settings.save()
        assert "is the shared memory itself" in settings.problem
    assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["settings.json"]


def test_new_settings_are_for_their_owner_alone(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.json")
    settings.set("a", 1)
    assert settings.save()
    assert stat.S_IMODE((tmp_path / "settings.json").stat().st_mode) == 0o600


# -- what an error means ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission"),
        (errno.EISDIR, "directory"),
        (errno.ENAMETOOLONG, "too long"),
        (errno.EIO, "input/output error"),
        (errno.ETXTBSY, "a program that runs"),
        (errno.ENOTUNIQ, "Name not unique on network"),
    ],
)
def test_an_error_is_explained_by_what_it_is(number: int, says: str) -> None:
    error = OSError(number, os.strerror(number))
    assert says in meaning(error)
    assert lacks_space(error) is (number in (errno.ENOSPC, errno.EDQUOT))


def test_a_full_disk_keeps_the_old_file_and_says_so(tmp_path: Path) -> None:
    told = in_namespace(
        f"mount -t tmpfs -o size=64k small {tmp_path}; cd {tmp_path}; echo old > run.json; "
        f'PYTHONPATH={Path(__file__).parents[3]} {sys.executable} -c "from app.core.storage.atomic_file '
        "import write_text; write_text('run.json', 'x' * 100000)\" || true; cat run.json; ls -A"
    )
    assert told.stdout.split() == ["old", "run.json"]
    assert "the disk is full); what was there before is unchanged" in told.stderr


def test_a_read_only_disk_says_so(tmp_path: Path) -> None:
    told = in_namespace(
        f"mount -t tmpfs -o ro small {tmp_path}; {sys.executable} -c '{_SAVE.replace(chr(39), chr(34))}' {tmp_path}/x"
    )
    assert told.returncode
    assert "mounted read-only" in told.stderr


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    refused(tmp_path / "no" / "run.json", "there is no folder")
    (tmp_path / "file").touch()
    refused(tmp_path / "file" / "run.json", "no directory")
    refused(tmp_path, "is a directory")
    refused(tmp_path / ("n" * 256), "too long")
    assert check_target(tmp_path / "run.json") == tmp_path / "run.json"


def test_the_words_for_a_path(shm_file: MakeFile) -> None:
    path = shm_file(4096)
    with open_region(spec_for(str(path))):
        refused(path, "this program maps it")
