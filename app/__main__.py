"""`python -m app` in the tree, and the command `ivshmem-scope`."""

from __future__ import annotations

import sys
import traceback


def main(arguments: list[str] | None = None) -> int:
    """Run the program; the process's exit code."""
    try:
        from .cli import run

        return run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:  # Ctrl+C while modules are still loading
        return 130
    except Exception:
        # The executable's starter would show a dialog, and a script would wait for it for ever.
        if getattr(sys, "frozen", False) and len(sys.argv) > 1:
            traceback.print_exc()
            return 1
        raise


if __name__ == "__main__":
    sys.exit(main())
