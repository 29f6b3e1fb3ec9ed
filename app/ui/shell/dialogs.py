"""The few dialogs of a window: which file, where to save a picture, keys, what this program is."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from ...core.errors import StorageError
from ...core.storage.atomic_file import write_file
from ...core.watch.frame import Level
from ...version import __version__
from ..session.notice import Notice
from ..style.save_dialog import ask_where
from .actions import Actions
from .command_palette import KeyList


def ask_for_region(parent: QWidget) -> str:
    """The file that a person chooses to open as shared memory; empty when none."""
    start = "/dev/shm" if Path("/dev/shm").is_dir() else ""  # noqa: S108 - it is the place
    path, _ = QFileDialog.getOpenFileName(parent, "Open shared memory", start)
    return path


def save_picture(window: QWidget) -> Notice | None:
    """Save what the window shows; a Notice about what became of it, None when it was called off."""
    path = ask_where(window, "Save a picture", "ivshmem-scope", "PNG (*.png)")
    if path is None:
        return None
    try:
        write_picture(window, str(path))
    except StorageError as error:
        return Notice(Level.WARNING, error.message, error.hint, key="picture")
    return Notice(Level.GOOD, f"Saved the picture to {path}.", key="picture")


def write_picture(window: QWidget, path: str) -> None:
    """Write what the window shows, in the form that the name ends with; without one as PNG.

    Raises:
        StorageError: It cannot be written, or there is no such form.
    """
    form = Path(path).suffix.lstrip(".").lower() or "png"
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not window.grab().save(buffer, form):
        raise StorageError(f"A picture cannot be saved as .{form}.", "Use .png.")
    write_file(path, (bytes(content.data()),), wait_s=0)  # the window does not wait for a pipe


def show_keys(actions: Actions, parent: QWidget) -> None:
    """All keys, those of the view that has the focus first."""
    KeyList(actions, actions.scope_in_focus(), parent).show()


def show_about(parent: QWidget) -> None:
    """Name, version, licence."""
    QMessageBox.about(
        parent,
        "About IVSHMEM Scope",
        f"<b>IVSHMEM Scope {__version__}</b><br>An oscilloscope for memory that a QEMU host "
        "and its guests share.<br>MIT licence.",
    )
