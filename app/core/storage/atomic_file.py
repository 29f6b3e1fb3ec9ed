"""Files that are written whole or not at all, and paths that Windows would refuse.

Whatever a person saves is written by write_file: it never touches memory that a process shares, and
never waits for ever for a pipe without a reader.

Without a prefix Windows refuses paths of 260 characters and more, unless an administrator changed
that. And in a folder without permission tempfile.mkstemp on Windows assumes that the name is taken,
and tries 2 147 483 647 others (bpo-22107): a save into a read-only folder would never return.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, Final

from ..errors import StorageError
from .memory_files import memory_use
from .os_errors import meaning
from .pipes import BINARY, WAIT_S, Stop, open_stream, own_stream, pipe_meaning, write_stream

_LONG: Final = 220  # folders end at 248, files at 260; make_beside adds some
_TRIES: Final = 16
_MOST_LINKS: Final = 40  # as the kernel
_CHOOSE: Final = "Choose another place."


def any_length(path: str | Path) -> str:
    """A path that may be long, as Windows takes it; the path as it is elsewhere."""
    return prefixed(str(path)) if os.name == "nt" else str(path)


def prefixed(path: str) -> str:
    """The path with the prefix that lifts Windows' limit, when it is long enough to need it."""
    import ntpath

    full = ntpath.abspath(path)
    if len(full) < _LONG or full.startswith("\\\\?\\"):
        return path
    if full.startswith("\\\\"):  # \\server\share
        return "\\\\?\\UNC\\" + full[2:]
    return "\\\\?\\" + full


def resolved(path: str | Path) -> Path:
    """The path without links, of any length; raises as Path.resolve() does."""
    full = Path(any_length(path))
    try:
        return full.resolve()
    except OSError:
        if os.name != "nt":
            raise
        return full.absolute()  # some file systems cannot tell where a long path ends


def make_beside(target: Path, mode: int = 0o600) -> tuple[int, Path]:
    """A new empty file in the target's folder, to be renamed to it: its descriptor and path.

    Args:
        target: What it will replace.
        mode: Its permissions, less those that the process's umask takes away.

    Raises:
        OSError: As opening does.
    """
    for left in reversed(range(_TRIES)):
        # 20 characters: with what is added, never more than a name's 255 bytes.
        path = target.with_name(f".{target.name[:20]}-{secrets.token_hex(4)}")
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY, mode), path
        except FileExistsError:
            if not left:
                raise
    raise AssertionError  # the loop returned or raised


# -- writing a file for a person -------------------------------------------------------------------


def write_file(
    path: str | Path,
    chunks: Iterable[bytes],
    *,
    wait_s: float | None = WAIT_S,
    stop: Stop = lambda: None,
    mode: int = 0o666,
) -> int:
    """Write a file that a person named.

    The content goes to a new file in the same folder, which is then renamed: until then the old
    one stays whole.

    A link is followed and kept. A pipe or a device that takes a stream is written into, as renaming
    would replace it by a file; so is the file to which standard output goes.

    Args:
        path: Where.
        chunks: The content; an exception from it ends the writing, and the old file is kept.
        wait_s: How long a pipe may take nothing; None waits as long as it has a reader.
        stop: Asked again and again while a pipe is waited for; an exception from it ends that.
        mode: Permissions of a new file, less those that the umask takes away; an old one's stay.

    Returns:
        Bytes written.

    Raises:
        StorageError: It cannot be written, or it is memory (see memory_files.py).
    """
    target = check_target(path)
    try:
        stream = open_stream(target, wait_s, stop)
        if stream is not None:
            return write_stream(stream, chunks, wait_s, stop)
    except OSError as error:
        raise StorageError(
            f"{path} could not be written ({pipe_meaning(error)}).", _CHOOSE
        ) from error
    return _write_beside(path, target, chunks, mode, check_target)


def replace_checked(target: Path, chunks: Iterable[bytes], mode: int = 0o666) -> int:
    """Write what check_target has just returned, beside it and then renamed.

    For a short moment with a lock held: whether the file is memory is not asked again, as that
    looks through all processes. Never for a file that a person names.

    Raises:
        StorageError: It cannot be written, or there is something else than a file.
    """
    status = _status(target)
    if status is not None and not stat.S_ISREG(status.st_mode):
        raise StorageError(f"{target} is no regular file.", _CHOOSE)
    return _write_beside(target, target, chunks, mode, lambda _target: None)


def write_text(
    path: str | Path,
    text: str,
    *,
    wait_s: float | None = WAIT_S,
    stop: Stop = lambda: None,
    mode: int = 0o666,
) -> int:
    """Write a text as UTF-8. Raises as write_file."""
    return write_file(path, (text.encode(),), wait_s=wait_s, stop=stop, mode=mode)


