"""Laying a lane over other bytes, and putting those back, whatever happens in between."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from app.core.errors import (
    CancelledError,
    LaneError,
    LaneLostError,
    LaneVersionError,
    MemoryInUseError,
    StorageError,
)
from app.core.measure.lane import hold as hold_module
from app.core.measure.lane import restore
from app.core.measure.lane.hold import (
    RestoreOutcome,
    acquire_lane,
    bytes_there,
    create_lane,
    give_back,
    unrestored,
)
from app.core.measure.lane.layout import (
    CLOSING,
    MAGIC,
    OPEN,
    STATE_AT,
    ByteRange,
    Lane,
    Side,
    build_head,
)
from app.core.measure.lane.peer_card import own_card
from app.core.measure.lane.placement import find_lane, place_lane
from app.core.measure.lane.presence import SlotClaim
from app.core.measure.lane.restore import write_lane
from app.core.measure.lane.saved_bytes import SavedBytes, SavedHeader, saved_bytes_files
from app.core.region.region import Region
from tests.core.measure.peer_programs import ROOT, opened

MakeFile = Callable[..., Path]
SIZE = 1 << 20

# Lays a lane, writes into its data as a test does, says so, and waits to be killed.
LAYER = """
import sys, time
from pathlib import Path
from app.core.backends.open_region import open_region, spec_for
from app.core.measure.lane.peer_card import own_card
from app.core.measure.lane.hold import acquire_lane
from app.core.measure.lane.layout import Side
from app.core.measure.lane.presence import SlotClaim
region = open_region(spec_for(sys.argv[1]))
hold = acquire_lane(region, folder=Path(sys.argv[2]))
claim = SlotClaim.take(region, hold.lane, hold.lane.slot(0), Side.RESPONDER, own_card(region.info))
claim.touch(4096)
region.write(hold.lane.slot(0).data(Side.RESPONDER).offset, b"x" * 4096)
print("laid", flush=True)
time.sleep(60)
"""


@pytest.fixture
def filled(shm_file: MakeFile) -> Path:
    """A file with something in every byte."""
    path = shm_file(SIZE)
    path.write_bytes(random.Random(4).randbytes(SIZE))
    return path


@contextmanager
def writer(region: Region, offset: int) -> Iterator[None]:
    """Somebody who keeps changing a byte."""
    stop = threading.Event()

    def work() -> None:
        value = 0
        while not stop.wait(0.002):
            value += 1
            region.write(offset, bytes([value & 255]))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def take(region: Region, lane: Lane, side: Side = Side.RESPONDER, slot: int = 0) -> SlotClaim:
    return SlotClaim.take(region, lane, lane.slot(slot), side, own_card(region.info))


def test_the_bytes_are_back_afterwards(filled: Path, tmp_path: Path) -> None:
    before = filled.read_bytes()
    with opened(filled) as region:
        hold = acquire_lane(region, folder=tmp_path)
        assert find_lane(region) == hold.lane
        for side in Side:
            claim = take(region, hold.lane, side, slot=1)
            claim.touch(8192)
            region.write(hold.lane.slot(1).data(side).offset, bytes(8192))
            claim.leave()
        assert filled.read_bytes() != before
        assert hold.close() is hold.close() is RestoreOutcome.RESTORED
    assert filled.read_bytes() == before
    assert not list(tmp_path.iterdir())


def test_only_what_was_touched_is_written_back(filled: Path, tmp_path: Path) -> None:
    with opened(filled) as region:
        hold = acquire_lane(region, folder=tmp_path)
        data = hold.lane.slot(0).data(Side.INITIATOR)
        claim = take(region, hold.lane, Side.INITIATOR)
        claim.touch(64)
        region.write(data.offset, b"ours" * 16)
        region.write(data.offset + 5000, b"a peer's own business")
        claim.leave()
        hold.close()
        assert region.read(data.offset + 5000, 21) == b"a peer's own business"


def test_a_sparse_file_stays_sparse_where_no_lane_was(shm_file: MakeFile, tmp_path: Path) -> None:
    path = shm_file(64 << 20)
    with opened(path) as region, acquire_lane(region, folder=tmp_path) as hold:
        assert hold.saved is not None
        assert hold.saved.path.stat().st_size < 64 << 10
    assert path.stat().st_blocks * 512 <= 6 * 4096
    assert not any(path.read_bytes()[-(4 << 20) :])


def test_the_lane_that_is_there_is_used_and_left(filled: Path, tmp_path: Path) -> None:
    with opened(filled) as region, acquire_lane(region, 65536, 65536, folder=tmp_path) as first:
        second = acquire_lane(region, folder=tmp_path / "other")
        assert second.lane == first.lane
        assert second.saved is None
        assert second.close() is RestoreOutcome.NOTHING_OWED
        assert find_lane(region) == first.lane
        with pytest.raises(LaneError, match="already"):
            acquire_lane(region, 65536 + 4096, 65536, folder=tmp_path)


def test_changing_bytes_are_refused_by_name_unless_forced(
    shm_file: MakeFile, tmp_path: Path
) -> None:
    path = shm_file(SIZE)
    with opened(path) as region:
        region.write(0, b"LGMP" + (8).to_bytes(4, "little"))
        place = place_lane(region)
        with writer(region, place.offset + 5000):
            assert bytes_there(region, place.span).changing
            with pytest.raises(MemoryInUseError, match="LGMP, version 8"):
                acquire_lane(region, folder=tmp_path)
            assert find_lane(region) is None
            assert not list(tmp_path.iterdir())
            with acquire_lane(region, folder=tmp_path, force=True) as hold:
                assert find_lane(region) == hold.lane


def test_quiet_bytes_are_told_apart(shm_file: MakeFile) -> None:
    with opened(shm_file(SIZE)) as region:
        there = bytes_there(region, ByteRange(0, SIZE))
        assert (there.changing, there.empty, there.responder) == (False, True, "")
        region.write(0, b"hello, neighbours\n")
        there = bytes_there(region, ByteRange(0, SIZE))
        assert (there.changing, there.empty) == (False, False)
        assert "text" in there.responder


def test_a_peer_that_stays_keeps_the_lane(filled: Path, tmp_path: Path) -> None:
    before = filled.read_bytes()
    with opened(filled) as region:
        hold = acquire_lane(region, folder=tmp_path)
        claim = take(region, hold.lane)
        stop = threading.Event()

        def beat() -> None:
            while not stop.wait(0.02):
                claim.beat()

        thread = threading.Thread(target=beat)
        thread.start()
        try:
            assert hold.close() is RestoreOutcome.KEPT
        finally:
            stop.set()
            thread.join()
        assert find_lane(region) == hold.lane
        assert region.load(hold.lane.offset + STATE_AT, 8) != CLOSING
        claim.leave()
        assert hold.saved is not None
        assert acquire_lane(region, folder=tmp_path).lane == hold.lane  # our process lives: no debt
        again = SavedBytes.load(hold.saved.path)
        assert again is not None
        assert give_back(region, again) is RestoreOutcome.RESTORED
    assert filled.read_bytes() == before


def test_a_peer_that_is_silent_is_waited_for(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be frozen in the middle of a loop, which goes on where it was."""
    before = filled.read_bytes()
    with opened(filled) as region:
        hold = acquire_lane(region, folder=tmp_path)
        claim = take(region, hold.lane)
        claim.touch(64)
        steps = iter(range(100))

        def wakes_after_two_seconds(seconds: float) -> None:
            if next(steps) == int(2 / seconds):
                region.write(claim.slot.data(Side.RESPONDER).offset, b"late" * 16)
                claim.leave()

        monkeypatch.setattr(restore, "time", SimpleNamespace(sleep=wakes_after_two_seconds))
        assert hold.close() is RestoreOutcome.RESTORED
        assert next(steps) > 40
    assert filled.read_bytes() == before


