"""What was recognised in a region as a decoration: the header that tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...hex.decorations.decorations import Decoration, Mark, Tint

if TYPE_CHECKING:
    from ....core.protocols.known_content import Content


def content_ranges(content: Content | None) -> list[Decoration]:
    """The header; nothing for what has none (text, zeros)."""
    if content is None or not content.header_bytes:
        return []
    tip = f"header of {content}"
    return [
        Decoration(content.offset, content.header_bytes, Tint.INDIGO, Mark.BELOW, content.name, tip)
    ]
