"""Runs inside the guest: flashes at whoever answers on a device, and says what came of it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

from app.core.backends.open_region import spec_for
from app.core.engine import messages as msg
from app.core.engine.engine import Engine
from app.core.engine.measuring import measurement_messages as dm
from app.core.measure.flash.flash_result import FlashPlan

PATIENCE_S = 120.0


def until(answers: SimpleQueue[msg.Answer], fits: Callable[[msg.Answer], bool]) -> msg.Answer:
    """The first answer that fits."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            answer = answers.get(timeout=max(0.0, end - time.monotonic()))
        except Empty:
            raise SystemExit("no such answer") from None
        if fits(answer):
            return answer


def main(address: str, flips: int) -> None:
    """Open, unlock, flash."""
    answers: SimpleQueue[msg.Answer] = SimpleQueue()
    engine = Engine(spec_for(address), answers.put)
    engine.start()
    engine.handle(1, msg.SetLocked(locked=False))
    engine.handle(2, dm.StartTest(FlashPlan(flips=flips, every_s=0.2)))
    ended = until(
        answers,
        lambda answer: isinstance(answer, msg.Done | msg.Failed) and answer.request == 2,
    )
    engine.close(6.0)
    if isinstance(ended, msg.Failed):
        raise SystemExit(str(ended.error))
    assert isinstance(ended, msg.Done)
    print(json.dumps({**ended.value.result.as_dict(), "ending": ended.value.ending.name}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
