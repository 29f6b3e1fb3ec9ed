"""Commands of a window to an engine, and the engine's answers.

Small frozen dataclasses: they are pickled through a pipe when the engine is a process of its own,
and passed as they are when it is not. Bytes in them are what a person typed or copies (at most
MAX_INLINE); files are read and written by the engine itself, and the watched bytes are in Frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Never, TypeVar

from ..errors import ScopeError
from ..measure.bandwidth.mapping_speed import MappingSpeed
from ..region.region import RegionInfo, RegionSpec
from ..values.pointer import PointerForm, PointingPlaces
from ..watch.frame import F32
from ..write.record import FreezeState, RepeatState, Seen, WriteRecord

if TYPE_CHECKING:
    from ..write.freezes import Freeze
    from ..write.patterns import Pattern, Repeat

MAX_INLINE: Final = 16 << 20
R_co = TypeVar("R_co", covariant=True)


class Command(Generic[R_co]):
    """Base of everything that the window asks; its parameter is the type of the result.

    A `Command[Never]` has no result and no answer. Who carries a command out, and where, says
    its row in the command table (command_table.py).
    """

    __slots__ = ()


# --- watching: acted upon at once, no answer --------------------------------------------------


@dataclass(frozen=True, slots=True)
class WatchRange(Command[Never]):
    """Show this span (clamped to the region) from the next tick on."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class SetRate(Command[Never]):
    """Ticks per second, 1 to 240."""

    hz: float


@dataclass(frozen=True, slots=True)
class SetPaused(Command[Never]):
    """Freeze the picture, or let it live again."""

    paused: bool


@dataclass(frozen=True, slots=True)
class Step(Command[Never]):
    """One tick while paused."""


@dataclass(frozen=True, slots=True)
class SetBudget(Command[Never]):
    """Share of one core that sampler and sweep may take, 0.01 to 1."""

    share: float


@dataclass(frozen=True, slots=True)
class SetLocked(Command[Never]):
    """Lock or unlock writing."""

    locked: bool


# --- asking: answered with Done (with the result) or Failed --------------------------------------


