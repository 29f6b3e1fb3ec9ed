"""Visual latency: from a store to a painted patch in the peer's window."""
