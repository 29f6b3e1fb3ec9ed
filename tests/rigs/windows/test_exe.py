"""The built executable in the machine, driven by keys and looked at, against the test driver."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.windows.build import PYTHON, CannotBuildError, Layers
from tests.rigs.windows.exe import build_exe
from tests.rigs.windows.machine import Device, Machine, wait_until
from tests.rigs.windows.places import REPOSITORY
from tests.rigs.windows.program import EXE, TITLE, Program, artefacts
from tests.rigs.windows.screen import Screen

pytestmark = pytest.mark.timeout(240, func_only=True)  # building it has a limit of its own
FIRST, SECOND = "0000:00:01.0", "0000:0c:1f.0"
INSIDE = "Z:\\src\\tests\\rigs\\windows\\inside"
MIB = 1 << 20


@pytest.fixture(scope="module")
def built(layers: Layers) -> Path:
    """The folder with the executable."""
    try:
        return build_exe(layers)
    except CannotBuildError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="module")
def out(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the machine sees as Z:\\out, with the executable in it."""
    folder = tmp_path_factory.mktemp("exe")
    shutil.copyfile(built / EXE, folder / EXE)
    return folder


@pytest.fixture(scope="module")
def screen() -> Iterator[Screen]:
    """The virtual screen."""
    with Screen() as screen:
        yield screen


@pytest.fixture(scope="module")
def machine(layers: Layers, out: Path, devices: list[Device], screen: Screen) -> Iterator[Machine]:
    """Two devices with a driver, one without."""
    with Machine(layers, out, devices, undriven=1, display=screen.display) as machine:
        yield machine


@pytest.fixture
def blank(memory: list[Path]) -> list[Path]:
    """Both memories, all zero."""
    for file in memory:
        size = file.stat().st_size
        with file.open("r+b") as opened:
            for at in range(0, size, MIB):
                opened.seek(at)
                opened.write(bytes(min(MIB, size - at)))
    return memory