@dataclass(frozen=True, slots=True)
class Read(Command[bytes]):
    """Bytes, at most MAX_INLINE of them."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class ReadRanges(Command[tuple[bytes, ...]]):
    """The bytes of several ranges (start, length), together at most MAX_INLINE.

    A range that reaches out of the region is cut, maybe to nothing.
    """

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class FindChange(Command[int | None]):
    """Offset of the next (or previous) byte that was seen to change; None when there is none.

    Attributes:
        start: Search begins behind (before) this offset and wraps around.
        within_ns: Only changes at most this old; 0 is any.
    """

    start: int
    backwards: bool = False
    within_ns: int = 0


@dataclass(frozen=True, slots=True)
class FindPointers(Command[PointingPlaces]):
    """The places whose value leads to an offset. Progress while it goes on.

    Attributes:
        target: The offset.
        form: How such values are kept.
        aligned: Only at multiples of their width.
    """

    target: int
    form: PointerForm
    aligned: bool = True


@dataclass(frozen=True, slots=True)
class Write(Command[WriteRecord]):
    """A compared write; refused with ConflictError when the bytes are not as seen.

    Attributes:
        seen: The bytes as they were shown, all of them or a part; None writes without comparing.
        force: Write even when the bytes are no longer as seen.
        width: 1, 2, 4 or 8 for a single aligned store; None copies.
        label: What the person did: `typed`, `paste`, `inspector`, ...
        go: Writes with the same number, each right behind the one before, are undone together;
            0 is none.
    """

    offset: int
    data: bytes
    seen: bytes | Seen | None = None
    force: bool = False
    width: int | None = None
    label: str = "typed"
    go: int = 0


@dataclass(frozen=True, slots=True)
class Undo(Command[WriteRecord]):
    """Take the last write back. Progress when it is large.

    A conflict, a lock or a Cancel half way leaves the rest to another Undo, and what was put
    back to a Redo.

    Attributes:
        force: Also where the bytes are no longer as we left them.
        number: Only when the last write is this entry of the journal; 0 takes any.
    """

    force: bool = False
    number: int = 0


@dataclass(frozen=True, slots=True)
class Redo(Command[WriteRecord]):
    """Do what was undone last again; as Undo."""

    force: bool = False
    number: int = 0


@dataclass(frozen=True, slots=True)
class ListWrites(Command[tuple[WriteRecord, ...]]):
    """The journal's entries whose number is above `after`, oldest first."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class Fill(Command[WriteRecord]):
    """Fill a range with a pattern. Progress while it goes on.

    Attributes:
        seen: What a person saw of the range; ConflictError when it is not so any more.
        force: Write all the same.
    """

    start: int
    length: int
    pattern: Pattern
    seen: Seen | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class LoadFile(Command[WriteRecord]):
    """Copy a file's bytes into the region. Progress while it goes on.

    Attributes:
        length: Bytes to load; None is the whole file, which must fit.
        seen, force: As for Fill.
    """

    path: str
    start: int
    length: int | None = None
    file_offset: int = 0
    seen: Seen | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class SaveFile(Command[int]):
    """Copy a range of the region to a file (written beside it, then renamed).

    Progress while it goes on; its result is the number of bytes written.
    """

    path: str
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class CopyRange(Command[WriteRecord]):
    """Copy inside the region; the ranges may overlap. Reports progress.

    Attributes:
        seen, force: As for Fill, of the target.
    """

    source: int
    target: int
    length: int
    seen: Seen | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class StartRepeat(Command[int]):
    """Write a live test signal at an interval: its number.

    Attributes:
        seen, force: As for Fill, of the first write.
    """

    repeat: Repeat
    seen: Seen | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class StartFreeze(Command[int]):
    """Write bytes again whenever a peer changes them, until it is stopped: its number.

    Not compared with what was seen: that a peer writes there is why a person wants it.
    """

    freeze: Freeze


@dataclass(frozen=True, slots=True)
class StopRepeat(Command[WriteRecord | None]):
    """Stop one signal or frozen value, or all (number 0): the last one's entry in the journal."""

    number: int = 0


@dataclass(frozen=True, slots=True)
class ListRepeats(Command[tuple[RepeatState | FreezeState, ...]]):
    """How each signal and each frozen value goes."""


@dataclass(frozen=True, slots=True)
class MeasureSpeed(Command[MappingSpeed]):
    """How fast the mapping copies.

    Attributes:
        start, length: Where writing may be measured (the bytes are restored); 0 bytes: only
            reading is measured.
    """

    start: int = 0
    length: int = 0


@dataclass(frozen=True, slots=True)
class SampleEntropy(Command[F32]):
    """The entropy of equal parts of the region, in bits per byte; NaN where it is a hole.

    Attributes:
        parts: How many.
    """

    parts: int


@dataclass(frozen=True, slots=True)
class Cancel(Command[Never]):
    """Stop the command with this request number, whether it runs or waits.

    It is answered with Failed(CancelledError), or as if nothing had been said when it had ended
    already or its row says that it cannot be cancelled.
    """

    request: int


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
class Ending(Answer):
    """How it goes when something that owes bytes ends: a test, a responder, the engine with it.

    Attributes:
        waits: What is waited for, as a sentence; empty once that is over.
        left: What could not be put in order, as a sentence; empty when nothing.
    """

    waits: str = ""
    left: str = ""


@dataclass(frozen=True, slots=True)
class Progress(Answer):
    """How far a command is; `total` is 0 when unknown."""

    request: int
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Done(Answer):
    """A command ended well; the value is of the command's result type."""

    request: int
    value: object = None


@dataclass(frozen=True, slots=True)
class Failed(Answer):
    """A command ended with an error."""

    request: int
    error: ScopeError
