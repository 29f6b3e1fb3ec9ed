"""Asks where to save a file, and sees to it that its name has the ending of its form."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from .outside_text import tip


def ask_where(parent: QWidget, title: str, name: str, forms: str) -> Path | None:
    """The file that a person chose, with an ending; None when it was called off.

    Args:
        parent: The window, or a part of it.
        title: Of the dialog.
        name: Proposed, without ending.
        forms: Qt's filters, an ending each: `JSON (*.json);;CSV (*.csv)`.
    """
    text, form = QFileDialog.getSaveFileName(parent, title, name, forms)
    if not text:
        return None
    typed, path = Path(text), with_ending(Path(text), forms, form)
    return path if path == typed or _may_replace(parent, title, path) else None


def with_ending(path: Path, forms: str, form: str) -> Path:
    """The path as it is where it has one of the endings, else with that of the chosen form."""
    endings = _endings(forms)
    if path.suffix.lower() in endings:
        return path
    return path.with_name(path.name + (_endings(form) or endings)[0])


def _endings(forms: str) -> list[str]:
    return re.findall(r"\*(\.\w+)", forms)


def _may_replace(parent: QWidget, title: str, path: Path) -> bool:
    """Ask again for a name with an added ending: the dialog asked for the typed one only."""
    if not path.exists():
        return True
    button = QMessageBox.StandardButton
    text = tip(f"{path} is there already. Replace it?")
    answer = QMessageBox.question(parent, title, text, button.Yes | button.Cancel, button.Cancel)
    return answer == button.Yes
