"""Arguments of the program: a verb for the command line, or options of the window.

Qt is loaded only when a window is wanted, so that the verbs start fast and work without it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NoReturn

from .core.errors import ScopeError
from .core.values.printable import ENCODE_ERRORS, printable
from .version import __version__

# The module of each verb; only the wanted one is loaded (pyinstaller.spec names them all).
VERBS: Final = {
    "list": "listing", "info": "listing", "dump": "reading", "read": "reading",
    "write": "writing", "fill": "writing", "watch": "watching", "save": "reading",
    "load": "writing", "latency": "latency", "respond": "respond", "transfer": "transfer",
    "bandwidth": "bandwidth", "find": "finding",
}  # fmt: skip
# app/ui/shell/layout/workspaces.py lays them out; here without Qt.
WORKSPACES: Final = ("watch", "edit", "scope", "measure", "link")
_INTERRUPTED: Final = 130
log = logging.getLogger(__name__)


class _Parser(argparse.ArgumentParser):
    """Usage errors end with code 2 and name the way to the help.

    No option begins with a digit, so that whatever looks like a negative value is one: `-2e4` and
    `-inf` as well as `-1` (argparse knows only the last).
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._negative_number_matcher = re.compile(r"-(?:\.?\d|inf|nan)", re.IGNORECASE)

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {printable(message)}\nTry `{self.prog} --help`.\n")


def run(arguments: list[str]) -> int:
    """Parse, run, return the exit code."""
    _fix_streams()
    if arguments and arguments[0] in VERBS:
        return _run_verb(arguments)
    return _run_window(_window_parser().parse_args(arguments))


def _fix_streams() -> None:
    """A windowed Windows executable has no streams (PyInstaller: sys.stdout is None).

    What a terminal's encoding lacks (ASCII, cp932, a name that is no text) is written simpler: no
    result is lost by it.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ENCODE_ERRORS)


# -- verbs ---------------------------------------------------------------------------------------


def _verb_parser(verb: str) -> argparse.ArgumentParser:
    parser = _Parser(prog="ivshmem-scope")
    verbs = parser.add_subparsers(dest="verb", required=True, parser_class=_Parser)
    module = import_module(f".commands.{VERBS[verb]}", __package__)
    getattr(module, f"add_{verb}")(verbs)
    return parser


def _run_verb(arguments: list[str]) -> int:
    try:
        options = _verb_parser(arguments[0]).parse_args(arguments)
        code: int = options.run(options)
        sys.stdout.flush()
    except ScopeError as error:
        return _say_error(error, as_json="--json" in arguments)
    except KeyboardInterrupt:
        _drop_output()
        return _INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return 0  # the reader has enough
    except OSError as error:
        # What files and regions raise is a ScopeError; this is standard input or output.
        _drop_output()
        sys.stderr.write(f"ivshmem-scope: input or output failed ({error.strerror}).\n")
        return 1
    return code


def _say_error(error: ScopeError, *, as_json: bool) -> int:
    from .commands.common import exit_code

    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()  # what was found before comes first
    if as_json:
        fields = {"error": error.code, "message": error.message, "hint": error.hint,
                  "command": error.command}  # fmt: skip
        sys.stderr.write(json.dumps(fields) + "\n")
    else:
        sys.stderr.write(f"ivshmem-scope: {printable(str(error))}\n")
        if error.command:
            sys.stderr.write(f"  $ {printable(error.command)}\n")
    return exit_code(error)


def _drop_output() -> None:
    """The reader of the output has gone; Python's flush at exit would report it once more."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# -- the window ----------------------------------------------------------------------------------


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write 1280x800") from None
    if not (200 <= width <= 8192 and 200 <= height <= 8192):
        raise argparse.ArgumentTypeError("between 200x200 and 8192x8192")
    return width, height


def _between(least: float, most: float, unit: str) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number") from None
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"between {least:g} and {most:g} {unit}")
        return value

    return parse


def _window_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="ivshmem-scope",
        description="An oscilloscope for memory that a QEMU host and its guests share.",
        epilog=f"Without a window: {', '.join(VERBS)}. `ivshmem-scope VERB --help` tells more.",
    )
    parser.add_argument("device", nargs="?", help="path, PCI address or kvmfr node to open")
    parser.add_argument("--version", action="version", version=f"IVSHMEM Scope {__version__}")
    parser.add_argument("--demo", action="store_true", help="open a live demo region")
    parser.add_argument(
        "--no-open", action="store_true", help="open no device that is found at the start"
    )
    parser.add_argument("--read-only", action="store_true", help="open for reading only")
    hz = _between(1, 240, "Hz")
    parser.add_argument("--rate", type=hz, default=60.0, metavar="HZ", help="looks per second")
    parser.add_argument("--theme", choices=("dark", "light"), default="", help="instead of yours")
    parser.add_argument(
        "--workspace", choices=WORKSPACES, default="", help="layout to begin with, instead of yours"
    )
    parser.add_argument("--size", type=_size, metavar="WxH", help="size of the window")
    parser.add_argument(
        "--screenshot", type=Path, metavar="PNG", help="save a picture of the window, then end"
    )
    parser.add_argument(
        "--after",
        type=_between(0, 3600, "s"),
        default=2.0,
        metavar="SECONDS",
        help="live time before the picture",
    )
    parser.add_argument(
        "--self-test", type=Path, metavar="REPORT", help="test this installation, write JSON"
    )
    parser.add_argument("--verbose", action="store_true", help="log more")
    return parser


def _run_window(options: argparse.Namespace) -> int:
    from .core.storage import crash_reports, logs

    with crash_reports.recorded("window"):
        logs.start(verbose=options.verbose)
        return _start_window(options)


def _start_window(options: argparse.Namespace) -> int:
    headless = options.screenshot is not None or options.self_test is not None
    if sys.platform.startswith("linux") and "QT_QPA_PLATFORM" not in os.environ:
        if headless:
            os.environ["QT_QPA_PLATFORM"] = "offscreen"
        elif not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            sys.stderr.write(
                "ivshmem-scope: there is no display. Start it under `xvfb-run -a`, or save a "
                "picture with `--screenshot FILE.png`.\n"
            )
            return 2
    if options.self_test is not None:
        from .selftest import run_self_test

        return run_self_test(options.self_test)
    return _open_window(options)


def _open_window(options: argparse.Namespace) -> int:
    from dataclasses import replace

    from .core.backends.open_region import spec_for
    from .core.engine.process import EngineProcess
    from .core.storage.atomic_file import any_length

    spec = None
    if options.device:
        try:
            spec = replace(spec_for(options.device), read_only=options.read_only)
        except ScopeError as error:
            sys.stderr.write(f"ivshmem-scope: {printable(str(error))}\n")
            return 2
    # The child loads numpy while this process loads Qt: the first Frame comes sooner.
    spare = EngineProcess() if spec is not None or options.demo else None
    from .ui.application import Options
    from .ui.application import run as run_window

    return run_window(
        Options(
            spec=spec,
            demo=options.demo,
            screenshot=options.screenshot and Path(any_length(options.screenshot)),
            after_s=options.after,
            size=options.size,
            theme=options.theme,
            workspace=options.workspace,
            open_found=not options.no_open,
            read_only=options.read_only,
            hz=options.rate,
        ),
        spare,
    )
