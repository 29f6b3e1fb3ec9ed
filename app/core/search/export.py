"""Hits as CSV and JSON files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Final

from ..errors import CancelledError, ValueFormatError
from ..region.region import Region
from ..storage.atomic_file import write_file
from .hits import HitList, values_now
from .scan import OnProgress

FORMS: Final = ("csv", "json")
_CHUNK: Final = 4096  # hits


def export_hits(
    region: Region,
    hits: HitList,
    path: str,
    form: str,
    *,
    progress: OnProgress = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> int:
    """Write all hits, with the bytes that stand there now, to a file that is replaced whole.

    Returns:
        Hits written.

    Raises:
        StorageError: It cannot be written, or it is shared memory.
        CancelledError: It was stopped; the old file is kept.
        RegionGoneError: The memory went; the old file is kept.
    """
    if form not in FORMS:
        raise ValueFormatError(f"There is no form {form!r}.", f"Forms: {', '.join(FORMS)}.")
    total = len(hits)

    def stop() -> None:
        if cancelled():
            raise CancelledError("The export was stopped; the file is as it was.")

    def chunks() -> Iterator[bytes]:
        yield b"offset_hex,offset_bytes,length_bytes,hex,text\r\n" if form == "csv" else b"[\n"
        for first in range(0, total, _CHUNK):
            stop()
            part = hits.part(first, min(_CHUNK, total - first))
            lines = [_line(form, *one) for one in values_now(region, part)]
            comma = "" if form == "csv" or first + _CHUNK >= total else ",\n"
            yield ((",\n" if form == "json" else "").join(lines) + comma).encode()
            progress(min(first + _CHUNK, total), total)
        yield b"" if form == "csv" else b"\n]\n"

    write_file(path, chunks(), wait_s=None, stop=stop)
    return total


def _line(form: str, offset: int, data: bytes) -> str:
    text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data)
    if form == "csv":
        # A leading = + - @ would be a formula in a table; nothing else needs more than quotes.
        quoted = text.replace('"', '""')
        guard = "'" if quoted[:1] in ("=", "+", "-", "@") else ""
        return f'0x{offset:X},{offset},{len(data)},{data.hex()},"{guard}{quoted}"\r\n'
    fields = {"offset_bytes": offset, "length_bytes": len(data), "hex": data.hex(), "text": text}
    return json.dumps(fields)
