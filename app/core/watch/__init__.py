"""Watching: the one reader of a region, and the Frames that it makes."""
