"""`respond`: be the responder that initiators measure with.

On Ctrl+C, SIGTERM and a closed terminal it leaves the lane and restores the bytes under it.
Sentences go to standard error.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any, Final

from ..core.measure.conditions import choose_core
from ..core.measure.latency.echo import EchoHandler
from ..core.measure.peers.responder import Responder
from ..core.measure.peers.responder_state import Phase, ResponderState
from ..core.measure.peers.responder_task import Handler
from ..core.measure.transfer.ring_transfer import TransferHandler
from ..core.native.kernel import Wait
from ..core.values.units import format_short_offset
from .common import OK, add_device, note, number, opened, say_json
from .interrupts import InterruptGuard
from .measuring import add_engine, add_lane, engine_of, hold_of, tell_ending

# Without the doorbell: a responder uses it when the initiator requests it.
_WAITS: Final = {"spin": Wait.SPIN, "poll": Wait.POLL, "yield": Wait.YIELD}
_LONGEST_S: Final = 366 * 86_400.0


def add_respond(verbs: Any) -> None:
    """Declare `respond`."""
    parser = verbs.add_parser("respond", help="be the peer that others measure, until Ctrl+C")
    add_device(parser)
    parser.add_argument("--wait", choices=_WAITS, help="wait so, whatever the other side asks")
    parser.add_argument(
        "--seconds",
        type=number(float, "time", 0, _LONGEST_S),
        default=0.0,
        help="end after; 0 is never",
    )
    add_engine(parser)
    add_lane(parser)
    parser.set_defaults(run=run_respond)


def handlers(options: argparse.Namespace) -> list[Handler]:
    """Every test mode that can be answered without a window."""
    wait = None if options.wait is None else _WAITS[options.wait]
    wanted, core = engine_of(options), choose_core(options.pin)
    return [
        EchoHandler(wanted=wanted, wait=wait, core=core),
        TransferHandler(wanted=wanted, core=core),
    ]


def run_respond(options: argparse.Namespace) -> int:
    """Answer until a signal or the time ends it."""
    known = handlers(options)
    with InterruptGuard() as guard, opened(options, read_only=False) as region:
        teller = _Teller(options.json)
        responder = Responder(region, lambda sleep: hold_of(options, region, sleep), known, teller)
        responder.start()
        # The main thread only waits: signals arrive here, and the loops never see them.
        while responder.running and not teller.deaf and not guard.wait(0.2):
            if options.seconds and teller.seconds() >= options.seconds:
                break
        state = responder.stop()
        tell_ending(state.ending)
    if state.trouble is not None and state.phase is Phase.ENDED and not guard.cancelled():
        raise state.trouble
    return OK


class _Teller:
    """Prints the responder's states as they change.

    Attributes:
        deaf: Nobody reads what is printed any more.
    """

    def __init__(self, as_json: bool) -> None:
        self._json = as_json
        self.deaf = False
        self._began = time.monotonic()
        self._said = ""

    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began

    def __call__(self, state: ResponderState) -> None:
        """Called on the service thread, which must go on after an error: it restores the lane."""
        if self.deaf:
            return
        try:
            self._report_state(state)
        except OSError:
            self.deaf = True

    def _report_state(self, state: ResponderState) -> None:
        if self._json:
            say_json(_plain(state))
            sys.stdout.flush()
            return
        text = _sentence(state)
        if text and text != self._said:
            self._said = text
            note(text)


def _plain(state: ResponderState) -> dict[str, Any]:
    lane = state.lane
    return {
        "phase": state.phase.name.lower(),
        "lane_offset_bytes": None if lane is None else lane.offset,
        "lane_size_bytes": None if lane is None else lane.size,
        "slot": state.slot,
        "initiator": None if state.initiator is None else str(state.initiator),
        "test": state.command,
        "tests": state.tests,
        "trouble": None if state.trouble is None else str(state.trouble),
        "ending": None if state.ending is None else state.ending.name.lower(),
    }


def _sentence(state: ResponderState) -> str:
    if state.phase is Phase.TROUBLE and state.trouble is not None:
        return f"{state.trouble} Trying again."
    if state.phase is Phase.ANSWERING:
        return f"Answering {state.initiator} ({state.command})."
    if state.phase is Phase.LISTENING and state.lane is not None:
        at = format_short_offset(state.lane.offset)
        return f"Listening in slot {state.slot} of the lane at {at}."
    return ""
