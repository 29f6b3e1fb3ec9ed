"""Shared files as Regions: what is refused, what is copied, and what the file's owner does."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.backends.open_region import open_region, spec_for
from app.core.backends.shared_file import SharedFile
from app.core.errors import (
    AccessDeniedError,
    CannotFindError,
    ClosedError,
    DeletedError,
    MisalignedError,
    OutOfRangeError,
    ReadOnlyError,
    RegionGoneError,
    ReplacedError,
    ScopeError,
    StorageError,
    TruncatedError,
    UnsuitableError,
)
from app.core.native.safe_copy import read_file
from app.core.region.region import RegionKind, RegionSpec
from tests.core.children import as_nobody, toggler

ShmFile = Callable[..., Path]
GIB = 1 << 30


def spec(path: Path | str, **more: object) -> RegionSpec:
    return RegionSpec(RegionKind.FILE, str(path), **more)  # type: ignore[arg-type]


def opened(path: Path | str, **more: object) -> SharedFile:
    region = open_region(spec(path, **more))
    assert isinstance(region, SharedFile)
    return region


# -- what is refused, and how ------------------------------------------------------------------


def _refused(path: Path | str, **more: object) -> ScopeError:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(ScopeError) as caught:
        open_region(spec(path, **more))
    assert os.listdir("/proc/self/fd") == before
    assert str(path) in caught.value.message or more
    return caught.value


@pytest.mark.parametrize("name", ["nothing", "no/such/folder", "x" * 300, "bad\0name"])
def test_no_such_path(tmp_path: Path, name: str) -> None:
    assert isinstance(_refused(f"{tmp_path}/{name}"), CannotFindError)


def test_what_is_no_regular_file_is_called_by_its_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "sock"))
    for path, word in (
        (tmp_path, "directory"),
        (Path("/dev/null"), "character device"),
        (tmp_path / "fifo", "pipe"),
        (tmp_path / "sock", "socket"),
    ):
        for read_only in (False, True):
            error = _refused(path, read_only=read_only)
            assert isinstance(error, UnsuitableError)
            assert word in error.message
            assert error.hint


def test_a_pipe_is_not_even_opened(tmp_path: Path) -> None:
    """Opening a pipe for reading would let its waiting writer go on."""
    os.mkfifo(tmp_path / "fifo")
    _refused(tmp_path / "fifo")
    with pytest.raises(OSError, match="No such device") as caught:
        os.open(tmp_path / "fifo", os.O_WRONLY | os.O_NONBLOCK)
    assert caught.value.errno == errno.ENXIO


def test_a_loop_of_links(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert isinstance(_refused(tmp_path / "a"), CannotFindError)


def test_an_empty_file_is_told_how_it_gets_its_size(shm_file: ShmFile) -> None:
    error = _refused(shm_file(0))
    assert isinstance(error, UnsuitableError)
    assert "truncate" in error.hint


@pytest.mark.parametrize("size", [1, 2, 4095, 4097, 65537])
def test_any_size_but_none_can_be_opened(shm_file: ShmFile, size: int) -> None:
    path = shm_file(size, fill=b"abc")
    with opened(path) as region:
        assert region.size == size
        assert region.read(0, size) == path.read_bytes()
        region.write(size - 1, b"!")
        assert region.info.notes == () or "pages" in region.info.notes[0]
        assert bool(region.info.notes) == bool(size % 4096)
    assert path.read_bytes()[-1:] == b"!"
    assert path.stat().st_size == size


def test_a_file_without_any_permission(shm_file: ShmFile) -> None:
    path = shm_file(4096)
    path.chmod(0)

    def attempt() -> str:
        error = _refused(path)
        return f"{type(error).__name__} {error.command}"

    kind, _, command = as_nobody(attempt).partition(" ")
    assert kind == AccessDeniedError.__name__
    assert str(path) in command
    assert "setfacl" in command


def test_a_file_of_another_user_is_read_only_and_says_how_to_mend_it(shm_file: ShmFile) -> None:
    path = shm_file(4096, fill=b"qemu", name="scope-test it's ours")
    path.chmod(0o644)

    def attempt() -> str:
        with opened(path) as region:
            assert region.read(0, 4) == b"qemu"
            assert not region.info.writable
            for write in (lambda: region.write(0, b"x"), lambda: region.store(0, 4, 1)):
                with pytest.raises(ReadOnlyError):
                    write()
            return region.info.read_only_reason

    reason = as_nobody(attempt)
    command = reason.split("mend it with: ")[1].replace("sudo", "echo")
    said = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert said.stdout.rstrip("\n").endswith(str(path))  # quoted, so that it can be pasted
    assert path.read_bytes()[:4] == b"qemu"


def test_read_only_by_choice(shm_file: ShmFile) -> None:
    path = shm_file(4096, fill=b"keep")
    with opened(path, read_only=True) as region:
        with pytest.raises(ReadOnlyError):
            region.write(0, b"x")
        with pytest.raises(ReadOnlyError):
            region.store(0, 1, 1)
        assert region.load(0, 4) == int.from_bytes(b"keep", "little")
        assert path.read_bytes()[:4] == b"keep"


def test_a_program_that_runs_is_read_only(tmp_path: Path) -> None:
    path = tmp_path / "sleep"
    path.write_bytes(Path("/bin/sleep").read_bytes())
    path.chmod(0o755)
    with subprocess.Popen([str(path), "60"]) as child:
        try:
            with opened(path) as region:
                assert not region.info.writable
                assert "program" in region.info.read_only_reason
                assert region.read(1, 3) == b"ELF"
        finally:
            child.kill()


# -- parts, bounds, large offsets --------------------------------------------------------------


def test_a_part_that_starts_at_a_page(shm_file: ShmFile) -> None:
    path = shm_file(65536, fill=bytes(range(251)))
    content = path.read_bytes()
    with opened(path, start=8192, length=10_000) as region:
        assert region.size == 10_000
        assert region.read(0, 10_000) == content[8192:18_192]
        assert region.load(8, 8) == int.from_bytes(content[8200:8208], "little")
        region.write(9_996, b"tail")
        with pytest.raises(OutOfRangeError):
            region.write(9_997, b"tail")
        assert region.extents(0, 10_000) == [(0, 10_000)]
        assert region.grown_to is None
    assert path.read_bytes() == content[:18_188] + b"tail" + content[18_192:]
    with opened(path, start=61_440) as rest:
        assert rest.size == 4096


@pytest.mark.parametrize(
    ("start", "length", "kind"),
    [
        (1, None, MisalignedError),
        (4095, 4096, MisalignedError),
        (-4096, None, OutOfRangeError),
        (65536, None, OutOfRangeError),
        (1 << 40, None, OutOfRangeError),
        (0, 0, OutOfRangeError),
        (0, -1, OutOfRangeError),
        (0, 65537, OutOfRangeError),
        (61_440, 4097, OutOfRangeError),
    ],
)
def test_parts_that_do_not_fit(
    shm_file: ShmFile, start: int, length: int | None, kind: type[ScopeError]
) -> None:
    assert isinstance(_refused(shm_file(65536), start=start, length=length), kind)


@pytest.mark.parametrize(
    ("offset", "length"),
    [(-1, 1), (0, -1), (4096, 1), (4095, 2), (1 << 62, 1), (0, 1 << 50), (1 << 80, 1 << 80)],
)
def test_reading_outside_takes_no_memory_first(shm_file: ShmFile, offset: int, length: int) -> None:
    with opened(shm_file(4096)) as region:
        with pytest.raises(OutOfRangeError) as caught:
            region.read(offset, length)
        assert "0FFF" in caught.value.hint
        if length > 0:
            with pytest.raises(OutOfRangeError):
                region.extents(offset, offset + length)


def test_a_load_takes_the_whole_word_of_the_kernel_and_cuts_it(
    shm_file: ShmFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[int, int]] = []

    def read(fd: int, offset: int, buffer: memoryview) -> None:
        taken.append((offset, buffer.nbytes))
        read_file(fd, offset, buffer)

    monkeypatch.setattr("app.core.backends.shared_file.read_file", read)
    with opened(shm_file(4096 + 4, fill=bytes(range(256)))) as region:
        assert region.load(0x13, 1) == 0x13
        assert region.load(0x16, 2) == 0x1716
        assert region.load(0x24, 4) == 0x27262524
        assert region.load(4096, 4) == 0x03020100, "no word of 8 bytes is there"
    assert taken == [(0x10, 8), (0x10, 8), (0x20, 8), (4096, 4)]


def test_single_accesses_are_aligned(shm_file: ShmFile) -> None:
    with opened(shm_file(4096)) as region:
        for width in (1, 2, 4, 8):
            value = 0xF1E2D3C4B5A69788 & ((1 << 8 * width) - 1)
            region.store(4096 - width, width, value)
            assert region.load(4096 - width, width) == value
            region.store(8, width, -2)
            assert region.load(8, width) == (1 << 8 * width) - 2
            for offset in range(1, width):
                with pytest.raises(MisalignedError):
                    region.load(offset, width)
                with pytest.raises(MisalignedError):
                    region.store(offset, width, 0)
            with pytest.raises(OutOfRangeError):
                region.load(4096, width)
        for width in (0, 3, 16, -8):
            with pytest.raises(MisalignedError):
                region.load(0, width)


def test_offsets_beyond_4_gib_and_no_hole_is_filled_by_looking(shm_file: ShmFile) -> None:
    path = shm_file(0)
    os.truncate(path, 16 * GIB)
    with path.open("r+b") as file:
        file.seek(9 * GIB + 4096)
        file.write(b"far away")
    before = path.stat().st_blocks
    with opened(path) as region:
        assert region.size == 16 * GIB
        assert region.read(9 * GIB + 4096, 8) == b"far away"
        assert region.load(16 * GIB - 8, 8) == 0
        for start in range(0, 16 * GIB, GIB):
            assert not any(region.read(start + 8192, 8192))
        assert region.extents(0, region.size) == [(9 * GIB + 4096, 9 * GIB + 8192)]
        assert region.extents(9 * GIB + 4100, 9 * GIB + 4104) == [(9 * GIB + 4100, 9 * GIB + 4104)]
        assert region.extents(0, 9 * GIB) == []
        assert region.extents(5, 5) == []
        region.check()
        assert path.stat().st_blocks == before
        region.write(15 * GIB + 3, b"written")
        region.store(12 * GIB, 8, 77)
        assert path.stat().st_blocks == before + 2 * 8
    with path.open("rb") as file:
        file.seek(15 * GIB + 3)
        assert file.read(7) == b"written"


# -- what the owner does meanwhile -------------------------------------------------------------


def test_truncation_is_told_and_never_undone_by_writing(shm_file: ShmFile) -> None:
    path = shm_file(65536, fill=b"x")
    with opened(path) as region:
        region.check()
        os.truncate(path, 8192)
        for attempt in (
            region.check,
            lambda: region.read(8000, 1000),
            lambda: region.read(65535, 1),
            lambda: region.load(8192, 8),
            lambda: region.write(8192, b"y"),
            lambda: region.write(0, bytes(65536)),
            lambda: region.store(16384, 4, 7),
        ):
            with pytest.raises(TruncatedError) as caught:
                attempt()
            assert caught.value.hint
            assert path.stat().st_size == 8192
        assert region.read(0, 4) == bytes(4)  # what is left can be read, and was written above
        os.truncate(path, 65536)
        region.check()
        assert region.read(8192, 4) == bytes(4)


def test_growth_is_noticed_and_harmless(shm_file: ShmFile) -> None:
    path = shm_file(8192)
    with opened(path) as region:
        assert region.grown_to is None
        os.truncate(path, 1 << 20)
        region.check()
        assert region.grown_to == 1 << 20
        with pytest.raises(OutOfRangeError):
            region.read(8192, 1)


def test_deletion_and_replacement(shm_file: ShmFile) -> None:
    path = shm_file(8192, fill=b"old")
    with opened(path) as region:
        path.unlink()
        with pytest.raises(DeletedError):
            region.check()
        assert region.read(0, 3) == b"old"  # whoever mapped it still shares it
        path.write_bytes(b"new" * 4096)
        with pytest.raises(ReplacedError):
            region.check()
        region.write(0, b"mine")
        assert path.read_bytes()[:4] == b"newn"


def test_replacement_by_renaming_while_the_old_one_has_another_name(shm_file: ShmFile) -> None:
    path, other = shm_file(8192), shm_file(8192)
    kept = path.with_name(path.name + "-kept")
    try:
        with opened(path) as region:
            region.check()
            os.link(path, kept)
            os.replace(other, path)
            region._path_due_ns = 0
            with pytest.raises(ReplacedError):
                region.check()
    finally:
        kept.unlink()


@pytest.mark.parametrize("read_only", [False, True])
def test_closed_is_closed(shm_file: ShmFile, read_only: bool) -> None:
    region = opened(shm_file(4096), read_only=read_only)
    region.close()
    region.close()
    assert region.closed
    attempts: list[Callable[[], object]] = [
        lambda: region.read(0, 1),
        lambda: region.read(0, 0),
        lambda: region.load(0, 8),
        region.check,
        region.sync,
        lambda: region.extents(0, 4096),
        lambda: region.grown_to,
    ]
    if not read_only:
        attempts += [lambda: region.write(0, b"x"), lambda: region.store(0, 1, 1)]
    for attempt in attempts:
        with pytest.raises(ClosedError):
            attempt()


def test_closing_under_threads_never_touches_anothers_descriptor(shm_file: ShmFile) -> None:
    """A descriptor's number is free again right after close(): nobody may use it then."""
    path, other = shm_file(1 << 20, fill=b"\xaa"), shm_file(1 << 20, fill=b"\x55")
    surprises: list[object] = []

    def hammer(region: SharedFile, go: threading.Event) -> None:
        go.wait()
        try:
            while True:
                if set(region.read(0, 1 << 18)) != {0xAA}:
                    surprises.append("another file's bytes")
                region.write(0, b"\xaa" * 4096)
                region.store(0, 8, 0xAAAAAAAAAAAAAAAA)
                region.check()
                region.extents(0, 4096)
        except ClosedError:
            return
        except BaseException as error:
            surprises.append(error)

    for _ in range(25):
        region, go = opened(path), threading.Event()
        threads = [threading.Thread(target=hammer, args=(region, go)) for _ in range(3)]
        for thread in threads:
            thread.start()
        go.set()
        region.read(0, 1 << 18)
        region.close()
        fds = [os.open(other, os.O_RDWR) for _ in range(4)]
        for thread in threads:
            thread.join()
        for fd in fds:
            os.close(fd)
    assert not surprises
    assert set(other.read_bytes()) == {0x55}
    assert set(path.read_bytes()) == {0xAA}


