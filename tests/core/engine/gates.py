"""An engine in this process whose long commands wait at a gate each time they tell their progress."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar, cast

from app.core.engine import messages as msg
from app.core.engine.engine import Engine
from app.core.errors import ScopeError

R = TypeVar("R")
_PATIENCE_S = 20


class Gates:
    """What an engine answers, and the gate at which its progress waits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._answers: list[msg.Answer] = []
        self._came = threading.Condition()
        self._open = False
        self._until: dict[int, int] = {}  # how far a request may go
        self._numbers = 0
        self._engine: Engine | None = None

    @classmethod
    @contextmanager
    def engine(
        cls, make: Callable[[Callable[[msg.Answer], None]], Engine], path: Path
    ) -> Iterator[Gates]:
        gates = cls(path)
        gates._engine = make(gates._take)
        gates._engine.start()
        try:
            yield gates
        finally:
            gates.open()
            gates._engine.close()

    @property
    def bytes(self) -> bytes:
        return self._path.read_bytes()

    def open(self) -> None:
        """Let everything go on."""
        with self._came:
            self._open = True
            self._came.notify_all()

    def hold(self) -> None:
        """From now on hold up what tells its progress."""
        with self._came:
            self._open = False
            self._until.clear()

    def until_held(self, request: int, done: int) -> None:
        """Let this request go on until it told so many bytes, and wait there."""
        with self._came:
            self._until[request] = done
            self._came.notify_all()
            assert self._came.wait_for(
                lambda: any(
                    isinstance(a, msg.Progress) and a.request == request and a.done >= done
                    for a in self._answers
                ),
                _PATIENCE_S,
            ), self._answers

    def _take(self, answer: msg.Answer) -> None:
        with self._came:
            self._answers.append(answer)
            self._came.notify_all()
            if isinstance(answer, msg.Progress):
                assert self._came.wait_for(
                    lambda: self._open or self._until.get(answer.request, 0) > answer.done,
                    _PATIENCE_S,
                )

    def ask(self, command: msg.Command[object]) -> int:
        assert self._engine is not None
        self._numbers += 1
        self._engine.handle(self._numbers, command)
        return self._numbers

    def _answer(self, request: int) -> msg.Done | msg.Failed:
        def found() -> list[msg.Done | msg.Failed]:
            all_of_them = [a for a in self._answers if isinstance(a, msg.Done | msg.Failed)]
            return [a for a in all_of_them if a.request == request]

        with self._came:
            assert self._came.wait_for(lambda: bool(found()), _PATIENCE_S), self._answers
        assert len(found()) == 1
        return found()[0]

    def value(self, request: int) -> object:
        answer = self._answer(request)
        assert isinstance(answer, msg.Done), answer
        return answer.value

    def error(self, request: int) -> ScopeError:
        answer = self._answer(request)
        assert isinstance(answer, msg.Failed), answer
        return answer.error

    def do(self, command: msg.Command[R], *, answered: bool = True) -> R:
        request = self.ask(command)
        return cast("R", self.value(request) if answered else None)

    def fail(self, command: msg.Command[object]) -> ScopeError:
        return self.error(self.ask(command))
