"""Pulls a device of the rig out, or plugs it in: `plug.py NUMBER in|out`."""

import sys

sys.path.insert(0, "Z:\\src")

from app.core.windows_abi import INTERFACE_GUID, _code
from app.core.windows_api import win32

UNPLUG, PLUG = _code(0x8F0), _code(0x8F1)
number, way = int(sys.argv[1]), sys.argv[2]
handle = win32().open_device(rf"\\?\root#ivshmem#{number:04}#{INTERFACE_GUID}")
win32().control(handle, PLUG if way == "in" else UNPLUG, b"", None)
win32().close(handle)
