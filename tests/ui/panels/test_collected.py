"""A panel that nobody holds any more can be collected, whatever it is connected with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_PROGRAM = """
import gc
from PySide6.QtWidgets import QApplication, QWidget
from app.ui.catalogue import CATALOGUE
from app.ui.hex.widget import HexView
from app.ui.measure.panel import MeasurePanel
from app.ui.hex.decorations.decorations import Decorations
from app.ui.panel import PanelHost

qt = QApplication(["test"])
for kind in (*CATALOGUE, HexView, MeasurePanel):
    for used in (False, True):
        view = QWidget()
        host = PanelHost(view, Decorations())
        panel = kind()
        if used:
            if hasattr(panel, "attach"):
                panel.attach(host)
            panel.show()
            qt.processEvents()
        del panel, host, view
        gc.collect()
        qt.processEvents()
print("all")
"""


def test_every_panel_is_collected_without_harm() -> None:
    """In a process of its own, which a crash would end."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", _PROGRAM],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.stdout.strip() == "all", done.stderr
    assert done.returncode == 0
