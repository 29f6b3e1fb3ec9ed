"""A pipe among the files of saved bytes is none of them, and nobody waits for it."""

from __future__ import annotations

import os
from pathlib import Path

from app.core.measure.lane.saved_bytes import SavedBytes


def test_a_pipe_is_no_saved_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.saved")
    assert SavedBytes.load(tmp_path / "pipe.saved") is None