def run(machine: Machine, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The executable without a window, to its end."""
    return machine.run(f"Z:\\out\\{EXE}", *arguments, limit_s=60, **more)


def poke(file: Path, offset: int, data: bytes) -> None:
    """Write as a Linux process does."""
    with file.open("r+b", buffering=0) as opened:
        opened.seek(offset)
        opened.write(data)


def peek(file: Path, offset: int, length: int) -> bytes:
    """Read as a Linux process does."""
    with file.open("rb", buffering=0) as opened:
        opened.seek(offset)
        return opened.read(length)


def shows_live(program: Program, file: Path, offset: int = 0) -> None:
    """What Linux writes shows at once, what it takes back goes away, and so again.

    The first picture is compared with nothing: on a slow machine it may be from before the
    first look at the memory.
    """
    screen, box = program.screen, program.bytes_box
    pattern = bytes(range(0xA0, 0xB0))
    first = screen.wait_steady(box)
    poke(file, offset, pattern)
    screen.wait_picture(box, lambda now: now != first, "what Linux wrote shows")
    written = screen.wait_steady(box)
    poke(file, offset, bytes(16))
    screen.wait_picture(box, lambda now: now != written, "what it took back goes away")
    blank = screen.wait_steady(box)
    poke(file, offset, pattern)
    screen.wait_picture(box, lambda now: now == written, "the same bytes look the same again")
    poke(file, offset, bytes(16))
    screen.wait_picture(box, lambda now: now == blank, "the old picture comes back")


def type_and_see(program: Program, file: Path, keys: tuple[str, str], value: int) -> None:
    """Two hex digits typed at offset 0 land in the Linux file."""
    program.screen.key("ctrl+l", "ctrl+Home", *keys)
    wait_until(lambda: peek(file, 0, 1)[0] == value, "what was typed lands", 15)


def wait_held(machine: Machine) -> subprocess.CompletedProcess[str]:
    """How another process is refused while the window has the first device."""
    refused = []

    def held() -> bool:
        refused[:] = [run(machine, "dump", FIRST, "0", "16")]
        return bool(refused[0].returncode == 7)

    wait_until(held, "the first device is held", 30)
    return refused[0]


def wait_free(machine: Machine) -> None:
    """Until the first device can be mapped."""
    wait_until(lambda: run(machine, "dump", FIRST, "0", "16").returncode == 0, "it is free", 30)


# -- with a window ---------------------------------------------------------------------------------


def test_a_double_click_shows_the_window_with_both_devices_live(
    machine: Machine, screen: Screen, blank: list[Path]
) -> None:
    with Program(machine, screen, shell=True) as program:
        program.open_from_list(1, SECOND)
        shows_live(program, blank[1])
        program.open_from_list(0, FIRST)
        shows_live(program, blank[0])
        program.shoot("live")
        memory = json.loads(machine.python(f"{INSIDE}\\memory.py").stdout)
        private = sum(one["commit"] - one["images"] for one in memory)
        told = {"private_mib": private / MIB, "processes": memory}
        (artefacts() / "memory.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
        assert any(one["engine"] for one in memory)
        assert private <= 215 * MIB, told


def test_typing_undo_and_a_write_tool_land_in_the_linux_file(
    machine: Machine, screen: Screen, blank: list[Path]
) -> None:
    with Program(machine, screen, FIRST) as program:
        program.wait_open()
        screen.wait_steady(program.bytes_box)
        type_and_see(program, blank[0], ("a", "5"), 0xA5)
        program.shoot("typed")
        screen.key("ctrl+z")
        wait_until(lambda: peek(blank[0], 0, 1) == b"\0", "undo takes it back", 15)
        poke(blank[0], 0, b"\x11" * 4096)
        screen.key("ctrl+Home", *["shift+Right"] * 15, "ctrl+i")
        program.shoot("write-tool")
        program.apply_tool()
        wait_until(lambda: peek(blank[0], 0, 17) == bytes(16) + b"\x11", "the fill lands", 15)
        program.shoot("filled")
        screen.key("alt+w")  # the next start is in the workspace that was left


def test_two_windows_of_one_program_share_the_mapping(
    machine: Machine, screen: Screen, blank: list[Path]
) -> None:
    with Program(machine, screen, FIRST) as program:
        program.wait_open()
        screen.key("ctrl+shift+n")
        second = screen.wait_window(TITLE, besides=[program.window])
        title = f"{FIRST}.* - {TITLE}"
        wait_until(lambda: second in screen.windows(title), "the second window opens it too", 30)
        first, program.window = program.window, second
        program.focus_bytes()
        shows_live(program, blank[0])
        type_and_see(program, blank[0], ("5", "a"), 0x5A)
        program.shoot("two-windows")
        screen.key("ctrl+w")
        screen.wait_gone(second)
        program.window = first
        program.focus_bytes()
        poke(blank[0], 0, b"\0")
        shows_live(program, blank[0], 16)


def test_a_second_instance_is_told_who_holds_it_and_recovers(
    machine: Machine, screen: Screen, blank: list[Path]
) -> None:
    first = Program(machine, screen, FIRST)
    with first:
        first.wait_open()
        refused = wait_held(machine)
        assert "548" in refused.stdout
        assert "Looking Glass" in refused.stdout
        with Program(machine, screen, FIRST) as second:
            box = second.bytes_box
            screen.wait_steady(box)
            second.shoot("held-by-another")
            first.close_on_top()
            second.focus()
            screen.key("F5")
            second.wait_open()
            second.focus_bytes()
            shows_live(second, blank[0])
            second.shoot("recovered")


def test_killing_it_frees_the_mapping(machine: Machine, screen: Screen) -> None:
    with Program(machine, screen, FIRST) as program:
        program.wait_open()
        wait_held(machine)
        machine.kill(EXE)
        program.process.wait(30)
    wait_until(lambda: run(machine, "dump", FIRST, "0", "16").returncode == 0, "it is free", 30)


def test_a_device_that_vanishes_is_said_and_comes_back_by_itself(
    machine: Machine, screen: Screen, out: Path, blank: list[Path]
) -> None:
    with Program(machine, screen, SECOND) as program:
        program.wait_open()
        shows_live(program, blank[1])
        before = screen.wait_steady(program.bytes_box)
        script = f"{INSIDE}\\plug.py"
        plug = machine.start(f"/{PYTHON}/python.exe", script, "1", "Z:\\out\\plug-in")
        screen.wait_picture(program.bytes_box, lambda now: now != before, "it is said")
        screen.wait_steady(program.bytes_box)
        program.shoot("vanished")
        assert program.process.poll() is None
        (out / "plug-in").touch()
        told, _ = plug.communicate(timeout=30)
        assert plug.returncode == 0, told
        screen.wait_picture(program.bytes_box, lambda now: now == before, "it is back")
        shows_live(program, blank[1])


@pytest.mark.parametrize("scale", ["1", "1.5", "2"])
def test_a_picture_at_every_display_scale(
    machine: Machine, out: Path, blank: list[Path], scale: str
) -> None:
    poke(blank[0], 0, bytes(range(256)) * 16)
    picture = out / f"scale-{scale}.png"
    done = run(
        machine,
        FIRST,
        "--screenshot",
        f"Z:\\out\\{picture.name}",
        "--after",
        "0.5",
        "--size",
        "900x600",
        QT_SCALE_FACTOR=scale,
    )
    assert done.returncode == 0, done.stdout
    shutil.copyfile(picture, artefacts() / picture.name)
    width, height = (int.from_bytes(picture.read_bytes()[at : at + 4], "big") for at in (16, 20))
    assert (width, height) == (round(900 * float(scale)), round(600 * float(scale)))


# -- without one -----------------------------------------------------------------------------------


def test_the_self_test_is_all_green(machine: Machine, out: Path) -> None:
    done = run(machine, "--self-test", "Z:\\out\\report.json")
    shutil.copyfile(out / "report.json", artefacts() / "self-test.json")
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert [step for step in report["steps"] if step["status"] != "passed"] == []
    assert report["passed"]
    assert done.returncode == 0


def test_list_and_dump_write_to_where_the_output_goes(machine: Machine, blank: list[Path]) -> None:
    listed = run(machine, "list")
    assert listed.returncode == 0
    for word in (FIRST, "64 MiB", SECOND, "1 MiB", "virtio-win"):
        assert word in listed.stdout
    poke(blank[1], 0x1000, b"hello from Linux")
    dumped = run(machine, "dump", SECOND, "0x1000", "16")
    assert "hello from Linux" in dumped.stdout, dumped.stdout


def test_the_output_shows_in_the_console_that_it_was_started_from(
    machine: Machine, out: Path
) -> None:
    machine.python(f"{INSIDE}\\console.py", f"Z:\\out\\{EXE}", "list")
    code, *lines = (out / "console.txt").read_text(encoding="utf-8").splitlines()
    assert code == "0"
    assert any(FIRST in line for line in lines), lines[:20]


def test_unicode_and_long_paths(machine: Machine, out: Path, blank: list[Path]) -> None:
    name = "Gedächtnis 記憶 с пробелами"
    folder = out / name / ("lang" * 20)
    folder.mkdir(parents=True)
    shutil.copyfile(out / EXE, folder / EXE)
    place = f"Z:\\out\\{name}\\{'lang' * 20}"
    done = machine.run(f"{place}\\{EXE}", "list")
    assert FIRST in done.stdout, done.stdout
    poke(blank[1], 0, b"saved")
    deep = folder
    for _ in range(3):
        deep = deep / ("tief" * 20)
        place += f"\\{'tief' * 20}"
    deep.mkdir(parents=True)
    target = f"{place}\\{name}.bin"
    assert len(target) > 300
    saved = run(machine, "save", SECOND, target)
    assert saved.returncode == 0, saved.stdout
    assert (deep / f"{name}.bin").read_bytes() == blank[1].read_bytes()


def test_from_a_folder_that_cannot_be_written(machine: Machine, out: Path) -> None:
    machine.shell(
        "mkdir -p /fixed && cp /out/ivshmem-scope.exe /fixed/ && mount --bind /fixed /fixed && mount -o remount,bind,ro /fixed"
    )
    done = machine.run(f"Z:\\fixed\\{EXE}", "--self-test", "Z:\\out\\fixed.json")
    assert done.returncode == 0, done.stdout
    refused = machine.run(f"Z:\\fixed\\{EXE}", "save", SECOND, "Z:\\fixed\\x.bin")
    assert refused.returncode != 0
    assert "x.bin" in refused.stdout
    assert "Traceback" not in refused.stdout


def test_killed_during_a_write_leaves_the_device_free(machine: Machine, blank: list[Path]) -> None:
    program = machine.start(f"Z:\\out\\{EXE}", "fill", FIRST, "0", "64M", "--random", "1")
    wait_until(lambda: any(peek(blank[0], 0, 4096)), "the fill has begun", 30)
    machine.kill(EXE)
    program.communicate(timeout=30)
    assert blank[0].stat().st_size == 64 * MIB
    wait_until(lambda: run(machine, "dump", FIRST, "0", "16").returncode == 0, "it is free", 30)


def test_the_log_is_in_the_local_data_folder(machine: Machine) -> None:
    found = machine.shell(
        "find /rig/prefix/drive_c/users -path '*AppData/Local*' -name ivshmem-scope.log"
    )
    assert found.strip()


# -- measured from the host --------------------------------------------------------------------


def scope(*arguments: str) -> subprocess.Popen[str]:
    """This checkout's program on the host."""
    return subprocess.Popen(
        [sys.executable, "-m", "app", *arguments],
        cwd=REPOSITORY,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def ended(process: subprocess.Popen[str], limit_s: float = 90) -> str:
    """What it printed on its way to a good end."""
    out, err = process.communicate(timeout=limit_s)
    assert process.returncode == 0, (out, err)
    return out


LATENCY = (
    "latency",
    "--rate",
    "200",
    "--duration",
    "1",
    "--warm-up",
    "0.2",
    "--wait",
    "poll",
    "--json",
    "--peer-within",
    "60",
)


def test_the_host_measures_with_the_executable(machine: Machine, blank: list[Path]) -> None:
    file = blank[0]
    guest = machine.start(f"Z:\\out\\{EXE}", "respond", FIRST, "--json", "--seconds", "40")
    try:
        wait_until(lambda: b"IVSCLANE" in file.read_bytes(), "its lane is there", 60)
        figures = json.loads(ended(scope(*LATENCY, str(file))).splitlines()[-1])
        assert figures["count"] > 0
        assert figures["count"] + figures["lost"] >= 150
        assert "Windows" in figures["conditions"]["peer"]
        assert "guest" in figures["conditions"]["peer"]
        assert figures["floor"]["p50_ns"] < figures["p50_ns"]
        assert figures["one_way"]["uncertainty_ns"] > 0
        for way in ("to-peer", "from-peer"):
            out = ended(
                scope(
                    "transfer",
                    str(file),
                    "--size",
                    "4K",
                    "--duration",
                    "0.5",
                    "--direction",
                    way,
                    "--peer-within",
                    "30",
                    "--json",
                )
            )
            moved = json.loads(out.splitlines()[-1])
            assert moved["clean"], moved
            assert moved["sizes"][0]["bytes_per_s"] > 0
        said, _ = guest.communicate(timeout=90)
        assert guest.returncode == 0, said
    finally:
        guest.kill()
        guest.communicate()
    assert not any(file.read_bytes()), "the bytes under the lane were not put back"


def test_the_executable_measures_with_the_host(machine: Machine, blank: list[Path]) -> None:
    file = blank[0]
    host = scope("respond", str(file), "--json", "--seconds", "45")
    try:
        done = run(machine, *LATENCY, FIRST)
        assert done.returncode == 0, done.stdout
        line = next(line for line in done.stdout.splitlines() if line.startswith("{"))
        figures = json.loads(line)
        assert figures["count"] > 0
        assert "Linux" in figures["conditions"]["peer"]
        wide = run(machine, "bandwidth", FIRST, "--json")
        assert wide.returncode == 0, wide.stdout
        assert '"verdict"' in wide.stdout
        ended(host)
    finally:
        host.kill()
        host.communicate()
    assert not any(file.read_bytes()), "the bytes under the lane were not put back"


def test_the_executable_killed_while_it_answers_is_told_as_silent(
    machine: Machine, blank: list[Path]
) -> None:
    guest = machine.start(f"Z:\\out\\{EXE}", "respond", FIRST, "--seconds", "60")
    host = scope(
        "latency",
        str(blank[0]),
        "--rate",
        "100",
        "--duration",
        "6",
        "--wait",
        "poll",
        "--json",
        "--peer-within",
        "60",
        "--lost-after",
        "0.5",
    )
    try:
        wait_until(lambda: b"IVSCLANE" in blank[0].read_bytes(), "a lane is there", 60)
        time.sleep(4)  # into the test; when exactly it dies does not matter
        machine.kill(EXE)
        out, err = host.communicate(timeout=90)
    finally:
        host.kill()
        host.communicate()
        guest.communicate(timeout=30)
    assert host.returncode in (0, 8), (out, err)
    if out.strip():
        figures = json.loads(out.splitlines()[-1])
        assert figures["lost"] > 0 or not figures["complete"]
    wait_until(lambda: run(machine, "dump", FIRST, "0", "16").returncode == 0, "it is free", 30)


# -- other machines --------------------------------------------------------------------------------


def test_no_driver_and_no_device_are_told_apart(layers: Layers, out: Path, screen: Screen) -> None:
    with Machine(layers, out, undriven=1, display=screen.display) as bare:
        listed = run(bare, "list")
        assert "virtio-win" in listed.stdout
        with Program(bare, screen) as program:
            screen.key("alt+1", "Down")
            time.sleep(0.5)  # for the picture only
            program.shoot("no-driver")
    with Machine(layers, out, display=screen.display) as empty:
        listed = run(empty, "list")
        assert listed.returncode == 0
        assert "virtio-win" not in listed.stdout
        with Program(empty, screen) as program:
            time.sleep(0.5)
            program.shoot("no-device")


@pytest.fixture
def zoo(tmp_path: Path) -> Iterator[list[Device]]:
    """Twenty devices: sizes from 0 to 2 GiB, drivers that lie, and plain ones."""
    files = []

    def make(number: int, size: int, **settings: int) -> Device:
        file = Path(f"/dev/shm/ivshmem-rig-zoo-{number}")
        with file.open("wb") as opened:
            opened.truncate(max(size, 4096))
        files.append(file)
        return Device(file, size, bus=number, device=number, peer=number, settings=settings)

    sizes = [0, 4096, 2 << 30]
    made = [make(number, size) for number, size in enumerate(sizes)]
    made += [make(3 + lie, 65536, Misbehave=lie) for lie in range(8)]
    made += [make(number, 65536) for number in range(11, 20)]
    yield made
    for file in files:
        file.unlink()


def test_twenty_devices_of_all_kinds(
    layers: Layers, out: Path, screen: Screen, zoo: list[Device]
) -> None:
    assert len(zoo) == 20
    with Machine(layers, out, zoo, display=screen.display) as machine:
        found = json.loads(run(machine, "list", "--json").stdout)["devices"]
        assert [one["location"] for one in found] == [f"0000:{n:02x}:{n:02x}.0" for n in range(20)]
        assert found[0]["level"] != "good"
        assert "MSI" in json.dumps(found[1]["notes"])
        assert found[2]["size_bytes"] == 2 << 30
        poke(zoo[2].path, (2 << 30) - 16, b"the very last ..")
        last = run(machine, "dump", "0000:02:02.0", "end-16", "16")
        assert "the very last .." in last.stdout, last.stdout
        for device in (0, 6, 7):  # no size, a garbage size, no address; the rest: in_wine
            lied = run(machine, "dump", f"0000:{device:02x}:{device:02x}.0", "0", "16")
            assert lied.returncode != 0, lied.stdout
            assert "Traceback" not in lied.stdout
        with Program(machine, screen, "0000:02:02.0") as program:
            program.wait_open()
            screen.wait_steady(program.bytes_box)
            program.shoot("twenty-devices")