def test_a_lane_that_was_written_over_is_left_alone(filled: Path, tmp_path: Path) -> None:
    with opened(filled) as region:
        hold = acquire_lane(region, folder=tmp_path)
        region.write(hold.lane.offset, b"somebody else's bytes " * 10)
        now = filled.read_bytes()
        assert hold.close() is RestoreOutcome.CHANGED
        assert filled.read_bytes() == now
        assert hold.saved is not None
        assert hold.saved.path.exists()  # the person may still want them


def test_the_region_may_go_meanwhile(filled: Path, tmp_path: Path) -> None:
    with opened(filled) as region:
        hold = acquire_lane(region, folder=tmp_path)
        os.truncate(filled, 4096)
        assert hold.close() is RestoreOutcome.GONE
    assert not list(tmp_path.iterdir())


def killed_layer(path: Path, folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LAYER, str(path), str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "laid\n"
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_after_a_crash_the_next_one_takes_the_lane_and_its_debt(
    filled: Path, tmp_path: Path
) -> None:
    before = filled.read_bytes()
    killed_layer(filled, tmp_path)
    assert filled.read_bytes() != before
    assert len(saved_bytes_files(tmp_path)) == 1
    with opened(filled) as region:
        hold = acquire_lane(region, folder=tmp_path)
        assert hold.saved is not None
        assert not saved_bytes_files(tmp_path)  # it is ours now
        assert hold.close() is RestoreOutcome.RESTORED
    assert filled.read_bytes() == before
    assert not list(tmp_path.iterdir())


def test_a_debt_can_be_paid_without_a_new_test(filled: Path, tmp_path: Path) -> None:
    before = filled.read_bytes()
    killed_layer(filled, tmp_path)
    with opened(filled) as region:
        (debt,) = unrestored(region, tmp_path)
        assert give_back(region, debt) is RestoreOutcome.RESTORED
        assert not unrestored(region, tmp_path)
    assert filled.read_bytes() == before


def test_debts_are_of_one_file_not_of_a_name(filled: Path, tmp_path: Path) -> None:
    killed_layer(filled, tmp_path)
    (debt,) = saved_bytes_files(tmp_path)
    content = filled.read_bytes()
    filled.unlink()
    filled.write_bytes(content)
    with opened(filled) as region:
        assert not debt.header.belongs_to(region.info)
        assert acquire_lane(region, folder=tmp_path).saved is None


def test_nothing_is_written_when_nothing_can_be_kept(filled: Path, tmp_path: Path) -> None:
    before = filled.read_bytes()
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with opened(filled) as region, pytest.raises(StorageError, match="nothing was written"):
        acquire_lane(region, folder=blocked / "lanes")
    assert filled.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"{}\n", b"\xff\xfe", b'{"format": 9}\n', b"[1]\n"])
