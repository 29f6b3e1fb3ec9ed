"""The journal on disk: what the next engine of the same window needs to go on with it.

Two files in the state folder, for the person only: `.journal`, to which each change of the journal
is appended as a line of JSON, and `.undo` (undo_store.py) with the old and new bytes. A chunk is
noted before it is written, so one that was cut off by the engine's end is found, too. Nothing is
synced: the files survive the end of a process, which is what they are for. The window deletes them
when it closes the region; those of a window that was killed are deleted by a later start.

Lines: `k` a chunk is about to be written, `g` a test signal begins to write there, `d` it was not
written or the signal has its entry; `s` a step as it stands now, `x` it has
gone; `r` an entry, `m` its outcome; `t` an undo or redo begins to write, `e` it has ended.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from ..region.region import RegionInfo
from ..storage.paths import state_dir
from .record import WriteOutcome, WriteRecord
from .steps import Piece, Step

log = logging.getLogger(__name__)
FORMAT: Final = 1
SUFFIX: Final = ".journal"
UNDO_SUFFIX: Final = ".undo"
_DRAFT: Final = ".draft"
_LARGE: Final = 64 << 20


def new_journal() -> Path:
    """Where the journal of a new window goes; the name says whose it is, and can't be guessed."""
    return state_dir() / "journals" / f"{os.getpid()}-{secrets.token_hex(8)}{SUFFIX}"


def remove_journal(path: Path) -> None:
    """Delete it with its old bytes, if it exists."""
    for suffix in (UNDO_SUFFIX, _DRAFT, SUFFIX):
        with contextlib.suppress(OSError):
            path.with_suffix(suffix).unlink(missing_ok=True)


def remove_stale(folder: Path | None = None) -> None:
    """Delete the journals of windows that were killed."""
    place = folder or state_dir() / "journals"
    for path in place.glob(f"*{SUFFIX}") if place.is_dir() else ():
        if _is_stale(path):
            remove_journal(path)


def _is_stale(path: Path) -> bool:
    if _owner(path) == os.getpid():
        return False
    from ..storage.process_age import has_ended  # rarely needed

    header = read_header(path)
    return has_ended(_owner(path), header["owner_s"] if header is not None else -1.0)


def _owner(path: Path) -> int:
    number = path.name.partition("-")[0]
    return int(number) if number.isdecimal() else -1


def read_header(path: Path) -> dict[str, Any] | None:
    """The first line; None when it is not a journal's."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline(1 << 16))
        known = header["format"] == FORMAT and isinstance(header["owner_s"], int | float)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return header if known else None


def region_identity(info: RegionInfo) -> dict[str, Any]:
    """Tells a region from a later one of the same name."""
    try:
        status = Path(info.path).stat()
        identity = f"{status.st_dev}:{status.st_ino}"
    except (OSError, ValueError):
        identity = ""  # a device's interface on Windows
    return {
        "path": info.path,
        "identity": identity,
        "start": info.spec.start,
        "size": info.size,
    }


class JournalLog:
    """Base of a journal's log; this one keeps nothing."""

    def prepare(self) -> None:
        """Writing is about to begin."""

    def piece(self, label: str, piece: Piece) -> None:
        """This chunk is about to be written; kept at once."""

    def signal(self, label: str, piece: Piece) -> None:
        """A test signal is about to write there; kept at once."""

    def dropped(self, piece: Piece) -> None:
        """It was not written, or the signal has ended and has its entry."""

    def step(self, stack: str, step: Step) -> None:
        """A step of `undo` or `redo` as it is now."""

    def gone(self, step: Step) -> None:
        """The step was removed from the stacks, and its bytes may be dropped; written at once."""

    def record(self, record: WriteRecord) -> None:
        """A new entry."""

    def mark(self, number: int, outcome: WriteOutcome) -> None:
        """What became of an entry."""

    def turning(self, number: int) -> None:
        """An undo or redo of this entry is about to write; kept at once."""

    def turned(self) -> None:
        """It has ended."""

    def commit(self) -> None:
        """Write what was recorded since the last commit."""

    @property
    def is_large(self) -> bool:
        """Whether it has grown so much that it should be written anew."""
        return False

    def rewrite(
        self, records: Iterable[WriteRecord], undo: Iterable[Step], redo: Iterable[Step]
    ) -> None:
        """Replace the whole log by the present state; no write is under way."""

    def close(self) -> None:
        """Nothing more is recorded."""


