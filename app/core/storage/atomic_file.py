"""Files that are written whole or not at all, and paths that Windows would refuse.

Without a prefix Windows refuses paths of 260 characters and more, unless an administrator changed
that. And in a folder without permission tempfile.mkstemp on Windows assumes that the name is taken,
and tries 2 147 483 647 others (bpo-22107): a save into a read-only folder would never return.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

_LONG: Final = 220  # folders end at 248, files at 260; make_beside adds some
_TRIES: Final = 16
_BINARY: Final = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)


def any_length(path: str | Path) -> str:
    """A path that may be long, as Windows takes it; the path as it is elsewhere."""
    return prefixed(str(path)) if os.name == "nt" else str(path)


def prefixed(path: str) -> str:
    """The path with the prefix that lifts Windows' limit, when it is long enough to need it."""
    import ntpath

    full = ntpath.abspath(path)
    if len(full) < _LONG or full.startswith("\\\\?\\"):
        return path
    if full.startswith("\\\\"):  # \\server\share
        return "\\\\?\\UNC\\" + full[2:]
    return "\\\\?\\" + full


def resolved(path: str | Path) -> Path:
    """The path without links, of any length; raises as Path.resolve() does."""
    full = Path(any_length(path))
    try:
        return full.resolve()
    except OSError:
        if os.name != "nt":
            raise
        return full.absolute()  # some file systems cannot tell where a long path ends


def make_beside(target: Path, mode: int = 0o600) -> tuple[int, Path]:
    """A new empty file in the target's folder, to be renamed to it: its descriptor and path.

    Args:
        target: What it will replace.
        mode: Its permissions, less those that the process's umask takes away.

    Raises:
        OSError: As opening does.
    """
    for left in reversed(range(_TRIES)):
        # 20 characters: with what is added, never more than a name's 255 bytes.
        path = target.with_name(f".{target.name[:20]}-{secrets.token_hex(4)}")
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, mode), path
        except FileExistsError:
            if not left:
                raise
    raise AssertionError  # the loop returned or raised
