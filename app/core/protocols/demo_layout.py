"""The layout of the demo's region. All words are little endian, all offsets in bytes.

    0x00000  header: magic `IVSHDEMO`, u32 version, u32 pid of the peer, u64 region size
    0x00020  counters: u64 500 Hz, u32 100 Hz, u16 10 Hz, u8 1 Hz, u8 toggle 1 Hz
    0x00040  floats: f64 sine, f32 triangle, f32 random walk; at +0x10 u32 Unix s,
             at +0x18 u64 Unix ms, u64 FILETIME
    0x00080  mailbox: u64 sequence (odd while being written), u32 length, at +0x10 text
    0x00100  text log, 0x700 bytes, newest line overwrites the oldest
    0x10000  ring: u64 head, at +0x80 u64 tail, at +0x100 u64 capacity, data from +0x1000
    0x80000  picture: 256 x 192 pixels, 4 bytes each, 20 per second
The rest is never written: holes. Most of what changes is on the first screen.
"""

from __future__ import annotations

from typing import Final

MAGIC: Final = b"IVSHDEMO"
VERSION: Final = 1
PREFIX: Final = "ivshmem-scope-demo-"  # of the file's name
SIZE: Final = 1 << 20

COUNTERS: Final = 0x20
FLOATS: Final = 0x40
MAILBOX: Final = 0x80
LOG: Final = 0x100
LOG_SIZE: Final = 0x700
RING: Final = 0x10000
RING_HEAD: Final = RING
RING_TAIL: Final = RING + 0x80
RING_CAPACITY: Final = RING + 0x100
RING_DATA: Final = RING + 0x1000
RING_SIZE: Final = 64 << 10
PICTURE: Final = 0x80000
WIDTH: Final = 256
HEIGHT: Final = 192
USED: Final = PICTURE + WIDTH * HEIGHT * 4
"""Bytes from the start that the demo's peer writes."""
