"""A file that cannot be used is kept under another name, for a person to look at."""

from __future__ import annotations

import time
from pathlib import Path


def set_aside(path: Path, what: str) -> Path:
    """Rename a file to `name.what-date-time`, which replaces none; its new path.

    Raises:
        OSError: It stays as it is.
    """
    stem = f"{path.name}.{what}-{time.strftime('%Y%m%d-%H%M%S')}"
    aside = path.with_name(stem)
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{stem}-{number}")
    path.rename(aside)
    return aside
