"""Fill, load, save, copy and signals: whole or undoable, never half a file."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.backends.open_region import open_region
from app.core.errors import (
    CancelledError,
    CannotFindError,
    LockedError,
    OutOfRangeError,
    ReadOnlyError,
    ScopeError,
    StorageError,
    TruncatedError,
    UnsuitableError,
    ValueFormatError,
)
from app.core.region.region import Region, RegionKind, RegionSpec
from app.core.write import bulk_writes
from app.core.write.bulk_writes import CHUNK
from app.core.write.journal import Journal
from app.core.write.patterns import BytePattern, IncrementPattern, RandomPattern, Repeat
from app.core.write.record import WriteOutcome
from app.core.write.test_signals import Repeaters

ShmFile = Callable[..., Path]
SIZE = 4 * CHUNK + 12_345


class Bench:
    """A region, its journal, and callbacks that count and cancel."""

    def __init__(self, path: Path, region: Region) -> None:
        self.path = path
        self.region = region
        self.journal = Journal(region)
        self.journal.set_locked(False)
        self.steps: list[tuple[int, int]] = []
        self.stop_after = 1 << 60

    def watch(self) -> dict[str, Any]:
        def progress(done: int, total: int) -> None:
            self.steps.append((done, total))

        return {"progress": progress, "cancelled": lambda: len(self.steps) >= self.stop_after}

    def fill(self, start: int, length: int, value: int = 7) -> Any:
        return bulk_writes.fill(
            self.journal, self.region, start, length, BytePattern(value), **self.watch()
        )

    def load(self, path: Path | str, start: int = 0, *more: Any) -> Any:
        return bulk_writes.load_file(
            self.journal, self.region, str(path), start, *more, **self.watch()
        )

    def save(self, path: Path | str, start: int = 0, length: int = SIZE) -> int:
        return bulk_writes.save_file(self.region, str(path), start, length, **self.watch())

    def copy(self, source: int, target: int, length: int) -> Any:
        return bulk_writes.copy_range(
            self.journal, self.region, source, target, length, **self.watch()
        )

    @property
    def bytes(self) -> bytes:
        return self.path.read_bytes()


@pytest.fixture
def bench(shm_file: ShmFile) -> Iterator[Bench]:
    path = shm_file(SIZE)
    with path.open("r+b") as file:
        file.write(RandomPattern(3).chunk(0, SIZE))
    with open_region(RegionSpec(RegionKind.FILE, str(path))) as region:
        bench = Bench(path, region)
        yield bench
        bench.journal.close()


# -- fill --------------------------------------------------------------------------------------


def test_a_fill_is_exact_counted_and_taken_back_at_once(bench: Bench) -> None:
    before = bench.bytes
    record = bench.fill(5, SIZE - 10)
    assert bench.bytes == before[:5] + b"\7" * (SIZE - 10) + before[-5:]
    assert (record.offset, record.length, record.outcome) == (5, SIZE - 10, WriteOutcome.WHOLE)
    assert bench.steps[-1] == (SIZE - 10, SIZE - 10)
    assert len(bench.steps) == 5
    bench.journal.undo()
    assert bench.bytes == before
    bench.journal.redo()
    assert bench.bytes[5:-5] == b"\7" * (SIZE - 10)


def test_a_pattern_goes_on_across_chunks(bench: Bench) -> None:
    pattern = IncrementPattern(0, 1, 4)
    bulk_writes.fill(bench.journal, bench.region, 3, SIZE - 3, pattern, **bench.watch())
    assert bench.bytes[3:] == pattern.chunk(0, SIZE - 3)


def test_a_fill_that_is_stopped_leaves_one_step_back(bench: Bench) -> None:
    before = bench.bytes
    bench.stop_after = 2
    with pytest.raises(CancelledError) as caught:
        bench.fill(0, SIZE)
    assert "2 MiB" in caught.value.message
    assert "Undo" in caught.value.hint
    assert bench.bytes == b"\7" * (2 * CHUNK) + before[2 * CHUNK :]
    assert [record.outcome for record in bench.journal.records()] == [WriteOutcome.PART]
    bench.journal.undo()
    assert bench.bytes == before


def test_stopped_before_it_began(bench: Bench) -> None:
    before = bench.bytes
    bench.stop_after = 0
    with pytest.raises(CancelledError) as caught:
        bench.fill(0, SIZE)
    assert not caught.value.hint
    assert bench.journal.count == 0
    assert bench.bytes == before


def test_a_fill_of_a_file_that_is_cut_meanwhile(bench: Bench) -> None:
    def progress(_done: int, _total: int) -> None:
        os.truncate(bench.path, CHUNK + 4096)

    with pytest.raises(TruncatedError):
        bulk_writes.fill(
            bench.journal,
            bench.region,
            0,
            SIZE,
            BytePattern(7),
            progress=progress,
            cancelled=lambda: False,
        )
    assert bench.path.stat().st_size == CHUNK + 4096
    assert bench.journal.records()[-1].outcome is WriteOutcome.PART


@pytest.mark.parametrize(
    ("start", "length"), [(0, 0), (0, -1), (-1, 5), (SIZE, 1), (SIZE - 1, 2), (0, 1 << 60)]
)
def test_what_does_not_fit_writes_nothing(bench: Bench, start: int, length: int) -> None:
    before = bench.bytes
    for attempt in (
        lambda: bench.fill(start, length),
        lambda: bench.copy(start, 0, length),
        lambda: bench.copy(0, start, length),
        lambda: bench.save(bench.path.with_name("never"), start, length),
    ):
        with pytest.raises(OutOfRangeError):
            attempt()
    assert bench.bytes == before
    assert bench.journal.count == 0
    assert not bench.path.with_name("never").exists()


def test_locked_and_read_only_write_nothing(bench: Bench, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"new")
    bench.journal.set_locked(True)
    attempts: list[Callable[[], object]] = [
        lambda: bench.fill(0, 1),
        lambda: bench.load(source),
        lambda: bench.copy(0, 10, 5),
        lambda: Repeaters(bench.journal, bench.region).start(Repeat(0)),
    ]
    for attempt in attempts:
        with pytest.raises(LockedError):
            attempt()
    spec = RegionSpec(RegionKind.FILE, str(bench.path), read_only=True)
    with open_region(spec) as bench.region:
        bench.journal = Journal(bench.region)
        bench.journal.set_locked(False)
        for attempt in attempts:
            with pytest.raises(ReadOnlyError):
                attempt()
        assert bench.save(tmp_path / "out", 0, 10) == 10  # saving needs no writing


# -- copy --------------------------------------------------------------------------------------


@pytest.mark.parametrize("distance", [1, 4096, CHUNK, CHUNK + 3, 2 * CHUNK])
@pytest.mark.parametrize("up", [False, True])
def test_overlapping_copies(bench: Bench, distance: int, up: bool) -> None:
    before = bytearray(bench.bytes)
    length = SIZE - distance
    source, target = (0, distance) if up else (distance, 0)
    record = bench.copy(source, target, length)
    assert (record.offset, record.length) == (target, length)
    expected = bytearray(before)
    expected[target : target + length] = before[source : source + length]
    assert bench.bytes == expected
    assert [done for done, _ in bench.steps] == sorted(done for done, _ in bench.steps)
    bench.journal.undo()
    assert bench.bytes == before


def test_a_copy_that_is_stopped(bench: Bench) -> None:
    before = bench.bytes
    bench.stop_after = 1
    with pytest.raises(CancelledError):
        bench.copy(0, 100, SIZE - 100)
    bench.journal.undo()
    assert bench.bytes == before


# -- load --------------------------------------------------------------------------------------


def test_loading(bench: Bench, tmp_path: Path) -> None:
    source = tmp_path / "Größe.bin"
    data = RandomPattern(9).chunk(0, CHUNK + 77)
    source.write_bytes(data)
    before = bench.bytes
    record = bench.load(source, 1000)
    assert bench.bytes == before[:1000] + data + before[1000 + len(data) :]
    assert "Größe" in record.label
    bench.journal.undo()
    bench.load(source, 0, 10, 5)
    assert bench.bytes == data[5:15] + before[10:]
    bench.journal.undo()
    bench.load(source, SIZE - len(data))  # just fits
    bench.journal.undo()
    with pytest.raises(OutOfRangeError) as caught:
        bench.load(source, SIZE - len(data) + 1)
    assert "room" in caught.value.hint
    assert bench.bytes == before


def test_files_that_cannot_be_loaded(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "short").write_bytes(b"12345")
    os.mkfifo(tmp_path / "pipe")
    link = tmp_path / "link"
    link.symlink_to(bench.path)
    cases: list[tuple[object, type[ScopeError], tuple[Any, ...]]] = [
        (tmp_path / "none", CannotFindError, ()),
        ("a\0b", CannotFindError, ()),
        (tmp_path, UnsuitableError, ()),
        (tmp_path / "empty", UnsuitableError, ()),
        (tmp_path / "pipe", UnsuitableError, ()),  # and does not wait for a writer
        ("/dev/zero", UnsuitableError, ()),
        (bench.path, UnsuitableError, ()),
        (link, UnsuitableError, ()),
        (tmp_path / "short", OutOfRangeError, (6,)),
        (tmp_path / "short", OutOfRangeError, (5, 1)),
        (tmp_path / "short", OutOfRangeError, (-1,)),
        (tmp_path / "short", UnsuitableError, (None, 5)),
        (tmp_path / "short", UnsuitableError, (None, 99)),
        (tmp_path / "short", UnsuitableError, (None, -1)),
    ]
    before = bench.bytes
    for path, kind, more in cases:
        with pytest.raises(ScopeError) as caught:
            bench.load(str(path), 0, *more)
        assert isinstance(caught.value, kind), (path, more, caught.value)
    assert bench.bytes == before
    assert bench.journal.count == 0


def test_a_file_that_shrinks_while_it_is_loaded(bench: Bench, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(3 * CHUNK))
    before = bench.bytes
    with pytest.raises(StorageError):
        bulk_writes.load_file(
            bench.journal,
            bench.region,
            str(source),
            0,
            progress=lambda *_: os.truncate(source, CHUNK + 5),
            cancelled=lambda: False,
        )
    bench.journal.undo()
    assert bench.bytes == before


# -- save --------------------------------------------------------------------------------------


def leftovers(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def test_saving_leaves_the_umask_alone(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: list[int] = []  # a change that lasts a moment cannot be seen from outside
    monkeypatch.setattr(os, "umask", changes.append)
    bench.save(tmp_path / "out", 0, 5)
    assert changes == []


def test_saving(bench: Bench, tmp_path: Path) -> None:
    target = tmp_path / "out"
    assert bench.save(target, 10, SIZE - 20) == SIZE - 20
    assert target.read_bytes() == bench.bytes[10:-10]
    umask = os.umask(0o027)
    try:
        bench.save(tmp_path / "new", 0, 5)
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    (tmp_path / "new").unlink()
    target.chmod(0o640)
    bench.save(target, 0, 5)
    assert target.read_bytes() == bench.bytes[:5]
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert leftovers(tmp_path) == ["out"]


@pytest.mark.parametrize("name", ["n" * 255, "ü" * 127, "😀" * 63, "名" * 85, " ", "-rf", ".x"])
def test_names_up_to_the_longest(bench: Bench, tmp_path: Path, name: str) -> None:
    bench.save(tmp_path / name, 0, 5)
    assert leftovers(tmp_path) == [name]


def test_a_link_stays_a_link(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    bench.save(tmp_path / "link", 0, 5)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == bench.bytes[:5]


def test_places_that_cannot_be_saved_to(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "self").symlink_to(bench.path)
    before = bench.bytes
    for path in (
        tmp_path,
        tmp_path / "no" / "folder",
        "a\0b",
        tmp_path / ("n" * 256),
        bench.path,
        tmp_path / "self",
        tmp_path / "loop",
        "/proc/never",
    ):
        with pytest.raises(StorageError):
            bench.save(str(path), 0, 5)
    assert bench.bytes == before
    assert bench.path.is_file()
    assert leftovers(tmp_path) == ["loop", "self"]


def test_a_device_is_written_into_and_never_replaced(bench: Bench) -> None:
    assert bench.save("/dev/null", 0, SIZE) == SIZE
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_save_that_is_stopped_keeps_the_old_file(bench: Bench, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old")
    bench.stop_after = 2
    with pytest.raises(CancelledError):
        bench.save(target)
    assert target.read_bytes() == b"old"
    assert leftovers(tmp_path) == ["out"]


def test_a_region_that_goes_while_it_is_saved(bench: Bench, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old")
    with pytest.raises(TruncatedError):
        bulk_writes.save_file(
            bench.region,
            str(target),
            0,
            SIZE,
            progress=lambda *_: os.truncate(bench.path, 4096),
            cancelled=lambda: False,
        )
    assert target.read_bytes() == b"old"
    assert leftovers(tmp_path) == ["out"]


def test_a_limit_on_file_sizes_keeps_the_old_file(bench: Bench, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (CHUNK + 1000, limits[1]))
    try:
        with pytest.raises(StorageError) as caught:
            bench.save(target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "unchanged" in caught.value.message
    assert target.read_bytes() == b"old"
    assert leftovers(tmp_path) == ["out"]


def test_a_full_disk_keeps_the_old_file(bench: Bench, tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        target = tmp_path / "out"
        target.write_bytes(b"old")
        with pytest.raises(StorageError) as caught:
            bench.save(target)
        assert "the disk is full" in caught.value.message
        assert target.read_bytes() == b"old"
        assert leftovers(tmp_path) == ["out"]
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


# -- signals -----------------------------------------------------------------------------------


def until(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture
def signals(bench: Bench) -> Iterator[Repeaters]:
    signals = Repeaters(bench.journal, bench.region)
    yield signals
    signals.stop_all()


def test_signals_run_tell_their_rate_and_end_in_one_entry(bench: Bench, signals: Repeaters) -> None:
    before = bench.bytes
    counter = signals.start(Repeat(64, "u32", high=1e9, interval_ns=1_000_000))
    toggle = signals.start(Repeat(128, "u8", wave="toggle", low=3, high=4, interval_ns=500_000))
    sine = signals.start(Repeat(256, "f64", wave="sine", low=-1, high=1, interval_ns=2_000_000))
    assert len({counter, toggle, sine}) == 3
    until(lambda: all(state.writes > 100 for state in signals.states()))
    for state in signals.states():
        assert 0 < state.rate_hz < 1.3 * state.asked_hz
        assert state.error is None
        assert len(state.last) == state.repeat.width
    assert bench.journal.count == 0
    written = signals.states()[0].writes
    record = signals.stop(counter)
    assert record is not None
    assert record.old == before[64:68]
    last = int.from_bytes(bench.bytes[64:68], "little")
    assert last >= written - 1
    assert record.new == last.to_bytes(4, "little")
    assert signals.stop(counter) is None
    assert [state.number for state in signals.states()] == [toggle, sine]
    assert bench.bytes[128] in (3, 4)
    signals.stop_all()
    assert signals.states() == ()
    assert bench.journal.count == 3
    for _ in range(3):
        bench.journal.undo()
    assert bench.bytes == before


def test_locking_stops_signals_at_once(bench: Bench, signals: Repeaters) -> None:
    signals.start(Repeat(0, "u64", high=1e9, interval_ns=200_000))
    until(lambda: signals.states()[0].writes > 10)
    bench.journal.set_locked(True)
    until(lambda: signals.states()[0].error is not None)
    state = signals.states()[0]
    assert isinstance(state.error, LockedError)
    assert state.rate_hz == 0
    now = bench.bytes[:8]
    assert threading.active_count() == 1
    assert bench.bytes[:8] == now
    assert signals.stop(state.number) is not None
    bench.journal.set_locked(False)
    bench.journal.undo()


def test_a_signal_on_a_file_that_is_cut(bench: Bench, signals: Repeaters) -> None:
    signals.start(Repeat(SIZE // 8 * 8 - 8, "u64", interval_ns=200_000))
    until(lambda: signals.states()[0].writes > 10)
    os.truncate(bench.path, 4096)
    until(lambda: signals.states()[0].error is not None)
    assert isinstance(signals.states()[0].error, TruncatedError)
    signals.stop_all()
    assert bench.path.stat().st_size == 4096


@pytest.mark.parametrize(
    ("repeat", "kind"),
    [
        (Repeat(0, interval_ns=0), ValueFormatError),
        (Repeat(0, interval_ns=99_999), ValueFormatError),
        (Repeat(-4), OutOfRangeError),
        (Repeat(SIZE), OutOfRangeError),
        (Repeat(SIZE - 7, "u64"), OutOfRangeError),
    ],
)
def test_signals_that_are_refused(
    signals: Repeaters, repeat: Repeat, kind: type[ScopeError]
) -> None:
    with pytest.raises(kind):
        signals.start(repeat)
    assert signals.states() == ()
