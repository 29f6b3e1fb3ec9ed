"""One running Windows machine of the rig: its devices, its programs, its end.

Everything runs in a mount and process namespace of its own, laid over the cached layers. When the
holder ends, the kernel ends everything in it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.rigs.windows.build import PREFIX, PYTHON, WINE, WINE_ENVIRONMENT, Layers, enclosed
from tests.rigs.windows.places import REPOSITORY

ENUM = r"System\\ControlSet001\\Enum"
INTERFACE_CLASS = "{4d36e97d-e325-11ce-bfc1-08002be10318}"  # System devices, as the driver's INF
HARDWARE_ID = r"PCI\\VEN_1AF4&DEV_1110&SUBSYS_11001AF4&REV_01"
START_LIMIT_S = 60


@dataclass(frozen=True, slots=True)
class Device:
    """One ivshmem device of the machine, and its memory on the Linux side."""

    path: Path
    size: int
    bus: int = 0
    device: int = 1
    peer: int = 0
    vectors: int = 0
    location: str = ""
    settings: dict[str, int] = field(default_factory=dict)

    @property
    def location_text(self) -> str:
        """What Windows shows as the device's location."""
        return self.location or f"PCI bus {self.bus}, device {self.device}, function 0"


def _text(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\")
    return f'"{name}"="{escaped}"'


def _qword(name: str, value: int) -> str:
    octets = ",".join(f"{byte:02x}" for byte in value.to_bytes(8, "little"))
    return f'"{name}"=hex(b):{octets}'


def _section(key: str, *lines: str) -> str:
    return "\n".join((f"\n[{key}] 1700000000", *lines, ""))


# Qt asks Direct3D about the screen, for which Wine would load a compiler of 110 MB that no
# Windows has. Drawing goes without it there and here.
NO_3D = _section(r"Software\\Wine\\Direct3D", '"renderer"="no3d"')


def registry(devices: Sequence[Device], *, undriven: int = 0) -> str:
    """The machine's devices as text of Wine's system.reg.

    Args:
        devices: Devices with our driver.
        undriven: Devices that the PCI bus shows and no driver serves.
    """
    parts = [
        _section(
            r"System\\ControlSet001\\Services\\ivshmem",
            '"Type"=dword:00000001',
            '"Start"=dword:00000003',
            '"ErrorControl"=dword:00000001',
            _text("ImagePath", r"C:\windows\system32\drivers\ivshmem.sys"),
        )
    ]
    for number, device in enumerate(devices):
        key = rf"{ENUM}\\ROOT\\IVSHMEM\\{number:04}"
        parts.append(
            _section(
                key,
                '"Service"="ivshmem"',
                f'"ClassGUID"="{INTERFACE_CLASS}"',
                '"ConfigFlags"=dword:00000000',
                f'"HardwareID"=str(7):"{HARDWARE_ID}\\0"',
                _text("DeviceDesc", "Rig IVSHMEM Device"),
                _text("LocationInformation", device.location_text),
            )
        )
        values = {"PeerId": device.peer, "Vectors": device.vectors, **device.settings}
        parts.append(
            _section(
                rf"{key}\\Device Parameters",
                _text("File", "\\??\\Z:" + str(device.path).replace("/", "\\")),
                _qword("Size", device.size),
                *(f'"{name}"=dword:{value:08x}' for name, value in values.items()),
            )
        )
    for number in range(undriven):
        parts.append(
            _section(
                rf"{ENUM}\\PCI\\VEN_1AF4&DEV_1110&SUBSYS_11001AF4&REV_01\\3&11583659&0&{number:02}",
                f'"HardwareID"=str(7):"{HARDWARE_ID}\\0"',
                _text("DeviceDesc", "PCI standard RAM Controller"),
                _text("LocationInformation", f"PCI bus 0, device {5 + number}, function 0"),
                f'"ClassGUID"="{INTERFACE_CLASS}"',
                '"ConfigFlags"=dword:00000000',
            )
        )
    return "".join(parts)


class Machine:
    """A Windows machine that lives as long as the `with` block.

    Attributes:
        out: A folder of this system that programs in the machine see as Z:\\out.
    """

    def __init__(
        self,
        layers: Layers,
        out: Path,
        devices: Sequence[Device] = (),
        *,
        undriven: int = 0,
        display: str = "",
    ) -> None:
        self.out = out
        self.devices = list(devices)
        self._layers = layers
        self._registry = registry(devices, undriven=undriven)
        self._display = display
        self._holder: subprocess.Popen[bytes] | None = None
        self._first = 0

    def __enter__(self) -> Self:
        binds = f"{REPOSITORY} src|{self.out} out"
        self._holder = subprocess.Popen(
            [*enclosed(self._layers.lower()), "sh", "-c", "echo up; exec sleep infinity"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "IVSHMEM_RIG_BINDS": binds},
            start_new_session=True,
        )
        assert self._holder.stdout
        line = self._holder.stdout.readline()
        if line.strip() != b"up":
            raise RuntimeError(
                f"The machine did not start: {line!r} {self._holder.stdout.read()!r}"
            )
        self._first = self._child()
        self.shell(f"cat >> /{PREFIX}/system.reg", given=self._registry.encode())
        self.shell(f"cat >> /{PREFIX}/user.reg", given=NO_3D.encode())
        return self

    def __exit__(self, *_: object) -> None:
        if self._holder:
            self._holder.kill()
            self._holder.wait()
            if self._holder.stdout:
                self._holder.stdout.close()

    def _child(self) -> int:
        assert self._holder
        pid = self._holder.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def _inside(self, command: Sequence[str], **more: str) -> list[str]:
        # Wine keeps names with QT_ from Windows programs unless they say who they are for.
        given = {f"WINE{k}" if k.startswith("QT_") else k: v for k, v in more.items()}
        environment = {**WINE_ENVIRONMENT, "DISPLAY": self._display, **given}
        root = self._root()
        return [
            "nsenter",
            "-t",
            str(self._first),
            "-m",
            "-p",
            "-r",  # the root of this process: where it is not the namespace's, all below it is meant
            "--",
            "chroot",
            root,
            "env",
            "-i",
            *(f"{k}={v}" for k, v in environment.items()),
            *command,
        ]

    def _root(self) -> str:
        for line in Path(f"/proc/{self._first}/mounts").read_text().splitlines():
            _, point, kind, *_ = line.split()
            if kind == "overlay" and point.endswith("/root"):
                return point
        raise RuntimeError("The machine's root is not mounted.")

    def shell(self, script: str, *, given: bytes = b"") -> str:
        """Run a shell script of the userland, not of Windows."""
        done = subprocess.run(
            self._inside(["sh", "-c", script]),
            input=given,
            capture_output=True,
            check=True,
            timeout=60,
        )
        return done.stdout.decode(errors="replace")

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a Windows program; its path is a Windows path or one of the userland."""
        return subprocess.Popen(
            self._inside([WINE, *command], **environment),
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(
        self, *command: str, limit_s: float = 120, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a Windows program to its end and return its output."""
        with self.start(*command, **environment) as program:
            try:
                output, _ = program.communicate(timeout=limit_s)
            except subprocess.TimeoutExpired:
                self.kill_everything()
                output, _ = program.communicate()
                raise
        return subprocess.CompletedProcess(command, program.returncode, output, "")

    def python(
        self, *arguments: str, limit_s: float = 120, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the machine's Python with the checkout's root as its working folder."""
        return self.run(f"/{PYTHON}/python.exe", *arguments, limit_s=limit_s, **environment)

    def processes(self, part: str) -> Iterator[int]:
        """Numbers, on this system, of the machine's processes whose command line holds `part`."""
        mine = os.readlink(f"/proc/{self._first}/ns/pid")
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if not entry.name.isdigit() or os.readlink(entry / "ns/pid") != mine:
                    continue
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                if part in words.decode(errors="replace"):
                    yield int(entry.name)

    def kill(self, part: str) -> int:
        """Kill those processes at once, as the task manager would; how many there were."""
        found = [pid for pid in self.processes(part) if pid != self._first]
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(found)

    def kill_everything(self) -> None:
        """End Windows, not the machine: the next program starts it anew."""
        self.shell("wineserver -k; wineserver -w; true")


def wait_until(true: object, what: str, limit_s: float = START_LIMIT_S) -> None:
    """Wait for a fact; AssertionError with `what` when it does not come true."""
    assert callable(true)
    end = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"Not within {limit_s} s: {what}")
        time.sleep(0.05)
