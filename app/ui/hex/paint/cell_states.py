"""From a Frame to the value and the style number of each visible byte.

Pure numpy over Frames, without Qt. Bytes that the Frame does not cover are shown as absent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from ....core.watch.frame import I64, U8, Flags, Frame
from . import styles
from .change_rates import ChangeRates
from .emphasis import PLAIN, Emphasis, Unchanged, class_states

Codes = npt.NDArray[np.int32]

FLUX_HOLD_NS: Final = 400_000_000
"""A hatch stays for a moment: flux that lasts one frame of 60 Hz could not be seen."""
ECHO_NS: Final = 500_000_000
"""A typed byte is shown as pending until a Frame that counts the write, at most this long."""
BLANK: Final = -1
_WORD_REACH: Final = 4


@dataclass(frozen=True, slots=True)
class Echo:
    """Bytes that were sent off and not yet seen in memory."""

    offset: int
    data: bytes
    sent_ns: int
    writes: int


@dataclass(slots=True)
class CellStates:
    """The newest Frame, and what must be remembered of the earlier ones."""

    frame: Frame | None = None
    frozen: bool = False
    echoes: list[Echo] = field(default_factory=list)
    emphasis: Emphasis = PLAIN
    rates: ChangeRates = field(default_factory=ChangeRates)
    _flux_start: int = 0
    _flux_ns: I64 = field(default_factory=lambda: np.zeros(0, np.int64))

    def set_frame(self, frame: Frame | None) -> None:
        """Take a Frame; what it confirms is no longer pending."""
        if frame is None:
            self.echoes.clear()
            self._flux_ns = np.zeros(0, np.int64)
        else:
            self._hold_flux(frame)
            self.rates.add(frame)
            self.echoes = [e for e in self.echoes if e.writes == frame.writes]
        self.frame = frame

    def now_ns(self, clock_ns: int) -> int:
        """The time that ages count from: a frozen picture does not age."""
        if self.frame is not None and (self.frozen or self.frame.paused):
            return self.frame.time_ns
        return clock_ns

    def _hold_flux(self, frame: Frame) -> None:
        same = frame.start == self._flux_start and len(frame.data) == len(self._flux_ns)
        if same and not frame.sample.flux.any():
            return
        held = np.zeros(len(frame.data), np.int64)
        first = max(frame.start, self._flux_start)
        last = min(frame.end, self._flux_start + len(self._flux_ns))
        if first < last:
            held[first - frame.start : last - frame.start] = self._flux_ns[
                first - self._flux_start : last - self._flux_start
            ]
        held[frame.sample.flux] = frame.time_ns
        self._flux_start, self._flux_ns = frame.start, held

    def covers(self, start: int, length: int) -> bool:
        """Whether the Frame holds all of a range."""
        frame = self.frame
        return frame is not None and frame.start <= start and start + length <= frame.end

    def seen(self, start: int, length: int) -> bytes | None:
        """The bytes as they are shown, typed ones included; None where they are not."""
        frame = self.frame
        if frame is None or not self.covers(start, length):
            return None
        shown = bytearray(frame.data[start - frame.start : start - frame.start + length].tobytes())
        for echo in self.echoes:
            for at, value in enumerate(echo.data, echo.offset - start):
                if 0 <= at < length:
                    shown[at] = value
        return bytes(shown)

    def add_echo(self, offset: int, data: bytes, clock_ns: int) -> None:
        """Show bytes as sent off."""
        writes = self.frame.writes if self.frame else 0
        self.echoes.append(Echo(offset, data, clock_ns, writes))

    def drop_old_echoes(self, clock_ns: int) -> bool:
        """Forget what was never confirmed; says whether something was."""
        kept = [e for e in self.echoes if clock_ns - e.sent_ns < ECHO_NS]
        dropped = len(kept) != len(self.echoes)
        self.echoes = kept
        return dropped

    def states_at(self, start: int, length: int, clock_ns: int) -> tuple[U8, U8]:
        """Values and styles of a range."""
        values = np.zeros(length, np.uint8)
        shown = np.full(length, styles.ABSENT, np.uint8)
        frame = self.frame
        if frame is None:
            return values, shown
        first, last = max(start, frame.start), min(start + length, frame.end)
        if first < last:
            here, there = (
                slice(first - start, last - start),
                slice(first - frame.start, last - frame.start),
            )
            values[here] = frame.data[there]
            shown[here] = self._styles(frame, there, self.now_ns(clock_ns))
        self._lay_echoes(values, shown, start)
        return values, shown

    def _styles(self, frame: Frame, part: slice, now_ns: int) -> U8:
        changed_ns, mine = frame.sample.changed_ns[part], frame.sample.mine[part]
        chosen = self.emphasis
        if chosen.classes:
            shown = self._classes(frame, part)
        else:
            shown = np.where(frame.data[part] == 0, styles.ZERO, styles.TEXT).astype(np.uint8)
        ever = changed_ns > 0
        if chosen.unchanged is not Unchanged.SHOWN:
            shown[changed_ns < chosen.since_ns] = styles.UNCHANGED
        picked = self._picked(frame, part)
        if picked is not None:
            shown[picked] = styles.RULE
        shown[mine & ever] = styles.MINE
        age = np.maximum(now_ns - changed_ns, 0)
        fresh: Flags = ever & (age < chosen.fade_ns)
        if fresh.any():
            step = (age[fresh] // self._step_ns).astype(np.uint8)
            step = np.minimum(step, styles.STEPS - 1)
            base = np.where(mine[fresh], styles.MINE_FRESH, styles.CHANGED).astype(np.uint8)
            shown[fresh] = base + step
        if picked is not None:
            shown[picked & fresh & ~mine] = styles.RULE_FRESH
        held = self._flux_ns[part]
        if held.any():
            shown[(held > 0) & (now_ns - held < FLUX_HOLD_NS)] = styles.FLUX
        return shown

    @property
    def _step_ns(self) -> int:
        """How long each step of fading is shown."""
        return max(1, self.emphasis.fade_ns // styles.STEPS)

    def _classes(self, frame: Frame, part: slice) -> U8:
        """Classes of bytes; a run of text may go on beyond the part."""
        low, high = max(0, part.start - _WORD_REACH), part.stop + _WORD_REACH
        states = class_states(frame.data[low:high])
        return states[part.start - low : part.stop - low].copy()

    def _picked(self, frame: Frame, part: slice) -> Flags | None:
        """Which bytes the rule picks; None where there is none."""
        rule = self.emphasis.rule
        if rule is None:
            return None
        if not rule.rate:
            picked: Flags = rule.table()[frame.data[part]]
            return picked
        often: Flags = self.rates.rates[part] >= np.float32(rule.rate)
        return often

    def _lay_echoes(self, values: U8, shown: U8, start: int) -> None:
        for echo in self.echoes:
            for at, value in enumerate(echo.data, echo.offset - start):
                if 0 <= at < len(values):
                    values[at], shown[at] = value, styles.PENDING

    def next_change_ns(self, start: int, length: int, clock_ns: int) -> int | None:
        """How long until the range looks different by age alone; None when it never will."""
        if self.echoes:
            return self._step_ns
        frame = self.frame
        if frame is None or self.frozen or frame.paused:
            return None
        part = slice(max(0, start - frame.start), max(0, start + length - frame.start))
        age = np.maximum(clock_ns - frame.sample.changed_ns[part], 0)
        step_ns = self._step_ns
        fading = age[(frame.sample.changed_ns[part] > 0) & (age < self.emphasis.fade_ns)]
        waits = [step_ns - int((fading % step_ns).max())] if len(fading) else []
        held = self._flux_ns[part]
        left = FLUX_HOLD_NS - (clock_ns - held[held > 0])
        left = left[left > 0]
        waits += [int(left.min())] if len(left) else []
        return min(waits, default=None)


def cell_codes(
    values: U8,
    shown: U8,
    rows: int,
    columns: int,
    selected: Iterable[tuple[int, int]] = (),
    decorated: Codes | None = None,
) -> Codes:
    """Codes (see `styles`) as a (rows, columns) table; behind the end is BLANK.

    Args:
        values: From `CellStates.states_at`, beginning at a row's start.
        shown: The same bytes' styles.
        rows: Rows of the table.
        columns: Bytes in a row.
        selected: First and behind-the-last selected index into `values`, of each selected run.
        decorated: What decorations add to the codes; None where there are none.
    """
    codes = np.full(rows * columns, BLANK, np.int32)
    tinted = shown.astype(np.int32)
    for first, last in selected:
        tinted[max(0, first) : max(0, last)] |= styles.SELECTED
    inked = tinted << 8 | values
    codes[: len(values)] = inked if decorated is None else inked | decorated
    return codes.reshape(rows, columns)


DOT: Final = 0xB7
