"""Round trips between two peers, and the one-way estimate."""
