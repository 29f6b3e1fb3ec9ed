"""Talking to an engine in tests: wait for facts, never for time."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

from app.core.engine import messages as msg
from app.core.engine.client import EngineClient
from app.core.engine.engine import Engine
from app.core.errors import ScopeError
from app.core.region.region import RegionKind, RegionSpec
from app.core.watch.frame import Frame

R = TypeVar("R")


class InProcess:
    """An Engine in this process, as the library and the command line have one: a client of it."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._answers: deque[msg.Answer] = deque()
        self._frames: deque[Frame] = deque(maxlen=1)
        self._engine: Engine | None = None

    def open(self, spec: RegionSpec) -> None:
        try:
            self._engine = Engine(spec, self._answers.append, self._frames.append)
        except ScopeError as error:
            self._answers.append(msg.OpenFailed(spec, error))
        else:
            self._engine.start()

    def ask(self, command: msg.Command) -> int:
        assert self._engine is not None
        number = next(self._numbers)
        self._engine.handle(number, command)
        return number

    def answers(self) -> list[msg.Answer]:
        return [self._answers.popleft() for _ in range(len(self._answers))]

    def frame(self) -> Frame | None:
        return self._frames.pop() if self._frames else None

    def trouble(self) -> ScopeError | None:
        return None

    def close(self, timeout_s: float = 2.0) -> None:
        if self._engine is not None:
            self._engine.close(timeout_s)


class Talk:
    """A client with its answers sorted by request."""

    def __init__(self, client: EngineClient, path: Path) -> None:
        self.client = client
        self.seen: list[msg.Answer] = []
        self.newest: Frame | None = None
        client.open(RegionSpec(RegionKind.FILE, str(path)))

    def pump(self) -> None:
        self.seen += self.client.answers()
        self.newest = self.client.frame() or self.newest

    def until(self, fact: Callable[[], bool], what: str = "it") -> None:
        deadline = time.monotonic() + 20
        while not fact():
            assert time.monotonic() < deadline, f"{what} did not happen; {self.seen[-3:]}"
            self.pump()
            time.sleep(0.002)

    def frame(self, fact: Callable[[Frame], bool] = lambda _: True) -> Frame:
        self.until(lambda: self.newest is not None and fact(self.newest), "the frame")
        assert self.newest is not None
        return self.newest

    def result(self, request: int) -> msg.Done | msg.Failed:
        def mine() -> list[msg.Done | msg.Failed]:
            answers = [a for a in self.seen if isinstance(a, msg.Done | msg.Failed)]
            return [a for a in answers if a.request == request]

        self.until(lambda: bool(mine()), f"an answer to {request}")
        assert len(mine()) == 1
        return mine()[0]

    def do(self, command: msg.Command[R]) -> R:
        answer = self.result(self.client.ask(command))
        assert isinstance(answer, msg.Done), answer
        return cast("R", answer.value)

    def fail(self, command: msg.Command[object]) -> ScopeError:
        answer = self.result(self.client.ask(command))
        assert isinstance(answer, msg.Failed), answer
        return answer.error
