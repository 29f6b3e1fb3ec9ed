"""`latency --save`: looked at before anything is laid, and the report comes before the file."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
from pathlib import Path

import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from app.commands.measuring import check_place
from app.core.errors import StorageError
from app.core.measure.histogram import MAX_VALUE
from tests.command_line.tools import MakeFile, Run, finish, process
from tests.core.measure.peer_programs import responding

QUICK = ("--rate", 200, "--duration", 0.3, "--warm-up", 0, "--wait", "poll")


@pytest.fixture
def path(shm_file: MakeFile) -> Path:
    """A file with something in every byte."""
    return shm_file(1 << 20, fill=random.Random(9).randbytes(1 << 20))


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("no/such/run.json", 1, "There is no folder"),
        (".", 1, "is a folder"),
        ("folder.json", 1, "is a folder"),
        ("file/run.json", 1, "There is no folder"),
        ("run.xlsx", 2, "cannot be kept as .xlsx"),
    ],
)
def test_a_bad_place_is_said_before_anything_is_laid(
    path: Path, tmp_path: Path, run: Run, name: str, code: int, says: str
) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "file").touch()
    before, there = path.read_bytes(), sorted(os.listdir(tmp_path))
    told = run("latency", path, *QUICK, "--peer-within", 60, "--save", tmp_path / name)
    assert told.code == code
    assert says in told.err
    assert "Lane:" not in told.err
    assert not told.out
    assert path.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == there


def test_a_place_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked of the system, as root may write anywhere."""
    kept = tmp_path / "run.json"
    asked: list[Path] = []

    def access(place: Path, mode: int) -> bool:
        asked.append(place)
        return mode != os.W_OK

    monkeypatch.setattr(os, "access", access)
    for make in (lambda: None, kept.touch):
        make()
        with pytest.raises(StorageError, match="may not be written"):
            check_place(str(kept), (".json",))
    assert asked == [tmp_path, kept]


@pytest.mark.parametrize("form", ["people", "--json"])
def test_a_disk_that_fills_up_meanwhile_takes_no_result_away(
    path: Path, tmp_path: Path, run: Run, form: str
) -> None:
    full = tmp_path / "run.json"
    full.symlink_to("/dev/full")
    more = () if form == "people" else (form,)
    with responding(path):
        told = run("latency", path, *QUICK, *more, "--save", full)
    assert told.code == 1
    assert f"{full} could not be written" in told.err
    if form == "people":
        assert "p99.9" in told.out
        assert "answered" in told.out
    else:
        assert told.json["count"] > 0


def test_all_forms_of_a_result_tell_the_same(path: Path, tmp_path: Path, run: Run) -> None:
    kept: dict[str, Path] = {}
    with responding(path):
        for name in ("run.json", "run.HLOG", "run.csv", "plain"):
            kept[name] = tmp_path / name
            told = run("latency", path, *QUICK, "--json", "--save", kept[name])
            assert told.code == 0, told.err
            _agrees(kept[name], told.json)


def _agrees(path: Path, figures: dict[str, object]) -> None:
    count, suffix = figures["count"], path.suffix.lower()
    if suffix in ("", ".json"):
        whole = json.loads(path.read_text())
        assert {name: whole[name] for name in figures} == figures
        assert sum(whole["response_buckets"]["counts"]) == count
        assert sum(point["count"] for point in whole["series"]) == count
    elif suffix == ".csv":
        rows = list(csv.DictReader(path.read_text().splitlines()))
        for name in ("response", "service"):
            mine = [row for row in rows if row["distribution"] == name]
            assert sum(int(row["count"]) for row in mine) == count
        assert [int(row["count"]) for row in rows if row["distribution"] == "lost"] == [
            figures["lost"]
        ]
        low, high = int(rows[0]["from_ns"]), int(rows[0]["to_ns"])
        assert low <= figures["min_ns"] <= high  # type: ignore[operator]
    else:
        reader = HistogramLogReader(str(path), HdrHistogram(1, MAX_VALUE, 3))
        response, service = (reader.get_next_interval_histogram() for _ in range(2))
        reader.close()
        for histogram, told in ((response, figures), (service, figures["service"])):
            assert histogram.get_total_count() == count
            assert histogram.get_max_value() >= told["max_ns"]  # type: ignore[index]
            assert histogram.get_value_at_percentile(100) == pytest.approx(
                told["max_ns"],
                rel=1 / 1024,
                abs=1,  # type: ignore[index]
            )


def test_a_result_is_never_kept_in_the_memory_itself(path: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "run.json").symlink_to(path)
    before = path.read_bytes()
    for place in (path, tmp_path / "run.json"):
        told = run("latency", path, *QUICK, "--save", place)
        assert told.code == 1
        assert f"{place} is the shared memory itself" in told.err
        assert "Lane:" not in told.err
    assert path.read_bytes() == before


def test_a_result_on_standard_output_is_alone_there(path: Path, tmp_path: Path, run: Run) -> None:
    with responding(path):
        told = run("latency", path, *QUICK, "--save", "-")
    assert told.code == 0
    assert told.json["count"] > 0
    assert not Path("-").exists()


def test_ctrl_c_ends_the_wait_for_who_reads_the_result(path: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with responding(path):
        child = process("latency", path, *QUICK, "--save", fifo)
        assert child.stdout is not None
        seen = b""
        while b"answered" not in seen:
            seen = child.stdout.readline()
            assert seen, finish(child).err
        child.send_signal(signal.SIGINT)
        told = finish(child)
    assert told.code == 130
    assert "Saving was stopped." in told.err
