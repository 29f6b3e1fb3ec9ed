"""Known protocols in shared memory, recognised by their bytes."""
