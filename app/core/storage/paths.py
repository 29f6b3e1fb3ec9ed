"""The program's own files: settings and logs in the platform's folders, resources in its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import platformdirs

APP_NAME: Final = "ivshmem-scope"


def settings_file() -> Path:
    """The settings; its directory may not exist yet."""
    return Path(platformdirs.user_config_dir(APP_NAME, appauthor=False, roaming=True)) / (
        "settings.json"
    )


def state_dir() -> Path:
    """Data that must survive a crash (saved bytes under a lane); may not exist yet."""
    return Path(platformdirs.user_state_dir(APP_NAME, appauthor=False))


def data_dir() -> Path:
    """What a person made and would miss (bookmarks); may not exist yet."""
    return Path(platformdirs.user_data_dir(APP_NAME, appauthor=False, roaming=True))


def log_dir() -> Path:
    """Logs and crash reports; may not exist yet."""
    return Path(platformdirs.user_log_dir(APP_NAME, appauthor=False))


def resource_dir() -> Path:
    """Icons and pictures: unpacked by PyInstaller, inside the wheel, or at the checkout's root.

    PyInstaller: "Run-time Information", sys._MEIPASS.
    """
    frozen = getattr(sys, "_MEIPASS", None)
    if frozen is not None:
        return Path(frozen) / "resources"
    package = Path(__file__).resolve().parents[2]
    inside = package / "_resources"
    return inside if inside.is_dir() else package.parent / "resources"
