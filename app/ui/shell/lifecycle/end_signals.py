"""Ctrl+C and SIGTERM in a program with windows.

The first ends it in order, the second at once. Python's own handlers run inside whatever the main
thread does, and not at all while that thread is inside Qt; so they do nothing here. The system's
handler writes the number into a socket, and a thread of ours reads it, also when the window hangs.
"""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, Signal


def _numbers() -> list[int]:
    """What ends the program: not what was ignored when it was started.

    A script's `&` and nohup mean that Ctrl+C, or a terminal that closes, is for others. SIGTERM
    ends it then.
    """
    wanted = [signal.SIGINT, signal.SIGTERM]
    if sys.platform == "win32":
        wanted.append(signal.SIGBREAK)
    return [number for number in wanted if signal.getsignal(number) is not signal.SIG_IGN]


class _Asked(QObject):
    """Carries the first signal to the window's thread."""

    asked = Signal()


@contextmanager
def end_signals(in_order: Callable[[], None], at_once: Callable[[int], None]) -> Iterator[None]:
    """Take the signals for a while; on the main thread.

    Args:
        in_order: Called on this thread by Qt's event loop, for the first signal.
        at_once: Called on another thread, with the number of each further one.
    """
    asked = _Asked()
    asked.asked.connect(in_order)
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    numbers = _numbers()
    before = [(number, signal.signal(number, _nothing)) for number in numbers]
    old_handle = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    thread = threading.Thread(
        target=_read, args=(reader, numbers, asked.asked.emit, at_once), name="end-signals"
    )
    thread.daemon = True
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(old_handle)
        for number, handler in before:
            signal.signal(number, handler)
        writer.close()  # ends the thread
        thread.join(1.0)
        reader.close()


def _nothing(_number: int, _frame: object) -> None:
    """What Python runs; the thread does the work."""


def _read(
    reader: socket.socket,
    numbers: list[int],
    in_order: Callable[[], None],
    at_once: Callable[[int], None],
) -> None:
    seen = 0
    while came := reader.recv(64):
        for number in came:
            if number not in numbers:
                continue  # all signals that have a handler are written, SIGCHLD for one
            seen += 1
            if seen == 1:
                in_order()
            else:
                at_once(number)
