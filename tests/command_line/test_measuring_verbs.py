"""`latency` and `respond` as a person runs them: two processes, one file, Ctrl+C at any time."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app import cli
from app.commands.interrupts import InterruptGuard
from app.core.errors import CancelledError
from tests.core.measure.peer_programs import ROOT, PeerProcess, opened, responding

MakeFile = Callable[..., Path]
QUICK = ("--rate", "200", "--duration", "0.3", "--warm-up", "0", "--wait", "poll")


@pytest.fixture
def path(shm_file: MakeFile) -> Path:
    """A file with something in every byte."""
    return shm_file(1 << 20, fill=random.Random(9).randbytes(1 << 20))


def latency(path: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "app", "latency", str(path), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_measure_and_print(path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    with responding(path) as peer:
        run = latency(path, *QUICK, "--json", "--save", str(tmp_path / "run.json"))
        out, err = run.communicate(timeout=60)
        assert run.returncode == 0, err
        figures = json.loads(out)
        assert "Traceback" not in err
        people = latency(path, *QUICK, "--save", str(tmp_path / "run.hlog"))
        text, err = people.communicate(timeout=60)
        assert people.returncode == 0, err
        code, _ = peer.end()
    assert code == 0
    assert path.read_bytes() == before
    assert figures["count"] + figures["lost"] <= 60
    assert figures["p50_ns"] <= figures["p99_ns"] <= figures["max_ns"]
    assert figures["mode"] == "fixed rate"
    assert {"p99_9_ns", "duration_s", "floor", "service", "one_way", "conditions"} <= set(figures)
    kept = json.loads((tmp_path / "run.json").read_text())
    assert kept["p50_ns"] == figures["p50_ns"]
    assert (tmp_path / "run.hlog").read_text().startswith("#[Histogram log format")
    for word in ("p99.9", "response", "service", "floor", "one way", "lost", "measured in"):
        assert word in text
    assert peer.states[0]["phase"] == "listening"
    assert {"answering", "ended"} <= {state["phase"] for state in peer.states}
    assert peer.states[-1]["ending"] == "restored"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("first", ["latency", "respond"])
def test_stopped_in_the_middle_the_memory_is_as_it_was(
    path: Path, number: signal.Signals, first: str
) -> None:
    """Whoever laid the lane; the results so far are printed."""
    before = path.read_bytes()
    options = ("--rate", "500", "--duration", "60", "--wait", "poll", "--json", "--payload", "64")
    if first == "latency":
        run = latency(path, *options)
        assert run.stderr is not None
        assert "Lane:" in run.stderr.readline()
        peer = PeerProcess(path)
    else:
        peer = PeerProcess(path)
        peer.wait_phase("listening")
        run = latency(path, *options)
    peer.wait_phase("answering")
    # The clock's short run first, then a stop, then the test: by then it runs.
    peer.wait_for(lambda state: state["tests"] >= 1)
    run.send_signal(number)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130, err
    assert "Traceback" not in err
    if out:
        assert json.loads(out)["complete"] is False
    peer.end()
    assert path.read_bytes() == before


def test_stopped_while_nobody_answers(path: Path) -> None:
    before = path.read_bytes()
    run = latency(path, *QUICK)
    assert run.stderr is not None
    run.stderr.readline()
    assert "Nobody answers in the lane yet." in run.stderr.readline()
    run.send_signal(signal.SIGINT)
    out, _err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert not out
    assert path.read_bytes() == before


def test_nobody_in_time(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["latency", str(path), *QUICK, "--peer-within", "0.1"]) == 8
    assert "Start `ivshmem-scope respond`" in capfd.readouterr().err


def test_beside_a_stopped_peer_all_else_goes_on(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing waits for it, the bytes land, and who waits for an answer is told of it."""
    before = path.read_bytes()
    with responding(path) as peer:
        peer.send(signal.SIGSTOP)
        try:
            assert cli.run(["write", str(path), "0x10", "DE AD"]) == 0
            assert cli.run(["fill", str(path), "0x20", "4", "--byte", "7"]) == 0
            assert cli.run(["latency", str(path), *QUICK, "--peer-within", "2.5"]) == 8
        finally:
            peer.send(signal.SIGCONT)
        told = capfd.readouterr().err
        assert f"(process {peer.pid}) in slot 0 is silent; it was stopped, or ended." in told
    wanted = bytearray(before)
    wanted[0x10:0x12], wanted[0x20:0x24] = b"\xde\xad", b"\7" * 4
    assert path.read_bytes() == bytes(wanted)


