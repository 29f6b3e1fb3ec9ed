"""The rows of what measures: the responder, the lane, and tests."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..command_rows import Later, Pace, Queue, Row, Rows
from . import measurement_messages as dm

if TYPE_CHECKING:
    from ...measure.lane.hold import RestoreOutcome
    from ...measure.peers.responder_state import ResponderState
    from ..engine import Engine
    from ..scheduler import Job
    from .measurements import MeasurementService


def _service(engine: Engine) -> MeasurementService:
    """The measuring part, made when first used: most engines never measure."""
    from .measurements import MeasurementService

    return engine.part(MeasurementService)


def _respond(engine: Engine, command: dm.Respond, _job: Job) -> ResponderState:
    service = _service(engine)
    return service.respond(command.wanted) if command.on else service.silence()


def _poll_lane(engine: Engine, command: dm.PollLane, _job: Job) -> dm.LaneView:
    return _service(engine).poll_lane(command.wanted)


def _list_unrestored(engine: Engine, _command: dm.ListUnrestored, _job: Job) -> tuple[str, ...]:
    return _service(engine).list_unrestored()


def _restore_saved(
    engine: Engine, _command: dm.RestoreSaved, _job: Job
) -> tuple[RestoreOutcome, ...]:
    return _service(engine).restore_saved()


def _start_test(engine: Engine, command: dm.StartTest, job: Job) -> Later[dm.Outcome]:
    """Refused at once while another runs; it does not wait behind it."""
    service = _service(engine)
    io = service.begin_test(job.request, command)
    job.when_cancelled(io.stop)
    return Later(partial(service.run_test, command, io), abandon=partial(service.end_test, io))


def _stop_test(engine: Engine, _command: dm.StopTest, _job: Job) -> None:
    _service(engine).stop_test(wait_s=0)


def _flip_now(engine: Engine, _command: dm.FlipNow, _job: Job) -> None:
    _service(engine).flip()


def _flash_painted(engine: Engine, command: dm.FlashPainted, _job: Job) -> None:
    _service(engine).painted(command.painted)


def _flash_reacted(engine: Engine, command: dm.FlashReacted, _job: Job) -> None:
    _service(engine).reacted(command.number, command.reaction_ns)


_NOW, _LONG = Pace.IMMEDIATE, Pace.LONG

ROWS: Rows = (
    Row(dm.Respond, _respond, _LONG, Queue.LANE),
    Row(dm.PollLane, _poll_lane, _LONG, Queue.LANE),
    Row(dm.ListUnrestored, _list_unrestored, _LONG, Queue.LANE),
    Row(dm.RestoreSaved, _restore_saved, _LONG, Queue.LANE),
    Row(dm.StartTest, _start_test, Pace.EITHER, Queue.TEST, cancellable=True),
    Row(dm.StopTest, _stop_test, _NOW),
    Row(dm.FlipNow, _flip_now, _NOW),
    Row(dm.FlashPainted, _flash_painted, _NOW),
    Row(dm.FlashReacted, _flash_reacted, _NOW),
)
