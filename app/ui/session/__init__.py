"""The window's bridge to one engine."""