def test_a_killed_responder_owes_and_the_next_one_pays(path: Path) -> None:
    before = path.read_bytes()
    with responding(path) as peer:
        peer.end(signal.SIGKILL)
    assert path.read_bytes() != before
    with responding(path) as peer:
        pass
    assert path.read_bytes() == before


def test_a_terminal_that_closes_ends_it_in_order(path: Path) -> None:
    before = path.read_bytes()
    inherited = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored where nohup runs the suite
    try:
        with responding(path) as peer:
            code, errors = peer.end(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, inherited)
    assert code == 0, errors
    assert path.read_bytes() == before


def test_a_responder_that_nobody_reads_ends_in_order(path: Path) -> None:
    before = path.read_bytes()
    responder = subprocess.Popen(
        [sys.executable, "-m", "app", "respond", str(path), "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert responder.stdout is not None
    assert responder.stderr is not None
    assert json.loads(responder.stdout.readline())["phase"] == "listening"
    responder.stdout.close()
    latency(path, *QUICK, "--json", "--peer-within", "5").communicate(timeout=60)
    with responder.stderr:
        errors = responder.stderr.read()
    assert responder.wait(60) == 0, errors
    assert "Traceback" not in errors
    assert path.read_bytes() == before


def test_signals_are_flags_and_an_ignored_hangup_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with InterruptGuard() as guard:
            signal.raise_signal(signal.SIGHUP)
            assert not guard.wait(0)
            signal.raise_signal(signal.SIGTERM)
            assert guard.wait(60)
            assert guard.cancelled()
            with pytest.raises(CancelledError):
                guard.sleep(60)
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is not guard.handle
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_third_signal_ends_the_process_whatever_catches_the_second() -> None:
    code = (
        "import signal\n"
        "from app.commands.interrupts import InterruptGuard\n"
        "with InterruptGuard():\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    try:\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "    except KeyboardInterrupt:\n"
        "        print('second', flush=True)\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    print('third')\n"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert (told.returncode, told.stdout.split(), told.stderr) == (130, [b"second"], b"")


def test_a_cut_region_ends_the_responder_with_a_sentence(path: Path) -> None:
    with responding(path) as peer:
        os.truncate(path, 4096)
        code, errors = peer.wait()
    assert code == 5
    assert "was cut to 4 KiB" in errors


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--duration", "0"), 2, "is none"),
        (("--rate", "1e12"), 2, "cannot be measured"),
        (("--payload", "5"), 2, "8 to 4096"),
        (("--pin", "512"), 2, "no core"),
        (("--wait", "bell"), 2, "A file has no doorbell"),
        (("--wait", "bell", "--engine", "python"), 2, "ivshmem-server"),
        (("--offset", "100"), 2, "not aligned"),
        (("--offset", "2M"), 2, "not inside"),
        (("--offset", "0", "--lane-size", "8K"), 2, "too small"),
    ],
)
def test_bad_input_is_a_sentence_and_touches_nothing(
    path: Path, capfd: pytest.CaptureFixture[str], options: tuple[str, ...], code: int, says: str
) -> None:
    before = path.read_bytes()
    assert cli.run(["latency", str(path), *options]) == code
    told = capfd.readouterr().err
    assert says in told
    assert "Traceback" not in told
    assert path.read_bytes() == before


def test_a_read_only_file_is_refused(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if os.getuid() == 0:
        # root may write anything: hold the region read-only by its own option instead
        from app.core.backends.open_region import open_region
        from app.core.errors import ReadOnlyError
        from app.core.measure.lane.hold import acquire_lane
        from app.core.region.region import RegionKind, RegionSpec

        spec = RegionSpec(RegionKind.FILE, str(path), read_only=True)
        with open_region(spec) as region, pytest.raises(ReadOnlyError):
            acquire_lane(region)
        return
    path.chmod(0o444)
    assert cli.run(["latency", str(path), *QUICK]) == 4


def test_where_a_lane_lies_can_be_chosen(path: Path) -> None:
    with responding(path, "--offset", "64K", "--lane-size", "128K", "--slots", "2") as peer:
        state = peer.states[-1]
        assert (state["lane_offset_bytes"], state["lane_size_bytes"]) == (65536, 131072)
        with responding(path) as other:
            assert other.states[-1]["lane_offset_bytes"] == 65536
            assert other.states[-1]["slot"] == 1
        with opened(path) as region:
            assert region.read(65536, 8) == b"IVSCLANE"
