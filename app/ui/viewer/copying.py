"""Copies what is selected from the memory itself, and not from what is shown of it."""

from __future__ import annotations

from collections.abc import Callable

from ...core.engine import range_messages as rm
from ...core.values.byte_block import ByteBlock
from ...core.values.export_formats import copy_block_as
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
    block = view.selected_block()
    if not block.length:
        block = ByteBlock(view.cursor(), 1)
    if block.length > clipboard.MAX_COPY:
        refuse(
            f"{format_size(block.length)} are more than can be copied "
            f"({format_size(clipboard.MAX_COPY)}). Ctrl+S saves them to a file."
        )
        return

    def put(data: bytes) -> None:
        clipboard.put(data, copy_block_as(form, data, block))
        done(f"Copied {format_size(len(data))} as {form}.")

    session.ask(rm.ReadBlock(block), put)
