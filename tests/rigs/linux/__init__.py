"""A real Linux guest with real ivshmem devices, under QEMU's software emulation."""
