"""Where the rig keeps what it builds: outside the repository, one folder per set of inputs.

A layer is a folder whose name ends in a hash of everything that went into it, so that a changed
input builds a new one and an unchanged one is found again. Only whole layers get their name.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]


def cache_folder() -> Path:
    """The rig's cache; IVSHMEM_SCOPE_RIG_CACHE overrides the user's cache folder."""
    chosen = os.environ.get("IVSHMEM_SCOPE_RIG_CACHE")
    if chosen:
        return Path(chosen) / "windows"
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ivshmem-scope" / "rigs" / "windows"


def digest(*inputs: str | bytes | Path) -> str:
    """A short hash over texts and over the contents of files and folders."""
    total = hashlib.sha256()
    for item in inputs:
        for name, data in _contents(item):
            total.update(f"{name}:{len(data)}:".encode())
            total.update(data)
    return total.hexdigest()[:16]


def _contents(item: str | bytes | Path) -> Iterator[tuple[str, bytes]]:
    if isinstance(item, Path):
        files = sorted(item.rglob("*")) if item.is_dir() else [item]
        for file in files:
            built = "__pycache__" in file.parts or file.name.startswith("_kernel.")
            if file.is_file() and not built:
                yield file.relative_to(item.parent).as_posix(), file.read_bytes()
    else:
        yield "text", item.encode() if isinstance(item, str) else item


def layer(name: str, key: str, make: Callable[[Path], None]) -> Path:
    """The finished folder `name-key`, made by `make` in a place of its own if it is not there.

    Older layers of the same name that nobody uses any more are removed, so that the cache
    does not grow with every change.
    """
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / f"{name}-{key}"
    with locked(folder / f"{name}.lock"):
        if not done.is_dir():
            half = folder / f"{name}-{key}.half"
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir(mode=0o755)
            make(half)
            half.rename(done)
            _forget_older(folder, name, done)
    return done


def _forget_older(folder: Path, name: str, keep: Path) -> None:
    aged = sorted(
        (old for old in folder.glob(f"{name}-*") if old.is_dir() and old != keep),
        key=lambda old: old.stat().st_mtime,
    )
    for old in aged[:-2]:
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One builder at a time; the kernel drops the lock with the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
