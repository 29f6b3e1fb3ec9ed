"""What is saved gets the ending of its form, and replaces nothing that nobody agreed to."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.ui.style.save_dialog import ask_where, with_ending

FORMS = "JSON (*.json);;CSV (*.csv);;HdrHistogram log (*.hlog)"


@pytest.mark.parametrize(
    ("typed", "form", "wanted"),
    [
        ("run", "JSON (*.json)", "run.json"),
        ("run", "CSV (*.csv)", "run.csv"),
        ("run", "", "run.json"),
        ("run.hlog", "CSV (*.csv)", "run.hlog"),
        ("RUN.JSON", "CSV (*.csv)", "RUN.JSON"),
        ("rate-1.5", "HdrHistogram log (*.hlog)", "rate-1.5.hlog"),
        ("run.txt", "JSON (*.json)", "run.txt.json"),
    ],
)
def test_a_missing_ending_is_that_of_the_chosen_form(typed: str, form: str, wanted: str) -> None:
    assert with_ending(Path("/a") / typed, FORMS, form) == Path("/a") / wanted


@pytest.mark.parametrize("agreed", [True, False])
def test_a_file_with_the_added_ending_is_asked_about(
    qtbot: QtBot, tmp_path: Path, agreed: bool
) -> None:
    """Through Qt's own dialog, by keys."""
    (tmp_path / "run.json").write_text("old")
    window = QWidget()
    qtbot.addWidget(window)
    asked: list[str] = []

    def type_it() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QFileDialog)
        line = dialog.findChild(QLineEdit)
        assert line is not None
        line.setText(str(tmp_path / "run"))
        QTimer.singleShot(0, answer)
        dialog.accept()

    def answer() -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(10, answer)
            return
        asked.append(box.text())
        kind = QMessageBox.StandardButton
        box.button(kind.Yes if agreed else kind.Cancel).click()

    QTimer.singleShot(50, type_it)
    path = ask_where(window, "Save run", "latency-1", FORMS)
    assert path == (tmp_path / "run.json" if agreed else None)
    assert "run.json is there already" in asked[0]
