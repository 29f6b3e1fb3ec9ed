"""The built executable as a person meets it: started, looked at, typed into, closed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.rigs.windows.machine import Machine, wait_until
from tests.rigs.windows.places import REPOSITORY
from tests.rigs.windows.screen import Box, Screen

TITLE = "IVSHMEM Scope"
EXE = "ivshmem-scope.exe"
SEEN_S = 30
APPLY = (0.5, 0.9)  # where the write tool's button is, as shares of the window


def artefacts() -> Path:
    """Where pictures are kept for people to look at."""
    folder = Path(os.environ.get("IVSHMEM_SCOPE_ARTEFACTS") or REPOSITORY / "build" / "artefacts")
    folder = folder / "windows"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Program:
    """One run of the executable with a window; killed at the end of the `with` block.

    Args:
        machine: Where it runs; its `out` folder holds the executable.
        screen: Where its window shows.
        arguments: Its command line.
        shell: Start it as Explorer does for a double click, not as a console does.
    """

    def __init__(
        self, machine: Machine, screen: Screen, *arguments: str, shell: bool = False, **environment: str
    ) -> None:  # fmt: skip
        self.machine = machine
        self.screen = screen
        self.window = ""
        before = screen.windows(TITLE)
        starter = ["start.exe", "/wait"] if shell else []
        command = [*starter, f"Z:\\out\\{EXE}", *arguments]
        self.process = machine.start(*command, **environment)
        self._before = before

    def __enter__(self) -> Self:
        self.window = self.screen.wait_window(TITLE, besides=self._before)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.shoot("failed")
            self.machine.kill(EXE)
        if self.process.poll() is None and kind is None:
            self.close()
        self.process.kill()
        self.process.communicate()

    # -- looking -----------------------------------------------------------------------------------

    @property
    def bytes_box(self) -> Box:
        """A part of the hex view in which bytes are drawn, its first rows among them."""
        left, top, width, height = self.screen.box(self.window)
        return left + width * 31 // 100, top + height * 7 // 100, width * 14 // 100, height // 3

    def shoot(self, name: str) -> None:
        """Keep a picture."""
        self.screen.save(artefacts() / f"{name}.png")

    # -- doing -------------------------------------------------------------------------------------

    def open_from_list(self, number: int) -> None:
        """Choose a device of the list by keyboard and open it."""
        self.screen.key("alt+1", "Home", *["Down"] * number, "Return")
        self.wait_open()

    def wait_open(self) -> None:
        """Until the title names a region."""
        title = f"0000:.* - {TITLE}"
        wait_until(lambda: self.window in self.screen.windows(title), "a region is open", SEEN_S)

    def focus(self) -> None:
        """Give the window the focus by a click on its status bar."""
        self.screen.click(self.window, 0.5, 0.985)

    def focus_bytes(self) -> None:
        """Give the hex view the focus by a click on its first row."""
        left, top, width, _height = self.bytes_box
        self.screen.click_at(left + width // 2, top + 20)

    def apply_tool(self) -> None:
        """Press the button of the write tool that is shown."""
        self.screen.click(self.window, *APPLY)

    def close_on_top(self) -> None:
        """Close it while another window may lie over it."""
        self.screen.raise_window(self.window)
        self.close()

    def close(self) -> None:
        """Close the window as Alt+F4 does, and wait for the process to end."""
        self.focus()
        self.screen.key("alt+F4")
        try:
            self.process.wait(SEEN_S)
        except subprocess.TimeoutExpired:
            self.shoot("did-not-close")
            raise
