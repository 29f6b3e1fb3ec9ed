"""When and how often bytes changed, as text of five characters for a column of the hex view."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ....core.values.column_forms import ColumnForm, Kind
from ....core.values.number_text import Chars
from ....core.watch.frame import Frame
from .change_rates import ChangeRates

CHARS: Final = 5
_NEVER: Final = -1


def history_texts(
    form: ColumnForm, frame: Frame | None, rates: ChangeRates, start: int, length: int, now_ns: int
) -> Chars:
    """A text for each byte of a range; blank where nothing is known or nothing changed.

    Args:
        form: What is told: Kind.AGE, Kind.RATE or Kind.COUNT.
        frame: The newest one.
        rates: Counts and rates of its bytes.
        start: Offset of the first byte.
        length: Bytes.
        now_ns: What ages count to.
    """
    found = np.full(length, _NEVER, np.int64)
    if frame is not None:
        low, high = max(start, frame.start), min(start + length, frame.end)
        if low < high:
            part = slice(low - frame.start, high - frame.start)
            found[low - start : high - start] = _numbers(form, frame, rates, part, now_ns)
    numbers, places = np.unique(found, return_inverse=True)
    write = {Kind.AGE: _age, Kind.RATE: _rate}.get(form.kind, _count)
    texts = "".join("" if n == _NEVER else write(n).rjust(CHARS) for n in numbers.tolist())
    rows = np.frombuffer(texts.encode("ascii"), np.uint8).reshape(-1, CHARS)
    if numbers[0] == _NEVER:
        rows = np.concatenate([np.full((1, CHARS), ord(" "), np.uint8), rows])
    return rows[places]


def _numbers(
    form: ColumnForm, frame: Frame, rates: ChangeRates, part: slice, now_ns: int
) -> npt.NDArray[np.int64]:
    """Whole numbers: ms, thousandths per second, or times."""
    changed_ns = frame.sample.changed_ns[part]
    if form.kind is Kind.AGE:
        ages = np.maximum(now_ns - changed_ns, 0) // 1_000_000
        return np.where(changed_ns > 0, ages, _NEVER)
    if form.kind is Kind.RATE:
        thousandths = np.round(rates.rates[part] * 1000).astype(np.int64)
        return np.where(thousandths >= 100, thousandths, _NEVER)
    counts = rates.counts[part].astype(np.int64)
    return np.where(counts > 0, counts, _NEVER)


def _age(ms: int) -> str:
    """`16ms`, `1.2s`, `45s`, `12m`, `3h`, `9d`."""
    if ms < 1000:
        return f"{ms}ms"
    if ms < 10_000:
        return f"{ms // 100 / 10:.1f}s"
    for unit, size, most in (("s", 1000, 120), ("m", 60_000, 120), ("h", 3_600_000, 72)):
        if ms < size * most:
            return f"{ms // size}{unit}"
    return f"{min(ms // 86_400_000, 9999)}d"


def _rate(thousandths: int) -> str:
    """`0.4/s`, `12/s`."""
    return f"{thousandths / 1000:.1f}/s" if thousandths < 9950 else f"{thousandths / 1000:.0f}/s"


def _count(times: int) -> str:
    """`12`, `99999`, `100k`."""
    for unit, size in (("", 1), ("k", 1000), ("M", 1_000_000)):
        if times < 100_000 * size or unit == "M":
            return f"{times // size}{unit}"[:CHARS]
    raise AssertionError
