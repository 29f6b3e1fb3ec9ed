"""Docks, workspaces, and how they fit a screen and are remembered."""
