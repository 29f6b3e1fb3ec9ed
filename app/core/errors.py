"""The one error hierarchy.

Every error is a sentence for the person who met it, and a hint that says what to do next.
They are sent from the engine's process to the window, so each one can be pickled.
"""

from __future__ import annotations

from typing import Any


class ScopeError(Exception):
    """Base of everything that IVSHMEM Scope raises on purpose.

    Attributes:
        message: One sentence: what happened, in the field's words.
        hint: What to do next; may be empty when there is nothing to do.
        command: A command line that helps, to copy; empty when there is none.
    """

    code = "error"
    default_hint = ""

    def __init__(self, message: str, hint: str = "", *, command: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.default_hint
        self.command = command

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, dict(self.__dict__))


def _rebuild(kind: type[ScopeError], args: tuple[Any, ...], state: dict[str, Any]) -> ScopeError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


# --- finding and opening -------------------------------------------------------------------


class CannotFindError(ScopeError):
    """No such file, device or address (the seed's ErrCantFind)."""

    code = "cannot-find"
    default_hint = "Rescan the devices, or check the path."


class UnsuitableError(ScopeError):
    """It exists, but it cannot be a shared region: a directory, an empty file, a wrong node."""

    code = "unsuitable"


class AccessDeniedError(ScopeError):
    """The system refuses to open or map it."""

    code = "access-denied"


class HeldByAnotherError(ScopeError):
    """Another program holds the device's only mapping (Windows error 548)."""

    code = "held-by-another"
    default_hint = "Close the other program (Looking Glass, Scream, another window) and try again."


class DriverMissingError(ScopeError):
    """The device is there, but no driver that offers its memory."""

    code = "driver-missing"


class DriverError(ScopeError):
    """The driver refused, or gave an impossible answer."""

    code = "driver"


# --- the state of a mapping ------------------------------------------------------------------


class AlreadyMappedError(ScopeError):
    """map() on something that is mapped."""

    code = "already-mapped"
    default_hint = "Use the mapping that is open, or unmap() it first."


class AlreadyUnmappedError(ScopeError):
    """unmap() on something that was unmapped."""

    code = "already-unmapped"
    default_hint = "Nothing to do: it is not mapped."


class NotMappedError(ScopeError):
    """Reading, writing or syncing something that is not mapped."""

    code = "not-mapped"
    default_hint = "Call map() first."


# --- the memory of a mapped region -------------------------------------------------------------


class RegionGoneError(ScopeError):
    """The memory behind the region is not what it was. Base of the four below."""

    code = "region-gone"
    default_hint = "Try again: it is opened afresh."


class TruncatedError(RegionGoneError):
    """The file became shorter than the region."""

    code = "truncated"


class DeletedError(RegionGoneError):
    """The file has no name any more; the bytes are only ours."""

    code = "deleted"


class ReplacedError(RegionGoneError):
    """The path now names another file (a VM restart makes a new one)."""

    code = "replaced"


class UnpluggedError(RegionGoneError):
    """The PCI device was removed."""

    code = "unplugged"


class ClosedError(RegionGoneError):
    """The region was closed."""

    code = "closed"


# --- asking for the wrong thing -----------------------------------------------------------------


class OutOfRangeError(ScopeError):
    """An offset or a length outside the region."""

    code = "out-of-range"


class MisalignedError(ScopeError):
    """A single load or store that is not aligned to its width."""

    code = "misaligned"
    default_hint = "A single load or store is atomic only at a multiple of its width."


class ReadOnlyError(ScopeError):
    """Writing to a region that was opened, or may only be opened, for reading."""

    code = "read-only"


class LockedError(ScopeError):
    """Writing while writing is locked."""

    code = "locked"
    default_hint = "Unlock writing (Ctrl+L)."


class ExpressionError(ScopeError):
    """Text that is no offset, size or expression."""

    code = "expression"


class ValueFormatError(ScopeError):
    """Text or bytes that do not fit the type."""

    code = "value"


class ConflictError(ScopeError):
    """The bytes changed since they were shown, by a peer or by another writer of this program.

    Attributes:
        offset: Where the three byte strings lie.
        seen: What the person saw.
        now: What is there.
        mine: What the person wanted to write.
        entry: The journal's entry whose undo or redo it stopped; 0 for a write.
    """

    code = "conflict"
    default_hint = "Write anyway, or take the new value."

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        offset: int = 0,
        seen: bytes = b"",
        now: bytes = b"",
        mine: bytes = b"",
    ) -> None:
        super().__init__(message, hint)
        self.offset = offset
        self.seen = seen
        self.now = now
        self.mine = mine
        self.entry = 0


class BusyError(ScopeError):
    """A long command is running, and this one has to wait for it."""

    code = "busy"


class NothingToUndoError(ScopeError):
    """Undo or redo with nothing left."""

    code = "nothing-to-undo"


class CancelledError(ScopeError):
    """A person stopped it."""

    code = "cancelled"


class StorageError(ScopeError):
    """A file on disk could not be read or written (full disk, permission)."""

    code = "storage"


# --- measuring ------------------------------------------------------------------------------------


class LaneError(ScopeError):
    """No lane, a damaged one, or one that does not fit or may not be there."""

    code = "lane"


class LanePlaceError(LaneError):
    """No lane can lie there as it was asked for: its place, its size, or its slots."""

    code = "lane-place"


class LaneVersionError(LaneError):
    """A lane of a version that this program does not know."""

    code = "lane-version"


class LaneLostError(LaneError):
    """The lane is gone: removed, or written over."""

    code = "lane-lost"
    default_hint = "Start the measurement again."


class MemoryInUseError(LaneError):
    """Another program uses the bytes where the lane should lie: they change, or it is known."""

    code = "memory-in-use"
    default_hint = "Choose another place, or lay the lane there all the same."


class NoPeerError(ScopeError):
    """No peer answers in the lane."""

    code = "no-peer"
    default_hint = "Start `ivshmem-scope respond` on the other side, or switch its responder on."


class PeerBusyError(ScopeError):
    """Another initiator measures in this slot."""

    code = "peer-busy"
    default_hint = "Wait until it is done, or choose another peer."


class PeerRefusedError(ScopeError):
    """The peer does not do what was asked."""

    code = "peer-refused"


class MeasureOptionError(ScopeError):
    """A rate, duration, size or core that cannot be measured with."""

    code = "measure-option"


class EngineGoneError(ScopeError):
    """The engine's process ended. Base of the one below."""

    code = "engine-gone"
    default_hint = "Try again: another is started."


class EngineStoppedError(EngineGoneError):
    """The engine's process still runs and does not answer; it may go on."""

    code = "engine-stopped"
    default_hint = "Wait, or try again to end it and start another."
