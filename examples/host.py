"""The host's side: leave a greeting in the shared memory, then see what the guest answered.

Usage: python examples/host.py /dev/shm/my-shared-memory
"""

import sys

from ivshmem_scope import Host, errors


def main(path: str) -> None:
    """Greet."""
    with Host(path) as host:
        print("Path:", host.path)
        print("Size:", host.size >> 20, "MiB")

        host.write(0, b"Hello from the host!".ljust(64, b"\0"))
        host.sync()
        print("Greeting written")

        answer = host.read(64, 64).rstrip(b"\0").decode(errors="replace")
        print("Answer from the guest:", answer or "none yet")


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "/dev/shm/my-shared-memory")
    except errors.ScopeError as error:
        sys.exit(f"host.py: {error}")
