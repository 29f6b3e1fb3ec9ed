"""IVSHMEM Scope: an oscilloscope for memory that a QEMU host and its guests share."""

__version__ = "0.1.0"
