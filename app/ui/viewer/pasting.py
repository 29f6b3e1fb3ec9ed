"""Pasting into one region: asks in the paste bar what a text means, writes runs and rectangles."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from ...core.engine import range_messages as rm
from ...core.errors import ConflictError, ScopeError
from ...core.values.byte_block import ByteBlock
from ...core.values.units import format_size
from ...core.write.patterns import SequencePattern
from ..hex.widget import HexView
from ..session.write_requests import Watcher, Writing
from .paste_bar import PasteBar


class Pasting(QObject):
    """Between hex view and paste bar.

    Args:
        view: Asks for a paste, and is pasted into.
        bar: Where a person is asked.
        done: Gets a sentence about what landed.
        refused: Gets a sentence about why nothing was written.

    Attributes:
        writing: Through which rectangles are written; None without a region.
    """

    def __init__(
        self,
        view: HexView,
        bar: PasteBar,
        done: Callable[[str], object],
        refused: Callable[[str], object],
    ) -> None:
        super().__init__(view)
        self.writing: Writing | None = None
        self._view, self._done, self._refused = view, done, refused
        view.paste_asked.connect(bar.ask)
        view.block_selected.connect(lambda block: bar.set_place(block.start))
        view.block_paste_wanted.connect(self._paste_block)
        bar.accepted.connect(self._paste)

    def _paste(self, data: bytes) -> None:
        self._view.setFocus()
        self._view.editor.paste_bytes(data)

    def _paste_block(self, block: ByteBlock, data: bytes) -> None:
        """Row by row over what was seen there, as one step of the undo."""
        if self.writing is None:
            return
        text = f"Pasted {format_size(len(data))} into {block.rows} rows; undo with Ctrl+Z."

        def failed(error: ScopeError) -> None:
            if not isinstance(error, ConflictError):  # about which a person is asked in place
                self._refused(str(error))

        watcher = Watcher(
            begun=lambda _request: None,
            done=lambda _record: self._done(text),
            failed=failed,
            progress=lambda _done, _total: None,
            given_up=lambda: None,
        )
        command = rm.FillBlock(block, SequencePattern(data), "paste")
        self.writing.use_tool(command, (block.start, block.span), "Write mine", watcher)
