"""Fixtures of the command line's tests."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app import cli
from tests.command_line.tools import Answer, MakeFile, Run


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process."""

    def call(*words: object) -> Answer:
        capfd.readouterr()
        try:
            code = cli.run([str(word) for word in words])
        except SystemExit as end:  # argparse
            code = int(end.code or 0)
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return Answer(code, out, err)

    return call


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Gives a command something to read."""

    def give(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return give


@pytest.fixture
def writer(shm_file: MakeFile) -> Iterator[Path]:
    """A file that another thread keeps changing."""
    path, stop = shm_file(8192), threading.Event()

    def write() -> None:
        number = 0
        with path.open("r+b", buffering=0) as file:
            while not stop.wait(0.005):
                number += 1
                os.pwrite(file.fileno(), number.to_bytes(4, "little"), 0x40)

    thread = threading.Thread(target=write)
    thread.start()
    yield path
    stop.set()
    thread.join()
