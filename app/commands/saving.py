"""The file for a verb's result: checked before anything is measured, written at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from ..core.errors import StorageError, ValueFormatError
from ..core.storage.atomic_file import check_target, write_text
from .common import say

Forms = Mapping[str, Callable[[], str]]


def check_place(typed: str, suffixes: tuple[str, ...]) -> None:
    """Whether a result can be written there, as far as one can tell without writing; - is stdout.

    Raises:
        ValueFormatError: No result has that form.
        StorageError: There is no such folder, it may not be written, or the path is a folder or
            shared memory.
    """
    if typed == "-":
        return
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
    target = check_target(typed)
    places = (target, target.parent) if target.is_file() else (path if path.exists() else folder,)
    if not all(os.access(place, os.W_OK) for place in places):
        raise StorageError(f"{typed} may not be written.", "Name a place that is yours.")


def save_text(typed: str, forms: Forms) -> None:
    """Write the form that the file's suffix names; without a suffix the first.

    Raises:
        StorageError: It could not be written after all.
    """
    make = forms.get(Path(typed).suffix.lower(), next(iter(forms.values())))
    text = make()
    if typed == "-":
        say(text.rstrip("\n"))
    else:
        write_text(typed, text)