def test_files_that_are_no_saved_bytes_are_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "0.lane").write_bytes(content)
    assert saved_bytes_files(tmp_path) == []


def test_saved_bytes_that_are_spoiled_are_an_error(filled: Path, tmp_path: Path) -> None:
    with opened(filled) as region:
        saved = SavedBytes.save(region, place_lane(region), tmp_path)
        head = saved.path.read_bytes().split(b"\n")[0]
        saved.path.write_bytes(head + b"\nnot zlib")
        with pytest.raises(StorageError, match="cannot be read"):
            saved.data()


def test_a_lane_of_another_version_is_not_touched(filled: Path, tmp_path: Path) -> None:
    import struct
    import zlib

    body = b"IVSCLANE" + struct.pack("<6Q", 9, 0, 65536, 1, 61440, 7)
    with opened(filled) as region:
        region.write(131072, body + struct.pack("<Q", zlib.crc32(body)))
        before = filled.read_bytes()
        with pytest.raises(LaneVersionError, match="version 9"):
            acquire_lane(region, folder=tmp_path)
    assert filled.read_bytes() == before


def test_two_that_lay_at_once_end_in_one_lane(filled: Path, tmp_path: Path) -> None:
    before = filled.read_bytes()
    with opened(filled) as one, opened(filled) as other:
        place = place_lane(one)
        first = create_lane(one, place, tmp_path / "one", sleep=lambda s: None)
        second = create_lane(other, place_lane(other), tmp_path / "other")
        assert second.lane == first.lane
        assert second.saved is None
        second.close()
        assert first.close() is RestoreOutcome.RESTORED
    assert filled.read_bytes() == before


# -- killed between two writes --------------------------------------------------------------------


