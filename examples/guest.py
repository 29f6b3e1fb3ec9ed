"""The guest's side, on Linux and on Windows: read the host's greeting, and answer it.

Usage: python examples/guest.py [0000:01:00.0]
"""

import sys

from ivshmem_scope import Guest, errors, list_devices


def main(address: str | None) -> None:
    """Answer."""
    devices = [device for device in list_devices() if device.address]
    for device in devices:
        print("Found:", device.location)
    if address is None and not devices:
        sys.exit("guest.py: this guest has no ivshmem device.")

    with Guest(address or devices[0]) as guest:
        print("System:", guest.system)
        print("Location:", guest.location)
        print("Size:", guest.size >> 20, "MiB")

        greeting = guest.read(0, 64).rstrip(b"\0").decode(errors="replace")
        print("Greeting from the host:", greeting or "none yet")

        guest.write(64, b"Hello from the guest!".ljust(64, b"\0"))
        guest.sync()
        print("Answer written")


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else None)
    except errors.ScopeError as error:
        sys.exit(f"guest.py: {error}")
