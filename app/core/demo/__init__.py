"""The demo: a temporary shared file and a peer process that behaves like real users of ivshmem."""