class Killed(BaseException):
    """What is not caught: SIGKILL."""


class Mortal:
    """A region whose user is killed before one of its writes."""

    def __init__(self, region: Region, lives: int) -> None:
        self._region = region
        self.lives = lives

    def _live(self) -> None:
        self.lives -= 1
        if self.lives < 0:
            raise Killed

    def store(self, offset: int, width: int, value: int) -> None:
        self._live()
        self._region.store(offset, width, value)

    def write(self, offset: int, data: bytes) -> None:
        self._live()
        self._region.write(offset, data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._region, name)


@pytest.fixture
def everybody_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever saved bytes is no more, though it was we."""
    monkeypatch.setattr(SavedHeader, "orphaned", property(lambda header: True))


@pytest.mark.usefixtures("everybody_dead")
@pytest.mark.parametrize("fill", [0, 0xA5])
def test_whoever_is_killed_while_it_lays_the_lane_has_lost_nothing(
    shm_file: MakeFile, tmp_path: Path, fill: int
) -> None:
    path = shm_file(SIZE, fill=bytes([fill]))
    with opened(path) as region:
        place = place_lane(region, slots=1)
        mortal = Mortal(region, 0)
        for lives in range(7):
            mortal = Mortal(region, lives)
            saved = SavedBytes.save(region, place, tmp_path)
            with suppress(Killed):
                write_lane(mortal, place)  # type: ignore[arg-type]
            assert give_back(region, saved) is RestoreOutcome.RESTORED
            assert path.read_bytes() == bytes([fill]) * SIZE
            assert not saved_bytes_files(tmp_path)
        assert mortal.lives > 0  # all writes were tried


@pytest.mark.usefixtures("everybody_dead")
@pytest.mark.parametrize("fill", [0, 0xA5])
def test_whoever_is_killed_while_it_puts_back_has_lost_nothing(
    shm_file: MakeFile, tmp_path: Path, fill: int
) -> None:
    path = shm_file(SIZE, fill=bytes([fill]))
    with opened(path) as region:
        mortal = Mortal(region, 0)
        for lives in range(10):
            hold = create_lane(region, place_lane(region, slots=1), tmp_path, lambda s: None)
            claim = take(region, hold.lane)
            claim.touch(8192)
            region.write(claim.slot.data(Side.RESPONDER).offset, b"y" * 8192)
            claim.leave()
            assert hold.saved is not None
            mortal = Mortal(region, lives)
            with suppress(Killed):
                give_back(mortal, hold.saved)  # type: ignore[arg-type]
            for debt in unrestored(region, tmp_path):
                assert give_back(region, debt) is RestoreOutcome.RESTORED
            assert path.read_bytes() == bytes([fill]) * SIZE
            assert not saved_bytes_files(tmp_path)
        assert mortal.lives > 0


def test_two_that_find_one_debt_share_it_not(filled: Path, tmp_path: Path) -> None:
    killed_layer(filled, tmp_path)
    one, other = saved_bytes_files(tmp_path) * 2
    taken = one.adopt()
    assert taken is not None
    assert other.adopt() is None
    assert [path.name for path in tmp_path.iterdir()] == [taken.path.name]
    assert taken.data() == SavedBytes.load(taken.path).data()  # type: ignore[union-attr]


def test_a_layer_that_was_killed_while_it_closed_left_a_lane_to_use(
    filled: Path, tmp_path: Path
) -> None:
    before = filled.read_bytes()
    killed_layer(filled, tmp_path)
    with opened(filled) as region:
        lane = find_lane(region)
        assert lane is not None
        region.store(lane.offset + STATE_AT, 8, CLOSING)
        with acquire_lane(region, folder=tmp_path, sleep=lambda s: None) as hold:
            assert hold.lane == lane
            assert region.load(lane.offset + STATE_AT, 8) == OPEN
    assert filled.read_bytes() == before


def test_nobody_sits_down_in_a_lane_that_goes(filled: Path, tmp_path: Path) -> None:
    """What it would write over is back, or will be in a moment."""
    before = filled.read_bytes()
    with opened(filled) as region:
        hold = acquire_lane(region, folder=tmp_path)
        region.store(hold.lane.offset + STATE_AT, 8, CLOSING)
        with pytest.raises(LaneLostError, match="being taken away"):
            take(region, hold.lane)
        hold.close()
        region.store(hold.lane.slot(0).offset, 8, 0)  # as if the side were free
        with pytest.raises(LaneLostError, match="gone"):
            take(region, hold.lane)
        region.write(hold.lane.slot(0).offset, before[hold.lane.slot(0).offset :][:8])
    assert filled.read_bytes() == before


def test_a_lane_that_is_half_laid_is_waited_for(filled: Path, tmp_path: Path) -> None:
    """Two on both sides of a guest: the second must not save what the first has half written."""
    with opened(filled) as region:
        place, quick = place_lane(region), place_lane(region)
        head = build_head(quick)
        region.write(quick.offset, bytes(8) + head[8:])

        def the_other_goes_on(seconds: float) -> None:
            region.store(quick.offset, 8, int.from_bytes(MAGIC, "little"))

        hold = create_lane(region, place, tmp_path, the_other_goes_on)
        assert hold.lane == quick
        assert hold.saved is None
        assert not list(tmp_path.glob("*"))


def test_bytes_that_change_while_they_are_saved_are_no_old_bytes(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(filled) as region:
        place, quick = place_lane(region), place_lane(region)
        save = SavedBytes.save

        def meanwhile(*args: Any) -> SavedBytes:
            write_lane(region, quick)
            return save(*args)

        monkeypatch.setattr(SavedBytes, "save", meanwhile)
        hold = create_lane(region, place, tmp_path)
        assert hold.lane == quick
        assert hold.saved is None
        assert not list(tmp_path.glob("*"))


def test_a_lane_that_comes_right_after_the_look_is_found_all_the_same(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it is saved as what was there, and put back when it is long gone."""
    with opened(filled) as region:
        place, quick = place_lane(region), place_lane(region)
        looked = hold_module._quicker
        looks: list[Lane | None] = []

        def just_missed(*args: Any) -> Lane | None:
            looks.append(looked(*args))
            if len(looks) == 1:
                write_lane(region, quick)
            return looks[-1]

        monkeypatch.setattr(hold_module, "_quicker", just_missed)
        hold = create_lane(region, place, tmp_path)
        assert looks == [None, quick]
        assert hold.lane == quick
        assert hold.saved is None
        assert not list(tmp_path.glob("*"))


