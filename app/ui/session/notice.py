"""A sentence for the message bar."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.region.region import RegionInfo
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


def read_only_notice(info: RegionInfo, consequence: str = "") -> Notice:
    """A region that cannot be written, why, and the command that mends it where there is one."""
    reason = info.read_only_reason or "It was opened for reading only."
    text = f"{info.name} is read-only{consequence}."
    return Notice(Level.WARNING, text, reason, key="read-only", command=info.read_only_command)
