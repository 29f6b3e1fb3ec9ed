"""Runs inside the guest: flashes at whoever answers on a device, and says what came of it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from app.core.backends.open_region import spec_for
from app.core.engine import measurement_messages as dm
from app.core.engine import messages as msg
from app.core.engine.client import LocalEngine
from app.core.measure.flash.flash_result import FlashPlan

PATIENCE_S = 120.0


def until(engine: LocalEngine, fits: Callable[[msg.Answer], bool]) -> msg.Answer:
    """The first answer that fits."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        for answer in engine.answers():
            if fits(answer):
                return answer
        time.sleep(0.002)
    raise SystemExit(f"no such answer; trouble: {engine.trouble()}")


def main(address: str, flips: int) -> None:
    """Open, unlock, flash."""
    engine = LocalEngine()
    engine.open(spec_for(address))
    until(engine, lambda answer: isinstance(answer, msg.Opened))
    engine.ask(msg.SetLocked(locked=False))
    request = engine.ask(dm.StartTest(FlashPlan(flips=flips, every_s=0.2)))
    ended = until(
        engine,
        lambda answer: isinstance(answer, msg.Done | msg.Failed) and answer.request == request,
    )
    engine.close(6.0)
    if isinstance(ended, msg.Failed):
        raise SystemExit(str(ended.error))
    assert isinstance(ended, msg.Done)
    print(json.dumps({**ended.value.result.as_dict(), "ending": ended.value.ending.name}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