def test_closing_waits_for_who_is_inside(
    shm_file: ShmFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    region = opened(shm_file(4096, fill=b"whole"))
    inside, go = threading.Event(), threading.Event()
    real, got = os.preadv, []

    def slow(fd: int, buffers: list[memoryview], offset: int) -> int:
        inside.set()
        assert go.wait(10)
        return real(fd, buffers, offset)

    monkeypatch.setattr(os, "preadv", slow)
    reader = threading.Thread(target=lambda: got.append(region.read(0, 5)))
    reader.start()
    assert inside.wait(10)
    closer = threading.Thread(target=region.close)
    closer.start()
    while not region.closed:
        pass
    with pytest.raises(ClosedError):
        region.read(0, 5)
    os.fstat(region._fd)  # still there
    go.set()
    reader.join()
    closer.join()
    assert got == [b"whole"]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(region._fd)


def test_open_and_close_leave_nothing(shm_file: ShmFile) -> None:
    path = shm_file(1 << 20)

    def held() -> tuple[int, int]:
        maps = Path("/proc/self/maps").read_text().count(path.name)
        return len(os.listdir("/proc/self/fd")), maps

    opened(path).close()
    before = held()
    for _ in range(30):
        with opened(path) as region:
            region.read(0, 100)
            region.write(0, b"x")
    assert held() == before


# -- tearing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [2, 4, 8])
def test_loads_are_never_torn(shm_file: ShmFile, width: int) -> None:
    path = shm_file(4096)
    ones = (1 << 8 * width) - 1
    with toggler(path, width), opened(path) as region:
        seen: set[int] = set()
        for _ in range(60):
            seen.update(region.load(64, width) for _ in range(2_000))
    assert seen == {0, ones}


@pytest.mark.parametrize("width", [2, 4, 8])
def test_stores_are_never_torn(shm_file: ShmFile, width: int) -> None:
    path = shm_file(4096)
    ones = (1 << 8 * width) - 1
    stop = threading.Event()
    with opened(path) as region:

        def store() -> None:
            while not stop.is_set():
                region.store(64, width, ones)
                region.store(64, width, 0)

        thread = threading.Thread(target=store)
        thread.start()
        try:
            with path.open("r+b") as file, mmap.mmap(file.fileno(), 4096) as memory:
                words = memoryview(memory).cast({2: "H", 4: "I", 8: "Q"}[width])
                at = 64 // width
                seen: set[int] = set()
                for _ in range(800):
                    seen.update(words[at] for _ in range(4_000))
                words.release()
        finally:
            stop.set()
            thread.join()
    assert seen == {0, ones}


# -- other kinds of file -----------------------------------------------------------------------


def test_a_memfd_by_its_descriptor(shm_file: ShmFile) -> None:
    """How a file without a name is reached: by another process's descriptor."""
    fd = os.memfd_create("scope-test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(fd, 8192)
        path = f"/proc/{os.getpid()}/fd/{fd}"
        with opened(path) as region:
            region.write(0, b"here")
            region.check()  # it never had a name: not having one is no news
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
            with pytest.raises(PermissionError):
                os.ftruncate(fd, 4096)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
        with opened(path) as region:
            assert region.read(0, 4) == b"here"
            assert "sealed" in region.info.read_only_reason
            with pytest.raises(ReadOnlyError):
                region.write(0, b"x")
    finally:
        os.close(fd)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_file_system_is_told_as_that(small_disk: Path) -> None:
    path = small_disk / "region"
    path.touch()
    os.truncate(path, 1 << 20)
    with opened(path) as region:
        region.write(0, b"fits")
        with pytest.raises(StorageError) as caught:
            region.write(0, bytes(1 << 20))
        assert str(small_disk) in caught.value.hint
        assert region.read(0, 4) == bytes(4)
        assert not any(region.read(1 << 19, 1 << 19))  # holes are still read
        region.check()


def test_huge_pages(tmp_path: Path) -> None:
    count = Path("/proc/sys/vm/nr_hugepages")
    place = tmp_path / "huge"
    place.mkdir()
    mount = ["mount", "-t", "hugetlbfs", "-o", "pagesize=2M", "none", str(place)]
    if not count.exists() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("hugetlbfs cannot be mounted here")
    before = count.read_text()
    try:
        count.write_text(str(int(before) + 2))
        if int(count.read_text()) < int(before) + 2:
            pytest.skip("the kernel gives no huge pages")
        path = place / "region"
        path.touch()
        os.truncate(path, 4 << 20)
        maps = Path("/proc/self/maps").read_text().count(str(path))
        with opened(path, length=8192) as part:  # a part smaller than one huge page
            part.write(0, b"huge")
            assert part.read(0, 4) == b"huge"
        with opened(path) as region:
            assert region.size == 4 << 20
            region.store((4 << 20) - 8, 8, 5)
            assert region.load((4 << 20) - 8, 8) == 5
            region.check()
            os.truncate(path, 2 << 20)
            with pytest.raises(RegionGoneError):
                region.write(2 << 20, b"x")
            with pytest.raises(RegionGoneError):
                region.read(2 << 20, 1)
        assert Path("/proc/self/maps").read_text().count(str(path)) == maps
        path.unlink()
    except OSError as error:
        pytest.skip(f"huge pages cannot be set up here: {error}")
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
        count.write_text(before)


# -- from a person's words to a spec -----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("/dev/shm/looking-glass", RegionKind.FILE),
        ("relative-file", RegionKind.FILE),
        ("/dev/kvmfr0", RegionKind.KVMFR),
        ("/dev/kvmfrX", RegionKind.FILE),
        ("0000:08:01.0", RegionKind.BAR),
        ("8:1.0", RegionKind.BAR),
        ("PCI bus 8, device 1, function 0", RegionKind.BAR),
        (r"\\?\pci#ven_1af4&dev_1110#1#{df576976}", RegionKind.WINDOWS),
    ],
)
def test_what_is_named_is_understood(text: str, kind: RegionKind) -> None:
    assert spec_for(text).kind is kind


@pytest.mark.parametrize("text", ["/dev/shm/looking-glass", "relative-file", "/dev/kvmfr0"])
def test_a_path_is_taken_as_it_was_typed(text: str) -> None:
    """A blank at its end is another file's name."""
    spec = spec_for(f"{text} ")
    assert (spec.kind, spec.location) == (RegionKind.FILE, f"{text} ")


@pytest.mark.parametrize("text", ["8:1.0", "PCI bus 8, device 1, function 0"])
def test_blanks_around_an_address_mean_nothing(text: str) -> None:
    assert spec_for(f" {text} ") == RegionSpec(RegionKind.BAR, "0000:08:01.0")


def test_nothing_named_is_refused() -> None:
    with pytest.raises(CannotFindError):
        spec_for("  ")
