"""The lane in the window: its place, its peers, and bytes that are still to be restored."""