def test_a_region_that_was_only_closed_keeps_its_debt(filled: Path, tmp_path: Path) -> None:
    before = filled.read_bytes()
    with opened(filled) as region:
        hold = acquire_lane(region, folder=tmp_path)
    assert hold.close() is RestoreOutcome.GONE
    assert hold.saved is not None
    with opened(filled) as region:
        assert give_back(region, hold.saved) is RestoreOutcome.RESTORED
    assert filled.read_bytes() == before


def test_a_clock_that_is_set_makes_no_orphans_and_drops_no_debts(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(filled) as region:
        saved = SavedBytes.save(region, place_lane(region), tmp_path)
    ahead = 90 * 86400.0
    now, began, boot = time.time, psutil.Process.create_time, psutil.boot_time
    monkeypatch.setattr(time, "time", lambda: now() + ahead)
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: began(process) + ahead)
    monkeypatch.setattr(psutil, "boot_time", lambda: boot() + ahead)
    assert not saved.header.orphaned
    monkeypatch.setattr(SavedHeader, "orphaned", property(lambda header: True))
    assert [debt.path for debt in saved_bytes_files(tmp_path)] == [saved.path]


def test_a_debt_follows_its_file_to_another_name(filled: Path, tmp_path: Path) -> None:
    before = filled.read_bytes()
    killed_layer(filled, tmp_path)
    renamed = filled.with_name(f"{filled.name}-renamed")
    filled.rename(renamed)
    try:
        with opened(renamed) as region:
            (debt,) = unrestored(region, tmp_path)
            assert give_back(region, debt) is RestoreOutcome.RESTORED
        assert renamed.read_bytes() == before
    finally:
        renamed.unlink()


