"""The file of bookmarks: of one region in the user's data folder, and as people exchange it.

Both have one form, which docs/bookmarks.md describes. Several programs may run at once: each
brings only its own changes into the file as it is by then. Nothing is ever thrown away: a file
that cannot be read is set aside under another name, one of a newer version is left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..errors import ScopeError, StorageError, ValueFormatError
from ..storage.atomic_file import read_regular, write_text
from ..storage.folder_lock import folder_lock
from ..storage.os_errors import meaning
from ..storage.paths import data_dir
from ..storage.set_aside import set_aside
from ..values.units import format_size
from .bookmark import MOST, Bookmark, Change, applied, bookmark_from

FORMAT: Final = "ivshmem-scope bookmarks"
VERSION: Final = 1
LARGEST: Final = 8 << 20  # bytes of a file that is read
_TOLD: Final = 3  # reasons
_LOCK_S: Final = 10.0  # nobody waits for it but the thread that writes


@dataclass(frozen=True, slots=True)
class RegionKey:
    """Which region bookmarks belong to; its content does not matter.

    Attributes:
        kind: How it is reached: `file`, `bar`, `kvmfr`, `windows`.
        location: Path, PCI address, node or interface.
        start: First byte of the part of it that is open.
    """

    kind: str
    location: str
    start: int = 0

    @property
    def file_name(self) -> str:
        """A name that a person recognises, and no other region has."""
        import hashlib

        whole = f"{self.kind}\0{self.location}\0{self.start}"
        name = re.sub(r"[^\w.-]+", "-", re.split(r"[/\\]", self.location)[-1])[:40].strip("-.")
        digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        return f"{name or self.kind}-{digest}.json"


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds.

    Attributes:
        marks: The bookmarks.
        left_out: Why entries are not among them, a sentence each.
    """

    marks: tuple[Bookmark, ...]
    left_out: tuple[str, ...] = ()

    def why(self) -> str:
        """The first reasons, and how many more there are."""
        more = len(self.left_out) - _TOLD
        return " ".join((*self.left_out[:_TOLD], *([f"And {more} more."] if more > 0 else [])))


class NewerVersionError(ValueFormatError):
    """The file was made by a newer version of the program."""


def to_text(region: RegionKey, marks: Iterable[Bookmark]) -> str:
    """Bookmarks as a file."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "region": {"kind": region.kind, "location": region.location, "start": region.start},
        "bookmarks": [mark.fields() for mark in marks],
    }
    return json.dumps(content, indent=1) + "\n"


def parse(data: bytes) -> Content:
    """The bookmarks of a file.

    Raises:
        NewerVersionError: A newer version made it.
        ValueFormatError: It is no file of bookmarks: why.
    """
    if len(data) > LARGEST:
        raise ValueFormatError(f"It is larger than {format_size(LARGEST)}.")
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        what = "It is not text." if isinstance(error, UnicodeDecodeError) else "It is not JSON."
        raise ValueFormatError(what) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueFormatError(f"It has no format “{FORMAT}”.")
    version = content.get("version")
    if type(version) is not int or version < 1:
        raise ValueFormatError("It has no version.")
    if version > VERSION:
        raise NewerVersionError(f"A newer version of the program made it (form {version}).")
    entries = content.get("bookmarks")
    if not isinstance(entries, list):
        raise ValueFormatError("It has no list of bookmarks.")
    return _entries(entries)


def _entries(entries: list[Any]) -> Content:
    found: dict[str, Bookmark] = {}
    digits: set[int] = set()
    left_out = []
    for number, fields in enumerate(entries, 1):
        try:
            mark = bookmark_from(fields)
            if mark.key in found:
                raise ValueFormatError("Another has its key.")
            if mark.digit in digits:
                raise ValueFormatError(f"Another has its digit {mark.digit}.")
            if len(found) >= MOST:
                raise ValueFormatError(f"A region has at most {MOST} bookmarks.")
        except ScopeError as error:
            left_out.append(f"Entry {number}: {error.message}")
            continue
        found[mark.key] = mark
        if mark.digit is not None:
            digits.add(mark.digit)
    return Content(tuple(found.values()), tuple(left_out))


def read_file(path: str | Path) -> Content:
    """The bookmarks of a file that a person chose.

    Raises:
        StorageError: It cannot be read, or is no file of bookmarks: why.
    """
    try:
        return parse(read_regular(path, LARGEST + 1))
    except OSError as error:
        raise StorageError(f"{path} could not be read ({meaning(error)}).") from error
    except ValueFormatError as error:
        raise StorageError(
            f"{path} is no file of bookmarks for this program. {error.message}",
            "Nothing was taken from it.",
        ) from error


class BookmarkFile:
    """The bookmarks of one region in the user's data folder. Use it from one thread at a time.

    Attributes:
        path: Its file, which is there while there are bookmarks.
        problem: What was wrong when it was last read or written, in words; empty when nothing.
    """

    def __init__(self, region: RegionKey, folder: Path | None = None) -> None:
        self.region = region
        self.path = (folder or data_dir() / "bookmarks") / region.file_name
        self.problem = ""

    def stamp(self) -> tuple[int, int, int]:
        """Another one after each change of the file, by whatever program."""
        try:
            status = self.path.stat()
        except OSError:
            return (0, 0, 0)
        return (status.st_mtime_ns, status.st_ino, status.st_size)

    def load(self) -> tuple[Bookmark, ...]:
        """What is in the file; nothing where there is none or it cannot be read."""
        self.problem = ""
        if not self.path.exists():
            return ()
        with folder_lock(self.path.parent, _LOCK_S):  # Windows replaces no file that is being read
            try:
                return self._read()
            except StorageError as error:
                self.problem = str(error)
                return ()

    def change(self, changes: Iterable[Change]) -> tuple[Bookmark, ...]:
        """Bring changes into the file as it is by now; what it holds then.

        Raises:
            StorageError: They could not be kept; the file is as it was.
        """
        self.problem = ""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"Bookmarks cannot be kept in {self.path.parent} ({meaning(error)})."
            ) from error
        with folder_lock(self.path.parent, _LOCK_S):
            marks = applied(self._read(), changes)
            try:
                self._write(marks)
            except OSError as error:
                raise StorageError(
                    f"{self.path} could not be written ({meaning(error)})."
                ) from error
        return marks

    def _read(self) -> tuple[Bookmark, ...]:
        """Under the lock. Raises StorageError when it must not be written over."""
        try:
            content = parse(read_regular(self.path, LARGEST + 1))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise StorageError(f"{self.path} could not be read ({meaning(error)}).") from error
        except NewerVersionError as error:
            raise StorageError(
                f"The bookmarks in {self.path} are left alone. {error.message}",
                "What is noted here is not kept.",
            ) from error
        except ValueFormatError as error:
            self._set_aside("could not be read as bookmarks", error.message)
            return ()
        if content.left_out:
            self._set_aside("had entries that are no bookmarks", content.why())
            self._write(content.marks)
        return content.marks

    def _write(self, marks: tuple[Bookmark, ...]) -> None:
        if marks:
            write_text(self.path, to_text(self.region, marks), wait_s=0, mode=0o600)
        else:
            self.path.unlink(missing_ok=True)

    def _set_aside(self, what: str, why: str) -> None:
        try:
            aside = set_aside(self.path, "broken")
        except OSError as error:
            raise StorageError(
                f"{self.path} {what} and could not be set aside ({meaning(error)}).", why
            ) from error
        self.problem = f"The file {self.path.name} {what}; it is kept as {aside.name}. {why}"
