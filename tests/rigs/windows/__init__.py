"""The Windows rig: a Windows userland with an ivshmem driver, on a plain Linux machine."""
