"""The bytes that were there before a lane, kept on disk in case the process crashes.

One file for each lane in the program's state folder: a line of JSON that says where the bytes
belong, then the bytes, compressed. It is written before the lane is created and deleted when the
bytes are restored, so a file that is there at the start of the program was left by a process that
crashed.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import secrets
import shutil
import time
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

from ...errors import LaneError, StorageError
from ...region.region import Region, RegionInfo
from ...storage.atomic_file import open_regular
from ...storage.os_errors import lacks_space, meaning
from ...storage.paths import state_dir
from ...storage.process_age import began_s, has_ended
from ...values.units import format_size
from .layout import ByteRange, Lane, check_geometry
from .peer_card import boot_number

_SUFFIX: Final = ".lane"
_DRAFT: Final = ".part"
_CHUNK: Final = 256 << 10
_KEEP_S: Final = 30 * 86400.0
_released: Final[set[Path]] = set()  # saved by this process, which has given up restoring them
FORMAT: Final = 1
_COUNTS: Final = ("start", "region_size", "offset", "size", "slots", "token", "pid", "boot")


@dataclass(frozen=True, slots=True)
class SavedHeader:
    """Where saved bytes belong.

    Attributes:
        path: The region's file, node or interface.
        identity: Distinguishes this file from a later one of the same name; empty for devices.
        start: The region's first byte in it.
        region_size: Bytes of the region.
        offset: The lane's place.
        size: Bytes of the lane, and of the data.
        slots: Its slots.
        token: Its token.
        pid: The process that created it.
        process_s: When that process began; a later one may have the same number.
        saved_s: When, in seconds since 1970.
        boot: The running system that it was saved on, as PeerCard.boot.
    """

    path: str
    identity: str
    start: int
    region_size: int
    offset: int
    size: int
    slots: int
    token: int
    pid: int
    process_s: float
    saved_s: float
    boot: int = 0

    @classmethod
    def parse(cls, fields: dict[str, Any]) -> Self:
        """What a file says.

        Raises:
            TypeError, ValueError, LaneError: It is no header: fields of another kind, or out of
                bounds.
        """
        header = cls(**fields)
        if not all(isinstance(text, str) for text in (header.path, header.identity)):
            raise TypeError("a path is a text")
        for name in _COUNTS:
            count = getattr(header, name)
            if type(count) is not int or not 0 <= count < 1 << 64:
                raise ValueError(f"{name} is no count")
        for name in ("process_s", "saved_s"):
            if type(getattr(header, name)) not in (int, float) or not math.isfinite(
                getattr(header, name)
            ):
                raise ValueError(f"{name} is no time")
        check_geometry(header.size, header.slots)
        if header.offset + header.size > header.region_size:
            raise ValueError("the lane reaches out of its region")
        return header

    @property
    def lane(self) -> Lane:
        """The lane that was created."""
        return Lane(self.offset, self.size, self.slots, self.token)

    @property
    def orphaned(self) -> bool:
        """Whether the process that should have restored the bytes has ended."""
        if self.boot != boot_number():
            return True
        return has_ended(self.pid, self.process_s)

    def belongs_to(self, info: RegionInfo) -> bool:
        """Whether these are bytes of that region; a file may have been renamed meanwhile."""
        place = (self.identity or self.path, self.start, self.region_size)
        return place == (_identity(info) or info.path, info.spec.start, info.size)


class SavedBytes:
    """A saved lane range on disk.

    Attributes:
        header: Where it belongs.
        path: Its file.
    """

    def __init__(self, header: SavedHeader, path: Path) -> None:
        self.header = header
        self.path = path

    @classmethod
    def save(cls, region: Region, lane: Lane, folder: Path | None = None) -> SavedBytes:
        """Copy the lane's range to disk; holes are neither read nor stored.

        Raises:
            StorageError: It cannot be stored; nothing may be written to the lane then.
        """
        place = folder or state_dir() / "lanes"
        header = _header(region.info, lane)
        path = place / f"{lane.token:016x}{_SUFFIX}"
        draft = path.with_suffix(_DRAFT)
        try:
            place.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                _write_header(file, header)
                packer = zlib.compressobj(1)
                for chunk in _chunks(region, lane.span):
                    file.write(packer.compress(chunk))
                file.write(packer.flush())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            raise StorageError(
                f"The {format_size(lane.size)} under the lane could not be kept on disk "
                f"({meaning(error)}); nothing was written.",
                f"Free some space in {place}, or take a smaller lane."
                if lacks_space(error)
                else f"See to it that {place} can be written.",
            ) from error
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
        return cls(header, path)

    @classmethod
    def load(cls, path: Path) -> SavedBytes | None:
        """A file of ours; None when it is none."""
        try:
            with open_regular(path) as file:
                fields = json.loads(file.readline(1 << 16))
            if fields.pop("format") != FORMAT:
                return None
            return cls(SavedHeader.parse(fields), path)
        except (
            OSError,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            RecursionError,
            LaneError,
        ):
            return None

    def adopt(self) -> SavedBytes | None:
        """Let this process restore them, by a file of its own; None when another was first.

        Raises:
            StorageError: It cannot be stored.
        """
        header = SavedHeader(**{**asdict(self.header), **_this_process()})
        path = self.path.with_name(f"{header.token:016x}-{secrets.token_hex(4)}{_SUFFIX}")
        draft = path.with_suffix(_DRAFT)
        try:
            with self.path.open("rb") as old, draft.open("wb") as new:
                old.readline()
                _write_header(new, header)
                shutil.copyfileobj(old, new)
            draft.replace(path)
            # Two processes can get here; only one can remove the file.
            self.path.unlink()
        except FileNotFoundError:
            for left in (draft, path):
                left.unlink(missing_ok=True)
            return None
        except OSError as error:
            raise StorageError(
                f"The bytes kept in {self.path} cannot be taken over ({meaning(error)})."
            ) from error
        return SavedBytes(header, path)

    def data(self) -> bytes:
        """The bytes of the whole lane.

        Raises:
            StorageError: The file cannot be read any more.
        """
        try:
            data = zlib.decompress(self._packed())
        except (OSError, zlib.error) as error:
            raise StorageError(
                f"The bytes kept in {self.path} cannot be read ({error})."
            ) from error
        if len(data) != self.header.size:
            raise StorageError(f"The bytes kept in {self.path} are not complete.")
        return data

    def _packed(self) -> bytes:
        with self.path.open("rb") as file:
            file.readline()
            return file.read()

    def release(self) -> None:
        """Give up restoring them in this process: they are then listed as after a crash."""
        _released.add(self.path)

    def forget(self) -> None:
        """Delete the file: the bytes are restored, or a person gives them up."""
        _released.discard(self.path)
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def saved_bytes_files(folder: Path | None = None) -> list[SavedBytes]:
    """Saved bytes that no running program will restore, oldest first; kept for a month."""
    place = folder or state_dir() / "lanes"
    found = []
    for path in sorted(place.glob(f"*{_SUFFIX}")) if place.is_dir() else []:
        saved = SavedBytes.load(path)
        if saved is None or not (saved.header.orphaned or path in _released):
            continue
        # What was saved since the boot is never old, even if the clock was set meanwhile.
        here = saved.header.boot == boot_number() != 0
        if time.time() - saved.header.saved_s > _KEEP_S and not here:
            saved.forget()
        else:
            found.append(saved)
    return sorted(found, key=lambda saved: saved.header.saved_s)


def _write_header(file: BinaryIO, header: SavedHeader) -> None:
    file.write(json.dumps({"format": FORMAT, **asdict(header)}).encode() + b"\n")


def _header(info: RegionInfo, lane: Lane) -> SavedHeader:
    return SavedHeader(
        info.path,
        _identity(info),
        info.spec.start,
        info.size,
        lane.offset,
        lane.size,
        lane.slots,
        lane.token,
        saved_s=time.time(),
        **_this_process(),
    )


def _this_process() -> dict[str, Any]:
    return {"pid": os.getpid(), "process_s": began_s(os.getpid()), "boot": boot_number()}


def _identity(info: RegionInfo) -> str:
    try:
        status = Path(info.path).stat()
    except (OSError, ValueError):
        return ""
    return f"{status.st_dev}:{status.st_ino}"


def _chunks(region: Region, span: ByteRange) -> Iterator[bytes]:
    at = span.offset
    for low, high in [*region.extents(span.offset, span.end), (span.end, span.end)]:
        while at < low:  # a hole: zeros
            step = min(_CHUNK, low - at)
            yield bytes(step)
            at += step
        while at < high:
            step = min(_CHUNK, high - at)
            yield region.read(at, step)
            at += step
