"""Commands of a window to an engine, and the engine's answers.

Small frozen dataclasses: they are pickled through a pipe when the engine is a process of its own,
and passed as they are when it is not. Bytes in them are what a person typed or copies (at most
MAX_INLINE); files are read and written by the engine itself, and the watched bytes are in Frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..errors import ScopeError
from ..region.region import RegionInfo, RegionSpec

if TYPE_CHECKING:
    from ..write.patterns import Pattern, Repeat

MAX_INLINE: Final = 16 << 20


class Command:
    """Base of all commands."""

    __slots__ = ()


# --- watching: answered at once, no result ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class WatchRange(Command):
    """Show this span (clamped to the region) from the next tick on."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class SetRate(Command):
    """Ticks per second, 1 to 240."""

    hz: float


@dataclass(frozen=True, slots=True)
class SetPaused(Command):
    """Stop ticking, or go on."""

    paused: bool


@dataclass(frozen=True, slots=True)
class Step(Command):
    """One tick while paused."""


@dataclass(frozen=True, slots=True)
class SetBudget(Command):
    """Share of one core that sampler and sweep may take, 0.01 to 1."""

    share: float


@dataclass(frozen=True, slots=True)
class SetLocked(Command):
    """Lock or unlock writing."""

    locked: bool


# --- asking: answered with Done or Failed -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read(Command):
    """Bytes, at most MAX_INLINE of them. Done.value: bytes."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class FindChange(Command):
    """Next (or previous) byte that was seen to change. Done.value: offset or None.

    Attributes:
        start: Search begins behind (before) this offset and wraps around.
        within_ns: Only changes at most this old; 0 is any.
    """

    start: int
    backwards: bool = False
    within_ns: int = 0


@dataclass(frozen=True, slots=True)
class Write(Command):
    """A compared write. Done.value: WriteRecord; Failed.error: ConflictError and others.

    Attributes:
        seen: The bytes as they were shown; None writes without comparing.
        force: Write even when the bytes are no longer as seen.
        width: 1, 2, 4 or 8 for a single aligned store; None copies.
        label: What the person did: `typed`, `paste`, `inspector`, ...
    """

    offset: int
    data: bytes
    seen: bytes | None = None
    force: bool = False
    width: int | None = None
    label: str = "typed"


@dataclass(frozen=True, slots=True)
class Undo(Command):
    """Take the last write back. Done.value: WriteRecord."""

    force: bool = False


@dataclass(frozen=True, slots=True)
class Redo(Command):
    """Do it again. Done.value: WriteRecord."""

    force: bool = False


@dataclass(frozen=True, slots=True)
class ListWrites(Command):
    """Done.value: tuple of WriteRecord whose number is above `after`, oldest first."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class Fill(Command):
    """Fill a range with a pattern. Progress, then Done.value: WriteRecord."""

    start: int
    length: int
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class LoadFile(Command):
    """Copy a file's bytes into the region. Progress, then Done.value: WriteRecord.

    Attributes:
        length: Bytes to load; None is the whole file, which must fit.
    """

    path: str
    start: int
    length: int | None = None
    file_offset: int = 0


@dataclass(frozen=True, slots=True)
class SaveFile(Command):
    """Copy a range of the region to a file (written beside it, then renamed).

    Progress, then Done.value: the number of bytes written.
    """

    path: str
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class CopyRange(Command):
    """Copy inside the region; overlap is right. Progress, then Done.value: WriteRecord."""

    source: int
    target: int
    length: int


@dataclass(frozen=True, slots=True)
class StartRepeat(Command):
    """Write a live test signal at an interval. Done.value: its number."""

    repeat: Repeat


@dataclass(frozen=True, slots=True)
class StopRepeat(Command):
    """Stop one signal, or all (number 0). Done.value: WriteRecord or None."""

    number: int = 0


@dataclass(frozen=True, slots=True)
class ListRepeats(Command):
    """Done.value: tuple of RepeatState."""


@dataclass(frozen=True, slots=True)
class MeasureSpeed(Command):
    """How fast the mapping copies. Done.value: MappingSpeed.

    Attributes:
        start, length: Where writing may be measured (the bytes are restored); 0 bytes: only
            reading is measured.
    """

    start: int = 0
    length: int = 0


class MeasurementCommand(Command):
    """Base of what measures (measurement_messages.py); answered as the others are."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Cancel(Command):
    """Stop the running command with this request number."""

    request: int


@dataclass(frozen=True, slots=True)
class Close(Command):
    """End the engine, in order."""


# Acted upon at once, without an answer; every other command is answered with Done or Failed.
UNANSWERED: Final = (WatchRange, SetRate, SetPaused, Step, SetBudget, SetLocked, Cancel, Close)


# --- what comes back -----------------------------------------------------------------------------


class Answer:
    """Base of all answers."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Opened(Answer):
    """The region is open; Frames follow."""

    info: RegionInfo


@dataclass(frozen=True, slots=True)
class OpenFailed(Answer):
    """It could not be opened; the engine ends."""

    spec: RegionSpec
    error: ScopeError


@dataclass(frozen=True, slots=True)
class Progress(Answer):
    """How far a command is; `total` is 0 when unknown."""

    request: int
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Done(Answer):
    """A command ended well."""

    request: int
    value: Any = None


@dataclass(frozen=True, slots=True)
class Failed(Answer):
    """A command ended with an error."""

    request: int
    error: ScopeError
