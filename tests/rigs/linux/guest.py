"""Boots the guest, runs commands in it, plugs devices out and in."""

from __future__ import annotations

import base64
import contextlib
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from tests.rigs.linux.build import Boot, RigError

ROOT: Final = Path(__file__).parents[3]
BOOT_S: Final = 180.0


@dataclass(frozen=True, slots=True)
class Shared:
    """One ivshmem device: the host's file and its size in MiB."""

    path: Path
    mebibytes: int


@dataclass(frozen=True, slots=True)
class Result:
    """What a command in the guest printed and how it ended."""

    code: int
    out: str
    err: str


class Spawned:
    """A process in the guest."""

    def __init__(self, guest: Guest, pid: int) -> None:
        self._ask = guest._ask
        self.pid = pid

    def told(self) -> str:
        """What it printed until now."""
        answer = self._ask({"peek": self.pid})
        return str(answer["out"] + answer["err"])

    def until(self, words: str, timeout: float = 150) -> str:
        """What it printed, once these words are in it."""
        deadline = time.monotonic() + timeout
        while True:
            answer = self._ask({"peek": self.pid})
            told = str(answer["out"] + answer["err"])
            if words in told:
                return told
            if answer["code"] is not None or time.monotonic() > deadline:
                raise AssertionError(f"no {words!r} of it, code {answer['code']}:\n{told}")
            time.sleep(0.05)

    def send(self, number: int) -> None:
        """Send a signal."""
        self._ask({"send": self.pid, "number": number})

    def wait(self, timeout: float = 150) -> Result:
        """Its end."""
        answer = self._ask({"wait": self.pid, "timeout": timeout}, timeout + 15)
        return Result(answer["code"], answer["out"], answer["err"])

    def end(self, number: int = signal.SIGTERM) -> Result:
        """Signal and wait."""
        self.send(number)
        return self.wait(30)


class Guest:
    """A running guest; a context manager that ends it."""

    def __init__(self, boot: Boot, devices: list[Shared]) -> None:
        self._dir = tempfile.TemporaryDirectory(prefix="scope-guest-")
        place = Path(self._dir.name)
        self._console = place / "console.log"
        with self._console.open("wb") as console:
            self._process = subprocess.Popen(
                self._command(boot, devices, place),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
            )
        try:
            self._agent = self._connect(place / "agent")
            with self._connect(place / "qmp") as connection:
                self._qmp = connection.makefile("rwb", buffering=0)
            self._qmp.readline()
            self.qmp("qmp_capabilities")
            self._lines = self._agent.makefile("rb")
            self._agent.settimeout(BOOT_S)
            if not json.loads(self._lines.readline() or b"{}").get("ready"):
                raise RigError(f"the guest did not come up:\n{self.console()}")
        except (OSError, ValueError) as error:
            printed = self.console()
            self.stop()  # removes it
            raise RigError(f"the guest did not come up: {error}\n{printed}") from error

    def _command(self, boot: Boot, devices: list[Shared], place: Path) -> list[str]:
        agent = ROOT / "tests" / "rigs" / "linux" / "agent.py"
        command = [
            "qemu-system-x86_64",
            "-name",
            "guest=scope-rig",
            "-machine",
            "q35",
            "-cpu",
            "max",
            "-accel",
            "tcg,thread=multi",
            "-smp",
            "2",
            "-m",
            "2048",
            "-display",
            "none",
            "-no-reboot",
            "-nodefaults",
            "-kernel",
            str(boot.kernel),
            "-initrd",
            str(boot.initramfs),
            "-append",
            f"console=ttyS0 quiet panic=-1 rig.python={sys.executable} rig.agent={agent}",
            "-serial",
            "stdio",
            "-serial",
            f"unix:{place / 'agent'},server=on,wait=off",
            "-qmp",
            f"unix:{place / 'qmp'},server=on,wait=off",
            "-virtfs",
            "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
        ]
        for number, device in enumerate(devices):
            size = f"{device.mebibytes}M"
            command += [
                "-object",
                f"memory-backend-file,id=iv{number},share=on,mem-path={device.path},size={size}",
                "-device",
                f"pcie-root-port,id=port{number},chassis={number + 1}",
                "-device",
                f"ivshmem-plain,memdev=iv{number},id=shm{number},bus=port{number}",
            ]
        return command

    def _connect(self, path: Path) -> socket.socket:
        deadline = time.monotonic() + 60
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(path))
            except OSError:
                connection.close()
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.02)
            else:
                return connection

    def console(self) -> str:
        """What the guest's kernel and init printed."""
        return self._console.read_text(errors="replace")

    def qmp(self, command: str, **arguments: Any) -> Any:
        """A command to QEMU; its answer."""
        request = {"execute": command, "arguments": arguments}
        self._qmp.write(json.dumps(request).encode() + b"\n")
        while True:
            answer = json.loads(self._qmp.readline())
            if "error" in answer:
                raise RigError(f"QMP {command}: {answer['error']}")
            if "return" in answer:
                return answer["return"]

    def unplug(self, number: int) -> None:
        """Hot-unplug a device."""
        self.qmp("device_del", id=f"shm{number}")

    def _ask(self, request: dict[str, Any], within_s: float = 120) -> dict[str, Any]:
        self._agent.settimeout(within_s)
        self._agent.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(self._lines.readline())
        if answer.get("code") == -2:
            raise RigError(f"the guest could not {request}: {answer['err']}")
        return dict(answer)

    def spawn(self, *command: str, env: dict[str, str] | None = None) -> Spawned:
        """Start a command in the guest."""
        request = {"spawn": command, "cwd": str(ROOT), "env": env or {}}
        return Spawned(self, int(self._ask(request)["pid"]))

    def start(self, *command: str, timeout: float = 150) -> None:
        """Start a command in the guest; finish() waits for it. One at a time."""
        self._started = self.spawn(*command), timeout

    def finish(self) -> Result:
        """What the started command printed."""
        process, timeout = self._started
        return process.wait(timeout)

    def run(self, *command: str, timeout: float = 150, env: dict[str, str] | None = None) -> Result:
        """Run a command in the guest."""
        return self.spawn(*command, env=env).wait(timeout)

    def spawn_module(self, module: str, *arguments: str) -> Spawned:
        """Start `python -m module arguments` in a fork of the agent, which is quick."""
        request = {"fork": module, "words": arguments, "cwd": str(ROOT)}
        return Spawned(self, int(self._ask(request, BOOT_S)["pid"]))

    def spawn_scope(self, *arguments: str) -> Spawned:
        """Start a verb of this checkout's program in the guest."""
        return self.spawn_module("app", *arguments)

    def scope(self, *arguments: str, timeout: float = 150) -> Result:
        """Run a verb of this checkout's program in the guest."""
        return self.spawn_scope(*arguments).wait(timeout)

    def fetch(self, path: str) -> bytes:
        """A file of the guest."""
        return base64.b64decode(self._ask({"fetch": path})["data"])

    def stop(self) -> None:
        """End the guest. Safe to call twice."""
        with contextlib.suppress(OSError, AttributeError):
            self._agent.sendall(b'{"stop": true}\n')
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(3)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(5)
        for name in ("_lines", "_qmp", "_agent"):
            part = getattr(self, name, None)
            if part is not None:
                part.close()
        self._dir.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
