"""How fast the Region copies against memcpy over the same mapping in the same process, as JSON."""

import ctypes
import json
import sys

sys.path.insert(0, "Z:\\src")

from app.core.backends.windows.bar import open_windows_bar
from app.core.region.region import RegionKind, RegionSpec
from tests.bench.harness import Case, interleaved

rounds, size = int(sys.argv[1]), 32 << 20
with open_windows_bar(RegionSpec(RegionKind.WINDOWS, "0")) as region:
    own = bytearray(size)
    view = memoryview(own)
    mine = ctypes.addressof((ctypes.c_char * size).from_buffer(own))
    there = region.mapping._pointer
    times = interleaved(
        [
            Case("read", lambda: region.read_into(0, view)),
            Case("memcpy out", lambda: ctypes.memmove(mine, there, size)),
            Case("write", lambda: region.write(0, own)),
            Case("memcpy in", lambda: ctypes.memmove(there, mine, size)),
        ],
        rounds,
    )
print(
    json.dumps(
        {
            "read": times.speed("read", "memcpy out"),
            "write": times.speed("write", "memcpy in"),
            "rates": {name: size / times.median(name) for name in times.seconds},
        }
    )
)
