"""On what the loops of the measuring verbs run: the arguments, and the words for it."""

from __future__ import annotations

import argparse

from ..core.errors import ScopeError
from ..core.measure.lane.peer_card import EngineKind
from ..core.native.kernel import why_absent


def add_engine(parser: argparse.ArgumentParser) -> None:
    """The arguments for engine and core of the loops; shared by all measuring verbs."""
    parser.add_argument(
        "--engine",
        choices=[kind.value for kind in EngineKind],
        help="run the loops on this engine; default: the C kernel where it was built",
    )
    parser.add_argument(
        "--pin", default="", metavar="CORE", help="keep the loop on a core: a number, or auto"
    )


def engine_of(options: argparse.Namespace) -> EngineKind | None:
    """The engine that the arguments ask for; None is the best that is there."""
    wanted = None if options.engine is None else EngineKind(options.engine)
    if wanted is EngineKind.KERNEL and (why := why_absent()):
        raise ScopeError(f"There is no C kernel: {why}.")
    return wanted


def engine_word(kind: EngineKind) -> str:
    """Its name for people."""
    return "C" if kind is EngineKind.KERNEL else "Python"