def check_target(path: str | Path) -> Path:
    """The file that write_file would replace or write into, as far as is known beforehand.

    Raises:
        StorageError: It is memory, a directory, a disk or a socket, or no name of a file.
    """
    if not str(path):
        raise StorageError("An empty name is no name of a file.", "Choose another.")
    try:
        target, by_proc = _followed(Path(any_length(path)))
        status = _status(path)
        folder = _status(target.parent)
        use = memory_use(path) if status else ""
    except OSError as error:
        raise StorageError(f"{path} could not be written ({meaning(error)}).", _CHOOSE) from error
    except (ValueError, RuntimeError) as error:  # a zero byte
        raise StorageError(f"{str(path)!r} is no name of a file.", "Choose another.") from error
    if status is None:
        if _ends_as_folder(path):  # Path would drop the slash, and a file take the folder's name
            raise StorageError(
                f"{path} could not be written (there is no such folder).", "Name a file in one."
            )
        if folder is None:
            raise StorageError(
                f"{path} could not be written (there is no folder {target.parent}).", _CHOOSE
            )
        return target
    if use:
        raise StorageError(
            f"{path} is the shared memory itself ({use}); saving there would replace it.",
            "Choose another file.",
        )
    return _replaceable(path, target, status, named=not by_proc or _is_same(target, status))


def _replaceable(path: str | Path, target: Path, status: os.stat_result, *, named: bool) -> Path:
    if stat.S_ISDIR(status.st_mode):
        raise StorageError(f"{path} is a directory.", "Name a file in it.")
    if stat.S_ISBLK(status.st_mode):
        raise StorageError(f"{path} is a disk, not a file.", _CHOOSE)
    if named:
        if stat.S_ISSOCK(status.st_mode):
            raise StorageError(f"{path} is a socket, not a file.", _CHOOSE)
        return target
    # A path below /proc/PID/fd whose file has no name, or has it in another mount namespace.
    if own_stream(status) is None and not stat.S_ISFIFO(status.st_mode):
        raise StorageError(
            f"{path} leads to a file that has no name here; it cannot be replaced.", _CHOOSE
        )
    return Path(path)


def _ends_as_folder(path: str | Path) -> bool:
    return str(path).endswith(tuple(filter(None, (os.sep, os.altsep))))


def read_regular(path: str | Path, most: int = -1) -> bytes:
    """The bytes of a regular file, at most so many. Raises as open_regular."""
    with open_regular(path) as file:
        return file.read(most)


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file for reading; never waits, as opening a pipe would.

    Raises:
        OSError: As opening does; EINVAL for anything but a regular file.
    """
    flags = os.O_RDONLY | BINARY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    handle = os.open(any_length(path), flags)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no regular file")
    return os.fdopen(handle, "rb")


def _followed(path: Path) -> tuple[Path, bool]:
    """Where a chain of links ends, and whether one of them was below /proc.

    Such a link opens its file whatever its text says. The folders are left to the kernel: resolving
    them by name would leave /proc/PID/root for this process's own tree.
    """
    if os.name == "nt":
        return resolved(path), False
    by_proc = False
    for _ in range(_MOST_LINKS):
        if not path.is_symlink():
            return path, by_proc
        by_proc = by_proc or path.lstat().st_dev == Path("/proc").stat().st_dev
        path = path.parent / path.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _status(path: str | Path) -> os.stat_result | None:
    """Its stat; None when there is no such file yet."""
    try:
        return os.stat(any_length(path))  # noqa: PTH116 - a plain call
    except FileNotFoundError:
        return None


def _is_same(path: Path, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.stat(), status)
    except OSError:
        return False


def _write_beside(
    path: str | Path,
    target: Path,
    chunks: Iterable[bytes],
    mode: int,
    check: Callable[[Path], object],
) -> int:
    temporary: Path | None = None
    written = 0
    try:
        old = _status(target) if os.name == "posix" else None
        # A new file gets what the umask leaves; the umask can only be read by changing it.
        handle, temporary = make_beside(target, mode if old is None else 0o600)
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                written += file.write(chunk)
            file.flush()
            os.fsync(handle)
        if old is not None:
            _like_the_old(temporary, old)
        check(target)  # a guest may have started meanwhile
        temporary.replace(target)
        temporary = None
    except OSError as error:
        before = "; what was there before is unchanged" if target.exists() else ""
        raise StorageError(
            f"{path} could not be written ({meaning(error)}){before}.", _CHOOSE
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
    return written


def _like_the_old(temporary: Path, old: os.stat_result) -> None:
    """Give it the owner and the mode of the file that it replaces."""
    with contextlib.suppress(OSError):  # only root may give a file away
        os.chown(temporary, old.st_uid, old.st_gid)  # type: ignore[attr-defined, unused-ignore]
    temporary.chmod(old.st_mode & 0o777)
