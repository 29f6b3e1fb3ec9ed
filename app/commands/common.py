"""What the verbs share: opening, offsets as expressions, output, exit codes."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any, BinaryIO, Final

from app.core.errors import (
    AccessDeniedError,
    CannotFindError,
    ConflictError,
    HeldByAnotherError,
    ReadOnlyError,
    RegionGoneError,
    ScopeError,
)
from app.core.expressions import evaluate
from app.core.journal import Journal
from app.core.open_region import open_region, spec_for
from app.core.region import CacheMode, Region, RegionSpec

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130
# The first class that fits names the code; README "Command line" lists them.
EXIT_CODES: Final[tuple[tuple[type[ScopeError], int], ...]] = (
    (CannotFindError, 3),
    (AccessDeniedError, 4),
    (ReadOnlyError, 4),
    (RegionGoneError, 5),
    (ConflictError, 6),
    (HeldByAnotherError, 7),
)


def exit_code(error: ScopeError) -> int:
    """The exit code for an error."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), FAILED)


def add_device(parser: argparse.ArgumentParser) -> None:
    """The arguments that name a device and how to open it."""
    parser.add_argument(
        "device", help="path, PCI address (0000:00:03.0), kvmfr node or Windows interface path"
    )
    parser.add_argument(
        "--cache",
        choices=[mode.value for mode in CacheMode],
        default=CacheMode.DEFAULT.value,
        help="cache mode of a guest BAR",
    )
    add_json(parser)


def add_json(parser: argparse.ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="print JSON; keys name their unit")


def spec_of(options: argparse.Namespace, *, read_only: bool) -> RegionSpec:
    """The spec that the arguments name."""
    spec = spec_for(options.device)
    return dataclasses.replace(spec, read_only=read_only, cache=CacheMode(options.cache))


@contextmanager
def opened(options: argparse.Namespace, *, read_only: bool = True) -> Iterator[Region]:
    """The region that the arguments name, closed afterwards."""
    with open_region(spec_of(options, read_only=read_only)) as region:
        yield region


@contextmanager
def journalled(options: argparse.Namespace) -> Iterator[tuple[Region, Journal]]:
    """The region, writable, with an unlocked journal: asking for a write is the unlocking."""
    with opened(options, read_only=False) as region:
        journal = Journal(region)
        journal.set_locked(False)
        yield region, journal


def offset_of(text: str, region: Region) -> int:
    """An offset as people write it: 64, 0x40, end-16, 4K+8."""
    return evaluate(text, size=region.size)


def length_of(text: str | None, region: Region, start: int) -> int:
    """A length; None is everything from `start`."""
    return region.size - start if text is None else evaluate(text, size=region.size)


def say(text: str = "") -> None:
    """A line for people, or of JSON."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """A line beside the output: progress, warnings."""
    sys.stderr.write(text + "\n")


def plain(value: Any) -> Any:
    """Anything as JSON: dataclasses as objects, enums by value, bytes as hex."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def say_json(value: Any) -> None:
    """One JSON value on one line."""
    say(json.dumps(plain(value)))


def binary_out() -> BinaryIO:
    """Standard output for bytes."""
    sys.stdout.flush()
    return sys.stdout.buffer


class ProgressLine:
    """Progress on the terminal's standard error, and nowhere else."""

    def __init__(self, verb: str) -> None:
        self._verb = verb
        self._shown = -1
        self._on = sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        percent = done * 100 // total if total else 0
        if self._on and percent != self._shown:
            self._shown = percent
            end = "\n" if done >= total else ""
            sys.stderr.write(f"\r{self._verb} {percent:3d} %{end}")
            sys.stderr.flush()


def never_cancelled() -> bool:
    """Ctrl+C raises KeyboardInterrupt instead."""
    return False
