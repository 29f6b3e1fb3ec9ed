"""The built executable as a person meets it: started, looked at, typed into, closed."""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Self

from tests.rigs.windows.machine import Machine, wait_until
from tests.rigs.windows.places import REPOSITORY
from tests.rigs.windows.screen import Box, Screen

TITLE = "IVSHMEM Scope"
EXE = "ivshmem-scope.exe"
SEEN_S = 30


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
        self,
        machine: Machine,
        screen: Screen,
        *arguments: str,
        shell: bool = False,
        **environment: str,
    ) -> None:
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

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            case = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition("::")[2].split(" ")[0]
            self.shoot(f"failed-{case}")
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

    def open_from_list(self, number: int, address: str) -> None:
        """Choose a device of the list, counted from 0, by keyboard and open it."""
        tried_s = 0.0

        def opened() -> bool:
            nonlocal tried_s
            if time.monotonic() - tried_s > 3:  # the list may not have been filled yet
                tried_s = time.monotonic()
                self.screen.key("alt+1", *["Up"] * 5, *["Down"] * number, "Return")
            return self._names(address)

        wait_until(opened, f"{address} is open", SEEN_S)
        self.wait_open(address)

    def wait_open(self, address: str = "0000:.*") -> None:
        """Until the title names a region and its bytes are drawn."""
        wait_until(lambda: self._names(address), "a region is open", SEEN_S)
        wait_until(self._shows_bytes, "bytes are drawn", SEEN_S)

    def _shows_bytes(self) -> bool:
        """Rows of bytes cover more of the ground than any text that stands there before."""
        pixels = self.screen.picture(self.bytes_box)
        colors = Counter(pixels[at : at + 3] for at in range(0, len(pixels), 3))
        ground = colors.most_common(1)[0][1]
        return ground < 0.92 * len(pixels) / 3

    def _names(self, address: str) -> bool:
        return self.window in self.screen.windows(f"{address} - {TITLE}")

    def focus(self) -> None:
        """Give the window the focus by a click on its status bar."""
        self.screen.click(self.window, 0.5, 0.985)

    def focus_bytes(self) -> None:
        """Give the hex view the focus by a click on its first row."""
        left, top, width, _height = self.bytes_box
        self.screen.click_at(left + width // 2, top + 20)

    def apply_tool(self) -> None:
        """Enter in the field of the write tool that has the focus."""
        self.screen.key("Return")

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
