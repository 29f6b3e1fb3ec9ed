"""A window is on its screen with all of itself, also on the small screens of guests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect, QSize

from app.ui.shell.layout.screen_fit import LEAST, fitted, least_size

ROOT = Path(__file__).resolve().parents[3]
_PROGRAM = """
import json, sys
from PySide6.QtWidgets import QApplication
from app.core.storage.settings import Settings
from app.core.storage.paths import settings_file
from app.ui.application import Application, Options

qt = QApplication(["test"])
told = []
for run in range(2):
    program = Application(qt, Options(), None)
    window = program.new_window(None)
    qt.processEvents()
    frame, least = window.frameGeometry(), window.minimumSize()
    told.append([frame.getRect(), [window.width(), window.height()],
                 [least.width(), least.height()],
                 [dock.isVisible() and not dock.visibleRegion().isEmpty()
                  for dock in window.docks.in_window()]])
    program.shut_down()
    window.close()
print(json.dumps(told))
"""

corner, length = st.integers(-5000, 5000), st.integers(1, 5000)


@given(corner, corner, length, length, length, length)
def test_whatever_it_was_it_ends_up_inside(
    x: int, y: int, width: int, height: int, room_width: int, room_height: int
) -> None:
    room = QRect(100, 50, room_width, room_height)
    now = fitted(QRect(x, y, width, height), room)
    assert room.contains(now)
    if width <= room_width and height <= room_height:
        assert now.size() == QSize(width, height), "only what is too large is made smaller"


def test_what_fits_stays_where_it_is() -> None:
    place = QRect(300, 200, 900, 600)
    assert fitted(place, QRect(0, 0, 1920, 1080)) == place


def test_the_least_size_gives_way_to_a_smaller_screen_only() -> None:
    assert least_size(QSize(1920, 1080)) == LEAST
    assert least_size(QSize(910, 480)) == QSize(900, 480)


@pytest.mark.parametrize(
    ("width", "height", "ratio"),
    [(1024, 768, 1.0), (910, 512, 1.5)],
    ids=["guest", "1366x768 at 150 %"],
)
def test_the_first_window_and_the_next_fit_their_screen(
    tmp_path: Path, width: int, height: int, ratio: float
) -> None:
    """Also after a start on a larger screen, which is remembered."""
    large, small = tmp_path / "large.json", tmp_path / "small.json"
    for path, size in ((large, (2560, 1440)), (small, (width, height))):
        screen = {
            "name": path.stem, "x": 0, "y": 0, "width": size[0], "height": size[1],
            "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": ratio,
        }  # fmt: skip
        path.write_text(json.dumps({"screens": [screen], "windowFrameMargins": True}))
    for path, (wide, high) in (
        (small, (width, height)),
        (large, (2560, 1440)),
        (small, (width, height)),
    ):
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            env={
                **os.environ,
                "QT_QPA_PLATFORM": f"offscreen:configfile={path}",
                "XDG_CONFIG_HOME": str(tmp_path / "config"),
            },
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        for frame, inner, least, docks in json.loads(done.stdout.splitlines()[-1]):
            assert QRect(0, 0, wide, high).contains(QRect(*frame)), (path, frame)
            assert inner[0] >= min(900, wide - 40), "no smaller than it can be used"
            assert inner[1] >= min(600, high - 40)
            assert least[0] <= inner[0]
            assert least[1] <= inner[1]
            assert docks == [True, True, True, False], "only Bookmarks stand behind another"
