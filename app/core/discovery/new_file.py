"""Makes the file that a guest will share, before a guest does."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from ..errors import StorageError
from ..region.region import RegionKind, RegionSpec
from .setup_help import setup_help

ON_HOST: Final = os.name != "nt"  # a Windows guest has devices, and no such file


def create_shared_file(size: int, name: str) -> RegionSpec:
    """An empty file in /dev/shm for a device of this size; an existing one is left alone.

    Its permission is 0660, as in the text that `setup_help` gives. No memory is taken until
    something is written.

    Raises:
        SetupError: No such device is possible.
        StorageError: It is there already, or cannot be made.
    """
    path = Path(setup_help(size, name).path)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o660)
    except FileExistsError:
        raise StorageError(
            f"{path} is there already.", "Open it, or choose another name."
        ) from None
    except OSError as error:
        raise StorageError(f"{path} could not be made ({error.strerror}).") from error
    try:
        os.truncate(handle, size)
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink()
        raise StorageError(f"{path} could not be made ({error.strerror}).") from error
    finally:
        os.close(handle)
    return RegionSpec(RegionKind.FILE, str(path))
