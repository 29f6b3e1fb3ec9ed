"""What a process leaves that did not end well: real processes, killed by real signals."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from app.core.storage import crash_reports
from tests.core.children import script

RECORDED = """
import sys, threading, ctypes
from pathlib import Path
from app.core.storage import crash_reports
place, how = Path(sys.argv[1]), sys.argv[2]

def deeper():
    ctypes.string_at(0)

def raise_it():
    raise LookupError("nobody catches it")

with crash_reports.recorded(sys.argv[3], place):
    print("ready", flush=True)
    if how == "wait":
        threading.Event().wait()
    elif how == "fault":
        deeper()
    elif how == "error":
        raise_it()
    elif how == "thread":
        thread = threading.Thread(target=raise_it, name="worker")
        thread.start()
        thread.join()
    elif how == "seen":
        try:
            raise_it()
        except LookupError as error:
            crash_reports.record(error, seen=True)
"""


def ended(place: Path, how: str, role: str = "window") -> int:
    """A process that ends in this way; its exit code."""
    with script(RECORDED, place, how, role) as child:
        return child.wait(30)


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGBUS"])
def test_a_process_that_is_killed_by_a_fault_leaves_its_stacks(tmp_path: Path, name: str) -> None:
    with script(RECORDED, tmp_path, "wait", "engine") as child:
        assert crash_reports.left_behind("engine", tmp_path) == [], "it runs"
        assert crash_reports.of_process(child.pid, tmp_path) is None
        child.send_signal(signal.Signals[name])
        assert child.wait(30) == -signal.Signals[name]
    (report,) = crash_reports.left_behind("engine", tmp_path)
    assert crash_reports.of_process(child.pid, tmp_path) == report
    assert f"process {child.pid}" in report.text
    assert "Fatal Python error" in report.text
    assert 'File "<string>", line' in report.text
    assert abs(report.ended_s - time.time()) < 60
    assert crash_reports.left_behind("window", tmp_path) == []
    report.forget()
    assert os.listdir(tmp_path) == []


def test_a_real_fault_is_recorded_too(tmp_path: Path) -> None:
    assert ended(tmp_path, "fault") == -signal.SIGSEGV
    (report,) = crash_reports.left_behind("window", tmp_path)
    assert "in deeper" in report.text


@pytest.mark.parametrize(("how", "code"), [("error", 1), ("thread", 0)])
def test_an_exception_that_nobody_caught_is_a_report(tmp_path: Path, how: str, code: int) -> None:
    assert ended(tmp_path, how) == code
    (report,) = crash_reports.left_behind("window", tmp_path)
    assert "LookupError: nobody catches it" in report.text
    assert "in raise_it" in report.text


@pytest.mark.parametrize("how", ["well", "seen"])
def test_a_process_that_ends_well_leaves_nothing(tmp_path: Path, how: str) -> None:
    assert ended(tmp_path, how) == 0
    assert os.listdir(tmp_path) == []


def test_what_was_killed_without_a_trace_is_tidied_up_and_what_runs_is_left_alone(
    tmp_path: Path,
) -> None:
    with script(RECORDED, tmp_path, "wait", "engine") as child:
        child.send_signal(signal.SIGKILL)
        child.wait(30)
    assert ended(tmp_path, "fault") < 0
    (tmp_path / "crash-window-note.doc").touch()
    with script(RECORDED, tmp_path, "wait", "window") as running:
        paths = {path: path.name for path in tmp_path.iterdir()}
        for path in paths:
            os.utime(path, (1.0, 1.0))  # long ago, as files of another day are
        crash_reports.tidy(tmp_path)
        left = {path.name for path in tmp_path.iterdir()}
        gone = set(paths.values()) - left
        assert [name.endswith(f"-{child.pid}.txt") for name in gone] == [True]
        assert any(name.endswith(f"-{running.pid}.txt") for name in left)
        assert len(crash_reports.left_behind("window", tmp_path)) == 1


def test_a_bounded_number_is_kept_the_newest(tmp_path: Path) -> None:
    for number in range(crash_reports.KEPT + 3):
        path = tmp_path / f"crash-engine-20200101-000000-{number}.txt"
        path.write_text("head\n\nFatal Python error")
        os.utime(path, (1000.0 + number, 1000.0 + number))
    crash_reports.tidy(tmp_path)
    kept = [int(report.ended_s) for report in crash_reports.left_behind("engine", tmp_path)]
    assert kept == list(range(1003, 1003 + crash_reports.KEPT))


def test_a_place_that_cannot_be_written_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert ended(tmp_path / "file" / "place", "well") == 0
