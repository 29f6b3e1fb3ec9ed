"""Copies what is selected from the memory itself, and not from what is shown of it."""

from __future__ import annotations

from collections.abc import Callable

from ...core.engine import messages as msg
from ...core.values.export_formats import copy_as
from ...core.values.units import format_size
from ..hex import clipboard
from ..hex.widget import HexView
from ..session.session import Session


def copy_selection(
    view: HexView,
    session: Session,
    form: str,
    refuse: Callable[[str], object],
    done: Callable[[str], object],
) -> None:
    """Put the selection, or the byte at the cursor, on the clipboard.

    Args:
        view: Whose selection.
        session: Where the bytes are read.
        form: One of `export_formats.FORMS`.
        refuse: Gets a sentence about why nothing is copied.
        done: Gets a sentence about what was copied, when it is there.
    """
    start, length = view.selection()
    if not length:
        start, length = view.cursor(), 1
    if length > clipboard.MAX_COPY:
        refuse(
            f"{format_size(length)} are more than can be copied "
            f"({format_size(clipboard.MAX_COPY)}). Ctrl+S saves them to a file."
        )
        return

    def put(data: bytes) -> None:
        clipboard.put(data, copy_as(form, data, start))
        done(f"Copied {format_size(len(data))} as {form}.")

    session.ask(msg.Read(start, length), put)
