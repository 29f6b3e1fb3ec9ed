"""The file for a verb's result: checked before anything is measured, written at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from ..core.errors import StorageError, ValueFormatError

Forms = Mapping[str, Callable[[], str]]


def check_place(typed: str, suffixes: tuple[str, ...]) -> None:
    """Whether a result can be written there, as far as one can tell without writing.

    Raises:
        ValueFormatError: No result has that form.
        StorageError: There is no such folder, it may not be written, or the path is a folder.
    """
    path = Path(typed)
    if path.is_dir():
        raise StorageError(f"{typed} is a folder.", "Name a file in it.")
    if path.suffix.lower() not in ("", *suffixes):
        raise ValueFormatError(
            f"A result cannot be kept as {path.suffix}.", f"It can as {', '.join(suffixes)}."
        )
    folder = path.parent
    if not folder.is_dir():
        raise StorageError(f"There is no folder {folder}, so {typed} could not be written.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise StorageError(f"{typed} may not be written.", "Name a place that is yours.")


def save_text(typed: str, forms: Forms) -> None:
    """Write the form that the file's suffix names; without a suffix the first.

    Raises:
        StorageError: It could not be written after all.
    """
    make = forms.get(Path(typed).suffix.lower(), next(iter(forms.values())))
    text = make()
    try:
        Path(typed).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{typed} could not be written ({error.strerror}).") from error
