"""How fast the raw mapping reads and writes, without a peer."""
