"""A virtual screen: shows the machine's windows, takes pictures of them, types into them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.rigs.windows.machine import wait_until

SIZE = (1920, 1200)
Box = tuple[int, int, int, int]  # left, top, width, height


class Screen:
    """An Xvfb that lives as long as the `with` block.

    Attributes:
        display: Its name, for DISPLAY.
    """

    def __init__(self) -> None:
        self.display = ""
        self._server: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        read, write = os.pipe()
        width, height = SIZE
        self._server = subprocess.Popen(
            [
                "Xvfb",
                "-displayfd",
                str(write),
                "-screen",
                "0",
                f"{width}x{height}x24",
                "-nolisten",
                "tcp",
            ],
            pass_fds=[write],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        os.close(write)
        with os.fdopen(read) as told:
            number = told.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start.")
        self.display = f":{number}"
        return self

    def __exit__(self, *_: object) -> None:
        if self._server:
            self._server.terminate()
            self._server.wait()

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command,
            env={**os.environ, "DISPLAY": self.display},
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        return done.stdout

    # -- windows -----------------------------------------------------------------------------------

    def windows(self, title: str) -> list[str]:
        """Numbers of the visible windows whose title holds the text, oldest first."""
        return self._run("xdotool", "search", "--onlyvisible", "--name", title).split()

    def wait_window(self, title: str, *, besides: list[str] | None = None) -> str:
        """The window with this title, once it shows; one that is not among `besides`."""
        found: list[str] = []

        def shows() -> bool:
            found[:] = [w for w in self.windows(title) if w not in (besides or [])]
            return bool(found)

        wait_until(shows, f"a window with {title!r} in its title")
        return found[-1]

    def wait_gone(self, window: str, title: str = "IVSHMEM Scope") -> None:
        """Until the window is closed."""
        wait_until(lambda: window not in self.windows(title), "the window closes")

    def box(self, window: str) -> Box:
        """Where a window is."""
        told = self._run("xdotool", "getwindowgeometry", "--shell", window)
        values = dict(line.split("=", 1) for line in told.split())
        return int(values["X"]), int(values["Y"]), int(values["WIDTH"]), int(values["HEIGHT"])

    # -- hands and eyes ----------------------------------------------------------------------------

    def click(self, window: str, across: float, down: float, *, times: int = 1) -> None:
        """Click at a place of the window, given as shares of its width and height."""
        left, top, width, height = self.box(window)
        place = (str(left + round(width * across)), str(top + round(height * down)))
        self._run("xdotool", "mousemove", *place, "click", "--repeat", str(times), "1")

    def click_at(self, across: int, down: int) -> None:
        """Click at a place of the screen."""
        self._run("xdotool", "mousemove", str(across), str(down), "click", "1")

    def raise_window(self, window: str) -> None:
        """Put a window on top and give it the focus."""
        self._run("xdotool", "windowraise", window, "windowfocus", "--sync", window)

    def key(self, *keys: str) -> None:
        """Press keys in turn, as xdotool names them, in the window that has the focus."""
        self._run("xdotool", "key", "--delay", "40", *keys)

    def picture(self, box: Box | None = None) -> bytes:
        """The pixels of a part of the screen, or of all of it."""
        crop = ["-crop", f"{box[2]}x{box[3]}+{box[0]}+{box[1]}"] if box else []
        done = subprocess.run(
            ["import", "-silent", "-window", "root", *crop, "-depth", "8", "rgb:-"],
            env={**os.environ, "DISPLAY": self.display},
            capture_output=True,
            check=True,
            timeout=20,
        )
        return done.stdout

    def save(self, path: Path) -> None:
        """Keep a picture of the whole screen."""
        self._run("import", "-silent", "-window", "root", str(path))

    def wait_steady(self, box: Box, limit_s: float = 30) -> bytes:
        """The pixels there, once four looks in a row are the same."""
        end = time.monotonic() + limit_s
        last, same = self.picture(box), 0
        while same < 3:
            time.sleep(0.4)
            now = self.picture(box)
            same = same + 1 if now == last else 0
            assert time.monotonic() < end, "the picture does not come to rest"
            last = now
        return last

    def wait_picture(self, box: Box, fits: Callable[[bytes], bool], what: str) -> None:
        """Until the pixels there fit."""
        wait_until(lambda: fits(self.picture(box)), what, 30)
