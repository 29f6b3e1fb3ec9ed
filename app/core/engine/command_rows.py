"""What a row of the command table says: who carries a command out, where, how it is ended.

The rows of a room stand beside its handlers (engine_commands.py, measurement_commands.py); all
rooms stand in command_table.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, Never, TypeVar, get_args

from . import messages as msg

if TYPE_CHECKING:
    from .engine import Engine
    from .scheduler import Job

R = TypeVar("R")


class Pace(Enum):
    """Where a command is carried out."""

    IMMEDIATE = "on the thread that hands it over; takes no time and never waits"
    QUICK = "on the one worker that keeps the order in which things were asked"
    LONG = "on its queue's worker, beside the quick ones"
    EITHER = "begun as a quick one; what turns out to take long goes on as a long one"


class Queue(Enum):
    """Long commands of one queue run one after the other, those of two queues side by side."""

    NONE = "none"
    WRITES = "writes"  # fills, loads, copies, large undos: each sees what the one before left
    SAVES = "saves"
    SPEED = "speed"
    STATISTICS = "statistics"
    PREVIEW = "preview"
    POINTERS = "pointers"
    SURVEYS = "surveys"  # what is read all over the region, to be drawn
    LANE = "lane"
    TEST = "test"
    SEARCH = "search"
    HITS = "hits"  # what was found, as it is now: beside a search that goes on


@dataclass(frozen=True, slots=True)
class Later(Generic[R]):
    """What the handler of an EITHER command returns to continue in the row's queue.

    Attributes:
        work: The rest; its result is the command's.
        abandon: Called instead when it is cancelled before its turn came.
    """

    work: Callable[[], R]
    abandon: Callable[[], object] = lambda: None


@dataclass(frozen=True, slots=True)
class Row(Generic[R]):
    """One command.

    Attributes:
        command: Its class.
        handler: Carries it out; what it returns is the result, a ScopeError is the answer Failed.
        pace: Where.
        queue: Whose worker, when it is or becomes long.
        cancellable: Whether Cancel ends it while it waits or runs; a handler that runs long asks
            `job.cancelled()` between two steps.
    """

    command: type[msg.Command[R]]
    handler: Callable[[Engine, Any, Job], R | Later[R]]
    pace: Pace
    queue: Queue = Queue.NONE
    cancellable: bool = False

    def __post_init__(self) -> None:
        waits = self.pace in (Pace.LONG, Pace.EITHER)
        if waits != (self.queue is not Queue.NONE):
            raise ValueError(f"{self.command.__name__}: what may take long, and no other, queues.")

    @property
    def answered(self) -> bool:
        """Whether Done or Failed follows."""
        return result_type(self.command) is not Never


Rows = tuple[Row[Any], ...]


def result_type(command: type[msg.Command[R]]) -> Any:
    """The parameter of `Command` that this command was declared with (maybe a ForwardRef)."""
    for base in command.__dict__.get("__orig_bases__", ()):
        if arguments := get_args(base):
            return arguments[0]
    raise TypeError(f"{command.__name__} does not say what its result is.")