def _write(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_the_default_place_avoids_looking_glass_recovery_area(shm_file, tmp_path: Path) -> None:
    path = shm_file(8 << 20)
    _write(path, (8 << 20) - 65536, b"KVMFRRCV")
    with opened(path) as region, acquire_lane(region, folder=tmp_path) as lease:
        assert lease.lane.span.end == (8 << 20) - 65536
        assert region.read((8 << 20) - 65536, 8) == b"KVMFRRCV"


def test_no_lane_is_laid_over_a_recognised_program_unasked(shm_file, tmp_path: Path) -> None:
    path = shm_file(8 << 20)
    _write(path, 0, b"LGMP" + (6).to_bytes(4, "little"))
    before = path.read_bytes()
    with opened(path) as region:
        with pytest.raises(LaneError, match="LGMP, version 6 uses"):
            acquire_lane(region, folder=tmp_path)
        with pytest.raises(MemoryInUseError, match="LGMP, version 6 may write"):
            acquire_lane(region, 4 << 20, folder=tmp_path)
        assert path.read_bytes() == before
        with acquire_lane(region, 4 << 20, folder=tmp_path, force=True) as lease:
            assert find_lane(region) == lease.lane
            # A peer that lays none itself uses the one that is there.
            assert acquire_lane(region, folder=tmp_path).lane == lease.lane
    assert path.read_bytes() == before


def test_a_heartbeat_four_times_a_second_is_seen(shm_file, tmp_path: Path) -> None:
    """Bytes that nobody knows, and that change only every 250 ms."""
    path = shm_file(1 << 20, fill=b"\x55")
    end = threading.Event()

    def beat() -> None:
        number = 0
        while not end.wait(0.25):
            number += 1
            _write(path, (1 << 20) - 5000, number.to_bytes(8, "little"))

    heart = threading.Thread(target=beat)
    heart.start()
    try:
        with opened(path) as region, pytest.raises(MemoryInUseError):
            acquire_lane(region, folder=tmp_path)
    finally:
        end.set()
        heart.join()


GOOD: dict[str, object] = {
    "format": 1, "path": "/dev/shm/x", "identity": "1:2", "start": 0, "region_size": 1 << 20,
    "offset": 0, "size": 65536, "slots": 1, "token": 9, "pid": 1 << 62, "process_s": 1.0,
    "saved_s": 1e9, "boot": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe no text",
        b"[" * 60_000,
        b"[1]",
        b"{}",
        b"null",
        *(
            json.dumps({**GOOD, name: value}).encode()
            for name, value in [
                ("pid", "x"), ("pid", -1), ("pid", 1.5), ("pid", None), ("pid", 1 << 70),
                ("process_s", None), ("process_s", "soon"), ("saved_s", float("inf")),
                ("saved_s", []), ("path", 7), ("path", None), ("offset", -4096), ("size", 0),
                ("size", 1 << 63), ("slots", 0), ("slots", True), ("token", {}), ("boot", ""),
                ("other", 1), ("format", 2),
            ]
        ),
    ],
)  # fmt: skip
def test_an_odd_file_among_the_saved_ones_is_passed_over(
    content: bytes, filled: Path, tmp_path: Path
) -> None:
    """Whatever it says, the others are found, and no look ends."""
    (tmp_path / "00odd.lane").write_bytes(content + b"\n")
    (tmp_path / "01folder.lane").mkdir()
    assert saved_bytes_files(tmp_path) == []
    (tmp_path / "02good.lane").write_text(json.dumps({**GOOD, "saved_s": time.time()}) + "\n")
    (found,) = saved_bytes_files(tmp_path)
    assert found.header.token == 9
    with opened(filled) as region:
        assert unrestored(region, tmp_path) == []


def test_the_search_for_a_lane_in_a_large_region_can_be_ended(
    shm_file: MakeFile, tmp_path: Path
) -> None:
    looks: list[float] = []

    def stop(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            raise CancelledError("Stopped.")

    with opened(shm_file(16 << 20, fill=b"full")) as region:
        with pytest.raises(CancelledError):
            acquire_lane(region, folder=tmp_path, sleep=stop)
        assert looks == [0, 0, 0]
        assert find_lane(region) is None
