"""The program inside a real Linux guest, on real BARs, against the host's files."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.core.library import Host
from tests.rigs.linux.guest import ROOT, Guest

pytestmark = [pytest.mark.rig, pytest.mark.timeout(400)]
BIG_BAR = "0000:01:00.0"
SMALL_BAR = "0000:02:00.0"

# What README "Library" shows, to the letter.
README_PATH = "/dev/shm/my-shared-memory"
HOST_BEFORE = """\
Path: /dev/shm/my-shared-memory
Size: 1 MiB
Greeting written
Answer from the guest: none yet
"""
GUEST_SAYS = """\
Found: 0000:01:00.0
Found: 0000:02:00.0
System: Linux
Location: 0000:02:00.0
Size: 1 MiB
Greeting from the host: Hello from the host!
Answer written
"""
HOST_AFTER = """\
Path: /dev/shm/my-shared-memory
Size: 1 MiB
Greeting written
Answer from the guest: Hello from the guest!
"""


def poke(path: Path, offset: int, data: bytes) -> None:
    with Host(str(path)) as host:
        host.write(offset, data)


def peek(path: Path, offset: int, length: int) -> bytes:
    with Host(str(path)) as host:
        return host.read(offset, length)


def test_list_shows_the_real_bars(guest: Guest) -> None:
    result = guest.run(sys.executable, "-m", "app", "list", "--json")
    assert result.code == 0, result.err
    devices = {d["location"]: d for d in json.loads(result.out)["devices"] if d["kind"] == "bar"}
    assert set(devices) == {BIG_BAR, SMALL_BAR}
    assert devices[BIG_BAR]["size_bytes"] == 64 << 20
    assert devices[SMALL_BAR]["size_bytes"] == 1 << 20
    assert devices[BIG_BAR]["level"] == "good", devices[BIG_BAR]


def test_the_guest_reads_what_the_host_wrote(guest: Guest, big: Path) -> None:
    text = b"written by the host"
    places = (0, 4096 - 7, (1 << 20) - 3, (64 << 20) - len(text))
    for place in places:
        poke(big, place, text)
    result = guest.scope("read", BIG_BAR, str(places[1]), str(len(text)), "--json")
    assert result.code == 0, result.err
    assert bytes.fromhex(json.loads(result.out)["hex"]) == text
    script = f"""
from app.core.library import Guest
with Guest({BIG_BAR!r}, read_only=True) as guest:
    print([guest.read(place, {len(text)}) for place in {places}])
    print(guest.load(8, 8), guest.load(8, 4), guest.load(6, 2), guest.info.path)
"""
    result = guest.run(sys.executable, "-c", script)
    assert result.code == 0, result.err
    words = [int.from_bytes(text[a:b], "little") for a, b in ((8, 16), (8, 12), (6, 8))]
    path = f"/sys/bus/pci/devices/{BIG_BAR}/resource2_wc"
    assert result.out.splitlines() == [str([text] * 4), f"{words[0]} {words[1]} {words[2]} {path}"]


def test_the_host_reads_what_the_guest_wrote(guest: Guest, big: Path, small: Path) -> None:
    result = guest.scope("write", BIG_BAR, "0x2000", "written by the guest", "--text")
    assert result.code == 0, result.err
    assert peek(big, 0x2000, 20) == b"written by the guest"
    result = guest.scope("write", SMALL_BAR, "end-8", "0x1122334455667788", "--type", "u64")
    assert result.code == 0, result.err
    assert peek(small, (1 << 20) - 8, 8) == struct.pack("<Q", 0x1122334455667788)
    assert peek(big, (64 << 20) - 8, 8) != peek(small, (1 << 20) - 8, 8)


@pytest.mark.parametrize("cache", ["uncached", "write-combined"])
def test_both_resources_can_be_mapped(guest: Guest, big: Path, cache: str) -> None:
    poke(big, 0x3000, cache.encode())
    result = guest.scope("read", BIG_BAR, "0x3000", str(len(cache)), "--cache", cache, "--json")
    assert result.code == 0, result.err
    assert bytes.fromhex(json.loads(result.out)["hex"]) == cache.encode()


def test_outside_is_refused_in_words(guest: Guest) -> None:
    result = guest.scope("read", SMALL_BAR, "0x100000", "1")
    assert result.code == 1
    assert "not inside" in result.err
    result = guest.scope("info", "0000:1f:1f.0")
    assert result.code == 3, result.err


def test_load_and_save_go_through_the_bar(guest: Guest, big: Path) -> None:
    result = guest.scope("load", BIG_BAR, str(ROOT / "LICENSE"), "--start", "1M")
    assert result.code == 0, result.err
    license_text = (ROOT / "LICENSE").read_bytes()
    assert peek(big, 1 << 20, len(license_text)) == license_text
    result = guest.scope(
        "save", BIG_BAR, "/tmp/saved", "--start", "1M", "--length", str(len(license_text))
    )
    assert result.code == 0, result.err
    assert guest.fetch("/tmp/saved") == license_text


def test_the_two_examples_of_the_readme_meet(guest: Guest, small: Path) -> None:
    poke(small, 0, bytes(128))

    def host() -> str:
        done = subprocess.run(
            [sys.executable, "examples/host.py", str(small)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.replace(str(small), README_PATH)

    assert host() == HOST_BEFORE
    result = guest.run(sys.executable, "examples/guest.py", SMALL_BAR)
    assert result.code == 0, result.err
    assert result.out == GUEST_SAYS
    assert host() == HOST_AFTER


def test_watch_in_the_guest_sees_the_host_write(guest: Guest, big: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        with Host(str(big)) as host:
            while not stop.wait(0.02):
                number += 1
                host.write(0x5000, struct.pack("<Q", number))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        result = guest.scope(
            "watch", BIG_BAR, "0x5000", "64", "--count", "3", "--seconds", "60", "--json"
        )
    finally:
        stop.set()
        writer.join(5)
    assert result.code == 0, result.err
    changes = [json.loads(line) for line in result.out.splitlines()]
    assert len(changes) >= 3
    assert all(0x5000 <= change["offset_bytes"] < 0x5008 for change in changes)


def test_the_window_runs_in_the_guest_on_the_bar(guest: Guest, big: Path, tmp_path: Path) -> None:
    poke(big, 0, b"IVSHMEM Scope in a real guest")
    result = guest.run(
        sys.executable,
        "-m",
        "app",
        BIG_BAR,
        "--screenshot",
        "/tmp/window.png",
        "--after",
        "1",
        "--rate",
        "10",
        "--theme",
        "dark",
        timeout=350,
    )
    assert result.code == 0, result.out + result.err
    from PySide6.QtGui import QImage

    picture = tmp_path / "guest-window.png"
    picture.write_bytes(guest.fetch("/tmp/window.png"))
    keep = os.environ.get("IVSHMEM_SCOPE_ARTEFACTS")
    if keep:
        (Path(keep) / "guest-window.png").write_bytes(picture.read_bytes())
    image = QImage(str(picture))
    assert image.width() >= 900
    colors = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(100, 500, 3)}
    assert len(colors) > 20
