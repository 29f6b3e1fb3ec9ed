"""A sentence for the message bar."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.watch.frame import Level


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened, and what to do.

    Attributes:
        level: Good notices go away by themselves; the others stay until closed or cleared.
        text: One sentence.
        hint: What to do next.
        actions: Words of buttons; the bar says which was pressed.
        key: A later notice with the same key takes this one's place.
        command: A command line to copy.
    """

    level: Level
    text: str
    hint: str = ""
    actions: tuple[str, ...] = ()
    key: str = ""
    command: str = ""
