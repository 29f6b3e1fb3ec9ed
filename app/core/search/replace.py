"""Replacing hits: each is compared right before it is written, all are one step of the undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import CancelledError, ConflictError, ValueFormatError
from ..region.region import Region
from ..values.value_type import Endian
from ..values.value_types import type_named
from ..write.bulk_writes import may_write
from ..write.journal import Journal
from ..write.record import WriteRecord
from .byte_needle import byte_pattern
from .find import pattern_of
from .hits import still_there
from .needle import Endians, Needle, NeedleKind
from .patterns import Found, Pattern
from .scan import OnProgress
from .text_needle import encoded


@dataclass(frozen=True, slots=True)
class Replacement:
    """What comes in the place of a hit: the value under the mask, the old bits elsewhere."""

    value: bytes
    mask: bytes

    def over(self, old: bytes) -> bytes:
        """The new bytes."""
        pairs = zip(old, self.value, self.mask, strict=True)
        return bytes((was & ~mask & 0xFF) | value for was, value, mask in pairs)


@dataclass(frozen=True, slots=True)
class ReplaceOutcome:
    """What became of the hits.

    Attributes:
        replaced: Written.
        changed: No longer a match right before it would have been written: a peer changed it.
        unfit: Of another length than the replacement, or over a hit that was replaced.
        left: Not reached, because it was stopped.
        record: The journal's entry; None when nothing was written.
    """

    replaced: int
    changed: int
    unfit: int
    left: int
    record: WriteRecord | None

    @property
    def sentence(self) -> str:
        """For a person."""
        parts = [f"{_counted(self.replaced, 'hit')} replaced"]
        if self.changed:
            was = "was" if self.changed == 1 else "were"
            parts.append(f"{self.changed} left alone, which {was} changed by a peer in between")
        if self.unfit:
            parts.append(f"{self.unfit} left alone, of another length or under another hit")
        if self.left:
            parts.append(f"{self.left} not reached, because it was stopped")
        return "; ".join(parts) + "."


def _counted(count: int, word: str) -> str:
    return f"1 {word}" if count == 1 else f"{count} {word}s"


def parse_replacement(needle: Needle, text: str) -> Replacement:
    """What a person typed to replace hits of this needle by, in the needle's own form.

    Bytes may have wildcards, which keep what is there. An expression and strings are replaced by
    text.

    Raises:
        ValueFormatError: It is nothing of that form.
    """
    if needle.kind is NeedleKind.BYTES:
        pattern = byte_pattern(text)
        return Replacement(pattern.value, pattern.mask)
    if needle.kind is NeedleKind.VALUE:
        value = _value(needle, text)
    else:
        encoding = "utf-8" if needle.kind is NeedleKind.REGEX else needle.encoding
        value = encoded(text, encoding)
    if not value:
        raise ValueFormatError(
            "There is nothing to replace it by.", "Type as many bytes as it has."
        )
    return Replacement(value, b"\xff" * len(value))


def _value(needle: Needle, text: str) -> bytes:
    kind = type_named(needle.type_name)
    if needle.endians is Endians.BOTH and kind.endian_matters:
        raise ValueFormatError(
            "A hit of either byte order cannot be replaced.", "Find one byte order, then replace."
        )
    big = needle.endians is Endians.BIG
    return kind.encode(text, Endian.BIG if big else Endian.LITTLE)


def replace_hits(
    journal: Journal,
    region: Region,
    needle: Needle,
    found: Found,
    replacement: Replacement,
    *,
    progress: OnProgress = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ReplaceOutcome:
    """Write over hits that are still there.

    Stopping it, or a lock in the middle, leaves what was written; undo takes it back.

    Raises:
        LockedError, ReadOnlyError: Nothing was written, or, in the middle, how much was.
        ValueFormatError: No hit is as long as the replacement; nothing was written.
        RegionGoneError: The memory went; what was written until then is recorded.
    """
    may_write(journal, region)
    size = len(replacement.value)
    if len(found) and not (found.lengths == size).any():
        raise ValueFormatError(
            f"The replacement has {_counted(size, 'byte')}, the hit has {found.lengths[0]}; memory "
            "cannot be moved.",
            "Type as many bytes as it has.",
        )
    with pattern_of(needle, cancelled) as pattern:
        run = _Run(region, pattern, replacement)
        with journal.bulk(f"replace {needle.label}") as bulk:
            total = len(found)
            hits = zip(found.starts.tolist(), found.lengths.tolist(), strict=True)
            for number, (start, length) in enumerate(hits):
                if cancelled():
                    break
                try:
                    run.one(start, length, bulk.write)
                except CancelledError:
                    break
                if number % 256 == 0:
                    progress(number, total)
    return run.outcome(total, bulk.record)


class _Run:
    """One replacing under way."""

    def __init__(self, region: Region, pattern: Pattern, replacement: Replacement) -> None:
        self._region, self._pattern, self._by = region, pattern, replacement
        self._behind = 0
        self.replaced = self.changed = self.unfit = 0

    def one(self, start: int, length: int, write: Callable[[int, bytes, bytes], None]) -> None:
        """A hit."""
        if length != len(self._by.value) or start < self._behind:
            self.unfit += 1
            return
        low = max(0, start - self._pattern.lead)
        data = self._region.read(low, min(self._region.size, start + self._pattern.reach) - low)
        old = data[start - low : start - low + length]
        if not still_there(self._pattern, data, low, start, length):
            self.changed += 1
            return
        try:
            write(start, self._by.over(old), old)
        except ConflictError:
            self.changed += 1
            return
        self.replaced += 1
        self._behind = start + length

    def outcome(self, total: int, record: WriteRecord | None) -> ReplaceOutcome:
        """What became of all of them."""
        left = total - self.replaced - self.changed - self.unfit
        return ReplaceOutcome(self.replaced, self.changed, self.unfit, left, record)
