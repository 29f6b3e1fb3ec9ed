"""What the window waits for before it is on the screen, and what it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.ui.panels.activity import panel as activity
from app.ui.panels.activity.panel import ActivityPanel
from app.ui.session.session import Session
from app.ui.style.theme import DARK
from tests.ui.helpers import WAIT_MS, Sessions, show, spec_of
from tests.ui.hex.frames import frame_of

ROOT = Path(__file__).resolve().parents[2]
# Graphs, what looks through memory (that is the child's), and what looks for devices.
LATE = (
    "pyqtgraph",
    "psutil",
    "app.core.engine.engine",
    "app.core.discovery.finder",
    "app.core.measure.flash.flash",
)
_PROGRAM = """
import sys
from pathlib import Path
from app.ui import application

late, told = sys.argv[2:], []
show = application.MainWindow.show

def shown(window):
    told.append([name for name in late if name in sys.modules])
    show(window)

application.MainWindow.show = shown
code = application.run(application.Options(screenshot=Path(sys.argv[1]), after_s=0))
print(told, "pyqtgraph" in sys.modules)
sys.exit(code)
"""


def test_what_can_come_later_is_not_loaded_before_the_window_is_shown(tmp_path: Path) -> None:
    """Also that the earliest of pictures has its graphs."""
    picture = tmp_path / "window.png"
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(picture), *LATE],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[0] == "[[]] True"
    assert not QImage(str(picture)).isNull()


@pytest.fixture
def panel(qtbot: QtBot) -> ActivityPanel:
    made = ActivityPanel()
    made.set_theme(DARK)
    show(qtbot, made, 1280, 220)
    assert not made.changes.built
    return made


def places(panel: ActivityPanel) -> list[object]:
    parts = (panel.changes, panel.own, panel.cost, panel.heat, panel.water, panel.span)
    return [part.geometry() for part in parts]


def test_with_nothing_open_the_graphs_come_by_themselves_and_move_nothing(
    qtbot: QtBot, panel: ActivityPanel
) -> None:
    before = places(panel), panel.minimumSizeHint(), panel.sizeHint()
    qtbot.waitUntil(lambda: panel.cost.built, timeout=WAIT_MS)
    panel.layout().activate()
    assert (places(panel), panel.minimumSizeHint(), panel.sizeHint()) == before
    plot = panel.changes.findChildren(type(panel.changes._plot))[0]
    assert plot.isVisible()
    panel.resize(900, 300)
    assert plot.size() == panel.changes.size()


@pytest.fixture
def waiting(sessions: Sessions) -> Session:
    """A session that gives no Frame: it was never started."""
    return sessions.make(spec_of("/dev/shm/ivshmem-scope-not-there"))


def test_with_a_region_open_they_come_after_its_first_frame(
    panel: ActivityPanel, waiting: Session
) -> None:
    panel._timer.stop()  # the turns are this test's
    panel.set_session(waiting)
    for _ in range(3):
        panel.draw()
    assert not panel.changes.built, "the window is busy with opening"
    panel.set_frame(frame_of(b"\0" * 64))
    panel.draw()
    assert not panel.changes.built, "the Frame may not be painted yet"
    panel.draw()
    assert panel.changes.built
    assert len(panel.own.curves) == 2


def test_a_region_that_gives_no_frame_does_not_hold_them_back(
    panel: ActivityPanel, waiting: Session
) -> None:
    panel._timer.stop()
    panel.set_session(waiting)
    for _ in range(activity._PATIENCE + 1):
        panel.draw()
    assert panel.changes.built
