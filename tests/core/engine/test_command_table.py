"""Every command stands in the table, with a handler that takes it and gives what it promises."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections import Counter
from typing import ForwardRef, Never, get_args, get_origin, get_type_hints

import pytest

from app.core import engine as package
from app.core.engine import command_table, engine_commands, range_messages
from app.core.engine import messages as msg
from app.core.engine.command_rows import Later, Pace, Queue, Row, result_type
from app.core.engine.command_table import ROOMS, TABLE
from app.core.engine.engine import Engine
from app.core.engine.measuring import measurement_commands
from app.core.engine.measuring.measurements import MeasurementService
from app.core.engine.scheduler import Job
from app.core.measure.lane.hold import RestoreOutcome
from app.core.measure.peers.responder_state import ResponderState
from app.core.write.turn import Turn

ROWS = [row for room in ROOMS.values() for row in room()]
# What handlers import only when they run.
NAMES = {
    "Engine": Engine,
    "KnownPicture": range_messages.KnownPicture,
    "Picture": range_messages.Picture,
    "Statistics": range_messages.Statistics,
    "Tail": range_messages.Tail,
    "Wave": range_messages.Wave,
    "Job": Job,
    "MappingSpeed": msg.MappingSpeed,
    "MeasurementService": MeasurementService,
    "RestoreOutcome": RestoreOutcome,
    "ResponderState": ResponderState,
    "Turn": Turn,
}


def all_commands() -> list[type]:
    """Every subclass of Command that any module of the engine declares."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    found = set()
    for name, module in list(sys.modules.items()):
        if name.startswith("app.core"):
            found |= {
                value
                for value in vars(module).values()
                if inspect.isclass(value) and issubclass(value, msg.Command)
            }
    return sorted(found - {msg.Command}, key=lambda one: one.__name__)


def test_every_command_stands_in_the_table_exactly_once() -> None:
    times = Counter(row.command for row in ROWS)
    assert [command.__name__ for command in all_commands() if times[command] != 1] == []
    assert set(times) == set(all_commands())
    assert len(times) > 25


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.command.__name__)
def test_a_handler_takes_its_command_and_gives_its_result(row: Row[object]) -> None:
    hints = get_type_hints(row.handler, localns=NAMES)
    given = hints.pop("return")
    assert list(hints.values()) == [Engine, row.command, Job]
    promised = result_type(row.command)
    if isinstance(promised, ForwardRef):
        promised = getattr(sys.modules[row.command.__module__], promised.__forward_arg__)
    if promised is Never:
        promised = type(None)
    parts = get_args(given) if Later in map(get_origin, get_args(given)) else (given,)
    results = {get_args(part)[0] if get_origin(part) is Later else part for part in parts}
    assert results == {promised}
    later = any(get_origin(part) is Later for part in parts)
    assert later == (row.pace is Pace.EITHER)


def test_only_what_is_immediate_is_not_answered() -> None:
    silent = {row.command.__name__ for row in ROWS if not row.answered}
    assert silent == {
        "WatchRange",
        "SetRate",
        "SetPaused",
        "Step",
        "SetBudget",
        "SetLocked",
        "Cancel",
    }
    assert all(row.pace is Pace.IMMEDIATE for row in ROWS if not row.answered)
    assert not TABLE.answered(msg.SetRate(60))
    assert TABLE.answered(msg.Read(0, 1))


def test_what_may_take_long_can_be_cancelled_and_has_a_queue() -> None:
    for row in ROWS:
        assert (row.queue is not Queue.NONE) == (row.pace in (Pace.LONG, Pace.EITHER))
    stuck = [r.command.__name__ for r in ROWS if r.pace is Pace.LONG and not r.cancellable]
    assert stuck == ["Respond", "PollLane", "ListUnrestored", "RestoreSaved"], "these are bounded"


def test_a_long_row_without_a_queue_is_refused() -> None:
    with pytest.raises(ValueError, match="queue"):
        Row(msg.Read, engine_commands._read, Pace.LONG)
    with pytest.raises(ValueError, match="queue"):
        Row(msg.Read, engine_commands._read, Pace.QUICK, Queue.SAVES)


def test_a_room_is_loaded_with_its_first_command() -> None:
    table = command_table.CommandTable()
    assert table._loaded == set()
    table.row(msg.Read)
    assert table._loaded == {"messages"}
    assert table.row(measurement_commands.dm.StopTest) is not None
    assert table._loaded == {"messages", "measurement_messages"}

    class Unknown(msg.Command[int]):
        """In no table."""

    assert table.row(Unknown) is None
    assert table.answered(Unknown())
