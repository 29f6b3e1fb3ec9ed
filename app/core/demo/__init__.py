"""The demo: a temporary shared file and a peer process that behaves like real users of ivshmem."""

from app.core.demo.starter import Demo

__all__ = ["Demo"]
