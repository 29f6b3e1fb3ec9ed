"""`python -m tests.bench [--only NAME] [--json FILE] [--quick]`: all rows in one table.

Imports each `bench_*.py` beside this file and calls its `rows(quick=...)`. Ends with 1 when a
row is below its floor or a benchmark failed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
import traceback
from pathlib import Path

from tests.bench.harness import Row, table


def modules(only: str) -> list[str]:
    """Names of the benchmarks, `only` as a part of the name."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    return [name for name in names if only in name]


def measure(name: str, *, quick: bool) -> tuple[list[Row], bool]:
    """The rows of one benchmark, and whether it ran to its end."""
    try:
        found = importlib.import_module(f"tests.bench.{name}").rows(quick=quick)
        return list(found), True
    except Exception:
        print(f"{name} failed:", file=sys.stderr)
        traceback.print_exc()
        return [], False


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and say by the exit code whether every floor was met."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--only", default="", metavar="NAME", help="benchmarks with this in their name"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows there")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, rougher figures")
    options = parser.parse_args(arguments)
    names = modules(options.only)
    if not names:
        parser.error(f"no benchmark is named like {options.only!r}")
    rows: list[Row] = []
    complete = True
    for name in names:
        print(f"measuring {name.removeprefix('bench_')} ...", file=sys.stderr, flush=True)
        found, ran = measure(name, quick=options.quick)
        rows += found
        complete &= ran
    print(table(rows))
    if options.json is not None:
        told = {"machine": platform.platform(), "rows": [row.as_json() for row in rows]}
        options.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return 0 if complete and all(row.meets(row.floor) for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
