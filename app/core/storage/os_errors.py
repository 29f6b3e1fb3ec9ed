"""What an error of the operating system means, as a part of a sentence."""

from __future__ import annotations

import errno
from typing import Final

_MEANINGS: Final[dict[str, str]] = {
    "ENOSPC": "the disk is full",
    "EDQUOT": "your quota on that disk is used up",
    "EFBIG": "the file would be larger than is permitted",
    "EROFS": "the file system is mounted read-only",
    "EACCES": "you have no permission",
    "EPERM": "the system does not permit it",
    "EISDIR": "it is a directory",
    "ENOTDIR": "a part of the path is no directory",
    "ENOENT": "there is no such file or folder",
    "ENAMETOOLONG": "the name is too long",
    "ELOOP": "its links lead in a circle",
    "EIO": "the device failed: input/output error",
    "ETXTBSY": "it is a program that runs",
    "EBUSY": "it is in use by the system, a mount point for example",
    "EXDEV": "it is on another file system",
    "ENXIO": "no program is at its other end",
    "EPIPE": "the program at its other end has ended",
    "EMFILE": "this program has too many files open",
    "ENFILE": "the system has too many files open",
    "ENOMEM": "the system has no memory left",
    "ENODEV": "there is no such device",
    "ESTALE": "the network file system lost it",
    "ETIMEDOUT": "it did not answer in time",
    "ENOTSUP": "the file system cannot do that",
}
# Not every system has all of them.
_BY_NUMBER: Final = {
    getattr(errno, name): text for name, text in _MEANINGS.items() if hasattr(errno, name)
}
_OF_SPACE: Final = frozenset(
    getattr(errno, name) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name)
)


def meaning(error: OSError) -> str:
    """What the error means, in lower case and without a stop; the system's words for a rare one."""
    known = _BY_NUMBER.get(error.errno or 0)
    return known or (error.strerror or str(error) or type(error).__name__).rstrip(".")


def lacks_space(error: OSError) -> bool:
    """Whether freeing some space would help."""
    return error.errno in _OF_SPACE
