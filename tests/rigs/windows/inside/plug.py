"""Pulls a device of the rig out, and plugs it in again once a file appears: `plug.py NUMBER FILE`.

One process for both: with the device out nobody can open it to say that it is in again.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, "Z:\\src")

from app.core.backends.windows.abi import INTERFACE_GUID, _code
from app.core.backends.windows.api import win32

UNPLUG, PLUG = _code(0x8F0), _code(0x8F1)
number, sign = int(sys.argv[1]), Path(sys.argv[2])
handle = win32().open_device(rf"\\?\root#ivshmem#{number:04}#{INTERFACE_GUID}")
win32().control(handle, UNPLUG, b"", None)
end = time.monotonic() + 120
while not sign.exists() and time.monotonic() < end:
    time.sleep(0.1)
win32().control(handle, PLUG, b"", None)
win32().close(handle)
