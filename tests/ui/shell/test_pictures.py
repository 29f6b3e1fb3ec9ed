"""Saving a picture of the window: never over memory, and a failure is said with its reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QLabel

from app.core.errors import StorageError
from app.core.watch.frame import Level
from app.ui.shell.dialogs import save_picture, write_picture
from tests.core.discovery.test_processes import holder


@pytest.fixture
def label(qtbot) -> QLabel:
    label = QLabel("what the window shows")
    qtbot.addWidget(label)
    return label


def choose(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Only the system's own dialog is left out."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "without a form"])
def test_a_picture(label, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    choose(monkeypatch, tmp_path / name)
    notice = save_picture(label)
    assert notice is not None
    assert notice.level is Level.GOOD
    assert QImage(str(tmp_path / name)).size() == label.grab().size()


def test_memory_is_left_alone(
    label, shm_file: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shm_file(8192, fill=b"memory")
    before = path.read_bytes()
    (tmp_path / "x.png").symlink_to(path)
    choose(monkeypatch, tmp_path / "x.png")
    with holder(path):
        notice = save_picture(label)
    assert notice is not None
    assert notice.level is Level.WARNING
    assert "is the shared memory itself" in notice.text
    assert notice.hint
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "says"), [("no/x.png", "there is no folder"), ("x\0.png", "is no name of a file")]
)
def test_a_place_or_form_that_cannot_be(
    label, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    choose(monkeypatch, tmp_path / name)
    notice = save_picture(label)
    assert notice is not None
    assert notice.level is Level.WARNING
    assert says in notice.text


def test_a_form_that_nobody_knows_writes_nothing(label, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot be saved as \.pong"):
        write_picture(label, str(tmp_path / "x.pong"))
    assert not list(tmp_path.glob("*.pong"))
