"""Who waits for whom: commands whose handlers wait until the test lets them go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.core.engine import messages as msg
from app.core.engine.command_rows import Later, Pace, Queue, Row
from app.core.engine.command_table import CommandTable
from app.core.engine.engine import Engine
from app.core.engine.scheduler import Job
from app.core.errors import CancelledError, EngineGoneError, ScopeError
from app.core.region.region import RegionKind, RegionSpec

ShmFile = Callable[..., Path]


@dataclass(frozen=True, slots=True)
class Quick(msg.Command[str]):
    """Held up by its gate, if it has one."""

    name: str


@dataclass(frozen=True, slots=True)
class Long(msg.Command[str]):
    """As Quick, in the queue of saves."""

    name: str


@dataclass(frozen=True, slots=True)
class Other(msg.Command[str]):
    """As Long, in another queue."""

    name: str


@dataclass(frozen=True, slots=True)
class Either(msg.Command[str]):
    """Becomes long."""

    name: str


@dataclass(frozen=True, slots=True)
class Stubborn(msg.Command[str]):
    """Long, and cannot be cancelled."""

    name: str


class House:
    """An engine whose commands wait at gates that the test opens."""

    def __init__(self, path: Path) -> None:
        self.gates: dict[str, threading.Event] = {}
        self.begun: list[str] = []
        self.abandoned: list[str] = []
        self.answers: list[msg.Answer] = []
        self.came = threading.Condition()
        rows = (
            Row(Quick, self.work, Pace.QUICK, cancellable=True),
            Row(Long, self.work, Pace.LONG, Queue.SAVES, cancellable=True),
            Row(Other, self.work, Pace.LONG, Queue.SPEED, cancellable=True),
            Row(Either, self.begin, Pace.EITHER, Queue.SAVES, cancellable=True),
            Row(Stubborn, self.work, Pace.LONG, Queue.SAVES),
            Row(msg.Cancel, lambda e, c, j: e.scheduler.cancel(c.request), Pace.IMMEDIATE),
        )
        table = CommandTable({"test_scheduler": lambda: rows, "messages": lambda: rows})
        spec = RegionSpec(RegionKind.FILE, str(path))
        self.engine = Engine(spec, self.take, table=table)
        self.numbers = 0

    def hold(self, *names: str) -> None:
        for name in names:
            self.gates[name] = threading.Event()

    def go(self, *names: str) -> None:
        for name in names:
            self.gates[name].set()

    def work(self, _engine: Engine, command: Quick, job: Job) -> str:
        self.begun.append(command.name)
        gate = self.gates.get(command.name)
        while gate is not None and not gate.wait(0.002):
            if job.cancelled():
                raise CancelledError("stopped in the middle")
        if command.name == "bug":
            raise ZeroDivisionError
        return command.name

    def begin(self, engine: Engine, command: Either, job: Job) -> Later[str]:
        self.begun.append(f"begin {command.name}")
        return Later(
            lambda: self.work(engine, command, job),
            abandon=lambda: self.abandoned.append(command.name),
        )

    def take(self, answer: msg.Answer) -> None:
        with self.came:
            self.answers.append(answer)
            self.came.notify_all()

    def ask(self, command: msg.Command[str]) -> int:
        self.numbers += 1
        self.engine.handle(self.numbers, command)
        return self.numbers

    def answer(self, request: int) -> msg.Done | msg.Failed:
        def found() -> list[msg.Done | msg.Failed]:
            return [
                a
                for a in self.answers
                if isinstance(a, msg.Done | msg.Failed) and a.request == request
            ]

        with self.came:
            assert self.came.wait_for(found, 20), f"no answer to {request}: {self.answers}"
        assert len(found()) == 1
        return found()[0]

    def error(self, request: int) -> ScopeError:
        answer = self.answer(request)
        assert isinstance(answer, msg.Failed)
        return answer.error

    def value(self, request: int) -> object:
        answer = self.answer(request)
        assert isinstance(answer, msg.Done), answer
        return answer.value

    def until_begun(self, name: str) -> None:
        deadline = time.monotonic() + 20
        while name not in self.begun:
            assert time.monotonic() < deadline
            time.sleep(0.002)


@pytest.fixture
def house(shm_file: ShmFile) -> Iterator[House]:
    made = House(shm_file(4096))
    yield made
    for gate in made.gates.values():
        gate.set()
    made.engine.close()


def test_a_long_one_holds_up_no_quick_one_and_no_other_queue(house: House) -> None:
    house.hold("save")
    save = house.ask(Long("save"))
    house.until_begun("save")
    assert house.value(house.ask(Quick("read"))) == "read"
    assert house.value(house.ask(Other("speed"))) == "speed"
    second = house.ask(Long("second save"))
    assert house.value(house.ask(Quick("again"))) == "again"
    assert "second save" not in house.begun
    house.go("save")
    assert house.value(save) == "save"
    assert house.value(second) == "second save"


def test_quick_ones_keep_the_order_in_which_they_were_asked(house: House) -> None:
    house.hold("0")
    requests = [house.ask(Quick(str(number))) for number in range(50)]
    house.go("0")
    for request in requests:
        house.answer(request)
    assert house.begun == [str(number) for number in range(50)]


def test_what_waits_is_cancelled_at_once_although_the_one_before_goes_on(house: House) -> None:
    house.hold("first", "quick")
    first = house.ask(Stubborn("first"))
    house.until_begun("first")
    waiting = house.ask(Long("waiting"))
    house.ask(msg.Cancel(waiting))
    assert isinstance(house.error(waiting), CancelledError)
    house.ask(msg.Cancel(first))  # cannot be: its row says so
    quick = house.ask(Quick("quick"))
    house.until_begun("quick")
    behind = house.ask(Quick("behind"))
    house.ask(msg.Cancel(behind))
    assert isinstance(house.error(behind), CancelledError)
    house.go("first", "quick")
    assert house.value(first) == "first"
    assert house.value(quick) == "quick"
    assert not {"waiting", "behind"} & set(house.begun)
    house.ask(msg.Cancel(first))  # has ended
    house.ask(msg.Cancel(99))  # never was
    assert house.value(house.ask(Quick("after"))) == "after"
    assert not house.engine.scheduler._jobs, "nothing is kept of what ended"


def test_what_runs_is_asked_to_end(house: House) -> None:
    house.hold("long", "quick")
    for command in (Long("long"), Quick("quick")):
        request = house.ask(command)
        house.until_begun(command.name)
        house.ask(msg.Cancel(request))
        assert "in the middle" in str(house.error(request))


def test_what_turns_out_long_goes_on_in_its_queue(house: House) -> None:
    house.hold("save", "undo")
    house.ask(Long("save"))
    house.until_begun("save")
    undo = house.ask(Either("undo"))
    dropped = house.ask(Either("dropped"))
    assert house.value(house.ask(Quick("read"))) == "read"
    assert house.begun == ["save", "begin undo", "begin dropped", "read"]
    house.ask(msg.Cancel(dropped))
    assert isinstance(house.error(dropped), CancelledError)
    assert house.abandoned == ["dropped"]
    waiting = [job.request for job in house.engine.scheduler.waiting(Queue.SAVES)]
    assert waiting == [1, undo]
    house.go("save", "undo")
    assert house.value(undo) == "undo"
    assert house.engine.scheduler.waiting(Queue.SAVES) == []
    assert "dropped" not in house.begun


def test_a_bug_is_told_and_survived(house: House) -> None:
    for command in (Quick("bug"), Long("bug")):
        error = house.error(house.ask(command))
        assert "ZeroDivisionError" in error.message
        assert "report" in error.hint
    assert house.value(house.ask(Quick("next"))) == "next"


def test_what_no_table_knows_is_answered(house: House) -> None:
    assert "does not know Step" in str(house.error(house.ask(msg.Step())))


def test_closing_ends_what_runs_and_answers_what_waits(house: House) -> None:
    house.hold("save", "read")
    save = house.ask(Long("save"))
    house.until_begun("save")
    waiting = [house.ask(Long("second")), house.ask(Either("undo"))]
    read = house.ask(Quick("read"))
    house.until_begun("read")
    behind = house.ask(Quick("behind"))
    house.engine.close()
    house.engine.close()
    for request in (save, read, behind, *waiting):
        assert isinstance(house.error(request), CancelledError)
    assert isinstance(house.error(house.ask(Quick("late"))), EngineGoneError)
    assert not any(worker.is_alive() for worker in house.engine.scheduler._workers)


def test_closing_does_not_wait_for_ever(house: House) -> None:
    """For a system call that does not come back, say; the thread is left to the process's end."""
    house.hold("never")
    house.engine._table._rows[Long] = Row(
        Long, lambda *_: house.gates["never"].wait(60), Pace.LONG, Queue.SAVES
    )
    house.ask(Long("never"))
    house.engine.close(timeout_s=0.05)
    assert house.engine.region.closed
    house.go("never")


def test_cancelling_while_it_is_begun_is_not_lost(house: House) -> None:
    """Said between its quick part and its long one."""
    row = Row(
        Either,
        lambda engine, command, job: (job.cancel(), house.begin(engine, command, job))[1],
        Pace.EITHER,
        Queue.SAVES,
        cancellable=True,
    )
    house.engine._table.row(Either)
    house.engine._table._rows[Either] = row
    request = house.ask(Either("undo"))
    assert isinstance(house.error(request), CancelledError)
    assert house.abandoned == ["undo"]
