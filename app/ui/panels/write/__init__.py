"""The write tools."""
