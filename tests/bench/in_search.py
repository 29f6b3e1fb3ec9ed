"""The real window while it lists a million hits: the worst gap between two turns of its event loop.

`python -m tests.bench.in_search FILE NEEDLE` opens FILE in a window, lists all hits of NEEDLE, and
prints JSON: hits, seconds until all were listed and marked, the gaps in milliseconds, and the worst one before.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def main() -> int:
    """Open, search, tell."""
    path, text = sys.argv[1], sys.argv[2]
    from PySide6.QtCore import QElapsedTimer, QTimer
    from PySide6.QtWidgets import QApplication

    from app.core.engine.process import EngineProcess
    from app.core.region.region import RegionKind, RegionSpec
    from app.core.search.needle import Needle, NeedleKind
    from app.core.search.scope import Scope
    from app.core.storage.settings import Settings
    from app.ui.main_window import MainWindow
    from app.ui.panels.results.panel import ResultsPanel
    from app.ui.session.search_request import SearchRequest
    from app.ui.session.session import Session
    from app.ui.style.style_sheet import apply_theme
    from app.ui.style.theme import DARK

    qt = QApplication([])
    apply_theme(qt, DARK)
    folder = tempfile.TemporaryDirectory(prefix="ivshmem-scope-bench-")
    settings = Settings(Path(folder.name) / "settings.json")
    window = MainWindow(lambda spec: Session(spec, EngineProcess), settings, DARK)
    window.resize(1280, 800)
    window.show()
    window.workspaces.go("edit")
    session = window.open(RegionSpec(RegionKind.FILE, path))
    results = window.panels[ResultsPanel]
    told: dict[str, Any] = {}
    gaps: list[float] = []
    watch, beat = QElapsedTimer(), QTimer(interval=1)

    def turn() -> None:
        gaps.append(watch.nsecsElapsed() / 1e6)
        watch.start()

    def search() -> None:
        told["idle_ms"] = max(gaps[len(gaps) // 2 :])  # behind the start
        gaps.clear()
        watch.start()
        told["began"] = time.monotonic()
        window.view.list_wanted.emit(SearchRequest(Needle(NeedleKind.BYTES, text), Scope()))

    def marked(*_: object) -> None:
        told["seconds"] = time.monotonic() - told.pop("began")
        QTimer.singleShot(500, end)  # and it is painted

    def end() -> None:
        told["hits"] = results.model.count
        told["gaps_ms"] = sorted(gaps)
        window.close()
        session.join()
        qt.quit()

    beat.timeout.connect(turn)
    beat.start()
    results.source.ranges_came.connect(marked)
    QTimer.singleShot(3000, search)
    qt.exec()
    sys.stdout.write(json.dumps(told) + "\n")
    folder.cleanup()
    return 0


if __name__ == "__main__":
    sys.exit(main())
