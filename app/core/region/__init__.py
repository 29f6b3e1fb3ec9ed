"""A piece of mapped memory, and the only code that accesses it."""
