"""What mypy says of those who ask: a part of `make lint`, never run.

A wrong caller is marked as wrong; where mypy does not see it, the mark is unused and lint fails.
"""

from __future__ import annotations

from typing import assert_type

from app.core.engine import messages as msg
from app.core.engine.measuring import measurement_messages as dm
from app.core.write.record import WriteRecord
from app.ui.session.session import Session


def _text(_text: str) -> None:
    """Takes what no command gives."""


def _anything(_value: object) -> None:
    """Takes everything."""


def right(session: Session) -> None:
    """These are fine."""
    session.ask(msg.Read(0, 4), lambda data: assert_type(data, bytes))
    session.ask(msg.FindChange(0), lambda offset: assert_type(offset, int | None))
    session.ask(msg.Undo(), lambda record: assert_type(record, WriteRecord))
    session.ask(dm.PollLane(), lambda view: assert_type(view, dm.LaneView))
    session.ask(dm.StartTest(None), lambda outcome: assert_type(outcome, dm.Outcome))
    session.ask(msg.Read(0, 4), _anything)


def wrong(session: Session) -> None:
    """These are not."""
    session.ask(msg.Read(0, 4), _text)  # type: ignore[arg-type]
    session.ask(msg.ListWrites(), lambda records: records.label)  # type: ignore[attr-defined]
    session.ask(dm.PollLane(), lambda view: view.result)  # type: ignore[attr-defined]
    session.ask("read")  # type: ignore[arg-type]