class JournalFile(JournalLog):
    """Appends to a file. It fails silently but for the log: writing never depends on it.

    Args:
        path: From `new_journal`.
        info: The region.
    """

    def __init__(self, path: Path, info: RegionInfo) -> None:
        self.path = path
        self._info = info
        self._lines: list[str] = []
        self._handle = -1
        self._size = 0
        self._limit = _LARGE
        self._failed = False

    def prepare(self) -> None:
        """Make the file, if it is not there."""
        if self._handle >= 0 or self._failed:
            return
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = _opened(self.path)
            if os.fstat(self._handle).st_size == 0:
                self._append(_line(self._header()))
        except OSError as error:
            self._give_up(error)

    def piece(self, label: str, piece: Piece) -> None:
        """Append it, with where its bytes are."""
        self._tell("k", label, self._packed(piece))
        self.commit()

    def signal(self, label: str, piece: Piece) -> None:
        """Append it, with where its bytes are."""
        self._tell("g", label, self._packed(piece))
        self.commit()

    def dropped(self, piece: Piece) -> None:
        """Append it."""
        self._tell("d", self._packed(piece))

    def step(self, stack: str, step: Step) -> None:
        """Append it."""
        pieces = [self._packed(piece) for piece in step.pieces]
        self._tell("s", stack, step.key, step.number, step.label, pieces)

    def gone(self, step: Step) -> None:
        """Append it."""
        self._tell("x", step.key)
        self.commit()

    def record(self, record: WriteRecord) -> None:
        """Append it."""
        self._tell("r", _packed_record(record))

    def mark(self, number: int, outcome: WriteOutcome) -> None:
        """Append it."""
        self._tell("m", number, outcome.name)

    def turning(self, number: int) -> None:
        """Append it."""
        self._tell("t", number)
        self.commit()

    def turned(self) -> None:
        """Append it."""
        self._tell("e")

    def commit(self) -> None:
        """Write the collected lines."""
        lines, self._lines = self._lines, []
        if self._failed or not lines:
            return
        self.prepare()
        if self._handle >= 0:
            try:
                self._append("".join(lines))
            except OSError as error:
                self._give_up(error)

    @property
    def is_large(self) -> bool:
        """Whether it has grown beyond its limit."""
        return self._size > self._limit

    def rewrite(
        self, records: Iterable[WriteRecord], undo: Iterable[Step], redo: Iterable[Step]
    ) -> None:
        """Write another file, which takes this one's place."""
        if self._failed:
            return
        self._lines = []
        for record in records:
            self.record(record)
        for stack, steps in (("undo", undo), ("redo", redo)):
            for step in steps:
                self.step(stack, step)
        lines, self._lines = self._lines, []
        draft = self.path.with_suffix(_DRAFT)
        try:
            draft.unlink(missing_ok=True)
            self.close()
            self._handle = _opened(draft)
            self._append(_line(self._header()) + "".join(lines))
            self.close()  # what is open cannot be replaced on Windows
            draft.replace(self.path)
            self._handle = _opened(self.path)
            self._limit = max(_LARGE, 4 * os.fstat(self._handle).st_size)
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """Close the file; it stays."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        self._size = 0

    # -- inside ------------------------------------------------------------------------------------

    def _header(self) -> dict[str, Any]:
        import psutil  # type: ignore[import-untyped]

        from ..storage.process_age import began_s

        try:
            owner_s = began_s(_owner(self.path))
        except (psutil.Error, OverflowError, ValueError):
            owner_s = -1.0
        return {"format": FORMAT, **region_identity(self._info), "owner_s": owner_s}

    def _tell(self, *parts: object) -> None:
        if not self._failed:
            self._lines.append(_line(parts))

    def _packed(self, piece: Piece) -> list[int]:
        """Where its bytes are; what is in memory is not there for the next process."""
        if piece.old.data is not None or piece.new.data is not None:
            self._give_up(OSError(0, "the disk has no room for the old bytes"))
        old, new = piece.old.at, piece.new.at
        return [piece.key, piece.offset, old, new, piece.length, int(piece.torn)]

    def _append(self, text: str) -> None:
        data = memoryview(text.encode())
        while data.nbytes:
            written = os.write(self._handle, data)
            self._size += written
            data = data[written:]

    def _give_up(self, error: OSError) -> None:
        """A part of a journal would be wrong, so the next engine shall find none."""
        if not self._failed:
            log.warning("undo will not outlive this engine: %s: %s", self.path, error)
        self._failed = True
        self._lines = []
        self.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def _opened(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    return os.open(path, flags, 0o600)


def _line(value: object) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"


def _packed_record(record: WriteRecord) -> dict[str, Any]:
    return {
        **asdict(record),
        "old": record.old.hex(),
        "new": record.new.hex(),
        "outcome": record.outcome.name,
        "leaves": record.leaves.name if record.leaves is not None else None,
    }
