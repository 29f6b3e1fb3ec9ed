"""The lane: its place, its layout, the peers in it, and the bytes that were there before."""
